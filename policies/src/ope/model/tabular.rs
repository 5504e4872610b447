//! Mean reward by state and action.

use std::collections::HashMap;

use super::{FOLDS, Weighting, fold, importance};
use crate::ope::table::{Rows, Table, TableError, Wanted};

/// Σ ω and Σ ω r of each fold.
type Cell = [(f64, f64); FOLDS];

/// Sums of each state and action, and of each action.
#[derive(Debug, Clone)]
pub(crate) struct Tabular {
    cells: HashMap<(u64, u16), Cell>,
    actions: Vec<Cell>,
    /// Σ π(a|x) over the rows of each state, action by action.
    asked: HashMap<u64, Vec<f64>>,
    /// How much the reward of a row of each action moves Σ Σ π q through the action's mean.
    drawn: Vec<f64>,
    /// Of each fold and action, drawn to the mean of all rows.
    means: Vec<Vec<f64>>,
}

/// Rows that the action's mean counts for.
const PRIOR: f64 = 1.0;

impl Tabular {
    pub(super) fn fit(table: &Table, weighting: Weighting) -> Result<Self, TableError> {
        let actions = table.header().actions;
        let mut model = Self {
            cells: HashMap::new(),
            asked: HashMap::new(),
            drawn: Vec::new(),
            actions: vec![Cell::default(); actions],
            means: Vec::new(),
        };
        let wanted = Wanted {
            states: true,
            ..Wanted::default()
        };
        table.scan(
            wanted,
            |rows| {
                let mut cells: HashMap<(u64, u16), Cell> = HashMap::new();
                let mut asked: HashMap<u64, Vec<f64>> = HashMap::new();
                for row in 0..rows.len() {
                    let target = &rows.target[row * actions..(row + 1) * actions];
                    let sums = asked
                        .entry(rows.state[row])
                        .or_insert_with(|| vec![0.0; actions]);
                    for (sum, p) in sums.iter_mut().zip(target) {
                        *sum += p;
                    }
                    let weight = importance(&rows, row, actions, weighting);
                    let cell = cells
                        .entry((rows.state[row], rows.action[row]))
                        .or_default();
                    let sums = &mut cell[fold(&rows, row)];
                    sums.0 += weight;
                    sums.1 += weight * rows.reward[row];
                }
                (cells, asked)
            },
            |(cells, asked)| {
                for (state, part) in asked {
                    let sums = model
                        .asked
                        .entry(state)
                        .or_insert_with(|| vec![0.0; actions]);
                    for (mine, theirs) in sums.iter_mut().zip(part) {
                        *mine += theirs;
                    }
                }
                // The order of a map is that of chance: each cell is added to itself alone, and actions are summed later.
                for (key, part) in cells {
                    add(model.cells.entry(key).or_default(), &part);
                }
                Ok(())
            },
        )?;
        let mut keys: Vec<_> = model.cells.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            add(&mut model.actions[usize::from(key.1)], &model.cells[&key]);
        }
        let mut states: Vec<u64> = model.asked.keys().copied().collect();
        states.sort_unstable();
        model.drawn = (0..actions)
            .map(|action| {
                let drawn: f64 = states
                    .iter()
                    .map(|state| {
                        let n = model.rows_of(*state, action as u16);
                        PRIOR * model.asked[state][action] / (n + PRIOR)
                    })
                    .sum();
                let n: f64 = model.actions[action].iter().map(|(n, _)| n).sum();
                drawn / (n + PRIOR)
            })
            .collect();
        model.means = (0..FOLDS)
            .map(|left_out| {
                let kept: Vec<(f64, f64)> = model
                    .actions
                    .iter()
                    .map(|cell| without(cell, left_out))
                    .collect();
                let n: f64 = kept.iter().map(|(n, _)| n).sum();
                let r: f64 = kept.iter().map(|(_, r)| r).sum();
                let overall = if n > 0.0 { r / n } else { 0.0 };
                kept.iter()
                    .map(|(n, r)| (r + PRIOR * overall) / (n + PRIOR))
                    .collect()
            })
            .collect();
        Ok(model)
    }

    /// Through the cell, Σ π(a|x) over its rows for each of them, and through the action's mean, to which cells are drawn.
    pub(super) fn moved(&self, rows: &Rows, row: usize, q: f64) -> f64 {
        let (state, action) = (rows.state[row], rows.action[row]);
        let at = usize::from(action);
        let asked = self.asked.get(&state).map_or(0.0, |asked| asked[at]);
        let n = self.rows_of(state, action);
        let mean = self.means[fold(rows, row)][at];
        asked / (n + PRIOR) * (rows.reward[row] - q) + self.drawn[at] * (rows.reward[row] - mean)
    }

    fn rows_of(&self, state: u64, action: u16) -> f64 {
        let cell = self.cells.get(&(state, action));
        cell.map_or(0.0, |cell| cell.iter().map(|(n, _)| n).sum())
    }

    pub(super) fn predict(&self, rows: &Rows, row: usize, into: &mut [f64]) {
        let left_out = fold(rows, row);
        for (action, value) in into.iter_mut().enumerate() {
            let (n, r) = self
                .cells
                .get(&(rows.state[row], action as u16))
                .map_or((0.0, 0.0), |cell| without(cell, left_out));
            *value = (r + PRIOR * self.means[left_out][action]) / (n + PRIOR);
        }
    }
}

fn add(cell: &mut Cell, part: &Cell) {
    for (mine, theirs) in cell.iter_mut().zip(part) {
        mine.0 += theirs.0;
        mine.1 += theirs.1;
    }
}

fn without(cell: &Cell, left_out: usize) -> (f64, f64) {
    cell.iter()
        .enumerate()
        .filter(|(fold, _)| *fold != left_out)
        .fold((0.0, 0.0), |(n, r), (_, sums)| (n + sums.0, r + sums.1))
}
