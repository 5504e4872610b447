//! Learning from a table of logged decisions, without acting.
//!
//! Owns the learners that see only what another policy did: one file each, one-step learners on features and learners of
//! finite decision processes; the policies they make; and the version on disk that remembers which rows it has seen. Reads
//! tables through [`crate::ope::table`]; judging what was learned belongs to [`crate::ope`].
//!
//! Nothing here is iterative in the rows: a pass adds up what a learner needs, so memory does not grow with them, and the
//! answer is the exact minimum or fixed point of its definition.

mod artefact;
mod bcq;
mod clone;
mod counts;
mod cql;
mod direct;
mod dr;
mod error;
mod features;
mod finite;
mod ips;
mod learner;
mod least_squares;
mod linear;
mod pessimistic;
mod policy;
mod seen;
mod solve;
mod spibb;
mod survey;
#[cfg(test)]
mod tests;

pub use self::artefact::{TableArtefact, TableStamp, TableVersion};
pub use self::counts::Counts;
pub use self::error::LoggedError;
pub use self::features::{Basis, FeatureKind};
pub use self::finite::FinitePolicy;
pub use self::learner::{Learned, Learner, LearnerSettings, learn};
pub use self::linear::LinearPolicy;
pub use self::policy::{LoggedPolicy, ServedPolicy};
pub use self::seen::overlap;
pub use self::solve::Solution;
