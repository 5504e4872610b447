//! What a log tells of a finite decision process: how often, what was earned, what came next.

use std::collections::{HashMap, HashSet};

use super::error::LoggedError;
use super::seen::{RowHasher, SeenRows};
use crate::ope::table::{MISSING, Rows, Table, TableError, Wanted};

/// The empirical process of a table with `state`.
///
/// A row of a table with `episode` is followed by `next_state`, or by the next row of its episode; a row of a table without
/// `episode` is followed by `next_state` where there is such a column, and by nothing otherwise. Nothing follows a row that is
/// `done`. A row without `done` after which the log says nothing more was cut off: what it led to is unknown, and it teaches
/// nothing about its action (it is left out and counted).
#[derive(Debug, Clone, PartialEq)]
pub struct Counts {
    /// Number of actions.
    pub actions: usize,
    /// Keys of the states, in the order of their first appearance.
    pub keys: Vec<u64>,
    /// Rows learned from.
    pub rows: u64,
    /// Rows whose future the log does not hold.
    pub cut: u64,
    /// Rows n(s, a), state after state.
    pub n: Vec<f64>,
    /// Mean reward of each pair.
    pub reward: Vec<f64>,
    /// Mean squared reward of each pair.
    pub reward_square: Vec<f64>,
    /// First entry of each pair in the two lists below, and their length at the end.
    pub(super) first: Vec<usize>,
    pub(super) next: Vec<u32>,
    /// Share of the pair's rows that were followed by this state; what is missing to one is the end.
    pub(super) share: Vec<f64>,
    pub(super) seen: Vec<u64>,
    /// Smallest reward.
    pub(super) lowest: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    n: f64,
    reward: f64,
    square: f64,
}

/// A row that waits for what follows.
#[derive(Debug, Clone, Copy)]
struct Pending {
    state: u32,
    action: u16,
    reward: f64,
}

struct Building<'a> {
    table: &'a Table,
    numbers: HashMap<u64, u32>,
    keys: Vec<u64>,
    masks: Vec<Vec<bool>>,
    pairs: HashMap<(u32, u16), Pair>,
    moves: HashMap<(u32, u16, u32), f64>,
    actions: usize,
    rows: u64,
    cut: u64,
    lowest: f64,
    pending: Option<Pending>,
    episode: Option<u64>,
    finished: HashSet<u64>,
    step: u64,
    last_done: bool,
    /// Rows passed, for messages.
    at: u64,
}

impl Counts {
    /// Reads a table once.
    ///
    /// # Errors
    /// [`LoggedError`] for a table that cannot be read, has no `state`, whose episodes are not in order, or in which a state
    /// has two masks.
    pub fn read(table: &Table) -> Result<Self, LoggedError> {
        let header = table.header();
        if !header.has_states() {
            return Err(LoggedError::Unsuitable {
                file: table.path().to_owned(),
                reason: "the table has no column `state`, and this learner keeps one entry a state".to_owned(),
                fix: "add `state` (numbers or text; `tierwise evaluate` reads the same), or learn from `x0`, `x1`, … with `--learner dr`"
                    .to_owned(),
            });
        }
        let mut building = Building {
            table,
            numbers: HashMap::new(),
            keys: Vec::new(),
            masks: Vec::new(),
            pairs: HashMap::new(),
            moves: HashMap::new(),
            actions: header.actions,
            rows: 0,
            cut: 0,
            lowest: f64::INFINITY,
            pending: None,
            episode: None,
            finished: HashSet::new(),
            step: 0,
            last_done: false,
            at: 0,
        };
        let mut seen = SeenRows::new(table.first_row());
        let hasher = RowHasher {
            features: 0,
            states: true,
        };
        table.scan(
            Wanted {
                sequence: true,
                states: true,
                masks: true,
                ..Wanted::default()
            },
            |rows| {
                let hashes = hasher.of(&rows);
                (rows, hashes)
            },
            |(rows, hashes)| {
                seen.take(&hashes);
                building.take(&rows)
            },
        )?;
        Ok(building.finish(seen.finish()))
    }

    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.keys.len()
    }

    /// Pairs of a state.
    #[must_use]
    pub fn pairs(&self, state: usize) -> std::ops::Range<usize> {
        state * self.actions..(state + 1) * self.actions
    }

    /// How often each action was taken in a state, as shares; all zero in a state that no row acts in.
    #[must_use]
    pub fn behaviour(&self, state: usize) -> Vec<f64> {
        let n = &self.n[self.pairs(state)];
        let all: f64 = n.iter().sum();
        n.iter().map(|n| n / all.max(1.0)).collect()
    }

    /// Whether any row acts in a state.
    pub(super) fn acts(&self, state: usize) -> bool {
        self.n[self.pairs(state)].iter().any(|n| *n > 0.0)
    }

    /// Shares of actions over all rows.
    pub(super) fn shares(&self) -> Vec<f64> {
        let mut sums = vec![0.0; self.actions];
        for pairs in self.n.chunks_exact(self.actions) {
            for (sum, n) in sums.iter_mut().zip(pairs) {
                *sum += n;
            }
        }
        let all: f64 = sums.iter().sum();
        sums.iter().map(|sum| sum / all).collect()
    }
}

