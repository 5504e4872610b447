//! SARSA.

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// Q(s, a) += α (r + γ Q(s′, a′) − Q(s, a)), with a′ the action taken next.
///
/// # Source
/// Rummery & Niranjan, 1994; Sutton & Barto, 2nd ed., equation 6.7.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Sarsa;

impl Rule for Sarsa {
    const ON_POLICY: bool = true;

    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        let mut target = step.reward;
        if step.discount != 0.0 {
            target += step.discount * context.table.value(step.next_state, step.next_action);
        }
        context.move_towards(step.state, step.action, target)
    }
}
