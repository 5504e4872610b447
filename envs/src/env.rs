//! The contract of environments in which tiers are chosen.
//!
//! Gymnasium's contract: `reset` with a seed, then `step` until `terminated` (the world ended the episode: no
//! bootstrap) or `truncated` (we stopped looking: bootstrap from the last observation).

use crate::discretise::Discretizer;
use crate::mask::Mask;
use crate::observation::Observation;
use crate::tier::Tier;

/// What an environment hands out before a decision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Situation<'a> {
    /// What is known.
    pub observation: Observation,
    /// Tiers that may be taken.
    pub mask: Mask,
    /// The message, where its text is at hand; for keyword rules.
    pub text: Option<&'a str>,
}

/// What one decision led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Reward units earned; a conversation's R comes once, with its last step.
    pub reward: f64,
    /// Seconds from this decision to the next one, ≥ 0.
    pub elapsed_s: f64,
    /// Seconds of people's time this decision took.
    pub human_s: f64,
    /// The conversation ended.
    pub terminated: bool,
    /// The episode was cut off before its end.
    pub truncated: bool,
    /// What this tier would have led to is unknown (replay by rejection): the step ends the episode, and learners
    /// discard it instead of learning from it.
    pub rejected: bool,
}

/// Why an environment cannot go on.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// `step` before `reset`, or after the episode's end.
    #[error("the episode is over; call reset before the next step")]
    EpisodeOver,
    /// A tier that the mask forbids.
    #[error("tier {tier} is masked here; allowed: {allowed}")]
    Masked {
        /// The tier chosen.
        tier: Tier,
        /// The tiers that were allowed.
        allowed: String,
    },
    /// There is nothing to replay.
    #[error("the log holds no conversation with a decision; nothing to replay")]
    Empty,
}

/// An environment in which each step is the choice of a tier.
pub trait Env {
    /// Starts the episode that belongs to a seed.
    ///
    /// # Errors
    /// [`EnvError::Empty`] when there is no episode to start.
    fn reset(&mut self, seed: u64) -> Result<(), EnvError>;

    /// The decision to be made now. Unspecified after the end of an episode.
    fn decide(&self) -> Situation<'_>;

    /// State of the tabular view and allowed tiers of [`Env::decide`]; an environment that knows them without building the
    /// whole observation overrides this.
    fn tabular(&self, discretizer: &Discretizer) -> (usize, Mask) {
        let at = self.decide();
        (discretizer.state(&at.observation), at.mask)
    }

    /// Takes a tier.
    ///
    /// # Errors
    /// [`EnvError::EpisodeOver`] and [`EnvError::Masked`].
    fn step(&mut self, tier: Tier) -> Result<Step, EnvError>;
}
