//! Closing the loop: what a router recorded, as a conversation log that can be learned from and judged on.
//!
//! One conversation per conversation id (or per decision without one), with the probabilities that decisions were drawn
//! with. Outcomes come from events: `answered` and `handled` (seconds) of a decision, `class` (0 simple, 1 complex,
//! 2 complaint), `satisfaction` (a mark, 1 to 5), `click`, `conversion` (the order's value), `escalation`, `reopen` and
//! `abandoned` of a conversation. What nobody ever sent is unknown, not "no".

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

use serde::Serialize;
use tierwise_envs::class::{ActionSource, Channel, Class, PropensityKind, RatingScale};
use tierwise_envs::log::error::LogError;
use tierwise_envs::log::file::{LogSummary, LogWriter};
use tierwise_envs::log::model::{Conversation, Decision, LOG_SCHEMA_VERSION};
use tierwise_envs::mask::Mask;
use tierwise_envs::observation::{Feature, Observation, SCHEMA_VERSION};
use tierwise_envs::tier::{Propensity, Tier, TierProbs};
use tierwise_envs::time::UtcMicros;
use uuid::Uuid;

use crate::router::judge::{JudgeError, parse};
use crate::router::registry::ServedPolicy;
use crate::store::{DecisionRow, KeyedHash, Store, StoreError};

/// Decisions read at once.
const PAGE: usize = 5_000;
/// Longest answer and longest work of the log, in seconds.
const SEVEN_DAYS_S: f64 = 7.0 * 86_400.0;
/// Microseconds after the first decision in which a click counts.
const CLICK_US: i64 = 86_400_000_000;
/// The same of a purchase, a reopening and an escalation.
const WEEK_US: i64 = 7 * CLICK_US;

/// Why no log was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveLogError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored experiment cannot be read.
    #[error(transparent)]
    Experiment(#[from] JudgeError),
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A recorded decision is none.
    #[error("decision {decision}: {reason}")]
    Decision {
        /// Its id.
        decision: Uuid,
        /// What is wrong.
        reason: String,
    },
}

/// What was written, and what could not be.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LiveLog {
    /// The log.
    #[serde(flatten)]
    pub log: LogSummary,
    /// Conversations left out because a decision's observation was not kept (`keep_observations = false`).
    pub without_observation: u64,
    /// Conversations without a `class` event: their service level, and so their reward, is unknown.
    pub without_class: u64,
}

/// Which conversation a decision belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Conversation(KeyedHash),
    Decision(Uuid),
}

/// Names behind the numbers of the records.
struct Names {
    /// Name and kind of each registered policy, by version.
    policies: HashMap<String, (String, &'static str)>,
    arms: HashMap<String, Vec<String>>,
    /// Kinds of events that somebody sends.
    sent: HashSet<String>,
}

/// Writes everything that a store holds of decisions and outcomes as a log (`.jsonl`, `.jsonl.gz` or `.parquet`).
///
/// Holds the decisions in memory: about half a kilobyte each.
///
/// # Errors
/// [`LiveLogError`]; nothing stands under the log's name then.
pub async fn export_log(store: &dyn Store, path: &Path) -> Result<LiveLog, LiveLogError> {
    let names = Names::read(store).await?;
    let mut order: Vec<Vec<DecisionRow>> = Vec::new();
    let mut places: HashMap<Key, usize> = HashMap::new();
    let mut after = None;
    loop {
        let page = store.decisions(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.exposure.decision_id);
        for row in page {
            let key = row
                .exposure
                .conversation
                .map_or(Key::Decision(row.exposure.decision_id), Key::Conversation);
            let place = *places.entry(key).or_insert(order.len());
            match order.get_mut(place) {
                Some(rows) => rows.push(row),
                None => order.push(vec![row]),
            }
        }
    }
    let mut writer = LogWriter::create(path)?;
    let (mut without_observation, mut without_class) = (0, 0);
    for mut rows in order {
        rows.sort_by_key(|row| (row.exposure.at_us, row.exposure.decision_id));
        match names.conversation(&rows)? {
            Some(conversation) => {
                without_class += u64::from(conversation.class.is_none());
                writer.write(&conversation)?;
            }
            None => without_observation += 1,
        }
    }
    Ok(LiveLog {
        log: writer.finish()?,
        without_observation,
        without_class,
    })
}

impl Names {
    async fn read(store: &dyn Store) -> Result<Self, LiveLogError> {
        let mut policies = HashMap::new();
        for row in store.policies().await? {
            let Some((row, bytes)) = store.policy(&row.hash).await? else {
                continue;
            };
            // A policy that cannot be read any more still has its name.
            let text = String::from_utf8_lossy(&bytes);
            let kind =
                ServedPolicy::from_text(&text, &row.name).map_or("unknown", |policy| policy.kind());
            let version = row.hash[..row.hash.len().min(12)].to_owned();
            policies.insert(version, (row.name, kind));
        }
        let mut arms = HashMap::new();
        for row in store.experiments().await? {
            let names = parse(&row)?.definition.arms.into_iter().map(|arm| arm.name);
            arms.insert(row.key, names.collect());
        }
        let counts = store.event_counts().await?;
        Ok(Self {
            policies,
            arms,
            sent: counts.into_iter().map(|count| count.kind).collect(),
        })
    }

