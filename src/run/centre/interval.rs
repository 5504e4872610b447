//! Means over replicas with Student's interval.

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::design::Estimate;

/// A mean over replicas.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The mean.
    pub value: f64,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Standard error.
    pub standard_error: f64,
}

impl Interval {
    /// Mean of independent values with its t interval: x̄ ± t(n − 1) · s / √n. `None` below two values.
    #[must_use]
    pub fn of(values: &[f64], level: f64) -> Option<Self> {
        if values.len() < 2 || values.iter().any(|v| !v.is_finite()) {
            return None;
        }
        let Estimate {
            value,
            standard_error,
            lower,
            upper,
            ..
        } = Estimate::of(values, level);
        Some(Self {
            value,
            lower,
            upper,
            standard_error,
        })
    }

    /// Mean of paired differences `ours − theirs`.
    #[must_use]
    pub fn paired(ours: &[f64], theirs: &[f64], level: f64) -> Option<Self> {
        let differences: Vec<f64> = ours.iter().zip(theirs).map(|(a, b)| a - b).collect();
        Self::of(&differences, level)
    }
}

/// A mean over replicas and the span that holds nine tenths of them: how different one period is from another.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The mean.
    pub value: f64,
    /// The replicas' 5 % quantile.
    pub lower: f64,
    /// Their 95 % quantile.
    pub upper: f64,
}

impl Band {
    /// Share of the replicas that a band holds.
    pub const LEVEL: f64 = 0.9;

    /// Mean and band of finite values; the others say nothing. `None` of nothing.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let quantile = |p: f64| {
            let place = p * last as f64;
            let below = place as usize;
            let above = (below + 1).min(last);
            sorted[below] + place.fract() * (sorted[above] - sorted[below])
        };
        let value = sorted.iter().sum::<f64>() / sorted.len() as f64;
        let tail = 0.5 * (1.0 - Self::LEVEL);
        // A skewed sample may have its mean outside: the band then reaches to it.
        Some(Self {
            value,
            lower: quantile(tail).min(value),
            upper: quantile(1.0 - tail).max(value),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_values_have_the_textbook_interval() {
        // t(0.975, 4) = 2.776445; values 1 to 5: mean 3, s/√n = √2.5/√5 = 0.7071068.
        let interval = Interval::of(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        assert_eq!(interval.value, 3.0);
        assert!((interval.standard_error - std::f64::consts::FRAC_1_SQRT_2).abs() < 1e-12);
        assert!(
            (interval.upper - 3.0 - 2.776_445_105 * std::f64::consts::FRAC_1_SQRT_2).abs() < 1e-6
        );
        assert_eq!(Interval::of(&[1.0], 0.95), None);
        assert_eq!(Interval::of(&[2.0, 2.0], 0.95).unwrap().lower, 2.0);
    }
}
