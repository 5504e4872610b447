//! E_time and E_cost: answers inside the service level, and people's time.

use super::{NoReward, RewardSpec, SlaClock};
use crate::tier::Tier;

/// Seconds longer than this in one answer are a broken record, not a wait.
pub(crate) const MAX_DURATION_S: f64 = 7.0 * 86_400.0;

/// Seconds from a customer message to its answer, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AnswerTime {
    /// Elapsed seconds, in [0, 7 days].
    pub elapsed_s: Option<f64>,
    /// Seconds within business hours, in [0, 7 days].
    pub business_s: Option<f64>,
}

impl AnswerTime {
    /// An answer timed on the calendar clock only.
    #[must_use]
    pub const fn elapsed(seconds: f64) -> Self {
        Self {
            elapsed_s: Some(seconds),
            business_s: None,
        }
    }
}

/// What a conversation cost.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// Seconds of people's time that are known, ≥ 0.
    pub human_s: f64,
    /// Answers, by tier, whose human seconds are unknown; they are charged the tier's default and flagged.
    pub answers_without_human_s: [u32; 3],
    /// AI answers and drafts.
    pub ai_calls: u32,
}

impl Cost {
    /// Whether some human seconds are the tier's default.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.answers_without_human_s.iter().any(|n| *n > 0)
    }

    /// Known and assumed human seconds.
    ///
    /// # Errors
    /// [`NoReward::Invalid`] when they are negative or not finite.
    pub fn human_seconds(&self, spec: &RewardSpec) -> Result<f64, NoReward> {
        let assumed: f64 = Tier::ALL
            .iter()
            .map(|tier| {
                f64::from(self.answers_without_human_s[tier.index()])
                    * spec.default_human_s[tier.index()]
            })
            .sum();
        let seconds = self.human_s + assumed;
        if self.human_s < 0.0 || !seconds.is_finite() {
            return Err(NoReward::Invalid);
        }
        Ok(seconds)
    }
}

/// E_time = L / (L + Σᵢ max(0, tᵢ − L)), in (0, 1].
pub(super) fn time(limit_s: f64, clock: SlaClock, answers: &[AnswerTime]) -> Result<f64, NoReward> {
    let mut excess_s = 0.0;
    for answer in answers {
        let seconds = match clock {
            SlaClock::Calendar => answer.elapsed_s,
            SlaClock::Business => answer.business_s,
        }
        .ok_or(NoReward::AnswerTimeUnknown)?;
        if !(0.0..=MAX_DURATION_S).contains(&seconds) {
            return Err(NoReward::Invalid);
        }
        excess_s += (seconds - limit_s).max(0.0);
    }
    Ok(limit_s / (limit_s + excess_s))
}

/// E_cost = 1 − k · min(1, C / C_ref), in [1 − k, 1], with C = human_s × wage + AI calls × price.
pub(super) fn cost(spec: &RewardSpec, human_s: f64, ai_calls: u32) -> f64 {
    let spent =
        human_s * spec.wage_per_hour / 3_600.0 + f64::from(ai_calls) * spec.price_per_ai_call;
    1.0 - spec.cost_weight * (spent / spec.reference_cost).min(1.0)
}
