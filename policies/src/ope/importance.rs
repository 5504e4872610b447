//! IPS and SNIPS over conversations.

use serde::{Deserialize, Serialize};

use super::bootstrap::{BootstrapPlan, Interval, Ratio, resample};
use super::weights::{Refusal, SupportGate, WeightDiagnostics};

/// Importance-weighting estimators of a mean over conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Importance {
    /// V̂ = (1/n) Σ wᵢ rᵢ: unbiased when propensities are right, wide.
    ///
    /// Horvitz & Thompson 1952; Precup et al. 2000 (trajectory form).
    Ips,
    /// V̂ = Σ wᵢ rᵢ / Σ wᵢ: biased, consistent; far lower variance when weights vary.
    ///
    /// Swaminathan & Joachims, NeurIPS 2015.
    Snips,
}

impl Importance {
    /// Short name used in configuration and results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ips => "ips",
            Self::Snips => "snips",
        }
    }

    /// The estimator as a ratio of sums over conversations that have the metric (`values[i]` not NaN).
    #[must_use]
    pub fn ratio(self, weights: &[f64], values: &[f64]) -> Ratio {
        let (mut num, mut den) = (
            Vec::with_capacity(values.len()),
            Vec::with_capacity(values.len()),
        );
        for (weight, value) in weights.iter().zip(values) {
            let known = !value.is_nan();
            num.push(if known { weight * value } else { 0.0 });
            den.push(match (known, self) {
                (false, _) => 0.0,
                (true, Self::Ips) => 1.0,
                (true, Self::Snips) => *weight,
            });
        }
        Ratio { num, den }
    }
}

/// A value with its interval, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimator's short name.
    pub estimator: String,
    /// The value in the metric's unit; `None` when refused.
    pub value: Option<f64>,
    /// Its interval.
    pub interval: Option<Interval>,
    /// Conversations with the metric.
    pub n: u64,
    /// Weights of those conversations.
    pub weights: WeightDiagnostics,
    /// Why there is no value.
    pub refused: Option<Refusal>,
}

/// Columns that cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeError {
    /// Columns of different length.
    #[error("{weights} weights for {values} values; there must be one of each a conversation")]
    Length {
        /// Number of weights.
        weights: usize,
        /// Number of values.
        values: usize,
    },
    /// A weight that is negative or not finite.
    #[error("weight of conversation {row} is {weight}; a weight is finite and at least 0")]
    Weight {
        /// Row, from 0.
        row: usize,
        /// The weight.
        weight: f64,
    },
    /// A confidence level outside (0, 1).
    #[error("level is {level}; it lies strictly between 0 and 1, for example 0.95")]
    Level {
        /// The level given.
        level: f64,
    },
}

