//! n-step tree backup towards the greedy policy.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// Q(s_t, a_t) += α (G_t − Q(s_t, a_t)), where G_k = r_{k+1} + γ G_{k+1} while the action taken in s_{k+1} is the greedy one,
/// else G_k = r_{k+1} + γ max Q(s_{k+1}, ·); the last G bootstraps with the maximum.
///
/// This is the tree backup of Sutton & Barto with a greedy target policy: returns reach n steps back as long as behaviour is
/// greedy, and no importance weights are needed where it is not.
///
/// # Source
/// Precup, Sutton & Singh, ICML 2000; Sutton & Barto, 2nd ed., equation 7.16.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TreeBackup {
    n: usize,
    waiting: VecDeque<Experience>,
}

impl TreeBackup {
    pub(super) fn new(n: usize) -> Self {
        Self {
            n,
            waiting: VecDeque::with_capacity(n),
        }
    }

    pub(super) fn is_for(&self, n: usize) -> bool {
        self.n == n && self.waiting.len() < n
    }

    fn settle(&mut self, context: &mut Context) -> f64 {
        let mut target = 0.0;
        let mut later: Option<&Experience> = None;
        for step in self.waiting.iter().rev() {
            let mut ahead = 0.0;
            if step.discount != 0.0 {
                let (greedy, max) = context.table.best(step.next_state, step.next_mask);
                let follows = later.is_some_and(|later| later.action == greedy);
                ahead = step.discount * if follows { target } else { max };
            }
            target = step.reward + ahead;
            later = Some(step);
        }
        match self.waiting.pop_front() {
            Some(oldest) => context.move_towards(oldest.state, oldest.action, target),
            None => 0.0,
        }
    }
}

impl Rule for TreeBackup {
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
