//! The episodes of a table, in memory: a few columns, one entry a step.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::ope::diagnostics::{DiagnosticsTally, TableDiagnostics};
use crate::ope::model::Behaviour;
use crate::ope::prints::Prints;
use crate::ope::table::{Header, MISSING, Rows, Table, TableError, Wanted};

/// State of a step that has none.
pub(crate) const NO_STATE: u32 = u32::MAX;

/// Steps of all episodes, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Episodes {
    pub(crate) actions: usize,
    /// First step of each episode, and the number of steps.
    pub(crate) starts: Vec<usize>,
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
    /// What overviews show of the steps.
    pub(super) tally: Option<DiagnosticsTally>,
    /// Key of each episode, by which it falls into a fold.
    pub(crate) key: Vec<u64>,
    /// What only some computations need of each step.
    pub(crate) kept: Kept,
    /// Hashes of what was read.
    pub(crate) prints: Prints,
}

/// What is kept of each step where a model is fitted here or candidates are compared; else empty.
#[derive(Debug, Default, Clone)]
pub(crate) struct Kept {
    /// Target policy, step after step.
    pub(crate) target: Vec<f64>,
    /// Propensity of the action taken.
    pub(crate) propensity: Vec<f64>,
    /// Given model of every action, step after step.
    pub(crate) given: Vec<f64>,
    /// Features, step after step.
    pub(crate) features: Vec<f64>,
    /// Features a step.
    pub(crate) width: usize,
    /// Probabilities of each named candidate, step after step.
    pub(crate) candidates: Vec<Vec<f64>>,
}

/// What to read of a table beside what every estimator needs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reading<'a> {
    /// The columns `q…`.
    pub(crate) model: bool,
    /// The columns `state` and `next_state`.
    pub(crate) states: bool,
    /// The columns `x…`.
    pub(crate) features: bool,
    /// The columns of named candidates.
    pub(crate) candidates: bool,
    /// Whether to keep each step's target, propensity and model.
    pub(crate) keep: bool,
    /// The policy that wrote the log, where it was estimated, and the fold whose model stands for all.
    pub(crate) behaviour: Option<(&'a Behaviour, Option<usize>)>,
}

