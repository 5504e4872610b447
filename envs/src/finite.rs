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

/// How an environment broke the contract of [`FiniteEnv`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContractBreach {
    /// No state, or a number of actions outside 1..=[`MAX_ACTIONS`].
    #[error(
        "there are {states} states and {actions} actions; at least one state and 1..={MAX_ACTIONS} actions are needed"
    )]
    Shape {
        /// Number of states.
        states: usize,
        /// Number of actions.
        actions: usize,
    },
    /// A state beyond the number of states.
    #[error("step {step}: state {state} is none of the {states}")]
    UnknownState {
        /// Steps taken before.
        step: u64,
        /// The state.
        state: usize,
        /// Number of states.
        states: usize,
    },
    /// A mask that allows nothing, or actions that do not exist.
    #[error(
        "step {step}: mask {mask:#b} of state {state} allows no action, or one that does not exist"
    )]
    Mask {
        /// Steps taken before.
        step: u64,
        /// The state.
        state: usize,
        /// Its mask.
        mask: u32,
    },
    /// A number no learner can use.
    #[error("step {step}: `{field}` is {value}")]
    Number {
        /// Steps taken before.
        step: u64,
        /// Field of the step.
        field: &'static str,
        /// Its value.
        value: f64,
    },
    /// A step that claims both ends.
    #[error("step {step} is both terminated and truncated")]
    BothEnds {
        /// Steps taken before.
        step: u64,
    },
    /// An action was taken that should have been refused.
    #[error("step {step}: action {action} was accepted although {reason}")]
    Accepted {
        /// Steps taken before.
        step: u64,
        /// The action.
        action: usize,
        /// Why it should not have been.
        reason: &'static str,
    },
    /// The same seed and actions led elsewhere.
    #[error("step {step}: the same seed and actions did not give the same step again")]
    NotRepeatable {
        /// Steps taken before.
        step: u64,
    },
    /// The environment failed while it should have run.
    #[error("step {step}: {source}")]
    Failed {
        /// Steps taken before.
        step: u64,
        /// Its error.
        #[source]
        source: FiniteEnvError,
    },
}

/// Lives `steps` steps twice with the same seed and varied allowed actions, and checks each promise of [`FiniteEnv`].
///
/// Every implementer's tests call it.
///
/// # Errors
/// The first [`ContractBreach`] met.
pub fn check(env: &mut impl FiniteEnv, seed: u64, steps: u64) -> Result<(), ContractBreach> {
    let (states, actions) = (env.states(), env.actions());
    if states == 0 || actions == 0 || actions > MAX_ACTIONS {
        return Err(ContractBreach::Shape { states, actions });
    }
    let first = live(env, seed, steps)?;
    let second = live(env, seed, steps)?;
    match first
        .iter()
        .zip(&second)
        .position(|(one, other)| one != other)
    {
        Some(step) => Err(ContractBreach::NotRepeatable { step: step as u64 }),
        None => Ok(()),
    }
}

