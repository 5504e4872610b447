//! Double Q-learning.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// Two tables A and B; a fair coin says which one learns, the other values the action that the first prefers:
/// A(s, a) += α (r + γ B(s′, argmax A(s′, ·)) − A(s, a)), or with A and B exchanged.
///
/// The shared table holds their mean, on which actions are chosen.
///
/// # Source
/// van Hasselt, NeurIPS 2010, algorithm 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DoubleQ {
    first: Vec<f64>,
    second: Vec<f64>,
}

impl DoubleQ {
    pub(super) fn new(values: &[f64]) -> Self {
        Self {
            first: values.to_vec(),
            second: values.to_vec(),
        }
    }
}

impl Rule for DoubleQ {
    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        let (learning, valuing) = if context.random.next_u64() >> 63 == 0 {
            (&mut self.first, &mut self.second)
        } else {
            (&mut self.second, &mut self.first)
        };
        let actions = context.table.actions();
        let mut target = step.reward;
        if step.discount != 0.0 {
            let first = step.next_state * actions;
            let row = &learning[first..first + actions];
            let mut best = (step.next_mask.trailing_zeros() as usize, f64::NEG_INFINITY);
            for (action, &value) in row.iter().enumerate() {
                if step.next_mask >> action & 1 == 1 && value > best.1 {
                    best = (action, value);
                }
            }
            target += step.discount * valuing[first + best.0];
        }
        let size = context.step_size(step.state, step.action);
        let pair = step.state * actions + step.action;
        let error = target - learning[pair];
        learning[pair] += size * error;
        *context.table.entry(step.state, step.action) = 0.5 * (learning[pair] + valuing[pair]);
        error
    }

    fn fits(&self, states: usize, actions: usize) -> bool {
        self.first.len() == states * actions && self.second.len() == states * actions
    }
}
