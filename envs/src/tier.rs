//! The three response tiers, and the probabilities a policy spreads over them.
//!
//! Everything that decides or judges speaks in these types; a number that breaks their promise never gets past
//! construction.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Who answers a customer message.
///
/// In logs a tier is its number, 1 to 3; in configuration and on screen it is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Tier {
    /// Tier 1: the AI answers alone.
    Auto = 0,
    /// Tier 2: the AI drafts, a person accepts, edits or rejects the draft.
    Review = 1,
    /// Tier 3: a person takes over.
    Human = 2,
}

impl Tier {
    /// All tiers, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Review, Self::Human];
    /// How many tiers there are.
    pub const COUNT: usize = 3;

    /// Position in a probability vector: 0 to 2.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The tier at a position of a probability vector, if it is 0 to 2.
    #[must_use]
    pub const fn from_index(index: usize) -> Option<Self> {
        match index {
            0 => Some(Self::Auto),
            1 => Some(Self::Review),
            2 => Some(Self::Human),
            _ => None,
        }
    }

    /// The number used in logs: 1 to 3.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The tier with a log number, if it is 1 to 3.
    #[must_use]
    pub const fn from_number(number: i64) -> Option<Self> {
        match number {
            1 => Some(Self::Auto),
            2 => Some(Self::Review),
            3 => Some(Self::Human),
            _ => None,
        }
    }

    /// The name used in configuration and on screen.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Review => "review",
            Self::Human => "human",
        }
    }

    /// The tier with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.name() == name)
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Tier {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

struct TierVisitor;

impl de::Visitor<'_> for TierVisitor {
    type Value = Tier;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a tier: 1 or `auto`, 2 or `review`, 3 or `human`")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Tier, E> {
        Tier::from_number(number)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Tier, E> {
        i64::try_from(number)
            .ok()
            .and_then(Tier::from_number)
            .ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Tier, E> {
        Tier::from_name(name).ok_or_else(|| E::invalid_value(de::Unexpected::Str(name), &self))
    }
}

impl<'de> Deserialize<'de> for Tier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TierVisitor)
    }
}

/// A probability vector or a propensity that is none.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProbabilityError {
    /// An entry is negative, above one, NaN or infinite.
    #[error("probability of tier {tier} is {value}; a probability lies in [0, 1]")]
    OutOfRange {
        /// The tier whose entry it is.
        tier: Tier,
        /// The entry.
        value: f64,
    },
    /// The entries do not sum to one.
    #[error("tier probabilities sum to {sum}; they must sum to 1 within {tolerance}")]
    Sum {
        /// Their sum.
        sum: f64,
        /// How far from 1 it may be.
        tolerance: f64,
    },
    /// A propensity outside (0, 1].
    #[error("propensity is {value}; a propensity lies in (0, 1], for the action was taken")]
    Propensity {
        /// The value given.
        value: f64,
    },
}

/// Probabilities of the three tiers: each in [0, 1], sum 1 within [`TierProbs::TOLERANCE`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TierProbs([f64; 3]);

impl TierProbs {
    /// How far from one the sum may be: room for probabilities logged as decimal text or `f32`.
    pub const TOLERANCE: f64 = 1e-6;

    /// Checks a probability vector.
    ///
    /// # Errors
    /// [`ProbabilityError::OutOfRange`] or [`ProbabilityError::Sum`].
    pub fn new(probabilities: [f64; 3]) -> Result<Self, ProbabilityError> {
        for tier in Tier::ALL {
            let value = probabilities[tier.index()];
            if !(0.0..=1.0).contains(&value) {
                return Err(ProbabilityError::OutOfRange { tier, value });
            }
        }
        let sum: f64 = probabilities.iter().sum();
        if (sum - 1.0).abs() > Self::TOLERANCE {
            return Err(ProbabilityError::Sum {
                sum,
                tolerance: Self::TOLERANCE,
            });
        }
        Ok(Self(probabilities))
    }

    /// Puts all probability on one tier.
    #[must_use]
    pub const fn certain(tier: Tier) -> Self {
        let mut probabilities = [0.0; 3];
        probabilities[tier as usize] = 1.0;
        Self(probabilities)
    }

    /// Spreads probability in proportion to non-negative finite weights; `None` when they sum to zero or are no
    /// weights.
    #[must_use]
    pub fn from_weights(weights: [f64; 3]) -> Option<Self> {
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            return None;
        }
        let sum: f64 = weights.iter().sum();
        (sum > 0.0).then(|| Self(weights.map(|w| w / sum)))
    }

    /// Probability of one tier.
    #[must_use]
    pub const fn of(&self, tier: Tier) -> f64 {
        self.0[tier as usize]
    }

    /// The vector in the order auto, review, human.
    #[must_use]
    pub const fn as_array(&self) -> [f64; 3] {
        self.0
    }

    /// The tier that a uniform draw `u` in [0, 1) selects by the inverse of the cumulative probabilities.
    #[must_use]
    pub fn pick(&self, u: f64) -> Tier {
        let mut last_possible = Tier::Auto;
        let mut cumulative = 0.0;
        for tier in Tier::ALL {
            let probability = self.of(tier);
            if probability > 0.0 {
                cumulative += probability;
                last_possible = tier;
                if u < cumulative {
                    return tier;
                }
            }
        }
        last_possible
    }
}

impl Serialize for TierProbs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for TierProbs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(<[f64; 3]>::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

/// Probability with which the logging policy took the action it took: in (0, 1].
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Propensity(f64);

impl Propensity {
    /// Checks a propensity.
    ///
    /// # Errors
    /// [`ProbabilityError::Propensity`] outside (0, 1].
    pub fn new(value: f64) -> Result<Self, ProbabilityError> {
        if value > 0.0 && value <= 1.0 {
            Ok(Self(value))
        } else {
            Err(ProbabilityError::Propensity { value })
        }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl Serialize for Propensity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl<'de> Deserialize<'de> for Propensity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(f64::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bad_vectors_are_refused() {
        let cases = [
            [0.5, 0.5, 0.5],
            [-0.1, 0.6, 0.5],
            [f64::NAN, 0.5, 0.5],
            [f64::INFINITY, 0.0, 0.0],
            [0.0, 0.0, 0.0],
        ];
        for case in cases {
            assert!(TierProbs::new(case).is_err(), "{case:?} was accepted");
        }
        for value in [0.0, -0.5, 1.5, f64::NAN, f64::INFINITY] {
            assert!(Propensity::new(value).is_err(), "{value} was accepted");
        }
    }

    #[test]
    fn tiers_read_from_number_and_name() {
        for (text, tier) in [
            ("1", Tier::Auto),
            ("\"review\"", Tier::Review),
            ("3", Tier::Human),
        ] {
            assert_eq!(serde_json::from_str::<Tier>(text).unwrap(), tier);
        }
        for text in ["0", "4", "-1", "\"robot\"", "1.0", "null"] {
            assert!(serde_json::from_str::<Tier>(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_pick_has_positive_probability(a in 0.0..1.0f64, b in 0.0..1.0f64, c in 0.0..1.0f64, u in 0.0..1.0f64) {
            prop_assume!(a + b + c > 0.0);
            let probs = TierProbs::from_weights([a, b, c]).unwrap();
            prop_assert!(probs.of(probs.pick(u)) > 0.0);
        }
    }
}
