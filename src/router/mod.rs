//! The live half: who gets which policy, what is recorded, and when a policy is promoted or rolled back.
//!
//! A decision is a pure function of a [`Snapshot`](snapshot::Snapshot) and a question; the exposure goes to the local
//! [`Spool`](spool::Spool) before the answer and from there to the store; the [`Judge`](judge::Judge) closes blocks of mature
//! units and moves experiments by the rule of promotion. Only [`http`] speaks HTTP, only the store speaks SQL, and time
//! comes from a [`Clock`](clock::Clock).

pub mod allocation;
pub mod audit;
pub mod bucketing;
pub mod client;
pub mod clock;
pub mod context;
pub mod experiment;
pub mod http;
pub mod judge;
pub mod metrics;
pub mod page;
pub mod registry;
pub mod service;
pub mod settings;
pub mod snapshot;
pub mod spool;
pub mod standing;
pub mod webhook;

#[cfg(test)]
mod tests;
