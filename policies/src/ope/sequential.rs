//! Sequential estimators: rows belong to episodes, of any length.
//!
//! Episodes stay in memory as a few columns. Estimators that weigh are functions of sums over episodes, step by step, which
//! serve values, standard errors and resamples alike; those that fit a process to finite states are solved anew in each
//! resample of episodes.

mod episodes;
mod estimator;
mod fqe;
mod judge;
mod magic;
mod mis;
mod returns;
#[cfg(test)]
mod tests;
mod weighted;

pub use self::estimator::Sequential;
pub use self::fqe::FqeMode;
pub use self::judge::{SequenceOptions, judge_sequential};
pub use self::returns::{ReturnDistribution, ReturnQuantile};
