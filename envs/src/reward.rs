//! Reward = satisfaction × efficiency, computed in one place for simulator, judge and router.
//!
//! R = S · E_time · E_cost, each in [0, 1] (mdp.md §1.6). Parameters are frozen and versioned: two results are
//! compared only under the same [`RewardSpec::version`]. A reward that cannot be known is absent with its reason,
//! never 0 and never 1.

pub(crate) mod efficiency;
mod satisfaction;

use serde::{Deserialize, Serialize};

pub use self::efficiency::{AnswerTime, Cost};
pub use self::satisfaction::{
    Rating, RatingError, Satisfaction, SatisfactionEvidence, last_rating,
};
use crate::class::{Class, SatisfactionSource};

/// Which clock the service level runs on for messages that arrive out of hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlaClock {
    /// Elapsed time, day and night.
    #[default]
    Calendar,
    /// Time within business hours only.
    Business,
}

impl SlaClock {
    /// The duration that counts, of one on the calendar and one on the business clock.
    #[must_use]
    pub const fn pick(self, elapsed: f64, business: f64) -> f64 {
        match self {
            Self::Calendar => elapsed,
            Self::Business => business,
        }
    }
}

/// How S and E become one number.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RewardShape {
    /// R = S · E, the default.
    Product,
    /// R = Sᵃ · Eᵇ with a, b > 0.
    Powers {
        /// Exponent of satisfaction.
        a: f64,
        /// Exponent of efficiency.
        b: f64,
    },
    /// R = w S + (1 − w) E with w in [0, 1].
    Weighted {
        /// Weight of satisfaction.
        w: f64,
    },
}

/// Parameters of the reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RewardSpec {
    /// Seconds in which a message of each class must be answered (simple, complex, complaint), > 0.
    pub sla_limit_s: [f64; 3],
    /// Clock of the service level.
    pub sla_clock: SlaClock,
    /// k: the share of the reward that a fully human conversation gives up to cost, in [0, 1).
    pub cost_weight: f64,
    /// Cost of an hour of a person's time, in currency units, ≥ 0.
    pub wage_per_hour: f64,
    /// Cost of one AI answer or draft, in currency units, ≥ 0.
    pub price_per_ai_call: f64,
    /// C_ref: median cost of a conversation handled fully at tier 3, in currency units, > 0.
    pub reference_cost: f64,
    /// Human seconds assumed for an answer at each tier where the log has none; such rewards are flagged.
    pub default_human_s: [f64; 3],
    /// How S and E become one number.
    pub shape: RewardShape,
}

impl Default for RewardSpec {
    fn default() -> Self {
        Self {
            sla_limit_s: [5.0, 120.0, 120.0],
            sla_clock: SlaClock::Calendar,
            cost_weight: 0.5,
            wage_per_hour: 18.0,
            price_per_ai_call: 0.004,
            // 300 s of a person at 18 an hour.
            reference_cost: 1.5,
            default_human_s: [0.0, 45.0, 180.0],
            shape: RewardShape::Product,
        }
    }
}

/// A reward parameter out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct RewardSpecError {
    /// The key in the configuration.
    pub key: &'static str,
    /// The value given.
    pub value: f64,
    /// What would be right.
    pub expected: &'static str,
}

/// Why a conversation has no reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoReward {
    /// Nobody answered a survey and no satisfaction model was given.
    SatisfactionUnknown,
    /// The class is unknown, and with it the service level.
    ClassUnknown,
    /// An answered message has no answer time on the chosen clock.
    AnswerTimeUnknown,
    /// A duration, count or satisfaction is negative, not finite or out of range.
    Invalid,
}

/// What happened in a conversation, as far as the reward needs it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The class required by audit or hindsight, not the live guess.
    pub class: Option<Class>,
    /// Evidence on satisfaction.
    pub satisfaction: SatisfactionEvidence,
    /// One per answered customer message.
    pub answers: &'a [AnswerTime],
    /// What it cost.
    pub cost: Cost,
}

/// What a simulated conversation came to: everything known, nothing assumed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Totals {
    /// The true class.
    pub class: Class,
    /// S, in [0, 1], halved already where the customer came back.
    pub satisfaction: f64,
    /// The customer left unanswered: S is 0.
    pub abandoned: bool,
    /// Seconds beyond the service level of the class, all answers together, ≥ 0.
    pub excess_s: f64,
    /// Seconds of people's time, ≥ 0.
    pub human_s: f64,
    /// AI answers and drafts.
    pub ai_calls: u32,
}

/// The reward of one conversation with its parts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reward {
    /// R, in [0, 1].
    pub total: f64,
    /// S, in [0, 1].
    pub satisfaction: f64,
    /// Where S comes from.
    pub satisfaction_source: SatisfactionSource,
    /// S comes from a two-point scale.
    pub coarse: bool,
    /// E_time, in (0, 1].
    pub time: f64,
    /// E_cost, in [1 − k, 1].
    pub cost: f64,
    /// Seconds of people's time, because S = 0 hides cost.
    pub human_s: f64,
    /// AI answers and drafts.
    pub ai_calls: u32,
    /// Some human seconds are the tier's default.
    pub cost_assumed: bool,
}

