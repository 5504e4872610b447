//! Ridge regression an action, by normal equations that add up over blocks and folds.

use super::{FOLDS, ModelKind, Weighting, fold, importance, wanted};
use crate::ope::table::{Rows, Table, TableError};

/// Coefficients of each fold and action.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    kind: ModelKind,
    actions: usize,
    features: usize,
    width: usize,
    /// `[fold][action]`, each `width` long.
    coefficients: Vec<Vec<Vec<f64>>>,
    /// A⁻¹ ψ of each action, A its normal equations and ψ = Σ π(a|x) φ over all rows.
    balance: Vec<Vec<f64>>,
}

/// Σ ω φφ′ (lower triangle), Σ ω φ r, Σ ω of one action.
#[derive(Debug, Clone)]
pub(in crate::ope) struct Equations {
    products: Vec<f64>,
    rewards: Vec<f64>,
}

impl Equations {
    pub(in crate::ope) fn new(width: usize) -> Self {
        Self {
            products: vec![0.0; width * (width + 1) / 2],
            rewards: vec![0.0; width],
        }
    }

    pub(in crate::ope) fn add(&mut self, phi: &[f64], reward: f64, weight: f64) {
        let mut at = 0;
        for (i, x) in phi.iter().enumerate() {
            let scaled = weight * x;
            for y in &phi[..=i] {
                self.products[at] += scaled * y;
                at += 1;
            }
            self.rewards[i] += scaled * reward;
        }
    }

    pub(in crate::ope) fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.products.iter_mut().zip(&other.products) {
            *mine += theirs;
        }
        for (mine, theirs) in self.rewards.iter_mut().zip(&other.rewards) {
            *mine += theirs;
        }
    }

    /// Forgets the rewards; products stay.
    pub(in crate::ope) fn without_rewards(&mut self) {
        self.rewards.fill(0.0);
    }

    /// Adds a row's reward alone, where its products are in already.
    pub(in crate::ope) fn add_reward(&mut self, phi: &[f64], reward: f64) {
        for (sum, x) in self.rewards.iter_mut().zip(phi) {
            *sum += x * reward;
        }
    }

    /// Coefficients with a penalty of one row: each feature's coefficient is drawn to 0 as if one row said so, the
    /// intercept hardly at all.
    pub(in crate::ope) fn solve(&self, width: usize) -> Vec<f64> {
        let n = self.products[0];
        if n <= 0.0 {
            return vec![0.0; width];
        }
        let mut system = self.products.clone();
        for i in 0..width {
            // The first product is that of the intercept with itself: the number of rows.
            let diagonal = i * (i + 1) / 2 + i;
            let mean_square = system[diagonal] / n;
            system[diagonal] += if i == 0 {
                1e-9 * n
            } else {
                mean_square + 1e-12 * n
            };
        }
        cholesky(&mut system, width);
        substituted(&system, &self.rewards, width)
    }
}

/// L of A = L L′, in place of the lower triangle of a positive definite A.
pub(crate) fn cholesky(a: &mut [f64], width: usize) {
    let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
    for j in 0..width {
        for i in j..width {
            let mut sum = a[at(i, j)];
            for k in 0..j {
                sum -= a[at(i, k)] * a[at(j, k)];
            }
            a[at(i, j)] = if i == j {
                sum.max(f64::MIN_POSITIVE).sqrt()
            } else {
                sum / a[at(j, j)]
            };
        }
    }
}

/// x of L L′ x = b.
pub(crate) fn substituted(l: &[f64], b: &[f64], width: usize) -> Vec<f64> {
    let at = |i: usize, j: usize| i * (i + 1) / 2 + j;
    let mut x = b.to_vec();
    for i in 0..width {
        for k in 0..i {
            x[i] -= l[at(i, k)] * x[k];
        }
        x[i] /= l[at(i, i)];
    }
    for i in (0..width).rev() {
        for k in i + 1..width {
            x[i] -= l[at(k, i)] * x[k];
        }
        x[i] /= l[at(i, i)];
    }
    x
}

