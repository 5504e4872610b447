//! Decisions as columns, for everything that loops over a log.
//!
//! A struct of arrays with only the columns asked for: ten million decisions with the tabular view's features stay
//! below 1 GiB. Parquet logs are loaded column by column; JSONL is streamed. Rewards come out of these columns through
//! the same [`super::outcome`] as out of conversations; durations are single precision here.

mod build;
mod load;

use crate::class::{ActionSource, Class, PropensityKind, RatingScale, SatisfactionSource};
use crate::log::outcome::{AnswerRow, ConversationOutcome, EvidenceRow};
use crate::mask::Mask;
use crate::observation::{Feature, Observation};
use crate::reward::{AnswerTime, NoReward, Rating, Reward, RewardSpec};
use crate::tier::Tier;
use crate::time::UtcMicros;

/// Which columns a loop needs; those not asked for stay empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Needed {
    /// Features of the observation.
    pub features: Vec<Feature>,
    /// The logging policy's probabilities.
    pub probs: bool,
    /// When decisions were made.
    pub decided_at: bool,
    /// What the reward needs: answer times, human seconds, AI calls, satisfaction.
    pub outcomes: bool,
    /// Answer times within business hours, for rewards on the business clock.
    pub business_hours: bool,
}

impl Needed {
    /// What the tabular view sees, and the outcomes.
    #[must_use]
    pub fn tabular() -> Self {
        Self {
            features: vec![
                Feature::Class,
                Feature::Sentiment,
                Feature::BusyReview,
                Feature::BusyHuman,
                Feature::Turn,
            ],
            outcomes: true,
            ..Self::default()
        }
    }

    /// Every column.
    #[must_use]
    pub fn everything() -> Self {
        Self {
            features: Feature::ALL.to_vec(),
            probs: true,
            decided_at: true,
            outcomes: true,
            business_hours: true,
        }
    }
}

/// What is known yes or no about a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConversationFlags(u8);

impl ConversationFlags {
    /// The customer left unanswered.
    pub const ABANDONED: Self = Self(1);
    /// Reopened or escalated within 7 days.
    pub const CAME_BACK: Self = Self(2);
    /// The last silence was cut at 72 h.
    pub const TRUNCATED: Self = Self(4);
    /// Clicks and purchases were tracked.
    pub const TRACKED: Self = Self(8);
    /// There was a click.
    pub const CLICKED: Self = Self(16);
    /// There was a purchase.
    pub const CONVERTED: Self = Self(32);

    /// Whether all of the flags given are set.
    #[must_use]
    pub const fn has(self, flags: Self) -> bool {
        self.0 & flags.0 == flags.0
    }

    pub(super) const fn set(&mut self, flags: Self, on: bool) {
        if on {
            self.0 |= flags.0;
        }
    }
}

/// One entry a conversation.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ConversationColumns {
    /// Where its decisions begin; one entry more than conversations, the last is the number of decisions.
    pub first_decision: Vec<u32>,
    /// First 8 bytes of the blake3 digest of its id, as [`super::validate::id_hash`] gives them.
    pub id_hash: Vec<u64>,
    /// When the customer opened it.
    pub created_at: Vec<UtcMicros>,
    /// Class by audit or hindsight.
    pub class: Vec<Option<Class>>,
    /// Code of the primary language, as [`crate::observation::language_code`] gives it; 0 where unknown.
    pub language: Vec<u16>,
    /// Abandoned, came back, clicked and the like.
    pub flags: Vec<ConversationFlags>,
    /// Raw mark of the last rating; only meaningful with a scale. With [`Needed::outcomes`].
    pub rating_raw: Vec<i8>,
    /// Scale of the rating, `None` without one. With [`Needed::outcomes`].
    pub rating_scale: Vec<Option<RatingScale>>,
    /// Derived satisfaction in [0, 1], NaN without. With [`Needed::outcomes`].
    pub satisfaction: Vec<f32>,
    /// Where it comes from. With [`Needed::outcomes`].
    pub satisfaction_source: Vec<Option<SatisfactionSource>>,
    /// Seconds of people's time, NaN where unknown. With [`Needed::outcomes`].
    pub human_handle_s: Vec<f32>,
}

