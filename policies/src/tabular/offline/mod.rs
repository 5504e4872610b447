//! Learning from a whole log in memory: packed rows, swept in order at memory speed.
//!
//! A sweep makes one update per row with a constant step size and gives, bit for bit, what the plain loop over the
//! columns gives; only the layout differs. Learning in an environment, schedules and everything that needs more than one
//! row at a time live one module up.

mod logged;
mod loops;
#[cfg(test)]
mod plain;
mod sweep;

pub use logged::{LoggedColumns, LoggedTransitions};
pub use sweep::{OfflineConfig, OfflineRule, SweepLearner};
