//! Environments with finitely many states and actions, for learners that keep a table.
//!
//! This module owns the contract between such an environment and a tabular learner: numbered states and actions, a bit mask of
//! allowed actions, and a step without heap allocation. What states mean (a discretised observation, a row of a
//! [`crate::mdp::Mdp`]) belongs to the implementer; what is learned from a step belongs to the policies crate.

use serde::{Serialize, de::DeserializeOwned};

/// The largest number of actions: masks are the bits of a `u32`.
pub const MAX_ACTIONS: usize = 32;

/// The mask that allows each of `actions` actions; `actions` lies in 1..=[`MAX_ACTIONS`].
///
/// ```
/// assert_eq!(tierwise_envs::finite::full_mask(3), 0b111);
/// ```
#[must_use]
pub const fn full_mask(actions: usize) -> u32 {
    if actions >= MAX_ACTIONS {
        u32::MAX
    } else {
        (1 << actions) - 1
    }
}

/// An environment whose states and actions are numbered from zero.
///
/// The contract is Gymnasium's: [`reset`](Self::reset), then [`step`](Self::step) until it reports an end. An end is either
/// *terminated* (nothing follows, so a learner does not bootstrap) or *truncated* (the process would go on, so it does).
/// The same seed and actions give the same steps.
pub trait FiniteEnv {
    /// Number of states; every state this environment returns is smaller.
    fn states(&self) -> usize;

    /// Number of actions, 1..=[`MAX_ACTIONS`].
    fn actions(&self) -> usize;

    /// Starts an episode and returns its first state.
    ///
    /// # Errors
    /// [`FiniteEnvError::Environment`] when what lies underneath cannot start.
    fn reset(&mut self, seed: u64) -> Result<usize, FiniteEnvError>;

    /// Takes `action` in the current state.
    ///
    /// # Errors
    /// [`FiniteEnvError::NotRunning`] before the first reset or after an end, [`FiniteEnvError::MaskedAction`] for an action
    /// that [`mask`](Self::mask) forbids, [`FiniteEnvError::Environment`] when what lies underneath fails.
    fn step(&mut self, action: usize) -> Result<FiniteStep, FiniteEnvError>;

    /// Allowed actions of the current state: bit `a` is set when action `a` may be taken.
    ///
    /// Never zero while the episode runs, nor directly after a truncation, because the learner then still bootstraps from
    /// the last state.
    fn mask(&self) -> u32;

    /// The discount per step that belongs to the problem, for learners configured without one.
    fn discount(&self) -> Option<f64> {
        None
    }
}

/// A finite environment that can be put down and taken up again, bit for bit.
pub trait Resumable: FiniteEnv {
    /// Everything that changes while the environment runs.
    type Position: Serialize + DeserializeOwned + Clone + PartialEq;

    /// The position to save beside a learner's state.
    fn position(&self) -> Self::Position;

    /// Goes back to a saved position.
    ///
    /// # Errors
    /// [`FiniteEnvError::ForeignPosition`] when the position does not fit this environment.
    fn restore(&mut self, position: Self::Position) -> Result<(), FiniteEnvError>;
}

/// What one action led to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FiniteStep {
    /// The state that follows; when `terminated`, the absorbing state or any valid number.
    pub next_state: usize,
    /// Reward of the step, in reward units.
    pub reward: f64,
    /// Seconds until the next decision (1 where the environment has no clock).
    pub elapsed_s: f64,
    /// Human working seconds the action took up, the base of a toll; 0 where nobody counts them.
    pub human_seconds: f64,
    /// Whether the process has ended: learners do not bootstrap.
    pub terminated: bool,
    /// Whether the episode was cut from outside, by a time limit for instance: learners bootstrap.
    pub truncated: bool,
    /// Whether this decision was its conversation's last. Learners whose episodes are conversations stop here, although the
    /// system (and with it `next_state`) goes on.
    pub closes_conversation: bool,
}

impl FiniteStep {
    /// A step of one second that closes its conversation, costs no human time and ends nothing.
    #[must_use]
    pub const fn new(next_state: usize, reward: f64) -> Self {
        Self {
            next_state,
            reward,
            elapsed_s: 1.0,
            human_seconds: 0.0,
            terminated: false,
            truncated: false,
            closes_conversation: true,
        }
    }
}

/// Why a finite environment could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FiniteEnvError {
    /// A step was asked for outside an episode.
    #[error("no episode is running; call `reset` before the first step and after each end")]
    NotRunning,
    /// The chosen action is not allowed in the current state.
    #[error(
        "action {action} is not allowed in state {state} (mask {mask:#b}); choose a set bit of the mask"
    )]
    MaskedAction {
        /// The current state.
        state: usize,
        /// The refused action.
        action: usize,
        /// Allowed actions of the state.
        mask: u32,
    },
    /// A saved position belongs to another environment.
    #[error("the saved position does not fit: {field} is {value}, this environment has {have}")]
    ForeignPosition {
        /// What does not fit.
        field: &'static str,
        /// Its saved value.
        value: usize,
        /// What this environment has instead.
        have: usize,
    },
    /// What lies underneath failed.
    #[error("the environment failed: {source}")]
    Environment {
        /// Its own error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_masks_have_one_bit_per_action() {
        for actions in 1..=MAX_ACTIONS {
            let mask = full_mask(actions);
            assert_eq!(mask.count_ones() as usize, actions);
            assert_eq!(mask.trailing_ones() as usize, actions);
        }
    }
}
