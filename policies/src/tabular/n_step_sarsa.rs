//! n-step SARSA.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// Q(s_t, a_t) += α (G − Q(s_t, a_t)) with G = r_{t+1} + γ r_{t+2} + … + γⁿ Q(s_{t+n}, a_{t+n}).
///
/// At an end the remaining pairs learn from what is left: without bootstrapping when the process terminated, from the last
/// state when it was only cut.
///
/// # Source
/// Sutton & Barto, 2nd ed., section 7.2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct NStepSarsa {
    n: usize,
    waiting: VecDeque<Experience>,
}

impl NStepSarsa {
    pub(super) fn new(n: usize) -> Self {
        Self {
            n,
            waiting: VecDeque::with_capacity(n),
        }
    }

    pub(super) fn is_for(&self, n: usize) -> bool {
        self.n == n && self.waiting.len() < n
    }

    /// Lets the oldest waiting pair learn and forgets it.
    fn settle(&mut self, context: &mut Context) -> f64 {
        let (mut target, mut factor) = (0.0, 1.0);
        for step in &self.waiting {
            target += factor * step.reward;
            factor *= step.discount;
            if factor == 0.0 {
                break;
            }
        }
        if let Some(last) = self.waiting.back()
            && factor != 0.0
        {
            target += factor * context.table.value(last.next_state, last.next_action);
        }
        match self.waiting.pop_front() {
            Some(oldest) => context.move_towards(oldest.state, oldest.action, target),
            None => 0.0,
        }
    }
}

impl Rule for NStepSarsa {
    const ON_POLICY: bool = true;

    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        self.waiting.push_back(*step);
        let mut error = 0.0;
        if self.waiting.len() == self.n {
            error = self.settle(context);
        }
        if step.ended {
            while !self.waiting.is_empty() {
                error = self.settle(context);
            }
        }
        error
    }

    fn forget_episode(&mut self) {
        self.waiting.clear();
    }

    fn fits(&self, states: usize, actions: usize) -> bool {
        self.waiting.iter().all(|step| step.fits(states, actions))
    }
}
