//! Judging a policy from a log that another policy wrote.
//!
//! Owns importance weights, the estimators that use them, their intervals and the gate that refuses a value the log
//! cannot support. Works on columns with one row a conversation, or on a table file with one row a decision; how rows
//! come from a conversation log belongs to the caller.

mod bootstrap;
mod diagnostics;
mod importance;
mod interval;
pub mod model;
mod moments;
mod one_step;
pub mod select;
mod sequential;
pub mod table;
mod weights;

pub use self::bootstrap::{BootstrapPlan, GroupSums, Interval, MAX_GROUPS, Ratio, resample};
pub use self::diagnostics::{
    CalibrationBin, GroupOverlap, LoggedMean, Overlap, OverlapCell, TableDiagnostics, WeightBin,
    WeightHistogram,
};
pub use self::importance::{Estimate, Importance, OpeError, estimate};
pub use self::interval::{
    Method, Sides, Support, bernstein_half_width, hoeffding_half_width, normal_quantile, t_quantile,
};
pub use self::moments::Moments;
pub use self::one_step::{
    ActionOverlap, EstimatorError, Family, NamedCandidate, OneStep, OptionError, Propensity,
    Request, SelectionDecision, Sensitivity, Shrink, TableEstimate, TableInterval, TableJudgement,
    TableOptions, TableSelection, Tuning, WeightSummary, judge_one_step, select_on_table,
};
pub use self::sequential::{
    FqeMode, ReturnDistribution, ReturnQuantile, SequenceOptions, Sequential, judge_sequential,
};
pub use self::weights::{
    Refusal, SupportGate, WeightDiagnostics, WeightTally, conversation_weight,
};
