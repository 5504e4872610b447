//! Logged conversations, replayed one by one under another policy.
//!
//! Arrival times, texts, classes and the number of customer messages stay as logged. In `rejection` mode an episode goes
//! on as long as the policy agrees with the log; in `model` mode an [`OutcomeModel`] answers for the tiers the log did
//! not take. Nobody queues here: waits are those of the log or of the model, and capacity belongs to another
//! environment.

mod environment;
mod episodes;
mod outcome_model;
#[cfg(test)]
mod samples;
mod survey;

pub use self::environment::{Replay, ReplayMode};
pub use self::episodes::{Episodes, EpisodesBuilder};
pub use self::outcome_model::{Answer, AssumedCell, Cell, ModelError, OutcomeModel, Provenance};
pub use self::survey::SurveyNotes;
