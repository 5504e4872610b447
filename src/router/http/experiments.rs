//! The experiments API: see, create, move.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tierwise_envs::time::UtcMicros;

use super::auth;
use super::decide::json_response;
use super::problem::{Problem, json};
use crate::router::experiment::{Action, Definition, Experiment, Phase};
use crate::router::judge::{load, parse};
use crate::router::service::Service;
use crate::router::standing::{ChallengerStanding, MetricStanding, Standing};
use crate::store::{AuditEntry, ExperimentRow, Role};

#[derive(Serialize)]
struct ArmView<'a> {
    name: &'a str,
    policy: &'a str,
    policy_version: Option<String>,
    weight: f64,
    share: f64,
    entered: u64,
}

#[derive(Serialize)]
struct ExperimentView<'a> {
    key: &'a str,
    title: Option<&'a str>,
    revision: u64,
    #[serde(flatten)]
    phase: &'a Phase,
    phase_since: UtcMicros,
    allocation_revision: Option<u32>,
    arms: Vec<ArmView<'a>>,
    metrics: &'a [MetricStanding],
    challengers: &'a [ChallengerStanding],
    definition: &'a Definition,
}

fn view<'a>(service: &Service, standing: &'a Standing) -> ExperimentView<'a> {
    let experiment = &standing.experiment;
    let definition = &experiment.definition;
    let revision = experiment.revision();
    let snapshot = service.snapshot();
    let live = snapshot.experiment(&definition.key);
    let arms = definition
        .arms
        .iter()
        .enumerate()
        .map(|(position, arm)| ArmView {
            name: &arm.name,
            policy: &arm.policy,
            policy_version: live
                .and_then(|live| live.policy(position as u8))
                .map(|policy| policy.version.to_string()),
            weight: revision.map_or(0.0, |revision| revision.weights[position]),
            share: revision.map_or(0.0, |revision| revision.allocation.share(position as u8)),
            entered: standing.entered[position],
        })
        .collect();
    ExperimentView {
        key: &definition.key,
        title: definition.title.as_deref(),
        revision: standing.store_revision,
        phase: &experiment.phase,
        phase_since: UtcMicros(experiment.phase_since_us),
        allocation_revision: revision.map(|revision| revision.number),
        arms,
        metrics: &standing.metrics,
        challengers: &standing.challengers,
        definition,
    }
}

/// Where an experiment stands: as published, or worked out anew when the store is ahead.
pub(super) async fn standing(
    service: &Service,
    row: &ExperimentRow,
) -> Result<Arc<Standing>, Problem> {
    if let Some(standing) = service.standings.get(&row.key)
        && standing.store_revision == row.revision
    {
        return Ok(standing);
    }
    let failed = |error: crate::router::judge::JudgeError| {
        tracing::error!(%error, key = row.key, "an experiment cannot be read");
        Problem::internal()
    };
    let experiment = Arc::new(parse(row).map_err(failed)?);
    let ledger = load(&*service.store, &experiment).await.map_err(failed)?;
    Ok(Arc::new(Standing::new(
        row,
        experiment,
        &ledger,
        service.clock.now_us(),
    )))
}

pub(super) async fn row(service: &Service, key: &str) -> Result<ExperimentRow, Problem> {
    // No database holds a NUL in a text, and no key has one.
    let row = match key.contains('\0') {
        true => None,
        false => service.store.experiment(key).await?,
    };
    row.ok_or_else(|| Problem::not_found(format!("no experiment is called `{key}`")))
}

pub(super) async fn list(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Admin)?;
    let mut standings = Vec::new();
    for row in service.store.experiments().await? {
        standings.push(standing(&service, &row).await?);
    }
    let views: Vec<_> = standings
        .iter()
        .map(|standing| view(&service, standing))
        .collect();
    Ok(json_response(&serde_json::json!({ "experiments": views })))
}

pub(super) async fn show(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    key: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Admin)?;
    let Path(key) = key?;
    let row = row(&service, &key).await?;
    let standing = standing(&service, &row).await?;
    Ok(json_response(&view(&service, &standing)))
}

#[derive(Serialize)]
struct HistoryView<'a> {
    revision: u64,
    at: UtcMicros,
    actor: &'a str,
    action: &'a str,
    reason: &'a str,
    evidence: Option<&'a RawValue>,
}