/// Judges one metric of one policy. `values[i]` is NaN where conversation i has no such metric.
///
/// # Errors
/// [`OpeError`] for columns that make no sense; a value without support is no error but [`Estimate::refused`].
pub fn estimate(
    estimator: Importance,
    weights: &[f64],
    values: &[f64],
    gate: &SupportGate,
    level: f64,
    plan: BootstrapPlan,
) -> Result<Estimate, OpeError> {
    if weights.len() != values.len() {
        return Err(OpeError::Length {
            weights: weights.len(),
            values: values.len(),
        });
    }
    if !(level > 0.0 && level < 1.0) {
        return Err(OpeError::Level { level });
    }
    if let Some(row) = weights.iter().position(|w| !w.is_finite() || *w < 0.0) {
        return Err(OpeError::Weight {
            row,
            weight: weights[row],
        });
    }
    let measured: Vec<f64> = weights
        .iter()
        .zip(values)
        .filter(|(_, v)| !v.is_nan())
        .map(|(w, _)| *w)
        .collect();
    let diagnostics = WeightDiagnostics::of(&measured);
    let refused = if measured.is_empty() {
        Some(Refusal::NotMeasured)
    } else {
        gate.refusal(&diagnostics)
    };
    let (value, interval) = if refused.is_some() {
        (None, None)
    } else {
        let ratio = estimator.ratio(weights, values);
        let value = ratio.value();
        let resampled = resample(&[ratio], plan);
        (Some(value), Interval::percentile(&resampled[0], level))
    };
    Ok(Estimate {
        estimator: estimator.name().to_owned(),
        value,
        interval,
        n: measured.len() as u64,
        weights: diagnostics,
        refused,
    })
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    use super::*;

    const LOOSE: SupportGate = SupportGate {
        min_effective_sample_size: 1.0,
        max_weight_share: 1.0,
    };

    fn plan() -> BootstrapPlan {
        BootstrapPlan {
            resamples: 200,
            seed: 1,
        }
    }

    #[test]
    fn values_match_hand_calculation() {
        let (weights, values) = ([2.0, 0.0, 1.0, 3.0], [1.0, 5.0, f64::NAN, 0.5]);
        let ips = estimate(Importance::Ips, &weights, &values, &LOOSE, 0.95, plan()).unwrap();
        let snips = estimate(Importance::Snips, &weights, &values, &LOOSE, 0.95, plan()).unwrap();
        assert_eq!(ips.value, Some((2.0 + 0.0 + 1.5) / 3.0));
        assert_eq!(snips.value, Some(3.5 / 5.0));
        assert_eq!((ips.n, snips.n), (3, 3));
    }

    /// Two actions, logged 80:20, rewards Bernoulli(0.3) and Bernoulli(0.7); the target swaps the shares, so its value
    /// is 0.2 · 0.3 + 0.8 · 0.7 = 0.62.
    fn swapped_log(n: usize, seed: u64) -> (Vec<f64>, Vec<f64>) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        (0..n)
            .map(|_| {
                let (weight, p) = if rng.random::<f64>() < 0.8 {
                    (0.25, 0.3)
                } else {
                    (4.0, 0.7)
                };
                (weight, f64::from(u8::from(rng.random::<f64>() < p)))
            })
            .unzip()
    }

    #[test]
    fn both_estimators_find_the_known_value_and_cover_it() {
        for estimator in [Importance::Ips, Importance::Snips] {
            let trials = 200;
            let (mut covered, mut sum) = (0, 0.0);
            for seed in 0..trials {
                let (weights, values) = swapped_log(1000, seed);
                let gate = SupportGate::default();
                let e = estimate(estimator, &weights, &values, &gate, 0.95, plan()).unwrap();
                let interval = e.interval.unwrap();
                covered += u32::from(interval.lower <= 0.62 && 0.62 <= interval.upper);
                sum += e.value.unwrap();
            }
            let mean = sum / trials as f64;
            // One estimate has sd ≤ 0.05 (IPS: √((0.2·16·0.7 + 0.8·0.0625·0.3 − 0.62²)/1000) = 0.043), the mean of 200
            // a standard error of 0.003; four of them.
            assert!((mean - 0.62).abs() < 0.013, "{estimator:?}: {mean}");
            // 95 % of 200 with a binomial standard error of 3.1: at least 177 but for one run in 5,000.
            assert!(covered >= 177, "{estimator:?} covers {covered} of {trials}");
        }
    }

    #[test]
    fn snips_is_not_wider_than_it_should_be() {
        // A constant reward has no variance under SNIPS: the interval must collapse, which it does not when the
        // normaliser is taken from the full sample.
        let (weights, _) = swapped_log(500, 1);
        let gate = SupportGate::default();
        let e = estimate(
            Importance::Snips,
            &weights,
            &[1.0; 500],
            &gate,
            0.95,
            plan(),
        )
        .unwrap();
        let interval = e.interval.unwrap();
        assert!((interval.upper - interval.lower).abs() < 1e-12);
    }

    #[test]
    fn unsupported_values_are_refused_not_printed() {
        let e = estimate(
            Importance::Ips,
            &[0.0; 300],
            &[1.0; 300],
            &SupportGate::default(),
            0.95,
            plan(),
        )
        .unwrap();
        assert_eq!((e.value, e.interval), (None, None));
        assert_eq!(e.refused, Some(Refusal::NoOverlap));
        let e = estimate(
            Importance::Ips,
            &[1.0; 3],
            &[f64::NAN; 3],
            &LOOSE,
            0.95,
            plan(),
        )
        .unwrap();
        assert_eq!(e.refused, Some(Refusal::NotMeasured));
    }

    #[test]
    fn bad_columns_are_errors() {
        let gate = SupportGate::default();
        let bad = |w: &[f64], v: &[f64], level| {
            estimate(Importance::Ips, w, v, &gate, level, plan()).is_err()
        };
        assert!(bad(&[1.0], &[1.0, 2.0], 0.95));
        assert!(bad(&[-1.0], &[1.0], 0.95));
        assert!(bad(&[f64::INFINITY], &[1.0], 0.95));
        assert!(bad(&[1.0], &[1.0], 1.0));
    }
}
