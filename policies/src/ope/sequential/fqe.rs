//! Fitted Q evaluation on finite states: what the policy would earn in the process that the log shows.

use serde::{Deserialize, Serialize};

use super::episodes::{Episodes, NO_STATE};

/// Which Q function is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FqeMode {
    /// One for all steps: the fixed point of Q(s, a) = mean over its rows of r + (1 − done) γ Σ π Q(s′, ·).
    #[default]
    Stationary,
    /// One a step, by backward induction.
    TimeIndexed,
}

/// Sweeps after which a fixed point counts as absent: with discount 1 and states that never end there is none.
const MAX_SWEEPS: usize = 200_000;

/// Rows grouped by what follows from what. The same for every resample, only the counts differ.
pub(crate) struct Fqe<'a> {
    episodes: &'a Episodes,
    discount: f64,
    mode: FqeMode,
    /// Cells (s, a), or (t, s, a), that have rows, and the cell of each step.
    cells: usize,
    cell_of: Vec<u32>,
    /// Pairs of a cell and a next state, sorted by cell, and the pair of each step; [`u32::MAX`] where nothing follows.
    pair_cell: Vec<u32>,
    pair_next: Vec<u32>,
    pair_of: Vec<u32>,
    /// Cell of (layer, s, a), [`u32::MAX`] for an unseen one.
    index: Vec<u32>,
    /// Cells that the policy would use and the log never did.
    pub(crate) unseen: u64,
}

const NONE: u32 = u32::MAX;

impl<'a> Fqe<'a> {
    pub(crate) fn of(episodes: &'a Episodes, discount: f64, mode: FqeMode) -> Self {
        let layers = match mode {
            FqeMode::Stationary => 1,
            FqeMode::TimeIndexed => episodes.horizon(),
        };
        let per_layer = episodes.states * episodes.actions;
        let mut index = vec![NONE; layers * per_layer];
        let layer = |t: usize| if layers == 1 { 0 } else { t };
        let place = |t: usize, step: usize| {
            layer(t) * per_layer
                + episodes.state[step] as usize * episodes.actions
                + usize::from(episodes.action[step])
        };
        let mut places = Vec::with_capacity(episodes.reward.len());
        for episode in 0..episodes.len() {
            for (t, step) in episodes.steps(episode).enumerate() {
                places.push(place(t, step));
                index[place(t, step)] = 0;
            }
        }
        let mut cells = 0;
        for cell in index.iter_mut().filter(|cell| **cell == 0) {
            *cell = cells;
            cells += 1;
        }
        let cell_of: Vec<u32> = places.iter().map(|place| index[*place]).collect();
        let follows = |step: usize| !episodes.done[step] && episodes.next[step] != NO_STATE;
        let mut pairs: Vec<u64> = (0..cell_of.len())
            .filter(|step| follows(*step))
            .map(|step| u64::from(cell_of[step]) << 32 | u64::from(episodes.next[step]))
            .collect();
        pairs.sort_unstable();
        pairs.dedup();
        let pair_of = (0..cell_of.len())
            .map(|step| {
                let key = u64::from(cell_of[step]) << 32 | u64::from(episodes.next[step]);
                match pairs.binary_search(&key) {
                    Ok(at) if follows(step) => at as u32,
                    _ => NONE,
                }
            })
            .collect();
        let mut fqe = Self {
            episodes,
            discount,
            mode,
            cells: cells as usize,
            cell_of,
            pair_cell: pairs.iter().map(|pair| (pair >> 32) as u32).collect(),
            pair_next: pairs.iter().map(|pair| *pair as u32).collect(),
            pair_of,
            index,
            unseen: 0,
        };
        fqe.unseen = fqe.count_unseen();
        fqe
    }

    /// Cells without rows to which the target policy gives probability, in states where the log has been.
    fn count_unseen(&self) -> u64 {
        let e = self.episodes;
        let per_layer = e.states * e.actions;
        self.index
            .chunks_exact(per_layer)
            .map(|layer| {
                layer
                    .chunks_exact(e.actions)
                    .zip(e.target.chunks_exact(e.actions))
                    .filter(|(cells, _)| cells.iter().any(|cell| *cell != NONE))
                    .map(|(cells, target)| {
                        let unseen = cells.iter().zip(target);
                        unseen.filter(|(c, p)| **c == NONE && **p > 0.0).count() as u64
                    })
                    .sum::<u64>()
            })
            .sum()
    }

