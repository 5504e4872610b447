//! Ways to act on action values: greedy, softmax, ε-greedy.

use serde::{Deserialize, Serialize};
use tierwise_envs::mask::Mask;
use tierwise_envs::tier::{Tier, TierProbs};

/// How values become probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum View {
    /// All probability on the best allowed tier; on a tie, on the cheaper one (lower number).
    #[default]
    Greedy,
    /// p(a) ∝ exp(q(a)/temperature).
    Softmax {
        /// In reward units, > 0.
        temperature: f64,
    },
    /// Greedy with 1 − ε, uniform over the allowed tiers with ε.
    Epsilon {
        /// In [0, 1].
        epsilon: f64,
    },
}

/// A view parameter out of range.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct ViewError {
    /// The key in the configuration.
    pub key: &'static str,
    /// The value given.
    pub value: f64,
    /// What would be right.
    pub expected: &'static str,
}

impl View {
    /// Checks the parameter.
    ///
    /// # Errors
    /// [`ViewError`] names the key and its range.
    pub fn validate(&self) -> Result<(), ViewError> {
        match *self {
            Self::Softmax { temperature } if !(temperature.is_finite() && temperature > 0.0) => {
                Err(ViewError {
                    key: "view.temperature",
                    value: temperature,
                    expected: "a temperature is above 0",
                })
            }
            Self::Epsilon { epsilon } if !(0.0..=1.0).contains(&epsilon) => Err(ViewError {
                key: "view.epsilon",
                value: epsilon,
                expected: "ε lies in [0, 1]",
            }),
            _ => Ok(()),
        }
    }

    /// Probabilities of the allowed tiers for finite action values.
    #[must_use]
    pub fn probabilities(&self, values: [f64; 3], mask: Mask) -> TierProbs {
        match *self {
            Self::Greedy => TierProbs::certain(best(values, mask)),
            Self::Softmax { temperature } => {
                let top = values[best(values, mask).index()];
                mask.restrict(values.map(|q| ((q - top) / temperature).min(0.0).exp()))
                    .expect("the best tier has weight 1")
            }
            Self::Epsilon { epsilon } => {
                let top = best(values, mask);
                let even = epsilon / f64::from(mask.count());
                let mut weights = [even; 3];
                weights[top.index()] += 1.0 - epsilon;
                mask.restrict(weights).expect("weights sum to 1")
            }
        }
    }
}

/// The best allowed tier; on a tie the one with the lower number.
#[must_use]
pub fn best(values: [f64; 3], mask: Mask) -> Tier {
    let mut tiers = mask.tiers();
    let first = tiers.next().expect("a mask allows at least one tier");
    tiers.fold(first, |best, tier| {
        if values[tier.index()] > values[best.index()] {
            tier
        } else {
            best
        }
    })
}

/// A policy that explores: with probability `explore` every allowed tier alike, else as `probabilities` say.
#[must_use]
pub fn mixed(probabilities: TierProbs, mask: Mask, explore: f64) -> TierProbs {
    let even = explore / f64::from(mask.count());
    mask.restrict(probabilities.as_array().map(|p| even + (1.0 - explore) * p))
        .unwrap_or_else(|| mask.uniform())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_follow_their_formulas() {
        let all = Mask::ALL;
        let no_auto = Mask::from_flags([false, true, true]).unwrap();
        let e = std::f64::consts::E;
        let cases = [
            (View::Greedy, [1.0, 2.0, 2.0], all, [0.0, 1.0, 0.0]),
            (View::Greedy, [9.0, 1.0, 2.0], no_auto, [0.0, 0.0, 1.0]),
            (
                View::Epsilon { epsilon: 0.3 },
                [0.0, 0.0, 1.0],
                all,
                [0.1, 0.1, 0.8],
            ),
            (
                View::Epsilon { epsilon: 0.3 },
                [9.0, 0.0, 1.0],
                no_auto,
                [0.0, 0.15, 0.85],
            ),
            (
                View::Softmax { temperature: 2.0 },
                [9.0, 0.0, 2.0],
                no_auto,
                [0.0, 1.0 / (1.0 + e), e / (1.0 + e)],
            ),
        ];
        for (view, values, mask, expected) in cases {
            let have = view.probabilities(values, mask).as_array();
            for (h, w) in have.iter().zip(expected) {
                assert!((h - w).abs() < 1e-12, "{view:?}: {have:?}");
            }
        }
    }

    #[test]
    fn softmax_survives_huge_values() {
        let view = View::Softmax { temperature: 1e-6 };
        let probs = view.probabilities([1e300, -1e300, 0.0], Mask::ALL);
        assert_eq!(probs.as_array(), [1.0, 0.0, 0.0]);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        for view in [
            View::Softmax { temperature: 0.0 },
            View::Softmax {
                temperature: f64::NAN,
            },
            View::Epsilon { epsilon: 1.1 },
        ] {
            assert!(view.validate().is_err(), "{view:?}");
        }
    }
}
