//! The columns a mapping may fill, and what each of them takes.

use crate::class::{
    ActionSource, Channel, Class, PropensityKind, RatingScale, Review, Role, SatisfactionSource,
    SlaStatus,
};
use crate::observation::Feature;

/// What a column takes, and with it how a source's value is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Text as it stands.
    Text,
    /// A customer's plain id, stored as its keyed hash.
    Customer,
    /// A time.
    Instant,
    /// Seconds of an answer or a wait: [0, 7 days].
    Duration,
    /// Seconds without an upper limit.
    Seconds,
    /// A number in a range.
    Number(f64, f64),
    /// A propensity: (0, 1].
    Propensity,
    /// A whole number of at least 0.
    Count,
    /// A rating's whole number; its scale is checked with it.
    Mark,
    /// Yes or no.
    Flag,
    /// A name of a closed list: whether it is one, and all of them.
    Name(fn(&str) -> bool, fn() -> String),
    /// A tier by number or name.
    Tier,
    /// A list of texts.
    List,
    /// A feature of the observation.
    Feature(Feature),
}

/// [`Kind::Name`] of an enum made by `named!`.
macro_rules! name {
    ($kind:ty) => {
        Kind::Name(
            |name| <$kind>::from_name(name).is_some(),
            || {
                let names: Vec<_> = <$kind>::ALL.iter().map(|kind| kind.name()).collect();
                names.join(", ")
            },
        )
    };
}

/// Columns of the conversation. `customer_id` is hashed into `customer_id_hash`.
pub(super) const CONVERSATION: &[(&str, Kind)] = &[
    ("conversation_id", Kind::Text),
    ("source_system", Kind::Text),
    ("channel", name!(Channel)),
    ("created_at", Kind::Instant),
    ("closed_at", Kind::Instant),
    ("customer_id", Kind::Customer),
    ("customer_id_hash", Kind::Text),
    ("language", Kind::Text),
    ("region", Kind::Text),
    ("priority", Kind::Text),
    ("tags", Kind::List),
    ("intent", Kind::Text),
    ("class", name!(Class)),
    ("first_response_s", Kind::Duration),
    ("first_response_business_s", Kind::Duration),
    ("resolution_s", Kind::Seconds),
    ("customer_wait_s", Kind::Duration),
    ("agent_wait_s", Kind::Duration),
    ("queue_wait_s", Kind::Duration),
    ("human_handle_s", Kind::Duration),
    ("human_handle_estimated", Kind::Flag),
    ("reopens", Kind::Count),
    ("reopened_7d", Kind::Flag),
    ("escalated_7d", Kind::Flag),
    ("replies", Kind::Count),
    ("assignees", Kind::Count),
    ("bot_involved", Kind::Flag),
    ("bot_resolved", Kind::Flag),
    ("bot_handoff", Kind::Flag),
    ("tier", Kind::Tier),
    ("rating_raw", Kind::Mark),
    ("rating_scale", name!(RatingScale)),
    ("rating_at", Kind::Instant),
    ("rating_remark_present", Kind::Flag),
    ("satisfaction", Kind::Number(0.0, 1.0)),
    ("satisfaction_source", name!(SatisfactionSource)),
    ("sla_name", Kind::Text),
    ("sla_status", name!(SlaStatus)),
    ("sla_limit_s", Kind::Seconds),
    ("abandoned", Kind::Flag),
    ("truncated", Kind::Flag),
    ("clicked_at", Kind::Instant),
    ("converted_at", Kind::Instant),
    ("outcomes_tracked", Kind::Flag),
    ("order_value", Kind::Number(f64::MIN, f64::MAX)),
    ("currency", Kind::Text),
];

/// Columns of a decision. The `p_` columns make up `probs`, the `mask_` columns `mask`.
pub(super) const DECISION: &[(&str, Kind)] = &[
    ("turn", Kind::Count),
    ("decided_at", Kind::Instant),
    ("action", Kind::Tier),
    ("action_source", name!(ActionSource)),
    ("mask_auto", Kind::Flag),
    ("mask_review", Kind::Flag),
    ("mask_human", Kind::Flag),
    ("p_auto", Kind::Number(0.0, 1.0)),
    ("p_review", Kind::Number(0.0, 1.0)),
    ("p_human", Kind::Number(0.0, 1.0)),
    ("propensity", Kind::Propensity),
    ("propensity_kind", name!(PropensityKind)),
    ("policy_id", Kind::Text),
    ("policy_version", Kind::Text),
    ("arm", Kind::Text),
    ("block_id", Kind::Text),
    ("pool_busy", Kind::Count),
    ("pool_slots", Kind::Count),
    ("queue_len", Kind::Count),
    ("expected_wait_s", Kind::Seconds),
    ("answer_s", Kind::Duration),
    ("answer_business_s", Kind::Duration),
    ("human_s", Kind::Duration),
    ("ai_calls", Kind::Count),
    ("review", name!(Review)),
];

/// Columns of a turn.
pub(super) const TURN: &[(&str, Kind)] = &[
    ("role", name!(Role)),
    ("at", Kind::Instant),
    ("text", Kind::Text),
    ("text_hash", Kind::Text),
    ("intent", Kind::Text),
    ("sentiment", Kind::Number(-1.0, 1.0)),
    ("draft_edited", Kind::Flag),
];

/// Columns of a rating in a list of them.
pub(super) const RATING: &[(&str, Kind)] = &[
    ("raw", Kind::Mark),
    ("scale", name!(RatingScale)),
    ("at", Kind::Instant),
];

/// The column of a list with this name, with its place in the list's own words.
pub(super) fn find(
    list: &'static [(&'static str, Kind)],
    name: &str,
) -> Option<(&'static str, Kind)> {
    list.iter().copied().find(|(known, _)| *known == name)
}

/// A feature as a column.
pub(super) fn feature(name: &str) -> Option<(&'static str, Kind)> {
    Feature::from_name(name).map(|feature| (feature.spec().name, Kind::Feature(feature)))
}
