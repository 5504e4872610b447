//! Plain values of the page, filled by whoever judged the table.

use serde::{Deserialize, Serialize};

use super::reason::TableReason;

/// What to do, stated first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TableVerdict {
    /// A candidate is shown to be better.
    Promote {
        /// The candidate, one of the ranking's that pass.
        candidate: String,
    },
    /// The baseline stays.
    Keep {
        /// Why.
        reason: TableReason,
    },
    /// The best candidate looks better and is not shown to be.
    CollectMore {
        /// The candidate.
        candidate: String,
        /// Rows beyond those at hand.
        rows: u64,
    },
    /// The table allows no conclusion.
    Refused {
        /// Why.
        reason: TableReason,
    },
    /// A value without a comparison, as sequences have.
    Valued,
}

/// What the log itself earned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoggedValue {
    /// Mean reward of a row, or return of an episode.
    pub value: f64,
    /// Its interval at the page's level.
    #[serde(default)]
    pub interval: Option<(f64, f64)>,
}

/// One estimator's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableEstimateRow {
    /// The estimator's key, with a parameter after a colon where it has one.
    pub estimator: String,
    /// The value; none where it is refused.
    #[serde(default)]
    pub value: Option<f64>,
    /// Its interval at the page's level.
    #[serde(default)]
    pub interval: Option<(f64, f64)>,
    /// Whether an error may remain that more rows do not remove.
    #[serde(default)]
    pub biased: bool,
    /// Whether it rests on a reward model alone.
    #[serde(default)]
    pub model_only: bool,
    /// Why there is no value.
    #[serde(default)]
    pub refused: Option<TableReason>,
}

/// How the importance weights spread.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightSpread {
    /// Weights: one a row, or one an episode.
    pub n: u64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub largest: f64,
    /// Largest over the sum, a fraction.
    pub largest_share: f64,
    /// (Σw)² / Σw².
    pub effective: f64,
    /// Effective size below which no weighted value is given.
    pub needed: f64,
    /// Share of the largest above which none is given.
    pub limit: f64,
    /// Weights that are zero.
    pub zero: u64,
    /// The others by size, each bin's weights up to twice its first.
    pub bins: Vec<WeightsOfSize>,
}

/// Weights from a power of two to the next.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightsOfSize {
    /// The smallest, a power of two.
    pub from: f64,
    /// How many.
    pub n: u64,
    /// Their sum.
    pub weight: f64,
}

/// What was taken and what the policy would take, by group and action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableOverlap {
    /// The column that groups rows; none where all are one group.
    #[serde(default)]
    pub by: Option<String>,
    /// The groups.
    pub groups: Vec<OverlapGroup>,
}

/// One group of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OverlapGroup {
    /// Its name.
    pub name: String,
    /// Whether it holds all groups that have none of their own.
    #[serde(default)]
    pub others: bool,
    /// Rows.
    pub rows: u64,
    /// One an action: rows in which it was taken, and the policy's mean probability.
    pub cells: Vec<(u64, f64)>,
}

/// Candidates and what the gate says of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateRanking {
    /// What they are compared with; none for the policy that wrote the log.
    #[serde(default)]
    pub baseline: Option<String>,
    /// From the largest lower bound to the smallest; refused ones last.
    pub candidates: Vec<RankedCandidate>,
    /// Candidates judged on these rows before, beyond those listed.
    #[serde(default)]
    pub judged_before: u64,
    /// Standard errors between an estimate and its bound, and those that Bonferroni would take.
    #[serde(default)]
    pub critical: Option<(f64, f64)>,
}

/// One candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedCandidate {
    /// Its name.
    pub name: String,
    /// Difference to the baseline; none where it is refused.
    #[serde(default)]
    pub difference: Option<f64>,
    /// Its standard error.
    #[serde(default)]
    pub standard_error: Option<f64>,
    /// Lower bound, simultaneous over all candidates.
    #[serde(default)]
    pub lower: Option<f64>,
    /// Whether the bound is above zero.
    pub passes: bool,
    /// Why it is not judged.
    #[serde(default)]
    pub refused: Option<TableReason>,
}

/// Propensities of about one size, beside what happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PropensityBin {
    /// Smallest propensity of the bin.
    pub from: f64,
    /// Largest.
    pub to: f64,
    /// Occasions.
    pub n: u64,
    /// Mean share promised.
    pub predicted: f64,
    /// Share that happened.
    pub observed: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
}

/// The measured spread from which the value of more data follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MoreData {
    /// The estimator's key.
    pub estimator: String,
    /// Its value.
    pub value: f64,
    /// Half-width of its interval at today's size, by its standard error.
    pub half_width: f64,
}
