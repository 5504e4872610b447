//! The promises of a log's row that its types alone do not keep.
//!
//! Readers and writers call [`validate`] on every conversation, so whatever leaves a [`super::file::LogReader`] or
//! enters a [`super::file::LogWriter`] keeps them. Importers call it to reject a row with its column and reason.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};

use super::error::RowErrorKind;
use super::model::{Attachment, Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::class::Role;
use crate::observation::SCHEMA_VERSION;
use crate::reward::Rating;
use crate::reward::efficiency::MAX_DURATION_S;
use crate::tier::{Tier, TierProbs};
use crate::time::UtcMicros;

/// Microseconds since 1970 of 2200-01-01T00:00:00Z.
const YEAR_2200: i64 = 7_258_118_400_000_000;

/// A value that breaks a promise of the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{column}` is {value}; {expected}")]
pub struct Invalid {
    /// Path of the field, such as `decisions[2].propensity`.
    pub column: String,
    /// The value found.
    pub value: String,
    /// What would be right.
    pub expected: &'static str,
    /// [`RowErrorKind::Version`] for another schema, [`RowErrorKind::Invalid`] for the rest.
    pub kind: RowErrorKind,
}

/// Where a field stands; spelled out only when it is wrong.
#[derive(Clone, Copy)]
enum At {
    Top(&'static str),
    In(&'static str, usize, &'static str),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top(field) => f.write_str(field),
            Self::In(list, index, field) => write!(f, "{list}[{index}].{field}"),
        }
    }
}

fn refuse<T>(at: At, value: impl fmt::Display, expected: &'static str) -> Result<T, Invalid> {
    Err(Invalid {
        column: at.to_string(),
        value: value.to_string(),
        expected,
        kind: RowErrorKind::Invalid,
    })
}

fn require(
    fine: bool,
    at: At,
    value: impl fmt::Display,
    expected: &'static str,
) -> Result<(), Invalid> {
    if fine {
        Ok(())
    } else {
        refuse(at, value, expected)
    }
}

/// A duration of one answer or one wait.
fn duration(at: At, seconds: Option<f64>) -> Result<(), Invalid> {
    match seconds {
        Some(seconds) if !(0.0..=MAX_DURATION_S).contains(&seconds) => refuse(
            at,
            seconds,
            "a duration lies in [0, 604800] seconds (7 days); leave it out where it is unknown",
        ),
        _ => Ok(()),
    }
}

/// A number that only has to be finite and not negative.
fn amount(at: At, value: Option<f64>) -> Result<(), Invalid> {
    match value {
        Some(value) if !(value.is_finite() && value >= 0.0) => {
            refuse(at, value, "it is finite and at least 0")
        }
        _ => Ok(()),
    }
}

fn count(at: At, value: Option<i32>) -> Result<(), Invalid> {
    match value {
        Some(value) if value < 0 => refuse(at, value, "a count is at least 0"),
        _ => Ok(()),
    }
}

fn instant(at: At, time: Option<UtcMicros>) -> Result<(), Invalid> {
    match time {
        Some(time) if !(0..YEAR_2200).contains(&time.0) => refuse(
            at,
            time,
            "a time lies between 1970 and 2200; were milliseconds read as seconds?",
        ),
        _ => Ok(()),
    }
}

/// A time that cannot lie before the conversation began.
fn not_before(at: At, time: Option<UtcMicros>, earlier: UtcMicros) -> Result<(), Invalid> {
    instant(at, time)?;
    match time {
        Some(time) if time < earlier => {
            refuse(at, time, "it is not before the conversation's `created_at`")
        }
        _ => Ok(()),
    }
}

fn version(at: At, found: u32, supported: u32, expected: &'static str) -> Result<(), Invalid> {
    if found == supported {
        return Ok(());
    }
    Err(Invalid {
        column: at.to_string(),
        value: found.to_string(),
        expected,
        kind: RowErrorKind::Version,
    })
}

