//! Expected SARSA.

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// Q(s, a) += α (r + γ Σ π(a′|s′) Q(s′, a′) − Q(s, a)), with π the ε-greedy policy of the moment over allowed actions.
///
/// # Source
/// van Seijen et al., ADPRL 2009; Sutton & Barto, 2nd ed., equation 6.9.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct ExpectedSarsa;

impl Rule for ExpectedSarsa {
    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        let mut target = step.reward;
        if step.discount != 0.0 {
            let row = context.table.row(step.next_state);
            let (mut sum, mut max, mut allowed) = (0.0, f64::NEG_INFINITY, 0.0);
            for (action, &value) in row.iter().enumerate() {
                if step.next_mask >> action & 1 == 1 {
                    sum += value;
                    allowed += 1.0;
                    max = if value > max { value } else { max };
                }
            }
            let expected = (1.0 - context.epsilon) * max + context.epsilon * (sum / allowed);
            target += step.discount * expected;
        }
        context.move_towards(step.state, step.action, target)
    }
}
