//! How much each episode moves the value of a model that was fitted to it: the infinitesimal jackknife of fitted Q evaluation.
//!
//! The fit solves M β = b, M = Σ φₜ (φₜ − γ φ̄ₜ₊₁)ᵀ, b = Σ φₜ rₜ, with φ of the action taken and φ̄ averaged over the policy's
//! actions. The value is v̄ᵀ β, v̄ the mean of φ̄ at the first step. With Mᵀ h = v̄, episode i moves n times the value by
//! V(s₀) + n Σₜ hᵀφₜ δₜ, δₜ = rₜ + γ V(sₜ₊₁) − q(sₜ, aₜ).
//!
//! # Source
//! Efron 1982 (infinitesimal jackknife); Hao et al., ICML 2021 (its use for fitted Q evaluation).

use super::episodes::Episodes;
use crate::ope::model::ModelKind;

/// Features times actions beyond which the system is not solved.
const LARGEST: usize = 1200;

/// What each episode adds.
pub(crate) struct Influence {
    /// V(s₀).
    pub(crate) first: Vec<f64>,
    /// n Σₜ hᵀφₜ δₜ.
    fit: Vec<f64>,
}

impl Influence {
    /// Terms whose spread is that of the value.
    pub(crate) fn terms(&self) -> Vec<f64> {
        let both = self.first.iter().zip(&self.fit);
        both.map(|(first, fit)| first + fit).collect()
    }

    /// Of a fit to all episodes, with q of every action at every step.
    pub(crate) fn of(
        episodes: &Episodes,
        kind: ModelKind,
        discount: f64,
        q: &[f64],
    ) -> Option<Self> {
        let actions = episodes.actions;
        let target = &episodes.kept.target;
        let (mut taken, mut value) = (Vec::new(), Vec::new());
        for (step, action) in episodes.action.iter().enumerate() {
            let cell = step * actions..(step + 1) * actions;
            taken.push(q[cell.start + usize::from(*action)]);
            let of_policy = q[cell.clone()].iter().zip(&target[cell]);
            value.push(of_policy.map(|(q, p)| q * p).sum());
        }
        Self::with(episodes, kind, discount, &taken, &value)
    }

    /// Of a cross-fitted model, whose q and V the episodes hold.
    pub(crate) fn cross_fitted(
        episodes: &Episodes,
        kind: ModelKind,
        discount: f64,
    ) -> Option<Self> {
        Self::with(episodes, kind, discount, &episodes.model, &episodes.value)
    }

    fn with(
        episodes: &Episodes,
        kind: ModelKind,
        discount: f64,
        taken: &[f64],
        value: &[f64],
    ) -> Option<Self> {
        let basis = Basis::of(episodes, kind)?;
        let h = basis.solve(discount)?;
        let n = episodes.len();
        let (mut first, mut fit) = (Vec::with_capacity(n), Vec::with_capacity(n));
        let mut phi = Vec::new();
        for episode in 0..n {
            let steps = episodes.steps(episode);
            first.push(value[steps.start]);
            let mut sum = 0.0;
            for step in steps.clone() {
                let after = if step + 1 < steps.end {
                    discount * value[step + 1]
                } else {
                    0.0
                };
                let error = episodes.reward[step] + after - taken[step];
                basis.features(step, &mut phi);
                let block = usize::from(episodes.action[step]) * basis.width;
                let weight: f64 = phi.iter().map(|(j, x)| h[block + j] * x).sum();
                sum += weight * error;
            }
            fit.push(sum * n as f64);
        }
        Some(Self { first, fit })
    }
}

/// The features of a model: one of a state, or the columns `x…` and what follows from them.
struct Basis<'a> {
    episodes: &'a Episodes,
    kind: ModelKind,
    width: usize,
}

impl<'a> Basis<'a> {
    fn of(episodes: &'a Episodes, kind: ModelKind) -> Option<Self> {
        let features = episodes.kept.width;
        let width = match kind {
            ModelKind::Tabular => episodes.states,
            ModelKind::Quadratic => (features + 1) * (features + 2) / 2,
            ModelKind::Ridge => features + 1,
            ModelKind::Given => return None,
        };
        (width * episodes.actions <= LARGEST).then_some(Self {
            episodes,
            kind,
            width,
        })
    }

