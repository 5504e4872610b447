//! Estimators that weigh episodes or steps: sums over episodes, step by step.

use rayon::prelude::*;

use super::episodes::Episodes;
use super::estimator::Sequential;
use crate::ope::bootstrap::{BootstrapPlan, GroupSums, MAX_GROUPS, spread};
use crate::ope::weights::{WeightDiagnostics, WeightTally};

/// Above this exponent weights of a step are kept in units of the largest, so that ratios of them still hold.
const LARGE: f64 = 600.0;
/// Numbers that the groups may hold together.
const MAX_CELLS: usize = 1 << 22;
/// Columns before those of the steps: episodes, w, w G, PDIS and DR of an episode, V(s₀).
const HEAD: usize = 6;
const STEP: usize = 4;

/// Sums of everything that a weighted estimator needs, by group of episodes.
///
/// For step t: Σ w₀:ₜ, Σ w₀:ₜ r, Σ w₀:ₜ (r − q), Σ w₀:ₜ₋₁ V.
pub(crate) struct StepSums {
    groups: GroupSums,
    horizon: usize,
    discount: f64,
    pub(crate) totals: Vec<f64>,
    /// Of whole episodes.
    pub(crate) trajectory: WeightDiagnostics,
    /// Of steps: mean over steps, each by its discount and the episodes that reach it.
    pub(crate) stepwise: WeightDiagnostics,
    /// Exponent of the largest weight.
    pub(crate) largest: f64,
    /// ln of the unit of weights after each step, and of the whole.
    units: Vec<f64>,
}

/// The per-episode entries of the columns of [`StepSums`].
struct Entries<'a> {
    episodes: &'a Episodes,
    units: &'a [f64],
    whole_unit: f64,
    discount: f64,
    horizon: usize,
}

impl Entries<'_> {
    /// Rows of all episodes, one after the other, in chunks of so many episodes: `take` gets the first episode of a chunk and
    /// its rows. Several chunks are computed at a time, and taken in order.
    fn chunks(&self, episodes: usize, mut take: impl FnMut(usize, &[f64])) {
        let width = HEAD + STEP * self.horizon;
        let n = self.episodes.len();
        let together = rayon::current_num_threads();
        let firsts: Vec<usize> = (0..n).step_by(episodes).collect();
        for batch in firsts.chunks(together) {
            let rows: Vec<Vec<f64>> = batch
                .par_iter()
                .map(|first| {
                    let last = (first + episodes).min(n);
                    let mut rows = vec![0.0; (last - first) * width];
                    for (episode, row) in (*first..last).zip(rows.chunks_exact_mut(width)) {
                        self.of(episode, row);
                    }
                    rows
                })
                .collect();
            for (first, rows) in batch.iter().zip(&rows) {
                take(*first, rows);
            }
        }
    }

    fn of(&self, episode: usize, row: &mut [f64]) {
        let e = self.episodes;
        let steps = e.steps(episode);
        let g = e.discounted(episode, self.discount);
        row.fill(0.0);
        row[0] = 1.0;
        let has_model = !e.model.is_empty();
        let (mut factor, mut before, mut last) = (1.0, 1.0, 0.0);
        let (mut pdis, mut dr) = (0.0, 0.0);
        if e.log_ratio.is_empty() {
            row[5] = if has_model { e.value[steps.start] } else { 0.0 };
            return;
        }
        let mut before_unit: f64 = 0.0;
        for (t, (step, log)) in steps.clone().zip(e.log_weights(episode)).enumerate() {
            let w = (log - self.units[t]).exp();
            // Values that are not self-normalised want the weight itself; it overflows only where they are refused.
            let whole = if self.units[t] == 0.0 { w } else { log.exp() };
            let r = e.reward[step];
            let cell = &mut row[HEAD + STEP * t..HEAD + STEP * (t + 1)];
            cell[0] = w;
            cell[1] = times(w, r);
            pdis += factor * times(whole, r);
            if has_model {
                let (q, v) = (e.model[step], e.value[step]);
                cell[2] = times(w, r - q);
                cell[3] = times(before, v);
                let whole_before = if before_unit == 0.0 {
                    before
                } else {
                    last_weight(log, e.log_ratio[step])
                };
                dr += factor * (times(whole, r - q) + times(whole_before, v));
            }
            before = w;
            before_unit = self.units[t];
            factor *= self.discount;
            last = log;
        }
        // After its end the weight stays, in the unit of each step.
        for t in steps.len()..self.horizon {
            row[HEAD + STEP * t] = (last - self.units[t]).exp();
        }
        row[1] = (last - self.whole_unit).exp();
        row[2] = times(row[1], g);
        row[3] = pdis;
        row[4] = dr;
        row[5] = if has_model { e.value[steps.start] } else { 0.0 };
    }
}