pub(super) async fn history(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    key: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    auth::check(&service, &headers, Role::Admin)?;
    let Path(key) = key?;
    row(&service, &key).await?;
    let rows = service.store.history(&key).await?;
    let views: Vec<_> = rows
        .iter()
        .map(|row| HistoryView {
            revision: row.revision,
            at: UtcMicros(row.entry.at_us),
            actor: &row.entry.actor,
            action: &row.entry.action,
            reason: &row.entry.reason,
            evidence: serde_json::from_str(&row.entry.evidence).ok(),
        })
        .collect();
    Ok(json_response(&serde_json::json!({ "history": views })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateRequest {
    definition: Definition,
    #[serde(default)]
    reason: String,
}

pub(super) async fn create(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let actor = auth::check(&service, &headers, Role::Admin)?;
    let body = body?;
    let request: CreateRequest = json(&body)?;
    check_reason(&request.reason)?;
    request
        .definition
        .check()
        .map_err(|fault| Problem::bad_request(fault.to_string()))?;
    for arm in &request.definition.arms {
        if !knows_policy(&service, &arm.policy).await? {
            return Err(Problem::bad_request(format!(
                "arm `{}` names policy `{}`, which is not registered: `tierwise policy register`",
                arm.name, arm.policy
            )));
        }
    }
    let now_us = service.clock.now_us();
    let key = request.definition.key.clone();
    let experiment = Experiment::draft(request.definition, now_us);
    let entry = AuditEntry {
        at_us: now_us,
        actor,
        action: "create".to_owned(),
        reason: request.reason,
        evidence: "null".to_owned(),
    };
    save(&service, &key, 0, &experiment, &entry)
        .await
        .map_err(|problem| match problem.status {
            409 => Problem::conflict(format!("an experiment is called `{key}` already")),
            _ => problem,
        })?;
    let row = row(&service, &key).await?;
    let standing = standing(&service, &row).await?;
    Ok((
        StatusCode::CREATED,
        json_response(&view(&service, &standing)),
    )
        .into_response())
}

fn check_reason(reason: &str) -> Result<(), Problem> {
    if reason.contains('\0') {
        return Err(Problem::bad_request("`reason` holds a NUL character"));
    }
    Ok(())
}

async fn knows_policy(service: &Service, wanted: &str) -> Result<bool, Problem> {
    let policies = service.store.policies().await?;
    Ok(policies
        .iter()
        .any(|row| row.name == wanted || (wanted.len() >= 12 && row.hash.starts_with(wanted))))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ActRequest {
    reason: String,
    revision: Option<u64>,
    share: Option<f64>,
    arm: Option<String>,
}

fn action(name: &str, request: &ActRequest) -> Result<Action, Problem> {
    let arm = || {
        request
            .arm
            .clone()
            .ok_or_else(|| Problem::bad_request(format!("`{name}` needs `arm`")))
    };
    Ok(match name {
        "start" => Action::Start,
        "ramp" => Action::Ramp {
            share: request
                .share
                .ok_or_else(|| Problem::bad_request("`ramp` needs `share`"))?,
        },
        "pause" => Action::Pause,
        "resume" => Action::Resume,
        "promote" => Action::Promote { arm: arm()? },
        "drop" => Action::Drop { arm: arm()? },
        "complete" => Action::Complete,
        "rollback" => Action::RollBack,
        "stop" => Action::Stop,
        "kill" => Action::Kill,
        _ => {
            return Err(Problem::not_found(format!(
                "no action is called `{name}`; there are start, ramp, pause, resume, promote, drop, complete, rollback, \
                 stop and kill"
            )));
        }
    })
}

pub(super) async fn act(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let actor = auth::check(&service, &headers, Role::Admin)?;
    let Path((key, name)) = path?;
    let body = body?;
    let request: ActRequest = if body.is_empty() {
        ActRequest::default()
    } else {
        json(&body)?
    };
    check_reason(&request.reason)?;
    let action = action(&name, &request)?;
    let before = row(&service, &key).await?;
    if request
        .revision
        .is_some_and(|revision| revision != before.revision)
    {
        return Err(Problem::conflict(format!(
            "the experiment is at revision {}: somebody was faster; read it again",
            before.revision
        )));
    }
    let shown = standing(&service, &before).await?;
    let mut experiment = (*shown.experiment).clone();
    let now_us = service.clock.now_us();
    experiment
        .apply(&action, now_us)
        .map_err(|refused| Problem::conflict(refused.to_string()))?;
    let entry = AuditEntry {
        at_us: now_us,
        actor,
        action: action.name().to_owned(),
        reason: request.reason,
        evidence: serde_json::to_string(&shown.challengers).expect("evidence is plain data"),
    };
    save(&service, &key, before.revision, &experiment, &entry).await?;
    service.webhooks.send(&key, &experiment, &entry);
    let row = row(&service, &key).await?;
    let standing = standing(&service, &row).await?;
    Ok(json_response(&view(&service, &standing)))
}

/// Saves, and puts the change in force here before the answer; other routers hear of it from the store.
async fn save(
    service: &Service,
    key: &str,
    expected: u64,
    experiment: &Experiment,
    entry: &AuditEntry,
) -> Result<(), Problem> {
    let body = serde_json::to_string(experiment).expect("an experiment is plain data");
    service
        .store
        .save_experiment(key, expected, &body, entry)
        .await?;
    tracing::info!(
        key,
        action = entry.action,
        actor = entry.actor,
        "experiment moved"
    );
    service.refresh().await?;
    Ok(())
}
