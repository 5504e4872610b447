//! A plain queue of people, simulated at tens of millions of customers a second.
//!
//! Customers arrive at random, are served first come, first served within their priority, and leave when their patience
//! ends. [`QueueConfig`] is the file, [`Queue`] its checked form, [`Queue::simulate`] the run, and [`theory`] the exact
//! values beside it where [`crate::erlang`] knows them. What a run measures comes with standard errors that stay honest
//! although waits of successive customers are alike.
//!
//! One run is one sequence of customers, whose gaps, work and patience come from streams of their own. So the same seed
//! gives the same bytes on any number of threads, and two staffings meet the same customers.

mod batches;
mod compare;
mod config;
mod draws;
mod first_come;
mod free_times;
mod law;
mod line;
mod measures;
mod runs;
mod sums;
#[cfg(test)]
mod tests;
mod theory;

pub use self::compare::{Compared, compare};
pub use self::config::{
    ClassConfig, LawConfig, LawKind, Queue, QueueClass, QueueConfig, QueueConfigError,
};
pub use self::law::Law;
pub use self::measures::{ClassMeasures, Estimate, Measures, QueueResult, WITHIN_S, Within};
pub use self::theory::{ClassTheory, Theory, theory};
