//! What a policy is, and the simplest ones.
//!
//! A policy turns a situation into probabilities of the three tiers. Nothing here draws: whoever acts draws, so that
//! the propensity it logs is the probability it used.

use serde::{Deserialize, Serialize};
use tierwise_envs::env::Situation;
use tierwise_envs::tier::{Tier, TierProbs};

/// Chooses tiers by probability.
///
/// A policy gives no probability to a masked tier, and the same situation always gets the same probabilities.
pub trait Policy: Send + Sync {
    /// Probabilities of the three tiers; 0 for every tier that `at.mask` forbids.
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs;
}

impl<P: Policy + ?Sized> Policy for &P {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        (**self).probabilities(at)
    }
}

impl<P: Policy + ?Sized> Policy for Box<P> {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        (**self).probabilities(at)
    }
}

impl<P: Policy + ?Sized> Policy for std::sync::Arc<P> {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        (**self).probabilities(at)
    }
}

/// Always the same tier; where it is masked, the nearest allowed one ([`Mask::nearest`]).
///
/// [`Mask::nearest`]: tierwise_envs::mask::Mask::nearest
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixed(pub Tier);

impl Policy for Fixed {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        TierProbs::certain(at.mask.nearest(self.0))
    }
}

/// Every allowed tier alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Uniform;

impl Policy for Uniform {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        at.mask.uniform()
    }
}

/// A floor outside the range that leaves room for the policy itself.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error(
    "exploration floor is {floor}; it lies in [0, 1/3], for three tiers must share a probability of 1"
)]
pub struct FloorError {
    /// The value given.
    pub floor: f64,
}

/// A policy as it is served: every allowed tier keeps at least the floor's probability.
///
/// π′(a) = ε + (1 − mε) π(a) for the m allowed tiers, so weights of logs it writes are at most 1/ε (mdp.md §1.7).
#[derive(Debug, Clone)]
pub struct WithFloor<P> {
    inner: P,
    floor: f64,
}

impl<P: Policy> WithFloor<P> {
    /// Adds a floor in [0, 1/3].
    ///
    /// # Errors
    /// [`FloorError`] outside that range.
    pub fn new(inner: P, floor: f64) -> Result<Self, FloorError> {
        if (0.0..=1.0 / 3.0).contains(&floor) {
            Ok(Self { inner, floor })
        } else {
            Err(FloorError { floor })
        }
    }
}

impl<P: Policy> Policy for WithFloor<P> {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        let inner = self.inner.probabilities(at);
        let room = 1.0 - f64::from(at.mask.count()) * self.floor;
        at.mask
            .restrict(inner.as_array().map(|p| self.floor + room * p))
            .expect("the inner policy gives probability to an allowed tier")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tierwise_envs::mask::Mask;
    use tierwise_envs::observation::Observation;

    use super::*;

    fn situation(bits: u8) -> Situation<'static> {
        Situation {
            observation: Observation::unknown(),
            mask: Mask::from_bits(bits).unwrap(),
            text: None,
        }
    }

    proptest! {
        #[test]
        fn masked_tiers_get_nothing_and_the_floor_holds(bits in 1u8..8, floor in 0.0..0.33f64) {
            let at = situation(bits);
            for tier in Tier::ALL {
                let policies: [Box<dyn Policy>; 3] = [
                    Box::new(Fixed(tier)),
                    Box::new(Uniform),
                    Box::new(WithFloor::new(Fixed(tier), floor).unwrap()),
                ];
                for policy in &policies {
                    let probs = policy.probabilities(&at);
                    prop_assert!((probs.as_array().iter().sum::<f64>() - 1.0).abs() < 1e-12);
                    for t in Tier::ALL {
                        prop_assert!(at.mask.allows(t) || probs.of(t) == 0.0);
                    }
                }
                let served = policies[2].probabilities(&at);
                for t in at.mask.tiers() {
                    prop_assert!(served.of(t) >= floor - 1e-12);
                }
            }
        }
    }

    #[test]
    fn the_floor_mixes_as_written() {
        // ε = 0.1, three tiers: 0.1 + 0.7 on the chosen one.
        let served = WithFloor::new(Fixed(Tier::Review), 0.1).unwrap();
        let probs = served.probabilities(&situation(0b111)).as_array();
        for (have, want) in probs.into_iter().zip([0.1, 0.8, 0.1]) {
            assert!((have - want).abs() < 1e-15);
        }
        for floor in [-0.1, 0.34, f64::NAN] {
            assert!(WithFloor::new(Uniform, floor).is_err());
        }
    }
}
