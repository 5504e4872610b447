//! The direct method: a regression of the reward an action, then the action that promises most.

use super::least_squares::{Need, Sums};

pub(super) const NEED: Need = Need {
    folds: false,
    weighted: false,
    allowed: false,
};

/// θₐ = argmin Σ over rows of a of (r − θ′φ)² + ridge: E[r | x, a] where it was logged.
///
/// Needs no propensities. Exact where the reward is linear in φ; where it is not, the fit is best where the log took the
/// action, which may be far from where the learned policy would.
pub(super) fn coefficients(sums: &Sums, ridge: f64) -> Vec<Vec<f64>> {
    (0..sums.actions())
        .map(|action| sums.direct(action, None, ridge))
        .collect()
}
