//! The results format that other programs rely on.

use serde::{Deserialize, Serialize};

use super::sensitivity::Sensitivity;
use crate::ope::diagnostics::TableDiagnostics;
use crate::ope::drift::Drift;
use crate::ope::interval::Method;
use crate::ope::prints::Fingerprint;
use crate::ope::select::TableSelection;
use crate::ope::sequential::ReturnDistribution;
use crate::ope::weights::WeightDiagnostics;

/// The judgement of a table: the results format that other programs rely on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableJudgement {
    /// Rows read.
    pub rows: u64,
    /// Episodes they belong to, in a sequential table.
    pub episodes: Option<u64>,
    /// Confidence level of the intervals.
    pub level: f64,
    /// Seed of the resamples.
    pub seed: u64,
    /// Whether propensities were logged or estimated; none without.
    pub propensities: Option<Propensity>,
    /// The importance weights, when there are propensities.
    pub weights: Option<WeightSummary>,
    /// One for each estimator that was asked for.
    pub estimates: Vec<TableEstimate>,
    /// What was taken and what would be taken, action by action.
    pub actions: Vec<ActionOverlap>,
    /// What lies behind the estimates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnostics: Option<TableDiagnostics>,
    /// Distribution of the return, in a sequential table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns: Option<ReturnDistribution>,
    /// Bounds under hidden reasons of the log's choices, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// Ranking of candidates and a decision, when the table has candidates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selection: Option<TableSelection>,
    /// Whether the halves of the log tell the same; none where rows are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drift>,
    /// What was judged: hashes of the rows and of the policy's probabilities on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<Fingerprint>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Where propensities come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Propensity {
    /// The policy that acted wrote them down.
    Logged,
    /// A model of that policy; nothing may be promoted on them alone.
    Estimated,
}

/// How well the weights cover the target policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightSummary {
    /// Mean; near 1 when propensities are right and every action was taken that the policy takes.
    pub mean: f64,
    /// Largest.
    pub max: f64,
    /// (Σw)² / Σw².
    pub effective_sample_size: f64,
    /// Largest over the sum.
    pub max_share: f64,
}

impl From<WeightDiagnostics> for WeightSummary {
    fn from(d: WeightDiagnostics) -> Self {
        Self {
            mean: d.mean,
            max: d.max,
            effective_sample_size: d.effective_sample_size,
            max_share: d.max_share,
        }
    }
}

/// One action, logged and wanted.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ActionOverlap {
    /// The action.
    pub action: usize,
    /// Rows in which it was taken.
    pub logged: u64,
    /// Mean probability with which the policy would take it.
    pub target: f64,
    /// Mean over all rows of 1/propensity where it was taken, else 0: near 1 when propensities are right. None without them.
    pub calibration: Option<f64>,
}

/// One estimate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableEstimate {
    /// The estimator's short name.
    pub estimator: String,
    /// Its parameter.
    pub parameter: Option<f64>,
    /// The value in units of the reward; none when refused.
    pub value: Option<f64>,
    /// Standard error of the mean of per-row terms, by the delta method for self-normalised estimators.
    pub standard_error: Option<f64>,
    /// Whether an error may remain that more rows do not remove.
    pub biased: bool,
    /// The interval.
    pub interval: Option<TableInterval>,
    /// Why there is no value, and what to do.
    pub refused: Option<String>,
}

/// An interval and how it was made.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct TableInterval {
    /// How.
    pub method: Method,
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Number of resamples, for a bootstrap.
    pub resamples: Option<u32>,
}
