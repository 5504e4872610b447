//! Drift: whether the first and the second half of a log tell the same.
//!
//! Rows are taken in the order of the file. Sums are kept for runs of rows, so that a log is halved once its length is known.
//! Halves differ by a two-sided normal test of the difference of their estimates.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// Error of the tests of one policy together: how often a log without drift is said to drift.
pub const DRIFT_LEVEL: f64 = 0.01;

/// Rows that are halved together.
const RUN: usize = 64;
/// n, Σr, Σr², Σw, Σw², Σwr, Σw²r, Σw²r².
const SUMS: usize = 8;

/// An estimate by halves of a log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Halves {
    /// Of the first half.
    pub first: f64,
    /// Of the second.
    pub second: f64,
    /// Standard error of their difference.
    pub standard_error: f64,
    /// How often halves of a log without drift differ as much.
    pub p_value: f64,
    /// Whether they differ at the level of the test.
    pub differ: bool,
}

impl Halves {
    /// Two means with the variances of their errors, tested at a level.
    pub(crate) fn of(first: f64, second: f64, variance: f64, level: f64) -> Self {
        let standard_error = variance.max(0.0).sqrt();
        let z = (first - second).abs() / standard_error;
        let p_value = if standard_error > 0.0 {
            2.0 * (1.0 - Normal::standard().cdf(z))
        } else {
            1.0
        };
        Self {
            first,
            second,
            standard_error,
            p_value,
            differ: p_value < level,
        }
    }
}

/// Rewards, weights and the self-normalised value by halves of a log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Error of the tests together; each has its share.
    pub level: f64,
    /// Mean reward as logged.
    pub reward: Halves,
    /// Mean weight; none without propensities.
    pub weight: Option<Halves>,
    /// Σ w r / Σ w.
    pub value: Option<Halves>,
}

impl Drift {
    /// In words, where something drifts.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let named = [
            ("the mean reward", Some(self.reward)),
            ("the mean weight", self.weight),
            ("the value (snips)", self.value),
        ];
        let differing: Vec<String> = named
            .into_iter()
            .filter_map(|(name, halves)| {
                let h = halves.filter(|halves| halves.differ)?;
                Some(format!(
                    "{name} is {:.4} in the first half of the rows and {:.4} in the second (p {:.1e})",
                    h.first, h.second, h.p_value
                ))
            })
            .collect();
        (!differing.is_empty()).then(|| {
            format!(
                "drift: {}; an average over both halves may describe neither, so judge on the later one too",
                differing.join(", and ")
            )
        })
    }
}

/// Sums of runs of rows.
#[derive(Debug, Clone, Default)]
pub(crate) struct DriftSums {
    runs: Vec<[f64; SUMS]>,
    rows: usize,
}

impl DriftSums {
    /// Adds a row; a weight of NaN where there are none.
    pub(crate) fn add(&mut self, weight: f64, reward: f64) {
        if self.rows.is_multiple_of(RUN) {
            self.runs.push([0.0; SUMS]);
        }
        self.rows += 1;
        let (wr, last) = (weight * reward, self.runs.len() - 1);
        let row = [
            1.0,
            reward,
            reward * reward,
            weight,
            weight * weight,
            wr,
            weight * wr,
            wr * wr,
        ];
        for (sum, value) in self.runs[last].iter_mut().zip(row) {
            *sum += value;
        }
    }

    /// The tests; none on fewer than four runs of rows.
    pub(crate) fn drift(&self) -> Option<Drift> {
        if self.runs.len() < 4 {
            return None;
        }
        let sum = |runs: &[[f64; SUMS]]| {
            let mut all = [0.0; SUMS];
            for run in runs {
                for (sum, value) in all.iter_mut().zip(run) {
                    *sum += value;
                }
            }
            all
        };
        let (a, b) = self.runs.split_at(self.runs.len() / 2);
        let (a, b) = (sum(a), sum(b));
        let weighs = a[3].is_finite() && a[3] > 0.0 && b[3] > 0.0;
        let level = DRIFT_LEVEL / if weighs { 3.0 } else { 1.0 };
        let means = |at: usize| {
            let variance = |s: &[f64; SUMS]| (s[at + 1] / s[0] - (s[at] / s[0]).powi(2)) / s[0];
            let (first, second) = (a[at] / a[0], b[at] / b[0]);
            Halves::of(first, second, variance(&a) + variance(&b), level)
        };
        // The variance of Σ w (r − v)/Σ w, with v of all rows.
        let v = (a[5] + b[5]) / (a[3] + b[3]);
        let spread = |s: &[f64; SUMS]| (s[7] - 2.0 * v * s[6] + v * v * s[4]) / (s[3] * s[3]);
        Some(Drift {
            level: DRIFT_LEVEL,
            reward: means(1),
            weight: weighs.then(|| means(3)),
            value: weighs
                .then(|| Halves::of(a[5] / a[3], b[5] / b[3], spread(&a) + spread(&b), level)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn of(rng: &mut Xoshiro256PlusPlus, rows: usize, shift: f64) -> Drift {
        let mut sums = DriftSums::default();
        for row in 0..rows {
            let w = if rng.random::<f64>() < 0.5 { 1.5 } else { 0.5 };
            let later = if row * 2 >= rows { shift } else { 0.0 };
            sums.add(w, f64::from(u8::from(rng.random::<f64>() < 0.4 + later)));
        }
        sums.drift().unwrap()
    }

    #[test]
    fn a_steady_log_drifts_as_seldom_as_the_level_says() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let said = (0..1000)
            .filter(|_| of(&mut rng, 640, 0.0).in_words().is_some())
            .count();
        // 10 expected at most, with a binomial standard error of 3.1.
        assert!(said <= 20, "{said}");
    }

    #[test]
    fn a_log_that_changes_is_told_by_its_halves() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let drift = of(&mut rng, 2560, 0.2);
        // Binomial: standard error √(0.24/1280 + 0.24/1280) = 0.0194.
        assert!((drift.reward.standard_error - 0.0194).abs() < 0.001);
        assert!(drift.reward.differ && drift.value.unwrap().differ);
        assert!(!drift.weight.unwrap().differ);
        assert!(drift.in_words().unwrap().contains("judge on the later one"));
    }

    #[test]
    fn few_rows_and_no_weights_are_allowed_for() {
        let mut sums = DriftSums::default();
        for row in 0..RUN * 3 {
            sums.add(f64::NAN, row as f64);
        }
        assert_eq!(sums.drift(), None);
        for row in 0..RUN * 3 {
            sums.add(f64::NAN, row as f64);
        }
        let drift = sums.drift().unwrap();
        assert_eq!((drift.weight, drift.value), (None, None));
        // Both halves are 0…191: mean 95.5.
        assert_eq!((drift.reward.first, drift.reward.second), (95.5, 95.5));
        assert_eq!(drift.reward.p_value, 1.0);
    }
}