/// A log's decisions in its order, one entry each.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct DecisionColumns {
    /// Index of the conversation.
    pub conversation: Vec<u32>,
    /// What was done.
    pub action: Vec<Tier>,
    /// What was allowed.
    pub mask: Vec<Mask>,
    /// Who chose.
    pub source: Vec<ActionSource>,
    /// Probability of the action taken, in (0, 1]; NaN where unknown.
    pub propensity: Vec<f64>,
    /// Where it comes from.
    pub propensity_kind: Vec<Option<PropensityKind>>,
    /// About the same customer message as the decision before it.
    pub same_message: Vec<bool>,
    /// Probabilities of the logging policy, NaN where unknown. With [`Needed::probs`].
    pub probs: Vec<[f64; 3]>,
    /// When it was made. With [`Needed::decided_at`].
    pub decided_at: Vec<UtcMicros>,
    /// Seconds to the answer, NaN where unknown. With [`Needed::outcomes`].
    pub answer_s: Vec<f32>,
    /// The same within business hours. With [`Needed::business_hours`].
    pub answer_business_s: Vec<f32>,
    /// Seconds of people's time, NaN where unknown. With [`Needed::outcomes`].
    pub human_s: Vec<f32>,
    /// AI answers and drafts, −1 where unknown; more than 32767 count as that. With [`Needed::outcomes`].
    pub ai_calls: Vec<i16>,
    /// The features asked for, NaN where unknown.
    pub features: Vec<(Feature, Vec<f32>)>,
    /// The conversations they belong to.
    pub conversations: ConversationColumns,
}

/// Unknown from NaN.
fn known(value: f32) -> Option<f64> {
    (!value.is_nan()).then(|| f64::from(value))
}

impl ConversationColumns {
    /// How many conversations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.id_hash.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.id_hash.is_empty()
    }
}

impl DecisionColumns {
    /// How many decisions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.action.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.action.is_empty()
    }

    /// A feature's column, if it was asked for.
    #[must_use]
    pub fn feature(&self, feature: Feature) -> Option<&[f32]> {
        self.features
            .iter()
            .find(|(name, _)| *name == feature)
            .map(|(_, values)| &**values)
    }

    /// A decision's observation as far as its features were asked for.
    #[must_use]
    pub fn observation(&self, decision: usize) -> Observation {
        let mut observation = Observation::unknown();
        for (feature, values) in &self.features {
            observation.set(*feature, values[decision]);
        }
        observation
    }

    /// Positions of a conversation's decisions.
    #[must_use]
    pub fn decisions_of(&self, conversation: usize) -> std::ops::Range<usize> {
        let first = &self.conversations.first_decision;
        first[conversation] as usize..first[conversation + 1] as usize
    }

    /// What happened in a conversation; `None` when it has no decision, or outcomes were not asked for.
    #[must_use]
    pub fn outcome(&self, conversation: usize) -> Option<ConversationOutcome> {
        let c = &self.conversations;
        let decisions = self.decisions_of(conversation);
        if decisions.is_empty() || self.answer_s.is_empty() {
            return None;
        }
        let flags = c.flags[conversation];
        let evidence = EvidenceRow {
            class: c.class[conversation],
            abandoned: flags.has(ConversationFlags::ABANDONED),
            came_back: flags.has(ConversationFlags::CAME_BACK),
            rating: c.rating_scale[conversation].map(|scale| Rating {
                raw: i64::from(c.rating_raw[conversation]),
                scale,
                at: None,
            }),
            derived: known(c.satisfaction[conversation]).zip(c.satisfaction_source[conversation]),
            human_handle_s: known(c.human_handle_s[conversation]),
        };
        let rows = decisions.map(|i| AnswerRow {
            same_message: self.same_message[i],
            tier: self.action[i],
            answer: AnswerTime {
                elapsed_s: known(self.answer_s[i]),
                business_s: self.answer_business_s.get(i).copied().and_then(known),
            },
            human_s: known(self.human_s[i]),
            ai_calls: u32::try_from(self.ai_calls[i]).ok(),
        });
        Some(ConversationOutcome::assemble(&evidence, rows))
    }

    /// A conversation's reward; `modelled` is m(x, tier), used when nobody answered.
    ///
    /// # Errors
    /// [`NoReward`] says why there is none; a conversation without a decision has no answer time here.
    pub fn reward(
        &self,
        conversation: usize,
        spec: &RewardSpec,
        modelled: Option<f64>,
    ) -> Result<Reward, NoReward> {
        self.outcome(conversation)
            .ok_or(NoReward::AnswerTimeUnknown)?
            .reward(spec, modelled)
    }
}

#[cfg(test)]
mod tests;
