//! `POST /v1/decide` and its batch form.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::auth;
use super::problem::{Problem, json};
use crate::router::context::Context;
use crate::router::service::Service;
use crate::router::snapshot::Decision;
use crate::store::Role;

/// A request for a decision.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideRequest {
    experiment: Option<String>,
    unit_id: String,
    conversation_id: Option<String>,
    #[serde(default)]
    context: Context,
    force_arm: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BatchRequest {
    requests: Vec<DecideRequest>,
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct DecideAnswer<'a> {
    decision_id: Uuid,
    experiment: Option<&'a str>,
    arm: Option<&'a str>,
    policy: &'a str,
    policy_version: &'a str,
    tier: u8,
    probabilities: [f64; 3],
    propensity: f64,
    mask: [bool; 3],
    assignment: Option<AssignmentAnswer>,
    fallback: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    forced: bool,
}

#[derive(Debug, Serialize)]
struct AssignmentAnswer {
    revision: u32,
    bucket: u16,
    share: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum BatchItem<'a> {
    Decided(Box<DecideAnswer<'a>>),
    Failed { error: Problem },
}

impl<'a> DecideAnswer<'a> {
    pub(super) fn of(decision: &'a Decision) -> Self {
        let inside = decision.assignment.is_some();
        Self {
            decision_id: decision.decision_id,
            experiment: decision
                .live
                .as_ref()
                .filter(|_| inside)
                .map(|live| &*live.key),
            arm: decision.arm_name(),
            policy: &decision.policy,
            policy_version: &decision.policy_version,
            tier: decision.tier.number(),
            probabilities: decision.probabilities.as_array(),
            propensity: decision.propensity(),
            mask: decision.mask.flags(),
            assignment: decision.assignment.map(|assignment| AssignmentAnswer {
                revision: assignment.revision,
                bucket: assignment.bucket,
                share: assignment.share,
                block: assignment.block,
            }),
            fallback: decision.fallback.map(|fallback| fallback.name()),
            forced: decision.forced,
        }
    }
}

async fn answer(service: &Service, request: &DecideRequest) -> Result<Decision, Problem> {
    let decision = service
        .decide(
            request.experiment.as_deref(),
            &request.unit_id,
            request.conversation_id.as_deref(),
            &request.context,
            request.force_arm.as_deref(),
        )
        .await?;
    Ok(decision)
}

/// Writes JSON.
pub(super) fn json_response(value: &impl Serialize) -> Response {
    let body = serde_json::to_vec(value).expect("answers are plain data");
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

pub(super) async fn one(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Decide)?;
    let body = body?;
    let decision = answer(&service, &json(&body)?).await?;
    Ok(json_response(&DecideAnswer::of(&decision)))
}

pub(super) async fn batch(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Decide)?;
    let body = body?;
    let batch: BatchRequest = json(&body)?;
    let most = service.settings.limits.batch;
    if batch.requests.len() > most {
        let have = batch.requests.len();
        return Err(Problem::bad_request(format!(
            "{have} requests; a batch has at most {most}"
        )));
    }
    // Together, so that they share a sync of the spool.
    let answers = batch
        .requests
        .iter()
        .map(|request| answer(&service, request));
    let decisions = futures_util::future::join_all(answers).await;
    let items: Vec<BatchItem<'_>> = decisions
        .iter()
        .map(|decision| match decision {
            Ok(decision) => BatchItem::Decided(Box::new(DecideAnswer::of(decision))),
            Err(problem) => BatchItem::Failed {
                error: problem.clone(),
            },
        })
        .collect();
    Ok(json_response(&serde_json::json!({ "decisions": items })))
}
