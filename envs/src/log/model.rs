//! A conversation, its turns and its decisions: one row of the log (mdp.md §2).
//!
//! Unknown is `None`, never 0. JSONL holds one [`Conversation`] a line, nested; Parquet holds the same in two tables
//! joined on `conversation_id`.

use serde::{Deserialize, Serialize};

use crate::class::{
    ActionSource, Channel, Class, PropensityKind, RatingScale, Review, Role, SatisfactionSource,
    SlaStatus,
};
use crate::mask::Mask;
use crate::observation::Observation;
use crate::tier::{Propensity, Tier, TierProbs};
use crate::time::UtcMicros;

/// Version of the log's columns.
pub const LOG_SCHEMA_VERSION: u32 = 1;

/// One conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conversation {
    /// Version of these columns: [`LOG_SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Unique within the log.
    pub conversation_id: String,
    /// The system it came from: `star`, `zendesk`, `shop`, …
    pub source_system: String,
    /// Where it took place.
    pub channel: Channel,
    /// When the customer opened it.
    pub created_at: UtcMicros,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<UtcMicros>,
    /// Keyed hash of the customer's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id_hash: Option<String>,
    /// BCP 47 tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// ISO 3166 region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Priority as the helpdesk names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Intent label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Class by audit or hindsight; it sets the service level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Seconds to the first answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_response_s: Option<f64>,
    /// The same within business hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_response_business_s: Option<f64>,
    /// Seconds to the resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolution_s: Option<f64>,
    /// Seconds the customer waited in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_wait_s: Option<f64>,
    /// Seconds agents waited for the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_wait_s: Option<f64>,
    /// Seconds in the queue before a person was assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_wait_s: Option<f64>,
    /// Seconds of people's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_handle_s: Option<f64>,
    /// The human seconds are an estimate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_handle_estimated: Option<bool>,
    /// Times reopened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopens: Option<i32>,
    /// Reopened within 7 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reopened_7d: Option<bool>,
    /// Escalated by the customer or an agent within 7 days; a policy's own higher tier is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalated_7d: Option<bool>,
    /// Replies sent to the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replies: Option<i32>,
    /// People who held it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignees: Option<i32>,
    /// A bot took part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_involved: Option<bool>,
    /// A bot closed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_resolved: Option<bool>,
    /// A bot handed it to a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bot_handoff: Option<bool>,
    /// The final tier.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "optional_tier_number"
    )]
    pub tier: Option<Tier>,
    /// Raw mark of the last rating.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_raw: Option<i8>,
    /// Its scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_scale: Option<RatingScale>,
    /// When it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_at: Option<UtcMicros>,
    /// The customer wrote a remark with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_remark_present: Option<bool>,
    /// Satisfaction in [0, 1] where it does not come from `rating_raw`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction: Option<f64>,
    /// Where `satisfaction` comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub satisfaction_source: Option<SatisfactionSource>,
    /// Name of the service-level policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_name: Option<String>,
    /// Its state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_status: Option<SlaStatus>,
    /// Its limit in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sla_limit_s: Option<f64>,
    /// The customer left unanswered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abandoned: Option<bool>,
    /// The last silence was cut at 72 h: the end was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<bool>,
    /// First click within its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clicked_at: Option<UtcMicros>,
    /// First purchase within its window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted_at: Option<UtcMicros>,
    /// Whether clicks and purchases were tracked for this conversation: tells "no click" from "not measured".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcomes_tracked: Option<bool>,
    /// Value of the order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_value: Option<f64>,
    /// Its ISO 4217 currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// Files that came with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// Messages in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub turns: Vec<Turn>,
    /// Tier decisions in order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decisions: Vec<Decision>,
}

/// A file that came with a conversation; only its description is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// `image`, `video`, `audio` or `file`.
    pub kind: String,
    /// MIME type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// Size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<i64>,
    /// Length of audio and video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Hex digest of the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Turn {
    /// Who wrote it.
    pub role: Role,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<UtcMicros>,
    /// The text; optional, for logs may be hashed or hold features only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Hash of the text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_hash: Option<String>,
    /// Intent label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,
    /// Sentiment in [-1, 1].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sentiment: Option<f64>,
    /// An AI draft was changed before it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft_edited: Option<bool>,
}

/// One tier decision: what was seen, allowed, done, and what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Index in `turns` of the customer message that was answered (of the first, when several came in a row); the
    /// decision's number where the log has no turns.
    pub turn: i32,
    /// When it was made.
    pub decided_at: UtcMicros,
    /// Version of the observation's features.
    pub feature_schema: u32,
    /// What was seen.
    pub observation: Observation,
    /// What was allowed.
    pub mask: Mask,
    /// What was done: 1 to 3.
    #[serde(with = "tier_number")]
    pub action: Tier,
    /// Probabilities of the logging policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probs: Option<TierProbs>,
    /// Probability of the action taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity: Option<Propensity>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub propensity_kind: Option<PropensityKind>,
    /// Who chose.
    pub action_source: ActionSource,
    /// The policy's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_id: Option<String>,
    /// The policy's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// Arm of the live test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// Time block of a switchback test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_id: Option<String>,
    /// People busy at that moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_busy: Option<i32>,
    /// People available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_slots: Option<i32>,
    /// Messages waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_len: Option<i32>,
    /// Expected wait, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_wait_s: Option<f64>,
    /// Seconds from the customer's message to its answer, in [0, 7 days].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_s: Option<f64>,
    /// The same within business hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer_business_s: Option<f64>,
    /// Seconds of people's time this answer took, in [0, 7 days].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_s: Option<f64>,
    /// AI answers and drafts made for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ai_calls: Option<i32>,
    /// What the reviewer did with the draft.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<Review>,
}

/// A tier as its number in the log.
mod tier_number {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::tier::Tier;

    pub(super) fn serialize<S: Serializer>(tier: &Tier, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(tier.number())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Tier, D::Error> {
        Tier::deserialize(deserializer)
    }
}

/// An optional tier as its number in the log.
mod optional_tier_number {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::tier::Tier;

    pub(super) fn serialize<S: Serializer>(
        tier: &Option<Tier>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match tier {
            Some(tier) => serializer.serialize_some(&tier.number()),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Tier>, D::Error> {
        Option::deserialize(deserializer)
    }
}
