//! Sampling a finite decision process as an environment.

use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::Mdp;
use super::alias::AliasTables;
use crate::finite::{FiniteEnv, FiniteEnvError, FiniteStep, Resumable};

/// A finite decision process that is lived through step by step.
///
/// Next states are drawn from alias tables, one random number per step; rewards, seconds and human seconds are the rows'
/// expectations. Entering a terminal state terminates, reaching `max_episode_steps` truncates, and otherwise it goes on for
/// ever.
#[derive(Debug, Clone)]
pub struct MdpEnv {
    mdp: Arc<Mdp>,
    tables: AliasTables,
    position: MdpPosition,
}

/// What changes while an [`MdpEnv`] runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MdpPosition {
    state: usize,
    running: bool,
    episode_steps: u64,
    random: Xoshiro256PlusPlus,
}

impl MdpEnv {
    /// Prepares the alias tables; call [`FiniteEnv::reset`] before the first step.
    #[must_use]
    pub fn new(mdp: Arc<Mdp>) -> Self {
        let mut tables = AliasTables::default();
        for state in 0..mdp.states() {
            for action in 0..mdp.actions() {
                tables.push(mdp.outcomes(state, action));
            }
        }
        tables.push(mdp.initial());
        let position = MdpPosition {
            state: 0,
            running: false,
            episode_steps: 0,
            random: Xoshiro256PlusPlus::seed_from_u64(0),
        };
        Self {
            mdp,
            tables,
            position,
        }
    }

    /// The process being sampled.
    #[must_use]
    pub fn mdp(&self) -> &Arc<Mdp> {
        &self.mdp
    }
}

impl FiniteEnv for MdpEnv {
    fn states(&self) -> usize {
        self.mdp.states
    }

    fn actions(&self) -> usize {
        self.mdp.actions
    }

    fn reset(&mut self, seed: u64) -> Result<usize, FiniteEnvError> {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let starts = self.mdp.states * self.mdp.actions;
        let state = self.tables.sample(starts, random.next_u64());
        self.position = MdpPosition {
            state,
            running: true,
            episode_steps: 0,
            random,
        };
        Ok(state)
    }

    #[inline]
    fn step(&mut self, action: usize) -> Result<FiniteStep, FiniteEnvError> {
        let position = &mut self.position;
        if !position.running {
            return Err(FiniteEnvError::NotRunning);
        }
        let state = position.state;
        let mask = self.mdp.masks[state];
        if action >= self.mdp.actions || mask >> action & 1 == 0 {
            return Err(FiniteEnvError::MaskedAction {
                state,
                action,
                mask,
            });
        }
        let pair = state * self.mdp.actions + action;
        let row = &self.mdp.rows[pair];
        let next_state = self.tables.sample(pair, position.random.next_u64());
        position.state = next_state;
        position.episode_steps += 1;
        let terminated = self.mdp.terminal[next_state];
        let truncated = !terminated && self.mdp.max_episode_steps == Some(position.episode_steps);
        position.running = !terminated && !truncated;
        Ok(FiniteStep {
            elapsed_s: row.elapsed_s,
            human_seconds: row.human_seconds,
            terminated,
            truncated,
            ..FiniteStep::new(next_state, row.reward)
        })
    }

    #[inline]
    fn mask(&self) -> u32 {
        self.mdp.masks[self.position.state]
    }

    fn discount(&self) -> Option<f64> {
        Some(self.mdp.discount)
    }
}

impl Resumable for MdpEnv {
    type Position = MdpPosition;

    fn position(&self) -> MdpPosition {
        self.position.clone()
    }

    fn restore(&mut self, position: MdpPosition) -> Result<(), FiniteEnvError> {
        if position.state >= self.mdp.states {
            return Err(FiniteEnvError::ForeignPosition {
                field: "state",
                value: position.state,
                have: self.mdp.states,
            });
        }
        self.position = position;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MdpBuilder, TransitionRow};
    use super::*;

    /// 0 → 1 or terminal 2 with equal chance; 1 → 0; cut after four steps.
    fn walk() -> MdpEnv {
        let builder = MdpBuilder {
            discount: 0.5,
            state_count: 3,
            action_count: 2,
            initial: vec![(0, 0.25), (1, 0.75)],
            terminal: vec![2],
            max_episode_steps: Some(4),
            transitions: vec![
                TransitionRow::new(0, 0, 1.0, vec![(1, 0.5), (2, 0.5)]),
                TransitionRow::new(1, 1, 2.0, vec![(0, 1.0)]),
            ],
            ..MdpBuilder::default()
        };
        MdpEnv::new(Arc::new(builder.build().unwrap()))
    }

    #[test]
    fn episodes_end_as_gymnasium_says() {
        let mut env = walk();
        assert!(matches!(env.step(0), Err(FiniteEnvError::NotRunning)));
        let (mut terminated, mut truncated, mut starts) = (0, 0, 0);
        for seed in 0..4000 {
            let mut state = env.reset(seed).unwrap();
            starts += usize::from(state == 0);
            for n in 1.. {
                let step = env.step(state).unwrap();
                assert_eq!(step.reward, (state + 1) as f64);
                assert!(!(step.terminated && step.truncated));
                assert_eq!(step.terminated, step.next_state == 2);
                state = step.next_state;
                if step.terminated || step.truncated {
                    terminated += usize::from(step.terminated);
                    truncated += usize::from(step.truncated);
                    assert!(n <= 4 && (n == 4 || step.terminated));
                    break;
                }
            }
            assert!(matches!(env.step(0), Err(FiniteEnvError::NotRunning)));
        }
        // Start in 0 has probability 1/4; either start meets state 0 twice in four steps, so 3/4 terminate.
        assert!((starts as f64 / 4000.0 - 0.25).abs() < 0.03);
        assert!((terminated as f64 / 4000.0 - 0.75).abs() < 0.03);
        assert_eq!(terminated + truncated, 4000);
    }

    #[test]
    fn masked_and_unknown_actions_are_refused() {
        let mut env = walk();
        let state = env.reset(1).unwrap();
        for action in [1 - state, 2, 40] {
            let error = env.step(action).unwrap_err();
            assert!(
                matches!(error, FiniteEnvError::MaskedAction { .. }),
                "{error}"
            );
        }
        env.step(state).unwrap();
    }

    #[test]
    fn a_restored_position_goes_on_bit_for_bit() {
        let mut env = walk();
        let mut state = env.reset(3).unwrap();
        while env.position.episode_steps < 1 {
            state = env.step(state).unwrap().next_state;
        }
        let saved = serde_json::to_string(&env.position()).unwrap();
        let mut other = walk();
        other
            .restore(serde_json::from_str(&saved).unwrap())
            .unwrap();
        assert_eq!(other.mask(), env.mask());
        if env.position.running {
            assert_eq!(other.step(state).unwrap(), env.step(state).unwrap());
        }
        assert_eq!(other.position(), env.position());
    }
}
