//! Safe policy improvement with baseline bootstrapping: leave the log's policy alone where it was seen too rarely.

use super::counts::Counts;
use super::error::LoggedError;
use super::solve::{Solution, best, solve};

/// The best policy of the empirical process among those that keep π_b(a|s) for every pair with n(s, a) < N, π_b the shares of
/// the log; what is left in a state goes to the best of its other actions. Π_b-SPIBB.
///
/// V(s) = Σ over rare a of π_b(a|s) Q(s, a) + (1 − Σ over rare a of π_b(a|s)) max over the others.
///
/// # Source
/// Laroche, Trichelair & Tachet des Combes, ICML 2019, algorithm 1 and theorem 2.
/// # Differs from the paper
/// π_b is the log's shares, not a policy that is known (Simão, Laroche & Tachet des Combes, AAMAS 2020).
pub(super) fn solution(
    counts: &Counts,
    min_count: f64,
    discount: f64,
) -> Result<Solution, LoggedError> {
    solve(counts, discount, |state, q| {
        let chosen = row(counts, state, q, min_count);
        let terms = chosen.iter().zip(q).filter(|(p, _)| **p > 0.0);
        terms.map(|(p, q)| p * *q).sum()
    })
}

pub(super) fn probabilities(
    counts: &Counts,
    min_count: f64,
    discount: f64,
) -> Result<Vec<f64>, LoggedError> {
    let solution = solution(counts, min_count, discount)?;
    Ok((0..counts.states())
        .flat_map(|state| row(counts, state, &solution.q[counts.pairs(state)], min_count))
        .collect())
}

/// The constrained greedy policy in a state.
fn row(counts: &Counts, state: usize, q: &[f64], min_count: f64) -> Vec<f64> {
    let n = &counts.n[counts.pairs(state)];
    let shares = counts.behaviour(state);
    let rare = |a: usize| n[a] < min_count;
    let Some(best) = best(q, n, |a| n[a] > 0.0 && !rare(a)) else {
        return shares;
    };
    let mut kept: Vec<f64> = (0..q.len())
        .map(|a| if rare(a) { shares[a] } else { 0.0 })
        .collect();
    kept[best] = 1.0 - kept.iter().sum::<f64>();
    kept
}