impl Building<'_> {
    fn take(&mut self, rows: &Rows) -> Result<(), TableError> {
        let header = self.table.header();
        let (sequence, follows) = (header.has_episodes(), !rows.next_state.is_empty());
        for row in 0..rows.len() {
            let state = self.number(rows.state[row]);
            self.mask(rows, row, state)?;
            let begins = if sequence {
                self.order(rows.episode[row], rows.time.get(row).copied())?
            } else {
                true
            };
            if let Some(before) = self.pending.take() {
                self.count(before, if begins { None } else { Some(Some(state)) });
            }
            let action = rows.action[row];
            self.actions = self.actions.max(usize::from(action) + 1);
            let this = Pending {
                state,
                action,
                reward: rows.reward[row],
            };
            self.lowest = self.lowest.min(this.reward);
            let done = rows.done.get(row).copied();
            self.last_done = done == Some(true);
            let next = rows
                .next_state
                .get(row)
                .copied()
                .filter(|key| *key != MISSING);
            match (self.last_done, next) {
                (true, _) => self.count(this, Some(None)),
                (false, Some(key)) => {
                    let next = self.number(key);
                    self.count(this, Some(Some(next)));
                }
                // Nothing tells what follows but the next row.
                (false, None) if sequence => self.pending = Some(this),
                // Without `done`, an empty cell is the end; so is every row of a table of single decisions.
                (false, None) if done.is_none() || !follows => self.count(this, Some(None)),
                (false, None) => self.count(this, None),
            }
            self.at += 1;
        }
        Ok(())
    }

    /// Counts a row: `None` when what follows is unknown, `Some(None)` when nothing does.
    fn count(&mut self, row: Pending, next: Option<Option<u32>>) {
        let header = self.table.header();
        let next = match next {
            // Without the column every episode is taken to have ended.
            None if header.has_episodes() && !header.has_done() => None,
            None => {
                self.cut += 1;
                return;
            }
            Some(next) => next,
        };
        self.rows += 1;
        let pair = self.pairs.entry((row.state, row.action)).or_default();
        pair.n += 1.0;
        pair.reward += row.reward;
        pair.square += row.reward * row.reward;
        if let Some(next) = next {
            *self.moves.entry((row.state, row.action, next)).or_default() += 1.0;
        }
    }

    fn number(&mut self, key: u64) -> u32 {
        let count = self.keys.len() as u32;
        let number = *self.numbers.entry(key).or_insert(count);
        if number == count {
            self.keys.push(key);
            self.masks.push(Vec::new());
        }
        number
    }

    fn mask(&mut self, rows: &Rows, row: usize, state: u32) -> Result<(), TableError> {
        if rows.mask.is_empty() {
            return Ok(());
        }
        let width = self.table.header().actions;
        let mask = &rows.mask[row * width..(row + 1) * width];
        let known = &mut self.masks[state as usize];
        if known.is_empty() {
            known.extend_from_slice(mask);
        } else if known != mask {
            return Err(self.table.unusable(
                self.at,
                "state",
                "had another mask in an earlier row".to_owned(),
                "a state of a finite process has one mask: make what decides the mask part of `state`",
            ));
        }
        Ok(())
    }

    /// Whether a row begins an episode.
    fn order(&mut self, episode: u64, time: Option<u32>) -> Result<bool, TableError> {
        let begins = self.episode != Some(episode);
        if begins {
            if let Some(before) = self.episode.replace(episode) {
                self.finished.insert(before);
            }
            if self.finished.contains(&episode) {
                return Err(self.table.unusable(
                    self.at,
                    "episode",
                    "occurs again after other episodes".to_owned(),
                    "sort the table by `episode` and `t`",
                ));
            }
            self.step = 0;
        } else if self.last_done {
            return Err(self.table.unusable(
                self.at,
                "done",
                "was set in the row before, and the episode goes on".to_owned(),
                "set `done` in the last row of an episode alone",
            ));
        } else {
            self.step += 1;
        }
        if let Some(time) = time
            && u64::from(time) != self.step
        {
            return Err(self.table.unusable(
                self.at,
                "t",
                format!(
                    "is {time}, where step {} of the episode is expected",
                    self.step
                ),
                "number the steps of each episode from 0, and sort the table by `episode` and `t`",
            ));
        }
        Ok(begins)
    }

    fn finish(mut self, seen: Vec<u64>) -> Counts {
        if let Some(last) = self.pending.take() {
            self.count(last, None);
        }
        let (states, actions) = (self.keys.len(), self.actions);
        let mut counts = Counts {
            actions,
            rows: self.rows,
            cut: self.cut,
            n: vec![0.0; states * actions],
            reward: vec![0.0; states * actions],
            reward_square: vec![0.0; states * actions],
            first: Vec::with_capacity(states * actions + 1),
            next: Vec::with_capacity(self.moves.len()),
            share: Vec::with_capacity(self.moves.len()),
            keys: self.keys,
            seen,
            lowest: self.lowest,
        };
        for ((state, action), pair) in &self.pairs {
            let at = *state as usize * actions + usize::from(*action);
            counts.n[at] = pair.n;
            counts.reward[at] = pair.reward / pair.n;
            counts.reward_square[at] = pair.square / pair.n;
        }
        let mut moves: Vec<((u32, u16, u32), f64)> = self.moves.into_iter().collect();
        moves.sort_unstable_by_key(|(key, _)| *key);
        let mut moves = moves.into_iter().peekable();
        for state in 0..states {
            for action in 0..actions {
                counts.first.push(counts.next.len());
                let pair = state * actions + action;
                while let Some(((_, _, next), n)) = moves
                    .next_if(|((s, a, _), _)| *s as usize == state && usize::from(*a) == action)
                {
                    counts.next.push(next);
                    counts.share.push(n / counts.n[pair]);
                }
            }
        }
        counts.first.push(counts.next.len());
        counts
    }
}
