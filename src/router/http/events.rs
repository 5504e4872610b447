//! `POST /v1/events` and `/ofrep/v1/track`: CloudEvents 1.0 in, one by one or in batches.
//!
//! `(source, id)` is the identity of an event; sent twice it counts once. The answer comes after the commit: 202 with what
//! became of each. An event that cannot be counted is rejected by its position, and the others are kept.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tierwise_envs::time::UtcMicros;
use uuid::Uuid;

use super::auth;
use super::decide::json_response;
use super::problem::{Problem, json};
use crate::router::service::Service;
use crate::store::{EventId, EventOutcome, EventRow, Role};

/// How far ahead of the router's clock an event may lie.
const AHEAD_US: i64 = 300_000_000;
/// How long before its decision an event may lie: clocks differ a little.
const BEFORE_US: i64 = 5_000_000;

/// A CloudEvent as far as it is read.
#[derive(Debug, Deserialize)]
struct CloudEvent<'a> {
    specversion: Option<String>,
    id: Option<String>,
    source: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    time: Option<String>,
    subject: Option<String>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
struct EventData {
    decision_id: Option<String>,
    value: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Rejected {
    index: usize,
    status: u16,
    reason: String,
}

#[derive(Debug, Default, Serialize)]
struct IngestAnswer {
    accepted: u64,
    duplicates: u64,
    rejected: Vec<Rejected>,
}

/// Reads an event, or says why it cannot be counted.
fn read(event: CloudEvent<'_>, now_us: i64) -> Result<EventRow, String> {
    let text = |value: Option<String>, name: &str, most: usize| match value {
        Some(value) if value.contains('\0') => Err(format!("`{name}` holds a NUL character")),
        Some(value) if (1..=most).contains(&value.len()) => Ok(value),
        Some(value) => Err(format!(
            "`{name}` has {} bytes; it has 1 to {most}",
            value.len()
        )),
        None => Err(format!("`{name}` is missing")),
    };
    if event.specversion.as_deref() != Some("1.0") {
        return Err("`specversion` is not \"1.0\": events are CloudEvents 1.0".to_owned());
    }
    let id = text(event.id, "id", 256)?;
    let source = text(event.source, "source", 256)?;
    let kind = text(event.kind, "type", 128)?;
    let data: EventData = match event.data {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|e| format!("`data`: {e}"))?,
        None => EventData::default(),
    };
    let decision = text(data.decision_id.or(event.subject), "data.decision_id", 64)?;
    let decision_id = Uuid::parse_str(&decision)
        .ok()
        .filter(|id| id.get_version_num() == 7)
        .ok_or_else(|| format!("`{decision}` is no decision's id: it comes from /v1/decide"))?;
    let told_us = match event.time {
        Some(time) => {
            let time = UtcMicros::parse(&time).map_err(|e| format!("`time` is \"{time}\": {e}"))?;
            Some(time.0)
        }
        None => None,
    };
    // The id of a decision carries its millisecond.
    let decided_us = decision_id.get_timestamp().map_or(0, |at| {
        let (seconds, nanos) = at.to_unix();
        seconds as i64 * 1_000_000 + i64::from(nanos) / 1_000
    });
    // Without a time it is its arrival's; a clock that was set back since the decision does not refuse it.
    let occurred_at_us = told_us.unwrap_or(now_us.max(decided_us));
    if told_us.is_some_and(|told_us| told_us > now_us + AHEAD_US) {
        return Err("`time` lies more than 5 minutes in the future".to_owned());
    }
    if occurred_at_us < decided_us - BEFORE_US {
        return Err("`time` lies before the decision: an outcome follows its exposure".to_owned());
    }
    if data.value.is_some_and(|value| !value.is_finite()) {
        return Err("`data.value` is not a finite number".to_owned());
    }
    Ok(EventRow {
        id: EventId::of(&id),
        source: source.into(),
        decision_id,
        // Without a time it is its arrival's, which differs when it is sent again; no decision was made in 1970.
        content: EventRow::content_of(decision_id, &kind, told_us.unwrap_or(0), data.value),
        kind: kind.into(),
        occurred_at_us: occurred_at_us.max(decided_us),
        observed_at_us: now_us,
        value: data.value,
    })
}

pub(super) async fn ingest(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Ingest)?;
    let body = body?;
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let events: Vec<&RawValue> = if first == Some(&b'[') {
        json(&body)?
    } else {
        vec![json(&body)?]
    };
    let most = service.settings.limits.batch;
    if events.len() > most {
        return Err(Problem::bad_request(format!(
            "{} events; a batch has at most {most}",
            events.len()
        )));
    }
    let now_us = service.clock.now_us();
    let mut answer = IngestAnswer::default();
    let mut rows = Vec::with_capacity(events.len());
    let mut positions = Vec::with_capacity(events.len());
    for (index, raw) in events.into_iter().enumerate() {
        let event = serde_json::from_str(raw.get()).map_err(|e| e.to_string());
        match event.and_then(|event| read(event, now_us)) {
            Ok(row) => {
                rows.push(row);
                positions.push(index);
            }
            Err(reason) => answer.rejected.push(Rejected {
                index,
                status: 400,
                reason,
            }),
        }
    }
    for (outcome, index) in service
        .store
        .record_events(&rows)
        .await?
        .into_iter()
        .zip(positions)
    {
        match outcome {
            EventOutcome::Accepted => answer.accepted += 1,
            EventOutcome::Duplicate => answer.duplicates += 1,
            EventOutcome::Conflict => answer.rejected.push(Rejected {
                index,
                status: 409,
                reason:
                    "this `source` and `id` came before with other content; the first one stands"
                        .to_owned(),
            }),
        }
    }
    answer.rejected.sort_by_key(|rejected| rejected.index);
    service.metrics.events(
        answer.accepted,
        answer.duplicates,
        answer.rejected.len() as u64,
    );
    // A single event that is refused is the client's error; in a batch the others count.
    let all_refused = answer.accepted + answer.duplicates == 0 && !answer.rejected.is_empty();
    if all_refused && first != Some(&b'[') {
        let rejected = &answer.rejected[0];
        return Err(match rejected.status {
            409 => Problem::conflict(rejected.reason.clone()),
            _ => Problem::bad_request(rejected.reason.clone()),
        });
    }
    Ok((StatusCode::ACCEPTED, json_response(&answer)).into_response())
}