/// Checks everything a row promises beyond its types.
///
/// # Errors
/// [`Invalid`] names the first field that breaks a promise.
pub fn validate(conversation: &Conversation) -> Result<(), Invalid> {
    use At::Top;
    let c = conversation;
    version(
        Top("schema_version"),
        c.schema_version,
        LOG_SCHEMA_VERSION,
        "this build reads version 1 of the log's columns; convert the log",
    )?;
    for (field, text) in [
        ("conversation_id", &c.conversation_id),
        ("source_system", &c.source_system),
    ] {
        require(!text.is_empty(), Top(field), "empty", "it names something")?;
    }
    instant(Top("created_at"), Some(c.created_at))?;
    for (field, time) in [
        ("closed_at", c.closed_at),
        ("rating_at", c.rating_at),
        ("clicked_at", c.clicked_at),
        ("converted_at", c.converted_at),
    ] {
        not_before(Top(field), time, c.created_at)?;
    }
    for (field, seconds) in [
        ("first_response_s", c.first_response_s),
        ("first_response_business_s", c.first_response_business_s),
        ("customer_wait_s", c.customer_wait_s),
        ("agent_wait_s", c.agent_wait_s),
        ("queue_wait_s", c.queue_wait_s),
        ("human_handle_s", c.human_handle_s),
    ] {
        duration(Top(field), seconds)?;
    }
    for (field, value) in [
        ("resolution_s", c.resolution_s),
        ("sla_limit_s", c.sla_limit_s),
    ] {
        amount(Top(field), value)?;
    }
    for (field, value) in [
        ("reopens", c.reopens),
        ("replies", c.replies),
        ("assignees", c.assignees),
    ] {
        count(Top(field), value)?;
    }
    if let Some(value) = c.order_value {
        require(
            value.is_finite(),
            Top("order_value"),
            value,
            "it is a finite number",
        )?;
    }
    if let Some(code) = &c.currency {
        let fine = code.len() == 3 && code.bytes().all(|b| b.is_ascii_uppercase());
        require(
            fine,
            Top("currency"),
            code,
            "a currency is three capital letters (ISO 4217)",
        )?;
    }
    satisfaction(c)?;
    for (index, attachment) in c.attachments.iter().enumerate() {
        check_attachment(index, attachment)?;
    }
    let mut latest = None;
    for (index, turn) in c.turns.iter().enumerate() {
        check_turn(index, turn, &mut latest)?;
    }
    let mut latest = None;
    for (index, decision) in c.decisions.iter().enumerate() {
        check_decision(index, decision, c, &mut latest)?;
    }
    Ok(())
}

fn satisfaction(c: &Conversation) -> Result<(), Invalid> {
    use At::Top;
    if let Some(raw) = c.rating_raw {
        let Some(scale) = c.rating_scale else {
            return refuse(Top("rating_scale"), "missing", "a rating needs its scale");
        };
        let rating = Rating {
            raw: i64::from(raw),
            scale,
            at: None,
        };
        require(
            rating.satisfaction().is_ok(),
            Top("rating_raw"),
            raw,
            "it lies on its scale: 1 to 5 for `1-5`, 1 to 3 for `1-3`, 0 or 1 for `good_bad`",
        )?;
    }
    if let Some(value) = c.satisfaction {
        require(
            (0.0..=1.0).contains(&value),
            Top("satisfaction"),
            value,
            "satisfaction lies in [0, 1]",
        )?;
        require(
            c.satisfaction_source.is_some(),
            Top("satisfaction_source"),
            "missing",
            "a satisfaction says where it comes from",
        )?;
    }
    Ok(())
}

fn check_attachment(index: usize, attachment: &Attachment) -> Result<(), Invalid> {
    let at = |field| At::In("attachments", index, field);
    amount(at("duration_s"), attachment.duration_s)?;
    match attachment.bytes {
        Some(bytes) if bytes < 0 => refuse(at("bytes"), bytes, "a size is at least 0"),
        _ => Ok(()),
    }
}

/// A list's times must not run backwards; entries without a time are passed over.
fn in_order(
    at: At,
    time: Option<UtcMicros>,
    latest: &mut Option<UtcMicros>,
) -> Result<(), Invalid> {
    instant(at, time)?;
    if let Some(time) = time {
        require(
            latest.is_none_or(|latest| latest <= time),
            at,
            time,
            "it is not before the entry above it; the list runs in order of time",
        )?;
        *latest = Some(time);
    }
    Ok(())
}

fn check_turn(index: usize, turn: &Turn, latest: &mut Option<UtcMicros>) -> Result<(), Invalid> {
    let at = |field| At::In("turns", index, field);
    in_order(at("at"), turn.at, latest)?;
    match turn.sentiment {
        Some(value) if !(-1.0..=1.0).contains(&value) => {
            refuse(at("sentiment"), value, "sentiment lies in [-1, 1]")
        }
        _ => Ok(()),
    }
}

