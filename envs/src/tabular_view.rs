//! Any tier environment, seen through the table's 72 states.

use crate::discretise::Discretizer;
use crate::env::Env;
use crate::finite::{FiniteEnv, FiniteEnvError, FiniteStep};
use crate::tier::Tier;

/// Wraps an environment of tiers as one of numbered states and actions.
///
/// Replay by rejection does not fit: what a rejected step would have led to is unknown, and a finite step cannot say so.
/// Such a step is refused with [`RejectedStep`].
///
/// Episodes are conversations; a step's `elapsed_s` and human seconds are passed on, so that discounting by time and tolls
/// work as in the full environment.
#[derive(Debug, Clone)]
pub struct TabularView<E> {
    env: E,
    discretizer: Discretizer,
    running: bool,
}

impl<E: Env> TabularView<E> {
    /// Looks at `env` through `discretizer`.
    pub const fn new(env: E, discretizer: Discretizer) -> Self {
        Self {
            env,
            discretizer,
            running: false,
        }
    }

    /// The environment underneath.
    pub const fn env(&self) -> &E {
        &self.env
    }

    /// Number of the state to act in.
    fn state(&self) -> usize {
        self.env.tabular(&self.discretizer).0
    }
}

/// A step that was rejected teaches nothing, and would have been learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "replay rejected {tier}, which the log did not take here; learn from what both agree on, or replay on a model"
)]
pub struct RejectedStep {
    /// The tier tried.
    pub tier: Tier,
}

fn failed(source: impl std::error::Error + Send + Sync + 'static) -> FiniteEnvError {
    FiniteEnvError::Environment {
        source: Box::new(source),
    }
}

impl<E: Env> FiniteEnv for TabularView<E> {
    fn states(&self) -> usize {
        Discretizer::STATES
    }

    fn actions(&self) -> usize {
        Tier::COUNT
    }

    fn reset(&mut self, seed: u64) -> Result<usize, FiniteEnvError> {
        self.env.reset(seed).map_err(failed)?;
        self.running = true;
        Ok(self.state())
    }

    fn step(&mut self, action: usize) -> Result<FiniteStep, FiniteEnvError> {
        if !self.running {
            return Err(FiniteEnvError::NotRunning);
        }
        let tier = Tier::from_index(action).ok_or_else(|| FiniteEnvError::MaskedAction {
            state: self.state(),
            action,
            mask: self.mask(),
        })?;
        let step = self.env.step(tier).map_err(failed)?;
        self.running = !(step.terminated || step.truncated);
        if step.rejected {
            return Err(failed(RejectedStep { tier }));
        }
        Ok(FiniteStep {
            // Nothing follows a termination; any state will do.
            next_state: if step.terminated { 0 } else { self.state() },
            reward: step.reward,
            elapsed_s: step.elapsed_s,
            human_seconds: step.human_s,
            terminated: step.terminated,
            truncated: step.truncated,
            closes_conversation: step.terminated,
        })
    }

    fn mask(&self) -> u32 {
        u32::from(self.env.tabular(&self.discretizer).1.bits())
    }

    fn discount(&self) -> Option<f64> {
        // Within a conversation γ = 1: short, finite, the reward comes once at the end (mdp.md §1.5).
        Some(1.0)
    }
}

#[cfg(test)]
mod tests;
