//! Judging a policy from a log that another policy wrote.
//!
//! Owns importance weights, the estimators that use them, their bootstrap intervals and the gate that refuses a value
//! the log cannot support. Works on columns with one row a conversation; how those rows come from a log belongs to the
//! caller.

mod bootstrap;
mod importance;
mod weights;

pub use self::bootstrap::{BootstrapPlan, Interval, MAX_GROUPS, Ratio, resample};
pub use self::importance::{Estimate, Importance, OpeError, estimate};
pub use self::weights::{Refusal, SupportGate, WeightDiagnostics, conversation_weight};
