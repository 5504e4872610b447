//! A learned table served as a policy.

use serde::{Deserialize, Serialize};
use tierwise_envs::discretise::Discretizer;
use tierwise_envs::env::Situation;
use tierwise_envs::tier::{Tier, TierProbs};

use crate::policy::Policy;
use crate::rule::RulePolicy;
use crate::view::View;

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
    /// Updates below which a value is not trusted.
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
    /// Checks shape and values.
    ///
    /// # Errors
    /// [`TableError`] for another number of states or a value that is not finite.
    pub fn validate(&self) -> Result<(), TableError> {
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

    /// Probabilities in a state, or `None` where no allowed tier has support.
    #[must_use]
    pub fn supported(&self, state: usize, mask: tierwise_envs::mask::Mask) -> Option<TierProbs> {
        let tried = self.visits[state];
        let supported = tierwise_envs::mask::Mask::from_flags(
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
