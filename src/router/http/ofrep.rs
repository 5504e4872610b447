//! The OpenFeature Remote Evaluation Protocol (0.3.0): any OpenFeature client can read its arm.
//!
//! An experiment is a flag, its arms are the variants, and the value is the arm's name. An evaluation is an exposure: it is
//! recorded like a decision, and its metadata carry the decision's id for outcomes. Keys may hold any text that a path can.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auth;
use super::decide::json_response;
use super::problem::Problem;
use crate::router::context::Context;
use crate::router::experiment::Phase;
use crate::router::service::{DecideError, Service};
use crate::router::snapshot::{Decision, Unanswerable};
use crate::store::Role;

/// Metadata of an evaluation; values are text, numbers or flags, as the protocol asks.
#[derive(Debug, Serialize)]
struct Metadata {
    decision_id: String,
    tier: u8,
    propensity: f64,
    policy_version: String,
    share: f64,
    revision: u32,
}

#[derive(Debug, Serialize)]
struct Evaluation {
    key: String,
    reason: &'static str,
    variant: String,
    value: String,
    metadata: Metadata,
}

/// What an evaluation came to.
enum Outcome {
    Evaluated(Box<Evaluation>),
    Failed {
        key: String,
        status: StatusCode,
        code: &'static str,
        details: String,
    },
}

impl Outcome {
    fn body(&self) -> Value {
        match self {
            Self::Evaluated(evaluation) => serde_json::to_value(evaluation).expect("plain data"),
            Self::Failed {
                key, code, details, ..
            } => {
                json!({ "key": key, "errorCode": code, "errorDetails": details })
            }
        }
    }
}

/// Reads the evaluation context: `targetingKey` and the fields of an observation.
fn context(key: &str, body: &[u8]) -> Result<(String, Context), Outcome> {
    let failed = |code, details: String| Outcome::Failed {
        key: key.to_owned(),
        status: StatusCode::BAD_REQUEST,
        code,
        details,
    };
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        context: Option<&'a serde_json::value::RawValue>,
    }
    #[derive(Deserialize)]
    struct Targeting {
        #[serde(rename = "targetingKey")]
        targeting_key: Option<String>,
    }
    if body.is_empty() {
        return Err(failed(
            "TARGETING_KEY_MISSING",
            "the body has no `context`".to_owned(),
        ));
    }
    let request: Request<'_> =
        serde_json::from_slice(body).map_err(|e| failed("PARSE_ERROR", e.to_string()))?;
    let Some(raw) = request.context else {
        return Err(failed(
            "TARGETING_KEY_MISSING",
            "the body has no `context`".to_owned(),
        ));
    };
    let invalid = |e: serde_json::Error| failed("INVALID_CONTEXT", e.to_string());
    let targeting: Targeting = serde_json::from_str(raw.get()).map_err(invalid)?;
    let unit = targeting
        .targeting_key
        .filter(|unit| !unit.is_empty())
        .ok_or_else(|| {
            failed(
                "TARGETING_KEY_MISSING",
                "`context.targetingKey` names the customer".to_owned(),
            )
        })?;
    let context: Context = serde_json::from_str(raw.get()).map_err(invalid)?;
    Ok((unit, context))
}

fn evaluation(key: &str, decision: &Decision) -> Evaluation {
    let live = decision.live.as_ref();
    let experiment = live.map(|live| &live.experiment);
    let arms = experiment.map(|experiment| &experiment.definition.arms);
    let incumbent = experiment.map_or(0, |experiment| usize::from(experiment.incumbent()));
    let variant = decision
        .arm_name()
        .or_else(|| arms.map(|arms| arms[incumbent].name.as_str()))
        .unwrap_or_default()
        .to_owned();
    let reason = match (
        experiment.map(|experiment| &experiment.phase),
        decision.assignment,
    ) {
        (Some(Phase::Running | Phase::Promoted { .. }), Some(_)) => "SPLIT",
        (Some(Phase::Running | Phase::Promoted { .. }), None) => "TARGETING_MATCH",
        (Some(Phase::Completed { .. }), _) => "STATIC",
        _ => "DISABLED",
    };
    Evaluation {
        key: key.to_owned(),
        reason,
        value: variant.clone(),
        variant,
        metadata: Metadata {
            decision_id: decision.decision_id.to_string(),
            tier: decision.tier.number(),
            propensity: decision.propensity(),
            policy_version: decision.policy_version.to_string(),
            share: decision
                .assignment
                .map_or(1.0, |assignment| assignment.share),
            revision: decision
                .assignment
                .map_or(0, |assignment| assignment.revision),
        },
    }
}

