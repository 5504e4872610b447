//! Deciding and judging: policies, the learners that make them, and off-policy evaluation.

pub mod policy;
pub mod rule;
pub mod tabular;
