//! What judging found, as it is saved and printed.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tierwise_envs::replay::SurveyNotes;
use tierwise_envs::reward::RewardShape;
use tierwise_policies::artefact::Evidence;
use tierwise_policies::ope::{Refusal, WeightDiagnostics};

use super::data::Part;
use super::judged::{Propensities, StateChoice};
use super::off_policy::{JudgedRows, OffPolicy};

/// What the numbers rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Logged outcomes and exact propensities.
    Logged,
    /// Logged outcomes and estimated propensities; promotes nothing.
    EstimatedPropensity,
    /// An outcome model; promotes nothing.
    Simulated,
}

/// A value with its interval, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// `ips`, `snips` or `model`.
    pub estimator: String,
    /// The value; `None` when refused.
    pub value: Option<f64>,
    /// Bootstrap standard error.
    pub standard_error: Option<f64>,
    /// Percentile bootstrap interval.
    pub interval: Option<Bounds>,
    /// Conversations with the figure.
    pub n: u64,
    /// Why there is no value.
    pub refused: Option<Refusal>,
}

/// Ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Candidate minus baseline in mean reward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Point estimate.
    pub value: f64,
    /// Lower end, corrected for the number of candidates.
    pub lower: f64,
    /// Upper end, corrected likewise.
    pub upper: f64,
    /// Bootstrap standard error.
    pub standard_error: f64,
}

/// One policy as judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Its version; absent for what no artefact holds.
    pub version: Option<String>,
    /// How it was made.
    pub learner: String,
    /// What its knowledge rests on.
    pub evidence: Evidence,
    /// Exploration floor it was judged with.
    pub floor: f64,
    /// How its weights cover the log; absent on a model.
    pub weights: Option<WeightDiagnostics>,
    /// Mean reward by estimator.
    pub estimates: Vec<Value>,
    /// Key figures by name.
    pub kpis: BTreeMap<String, Value>,
    /// Mean probability of each tier over the judged decisions.
    pub tier_shares: [f64; 3],
    /// What it does in each of the 72 states.
    pub states: Vec<StateChoice>,
    /// Its difference to the baseline; absent for the baseline, and where either value is refused.
    pub difference: Option<Difference>,
    /// Differences of key figures to the baseline, by name, at the level of single values.
    pub kpi_differences: BTreeMap<String, Difference>,
}

/// The best policy under another definition of the reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Cost weight k.
    pub cost_weight: f64,
    /// The shape.
    pub shape: RewardShape,
    /// Whether it is the definition everything else uses.
    pub is_default: bool,
    /// The policy with the highest mean.
    pub winner: String,
    /// The candidate's difference to the baseline.
    pub difference: f64,
    /// Its interval.
    pub interval: Option<Bounds>,
}

/// What may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The lower bound of the candidate's difference is above zero.
    Beats,
    /// The interval holds zero: keep the baseline.
    NotShown,
    /// The upper bound is below zero.
    Worse,
    /// The numbers come from a model, or the policy learned on one's assumptions: nothing may be promoted.
    Simulated,
    /// No comparison is possible.
    Refused,
}

/// The verdict on the best candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerdictResult {
    /// What may be said.
    pub kind: VerdictKind,
    /// The candidate.
    pub policy: Option<String>,
    /// The baseline.
    pub baseline: String,
    /// Its difference to the baseline.
    pub difference: Option<Difference>,
    /// How many more conversations would tell this difference from zero, if it is real.
    pub more_conversations: Option<u64>,
    /// Why there is no comparison.
    pub refused: Option<Refusal>,
}

/// Everything judging found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The program that ran.
    pub created_by: String,
    /// The log's path as given.
    pub log: PathBuf,
    /// Its content hash.
    pub log_hash: String,
    /// Hash of the configuration used.
    pub config_hash: String,
    /// Version of the reward.
    pub reward_version: String,
    /// The part judged.
    pub part: Part,
    /// Conversations judged.
    pub rows: u64,
    /// Decisions judged.
    pub decisions: u64,
    /// Which propensities they have.
    pub propensities: Propensities,
    /// What the numbers rest on.
    pub basis: Basis,
    /// Level of the intervals of single values.
    pub level: f64,
    /// Candidates, for whose number the intervals of differences are corrected (Bonferroni).
    pub candidates: u64,
    /// Other candidates that were judged on this part before, for which they are corrected too.
    #[serde(default)]
    pub judged_before: u32,
    /// What was judged, by content, where a ledger counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<JudgedRows>,
    /// Further estimators and the selection, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub off_policy: Option<OffPolicy>,
    /// Bootstrap resamples.
    pub resamples: u32,
    /// Their seed.
    pub seed: u64,
    /// The baseline first, then the logging policy as it acted, then the candidates.
    pub policies: Vec<Judged>,
    /// The verdict.
    pub verdict: VerdictResult,
    /// The verdict under other rewards.
    pub sensitivity: Vec<Alternative>,
    /// Assumed cells of the outcome model behind `model` values.
    pub assumed: Vec<String>,
    /// How much satisfaction the judged conversations have of their own; the rest enters by AIPW.
    pub survey: SurveyNotes,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// Names of the two rows that are no candidates.
pub const BASELINE: &str = "rule";
/// The logging policy as it acted.
pub const AS_LOGGED: &str = "as logged";
