//! Sums of least squares that add up over blocks of rows, and their solution.

use super::error::LoggedError;
use super::features::Basis;
use crate::ope::model::{FOLDS, cholesky, substituted};
use crate::ope::table::{Rows, Table, Wanted};

/// Σ ω φφ′, the lower triangle row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Gram {
    products: Vec<f64>,
}

impl Gram {
    pub(super) fn new(width: usize) -> Self {
        Self {
            products: vec![0.0; width * (width + 1) / 2],
        }
    }

    pub(super) fn add(&mut self, phi: &[f64], weight: f64) {
        let mut rest = &mut self.products[..];
        for (i, x) in phi.iter().enumerate() {
            let (line, below) = rest.split_at_mut(i + 1);
            let scaled = weight * x;
            for (sum, y) in line.iter_mut().zip(&phi[..=i]) {
                *sum += scaled * y;
            }
            rest = below;
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        added(&mut self.products, &other.products);
    }

    /// Σ ω φφ′ v.
    pub(super) fn times(&self, v: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; v.len()];
        let mut at = 0;
        for i in 0..v.len() {
            for j in 0..=i {
                let cell = self.products[at];
                product[i] += cell * v[j];
                if i != j {
                    product[j] += cell * v[i];
                }
                at += 1;
            }
        }
        product
    }

    /// θ of (Σ ω φφ′ + λ D) θ = b, with D the mean square of each regressor and next to nothing for the intercept: the
    /// penalty weighs as much as λ rows.
    pub(super) fn solve(&self, b: &[f64], ridge: f64) -> Vec<f64> {
        let width = b.len();
        let n = self.products[0];
        if n <= 0.0 {
            return vec![0.0; width];
        }
        let mut system = self.products.clone();
        for i in 0..width {
            let diagonal = i * (i + 1) / 2 + i;
            let mean_square = system[diagonal] / n;
            // A silent regressor has no square: its coefficient is 0.
            system[diagonal] += if i == 0 {
                1e-12 * n
            } else {
                ridge * mean_square + 1e-12 * n
            };
        }
        cholesky(&mut system, width);
        substituted(&system, b, width)
    }
}

pub(super) fn added(mine: &mut [f64], theirs: &[f64]) {
    for (mine, theirs) in mine.iter_mut().zip(theirs) {
        *mine += theirs;
    }
}

/// What a learner adds up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// Rows fall into folds.
    pub(super) folds: bool,
    /// Rewards and regressors over the propensity.
    pub(super) weighted: bool,
    /// Rows where an action was allowed, not only those where it was taken.
    pub(super) allowed: bool,
}

/// Sums of one action in one fold.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    /// Σ φφ′ and Σ φ r over rows of the action.
    pub(super) own: Gram,
    pub(super) rewards: Vec<f64>,
    /// The same over the propensity; empty when not needed.
    pub(super) weighted: Gram,
    pub(super) weighted_rewards: Vec<f64>,
    /// Σ φφ′ over rows where the action was allowed; empty where all were.
    pub(super) allowed: Gram,
}

impl Cell {
    fn new(width: usize, need: Need, masks: bool) -> Self {
        let when = |needed: bool| if needed { width } else { 0 };
        Self {
            own: Gram::new(width),
            rewards: vec![0.0; width],
            weighted: Gram::new(when(need.weighted)),
            weighted_rewards: vec![0.0; when(need.weighted)],
            allowed: Gram::new(when(need.allowed && masks)),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.own.merge(&other.own);
        added(&mut self.rewards, &other.rewards);
        self.weighted.merge(&other.weighted);
        added(&mut self.weighted_rewards, &other.weighted_rewards);
        self.allowed.merge(&other.allowed);
    }
}

/// Sums of every fold and action.
#[derive(Debug)]
pub(super) struct Sums {
    /// `[fold][action]`; one fold when none are needed.
    pub(super) cells: Vec<Vec<Cell>>,
    width: usize,
    masks: bool,
}

impl Sums {
    /// Adds up a table in one pass.
    pub(super) fn of(
        table: &Table,
        basis: &Basis,
        actions: usize,
        need: Need,
        seed: u64,
    ) -> Result<Self, LoggedError> {
        let header = table.header();
        let (width, features, masks) = (basis.width(), basis.features(), header.has_masks());
        let folds = if need.folds { FOLDS } else { 1 };
        let empty = || vec![vec![Cell::new(width, need, masks); actions]; folds];
        let mut cells = empty();
        table.scan(
            Wanted {
                features: true,
                masks: need.allowed,
                ..Wanted::default()
            },
            |rows| {
                let mut part = empty();
                let mut phi = vec![0.0; width];
                for row in 0..rows.len() {
                    basis.fill(
                        &rows.features[row * features..(row + 1) * features],
                        &mut phi,
                    );
                    let fold = if folds > 1 { fold(&rows, row, seed) } else { 0 };
                    let (action, reward) = (usize::from(rows.action[row]), rows.reward[row]);
                    let cell = &mut part[fold][action];
                    cell.own.add(&phi, 1.0);
                    for (sum, x) in cell.rewards.iter_mut().zip(&phi) {
                        *sum += x * reward;
                    }
                    if need.weighted {
                        let weight = 1.0 / rows.propensity[row];
                        if need.folds {
                            cell.weighted.add(&phi, weight);
                        }
                        for (sum, x) in cell.weighted_rewards.iter_mut().zip(&phi) {
                            *sum += x * weight * reward;
                        }
                    }
                    if need.allowed && masks {
                        for (action, cell) in part[fold].iter_mut().enumerate() {
                            if rows.mask[row * actions + action] {
                                cell.allowed.add(&phi, 1.0);
                            }
                        }
                    }
                }
                part
            },
            |part| {
                for (mine, theirs) in cells.iter_mut().flatten().zip(part.iter().flatten()) {
                    mine.merge(theirs);
                }
                Ok(())
            },
        )?;
        Ok(Self {
            cells,
            width,
            masks,
        })
    }

    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) fn actions(&self) -> usize {
        self.cells[0].len()
    }

    /// Σ φφ′ of a fold over rows where an action was allowed.
    pub(super) fn allowed(&self, fold: usize, action: usize) -> Gram {
        if self.masks {
            return self.cells[fold][action].allowed.clone();
        }
        let mut all = Gram::new(self.width);
        for cell in &self.cells[fold] {
            all.merge(&cell.own);
        }
        all
    }

    /// θ of the rewards of an action's own rows, one fold left out where one is named.
    pub(super) fn direct(&self, action: usize, left_out: Option<usize>, ridge: f64) -> Vec<f64> {
        let mut gram = Gram::new(self.width);
        let mut rewards = vec![0.0; self.width];
        for (fold, cells) in self.cells.iter().enumerate() {
            if Some(fold) != left_out {
                gram.merge(&cells[action].own);
                added(&mut rewards, &cells[action].rewards);
            }
        }
        gram.solve(&rewards, ridge)
    }
}

/// The fold of a row: one for all rows of a unit, else by its place in the file.
fn fold(rows: &Rows, row: usize, seed: u64) -> usize {
    let key = rows
        .unit
        .get(row)
        .copied()
        .unwrap_or((rows.run << 32) + row as u64);
    let mut x = (key ^ seed.rotate_left(40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) % FOLDS as u64) as usize
}
