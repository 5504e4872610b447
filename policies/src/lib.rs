//! tierwise-policies.

pub mod tabular;
