//! Q-learning with a table: finitely many states and actions, masks, several algorithms, exact resumption.
//!
//! [`TabularState`] is a learner in full (settings, table, random numbers, place in its episode): [`train`] lets it live in a
//! [`FiniteEnv`](tierwise_envs::finite::FiniteEnv), [`Learner::update`] feeds it logged transitions, and it can be saved and
//! resumed bit for bit. [`offline`] sweeps whole logs at memory speed. Which states there are, and what a step earns, is
//! the environment's business; serving a learned table as a policy is done elsewhere.
//!
//! Masks hold in acting and in bootstrapping: maxima and means run over the allowed actions of the next state.

mod acting;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod behaviour;
mod centered_q;
mod config;
mod differential_q;
mod double_q;
mod error;
mod expected_sarsa;
mod learner;
mod n_step_sarsa;
pub mod offline;
mod q;
mod q_lambda;
mod q_table;
mod rule;
mod sarsa;
mod schedule;
mod state;
mod train;
mod tree_backup;
#[cfg(test)]
mod truth;

pub use acting::Explorer;
pub use config::{Algorithm, Coupling, TabularConfig};
pub use error::LearnError;
pub use learner::{Learner, Transition, UpdateStats};
pub use q_table::QTable;
pub use schedule::{Exploration, StepSize};
pub use state::TabularState;
pub use train::{Progress, train};
