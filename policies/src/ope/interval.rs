//! Intervals for a mean: by the normal law, by resampling, or by bounds that hold at every sample size.

mod bounded;

use std::fmt;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

pub use self::bounded::{Sides, Support, bernstein_half_width, hoeffding_half_width};

/// How an interval is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Method {
    /// Value ± z · standard error.
    Normal,
    /// Value ± the two-sided quantile of Student's t with n − 1 degrees of freedom · standard error.
    T,
    /// Percentiles over resamples of rows.
    Bootstrap,
    /// Hoeffding 1963: needs nothing but the range.
    Hoeffding,
    /// Empirical Bernstein (Maurer & Pontil 2009): narrower where the variance is small.
    Bernstein,
    /// Betting (Waudby-Smith & Ramdas 2024): valid at every sample size at once, bounded on one side only.
    Betting,
}

impl Method {
    /// Whether the interval is a bound, which needs a declared range.
    #[must_use]
    pub const fn bounds(self) -> bool {
        matches!(self, Self::Hoeffding | Self::Bernstein | Self::Betting)
    }

    /// Short name used on the command line and in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::T => "t",
            Self::Bootstrap => "bootstrap",
            Self::Hoeffding => "hoeffding",
            Self::Bernstein => "bernstein",
            Self::Betting => "betting",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Two-sided quantile of the standard normal distribution: 1.96 at level 0.95.
#[must_use]
pub fn normal_quantile(level: f64) -> f64 {
    Normal::standard().inverse_cdf(f64::midpoint(1.0, level))
}

/// Two-sided quantile of Student's t; the normal one for many degrees of freedom.
#[must_use]
pub fn t_quantile(level: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees).map_or(f64::NAN, |t| t.inverse_cdf(f64::midpoint(1.0, level)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_two_sided() {
        // Tables: z(0.975) = 1.959964, t(0.975; 5) = 2.570582, t(0.995; 29) = 2.756386.
        assert!((normal_quantile(0.95) - 1.959_963_985).abs() < 1e-8);
        assert!((t_quantile(0.95, 5.0) - 2.570_581_836).abs() < 1e-6);
        assert!((t_quantile(0.99, 29.0) - 2.756_385_904).abs() < 1e-6);
        assert!((t_quantile(0.95, 1e6) - 1.96).abs() < 1e-3);
    }
}
