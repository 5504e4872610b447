//! Tests of one policy against another in a centre whose people they share.
//!
//! In a simulator the truth can be had: everyone under A against everyone under B, with the same customers
//! ([`Contest::truth`]). Here the designs that a shop could really run are played in the same centre and held against it:
//! a split of the customers over one pool, a split of customers and people, and policies that take turns. What each
//! measures, what it misses, and whom it crowns is a [`DesignResult`].
//!
//! Everything is a map over replicas, each a function of its seed, and an ordered merge.

mod contest;
mod error;
mod estimate;
mod relaxation;
mod result;
mod scale;
mod split;
mod switchback;
#[cfg(test)]
mod tests;

pub use self::contest::{Contest, Truth};
pub use self::error::DesignError;
pub use self::estimate::{Estimate, Winner};
pub use self::relaxation::{Measure, Relaxation, RelaxationCurve, Watch};
pub use self::result::{Caution, Design, DesignResult};
pub use self::scale::{Deviation, SplitCentre};