impl Episodes {
    /// Reads a table with episodes. Rows of an episode stand together, in the order of their steps.
    pub(crate) fn read(table: &Table, reading: Reading<'_>) -> Result<Self, TableError> {
        let header = table.header();
        let mut building = Building {
            table,
            episodes: Self {
                actions: header.actions,
                logged: vec![0; header.actions],
                wanted: vec![0.0; header.actions],
                tally: Some(DiagnosticsTally::new(header)),
                prints: Prints::new(1 + header.candidates.len()),
                kept: Kept {
                    width: if reading.features { header.features } else { 0 },
                    candidates: vec![
                        Vec::new();
                        if reading.candidates {
                            header.candidates.len()
                        } else {
                            0
                        }
                    ],
                    ..Kept::default()
                },
                ..Self::default()
            },
            reading,
            numbers: Numbers::default(),
            visits: Vec::new(),
            known: HashSet::new(),
            current: None,
            last_done: false,
        };
        let mut wanted = Wanted {
            model: reading.model,
            sequence: true,
            states: reading.states,
            features: reading.features,
            candidates: reading.candidates,
            ..Wanted::default()
        };
        if reading.behaviour.is_some() {
            wanted = wanted.and(Behaviour::wanted(header));
        }
        let wanted = wanted.and(header.grouping());
        table.scan(
            wanted,
            |rows| {
                let steps = Steps::of(&rows, header.actions, reading);
                // Weights are those of whole episodes, and follow when all are read.
                let tally = DiagnosticsTally::of(&rows, &[], header, None);
                (rows, steps, tally)
            },
            |(rows, steps, tally)| {
                if let Some(mine) = &mut building.episodes.tally {
                    mine.merge(&tally);
                }
                building.take(&rows, &steps)
            },
        )?;
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

    /// What lies behind the estimates.
    pub(crate) fn diagnostics(&self, header: &Header, discount: f64) -> Option<TableDiagnostics> {
        let weights = (0..self.len())
            .filter_map(|episode| self.log_weights(episode).last())
            .map(f64::exp);
        let returns = (0..self.len()).map(|episode| self.discounted(episode, discount));
        let tally = self.tally.as_ref()?;
        Some(tally.of_episodes(header, weights, returns.collect()))
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

impl Episodes {
    /// The same steps under another policy: `target` holds its probabilities, step after step.
    ///
    /// Needs what [`Kept`] holds. A model that was fitted to the old policy's values is dropped.
    pub(crate) fn under(&self, target: &[f64]) -> Self {
        let (actions, steps) = (self.actions, self.reward.len());
        let taken = |step: usize| step * actions + usize::from(self.action[step]);
        let mut next = Self {
            actions,
            starts: self.starts.clone(),
            log_ratio: self
                .kept
                .propensity
                .iter()
                .enumerate()
                .map(|(step, p)| target[taken(step)].ln() - p.ln())
                .collect(),
            reward: self.reward.clone(),
            action: self.action.clone(),
            state: self.state.clone(),
            next: self.next.clone(),
            done: self.done.clone(),
            states: self.states,
            cut: self.cut,
            logged: self.logged.clone(),
            key: self.key.clone(),
            kept: Kept {
                target: target.to_vec(),
                ..self.kept.clone()
            },
            ..Self::default()
        };
        let mut wanted = vec![0.0; actions];
        for row in target.chunks_exact(actions) {
            for (sum, p) in wanted.iter_mut().zip(row) {
                *sum += p;
            }
        }
        next.wanted = wanted;
        for episode in 0..self.len() {
            let first = self.steps(episode).start * actions;
            next.first_target
                .extend_from_slice(&target[first..first + actions]);
        }
        next.set_given();
        if !self.state.is_empty() {
            let mut visits = vec![0.0; self.states];
            next.target = vec![0.0; self.states * actions];
            for (step, state) in self.state.iter().enumerate() {
                let state = *state as usize;
                visits[state] += 1.0;
                let cell = &mut next.target[state * actions..(state + 1) * actions];
                for (sum, p) in cell.iter_mut().zip(&target[step * actions..]) {
                    *sum += p;
                }
            }
            for (cell, visits) in next.target.chunks_exact_mut(actions).zip(visits) {
                for p in cell {
                    *p /= f64::max(visits, 1.0);
                }
            }
        }
        debug_assert_eq!(target.len(), steps * actions);
        next
    }

    /// Values of the given model under the target policy, where the model is kept.
    fn set_given(&mut self) {
        let actions = self.actions;
        let rows = self
            .kept
            .given
            .chunks_exact(actions)
            .zip(self.kept.target.chunks_exact(actions));
        for ((model, target), action) in rows.zip(&self.action) {
            let asked = target.iter().zip(model).filter(|(p, _)| **p > 0.0);
            let value: f64 = asked.map(|(p, q)| p * q).sum();
            let action = usize::from(*action);
            let q = model[action];
            self.missing_model += u64::from(value.is_nan() || (q.is_nan() && target[action] > 0.0));
            self.model.push(q);
            self.value.push(value);
        }
    }
}

/// What follows from each row alone.
#[derive(Default)]
struct Steps {
    prints: Prints,
    propensity: Vec<f64>,
    log_ratio: Vec<f64>,
    model: Vec<f64>,
    value: Vec<f64>,
    missing_model: u64,
}

impl Steps {
    fn of(rows: &Rows, actions: usize, reading: Reading<'_>) -> Self {
        let mut steps = Self {
            prints: Prints::of(rows, actions),
            ..Self::default()
        };
        let taken = |row: usize| row * actions + usize::from(rows.action[row]);
        let estimated: Vec<f64>;
        let propensity = match reading.behaviour {
            Some((behaviour, of_fold)) => {
                estimated = (0..rows.len())
                    .map(|row| behaviour.of(rows, row, of_fold))
                    .collect();
                &estimated
            }
            None => &rows.propensity,
        };
        if reading.keep {
            steps.propensity.clone_from(propensity);
        }
        steps.log_ratio = propensity
            .iter()
            .enumerate()
            .map(|(row, p)| rows.target[taken(row)].ln() - p.ln())
            .collect();
        if !rows.model.is_empty() {
            for row in 0..rows.len() {
                let cells = row * actions..(row + 1) * actions;
                let model = &rows.model[cells.clone()];
                // A value that the policy never asks for may be missing.
                let asked = rows.target[cells]
                    .iter()
                    .zip(model)
                    .filter(|(p, _)| **p > 0.0);
                let value: f64 = asked.map(|(p, q)| p * q).sum();
                let q = rows.model[taken(row)];
                steps.missing_model +=
                    u64::from(value.is_nan() || (q.is_nan() && rows.target[taken(row)] > 0.0));
                steps.model.push(q);
                steps.value.push(value);
            }
        }
        steps
    }
}

/// Numbers of keys in the order of their first appearance. Small whole numbers are looked up in a list.
#[derive(Default)]
struct Numbers {
    small: Vec<u32>,
    others: HashMap<u64, u32>,
    count: u32,
}

impl Numbers {
    const SMALL: u64 = 1 << 20;

    /// The number of a key, and whether it is new.
    fn of(&mut self, key: u64) -> (u32, bool) {
        let slot = if key < Self::SMALL {
            if self.small.len() <= key as usize {
                self.small.resize(key as usize + 1, NO_STATE);
            }
            &mut self.small[key as usize]
        } else {
            self.others.entry(key).or_insert(NO_STATE)
        };
        let new = *slot == NO_STATE;
        if new {
            *slot = self.count;
            self.count += 1;
        }
        (*slot, new)
    }
}

struct Building<'a> {
    table: &'a Table,
    episodes: Episodes,
    reading: Reading<'a>,
    /// Number of each state, by its key.
    numbers: Numbers,
    /// Rows of each state.
    visits: Vec<f64>,
    /// Keys of episodes that are complete.
    known: HashSet<u64>,
    current: Option<u64>,
    last_done: bool,
}

impl Building<'_> {
    fn take(&mut self, rows: &Rows, steps: &Steps) -> Result<(), TableError> {
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
                e.key.push(key);
                e.first_target.extend_from_slice(target);
            }
            e.action.push(action);
            e.reward.push(rows.reward[row]);
            e.logged[usize::from(action)] += 1;
            for (sum, p) in e.wanted.iter_mut().zip(target) {
                *sum += p;
            }
            if let Some(key) = rows.state.get(row).filter(|_| self.reading.states) {
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
        let e = &mut self.episodes;
        e.log_ratio.extend_from_slice(&steps.log_ratio);
        e.model.extend_from_slice(&steps.model);
        e.value.extend_from_slice(&steps.value);
        e.missing_model += steps.missing_model;
        e.prints.merge(&steps.prints);
        if self.reading.keep {
            e.kept.target.extend_from_slice(&rows.target);
            e.kept.propensity.extend_from_slice(&steps.propensity);
            e.kept.given.extend_from_slice(&rows.model);
        }
        if self.reading.features {
            e.kept.features.extend_from_slice(&rows.features);
        }
        for (mine, theirs) in e.kept.candidates.iter_mut().zip(&rows.candidates) {
            mine.extend_from_slice(theirs);
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
        let (number, new) = self.numbers.of(key);
        if new {
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
        e.states = self.numbers.count as usize;
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