/// One run of [`check`]: (state, mask, step that left it).
fn live(
    env: &mut impl FiniteEnv,
    seed: u64,
    steps: u64,
) -> Result<Vec<(usize, u32, FiniteStep)>, ContractBreach> {
    let (states, full) = (env.states(), full_mask(env.actions()));
    let known = |step, state| {
        if state < states {
            Ok(state)
        } else {
            Err(ContractBreach::UnknownState {
                step,
                state,
                states,
            })
        }
    };
    let mut seen = Vec::new();
    let mut now = None;
    for step in 0..steps {
        let failed = |source| ContractBreach::Failed { step, source };
        let state = match now {
            Some(state) => state,
            None => known(step, env.reset(seed.wrapping_add(step)).map_err(failed)?)?,
        };
        let mask = env.mask();
        if mask == 0 || mask & !full != 0 {
            return Err(ContractBreach::Mask { step, state, mask });
        }
        let barred = (!mask).trailing_zeros() as usize;
        if barred < MAX_ACTIONS && env.step(barred).is_ok() {
            return Err(ContractBreach::Accepted {
                step,
                action: barred,
                reason: "it is masked or does not exist",
            });
        }
        let nth = (step.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as u32 % mask.count_ones();
        let action = (0..env.actions())
            .filter(|&a| mask >> a & 1 == 1)
            .nth(nth as usize)
            .unwrap_or(0);
        let taken = env.step(action).map_err(failed)?;
        known(step, taken.next_state)?;
        for (field, value) in [
            ("reward", taken.reward),
            ("elapsed_s", taken.elapsed_s),
            ("human_seconds", taken.human_seconds),
        ] {
            if !value.is_finite() || (field != "reward" && value < 0.0) {
                return Err(ContractBreach::Number { step, field, value });
            }
        }
        if taken.terminated && taken.truncated {
            return Err(ContractBreach::BothEnds { step });
        }
        let over = taken.terminated || taken.truncated;
        if over && env.step(action).is_ok() {
            return Err(ContractBreach::Accepted {
                step,
                action,
                reason: "the episode was over",
            });
        }
        if taken.truncated && env.mask() & full == 0 {
            return Err(ContractBreach::Mask {
                step,
                state: taken.next_state,
                mask: env.mask(),
            });
        }
        seen.push((state, mask, taken));
        now = (!over).then_some(taken.next_state);
    }
    Ok(seen)
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

    /// A coin that lands on the state of its last action, with one promise broken by `fault` at step five.
    struct Coin {
        steps: u64,
        lives: u64,
        running: bool,
        fault: &'static str,
    }

    impl FiniteEnv for Coin {
        fn states(&self) -> usize {
            2
        }

        fn actions(&self) -> usize {
            if self.fault == "shape" { 33 } else { 2 }
        }

        fn reset(&mut self, _seed: u64) -> Result<usize, FiniteEnvError> {
            (self.steps, self.lives, self.running) = (0, self.lives + 1, true);
            Ok(0)
        }

        fn step(&mut self, action: usize) -> Result<FiniteStep, FiniteEnvError> {
            if !self.running && self.fault != "runs on" {
                return Err(FiniteEnvError::NotRunning);
            }
            if action > 1 && self.fault != "any action" {
                return Err(FiniteEnvError::MaskedAction {
                    state: 0,
                    action,
                    mask: 3,
                });
            }
            self.steps += 1;
            let mut step = FiniteStep::new(action % 2, 1.0);
            match (self.steps, self.fault) {
                (5, "state") => step.next_state = 2,
                (5, "reward") => step.reward = f64::NAN,
                (5, "seconds") => step.elapsed_s = -1.0,
                (5, "both") => (step.terminated, step.truncated) = (true, true),
                (5, "random") => step.reward = self.lives as f64,
                (7, _) => step.truncated = true,
                _ => {}
            }
            self.running = !(step.truncated || step.terminated);
            Ok(step)
        }

        fn mask(&self) -> u32 {
            if self.fault == "mask" { 0b100 } else { 0b11 }
        }
    }

    #[test]
    fn each_broken_promise_is_found() {
        let faults = [
            ("", "kept"),
            (
                "shape",
                "there are 2 states and 33 actions; at least one state and 1..=32 actions are needed",
            ),
            ("state", "step 4: state 2 is none of the 2"),
            (
                "mask",
                "step 0: mask 0b100 of state 0 allows no action, or one that does not exist",
            ),
            ("reward", "step 4: `reward` is NaN"),
            ("seconds", "step 4: `elapsed_s` is -1"),
            ("both", "step 4 is both terminated and truncated"),
            (
                "any action",
                "step 0: action 2 was accepted although it is masked or does not exist",
            ),
            ("runs on", "was accepted although the episode was over"),
            (
                "random",
                "step 4: the same seed and actions did not give the same step again",
            ),
        ];
        for (fault, message) in faults {
            let mut coin = Coin {
                steps: 0,
                lives: 0,
                running: false,
                fault,
            };
            let found = match check(&mut coin, 1, 30) {
                Ok(()) => "kept".to_owned(),
                Err(breach) => breach.to_string(),
            };
            assert!(found.contains(message), "{fault}: {found}");
        }
    }
}