async fn evaluate(
    service: &Service,
    key: &str,
    unit: &str,
    context: &Context,
) -> Result<Outcome, Problem> {
    match service.decide(Some(key), unit, None, context, None).await {
        Ok(decision) => Ok(Outcome::Evaluated(Box::new(evaluation(key, &decision)))),
        Err(DecideError::Question(question)) => {
            let (status, code) = match question {
                Unanswerable::UnknownExperiment { .. } => (StatusCode::NOT_FOUND, "FLAG_NOT_FOUND"),
                _ => (StatusCode::BAD_REQUEST, "INVALID_CONTEXT"),
            };
            Ok(Outcome::Failed {
                key: key.to_owned(),
                status,
                code,
                details: question.to_string(),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// A failure of the router, told in the words of both protocols: problem details with the members that clients of OFREP read.
pub(super) struct Failed(Problem);

impl<T: Into<Problem>> From<T> for Failed {
    fn from(problem: T) -> Self {
        Self(problem.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let mut body = serde_json::to_value(&self.0).expect("a problem is plain data");
        body["errorCode"] = "GENERAL".into();
        body["errorDetails"] = self.0.detail.clone().into();
        let (parts, _) = self.0.into_response().into_parts();
        Response::from_parts(parts, body.to_string().into())
    }
}

fn respond(outcome: &Outcome) -> Response {
    let body = json_response(&outcome.body());
    match outcome {
        Outcome::Evaluated(_) => body,
        Outcome::Failed { status, .. } => (*status, body).into_response(),
    }
}

pub(super) async fn single(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    key: Result<Path<String>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    auth::check(&service, &headers, Role::Decide)?;
    let Path(key) = key?;
    let body = body?;
    let outcome = match context(&key, &body) {
        Ok((unit, context)) => evaluate(&service, &key, &unit, &context).await?,
        Err(failed) => failed,
    };
    Ok(respond(&outcome))
}

pub(super) async fn bulk(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    auth::check(&service, &headers, Role::Decide)?;
    let body = body?;
    let (unit, context) = match context("", &body) {
        Ok(read) => read,
        Err(Outcome::Failed {
            status,
            code,
            details,
            ..
        }) => {
            let body = json_response(&json!({ "errorCode": code, "errorDetails": details }));
            return Ok((status, body).into_response());
        }
        Err(Outcome::Evaluated(_)) => return Err(Problem::internal().into()),
    };
    let snapshot = service.snapshot();
    // The same configuration and the same context give the same answer.
    let mut hasher = blake3::Hasher::new();
    hasher.update(&snapshot.counter.to_le_bytes());
    hasher.update(&body);
    let etag = format!("\"{}\"", &hasher.finalize().to_hex()[..32]);
    let known = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        // A proxy that compresses makes a tag weak.
        .any(|value| value.trim().trim_start_matches("W/") == etag);
    let tag = HeaderValue::from_str(&etag).map_err(|_| Problem::internal())?;
    if known {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    // Together, so that they share a sync of the spool.
    let evaluations = snapshot
        .experiments()
        .map(|live| evaluate(&service, &live.key, &unit, &context));
    let mut flags = Vec::new();
    for outcome in futures_util::future::join_all(evaluations).await {
        flags.push(outcome?.body());
    }
    let stream = format!("/ofrep/v1/stream?since={}", snapshot.counter);
    let body = json!({
        "flags": flags,
        "eventStreams": [{ "type": "sse", "endpoint": { "requestUri": stream } }],
    });
    Ok(([(header::ETAG, tag)], json_response(&body)).into_response())
}

/// Tells clients when to evaluate again: at once when something changed since the event that they saw last
/// (`Last-Event-ID`), or since the evaluation that named the stream (`since`).
pub(super) async fn stream(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    auth::check(&service, &headers, Role::Decide)?;
    let mut changes = service.changes();
    let now = *changes.borrow_and_update();
    let since = query.as_deref().and_then(|query| {
        query
            .split('&')
            .find_map(|part| part.strip_prefix("since="))
    });
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let seen = last.or(since).and_then(|text| text.parse::<u64>().ok());
    let first = match seen {
        Some(seen) if seen != now => refetch(now),
        // An id without data: a client that comes back can say what it saw.
        _ => Event::default().id(now.to_string()),
    };
    // A shutdown waits for open requests: streams end when the router is asked to stop.
    let watched = (changes, service.closing.subscribe());
    let later = futures_util::stream::unfold(watched, |(mut changes, mut closing)| async move {
        tokio::select! {
            changed = changes.changed() => changed.ok()?,
            _ = closing.wait_for(|closing| *closing) => return None,
        }
        let counter = *changes.borrow_and_update();
        Some((refetch(counter), (changes, closing)))
    });
    let events = futures_util::stream::once(async { first })
        .chain(later)
        .map(Ok);
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn refetch(counter: u64) -> Event {
    let data = json!({ "type": "refetchEvaluation", "etag": counter.to_string() });
    Event::default()
        .event("message")
        .id(counter.to_string())
        .data(data.to_string())
}
