//! Learning from any logged table, and freezing what was learned.

use std::path::Path;

use serde::Serialize;
use tierwise_policies::artefact::ArtefactError;
use tierwise_policies::logged::{
    Learner, LearnerSettings, LoggedError, LoggedPolicy, TableArtefact, TableStamp, learn,
};
use tierwise_policies::ope::table::{RowRange, Table, TableError};

use super::super::directory::RunDirectory;
use super::created_by;
use crate::failure::{Failure, failure_of};

/// What is asked of a table to learn from.
#[derive(Debug, Clone, PartialEq)]
pub struct TableTraining {
    /// Name of the policy.
    pub name: String,
    /// The learner and its settings.
    pub settings: LearnerSettings,
    /// Rows to learn from; all without one.
    pub rows: Option<RowRange>,
    /// Probability that every allowed action keeps.
    pub floor: f64,
}

/// What learning came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TableTrainResult {
    /// Name of the policy.
    pub name: String,
    /// What it is, in one sentence.
    pub description: String,
    /// Version of the frozen policy.
    pub version: String,
    /// Rows learned from.
    pub rows: u64,
    /// The first of them in the file and the one after the last, where only a part was read.
    pub part: Option<(u64, u64)>,
    /// Rows of each action.
    pub taken: Vec<u64>,
    /// States that the log knows, for learners of finite states.
    pub states: Option<usize>,
    /// Regressors an action, for one-step learners.
    pub regressors: Option<usize>,
    /// How it was learned.
    pub settings: LearnerSettings,
    /// Exploration floor.
    pub floor: f64,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Learns from a table and writes a version directory.
///
/// # Errors
/// A [`Failure`] for settings out of range and for a table that cannot be read or lacks what the learner needs; nothing is
/// written then.
pub fn train_table(
    path: &Path,
    training: &TableTraining,
    out: &Path,
) -> Result<TableTrainResult, Failure> {
    let mut table = Table::open_log(path).map_err(table_failure)?;
    let mut part = None;
    if let Some(rows) = training.rows {
        let (some, range) = table.part(rows).map_err(table_failure)?;
        table = some;
        part = Some((range.start, range.end));
    }
    let learned = learn(&table, &training.settings).map_err(learn_failure)?;
    let actions = learned.policy.actions();
    let most = 1.0 / actions as f64;
    if !(0.0..=most).contains(&training.floor) {
        return Err(Failure::new(format!("`--floor` is {}", training.floor))
            .detail(format!(
                "{actions} actions share a probability of 1, so each keeps at most {most:.4}"
            ))
            .fix("try `--floor 0.02`"));
    }
    let (states, regressors) = match &learned.policy {
        LoggedPolicy::Linear { policy } => (None, Some(policy.basis().width())),
        LoggedPolicy::Finite { policy } => (Some(policy.states()), None),
    };
    let mut artefact = TableArtefact {
        id: training.name.clone(),
        created_by: created_by(),
        description: described(training.settings, actions, states, regressors),
        settings: training.settings,
        serve_floor: training.floor,
        actions,
        training: TableStamp {
            rows: learned.rows,
            part,
            seen_hash: String::new(),
        },
        policy: learned.policy,
    };
    let version = artefact
        .save(out, &learned.seen)
        .map_err(|error: ArtefactError| failure_of(&error))?;
    // What an earlier version in this directory was judged to be does not hold for this one.
    RunDirectory::at(out).clear_judgement()?;
    Ok(TableTrainResult {
        name: artefact.id,
        description: artefact.description,
        version,
        rows: learned.rows,
        part,
        taken: learned.taken,
        states,
        regressors,
        settings: training.settings,
        floor: training.floor,
        notes: learned.notes,
    })
}

fn described(
    settings: LearnerSettings,
    actions: usize,
    states: Option<usize>,
    regressors: Option<usize>,
) -> String {
    let how = match settings.learner {
        Learner::Direct { ridge, .. } => format!("direct regression of the reward (ridge {ridge})"),
        Learner::Ips { ridge, .. } => {
            format!("cost-sensitive regression of importance-weighted rewards (ridge {ridge})")
        }
        Learner::Dr { ridge, .. } => {
            format!("cost-sensitive regression of doubly robust rewards (ridge {ridge})")
        }
        Learner::Cql { alpha } => format!("conservative Q (alpha {alpha})"),
        Learner::Bcq { threshold } => format!("batch-constrained Q (threshold {threshold})"),
        Learner::Pessimistic { penalty } => {
            format!("pessimistic fitted Q (penalty {penalty} standard errors)")
        }
        Learner::Spibb { min_count } => {
            format!(
                "safe policy improvement with baseline bootstrapping (pairs of {min_count} rows)"
            )
        }
        Learner::Clone => "behaviour cloning".to_owned(),
    };
    match (states, regressors) {
        (Some(states), _) if settings.learner == Learner::Clone => {
            format!("{how}, {actions} actions in {states} states")
        }
        (Some(states), _) => format!(
            "{how}, {actions} actions in {states} states, discount {}",
            settings.discount
        ),
        (_, width) => format!(
            "{how}, {actions} actions, {} regressors each",
            width.unwrap_or(0)
        ),
    }
}

pub(crate) fn table_failure(error: TableError) -> Failure {
    let failure = failure_of(&error);
    match error.fix() {
        Some(fix) => failure.fix(fix),
        None => failure,
    }
}

fn learn_failure(error: LoggedError) -> Failure {
    let failure = failure_of(&error);
    match error.fix() {
        Some(fix) => failure.fix(fix),
        None => failure,
    }
}
