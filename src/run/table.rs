//! Judging any logged table.

mod learned;
mod page;
mod reason;
mod saved;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tierwise_policies::ope::model::ModelKind;
use tierwise_policies::ope::select::SelectionPlan;
use tierwise_policies::ope::table::{RowRange, TableError};
use tierwise_policies::ope::{
    BootstrapPlan, Comparison, EstimatorError, Method, OptionError, SequenceOptions, SupportGate,
    TableJudgement, TableOptions, compare_on_table, compare_sequential, judge_one_step,
    judge_sequential,
};

pub use self::page::table_page;
pub use self::saved::SavedTable;
use super::ledger::Ledger;
use super::off_policy::JudgedRows;
use super::train::table_failure;
use crate::failure::Failure;

/// What is asked of a table, before it is known which estimators it can have.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableQuestion {
    /// Estimators by name; the usual ones when there are none.
    pub estimators: Vec<String>,
    /// How intervals are made.
    pub interval: Method,
    /// Confidence level in (0, 1).
    pub level: f64,
    /// Resamples and their seed.
    pub bootstrap: BootstrapPlan,
    /// Range that rewards can have.
    pub range: Option<(f64, f64)>,
    /// Largest importance weight that can occur.
    pub max_weight: Option<f64>,
    /// When weights are too few to carry a value.
    pub gate: SupportGate,
    /// Where the reward model comes from.
    pub model: Option<ModelKind>,
    /// Whether to estimate the policy that wrote the log.
    pub estimate_propensity: bool,
    /// How strongly hidden reasons may have moved the odds of the log's choices.
    pub gamma: Option<f64>,
    /// What candidates are compared with; the log when nothing is said.
    pub baseline: Option<String>,
    /// Candidates that were judged on these rows before.
    pub judged_before: u32,
    /// Whether the gate judges the policy of the columns `pi…` where the table has no candidates: a page has a verdict.
    pub compare: bool,
    /// What only episodes have.
    pub sequence: SequenceOptions,
    /// Version directories of learned policies, judged as candidates.
    pub policies: Vec<PathBuf>,
    /// Rows to judge on; all without a range.
    pub rows: Option<RowRange>,
}

impl Default for TableQuestion {
    fn default() -> Self {
        let usual = TableOptions::<()>::default();
        Self {
            estimators: Vec::new(),
            interval: usual.interval,
            level: usual.level,
            bootstrap: usual.bootstrap,
            range: usual.range,
            max_weight: usual.max_weight,
            gate: usual.gate,
            model: usual.model,
            estimate_propensity: usual.estimate_propensity,
            gamma: usual.gamma,
            baseline: None,
            judged_before: 0,
            compare: false,
            sequence: SequenceOptions::default(),
            policies: Vec::new(),
            rows: None,
        }
    }
}

/// Judges the target policy of a table, and its candidates; a ledger tells how many were judged on the same rows before.
/// Returns what was judged as well, for the ledger.
///
/// # Errors
/// A [`Failure`] for options that do not fit together, and for a table that cannot be read.
pub fn judge_table(
    path: &Path,
    question: &TableQuestion,
    ledger: Option<&Ledger>,
) -> Result<(TableJudgement, JudgedRows), Failure> {
    if !(0.0..=1.0).contains(&question.sequence.discount) {
        return Err(
            Failure::new(format!("`--discount` is {}", question.sequence.discount))
                .detail("a discount lies in 0 to 1"),
        );
    }
    // Options are checked before the file is opened, as far as they do not depend on it.
    options::<()>(question, Vec::new())?;
    let table = learned::opened(path, question)?;
    let header = table.header();
    let candidates = !header.candidates.is_empty() || !question.policies.is_empty();
    let selects =
        candidates || question.baseline.is_some() || (question.compare && !header.has_episodes());
    let baseline = question.baseline.as_deref();
    let (mut judgement, compared) = if table.header().has_episodes() {
        let options = options(question, parsed(&question.estimators)?)?;
        let sequence = question.sequence;
        let judgement = judge_sequential(&table, &options, sequence).map_err(failed)?;
        let compared = selects.then(|| compare_sequential(&table, &options, sequence, baseline));
        (judgement, compared)
    } else {
        let options = options(question, parsed(&question.estimators)?)?;
        let judgement = judge_one_step(&table, &options).map_err(failed)?;
        let compared = selects.then(|| compare_on_table(&table, &options, baseline));
        (judgement, compared)
    };
    let compared = match compared.transpose().map_err(failed)? {
        Some(compared) => {
            Some(compared.map_err(|reason| Failure::new(format!("`--baseline`: {reason}")))?)
        }
        None => None,
    };
    let judged = compared
        .as_ref()
        .and_then(Comparison::judged)
        .map(|(rows, candidates)| JudgedRows {
            rows: rows.to_owned(),
            candidates: candidates
                .into_iter()
                .map(|(name, hash)| (name.to_owned(), hash.to_owned()))
                .collect(),
        })
        .unwrap_or_else(|| alone(&judgement));
    if let Some(compared) = compared {
        let others = ledger.map_or(0, |ledger| judged.others(ledger));
        judgement.selection = Some(compared.decide(SelectionPlan {
            level: question.level,
            judged_before: others.max(question.judged_before),
            bootstrap: question.bootstrap,
        }));
    }
    learned::say(&table, question, &mut judgement);
    Ok((judgement, judged))
}

/// The policy of the columns `pi…`, judged alone.
fn alone(judgement: &TableJudgement) -> JudgedRows {
    let print = judgement.judged.clone();
    JudgedRows {
        rows: print.as_ref().map_or(String::new(), |p| p.rows.clone()),
        candidates: print
            .into_iter()
            .flat_map(|p| p.candidates)
            .take(1)
            .map(|hash| ("pi".to_owned(), hash))
            .collect(),
    }
}

fn parsed<E: FromStr<Err = EstimatorError>>(names: &[String]) -> Result<Vec<E>, Failure> {
    names
        .iter()
        .map(|text| text.trim().parse())
        .collect::<Result<Vec<E>, EstimatorError>>()
        .map_err(|error| Failure::new(format!("`--estimators`: {error}")))
}

fn options<E>(question: &TableQuestion, estimators: Vec<E>) -> Result<TableOptions<E>, Failure> {
    let options = TableOptions {
        estimators,
        interval: question.interval,
        level: question.level,
        bootstrap: question.bootstrap,
        range: question.range,
        max_weight: question.max_weight,
        gate: question.gate,
        model: question.model,
        estimate_propensity: question.estimate_propensity,
        gamma: question.gamma,
    };
    options.check().map_err(|error| {
        let failure = Failure::new(error.to_string());
        match error {
            OptionError::NoRange { .. } => failure
                .detail("the largest reward of a sample bounds nothing")
                .fix("declare it: `--range 0,1`"),
            _ => failure,
        }
    })?;
    Ok(options)
}

fn failed(error: TableError) -> Failure {
    table_failure(error)
}