impl Linear {
    pub(super) fn fit(
        table: &Table,
        kind: ModelKind,
        weighting: Weighting,
    ) -> Result<Self, TableError> {
        let header = table.header();
        let (actions, features) = (header.actions, header.features);
        let width = match kind {
            ModelKind::Given => 2,
            ModelKind::Quadratic => (features + 1) * (features + 2) / 2,
            _ => features + 1,
        };
        let mut model = Self {
            kind,
            actions,
            features,
            width,
            coefficients: Vec::new(),
            balance: Vec::new(),
        };
        let none = vec![vec![0.0; width]; actions];
        let empty = (vec![vec![Equations::new(width); actions]; FOLDS], none);
        let (mut sums, mut wants) = empty.clone();
        table.scan(
            wanted(kind),
            |rows| {
                let (mut part, mut wants) = empty.clone();
                let mut phi = vec![0.0; width];
                for row in 0..rows.len() {
                    let action = usize::from(rows.action[row]);
                    model.features(&rows, row, action, &mut phi);
                    let weight = importance(&rows, row, actions, weighting);
                    if weight > 0.0 && phi.iter().all(|x| x.is_finite()) {
                        part[fold(&rows, row)][action].add(&phi, rows.reward[row], weight);
                    }
                    let target = &rows.target[row * actions..(row + 1) * actions];
                    for (sums, p) in wants.iter_mut().zip(target) {
                        for (sum, x) in sums.iter_mut().zip(&phi) {
                            *sum += p * x;
                        }
                    }
                }
                (part, wants)
            },
            |(part, asked)| {
                for (mine, theirs) in wants.iter_mut().flatten().zip(asked.iter().flatten()) {
                    *mine += theirs;
                }
                for (mine, theirs) in sums.iter_mut().flatten().zip(part.iter().flatten()) {
                    mine.merge(theirs);
                }
                Ok(())
            },
        )?;
        model.balance = wants
            .into_iter()
            .enumerate()
            .map(|(action, wants)| {
                let mut all = Equations::new(width);
                for of_fold in &sums {
                    all.merge(&of_fold[action]);
                }
                all.rewards = wants;
                all.solve(width)
            })
            .collect();
        model.coefficients = (0..FOLDS)
            .map(|left_out| {
                (0..actions)
                    .map(|action| {
                        let mut all = Equations::new(width);
                        for (fold, sums) in sums.iter().enumerate() {
                            if fold != left_out {
                                all.merge(&sums[action]);
                            }
                        }
                        all.solve(width)
                    })
                    .collect()
            })
            .collect();
        Ok(model)
    }

    fn features(&self, rows: &Rows, row: usize, action: usize, phi: &mut [f64]) {
        phi[0] = 1.0;
        if self.kind == ModelKind::Given {
            phi[1] = rows.model[row * self.actions + action];
            return;
        }
        let x = &rows.features[row * self.features..(row + 1) * self.features];
        phi[1..=self.features].copy_from_slice(x);
        if self.kind == ModelKind::Quadratic {
            let mut at = self.features + 1;
            for i in 0..x.len() {
                for j in 0..=i {
                    phi[at] = x[i] * x[j];
                    at += 1;
                }
            }
        }
    }

    pub(super) fn moved(&self, rows: &Rows, row: usize, q: f64) -> f64 {
        let action = usize::from(rows.action[row]);
        let mut phi = vec![0.0; self.width];
        self.features(rows, row, action, &mut phi);
        let of_action = self.balance[action].iter().zip(&phi);
        let weight: f64 = of_action.map(|(b, x)| b * x).sum();
        weight * (rows.reward[row] - q)
    }

    pub(super) fn predict(&self, rows: &Rows, row: usize, into: &mut [f64]) {
        let of_fold = &self.coefficients[fold(rows, row)];
        let mut phi = vec![0.0; self.width];
        for (action, value) in into.iter_mut().enumerate() {
            if action == 0 || self.kind == ModelKind::Given {
                self.features(rows, row, action, &mut phi);
            }
            *value = of_fold[action].iter().zip(&phi).map(|(b, x)| b * x).sum();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_equations_are_solved() {
        // y = 2 − x + 3 z on five points, exactly: the penalty of one row moves the slopes a little.
        let mut equations = Equations::new(3);
        let mut squares = 0.0;
        for i in 0..400_u32 {
            let (x, z) = (f64::from(i % 20) - 9.5, f64::from(i / 20) - 9.5);
            equations.add(&[1.0, x, z], 2.0 - x + 3.0 * z, 1.0);
            squares += x * x;
        }
        let solved = equations.solve(3);
        // With orthogonal features the slope is b n/(n + 1).
        let shrink = squares / (squares + squares / 400.0);
        for (have, want) in solved.iter().zip([2.0, -shrink, 3.0 * shrink]) {
            assert!((have - want).abs() < 1e-6, "{solved:?}");
        }
        assert_eq!(Equations::new(2).solve(2), [0.0, 0.0]);
    }
}
