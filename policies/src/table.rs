//! A learned table served as a policy.
//!
//! Owns which table entries may be trusted, and who answers where none may. How values become probabilities is
//! [`crate::view`]'s, how they are learned [`crate::tabular`]'s.

use serde::{Deserialize, Serialize};
use tierwise_envs::discretise::{Discretizer, DiscretizerError};
use tierwise_envs::env::Situation;
use tierwise_envs::mask::Mask;
use tierwise_envs::tier::{Tier, TierProbs};

use crate::policy::Policy;
use crate::rule::RulePolicy;
use crate::view::{View, ViewError};

/// Action values of the 72 states of the tabular view, with how often each was tried.
///
/// A tier that was tried fewer than `min_visits` times in a state is outside the table's support there: it is not
/// chosen. Where no allowed tier has support, the rule baseline answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TablePolicy {
    /// How observations become states.
    pub discretizer: Discretizer,
    /// Action values in reward units, one row a state.
    pub values: Vec<[f64; 3]>,
    /// Updates of each value.
    pub visits: Vec<[u64; 3]>,
    /// Updates below which a value is not trusted; 0 counts as 1.
    pub min_visits: u64,
    /// How values become probabilities.
    pub view: View,
    /// Who answers where the table has no support.
    pub fallback: RulePolicy,
}

