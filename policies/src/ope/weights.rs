//! Importance weights and whether they can carry a value.

use serde::{Deserialize, Serialize};
use tierwise_envs::tier::{Propensity, Tier, TierProbs};

/// Weight of one conversation: w = Πₜ π(aₜ|sₜ) / π_b(aₜ|sₜ) over its decisions.
///
/// Takes (target probabilities, action taken, its propensity) per decision; 1 for a conversation without decisions.
///
/// # Source
/// Precup, Sutton & Singh, ICML 2000 (trajectory importance sampling).
pub fn conversation_weight<I>(decisions: I) -> f64
where
    I: IntoIterator<Item = (TierProbs, Tier, Propensity)>,
{
    decisions
        .into_iter()
        .map(|(target, action, propensity)| target.of(action) / propensity.value())
        .product()
}

/// How well a set of weights covers the target policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightDiagnostics {
    /// Conversations.
    pub n: usize,
    /// Mean weight, ≥ 0; near 1 when propensities are right.
    pub mean: f64,
    /// Largest weight, ≥ 0.
    pub max: f64,
    /// (Σw)² / Σw², in [0, n]: how many conversations' worth of information is left (Kish 1965).
    pub effective_sample_size: f64,
    /// Largest weight over the sum of weights, in [0, 1].
    pub max_share: f64,
}

impl WeightDiagnostics {
    /// Of non-negative finite weights; all zeros for none.
    #[must_use]
    pub fn of(weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let max = weights.iter().copied().fold(0.0, f64::max);
        // In units of the largest weight, so that products of many ratios neither overflow nor vanish when squared.
        let relative: f64 = weights.iter().map(|w| w / max).sum();
        let squares: f64 = weights.iter().map(|w| (w / max).powi(2)).sum();
        let supported = max > 0.0;
        Self {
            n: weights.len(),
            mean: if weights.is_empty() {
                0.0
            } else {
                sum / weights.len() as f64
            },
            max,
            effective_sample_size: if supported {
                relative * relative / squares
            } else {
                0.0
            },
            max_share: if supported { 1.0 / relative } else { 0.0 },
        }
    }
}

/// Weights counted as they pass; tallies of parts add up to the tally of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct WeightTally {
    n: usize,
    sum: f64,
    max: f64,
    /// Σ w and Σ w² in units of the largest weight, so that neither overflows.
    relative: f64,
    squares: f64,
}

impl WeightTally {
    /// Of non-negative finite weights.
    #[must_use]
    pub fn of(weights: &[f64]) -> Self {
        let max = weights.iter().copied().fold(0.0, f64::max);
        let mut tally = Self {
            n: weights.len(),
            max,
            ..Self::default()
        };
        if max > 0.0 {
            for weight in weights {
                tally.sum += weight;
                tally.relative += weight / max;
                tally.squares += (weight / max).powi(2);
            }
        }
        tally
    }

    /// Adds the weights of another part.
    pub fn merge(&mut self, other: &Self) {
        let max = self.max.max(other.max);
        let unit = |tally: &Self| if max > 0.0 { tally.max / max } else { 0.0 };
        let (mine, theirs) = (unit(self), unit(other));
        *self = Self {
            n: self.n + other.n,
            sum: self.sum + other.sum,
            max,
            relative: self.relative * mine + other.relative * theirs,
            squares: self.squares * mine * mine + other.squares * theirs * theirs,
        };
    }

    /// How well they cover the target policy.
    #[must_use]
    pub fn diagnostics(&self) -> WeightDiagnostics {
        let supported = self.max > 0.0;
        WeightDiagnostics {
            n: self.n,
            mean: if self.n == 0 {
                0.0
            } else {
                self.sum / self.n as f64
            },
            max: self.max,
            effective_sample_size: if supported {
                self.relative * self.relative / self.squares
            } else {
                0.0
            },
            max_share: if supported { 1.0 / self.relative } else { 0.0 },
        }
    }
}

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Refusal {
    /// Decisions without propensities.
    NoPropensities {
        /// Conversations that have at least one.
        conversations: u64,
    },
    /// The policy does things that the log never did.
    NoOverlap,
    /// Too little information is left.
    SampleTooSmall {
        /// Effective sample size.
        have: f64,
        /// What the gate asks for.
        needed: f64,
    },
    /// One conversation would decide the value.
    OneConversationDecides {
        /// Its share of all weight.
        share: f64,
        /// What the gate allows.
        limit: f64,
    },
    /// The policy learned from conversations of this part.
    Seen {
        /// How many.
        conversations: u64,
    },
    /// No conversation of this part has the metric.
    NotMeasured,
}

/// What weights must satisfy before a value is printed (mdp.md §1.9).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SupportGate {
    /// Smallest effective sample size, in conversations.
    pub min_effective_sample_size: f64,
    /// Largest share of one conversation in all weight, in (0, 1].
    pub max_weight_share: f64,
}