    /// Those that are not zero, with their places.
    fn features(&self, step: usize, phi: &mut Vec<(usize, f64)>) {
        phi.clear();
        if self.kind == ModelKind::Tabular {
            phi.push((self.episodes.state[step] as usize, 1.0));
            return;
        }
        let width = self.episodes.kept.width;
        let x = &self.episodes.kept.features[step * width..(step + 1) * width];
        phi.push((0, 1.0));
        phi.extend(x.iter().enumerate().map(|(j, x)| (j + 1, *x)));
        if self.kind == ModelKind::Quadratic {
            for i in 0..width {
                for j in 0..=i {
                    phi.push((phi.len(), x[i] * x[j]));
                }
            }
        }
    }

    /// h of Mᵀ h = v̄.
    fn solve(&self, discount: f64) -> Option<Vec<f64>> {
        let e = self.episodes;
        let (actions, width) = (e.actions, self.width);
        let size = actions * width;
        // Rows of the transpose, so that elimination works on it as it is.
        let mut transposed = vec![vec![0.0; size]; size];
        let mut first = vec![0.0; size];
        let (mut phi, mut next) = (Vec::new(), Vec::new());
        let mut rows: Vec<f64> = vec![0.0; actions];
        for episode in 0..e.len() {
            let steps = e.steps(episode);
            for step in steps.clone() {
                self.features(step, &mut phi);
                let block = usize::from(e.action[step]) * width;
                rows[usize::from(e.action[step])] += 1.0;
                if step == steps.start {
                    let target = &e.kept.target[step * actions..(step + 1) * actions];
                    for (a, p) in target.iter().enumerate() {
                        for (j, x) in &phi {
                            first[a * width + j] += p * x / e.len() as f64;
                        }
                    }
                }
                for (j, x) in &phi {
                    for (l, y) in &phi {
                        transposed[block + l][block + j] += x * y;
                    }
                }
                if step + 1 < steps.end {
                    self.features(step + 1, &mut next);
                    let target = &e.kept.target[(step + 1) * actions..(step + 2) * actions];
                    for (a, p) in target.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                        for (l, y) in &next {
                            for (j, x) in &phi {
                                transposed[a * width + l][block + j] -= discount * p * x * y;
                            }
                        }
                    }
                }
            }
        }
        // The penalties of the fit, without which a cell of no rows has no solution.
        let mut squares = vec![0.0; size];
        for step in 0..e.reward.len() {
            self.features(step, &mut phi);
            let block = usize::from(e.action[step]) * width;
            for (j, x) in &phi {
                squares[block + j] += x * x;
            }
        }
        for (at, square) in squares.iter().enumerate() {
            let n = rows[at / width].max(1.0);
            transposed[at][at] += match self.kind {
                ModelKind::Tabular => 1.0,
                _ if at % width == 0 => 1e-9 * n,
                _ => square / n + 1e-12 * n,
            };
        }
        eliminated(transposed, first)
    }
}

/// x of A x = b, by elimination with the largest pivot of each column; `None` when there is none.
fn eliminated(mut a: Vec<Vec<f64>>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let size = b.len();
    for column in 0..size {
        let pivot = (column..size).max_by(|i, j| {
            let (i, j): (f64, f64) = (a[*i][column], a[*j][column]);
            i.abs().total_cmp(&j.abs())
        })?;
        a.swap(column, pivot);
        b.swap(column, pivot);
        if a[column][column] == 0.0 {
            // No row and no penalty: what has no features moves nothing.
            continue;
        }
        let (above, below) = a.split_at_mut(column + 1);
        let row = &above[column];
        for (i, other) in below.iter_mut().enumerate() {
            let factor = other[column] / row[column];
            if factor == 0.0 {
                continue;
            }
            for (x, y) in other[column..].iter_mut().zip(&row[column..]) {
                *x -= factor * y;
            }
            b[column + 1 + i] -= factor * b[column];
        }
    }
    for row in (0..size).rev() {
        let sum: f64 = (row + 1..size).map(|k| a[row][k] * b[k]).sum();
        b[row] = if a[row][row] == 0.0 {
            0.0
        } else {
            (b[row] - sum) / a[row][row]
        };
    }
    b.iter().all(|x| x.is_finite()).then_some(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systems_that_need_a_pivot_are_solved() {
        // 2y = 4, x + y = 3: x = 1, y = 2.
        let a = vec![vec![0.0, 2.0], vec![1.0, 1.0]];
        assert_eq!(eliminated(a, vec![4.0, 3.0]), Some(vec![1.0, 2.0]));
    }
}
