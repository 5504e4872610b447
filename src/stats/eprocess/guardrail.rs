//! Guardrails, which a challenger must not harm, and secondary metrics, on which it must not be inferior.

use serde::{Deserialize, Serialize};

use super::bets::Mixture;
use super::rate_test::{Block, Crossing, fold_one, observe};
use super::rates::{RateWealth, RunningOutlook, Side};
use crate::stats::error::{Alpha, StatsError};

/// Which way a guardrail is harmed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Harm {
    /// A higher rate is worse: escalations, reopened conversations.
    Higher,
    /// A lower rate is worse: satisfaction, answered surveys.
    #[default]
    Lower,
}

impl Harm {
    /// The side and ratio ρ whose null is "unharmed".
    #[must_use]
    pub fn null_of_harm(self, margin: f64) -> (Side, f64) {
        match self {
            Self::Higher => (Side::Promote, 1.0 + margin),
            Self::Lower => (Side::RollBack, 1.0 - margin),
        }
    }

    /// The side and ratio ρ whose null is "inferior by the margin".
    #[must_use]
    pub fn null_of_inferiority(self, margin: f64) -> (Side, f64) {
        match self {
            Self::Higher => (Side::RollBack, 1.0 + margin),
            Self::Lower => (Side::Promote, 1.0 - margin),
        }
    }
}

/// One side of the e-process with a margin, and when it first reached its threshold.
#[derive(Debug, Clone, PartialEq)]
struct OneSided {
    log_threshold: f64,
    outlook: RunningOutlook,
    wealth: RateWealth,
    units: u64,
    reached: Option<Crossing>,
}

impl OneSided {
    fn new(
        (side, ratio): (Side, f64),
        what: &'static str,
        margin: f64,
        alpha: Alpha,
    ) -> Result<Self, StatsError> {
        if !(0.0..1.0).contains(&margin) {
            return Err(StatsError::BadParameter {
                what,
                value: margin,
                expected: "it is a fraction from 0 up to, but not including, 1",
            });
        }
        Ok(Self {
            log_threshold: alpha.log_threshold(),
            outlook: RunningOutlook::default(),
            wealth: RateWealth::new(side, ratio),
            units: 0,
            reached: None,
        })
    }

    fn fold_together(&mut self, blocks: &[Block]) -> Result<(), StatsError> {
        for block in blocks {
            block.check()?;
        }
        for block in blocks {
            fold_one(&mut self.wealth, block, self.outlook.current());
            self.units += block.units();
        }
        if let Some(last) = blocks.last()
            && self.reached.is_none()
            && self.wealth.reaches(Mixture::standard(), self.log_threshold)
        {
            self.reached = Some(Crossing {
                at: last.at,
                units: self.units,
            });
        }
        observe(&mut self.outlook, blocks);
        Ok(())
    }

    fn log_value(&self) -> f64 {
        self.wealth.log_value(Mixture::standard())
    }
}

/// The e-process of one guardrail, for outcomes in [0, 1].
///
/// Its null is "not worse than the control by more than the margin": `p_b ≤ (1 + m)·p_a` where higher is worse,
/// `p_b ≥ (1 − m)·p_a` where lower is.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardrailTest(OneSided);

impl GuardrailTest {
    /// A guardrail with wealth one, at its part of the roll-back level.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] for a margin outside [0, 1).
    pub fn new(harm: Harm, margin: f64, alpha: Alpha) -> Result<Self, StatsError> {
        OneSided::new(
            harm.null_of_harm(margin),
            "the margin of a guardrail",
            margin,
            alpha,
        )
        .map(Self)
    }

    /// Folds in the next closed block of the guardrail's outcomes.
    ///
    /// # Errors
    /// As [`Block::check`].
    pub fn fold(&mut self, block: &Block) -> Result<(), StatsError> {
        self.0.fold_together(std::slice::from_ref(block))
    }

    /// Folds in blocks of different shares that were exposed in turns ([`super::RateTest::fold_together`]).
    ///
    /// # Errors
    /// As [`Block::check`].
    pub fn fold_together(&mut self, blocks: &[Block]) -> Result<(), StatsError> {
        self.0.fold_together(blocks)
    }

    /// Logarithm of the wealth against "unharmed".
    #[must_use]
    pub fn log_value(&self) -> f64 {
        self.0.log_value()
    }

    /// When harm was shown, if it was.
    #[must_use]
    pub fn harmed(&self) -> Option<Crossing> {
        self.0.reached
    }
}

/// The e-process of a secondary metric, for outcomes in [0, 1]: it has to be shown that the challenger is not worse by the
/// margin.
///
/// Its null is "worse by at least the margin": `p_b ≥ (1 + m)·p_a` where higher is worse, `p_b ≤ (1 − m)·p_a` where lower
/// is. All secondary metrics have to pass, so each may use the whole promotion level.
#[derive(Debug, Clone, PartialEq)]
pub struct NonInferiorityTest(OneSided);

impl NonInferiorityTest {
    /// A test with wealth one, at the promotion level.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] for a margin outside [0, 1).
    pub fn new(harm: Harm, margin: f64, alpha: Alpha) -> Result<Self, StatsError> {
        OneSided::new(
            harm.null_of_inferiority(margin),
            "the margin of a secondary metric",
            margin,
            alpha,
        )
        .map(Self)
    }

    /// Folds in the next closed blocks, which were exposed together.
    ///
    /// # Errors
    /// As [`Block::check`].
    pub fn fold_together(&mut self, blocks: &[Block]) -> Result<(), StatsError> {
        self.0.fold_together(blocks)
    }

    /// Logarithm of the wealth against "inferior".
    #[must_use]
    pub fn log_value(&self) -> f64 {
        self.0.log_value()
    }

    /// When non-inferiority was shown, if it was.
    #[must_use]
    pub fn shown(&self) -> Option<Crossing> {
        self.0.reached
    }
}
