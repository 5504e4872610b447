//! Whether units were assigned one by one, as a user split promises.
//!
//! A switchback sends whole stretches of time to one arm. Read unit by unit it looks like a user split with far more
//! evidence than there is, and calls identical arms different. [`ClumpProcess`] notices: it bets that a unit follows the
//! arm of the unit before it.

use super::special::log_add;

/// An e-process against "each unit was assigned by its own coin".
#[derive(Debug, Clone, PartialEq)]
pub struct ClumpProcess {
    log_wealth: [f64; Self::STICKINESS.len()],
    previous: Option<bool>,
}

impl Default for ClumpProcess {
    fn default() -> Self {
        Self {
            log_wealth: [0.0; Self::STICKINESS.len()],
            previous: None,
        }
    }
}

impl ClumpProcess {
    /// Excess probability of following the unit before; negative bets are on alternation.
    const STICKINESS: [f64; 6] = [-0.5, -0.1, 0.05, 0.2, 0.5, 0.9];

    /// Takes in the next unit in order of exposure, with its share of the treatment.
    pub fn observe(&mut self, is_treatment: bool, share: f64) {
        if let Some(previous) = self.previous {
            let chance = if is_treatment { share } else { 1.0 - share };
            for (log, stickiness) in self.log_wealth.iter_mut().zip(Self::STICKINESS) {
                let before = if previous { share } else { 1.0 - share };
                // Following: p + κ(1 − p). Changing: p(1 − κ). For κ < 0 the two are bounded by what alternation allows.
                let follow = if stickiness >= 0.0 {
                    before + stickiness * (1.0 - before)
                } else {
                    before * (1.0 + stickiness)
                };
                let alternative = if is_treatment == previous {
                    follow
                } else {
                    1.0 - follow
                };
                *log += (alternative / chance).ln();
            }
        }
        self.previous = Some(is_treatment);
    }

    /// Natural logarithm of the mixture's wealth.
    #[must_use]
    pub fn log_value(&self) -> f64 {
        self.log_wealth
            .iter()
            .fold(f64::NEG_INFINITY, |sum, log| log_add(sum, *log))
            - (Self::STICKINESS.len() as f64).ln()
    }
}
