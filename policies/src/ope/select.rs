//! Choosing among many candidates without doing harm.
//!
//! The best of many estimates is the luckiest. A candidate is promoted only when the lower bound of its difference to the
//! baseline is above zero, for all candidates at once, those judged earlier on the same rows included.

mod gate;
mod metrics;
mod named;

pub use self::gate::{
    CandidateResult, Decision, SelectError, Selection, SelectionPlan, TermSums, select,
};
pub use self::metrics::{SelectionMetrics, selection_metrics};
pub use self::named::{Comparison, NamedCandidate, SelectionDecision, TableSelection};