impl RewardSpec {
    /// Fingerprint of the parameters; results carry it, and only equal versions are compared.
    #[must_use]
    pub fn version(&self) -> String {
        let text = serde_json::to_string(self).expect("a reward spec is plain numbers");
        blake3::hash(text.as_bytes()).to_hex()[..12].to_owned()
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`RewardSpecError`] names the first key out of range.
    pub fn validate(&self) -> Result<(), RewardSpecError> {
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        let mut checks = vec![
            (
                "cost_weight",
                self.cost_weight,
                (0.0..1.0).contains(&self.cost_weight),
                "it lies in [0, 1); at 1 a complaint handled by a person would earn nothing",
            ),
            (
                "wage_per_hour",
                self.wage_per_hour,
                not_negative(self.wage_per_hour),
                "it is at least 0",
            ),
            (
                "price_per_ai_call",
                self.price_per_ai_call,
                not_negative(self.price_per_ai_call),
                "it is at least 0",
            ),
            (
                "reference_cost",
                self.reference_cost,
                positive(self.reference_cost),
                "it is above 0",
            ),
        ];
        for limit in self.sla_limit_s {
            checks.push((
                "sla_limit_s",
                limit,
                positive(limit),
                "every limit is above 0 seconds",
            ));
        }
        for seconds in self.default_human_s {
            checks.push((
                "default_human_s",
                seconds,
                not_negative(seconds),
                "it is at least 0 seconds",
            ));
        }
        match self.shape {
            RewardShape::Product => {}
            RewardShape::Powers { a, b } => {
                checks.push(("shape.a", a, positive(a), "an exponent is above 0"));
                checks.push(("shape.b", b, positive(b), "an exponent is above 0"));
            }
            RewardShape::Weighted { w } => {
                checks.push((
                    "shape.w",
                    w,
                    (0.0..=1.0).contains(&w),
                    "a weight lies in [0, 1]",
                ));
            }
        }
        match checks.into_iter().find(|(_, _, fine, _)| !fine) {
            None => Ok(()),
            Some((key, value, _, expected)) => Err(RewardSpecError {
                key,
                value,
                expected,
            }),
        }
    }

    /// The service level of a class, in seconds.
    #[must_use]
    pub const fn limit_s(&self, class: Class) -> f64 {
        self.sla_limit_s[class as usize]
    }

    /// The reward of a conversation.
    ///
    /// # Errors
    /// [`NoReward`] says why there is none.
    /// # Source
    /// mdp.md §1.6: R = S · E_time · E_cost.
    pub fn reward(&self, outcome: &Outcome<'_>) -> Result<Reward, NoReward> {
        let satisfaction = outcome.satisfaction.resolve()?;
        let class = outcome.class.ok_or(NoReward::ClassUnknown)?;
        let time = efficiency::time(self.limit_s(class), self.sla_clock, outcome.answers)?;
        let human_s = outcome.cost.human_seconds(self)?;
        let cost = self.cost_efficiency(human_s, outcome.cost.ai_calls);
        Ok(Reward {
            total: self.combine(satisfaction.value, time, cost),
            satisfaction: satisfaction.value,
            satisfaction_source: satisfaction.source,
            coarse: satisfaction.coarse,
            time,
            cost,
            human_s,
            ai_calls: outcome.cost.ai_calls,
            cost_assumed: outcome.cost.is_assumed(),
        })
    }

    /// The reward of a simulated conversation: the same as [`RewardSpec::reward`], from tallies instead of answer times.
    #[must_use]
    pub fn of_totals(&self, of: &Totals) -> Reward {
        let (satisfaction, satisfaction_source) = if of.abandoned {
            (0.0, SatisfactionSource::Abandoned)
        } else {
            (of.satisfaction, SatisfactionSource::Simulated)
        };
        let limit_s = self.limit_s(of.class);
        let time = limit_s / (limit_s + of.excess_s);
        let cost = self.cost_efficiency(of.human_s, of.ai_calls);
        Reward {
            total: self.combine(satisfaction, time, cost),
            satisfaction,
            satisfaction_source,
            coarse: false,
            time,
            cost,
            human_s: of.human_s,
            ai_calls: of.ai_calls,
            cost_assumed: false,
        }
    }

    /// E_cost = 1 − k · min(1, C / C_ref), in [1 − k, 1], with C = human_s × wage + AI calls × price.
    #[must_use]
    pub fn cost_efficiency(&self, human_s: f64, ai_calls: u32) -> f64 {
        efficiency::cost(self, human_s, ai_calls)
    }

    /// R from its parts, each in [0, 1].
    #[must_use]
    pub fn combine(&self, satisfaction: f64, time: f64, cost: f64) -> f64 {
        let efficiency = time * cost;
        match self.shape {
            RewardShape::Product => satisfaction * efficiency,
            RewardShape::Powers { a, b } => satisfaction.powf(a) * efficiency.powf(b),
            RewardShape::Weighted { w } => w * satisfaction + (1.0 - w) * efficiency,
        }
    }
}

#[cfg(test)]
mod tests;