/// A weight of zero silences what it multiplies.
fn times(weight: f64, value: f64) -> f64 {
    if weight == 0.0 { 0.0 } else { weight * value }
}

fn last_weight(log: f64, ratio: f64) -> f64 {
    (log - ratio).exp()
}

/// Groups of episodes: a power of two, fewer where episodes are long.
pub(crate) fn groups(episodes: usize, width: usize) -> usize {
    let mut groups = MAX_GROUPS;
    while groups > 256 && groups * width > MAX_CELLS {
        groups /= 2;
    }
    while groups / 2 >= episodes && groups > 1 {
        groups /= 2;
    }
    groups
}

impl StepSums {
    pub(crate) fn of(episodes: &Episodes, discount: f64) -> Self {
        let (n, horizon) = (episodes.len(), episodes.horizon());
        let (units, whole_unit, largest) = units(episodes, horizon);
        let width = HEAD + STEP * horizon;
        let entries = Entries {
            episodes,
            units: &units,
            whole_unit,
            discount,
            horizon,
        };
        let groups = groups(n, width);
        let mut sums = GroupSums::new(groups, width);
        let mut totals = vec![0.0; width];
        let mut trajectory = WeightTally::default();
        let mut steps = vec![WeightTally::default(); horizon];
        entries.chunks(groups, |first, rows| {
            let parts: Vec<(f64, WeightTally)> = (0..width)
                .into_par_iter()
                .map(|column| {
                    let values: Vec<f64> =
                        rows.iter().skip(column).step_by(width).copied().collect();
                    let weighs =
                        column == 1 || (column >= HEAD && (column - HEAD).is_multiple_of(STEP));
                    let tally = if weighs && !episodes.log_ratio.is_empty() {
                        WeightTally::of(&values)
                    } else {
                        WeightTally::default()
                    };
                    (values.iter().sum(), tally)
                })
                .collect();
            for (column, (sum, tally)) in parts.iter().enumerate() {
                totals[column] += sum;
                if column == 1 {
                    trajectory.merge(tally);
                } else if column >= HEAD && (column - HEAD).is_multiple_of(STEP) {
                    steps[(column - HEAD) / STEP].merge(tally);
                }
            }
            sums.add_tiles(|tile| {
                rows.chunks_exact(width)
                    .enumerate()
                    .map(move |(row, values)| {
                        let of = |lane| values.get(tile * 8 + lane).copied().unwrap_or(0.0);
                        let group = spread((first + row) as u64, groups as u64);
                        (group, std::array::from_fn(of))
                    })
            });
        });
        let mut trajectory = trajectory.diagnostics();
        trajectory.mean *= whole_unit.exp();
        trajectory.max *= whole_unit.exp();
        Self {
            stepwise: stepwise(episodes, &steps, discount),
            groups: sums,
            horizon,
            discount,
            totals,
            trajectory,
            largest,
            units,
        }
    }