impl Default for SupportGate {
    fn default() -> Self {
        Self {
            min_effective_sample_size: 100.0,
            max_weight_share: 0.1,
        }
    }
}

impl SupportGate {
    /// The reason to refuse, if there is one. Diagnostics that are no numbers pass no gate.
    #[must_use]
    pub fn refusal(&self, weights: &WeightDiagnostics) -> Option<Refusal> {
        let (have, share) = (weights.effective_sample_size, weights.max_share);
        if have == 0.0 {
            return Some(Refusal::NoOverlap);
        }
        let enough = have >= self.min_effective_sample_size;
        if !enough {
            return Some(Refusal::SampleTooSmall {
                have,
                needed: self.min_effective_sample_size,
            });
        }
        let shared = share <= self.max_weight_share;
        (!shared).then_some(Refusal::OneConversationDecides {
            share,
            limit: self.max_weight_share,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effective_sample_size_matches_its_formula() {
        // Equal weights keep everything; one weight keeps one.
        let equal = WeightDiagnostics::of(&[2.0; 50]);
        assert_eq!(
            (equal.effective_sample_size, equal.mean, equal.max_share),
            (50.0, 2.0, 0.02)
        );
        let lone = WeightDiagnostics::of(&[0.0, 0.0, 3.0]);
        assert_eq!((lone.effective_sample_size, lone.max_share), (1.0, 1.0));
        // (1 + 2)² / (1 + 4)
        assert_eq!(
            WeightDiagnostics::of(&[1.0, 2.0]).effective_sample_size,
            1.8
        );
    }

    #[test]
    fn products_of_many_ratios_keep_their_diagnostics() {
        // Both hold whatever the unit of the weights is.
        for unit in [1e-200, 1.0, 1e200] {
            let d = WeightDiagnostics::of(&[unit, 2.0 * unit]);
            assert!((d.effective_sample_size - 1.8).abs() < 1e-12, "{unit}");
            assert!((d.max_share - 2.0 / 3.0).abs() < 1e-12, "{unit}");
        }
    }

    #[test]
    fn tallies_of_parts_add_up() {
        let weights: Vec<f64> = (0..97).map(|i| f64::from(i * i % 31)).collect();
        let mut tally = WeightTally::default();
        for part in weights.chunks(10) {
            tally.merge(&WeightTally::of(part));
        }
        let (whole, parts) = (WeightDiagnostics::of(&weights), tally.diagnostics());
        assert_eq!((whole.n, whole.max), (parts.n, parts.max));
        for (a, b) in [
            (whole.mean, parts.mean),
            (whole.effective_sample_size, parts.effective_sample_size),
            (whole.max_share, parts.max_share),
        ] {
            assert!((a / b - 1.0).abs() < 1e-12, "{a} {b}");
        }
        assert_eq!(
            WeightTally::default().diagnostics(),
            WeightDiagnostics::of(&[])
        );
    }

    #[test]
    fn what_is_no_number_passes_no_gate() {
        let gate = SupportGate::default();
        let d = WeightDiagnostics::of(&[1.0; 500]);
        for broken in [
            WeightDiagnostics::of(&[f64::INFINITY; 500]),
            WeightDiagnostics {
                effective_sample_size: f64::NAN,
                ..d
            },
            WeightDiagnostics {
                max_share: f64::NAN,
                ..d
            },
        ] {
            assert!(gate.refusal(&broken).is_some(), "{broken:?}");
        }
        assert_eq!(gate.refusal(&d), None);
    }

    #[test]
    fn the_gate_names_its_reason() {
        let gate = SupportGate::default();
        let refusal = |weights: &[f64]| gate.refusal(&WeightDiagnostics::of(weights));
        assert_eq!(refusal(&[0.0; 500]), Some(Refusal::NoOverlap));
        assert_eq!(refusal(&[]), Some(Refusal::NoOverlap));
        assert!(matches!(
            refusal(&[1.0; 99]),
            Some(Refusal::SampleTooSmall { .. })
        ));
        assert_eq!(refusal(&[1.0; 100]), None);
        let mut heavy = vec![1.0; 10_000];
        heavy[0] = 1_200.0;
        // Share 1200/11199 = 0.107; ESS = 11199²/1449999 = 86.5, so loosen the first limit.
        let loose = SupportGate {
            min_effective_sample_size: 50.0,
            ..gate
        };
        assert!(matches!(
            loose.refusal(&WeightDiagnostics::of(&heavy)),
            Some(Refusal::OneConversationDecides { .. })
        ));
    }

    #[test]
    fn weights_multiply_over_decisions() {
        let probs = TierProbs::new([0.5, 0.25, 0.25]).unwrap();
        let p = |x| Propensity::new(x).unwrap();
        let weight =
            conversation_weight([(probs, Tier::Auto, p(0.25)), (probs, Tier::Human, p(0.5))]);
        assert_eq!(weight, 2.0 * 0.5);
        assert_eq!(conversation_weight([]), 1.0);
    }
}
