//! Conservative Q-learning on finite states: values that are lowered where the log did not go.

use super::counts::Counts;
use super::error::LoggedError;
use super::solve::{Solution, greedy, solve};

/// Newton steps of one state; the objective is strictly convex and the steps are halved until it falls.
const STEPS: usize = 100;

/// The fixed point of Q ← argmin over Q of
/// α E_s [log Σₐ exp Q(s, a) − Σₐ π_b(a|s) Q(s, a)] + ½ E_{s,a} [(Q(s, a) − B(s, a))²],
/// with B = r + γ Σ p(s′|s, a) max Q(s′, ·), expectations over the rows of the log and π_b its shares: CQL(H).
///
/// In a state the minimum solves α (softmax(Q)ₐ − π_b(a)) + π_b(a)(Qₐ − Bₐ) = 0. An action that was never logged has no
/// second term, and its value falls without end: it is never taken. The minimum moves less than B in the largest difference
/// (its Jacobian has no negative entry and rows that sum to one), so the fixed point is unique for γ < 1. α is in units of
/// the reward; α = 0 is Q-learning on logged pairs, a large α prefers what the log did most.
///
/// # Source
/// Kumar, Zhou, Tucker & Levine, NeurIPS 2020, equation 4.
/// # Differs from the paper
/// Exact minimum and fixed point on the empirical process instead of gradient steps.
pub(super) fn solution(
    counts: &Counts,
    alpha: f64,
    discount: f64,
) -> Result<Solution, LoggedError> {
    // Where the last sweep ended is a good start for the next.
    let mut last: Vec<Option<Vec<f64>>> = vec![None; counts.states()];
    solve(counts, discount, |state, q| {
        let shares = counts.behaviour(state);
        let logged: Vec<usize> = (0..q.len()).filter(|a| shares[*a] > 0.0).collect();
        let b: Vec<f64> = logged.iter().map(|a| shares[*a]).collect();
        let target: Vec<f64> = logged.iter().map(|a| q[*a]).collect();
        let start = last[state].take().unwrap_or_else(|| target.clone());
        let lowered = minimum(alpha, &b, &target, start);
        for (a, value) in logged.iter().zip(&lowered) {
            q[*a] = *value;
        }
        let most = lowered.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        last[state] = Some(lowered);
        most
    })
}

/// Takes the highest conservative value.
pub(super) fn probabilities(
    counts: &Counts,
    alpha: f64,
    discount: f64,
) -> Result<Vec<f64>, LoggedError> {
    let solution = solution(counts, alpha, discount)?;
    Ok(greedy(counts, &solution.q, |_, _| true))
}

/// α (log Σ exp Q − Σ b Q) + ½ Σ b (Q − B)².
fn objective(alpha: f64, b: &[f64], target: &[f64], q: &[f64]) -> f64 {
    let most = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let log_sum = most + q.iter().map(|q| (q - most).exp()).sum::<f64>().ln();
    let rest = b.iter().zip(target.iter().zip(q));
    alpha * log_sum
        + rest
            .map(|(b, (t, q))| b * (0.5 * (q - t).powi(2) - alpha * q))
            .sum::<f64>()
}

/// The minimum by Newton's method. The Hessian is diag(αp + b) − α p p′, p = softmax(Q), and is inverted by Sherman and
/// Morrison's formula.
pub(super) fn minimum(alpha: f64, b: &[f64], target: &[f64], mut q: Vec<f64>) -> Vec<f64> {
    let mut value = objective(alpha, b, target, &q);
    for _ in 0..STEPS {
        let most = q.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut p: Vec<f64> = q.iter().map(|q| (q - most).exp()).collect();
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        let gradient: Vec<f64> = (0..q.len())
            .map(|a| alpha * (p[a] - b[a]) + b[a] * (q[a] - target[a]))
            .collect();
        let diagonal: Vec<f64> = p.iter().zip(b).map(|(p, b)| alpha * p + b).collect();
        let divided = |v: &[f64]| -> f64 {
            let terms = p.iter().zip(v.iter().zip(&diagonal));
            terms.map(|(p, (v, d))| p * v / d).sum()
        };
        let factor = alpha * divided(&gradient) / (1.0 - alpha * divided(&p));
        let step: Vec<f64> = (0..q.len())
            .map(|a| (gradient[a] + factor * p[a]) / diagonal[a])
            .collect();
        let longest = step.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        let scale = q.iter().fold(1e-300, |m: f64, q| m.max(q.abs()));
        if longest <= 1e-14 * scale {
            break;
        }
        let mut size = 1.0;
        let moved = loop {
            let next: Vec<f64> = q.iter().zip(&step).map(|(q, s)| q - size * s).collect();
            let new = objective(alpha, b, target, &next);
            if new <= value {
                break Some((next, new));
            }
            size /= 2.0;
            if size < 1e-6 {
                break None;
            }
        };
        // No smaller value to be had: the rest is rounding, and a whole step is at least as near.
        let Some((next, new)) = moved else {
            if longest < 1e-6 * scale.max(1.0) {
                q.iter_mut().zip(&step).for_each(|(q, s)| *q -= s);
            }
            break;
        };
        (q, value) = (next, new);
    }
    q
}
