//! The episodes of a table, in memory: a few columns, one entry a step.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::ope::table::{MISSING, Rows, Table, TableError, Wanted};

/// State of a step that has none.
pub(crate) const NO_STATE: u32 = u32::MAX;

/// Steps of all episodes, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    pub(crate) actions: usize,
    /// First step of each episode, and the number of steps.
    starts: Vec<usize>,
    /// ln ρₜ, −∞ where the policy never takes the action; empty without propensities.
    pub(crate) log_ratio: Vec<f64>,
    pub(crate) reward: Vec<f64>,
    pub(crate) action: Vec<u16>,
    /// q(s, a) and V(s) = Σ π q of the given model; empty without one.
    pub(crate) model: Vec<f64>,
    pub(crate) value: Vec<f64>,
    /// Numbered states; empty without.
    pub(crate) state: Vec<u32>,
    /// [`NO_STATE`] after the end, or where what follows is unknown.
    pub(crate) next: Vec<u32>,
    pub(crate) done: Vec<bool>,
    /// Target policy in each state, mean over its rows.
    pub(crate) target: Vec<f64>,
    /// Target policy at the first step of each episode.
    pub(crate) first_target: Vec<f64>,
    pub(crate) states: usize,
    /// Steps that end an episode without `done` and without a next state.
    pub(crate) cut: u64,
    pub(crate) missing_model: u64,
    pub(crate) logged: Vec<u64>,
    pub(crate) wanted: Vec<f64>,
}

impl Episodes {
    /// Reads a table with episodes. Rows of an episode stand together, in the order of their steps.
    pub(crate) fn read(table: &Table, model: bool) -> Result<Self, TableError> {
        let header = table.header();
        let mut building = Building {
            table,
            episodes: Self {
                actions: header.actions,
                logged: vec![0; header.actions],
                wanted: vec![0.0; header.actions],
                ..Self::default()
            },
            numbers: HashMap::new(),
            visits: Vec::new(),
            known: HashSet::new(),
            current: None,
            last_done: false,
        };
        let wanted = Wanted {
            model,
            sequence: true,
            ..Wanted::default()
        };
        table.scan(wanted, |rows| rows, |rows| building.take(&rows))?;
        Ok(building.finish())
    }

    pub(crate) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn steps(&self, episode: usize) -> Range<usize> {
        self.starts[episode]..self.starts[episode + 1]
    }

    /// Steps of the longest episode.
    pub(crate) fn horizon(&self) -> usize {
        self.starts
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(0)
    }

    /// Σ γᵗ rₜ of an episode.
    pub(crate) fn discounted(&self, episode: usize, discount: f64) -> f64 {
        let rewards = &self.reward[self.steps(episode)];
        rewards.iter().rev().fold(0.0, |g, r| r + discount * g)
    }

    /// ln w₀:ₜ for each step of an episode.
    pub(crate) fn log_weights(&self, episode: usize) -> impl Iterator<Item = f64> + '_ {
        self.log_ratio[self.steps(episode)]
            .iter()
            .scan(0.0, |sum, ratio| {
                *sum += ratio;
                Some(*sum)
            })
    }
}

struct Building<'a> {
    table: &'a Table,
    episodes: Episodes,
    /// Number of each state, by its key.
    numbers: HashMap<u64, u32>,
    /// Rows of each state.
    visits: Vec<f64>,
    /// Keys of episodes that are complete.
    known: HashSet<u64>,
    current: Option<u64>,
    last_done: bool,
}

