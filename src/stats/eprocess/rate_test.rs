//! One challenger against the champion: both sides of the e-process, fed block by block.

use super::bets::Mixture;
use super::rates::{Outlook, RateWealth, RunningOutlook, Side};
use crate::stats::error::{Alpha, StatsError};
use crate::stats::tally::Count;

/// Units of one share that were exposed together.
///
/// Blocks are closed before they are folded: every unit in them is mature. `rows` holds outcomes that are not zero or one,
/// in order of exposure; their units are not in the counts.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// When the block was exposed, in the caller's unit of time.
    pub at: f64,
    /// Probability of the treatment for these units, given that they went to either arm.
    pub share: f64,
    /// The control's units with outcome zero or one.
    pub control: Count,
    /// The treatment's.
    pub treatment: Count,
    /// `(is_treatment, outcome)` of units with outcomes in between.
    pub rows: Vec<(bool, f64)>,
}

impl Block {
    /// Units of both arms.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.control.units + self.treatment.units + self.rows.len() as u64
    }

    /// Sum and sum of squares of all outcomes.
    pub(super) fn sums(&self) -> (f64, f64) {
        let ones = (self.control.conversions + self.treatment.conversions) as f64;
        self.rows
            .iter()
            .fold((ones, ones), |(sum, squares), (_, y)| {
                (sum + y, squares + y * y)
            })
    }

    /// Checks share, counts and outcomes.
    ///
    /// # Errors
    /// [`StatsError::NotAShare`], [`StatsError::MoreConversionsThanUnits`], [`StatsError::OutOfBounds`].
    pub fn check(&self) -> Result<(), StatsError> {
        if !(self.share > 0.0 && self.share < 1.0) {
            return Err(StatsError::NotAShare { share: self.share });
        }
        for arm in [self.control, self.treatment] {
            Count::new(arm.units, arm.conversions)?;
        }
        match self.rows.iter().find(|(_, y)| !(0.0..=1.0).contains(y)) {
            Some((_, value)) => Err(StatsError::OutOfBounds {
                value: *value,
                lower: 0.0,
                upper: 1.0,
            }),
            None => Ok(()),
        }
    }
}

/// Levels and ratio of a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TestLevels {
    /// Level of promotion; half of the error budget by default.
    pub promote: Alpha,
    /// Level of roll-back, already divided among the primary metric and its guardrails.
    pub roll_back: Alpha,
    /// ρ of the promote side: 1 for superiority, `1 − margin` for non-inferiority.
    pub promote_ratio: f64,
    /// ρ of the roll-back side: 1 rolls back what is worse at all.
    pub roll_back_ratio: f64,
}

impl TestLevels {
    /// Superiority to promote and to roll back, with half of `budget` each.
    #[must_use]
    pub fn halves(budget: Alpha) -> Self {
        Self {
            promote: budget.split(2),
            roll_back: budget.split(2),
            promote_ratio: 1.0,
            roll_back_ratio: 1.0,
        }
    }
}

/// When a side's wealth first reached its threshold.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Crossing {
    /// Time of the block that completed it.
    pub at: f64,
    /// Units of both arms by then.
    pub units: u64,
}

/// Wealth of both sides at a look, as natural logarithms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wealth {
    /// Wealth against "no better".
    pub log_promote: f64,
    /// Wealth against "no worse".
    pub log_roll_back: f64,
}

/// The e-process of one challenger for one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct RateTest {
    levels: TestLevels,
    outlook: RunningOutlook,
    promote: RateWealth,
    roll_back: RateWealth,
    units: u64,
    last_at: f64,
    promoted: Option<Crossing>,
    rolled_back: Option<Crossing>,
}

impl RateTest {
    /// A test with wealth one on both sides.
    #[must_use]
    pub fn new(levels: TestLevels) -> Self {
        Self {
            levels,
            outlook: RunningOutlook::default(),
            promote: RateWealth::new(Side::Promote, levels.promote_ratio),
            roll_back: RateWealth::new(Side::RollBack, levels.roll_back_ratio),
            units: 0,
            last_at: f64::NEG_INFINITY,
            promoted: None,
            rolled_back: None,
        }
    }

    /// Folds in the next closed block. A refused block changes nothing.
    ///
    /// # Errors
    /// As [`Block::check`]; [`StatsError::BadParameter`] when the block lies before the last one.
    pub fn fold(&mut self, block: &Block) -> Result<(), StatsError> {
        self.fold_together(std::slice::from_ref(block))
    }

    /// Folds in blocks of different shares whose units were exposed in turns, as strata with shares of their own are: all
    /// bets are placed before any of them, and wealth is looked at after all of them.
    ///
    /// # Errors
    /// As [`RateTest::fold`].
    pub fn fold_together(&mut self, blocks: &[Block]) -> Result<(), StatsError> {
        let mut last_at = self.last_at;
        for block in blocks {
            block.check()?;
            if block.at < last_at {
                return Err(StatsError::BadParameter {
                    what: "the time of a block",
                    value: block.at,
                    expected: "blocks are folded in order of exposure, and none overtakes another",
                });
            }
            last_at = block.at;
        }
        self.last_at = last_at;
        let outlook = self.outlook.current();
        self.units += blocks.iter().map(Block::units).sum::<u64>();
        for (wealth, alpha, crossing) in [
            (&mut self.promote, self.levels.promote, &mut self.promoted),
            (
                &mut self.roll_back,
                self.levels.roll_back,
                &mut self.rolled_back,
            ),
        ] {
            for block in blocks {
                fold_one(wealth, block, outlook);
            }
            if crossing.is_none() && wealth.reaches(Mixture::standard(), alpha.log_threshold()) {
                *crossing = Some(Crossing {
                    at: last_at,
                    units: self.units,
                });
            }
        }
        observe(&mut self.outlook, blocks);
        Ok(())
    }

    /// Wealth of both sides now.
    #[must_use]
    pub fn wealth(&self) -> Wealth {
        Wealth {
            log_promote: self.promote.log_value(Mixture::standard()),
            log_roll_back: self.roll_back.log_value(Mixture::standard()),
        }
    }

    /// When the promote side decided, if it has.
    #[must_use]
    pub fn promoted(&self) -> Option<Crossing> {
        self.promoted
    }

    /// When the roll-back side decided, if it has.
    #[must_use]
    pub fn rolled_back(&self) -> Option<Crossing> {
        self.rolled_back
    }

    /// Units folded so far.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.units
    }
}

/// Folds a block into one side's wealth under an outlook from before it.
pub(super) fn fold_one(wealth: &mut RateWealth, block: &Block, outlook: Option<Outlook>) {
    wealth.place(block.share, outlook, Mixture::standard());
    if block.control.units + block.treatment.units > 0 {
        wealth.fold_counts(block.control, block.treatment);
    }
    if !block.rows.is_empty() {
        wealth.fold_rows(&block.rows);
    }
}

/// Takes blocks that were exposed together into the outlook for the next ones.
pub(super) fn observe(outlook: &mut RunningOutlook, blocks: &[Block]) {
    let (mut units, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for block in blocks {
        let sums = block.sums();
        units += block.units() as f64;
        sum += sums.0;
        squares += sums.1;
    }
    outlook.observe(units, sum, squares);
}

/// The outlook in force at every group of blocks: it depends on the data alone, not on ρ.
pub(super) fn outlooks<'a>(groups: impl Iterator<Item = &'a [Block]>) -> Vec<Option<Outlook>> {
    let mut running = RunningOutlook::default();
    groups
        .map(|group| {
            let now = running.current();
            observe(&mut running, group);
            now
        })
        .collect()
}