    /// The conversation of decisions in order of time; `None` where an observation is missing.
    fn conversation(&self, rows: &[DecisionRow]) -> Result<Option<Conversation>, LiveLogError> {
        let mut decisions = Vec::with_capacity(rows.len());
        for (position, row) in rows.iter().enumerate() {
            match self.decision(row, position)? {
                Some(decision) => decisions.push(decision),
                None => return Ok(None),
            }
        }
        let first = &rows[0].exposure;
        let observation = decisions[0].observation;
        let code = |feature| observation.get(feature);
        let events = Events::of(rows);
        let since_us = first.at_us;
        let sent = |kind: &str| self.sent.contains(&format!("tierwise.{kind}.v1"));
        let came = |kind: &str| events.first(kind, since_us, WEEK_US).is_some();
        let known = |kind: &str| sent(kind).then(|| came(kind));
        let conversion = events.first("conversion", since_us, WEEK_US);
        let mark = events.last("satisfaction").and_then(|(at_us, value)| {
            let mark = value?;
            let fits = (1.0..=5.0).contains(&mark) && mark.fract() == 0.0;
            fits.then_some((mark as i8, at_us))
        });
        let answered = decisions.iter().any(|decision| decision.answer_s.is_some());
        let abandoned = came("abandoned");
        Ok(Some(Conversation {
            schema_version: LOG_SCHEMA_VERSION,
            conversation_id: match first.conversation {
                Some(hash) => hex(&hash),
                None => first.decision_id.to_string(),
            },
            source_system: "tierwise".to_owned(),
            channel: code(Feature::Channel)
                .and_then(|code| Channel::from_index(code as usize))
                .unwrap_or(Channel::Other),
            created_at: UtcMicros(first.at_us),
            closed_at: None,
            customer_id_hash: Some(hex(&first.unit)),
            language: code(Feature::Language).map(letters),
            region: code(Feature::Region).map(|code| letters(code).to_uppercase()),
            priority: None,
            tags: Vec::new(),
            intent: None,
            class: events
                .last("class")
                .and_then(|(_, value)| Class::from_index(value? as usize)),
            first_response_s: decisions.iter().find_map(|decision| decision.answer_s),
            first_response_business_s: None,
            resolution_s: None,
            customer_wait_s: None,
            agent_wait_s: None,
            queue_wait_s: None,
            human_handle_s: None,
            human_handle_estimated: None,
            reopens: sent("reopen").then(|| events.count("reopen")),
            reopened_7d: known("reopen"),
            escalated_7d: known("escalation"),
            replies: None,
            assignees: None,
            bot_involved: None,
            bot_resolved: None,
            bot_handoff: None,
            tier: decisions.last().map(|decision| decision.action),
            rating_raw: mark.map(|(mark, _)| mark),
            rating_scale: mark.map(|_| RatingScale::FivePoint),
            rating_at: mark.map(|(_, at_us)| UtcMicros(at_us)),
            rating_remark_present: None,
            satisfaction: None,
            satisfaction_source: None,
            sla_name: None,
            sla_status: None,
            sla_limit_s: None,
            abandoned: (abandoned || answered || sent("abandoned")).then_some(abandoned),
            truncated: None,
            clicked_at: events
                .first("click", since_us, CLICK_US)
                .map(|(at_us, _)| UtcMicros(at_us)),
            converted_at: conversion.map(|(at_us, _)| UtcMicros(at_us)),
            outcomes_tracked: Some(sent("click") || sent("conversion")),
            order_value: conversion.and_then(|(_, value)| value),
            currency: None,
            attachments: Vec::new(),
            turns: Vec::new(),
            decisions,
        }))
    }

