//! Guardrails: metrics that a challenger must not harm.

use serde::{Deserialize, Serialize};

use super::bets::Mixture;
use super::rate_test::{Block, Crossing, fold_one};
use super::rates::{RateWealth, RunningOutlook, Side};
use crate::stats::error::{Alpha, StatsError};

/// Which way a guardrail is harmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// A higher rate is worse: escalations, reopened conversations.
    Higher,
    /// A lower rate is worse: satisfaction, answered surveys.
    Lower,
}

/// The e-process of one guardrail, for outcomes in [0, 1].
///
/// Its null is "not worse than the control by more than the margin": `p_b ≤ (1 + m)·p_a` where higher is worse,
/// `p_b ≥ (1 − m)·p_a` where lower is.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardrailTest {
    log_threshold: f64,
    outlook: RunningOutlook,
    wealth: RateWealth,
    units: u64,
    harmed: Option<Crossing>,
}

impl GuardrailTest {
    /// A guardrail with wealth one, at its part of the roll-back level.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] for a margin outside [0, 1).
    pub fn new(harm: Harm, margin: f64, alpha: Alpha) -> Result<Self, StatsError> {
        if !(0.0..1.0).contains(&margin) {
            return Err(StatsError::BadParameter {
                what: "the margin of a guardrail",
                value: margin,
                expected: "it is a fraction from 0 up to, but not including, 1",
            });
        }
        let wealth = match harm {
            Harm::Higher => RateWealth::new(Side::Promote, 1.0 + margin),
            Harm::Lower => RateWealth::new(Side::RollBack, 1.0 - margin),
        };
        Ok(Self {
            log_threshold: alpha.log_threshold(),
            outlook: RunningOutlook::default(),
            wealth,
            units: 0,
            harmed: None,
        })
    }

    /// Folds in the next closed block of the guardrail's outcomes.
    ///
    /// # Errors
    /// As [`Block::check`].
    pub fn fold(&mut self, block: &Block) -> Result<(), StatsError> {
        block.check()?;
        fold_one(&mut self.wealth, block, self.outlook.current());
        self.units += block.units();
        if self.harmed.is_none() && self.wealth.reaches(Mixture::standard(), self.log_threshold) {
            self.harmed = Some(Crossing {
                at: block.at,
                units: self.units,
            });
        }
        let (sum, squares) = block.sums();
        self.outlook.observe(block.units() as f64, sum, squares);
        Ok(())
    }

    /// Logarithm of the wealth against "unharmed".
    #[must_use]
    pub fn log_value(&self) -> f64 {
        self.wealth.log_value(Mixture::standard())
    }

    /// When harm was shown, if it was.
    #[must_use]
    pub fn harmed(&self) -> Option<Crossing> {
        self.harmed
    }
}
