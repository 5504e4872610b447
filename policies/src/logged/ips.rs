//! Inverse propensities: cost-sensitive learning from unbiased and noisy rewards of every action.

use super::least_squares::{Need, Sums};

pub(super) const NEED: Need = Need {
    folds: false,
    weighted: true,
    allowed: true,
};

/// θₐ = argmin Σ over rows where a was allowed of (r̂ₐ − θ′φ)² + ridge, with r̂ₐ = r 1{a taken}/propensity.
///
/// One-against-all regression of the importance-weighted reward; E[r̂ₐ | x] = E[r | x, a] whatever the log did, so the fit is
/// best where customers are. The variance grows with r²/propensity: shift rewards towards zero, or prefer `dr`.
///
/// # Source
/// Beygelzimer & Langford, KDD 2009; Dudík, Langford & Li, ICML 2011.
pub(super) fn coefficients(sums: &Sums, ridge: f64) -> Vec<Vec<f64>> {
    (0..sums.actions())
        .map(|action| {
            sums.allowed(0, action)
                .solve(&sums.cells[0][action].weighted_rewards, ridge)
        })
        .collect()
}
