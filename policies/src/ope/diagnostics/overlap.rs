//! What the log took and what the policy would take, for each group of rows and action.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::calibration::{CalibrationBin, Cell as CalibrationCell, of_cells};
use crate::ope::table::{Header, MISSING, Rows};

/// Groups that are kept apart; later ones of the file share one, so that memory does not grow with a table's states.
const MOST_GROUPS: usize = 64;

/// What was taken and what the policy would take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// The column that groups rows, `class` or `state`; none where all are one group.
    pub by: Option<String>,
    /// Groups in the order of the file; at most 64.
    pub groups: Vec<GroupOverlap>,
    /// All later groups together.
    pub others: Option<GroupOverlap>,
}

/// Share of a group's rows below which a policy's use of an action does not matter.
const MATTERS: f64 = 0.01;
/// Rows of a group from which on an action that was never taken was not just missed: with a propensity of 2 % that happens
/// in 0.98²⁰⁰ = 1.8 % of logs.
const TELLING: u64 = 200;

impl Overlap {
    /// Why the log cannot speak for the policy in a group, and what to do; `None` where it can.
    ///
    /// A group of 200 rows or more in which the log never took an action that the policy takes in a hundredth of them.
    #[must_use]
    pub fn unsupported(&self) -> Option<String> {
        let by = self.by.as_deref()?;
        let telling = self.groups.iter().filter(|group| group.rows >= TELLING);
        let (group, action, wanted) = telling
            .flat_map(|group| {
                let silent = group.cells.iter().enumerate();
                silent
                    .filter(|(_, cell)| cell.taken == 0 && cell.wanted >= MATTERS)
                    .map(move |(action, cell)| (group, action, cell.wanted))
            })
            .max_by(|a, b| {
                let rows = |one: &(&GroupOverlap, usize, f64)| one.2 * one.0.rows as f64;
                rows(a).total_cmp(&rows(b))
            })?;
        Some(format!(
            "action {action} was never taken in {by} {} ({} rows), and the policy takes it in {:.0} % of them; collect such rows, or mask the action there",
            group.name,
            group.rows,
            100.0 * wanted
        ))
    }
}

/// One group of rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupOverlap {
    /// The cell of the grouping column; empty where it was.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// One an action, in their order.
    pub cells: Vec<OverlapCell>,
}

/// One group and action.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct OverlapCell {
    /// Rows of the group in which the action was taken.
    pub taken: u64,
    /// Mean probability with which the policy would take it, over the group's rows.
    pub wanted: f64,
}

/// Sums of a group.
#[derive(Debug, Clone)]
struct Sums {
    key: u64,
    rows: u64,
    taken: Vec<u64>,
    wanted: Vec<f64>,
    /// Σ 1/p and Σ 1/p² over the rows of each action.
    inverse: Vec<[f64; 2]>,
}

impl Sums {
    fn new(key: u64, actions: usize) -> Self {
        Self {
            key,
            rows: 0,
            taken: vec![0; actions],
            wanted: vec![0.0; actions],
            inverse: vec![[0.0; 2]; actions],
        }
    }

    fn merge(&mut self, other: &Self) {
        self.rows += other.rows;
        for at in 0..self.taken.len() {
            self.taken[at] += other.taken[at];
            self.wanted[at] += other.wanted[at];
            self.inverse[at][0] += other.inverse[at][0];
            self.inverse[at][1] += other.inverse[at][1];
        }
    }

    fn named(&self, name: String) -> GroupOverlap {
        GroupOverlap {
            name,
            rows: self.rows,
            cells: self
                .taken
                .iter()
                .zip(&self.wanted)
                .map(|(taken, wanted)| OverlapCell {
                    taken: *taken,
                    wanted: wanted / self.rows as f64,
                })
                .collect(),
        }
    }
}

/// Sums of every group, in the order of their first rows.
#[derive(Debug, Clone)]
pub(crate) struct Groups {
    actions: usize,
    groups: Vec<Sums>,
    places: HashMap<u64, usize>,
    others: Option<Sums>,
    names: HashMap<u64, String>,
}

impl Groups {
    pub(crate) fn new(actions: usize) -> Self {
        Self {
            actions,
            groups: Vec::new(),
            places: HashMap::new(),
            others: None,
            names: HashMap::new(),
        }
    }

    /// Of a run of rows. Keeps all of its groups: which of them the table keeps apart, only the rows before can tell.
    pub(super) fn of(rows: &Rows, header: &Header) -> Self {
        Self::of_policy(rows, &rows.target, header)
    }

    /// Of a run of rows under any policy: its probabilities, row after row.
    pub(crate) fn of_policy(rows: &Rows, policy: &[f64], header: &Header) -> Self {
        let actions = header.actions;
        let mut groups = Self::new(actions);
        let keys = rows.group_keys(header);
        for row in 0..rows.len() {
            let key = keys.get(row).copied().unwrap_or(0);
            let place = groups.place(key);
            let sums = &mut groups.groups[place];
            let action = usize::from(rows.action[row]);
            sums.rows += 1;
            sums.taken[action] += 1;
            for (sum, p) in sums
                .wanted
                .iter_mut()
                .zip(&policy[row * actions..(row + 1) * actions])
            {
                *sum += p;
            }
            if let Some(p) = rows.propensity.get(row) {
                sums.inverse[action][0] += 1.0 / p;
                sums.inverse[action][1] += 1.0 / (p * p);
            }
        }
        groups.names = rows.names.iter().cloned().collect();
        groups
    }

    fn place(&mut self, key: u64) -> usize {
        if let Some(place) = self.places.get(&key) {
            return *place;
        }
        self.groups.push(Sums::new(key, self.actions));
        self.places.insert(key, self.groups.len() - 1);
        self.groups.len() - 1
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for theirs in &other.groups {
            if let Some(place) = self.places.get(&theirs.key) {
                self.groups[*place].merge(theirs);
            } else if self.groups.len() < MOST_GROUPS {
                let place = self.place(theirs.key);
                self.groups[place].merge(theirs);
                if let Some(name) = other.names.get(&theirs.key) {
                    self.names.insert(theirs.key, name.clone());
                }
            } else {
                self.others
                    .get_or_insert_with(|| Sums::new(MISSING, self.actions))
                    .merge(theirs);
            }
        }
    }

    pub(crate) fn overlap(&self, header: &Header) -> Overlap {
        let by = header.group_name().map(str::to_owned);
        let name = |key: u64| match self.names.get(&key) {
            Some(name) => name.clone(),
            None if by.is_none() || key == MISSING => String::new(),
            None => key.to_string(),
        };
        Overlap {
            groups: self.groups.iter().map(|g| g.named(name(g.key))).collect(),
            others: self.others.as_ref().map(|o| o.named(String::new())),
            by,
        }
    }

    /// Logged propensities beside what happened.
    pub(super) fn calibration(&self) -> Vec<CalibrationBin> {
        let cells = self.groups.iter().chain(&self.others).flat_map(|group| {
            (0..self.actions).map(|action| CalibrationCell {
                rows: group.rows,
                taken: group.taken[action],
                inverse: group.inverse[action],
            })
        });
        of_cells(cells)
    }
}
