//! One-step estimators: each row of a table is a decision of its own.
//!
//! Every estimator is a function of the means of a few columns, so one pass over the table, in blocks whose sums add up,
//! serves all of them: values, standard errors by the delta method, and resamples.

mod bounds;
mod candidates;
mod estimator;
mod gather;
mod judge;
mod layout;
mod options;
mod piece;
mod results;
mod sensitivity;
#[cfg(test)]
mod tests;
mod tuning;

pub use self::candidates::compare_on_table;
pub(crate) use self::candidates::names;
pub use self::estimator::{EstimatorError, Family, OneStep, Request, Shrink, Tuning};
pub use self::judge::judge_one_step;
pub(crate) use self::judge::{in_words, jackknife, widened};
pub use self::options::{OptionError, TableOptions};
pub use self::results::{
    ActionOverlap, Propensity, TableEstimate, TableInterval, TableJudgement, WeightSummary,
};
pub use self::sensitivity::Sensitivity;
