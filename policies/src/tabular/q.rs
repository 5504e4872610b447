//! One-step Q-learning.

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// Q(s, a) += α (r + γ max Q(s′, ·) − Q(s, a)), the maximum over the allowed actions of s′.
///
/// # Source
/// Watkins & Dayan, Machine Learning 1992.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Q;

impl Rule for Q {
    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        let mut target = step.reward;
        if step.discount != 0.0 {
            target += step.discount * context.table.max(step.next_state, step.next_mask);
        }
        context.move_towards(step.state, step.action, target)
    }
}
