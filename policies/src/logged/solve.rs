//! Fixed points over the empirical process.

use super::counts::Counts;
use super::error::LoggedError;

/// Sweeps after which a fixed point counts as absent.
const MAX_SWEEPS: usize = 100_000;

/// Values of a process under one way of backing up.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// Q(s, a), state after state; minus infinity for pairs that were never logged.
    pub q: Vec<f64>,
    /// V(s). A state that no row acts in is worth what the worst known one is.
    pub v: Vec<f64>,
}

/// Iterates V(s) = value(s, Q(s, ·)) with Q(s, a) = r(s, a) + γ Σ p(s′|s, a) V(s′) on logged pairs to its fixed point.
///
/// `value` may change the Q it is given; what it leaves there is what the solution holds. With a `value` that no sup-norm
/// distance grows under, this is a γ-contraction. A state in which nobody acted is worth the worst of the others, so that no
/// action is chosen for leading out of what the log knows.
pub(super) fn solve(
    counts: &Counts,
    discount: f64,
    mut value: impl FnMut(usize, &mut [f64]) -> f64,
) -> Result<Solution, LoggedError> {
    let states = counts.states();
    let acts: Vec<bool> = (0..states).map(|state| counts.acts(state)).collect();
    let mut v = vec![0.0; states];
    let mut q = vec![f64::NEG_INFINITY; counts.n.len()];
    for _ in 0..MAX_SWEEPS {
        let (mut change, mut scale) = (0.0_f64, 1e-300_f64);
        for state in (0..states).filter(|state| acts[*state]) {
            let pairs = counts.pairs(state);
            for pair in pairs.clone().filter(|pair| counts.n[*pair] > 0.0) {
                let moves = counts.first[pair]..counts.first[pair + 1];
                let ahead: f64 = counts.next[moves.clone()]
                    .iter()
                    .zip(&counts.share[moves])
                    .map(|(next, share)| share * v[*next as usize])
                    .sum();
                q[pair] = counts.reward[pair] + discount * ahead;
            }
            let new = value(state, &mut q[pairs]);
            change = change.max((new - v[state]).abs());
            scale = scale.max(new.abs());
            v[state] = new;
        }
        let known = v.iter().zip(&acts).filter(|(_, acts)| **acts);
        let worst = known.map(|(v, _)| *v).fold(f64::INFINITY, f64::min);
        for (v, _) in v.iter_mut().zip(&acts).filter(|(_, acts)| !**acts) {
            change = change.max((*v - worst).abs());
            *v = worst;
        }
        if !scale.is_finite() {
            break;
        }
        if change <= 1e-13 * scale {
            return Ok(Solution { q, v });
        }
    }
    Err(LoggedError::Diverges { discount })
}

/// The best of some actions: highest value, then most rows, then lowest number.
pub(super) fn best(values: &[f64], n: &[f64], among: impl Fn(usize) -> bool) -> Option<usize> {
    let mut best: Option<usize> = None;
    for a in (0..values.len()).filter(|a| among(*a)) {
        if best.is_none_or(|b| values[a] > values[b] || (values[a] == values[b] && n[a] > n[b])) {
            best = Some(a);
        }
    }
    best
}

/// Probabilities of a policy that takes the best of the logged actions in each state, by values and a set.
pub(super) fn greedy(counts: &Counts, q: &[f64], among: impl Fn(usize, usize) -> bool) -> Vec<f64> {
    let mut probabilities = vec![0.0; q.len()];
    for state in 0..counts.states() {
        let pairs = counts.pairs(state);
        let n = &counts.n[pairs.clone()];
        let taken = best(&q[pairs.clone()], n, |a| n[a] > 0.0 && among(state, a));
        if let Some(action) = taken {
            probabilities[pairs.start + action] = 1.0;
        }
    }
    probabilities
}