    /// The value of an estimator from sums of columns.
    pub(crate) fn value(&self, estimator: Sequential, sums: &[f64]) -> f64 {
        let n = sums[0];
        match estimator {
            Sequential::Tis => sums[2] / n,
            Sequential::Sntis => sums[2] / sums[1],
            Sequential::Pdis => sums[3] / n,
            Sequential::Dr => sums[4] / n,
            Sequential::Dm => sums[5] / n,
            Sequential::Snpdis => self.stepped(|t| {
                let cell = &sums[HEAD + STEP * t..];
                cell[1] / cell[0]
            }),
            Sequential::Wdr => self.stepped(|t| {
                let cell = &sums[HEAD + STEP * t..];
                let before = if t == 0 {
                    n
                } else {
                    sums[HEAD + STEP * (t - 1)]
                };
                cell[2] / cell[0] + cell[3] / before
            }),
            Sequential::Fqe | Sequential::Mis | Sequential::MisStateAction | Sequential::Magic => {
                f64::NAN
            }
        }
    }

    fn stepped(&self, term: impl Fn(usize) -> f64) -> f64 {
        let mut factor = 1.0;
        let mut sum = 0.0;
        for t in 0..self.horizon {
            sum += factor * term(t);
            factor *= self.discount;
        }
        sum
    }

    /// Standard errors: sd (n − 1)/√n of the terms of episodes, by the delta method for ratios; NaN for those that are none.
    pub(crate) fn standard_errors(
        &self,
        estimators: &[Sequential],
        episodes: &Episodes,
    ) -> Vec<f64> {
        let gradients: Vec<Vec<(usize, f64)>> = estimators
            .iter()
            .map(|estimator| self.gradient(*estimator))
            .collect();
        let entries = Entries {
            episodes,
            units: &self.units,
            whole_unit: whole_unit(self.largest),
            discount: self.discount,
            horizon: self.horizon,
        };
        let n = self.totals[0];
        let width = self.totals.len();
        let mut squares = vec![0.0; estimators.len()];
        entries.chunks(self.groups.groups(), |_, rows| {
            let parts: Vec<f64> = gradients
                .par_iter()
                .map(|gradient| {
                    rows.chunks_exact(width)
                        .map(|row| {
                            // The gradient is orthogonal to the sums, so the terms sum to zero.
                            let term: f64 = gradient.iter().map(|(c, g)| g * row[*c]).sum();
                            term * term
                        })
                        .sum()
                })
                .collect();
            for (sum, part) in squares.iter_mut().zip(parts) {
                *sum += part;
            }
        });
        squares
            .iter()
            .zip(&gradients)
            .map(|(squares, gradient)| {
                if gradient.is_empty() {
                    f64::NAN
                } else {
                    (squares * n / (n - 1.0)).sqrt()
                }
            })
            .collect()
    }

    /// The term of each episode, whose mean is the value: exact for plain means, linearised for ratios.
    pub(crate) fn terms(&self, estimator: Sequential, episodes: &Episodes) -> Vec<f64> {
        let gradient = self.gradient(estimator);
        let entries = Entries {
            episodes,
            units: &self.units,
            whole_unit: whole_unit(self.largest),
            discount: self.discount,
            horizon: self.horizon,
        };
        let n = self.totals[0];
        let value = self.value(estimator, &self.totals);
        let width = self.totals.len();
        let mut terms = Vec::with_capacity(episodes.len());
        entries.chunks(self.groups.groups(), |_, rows| {
            terms.extend(rows.chunks_exact(width).map(|row| {
                let deviation: f64 = gradient.iter().map(|(c, g)| g * row[*c]).sum();
                value + n * deviation
            }));
        });
        terms
    }

