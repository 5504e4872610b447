//! Strata that may veto, and several challengers against one champion.

use super::bets::Mixture;
use super::rate_test::{Block, fold_one};
use super::rates::{RateWealth, RunningOutlook, Side};
use crate::stats::error::{Alpha, StatsError};
use crate::stats::tally::Count;

/// Most strata a test may declare.
pub const MOST_STRATA: usize = 12;

/// One e-process per stratum against "no worse than −margin there"; a stratum vetoes at (number of strata)/α.
///
/// Strata are declared before the start: language, class, hour. Each has the share of its own units, so shares may depend
/// on the stratum.
#[derive(Debug, Clone, PartialEq)]
pub struct StrataVeto {
    log_threshold: f64,
    strata: Vec<(RunningOutlook, RateWealth, bool)>,
}

impl StrataVeto {
    /// Strata that veto when they are shown to be worse by more than `margin`, a fraction of the control's rate.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] for no or more than twelve strata, or a margin outside [0, 1).
    pub fn new(strata: usize, margin: f64, alpha: Alpha) -> Result<Self, StatsError> {
        if !(1..=MOST_STRATA).contains(&strata) {
            return Err(StatsError::BadParameter {
                what: "the number of strata",
                value: strata as f64,
                expected: "1 to 12 strata are declared before the start",
            });
        }
        if !(0.0..1.0).contains(&margin) {
            return Err(StatsError::BadParameter {
                what: "the margin of a stratum",
                value: margin,
                expected: "it is a fraction from 0 up to, but not including, 1",
            });
        }
        let fresh = || {
            (
                RunningOutlook::default(),
                RateWealth::new(Side::RollBack, 1.0 - margin),
                false,
            )
        };
        Ok(Self {
            log_threshold: alpha.split(strata).log_threshold(),
            strata: (0..strata).map(|_| fresh()).collect(),
        })
    }

    /// Folds in a block of one stratum.
    ///
    /// # Errors
    /// As [`Block::check`]; [`StatsError::BadParameter`] for a stratum that was not declared.
    pub fn fold(&mut self, stratum: usize, block: &Block) -> Result<(), StatsError> {
        block.check()?;
        let Some((outlook, wealth, vetoed)) = self.strata.get_mut(stratum) else {
            return Err(StatsError::BadParameter {
                what: "the stratum",
                value: stratum as f64,
                expected: "strata are declared before the start",
            });
        };
        fold_one(wealth, block, outlook.current());
        *vetoed |= wealth.reaches(Mixture::standard(), self.log_threshold);
        let (sum, squares) = block.sums();
        outlook.observe(block.units() as f64, sum, squares);
        Ok(())
    }

    /// Strata that have vetoed, by number.
    pub fn vetoes(&self) -> impl Iterator<Item = usize> + '_ {
        self.strata
            .iter()
            .enumerate()
            .filter_map(|(i, (_, _, vetoed))| vetoed.then_some(i))
    }

    /// Logarithm of a stratum's wealth.
    #[must_use]
    pub fn log_value(&self, stratum: usize) -> Option<f64> {
        self.strata
            .get(stratum)
            .map(|(_, wealth, _)| wealth.log_value(Mixture::standard()))
    }
}

/// A block of several arms; the champion is arm 0.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiBlock {
    /// When it was exposed.
    pub at: f64,
    /// Share of every arm; they sum to one.
    pub shares: Vec<f64>,
    /// Counts of every arm.
    pub arms: Vec<Count>,
}

/// The block that challenger `arm` is judged on: its own units and the champion's, with share s_k/(s₀ + s_k).
///
/// # Errors
/// [`StatsError::SharesDoNotSum`]; [`StatsError::BadParameter`] for an arm that is not there;
/// [`StatsError::WrongDesign`] when shares and arms differ in number.
pub fn challenger_block(block: &MultiBlock, arm: usize) -> Result<Block, StatsError> {
    let sum: f64 = block.shares.iter().sum();
    if sum.is_nan() || (sum - 1.0).abs() > 1e-6 {
        return Err(StatsError::SharesDoNotSum { sum });
    }
    if block.shares.len() != block.arms.len() {
        return Err(StatsError::WrongDesign {
            what: format!(
                "{} shares for {} arms",
                block.shares.len(),
                block.arms.len()
            ),
        });
    }
    if arm == 0 || arm >= block.arms.len() {
        return Err(StatsError::BadParameter {
            what: "the challenger",
            value: arm as f64,
            expected: "challengers are the arms after the champion, arm 0",
        });
    }
    Ok(Block {
        at: block.at,
        share: block.shares[arm] / (block.shares[0] + block.shares[arm]),
        control: block.arms[0],
        treatment: block.arms[arm],
        rows: Vec::new(),
    })
}
