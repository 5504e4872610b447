//! The statistics of promotion: pure functions of tallies and of ordered blocks.
//!
//! No clock, no input or output, no randomness. Tallies add to the bit ([`tally`]); what holds at any look is an ordered
//! fold over closed blocks ([`eprocess`]); what holds at one look, fixed before the start, stands in a file per method. A
//! number that the data do not support is a [`StatsError`], never a p-value of one.

#[cfg(test)]
mod agreement;
pub mod assignment;
pub mod beta_binomial;
pub mod comparison;
pub mod correction;
pub mod cuped;
pub mod eprocess;
pub mod error;
pub mod exact_sum;
pub mod gaussian;
pub mod growthbook;
pub mod intake;
pub mod lift;
pub mod margin;
pub mod msprt;
pub mod plan;
pub mod proportion;
pub mod ratio;
pub mod sample_ratio;
pub mod sequence;
pub mod special;
pub mod switchback;
pub mod tally;
pub mod verdict;
pub mod welch;
pub mod winsor;

pub use self::comparison::Comparison;
pub use self::error::{Alpha, StatsError};
