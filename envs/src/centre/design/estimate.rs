//! A mean with its interval, and the winner it names.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean with Student's interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub value: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower end of the interval.
    pub lower: f64,
    /// Upper end of the interval.
    pub upper: f64,
    /// Independent units it rests on: replicas, or pairs of blocks.
    pub n: u64,
}

impl Estimate {
    /// Mean of independent values: x̄ ± t(n − 1) s / √n.
    ///
    /// # Panics
    /// Below two values, which have no interval.
    #[must_use]
    pub fn of(values: &[f64], level: f64) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Self::around(mean, (squares / (n - 1.0) / n).sqrt(), values.len(), level)
    }

    /// Mean of at least two independent values with weights that do not depend on them: Σwx / Σw.
    ///
    /// The variance is that of a ratio, n / (n − 1) · Σ w² (x − x̄)² / (Σw)², with n − 1 degrees of freedom.
    /// # Source
    /// Cochran, Sampling Techniques, 3rd ed. 1977, chapter 6 (the ratio estimator's variance).
    pub(super) fn weighted(values: &[(f64, f64)], level: f64) -> Self {
        let n = values.len() as f64;
        let total: f64 = values.iter().map(|(_, weight)| weight).sum();
        let mean = values.iter().map(|(x, weight)| x * weight).sum::<f64>() / total;
        let squares: f64 = values
            .iter()
            .map(|(x, weight)| (weight * (x - mean)).powi(2))
            .sum();
        let error = (n / (n - 1.0) * squares).sqrt() / total;
        Self::around(mean, error, values.len(), level)
    }

    fn around(value: f64, standard_error: f64, n: usize, level: f64) -> Self {
        let t = StudentsT::new(0.0, 1.0, (n - 1) as f64)
            .expect("callers bring at least two values")
            .inverse_cdf(0.5 + 0.5 * level);
        Self {
            value,
            standard_error,
            lower: value - t * standard_error,
            upper: value + t * standard_error,
            n: n as u64,
        }
    }

    /// Whether the interval holds a value.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }
}

/// Which of the two policies is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Winner {
    /// The first: B − A lies below 0.
    A,
    /// The second: B − A lies above 0.
    B,
    /// The interval holds 0.
    Undecided,
}

impl Winner {
    /// The winner that an interval of B − A names.
    pub(super) fn of(difference: &Estimate) -> Self {
        if difference.lower > 0.0 {
            Self::B
        } else if difference.upper < 0.0 {
            Self::A
        } else {
            Self::Undecided
        }
    }

    /// Its name in tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::Undecided => "undecided",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_intervals_are_those_of_the_book() {
        // Mean 5, s = √(10/4), s/√5 = 1/√2; t(0.975, 4) = 2.776445 (tables of Student's t).
        let estimate = Estimate::of(&[3.0, 4.0, 5.0, 6.0, 7.0], 0.95);
        assert!((estimate.value - 5.0).abs() < 1e-12);
        assert!((estimate.standard_error - 0.5_f64.sqrt()).abs() < 1e-12);
        assert!((estimate.upper - (5.0 + 2.776_445 * 0.5_f64.sqrt())).abs() < 1e-5);
        assert_eq!(Winner::of(&estimate), Winner::B);
        // Equal weights are no weights.
        let weighted: Vec<(f64, f64)> = [3.0, 4.0, 5.0, 6.0, 7.0].map(|x| (x, 9.0)).to_vec();
        let weighted = Estimate::weighted(&weighted, 0.95);
        assert!((weighted.lower - estimate.lower).abs() < 1e-9);
    }

    #[test]
    fn weights_pull_the_mean_and_widen_the_interval() {
        // x̄ = (1·0 + 3·2)/4 = 1.5; Σw²(x − x̄)² = 2.25 + 9·0.25 = 4.5; variance 2·4.5/16.
        let estimate = Estimate::weighted(&[(0.0, 1.0), (2.0, 3.0)], 0.95);
        assert!((estimate.value - 1.5).abs() < 1e-12);
        assert!((estimate.standard_error - (9.0_f64 / 16.0).sqrt()).abs() < 1e-12);
        assert_eq!(Winner::of(&estimate), Winner::Undecided);
    }
}
