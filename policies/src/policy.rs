//! What a policy is, and the simplest ones.

use tierwise_envs::env::Situation;
use tierwise_envs::tier::TierProbs;

/// Chooses tiers by probability.
///
/// A policy gives no probability to a masked tier, and the same situation always gets the same probabilities.
pub trait Policy: Send + Sync {
    /// Probabilities of the three tiers; 0 for every tier that `at.mask` forbids.
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs;
}
