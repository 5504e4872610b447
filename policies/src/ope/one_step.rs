//! One-step estimators: each row of a table is a decision of its own.
//!
//! Every estimator is a function of the means of a few columns, so one pass over the table, in blocks whose sums add up,
//! serves all of them: values, standard errors by the delta method, and resamples.

mod estimator;
mod gather;
mod judge;
mod layout;
#[cfg(test)]
mod tests;

pub use self::estimator::{EstimatorError, OneStep, Shrink};
pub(crate) use self::judge::in_words;
pub use self::judge::{
    ActionOverlap, OptionError, TableEstimate, TableInterval, TableJudgement, TableOptions,
    WeightSummary, judge_one_step,
};
