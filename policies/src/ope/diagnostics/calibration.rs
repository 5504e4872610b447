//! Whether propensities say what happened: the share that they promise beside the share that was taken.
//!
//! Estimated ones give a probability for every action of a row, and these fall into bins. Logged ones are known for the
//! action taken alone, so what they promise follows from their inverses: Σ 1{a}/p over the rows of a group is expected to
//! be their number, hence n_a / Σ 1/p, the harmonic mean of the propensities of action a, is the share they promise.

use serde::{Deserialize, Serialize};

use crate::ope::model::Behaviour;
use crate::ope::table::Rows;

/// Bins of equal width between 0 and 1.
const BINS: usize = 10;

/// Propensities of about one size, beside what happened.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// Smallest propensity of the bin.
    pub from: f64,
    /// Largest.
    pub to: f64,
    /// Occasions: rows times actions whose promised share lies in the bin.
    pub n: u64,
    /// Mean share promised.
    pub predicted: f64,
    /// Share of occasions on which the action was taken.
    pub observed: f64,
    /// Standard error of the difference.
    pub standard_error: f64,
}

/// A group and action of logged propensities.
pub(super) struct Cell {
    pub(super) rows: u64,
    pub(super) taken: u64,
    /// Σ 1/p and Σ 1/p² over the rows in which the action was taken.
    pub(super) inverse: [f64; 2],
}

fn bin(p: f64) -> usize {
    ((p * BINS as f64) as usize).min(BINS - 1)
}

fn ends(bin: usize) -> (f64, f64) {
    let end = |at: usize| at as f64 / BINS as f64;
    (end(bin), end(bin + 1))
}

/// Bins of cells; a cell without a row of its action promises nothing and is left out.
pub(super) fn of_cells(cells: impl Iterator<Item = Cell>) -> Vec<CalibrationBin> {
    // Occasions, taken, promised, variance.
    let mut sums = [(0_u64, 0_u64, 0.0, 0.0); BINS];
    for cell in cells {
        let [inverse, squares] = cell.inverse;
        if cell.taken == 0 || inverse <= 0.0 {
            continue;
        }
        let n = cell.rows as f64;
        let promised = cell.taken as f64 / inverse;
        let (n_bin, taken, share, variance) = &mut sums[bin(promised)];
        *n_bin += cell.rows;
        *taken += cell.taken;
        *share += n * promised;
        // Σ 1{a}/p has variance n (E[1{a}/p²] − E[1{a}/p]²); in units of taken rows it counts `promised` each.
        let mean = inverse / n;
        *variance += promised * promised * n * (squares / n - mean * mean).max(0.0);
    }
    sums.iter()
        .enumerate()
        .filter(|(_, (n, ..))| *n > 0)
        .map(|(at, (n, taken, share, variance))| {
            let (from, to) = ends(at);
            let rows = *n as f64;
            CalibrationBin {
                from,
                to,
                n: *n,
                predicted: share / rows,
                observed: *taken as f64 / rows,
                standard_error: variance.sqrt() / rows,
            }
        })
        .collect()
}

/// Estimated probabilities of every action in every row.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Pairs {
    /// Occasions, taken, promised, Σ p (1 − p).
    bins: Vec<(u64, u64, f64, f64)>,
}

impl Pairs {
    pub(super) fn of(rows: &Rows, actions: usize, behaviour: &Behaviour) -> Self {
        let mut bins = vec![(0, 0, 0.0, 0.0); BINS];
        let mut probabilities = vec![0.0; actions];
        for row in 0..rows.len() {
            behaviour.probabilities(rows, row, &mut probabilities);
            for (action, p) in probabilities.iter().enumerate() {
                let (n, taken, share, variance) = &mut bins[bin(*p)];
                *n += 1;
                *taken += u64::from(usize::from(rows.action[row]) == action);
                *share += p;
                *variance += p * (1.0 - p);
            }
        }
        Self { bins }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.bins.is_empty() {
            self.bins.clone_from(&other.bins);
            return;
        }
        for (mine, theirs) in self.bins.iter_mut().zip(&other.bins) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
            mine.2 += theirs.2;
            mine.3 += theirs.3;
        }
    }

    /// None where nothing was estimated.
    pub(super) fn bins(&self) -> Option<Vec<CalibrationBin>> {
        (!self.bins.is_empty()).then(|| {
            self.bins
                .iter()
                .enumerate()
                .filter(|(_, (n, ..))| *n > 0)
                .map(|(at, (n, taken, share, variance))| {
                    let (from, to) = ends(at);
                    let pairs = *n as f64;
                    CalibrationBin {
                        from,
                        to,
                        n: *n,
                        predicted: share / pairs,
                        observed: *taken as f64 / pairs,
                        standard_error: variance.sqrt() / pairs,
                    }
                })
                .collect()
        })
    }
}