    /// Q of every cell when each episode enters a number of times; `start` is a guess of the fixed point. `None` when there
    /// is no fixed point.
    pub(crate) fn solve(
        &self,
        times: impl Fn(usize) -> f64,
        start: Option<&[f64]>,
    ) -> Option<Vec<f64>> {
        let e = self.episodes;
        let (mut n, mut rewards) = (vec![0.0; self.cells], vec![0.0; self.cells]);
        let mut moves = vec![0.0; self.pair_cell.len()];
        for episode in 0..e.len() {
            let times = times(episode);
            if times == 0.0 {
                continue;
            }
            for step in e.steps(episode) {
                let cell = self.cell_of[step] as usize;
                n[cell] += times;
                rewards[cell] += times * e.reward[step];
                if self.pair_of[step] != NONE {
                    moves[self.pair_of[step] as usize] += times;
                }
            }
        }
        for cell in 0..self.cells {
            // A resample may leave a cell without rows: it counts as unseen there.
            rewards[cell] /= n[cell].max(f64::MIN_POSITIVE);
        }
        for (count, cell) in moves.iter_mut().zip(&self.pair_cell) {
            *count *= self.discount / n[*cell as usize].max(f64::MIN_POSITIVE);
        }
        match self.mode {
            FqeMode::Stationary => self.fixed_point(&rewards, &moves, start),
            FqeMode::TimeIndexed => Some(self.backwards(&rewards, &moves)),
        }
    }

    /// V(s) = Σ π(a|s) Q(s, a) in one layer; unseen cells are 0.
    fn state_value(&self, q: &[f64], layer: usize, state: usize) -> f64 {
        let actions = self.episodes.actions;
        let first = (layer * self.episodes.states + state) * actions;
        let target = &self.episodes.target[state * actions..(state + 1) * actions];
        self.index[first..first + actions]
            .iter()
            .zip(target)
            .filter(|(cell, _)| **cell != NONE)
            .map(|(cell, p)| p * q[*cell as usize])
            .sum()
    }

    fn fixed_point(
        &self,
        rewards: &[f64],
        moves: &[f64],
        start: Option<&[f64]>,
    ) -> Option<Vec<f64>> {
        let states = self.episodes.states;
        let mut q = start.map_or_else(|| rewards.to_vec(), <[f64]>::to_vec);
        let mut values: Vec<f64> = (0..states).map(|s| self.state_value(&q, 0, s)).collect();
        for _ in 0..MAX_SWEEPS {
            let mut next = rewards.to_vec();
            for ((cell, to), share) in self.pair_cell.iter().zip(&self.pair_next).zip(moves) {
                next[*cell as usize] += share * values[*to as usize];
            }
            let scale = next.iter().fold(1e-300, |m: f64, x| m.max(x.abs()));
            let change = next
                .iter()
                .zip(&q)
                .fold(0.0, |m: f64, (a, b)| m.max((a - b).abs()));
            q = next;
            if !scale.is_finite() {
                return None;
            }
            if change <= 1e-14 * scale {
                return Some(q);
            }
            for (state, value) in values.iter_mut().enumerate() {
                *value = self.state_value(&q, 0, state);
            }
        }
        None
    }

    fn backwards(&self, rewards: &[f64], moves: &[f64]) -> Vec<f64> {
        let e = self.episodes;
        let per_layer = e.states * e.actions;
        let layers = self.index.len() / per_layer;
        // Cells are numbered layer after layer, so pairs of a layer stand together.
        let mut q = rewards.to_vec();
        let mut end = self.pair_cell.len();
        for layer in (0..layers).rev() {
            let cells = &self.index[layer * per_layer..(layer + 1) * per_layer];
            let first = cells.iter().copied().find(|c| *c != NONE).unwrap_or(NONE);
            let begin = self.pair_cell[..end].partition_point(|cell| *cell < first);
            if layer + 1 < layers {
                let values: Vec<f64> = (0..e.states)
                    .map(|s| self.state_value(&q, layer + 1, s))
                    .collect();
                for pair in begin..end {
                    q[self.pair_cell[pair] as usize] +=
                        moves[pair] * values[self.pair_next[pair] as usize];
                }
            }
            end = begin;
        }
        q
    }

    /// meanᵢ V(s₀) with the policy of the first rows, when each episode enters a number of times.
    pub(crate) fn value(&self, q: &[f64], times: impl Fn(usize) -> f64) -> f64 {
        let e = self.episodes;
        let actions = e.actions;
        let (mut sum, mut n) = (0.0, 0.0);
        for episode in 0..e.len() {
            let times = times(episode);
            if times == 0.0 {
                continue;
            }
            let state = e.state[e.steps(episode).start] as usize;
            let cells = &self.index[state * actions..(state + 1) * actions];
            let target = &e.first_target[episode * actions..(episode + 1) * actions];
            let value: f64 = cells
                .iter()
                .zip(target)
                .filter(|(cell, _)| **cell != NONE)
                .map(|(cell, p)| p * q[*cell as usize])
                .sum();
            sum += times * value;
            n += times;
        }
        sum / n
    }
}
