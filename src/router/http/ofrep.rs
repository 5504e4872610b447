//! The OpenFeature Remote Evaluation Protocol (0.3.0): any OpenFeature client can read its arm.
//!
//! An experiment is a flag, its arms are the variants, and the value is the arm's name. An evaluation is an exposure: it is
//! recorded like a decision, and its metadata carry the decision's id for outcomes. Keys may hold any text that a path can.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::Stream;
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
    Path(key): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Decide)?;
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
) -> Result<Response, Problem> {
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
        Err(Outcome::Evaluated(_)) => return Err(Problem::internal()),
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
        .any(|value| value.trim() == etag);
    let tag = HeaderValue::from_str(&etag).map_err(|_| Problem::internal())?;
    if known {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let mut flags = Vec::new();
    for live in snapshot.experiments() {
        flags.push(evaluate(&service, &live.key, &unit, &context).await?.body());
    }
    let body = json!({
        "flags": flags,
        "eventStreams": [{ "type": "sse", "endpoint": { "requestUri": "/ofrep/v1/stream" } }],
    });
    Ok(([(header::ETAG, tag)], json_response(&body)).into_response())
}

/// Tells clients when to evaluate again.
pub(super) async fn stream(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    auth::check(&service, &headers, Role::Decide)?;
    let mut changes = service.changes();
    changes.mark_unchanged();
    // A shutdown waits for open requests: streams end when the router is asked to stop.
    let closing = service.closing.subscribe();
    let events = futures_util::stream::unfold(
        (changes, closing),
        |(mut changes, mut closing)| async move {
            tokio::select! {
                changed = changes.changed() => changed.ok()?,
                _ = closing.wait_for(|closing| *closing) => return None,
            }
            let counter = *changes.borrow_and_update();
            let data = json!({ "type": "refetchEvaluation", "etag": counter.to_string() });
            let event = Event::default()
                .event("message")
                .id(counter.to_string())
                .data(data.to_string());
            Some((Ok(event), (changes, closing)))
        },
    );
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}