    fn decision(
        &self,
        row: &DecisionRow,
        position: usize,
    ) -> Result<Option<Decision>, LiveLogError> {
        let exposure = &row.exposure;
        let broken = |reason: String| LiveLogError::Decision {
            decision: exposure.decision_id,
            reason,
        };
        let Some(context) = &exposure.context else {
            return Ok(None);
        };
        let observation: Observation =
            serde_json::from_str(context).map_err(|e| broken(e.to_string()))?;
        let action = Tier::from_number(i64::from(exposure.tier))
            .ok_or_else(|| broken(format!("tier {}", exposure.tier)))?;
        let mask = Mask::from_bits(exposure.mask)
            .ok_or_else(|| broken(format!("mask {}", exposure.mask)))?;
        let probs =
            TierProbs::new(exposure.probabilities.map(exact)).map_err(|e| broken(e.to_string()))?;
        let events = Events::of(std::slice::from_ref(row));
        let seconds = |kind: &str| {
            let (_, value) = events.last(kind)?;
            value.filter(|seconds| (0.0..=SEVEN_DAYS_S).contains(seconds))
        };
        let policy = self.policies.get(&*exposure.policy_version);
        let by_rule = exposure.fallback.is_some() || policy.is_none_or(|(_, kind)| *kind == "rule");
        let arm = usize::from(exposure.arm);
        let arms = self.arms.get(&*exposure.experiment);
        Ok(Some(Decision {
            // Where the message's number is known, a question asked twice is about one message.
            turn: observation
                .get(Feature::Turn)
                .map_or(position as i32, |turn| turn as i32),
            decided_at: UtcMicros(exposure.at_us),
            feature_schema: SCHEMA_VERSION,
            observation,
            mask,
            action,
            probs: Some(probs),
            propensity: Propensity::new(probs.of(action)).ok(),
            propensity_kind: Some(PropensityKind::Exact),
            action_source: if by_rule {
                ActionSource::Rule
            } else {
                ActionSource::Policy
            },
            policy_id: policy.map(|(name, _)| name.clone()),
            policy_version: Some(exposure.policy_version.to_string()),
            arm: arms.and_then(|arms| arms.get(arm)).cloned(),
            block_id: exposure.block.map(|block| block.to_string()),
            pool_busy: None,
            pool_slots: None,
            queue_len: observation.get(Feature::QueueHuman).map(|n| n as i32),
            expected_wait_s: observation.get(Feature::ExpectedWaitS).map(f64::from),
            answer_s: seconds("answered"),
            answer_business_s: None,
            human_s: seconds("handled"),
            ai_calls: None,
            review: None,
        }))
    }
}

/// Events of decisions by kind, in order of time.
struct Events<'a>(BTreeMap<&'a str, Vec<(i64, Option<f64>)>>);

impl<'a> Events<'a> {
    fn of(rows: &'a [DecisionRow]) -> Self {
        let mut kinds: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for event in rows.iter().flat_map(|row| &row.events) {
            let short = event
                .kind
                .strip_prefix("tierwise.")
                .and_then(|rest| rest.strip_suffix(".v1"));
            if let Some(kind) = short {
                let entry = (event.occurred_at_us, event.value);
                kinds.entry(kind).or_default().push(entry);
            }
        }
        for events in kinds.values_mut() {
            events.sort_by_key(|(at_us, _)| *at_us);
        }
        Self(kinds)
    }

    fn list(&self, kind: &str) -> &[(i64, Option<f64>)] {
        self.0.get(kind).map_or(&[], Vec::as_slice)
    }

    fn count(&self, kind: &str) -> i32 {
        self.list(kind).len() as i32
    }

    fn last(&self, kind: &str) -> Option<(i64, Option<f64>)> {
        self.list(kind).last().copied()
    }

    /// The first of a kind within a window.
    fn first(&self, kind: &str, since_us: i64, window_us: i64) -> Option<(i64, Option<f64>)> {
        let within = |(at_us, _): &&(i64, _)| (since_us..=since_us + window_us).contains(at_us);
        self.list(kind).iter().find(within).copied()
    }
}

/// The number that was meant by a probability kept in single precision: its shortest decimal text.
fn exact(probability: f32) -> f64 {
    probability
        .to_string()
        .parse()
        .expect("a number's text is a number")
}

/// One to three letters from their code in base 27.
fn letters(code: f32) -> String {
    let mut code = code as u32;
    let mut text = Vec::new();
    while code > 0 {
        text.push(b'a' + (code % 27).saturating_sub(1) as u8);
        code /= 27;
    }
    text.reverse();
    String::from_utf8_lossy(&text).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use tierwise_envs::observation::letters_code;

    use super::*;

    #[test]
    fn a_probability_is_the_number_that_was_written() {
        for written in [0.02, 0.96, 0.98, 0.1, 1.0, 0.0, 0.494] {
            assert_eq!(exact(written as f32), written);
        }
    }

    #[test]
    fn letters_come_back_from_their_code() {
        for text in ["zh", "fil", "a", "zz", "us"] {
            assert_eq!(letters(letters_code(text).unwrap()), text);
        }
    }
}
