//! Judging a policy from a log that another policy wrote.
//!
//! Owns importance weights, the estimators that use them, their intervals and the gate that refuses a value the log
//! cannot support. Works on columns with one row a conversation, or on a table file with one row a decision; how rows
//! come from a conversation log belongs to the caller.

mod bootstrap;
mod diagnostics;
mod drift;
mod importance;
mod interval;
pub mod model;
mod moments;
mod one_step;
mod prints;
pub mod select;
mod sequential;
pub mod table;
mod weights;

pub use self::bootstrap::{BootstrapPlan, GroupSums, Interval, MAX_GROUPS, Ratio, resample};
pub use self::diagnostics::{
    CalibrationBin, GroupOverlap, LoggedMean, Overlap, OverlapCell, TableDiagnostics, WeightBin,
    WeightHistogram,
};
pub use self::drift::{DRIFT_LEVEL, Drift, Halves};
pub use self::importance::{Estimate, Importance, OpeError, estimate};
pub use self::interval::{
    Method, Sides, Support, bernstein_half_width, hoeffding_half_width, normal_quantile, t_quantile,
};
pub use self::moments::Moments;
pub use self::one_step::{
    ActionOverlap, EstimatorError, Family, OneStep, OptionError, Propensity, Request, Sensitivity,
    Shrink, TableEstimate, TableInterval, TableJudgement, TableOptions, Tuning, WeightSummary,
    compare_on_table, judge_one_step,
};
pub use self::prints::Fingerprint;
pub use self::select::{Comparison, NamedCandidate, SelectionDecision, TableSelection};
pub use self::sequential::{
    FqeMode, LoggedSteps, ReturnDistribution, ReturnQuantile, SequenceOptions, Sequential,
    compare_sequential, compare_steps, judge_sequential, judge_steps,
};
pub use self::weights::{
    Refusal, SupportGate, WeightDiagnostics, WeightTally, conversation_weight,
};
