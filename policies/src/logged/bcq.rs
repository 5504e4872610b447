//! Batch-constrained Q-learning on finite states: the best of the actions that the log took often enough.

use super::counts::Counts;
use super::error::LoggedError;
use super::solve::{best, greedy, solve};

/// Q(s, a) = r + γ Σ p(s′|s, a) max Q(s′, a′) over the a′ with π_b(a′|s′) > τ maxₐ π_b(a|s′), π_b the shares of the log;
/// the policy takes the maximum of the same set. τ = 0 is Q-learning on logged pairs; τ towards 1 is the log's favourite.
///
/// # Source
/// Fujimoto, Conti, Ghavamzadeh & Pineau 2019, arXiv:1910.01708, equation 9 (discrete BCQ).
/// # Differs from the paper
/// The fixed point on the empirical process instead of samples and networks.
pub(super) fn probabilities(
    counts: &Counts,
    threshold: f64,
    discount: f64,
) -> Result<Vec<f64>, LoggedError> {
    let most: Vec<f64> = (0..counts.states())
        .map(|state| {
            counts.n[counts.pairs(state)]
                .iter()
                .copied()
                .fold(0.0, f64::max)
        })
        .collect();
    // Shares and counts have the same ratios within a state.
    let often = |state: usize, a: usize| {
        let n = counts.n[state * counts.actions + a];
        n > 0.0 && (n > threshold * most[state] || n == most[state])
    };
    let solution = solve(counts, discount, |state, q| {
        let n = &counts.n[counts.pairs(state)];
        best(q, n, |a| often(state, a)).map_or(0.0, |a| q[a])
    })?;
    Ok(greedy(counts, &solution.q, often))
}
