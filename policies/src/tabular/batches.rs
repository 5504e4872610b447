//! Batches of logged transitions: what they teach, and which are refused.

use tierwise_envs::finite::{FiniteEnv, FiniteEnvError, FiniteStep};
use tierwise_envs::mdp::MdpEnv;

use super::behaviour::{ALGORITHMS, config, patchwork};
use super::*;

/// Notes each step of a process as a logged transition.
struct Recorder {
    inner: MdpEnv,
    log: Vec<Transition>,
    now: (usize, u32),
}

impl FiniteEnv for Recorder {
    fn states(&self) -> usize {
        self.inner.states()
    }

    fn actions(&self) -> usize {
        self.inner.actions()
    }

    fn reset(&mut self, seed: u64) -> Result<usize, FiniteEnvError> {
        self.now = (self.inner.reset(seed)?, self.inner.mask());
        Ok(self.now.0)
    }

    fn step(&mut self, action: usize) -> Result<FiniteStep, FiniteEnvError> {
        let step = self.inner.step(action)?;
        if let Some(last) = self.log.last_mut() {
            let goes_on = !last.terminated && !last.truncated;
            last.next_action = goes_on.then_some(action);
        }
        self.log.push(Transition {
            state: self.now.0,
            mask: self.now.1,
            action,
            reward: step.reward,
            next_state: step.next_state,
            next_mask: self.inner.mask(),
            next_action: None,
            elapsed_s: step.elapsed_s,
            human_seconds: step.human_seconds,
            terminated: step.terminated,
            truncated: step.truncated,
            closes_conversation: step.closes_conversation,
        });
        self.now = (step.next_state, self.inner.mask());
        Ok(step)
    }

    fn mask(&self) -> u32 {
        self.inner.mask()
    }

    fn discount(&self) -> Option<f64> {
        self.inner.discount()
    }
}

#[test]
fn logged_transitions_teach_what_living_through_them_taught() {
    for which in [0, 2, 3, 4, 5, 6] {
        let settings = TabularConfig {
            seed: 9,
            ..config(ALGORITHMS[which])
        };
        let mut env = Recorder {
            inner: patchwork(0x7FFF, true, None),
            log: Vec::new(),
            now: (0, 0),
        };
        let mut lived = TabularState::new(settings.clone(), &env).unwrap();
        train(&mut env, &mut lived, 3000).unwrap();
        // The last action is still undecided for the log; stop where an episode ended.
        let whole = env.log.iter().rposition(|t| t.terminated).unwrap() + 1;
        let mut env = Recorder {
            inner: patchwork(0x7FFF, true, None),
            log: Vec::new(),
            now: (0, 0),
        };
        let mut lived = TabularState::new(settings.clone(), &env).unwrap();
        train(&mut env, &mut lived, whole as u64).unwrap();
        let mut taught = TabularState::new(settings, &env).unwrap();
        let stats = taught.update(&env.log).unwrap();
        assert_eq!(taught.q_table(), lived.q_table(), "{}", ALGORITHMS[which]);
        assert_eq!(stats.updates, whole as u64);
    }
}

#[test]
fn batches_with_faults_are_refused_before_anything_is_learned() {
    let env = patchwork(0x7FFF, true, None);
    let good = Transition {
        state: 1,
        mask: 0b111,
        action: 2,
        reward: 1.0,
        next_state: 0,
        next_mask: 0b111,
        next_action: Some(0),
        elapsed_s: 1.0,
        human_seconds: 0.0,
        terminated: false,
        truncated: false,
        closes_conversation: true,
    };
    let cases = [
        (
            Transition { state: 6, ..good },
            "row 1: `state` is 6; expected 0..=5",
        ),
        (
            Transition { action: 3, ..good },
            "row 1: `action` is 3; expected 0..=2",
        ),
        (
            Transition {
                mask: 0b011,
                ..good
            },
            "row 1: `action` is 2; expected a set bit of `mask` 0b11",
        ),
        (
            Transition {
                reward: f64::NAN,
                ..good
            },
            "row 1: `reward` is NaN; expected a finite number",
        ),
        (
            Transition {
                elapsed_s: -1.0,
                ..good
            },
            "row 1: `elapsed_s` is -1; expected seconds, at least 0",
        ),
        (
            Transition {
                next_mask: 0b1000,
                ..good
            },
            "row 1: `next_mask` is 0b1000; expected a bit below 3",
        ),
        (
            Transition {
                next_action: None,
                ..good
            },
            "row 1: `next_action` is absent; expected the action taken next, for an on-policy learner",
        ),
    ];
    for (bad, message) in cases {
        let mut learner = TabularState::new(config("algorithm = 'sarsa'"), &env).unwrap();
        let before = learner.clone();
        assert_eq!(
            learner.update(&[good, bad]).unwrap_err().to_string(),
            message
        );
        assert_eq!(learner, before);
    }
}