fn check_decision(
    index: usize,
    decision: &Decision,
    conversation: &Conversation,
    latest: &mut Option<UtcMicros>,
) -> Result<(), Invalid> {
    let at = |field| At::In("decisions", index, field);
    let d = decision;
    version(
        at("feature_schema"),
        d.feature_schema,
        SCHEMA_VERSION,
        "this build reads version 1 of the observation's features; convert the log",
    )?;
    in_order(at("decided_at"), Some(d.decided_at), latest)?;
    not_before(
        at("decided_at"),
        Some(d.decided_at),
        conversation.created_at,
    )?;
    require(d.turn >= 0, at("turn"), d.turn, "a turn is at least 0")?;
    if !conversation.turns.is_empty() {
        let turn = usize::try_from(d.turn)
            .ok()
            .and_then(|turn| conversation.turns.get(turn));
        require(
            turn.is_some_and(|turn| turn.role == Role::Customer),
            at("turn"),
            d.turn,
            "it is the position in `turns` of a customer's message",
        )?;
    }
    require(
        d.mask.allows(d.action),
        at("action"),
        d.action.number(),
        "the mask allows the action taken",
    )?;
    probabilities(index, d)?;
    for (field, seconds) in [
        ("answer_s", d.answer_s),
        ("answer_business_s", d.answer_business_s),
        ("human_s", d.human_s),
    ] {
        duration(at(field), seconds)?;
    }
    amount(at("expected_wait_s"), d.expected_wait_s)?;
    for (field, value) in [
        ("pool_busy", d.pool_busy),
        ("pool_slots", d.pool_slots),
        ("queue_len", d.queue_len),
        ("ai_calls", d.ai_calls),
    ] {
        count(at(field), value)?;
    }
    Ok(())
}

fn probabilities(index: usize, d: &Decision) -> Result<(), Invalid> {
    let at = |field| At::In("decisions", index, field);
    if let Some(probs) = d.probs {
        for tier in Tier::ALL {
            require(
                d.mask.allows(tier) || probs.of(tier) == 0.0,
                at("probs"),
                format_args!("{:?}", probs.as_array()),
                "a masked tier has probability 0",
            )?;
        }
        require(
            probs.of(d.action) > 0.0,
            at("probs"),
            format_args!("{:?}", probs.as_array()),
            "the action that was taken has a probability above 0",
        )?;
    }
    if let (Some(probs), Some(propensity)) = (d.probs, d.propensity) {
        require(
            (probs.of(d.action) - propensity.value()).abs() <= TierProbs::TOLERANCE,
            at("propensity"),
            propensity.value(),
            "it equals the action's entry of `probs` within 1e-6",
        )?;
    }
    match (d.propensity, d.propensity_kind) {
        (Some(_), None) => refuse(
            at("propensity_kind"),
            "missing",
            "a propensity says whether it is `exact` or `estimated`",
        ),
        (None, Some(kind)) => refuse(
            at("propensity_kind"),
            kind,
            "it describes a propensity, and there is none",
        ),
        _ => Ok(()),
    }
}

/// Remembers the conversation ids of a log: 9 to 18 bytes each.
///
/// Ids are compared by 64 bits of their blake3 digest: among n ids two different ones are taken for the same with
/// probability n²/2⁶⁵, 3e-6 for ten million.
#[derive(Debug, Default)]
pub struct UniqueIds {
    seen: HashSet<u64, BuildHasherDefault<Digest>>,
}

impl UniqueIds {
    /// Whether the id is new; from now on it is not.
    pub fn insert(&mut self, conversation_id: &str) -> bool {
        self.seen.insert(id_hash(conversation_id))
    }

    /// How many different ids were seen.
    #[must_use]
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether no id was seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

/// First 8 bytes, little-endian, of the blake3 digest of a conversation's id.
#[must_use]
pub fn id_hash(conversation_id: &str) -> u64 {
    let digest = blake3::hash(conversation_id.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Takes a number that is a digest already as its own hash.
#[derive(Debug, Default)]
struct Digest(u64);

impl Hasher for Digest {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, digest: u64) {
        self.0 = digest;
    }
}

#[cfg(test)]
mod tests;
