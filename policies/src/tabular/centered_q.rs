//! Q-learning with reward centering.

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// δ = r − ρ Δt + γ max Q(s′, ·) − Q(s, a); Q(s, a) += α δ; ρ += η α δ.
///
/// Subtracting the average reward ρ takes the constant ρ / (1 − γ) out of all values. The ranking of actions stays that of the
/// discounted problem, but what is left to learn is small: with a discount near one, seldom visited pairs no longer lag
/// behind a common level that is still rising. A decision whose episode ends with it learns its reward alone, as in
/// Q-learning.
///
/// # Source
/// Naik, Wan, Tomar & Sutton, Reward Centering, RLC 2024, section 3 (value-based centering).
/// # Differs from the paper
/// Steps last Δt seconds instead of one, so ρ is per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CenteredQ {
    rate_step: f64,
    reward_per_s: f64,
}

impl CenteredQ {
    pub(super) fn new(rate_step: f64) -> Self {
        Self {
            rate_step,
            reward_per_s: 0.0,
        }
    }

    pub(super) fn is_for(&self, rate_step: f64) -> bool {
        self.rate_step == rate_step
    }

    pub(super) fn reward_per_s(&self) -> f64 {
        self.reward_per_s
    }
}

impl Rule for CenteredQ {
    const RENEWS: bool = true;

    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        if step.discount == 0.0 {
            return context.move_towards(step.state, step.action, step.reward);
        }
        let ahead = step.discount * context.table.max(step.next_state, step.next_mask);
        let target = step.reward - self.reward_per_s * step.elapsed_s + ahead;
        let size = context.step_size(step.state, step.action);
        let entry = context.table.entry(step.state, step.action);
        let error = target - *entry;
        *entry += size * error;
        self.reward_per_s += self.rate_step * size * error;
        error
    }

    fn fits(&self, _states: usize, _actions: usize) -> bool {
        self.reward_per_s.is_finite()
    }
}
