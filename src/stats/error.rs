//! What keeps a statistic from being computed.

use thiserror::Error;

/// Why there is no number.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum StatsError {
    /// A level outside (0, 1).
    #[error("a level of {alpha} is not possible; it lies strictly between 0 and 1, usually 0.05")]
    NotALevel {
        /// The level found.
        alpha: f64,
    },
    /// An arm too small for the statistic.
    #[error("{needed} units are needed in each arm, the smaller has {have}")]
    TooFewUnits {
        /// Units needed.
        needed: u64,
        /// Units of the smaller arm.
        have: u64,
    },
    /// Every outcome is the same, so the statistic has no scale.
    #[error("every outcome is the same in both arms, so chance has no scale to be measured on")]
    NoVariance,
    /// A relative change of nothing.
    #[error("the control's mean is zero, so there is no relative change")]
    ZeroBaseline,
    /// More conversions than units.
    #[error("{conversions} conversions of {units} units; a unit converts once at most")]
    MoreConversionsThanUnits {
        /// Units of the arm.
        units: u64,
        /// Its conversions.
        conversions: u64,
    },
    /// A share outside (0, 1).
    #[error("a share of {share} is not possible; shares lie strictly between 0 and 1")]
    NotAShare {
        /// The share found.
        share: f64,
    },
    /// Shares or weights that do not make a whole.
    #[error("shares sum to {sum}, not to 1")]
    SharesDoNotSum {
        /// Their sum.
        sum: f64,
    },
    /// An outcome outside its declared bounds.
    #[error("an outcome of {value} lies outside the declared bounds {lower} to {upper}")]
    OutOfBounds {
        /// The outcome.
        value: f64,
        /// The declared lower bound.
        lower: f64,
        /// The declared upper bound.
        upper: f64,
    },
    /// A parameter outside its range.
    #[error("{what} is {value}; {expected}")]
    BadParameter {
        /// The parameter.
        what: &'static str,
        /// The value found.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// A design that this analysis cannot read.
    #[error("{what}")]
    WrongDesign {
        /// What does not fit.
        what: String,
    },
}

/// A level of error, strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Alpha(f64);

impl Alpha {
    /// Five per cent.
    pub const FIVE_PERCENT: Self = Self(0.05);

    /// A checked level.
    ///
    /// # Errors
    /// [`StatsError::NotALevel`].
    pub fn new(alpha: f64) -> Result<Self, StatsError> {
        if alpha > 0.0 && alpha < 1.0 {
            Ok(Self(alpha))
        } else {
            Err(StatsError::NotALevel { alpha })
        }
    }

    /// The level as a number.
    #[must_use]
    pub fn get(self) -> f64 {
        self.0
    }

    /// `ln(1/α)`: where the logarithm of an e-value decides.
    #[must_use]
    pub fn log_threshold(self) -> f64 {
        -self.0.ln()
    }

    /// The level of each of several tests that share this one.
    #[must_use]
    pub fn split(self, tests: usize) -> Self {
        Self(self.0 / tests.max(1) as f64)
    }
}