/// A table that cannot be served.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// Another number of states than the tabular view has.
    #[error(
        "the table has {have} states; the tabular view has {}",
        Discretizer::STATES
    )]
    States {
        /// Rows given.
        have: usize,
    },
    /// Cuts that make no states.
    #[error(transparent)]
    Discretizer(#[from] DiscretizerError),
    /// A view that makes no probabilities.
    #[error(transparent)]
    View(#[from] ViewError),
    /// A value that is no number.
    #[error("the value of tier {tier} in state {state} is {value}; the learner diverged")]
    NotFinite {
        /// The state's number.
        state: usize,
        /// The tier.
        tier: Tier,
        /// The value.
        value: f64,
    },
}

impl TablePolicy {
    /// Checks everything that serving relies on: cuts, view, shape and values.
    ///
    /// # Errors
    /// [`TableError`] for another number of states, a value that is not finite, or a parameter out of range.
    pub fn validate(&self) -> Result<(), TableError> {
        self.discretizer.validate()?;
        self.view.validate()?;
        for have in [self.values.len(), self.visits.len()] {
            if have != Discretizer::STATES {
                return Err(TableError::States { have });
            }
        }
        for (state, row) in self.values.iter().enumerate() {
            for tier in Tier::ALL {
                let value = row[tier.index()];
                if !value.is_finite() {
                    return Err(TableError::NotFinite { state, tier, value });
                }
            }
        }
        Ok(())
    }

    /// Probabilities in a state below [`Discretizer::STATES`], or `None` where no allowed tier has support.
    #[must_use]
    pub fn supported(&self, state: usize, mask: Mask) -> Option<TierProbs> {
        let tried = self.visits[state];
        let supported = Mask::from_flags(
            Tier::ALL.map(|t| mask.allows(t) && tried[t.index()] >= self.min_visits.max(1)),
        )?;
        Some(self.view.probabilities(self.values[state], supported))
    }
}

impl Policy for TablePolicy {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        self.supported(self.discretizer.state(&at.observation), at.mask)
            .unwrap_or_else(|| self.fallback.probabilities(at))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tierwise_envs::class::Class;
    use tierwise_envs::observation::{Feature, Observation};

    use super::*;

    const STATES: usize = Discretizer::STATES;

    /// Every state values the tiers 0, 1 and 2 and has tried each 10 times; the rules take review.
    fn table() -> TablePolicy {
        TablePolicy {
            discretizer: Discretizer::default(),
            values: vec![[0.0, 1.0, 2.0]; STATES],
            visits: vec![[10; 3]; STATES],
            min_visits: 10,
            view: View::Greedy,
            fallback: RulePolicy::from_toml("default = \"review\"").unwrap(),
        }
    }

    fn situation(bits: u8) -> Situation<'static> {
        Situation {
            observation: Observation::from_features(&[(Feature::Class, 0.0)]),
            mask: Mask::from_bits(bits).unwrap(),
            text: None,
        }
    }

    #[test]
    fn only_what_was_tried_often_enough_is_chosen() {
        let here = Discretizer::default().state(&situation(0b111).observation);
        let cases = [
            // Human is best; below ten visits it is not trusted, and review is next.
            ([10, 10, 10], Tier::Human),
            ([10, 10, 9], Tier::Review),
            ([10, 9, 9], Tier::Auto),
            // Nobody knows: the rules answer.
            ([9, 9, 9], Tier::Review),
        ];
        for (visits, tier) in cases {
            let mut table = table();
            table.visits[here] = visits;
            let probs = table.probabilities(&situation(0b111));
            assert_eq!(probs, TierProbs::certain(tier), "{visits:?}");
        }
        // A limit of 0 still asks for one visit: an untouched value is a starting value, not knowledge.
        let mut untouched = table();
        untouched.min_visits = 0;
        untouched.visits[here] = [0; 3];
        assert_eq!(untouched.supported(here, Mask::ALL), None);
    }

    #[test]
    fn the_state_of_the_observation_is_looked_up() {
        let mut table = table();
        for state in 0..STATES {
            let cell = tierwise_envs::discretise::Cell::from_state(state).unwrap();
            if cell.class == Class::Complaint {
                table.values[state] = [3.0, 1.0, 2.0];
            }
        }
        for (class, tier) in [(0.0, Tier::Human), (2.0, Tier::Auto)] {
            let at = Situation {
                observation: Observation::from_features(&[(Feature::Class, class)]),
                ..situation(0b111)
            };
            assert_eq!(table.probabilities(&at), TierProbs::certain(tier));
        }
    }

    proptest! {
        #[test]
        fn masked_tiers_get_nothing(
            bits in 1u8..8,
            values in proptest::array::uniform3(-1e3..1e3f64),
            visits in proptest::array::uniform3(0u64..20),
            view in prop_oneof![
                Just(View::Greedy),
                (1e-3..1e3f64).prop_map(|temperature| View::Softmax { temperature }),
                (0.0..=1.0f64).prop_map(|epsilon| View::Epsilon { epsilon }),
            ],
        ) {
            let table = TablePolicy {
                values: vec![values; STATES],
                visits: vec![visits; STATES],
                view,
                ..table()
            };
            prop_assert!(table.validate().is_ok());
            let at = situation(bits);
            let probs = table.probabilities(&at);
            prop_assert!((probs.as_array().iter().sum::<f64>() - 1.0).abs() < 1e-12);
            for tier in Tier::ALL {
                prop_assert!(at.mask.allows(tier) || probs.of(tier) == 0.0);
            }
        }
    }

    #[test]
    fn what_cannot_be_served_is_refused() {
        for value in [f64::NAN, f64::INFINITY] {
            let mut diverged = table();
            diverged.values[71][2] = value;
            let error = diverged.validate().unwrap_err();
            assert!(matches!(
                error,
                TableError::NotFinite {
                    state: 71,
                    tier: Tier::Human,
                    ..
                }
            ));
        }
        let mut short = table();
        short.visits.pop();
        assert_eq!(
            short.validate(),
            Err(TableError::States { have: STATES - 1 })
        );
        let frozen = TablePolicy {
            view: View::Softmax { temperature: 0.0 },
            ..table()
        };
        assert!(matches!(frozen.validate(), Err(TableError::View(_))));
        let disordered = TablePolicy {
            discretizer: Discretizer {
                turn_cuts: [3, 1],
                ..Discretizer::default()
            },
            ..table()
        };
        assert!(matches!(
            disordered.validate(),
            Err(TableError::Discretizer(_))
        ));
    }
}
