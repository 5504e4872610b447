//! Tests that hold at any look: e-processes, whose wealth decides when it has grown by 1/α.
//!
//! [`RateTest`] is the judge of live tests. Blocks of units enter in order of exposure, each with the share that was
//! logged; wealth carries over ramps and drift. [`HypergeometricTest`] does the same for data without logged shares, and
//! [`rate_interval`] turns either side around into an interval.

mod bets;
mod guardrail;
mod hypergeometric;
mod interval;
mod rate_test;
mod rates;
mod strata;

pub use self::bets::{BETS, Mixture, PerBet, log_mixture};
pub use self::guardrail::{GuardrailTest, Harm, NonInferiorityTest};
pub use self::hypergeometric::{
    HypergeometricTest, HypergeometricWealth, log_odds_normaliser, odds_interval, odds_sequence,
};
pub use self::interval::{
    RatioInterval, rate_interval, rate_interval_together, rate_sequence, rate_sequence_together,
};
pub use self::rate_test::{Block, Crossing, RateTest, TestLevels, Wealth};
pub use self::rates::{Outlook, RateWealth, RunningOutlook, Side};
pub use self::strata::{MOST_STRATA, MultiBlock, StrataVeto, challenger_block};

#[cfg(test)]
mod tests;
