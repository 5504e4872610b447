//! What to compute from a table.

use super::estimator::Request;
use crate::ope::bootstrap::BootstrapPlan;
use crate::ope::interval::Method;
use crate::ope::model::ModelKind;
use crate::ope::weights::SupportGate;

/// What to compute from a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableOptions<E = Request> {
    /// Estimators; the usual ones when there are none.
    pub estimators: Vec<E>,
    /// How intervals are made.
    pub interval: Method,
    /// Confidence level in (0, 1).
    pub level: f64,
    /// Resamples and their seed.
    pub bootstrap: BootstrapPlan,
    /// Range that rewards can have, declared by whoever knows.
    pub range: Option<(f64, f64)>,
    /// Largest importance weight that can occur, declared likewise.
    pub max_weight: Option<f64>,
    /// When weights are too few to carry a value.
    pub gate: SupportGate,
    /// Where the reward model comes from; what the table allows when nothing is said.
    pub model: Option<ModelKind>,
    /// Whether to estimate the policy that wrote the log, where it did not write its probabilities.
    pub estimate_propensity: bool,
    /// How strongly hidden reasons may have moved the odds of the log's choices, at least 1.
    pub gamma: Option<f64>,
}

impl<E> Default for TableOptions<E> {
    fn default() -> Self {
        Self {
            estimators: Vec::new(),
            interval: Method::Bootstrap,
            level: 0.95,
            bootstrap: BootstrapPlan::default(),
            range: None,
            max_weight: None,
            gate: SupportGate::default(),
            model: None,
            estimate_propensity: false,
            gamma: None,
        }
    }
}

/// Options that do not fit together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// A bound was asked for without a range.
    #[error("a {method} interval is a bound, and needs the range that rewards can have")]
    NoRange {
        /// The method.
        method: Method,
    },
    /// A range from high to low.
    #[error("the range {low} to {high} is empty")]
    EmptyRange {
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// Odds that would shrink.
    #[error("gamma {gamma} is below 1; at 1 nothing is hidden")]
    Gamma {
        /// The factor.
        gamma: f64,
    },
    /// A level outside (0, 1).
    #[error("level {level} does not lie between 0 and 1")]
    Level {
        /// The level.
        level: f64,
    },
}

impl<E> TableOptions<E> {
    /// Checks that the options fit together.
    ///
    /// # Errors
    /// [`OptionError`].
    pub fn check(&self) -> Result<(), OptionError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(OptionError::Level { level: self.level });
        }
        if let Some(gamma) = self.gamma
            && !(gamma >= 1.0 && gamma.is_finite())
        {
            return Err(OptionError::Gamma { gamma });
        }
        match self.range {
            Some((low, high)) if !(low < high && (high - low).is_finite()) => {
                Err(OptionError::EmptyRange { low, high })
            }
            None if self.interval.bounds() => Err(OptionError::NoRange {
                method: self.interval,
            }),
            _ => Ok(()),
        }
    }
}