    /// Derivatives of a value by the sums that it depends on: each of its terms is a ratio, d(N/D) = (dN − (N/D) dD)/D.
    fn gradient(&self, estimator: Sequential) -> Vec<(usize, f64)> {
        let sums = &self.totals;
        let mut gradient = vec![0.0; sums.len()];
        let mut ratio = |num: usize, den: usize, factor: f64| {
            gradient[num] += factor / sums[den];
            gradient[den] -= factor * sums[num] / (sums[den] * sums[den]);
        };
        match estimator {
            Sequential::Tis => ratio(2, 0, 1.0),
            Sequential::Sntis => ratio(2, 1, 1.0),
            Sequential::Pdis => ratio(3, 0, 1.0),
            Sequential::Dr => ratio(4, 0, 1.0),
            Sequential::Dm => ratio(5, 0, 1.0),
            Sequential::Snpdis | Sequential::Wdr => {
                let mut factor = 1.0;
                for t in 0..self.horizon {
                    let at = HEAD + STEP * t;
                    if estimator == Sequential::Snpdis {
                        ratio(at + 1, at, factor);
                    } else {
                        ratio(at + 2, at, factor);
                        ratio(at + 3, if t == 0 { 0 } else { at - STEP }, factor);
                    }
                    factor *= self.discount;
                }
            }
            Sequential::Fqe | Sequential::Mis | Sequential::MisStateAction | Sequential::Magic => {
                return Vec::new();
            }
        }
        // Columns that play no part may have overflowed.
        gradient
            .into_iter()
            .enumerate()
            .filter(|(_, g)| *g != 0.0)
            .collect()
    }

    /// Number of groups that enter a resample together.
    pub(crate) const fn groups(&self) -> usize {
        self.groups.groups()
    }

    /// Sums of all columns in every resample of episodes.
    pub(crate) fn resampled(&self, plan: BootstrapPlan) -> Vec<Vec<f64>> {
        self.groups.resampled(plan)
    }

    /// Σ w₀:ₜ and the other sums of a step.
    pub(crate) fn step(&self, t: usize) -> &[f64] {
        &self.totals[HEAD + STEP * t..HEAD + STEP * (t + 1)]
    }

    /// ln of the unit in which weights after a step are kept.
    pub(crate) fn unit(&self, t: usize) -> f64 {
        self.units[t]
    }
}

fn whole_unit(largest: f64) -> f64 {
    if largest > LARGE { largest } else { 0.0 }
}

/// ln of the unit of the weights after each step, of whole episodes, and of the largest weight of all.
fn units(episodes: &Episodes, horizon: usize) -> (Vec<f64>, f64, f64) {
    if episodes.log_ratio.is_empty() {
        return (vec![0.0; horizon], 0.0, 0.0);
    }
    let mut highest = vec![f64::NEG_INFINITY; horizon];
    let mut ended = vec![f64::NEG_INFINITY; horizon + 1];
    for episode in 0..episodes.len() {
        let mut last = 0.0;
        for (t, log) in episodes.log_weights(episode).enumerate() {
            highest[t] = highest[t].max(log);
            last = log;
        }
        let length = episodes.steps(episode).len();
        ended[length] = ended[length].max(last);
    }
    // Episodes that ended keep their weight.
    let mut kept = f64::NEG_INFINITY;
    for t in 0..horizon {
        kept = kept.max(ended[t]);
        highest[t] = highest[t].max(kept);
    }
    let whole = kept.max(ended[horizon]);
    let units = highest
        .into_iter()
        .map(|h| if h > LARGE { h } else { 0.0 })
        .collect();
    (units, whole_unit(whole), whole)
}

/// What the weights of steps leave, averaged over the steps that count.
fn stepwise(episodes: &Episodes, steps: &[WeightTally], discount: f64) -> WeightDiagnostics {
    let mut reach = vec![0.0; steps.len()];
    for episode in 0..episodes.len() {
        for count in &mut reach[..episodes.steps(episode).len()] {
            *count += 1.0;
        }
    }
    let (mut size, mut share, mut total, mut factor) = (0.0, 0.0, 0.0, 1.0);
    for (tally, reach) in steps.iter().zip(&reach) {
        let d = tally.diagnostics();
        let weight = factor * reach;
        size += weight * d.effective_sample_size;
        share += weight * d.max_share;
        total += weight;
        factor *= discount;
    }
    WeightDiagnostics {
        n: episodes.len(),
        mean: f64::NAN,
        max: f64::NAN,
        effective_sample_size: size / total,
        max_share: share / total,
    }
}
