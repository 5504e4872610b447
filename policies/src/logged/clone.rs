//! Behaviour cloning: do what the log did.

use super::counts::Counts;

/// π(a|s) = n(s, a)/n(s).
pub(super) fn probabilities(counts: &Counts) -> Vec<f64> {
    (0..counts.states())
        .flat_map(|state| counts.behaviour(state))
        .collect()
}
