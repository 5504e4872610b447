//! Deciding and judging: policies, the learners that make them, and off-policy evaluation.
//!
//! Owns every way to turn a situation into tier probabilities and every way to judge one from a log. Reads no files
//! but its own artefacts and the tables it judges; knows no report and no database.

pub mod artefact;
pub mod logged;
pub mod ope;
pub mod policy;
pub mod rule;
pub mod table;
pub mod tabular;
pub mod view;
