//! Differential Q-learning, for average reward per second.

use serde::{Deserialize, Serialize};

use super::rule::{Context, Experience, Rule};

/// δ = r − ρ Δt + max Q(s′, ·) − Q(s, a); Q(s, a) += α δ; ρ += η α δ.
///
/// ρ converges to the best average reward per second, Q to differential values up to a constant. There is no discount; an
/// episode that ends is followed by the next one's start.
///
/// # Source
/// Wan, Naik & Sutton, ICML 2021, equations 5 and 6.
/// # Differs from the paper
/// Steps last Δt seconds instead of one, so ρ is per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct DifferentialQ {
    rate_step: f64,
    reward_per_s: f64,
}

impl DifferentialQ {
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

impl Rule for DifferentialQ {
    const RENEWS: bool = true;

    #[inline]
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64 {
        let ahead = context.table.max(step.next_state, step.next_mask);
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
