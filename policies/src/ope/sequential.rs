//! Sequential estimators: rows belong to episodes, of any length.
//!
//! Episodes stay in memory as a few columns. Estimators that weigh are functions of sums over episodes, step by step, which
//! serve values, standard errors and resamples alike; those that fit a process to finite states are solved anew in each
//! resample of episodes.

mod candidates;
mod episodes;
mod estimator;
mod fitted;
mod fqe;
mod influence;
mod judge;
mod magic;
mod mis;
mod returns;
mod steps;
#[cfg(test)]
mod tests;
mod weighted;

pub use self::candidates::{compare_sequential, compare_steps};
pub use self::estimator::Sequential;
pub use self::fqe::FqeMode;
pub use self::judge::{SequenceOptions, judge_sequential, judge_steps};
pub use self::returns::{ReturnDistribution, ReturnQuantile};
pub use self::steps::LoggedSteps;
