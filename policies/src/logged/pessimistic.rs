//! Pessimistic fitted Q: every value less what its rows may be wrong by.

use super::counts::Counts;
use super::error::LoggedError;
use super::solve::{greedy, solve};

/// Q(s, a) = r + γ Σ p(s′|s, a) V(s′) − β σ/√n(s, a), V(s) = max over logged actions; the policy takes the maximum.
///
/// σ² is the variance of r + γ V_b(s′) within pairs, pooled over all of them, with V_b the value of the log's own policy: it
/// is fixed before the fit, so that the map stays a γ-contraction, and it makes β a number of standard errors whatever the
/// units of the reward.
///
/// # Source
/// Rashidinejad, Zhu, Ma, Jiao & Russell, NeurIPS 2021 (VI-LCB); Jin, Yang & Wang, ICML 2021 (PEVI).
/// # Differs from the paper
/// Their penalty is the range of values times √(log(…)/n), a bound for every process; this one is its estimated spread times
/// β/√n, which is far smaller and no proof.
pub(super) fn probabilities(
    counts: &Counts,
    penalty: f64,
    discount: f64,
) -> Result<Vec<f64>, LoggedError> {
    let spread = spread(counts, discount)?;
    let solution = solve(counts, discount, |state, q| {
        let mut most = f64::NEG_INFINITY;
        for (q, n) in q.iter_mut().zip(&counts.n[counts.pairs(state)]) {
            if *n > 0.0 {
                *q -= penalty * spread / n.sqrt();
                most = most.max(*q);
            }
        }
        most
    })?;
    Ok(greedy(counts, &solution.q, |_, _| true))
}

/// σ: the pooled standard deviation of r + γ V_b(s′) within pairs, with n − 1 degrees of freedom for each pair.
///
/// The covariance of reward and next value within a pair is left out: the log's sums do not hold it.
fn spread(counts: &Counts, discount: f64) -> Result<f64, LoggedError> {
    let behaviour: Vec<Vec<f64>> = (0..counts.states()).map(|s| counts.behaviour(s)).collect();
    let logged = solve(counts, discount, |state, q| {
        let shares = behaviour[state].iter().zip(q);
        shares.filter(|(b, _)| **b > 0.0).map(|(b, q)| b * *q).sum()
    })?;
    let (mut squares, mut freedom) = (0.0, 0.0);
    for (pair, n) in counts.n.iter().enumerate().filter(|(_, n)| **n > 1.0) {
        let (mut mean, mut square) = (0.0, 0.0);
        for at in counts.first[pair]..counts.first[pair + 1] {
            let v = discount * logged.v[counts.next[at] as usize];
            mean += counts.share[at] * v;
            square += counts.share[at] * v * v;
        }
        let reward = counts.reward_square[pair] - counts.reward[pair].powi(2);
        squares += n * (reward + square - mean * mean).max(0.0);
        freedom += n - 1.0;
    }
    Ok(if freedom > 0.0 {
        (squares / freedom).sqrt()
    } else {
        0.0
    })
}
