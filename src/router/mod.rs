//! The live half: who gets which policy, what is recorded, and when a policy is promoted or rolled back.

pub mod allocation;
pub mod bucketing;
pub mod context;
pub mod experiment;
pub mod registry;
pub mod snapshot;