impl Building<'_> {
    fn take(&mut self, rows: &Rows) -> Result<(), TableError> {
        let header = self.table.header();
        let actions = header.actions;
        for row in 0..rows.len() {
            let at = self.episodes.reward.len() as u64;
            let key = rows.episode[row];
            let step = self.step(at, key)?;
            if let Some(time) = rows.time.get(row)
                && *time as usize != step
            {
                return Err(self.table.unusable(
                    at,
                    "t",
                    format!("is {time}, where step {step} of the episode is expected"),
                    "number the steps of each episode from 0, and sort the table by `episode` and `t`",
                ));
            }
            let action = rows.action[row];
            let target = &rows.target[row * actions..(row + 1) * actions];
            let e = &mut self.episodes;
            if step == 0 {
                e.starts.push(at as usize);
                e.first_target.extend_from_slice(target);
            }
            e.action.push(action);
            e.reward.push(rows.reward[row]);
            e.logged[usize::from(action)] += 1;
            for (sum, p) in e.wanted.iter_mut().zip(target) {
                *sum += p;
            }
            if let Some(propensity) = rows.propensity.get(row) {
                e.log_ratio
                    .push(target[usize::from(action)].ln() - propensity.ln());
            }
            if !rows.model.is_empty() {
                let model = &rows.model[row * actions..(row + 1) * actions];
                let asked = target.iter().zip(model).filter(|(p, _)| **p > 0.0);
                let value: f64 = asked.map(|(p, q)| p * q).sum();
                let taken = model[usize::from(action)];
                e.missing_model += u64::from(
                    value.is_nan() || (taken.is_nan() && target[usize::from(action)] > 0.0),
                );
                e.model.push(taken);
                e.value.push(value);
            }
            if let Some(key) = rows.state.get(row) {
                let state = self.number(*key) as usize;
                self.visits[state] += 1.0;
                let cell = &mut self.episodes.target[state * actions..(state + 1) * actions];
                for (sum, p) in cell.iter_mut().zip(target) {
                    *sum += p;
                }
                self.episodes.state.push(state as u32);
                let next = match rows.next_state.get(row) {
                    None | Some(&MISSING) => NO_STATE,
                    Some(key) => self.number(*key),
                };
                self.episodes.next.push(next);
            }
            let done = rows.done.get(row).copied().unwrap_or(false);
            self.last_done = done;
            self.episodes.done.push(done);
        }
        Ok(())
    }

    /// The step of the episode that a row is.
    fn step(&mut self, row: u64, key: u64) -> Result<usize, TableError> {
        if self.current == Some(key) {
            if self.last_done {
                return Err(self.table.unusable(
                    row,
                    "done",
                    "was set in the row before, and the episode goes on".to_owned(),
                    "set `done` in the last row of an episode alone",
                ));
            }
            let start = self.episodes.starts.last().copied().unwrap_or(0);
            return Ok(row as usize - start);
        }
        if let Some(before) = self.current.replace(key) {
            self.known.insert(before);
        }
        if self.known.contains(&key) {
            return Err(self.table.unusable(
                row,
                "episode",
                "occurs again after other episodes".to_owned(),
                "sort the table by `episode` and `t`",
            ));
        }
        self.last_done = false;
        Ok(0)
    }

    fn number(&mut self, key: u64) -> u32 {
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.visits.push(0.0);
            let length = self.episodes.target.len() + self.episodes.actions;
            self.episodes.target.resize(length, 0.0);
        }
        number
    }

    fn finish(mut self) -> Episodes {
        let header = self.table.header();
        let mut e = self.episodes;
        e.starts.push(e.reward.len());
        e.states = self.numbers.len();
        for (cell, visits) in e.target.chunks_exact_mut(e.actions).zip(&mut self.visits) {
            for p in cell {
                *p /= visits.max(1.0);
            }
        }
        let (says_done, has_states) = (header.has_done(), !e.state.is_empty());
        for episode in 0..e.len() {
            let steps = e.steps(episode);
            let last = steps.end - 1;
            if !says_done {
                // Without the column every episode is taken to have ended.
                e.done[last] = true;
            }
            if !has_states {
                continue;
            }
            for step in steps {
                if e.done[step] {
                    e.next[step] = NO_STATE;
                } else if e.next[step] == NO_STATE && step < last {
                    e.next[step] = e.state[step + 1];
                }
            }
            e.cut += u64::from(!e.done[last] && e.next[last] == NO_STATE);
        }
        e
    }
}
