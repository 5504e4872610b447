//! MAGIC: the blend of j-step returns whose estimated squared error is least.
//!
//! g⁽ʲ⁾ follows weighted importance sampling for j + 1 steps and the model from there; g⁽⁻¹⁾ is the model alone, the last is
//! weighted DR. The blend minimises x′(Ω̂ + b̂ b̂′)x over the simplex, Ω̂ the covariance of the returns over episodes, b̂ⱼ the
//! distance of g⁽ʲ⁾ to the 50 % bootstrap interval of weighted DR.
//!
//! # Source
//! Thomas & Brunskill, ICML 2016, section 9 and appendix; b̂ from the median half of a percentile bootstrap.

use super::episodes::Episodes;
use super::weighted::StepSums;

/// Most returns that are blended; those of longer episodes are spread evenly over the steps.
const MAX_RETURNS: usize = 64;

/// j-step returns, their means over episodes, and their covariance.
pub(crate) struct Returns {
    /// Steps of each, −1 for the model alone.
    mean: Vec<f64>,
    covariance: Vec<f64>,
}

impl Returns {
    pub(crate) fn of(episodes: &Episodes, sums: &StepSums, discount: f64) -> Self {
        let horizon = episodes.horizon();
        let kept = horizon.min(MAX_RETURNS - 1);
        // The step after which each return trusts the model; the last is always weighted DR.
        let steps: Vec<usize> = (1..=kept).map(|k| k * horizon / kept - 1).collect();
        let width = steps.len() + 1;
        let n = episodes.len();
        let mut mean = vec![0.0; width];
        let mut rows = vec![0.0; n * width];
        for (episode, row) in rows.chunks_exact_mut(width).enumerate() {
            terms(episodes, sums, discount, episode, &steps, row);
            for (sum, x) in mean.iter_mut().zip(row.iter()) {
                *sum += x;
            }
        }
        let mut covariance = vec![0.0; width * width];
        let centre: Vec<f64> = mean.iter().map(|m| m / n as f64).collect();
        for row in rows.chunks_exact(width) {
            for i in 0..width {
                for j in 0..=i {
                    covariance[i * width + j] += (row[i] - centre[i]) * (row[j] - centre[j]);
                }
            }
        }
        let factor = n as f64 / (n as f64 - 1.0);
        for i in 0..width {
            for j in 0..=i {
                covariance[i * width + j] *= factor;
                covariance[j * width + i] = covariance[i * width + j];
            }
        }
        Self { mean, covariance }
    }

    #[cfg(test)]
    pub(crate) fn means(&self) -> &[f64] {
        &self.mean
    }

    #[cfg(test)]
    pub(crate) fn covariance(&self, i: usize, j: usize) -> f64 {
        self.covariance[i * self.mean.len() + j]
    }

    /// The blend and its standard error, given the interval of weighted DR.
    pub(crate) fn blend(&self, lower: f64, upper: f64) -> (f64, f64) {
        let width = self.mean.len();
        let bias: Vec<f64> = self
            .mean
            .iter()
            .map(|g| (lower - g).max(g - upper).max(0.0))
            .collect();
        let mut matrix = self.covariance.clone();
        for i in 0..width {
            for j in 0..width {
                matrix[i * width + j] += bias[i] * bias[j];
            }
        }
        let weights = least_on_simplex(&matrix, width);
        let value = weights.iter().zip(&self.mean).map(|(x, g)| x * g).sum();
        let mut variance = 0.0;
        for i in 0..width {
            for j in 0..width {
                variance += weights[i] * weights[j] * self.covariance[i * width + j];
            }
        }
        (value, variance.max(0.0).sqrt())
    }
}

/// What one episode adds to each return.
fn terms(
    episodes: &Episodes,
    sums: &StepSums,
    discount: f64,
    episode: usize,
    steps: &[usize],
    row: &mut [f64],
) {
    let n = episodes.len() as f64;
    let range = episodes.steps(episode);
    let length = range.len();
    row[0] = episodes.value[range.start] / n;
    let (mut sum, mut factor, mut before) = (0.0, 1.0, 1.0 / n);
    let mut at = 0;
    for (t, (step, log)) in range.clone().zip(episodes.log_weights(episode)).enumerate() {
        let weight = (log - sums.unit(t)).exp() / sums.step(t)[0];
        let residual = episodes.reward[step] - episodes.model[step];
        sum += factor * before * episodes.value[step];
        if weight > 0.0 {
            sum += factor * weight * residual;
        }
        before = weight;
        factor *= discount;
        while at < steps.len() && steps[at] == t {
            // From here the model goes on, where there is a next state.
            let rest = if t + 1 < length {
                factor * weight * episodes.value[step + 1]
            } else {
                0.0
            };
            row[at + 1] = sum + rest;
            at += 1;
        }
    }
    for value in &mut row[at + 1..] {
        *value = sum;
    }
}

/// argmin x′Ax over x ≥ 0, Σ x = 1, for a positive semidefinite A, by an active set.
fn least_on_simplex(matrix: &[f64], width: usize) -> Vec<f64> {
    let diagonal = |i: usize| matrix[i * width + i];
    let scale = (0..width).map(diagonal).fold(0.0, f64::max);
    let mut x = vec![0.0; width];
    let first = (0..width)
        .min_by(|a, b| diagonal(*a).total_cmp(&diagonal(*b)))
        .unwrap_or(0);
    x[first] = 1.0;
    if scale == 0.0 {
        return x;
    }
    let mut active = vec![first];
    for _ in 0..20 * width {
        // On the active set, then back to the simplex until the set is right.
        loop {
            let target = equal_gradient(matrix, width, &active, scale);
            let step = active
                .iter()
                .zip(&target)
                .filter(|(_, y)| **y < 0.0)
                .map(|(i, y)| x[*i] / (x[*i] - y))
                .fold(1.0, f64::min);
            for (i, y) in active.iter().zip(&target) {
                x[*i] += step * (y - x[*i]);
            }
            if step >= 1.0 {
                break;
            }
            active.retain(|i| {
                let stays = x[*i] > 1e-15;
                if !stays {
                    x[*i] = 0.0;
                }
                stays
            });
        }
        let gradient: Vec<f64> = (0..width)
            .map(|i| active.iter().map(|j| matrix[i * width + j] * x[*j]).sum())
            .collect();
        let level: f64 = active.iter().map(|i| x[*i] * gradient[*i]).sum();
        let better = (0..width)
            .filter(|i| !active.contains(i) && gradient[*i] < level - 1e-12 * scale)
            .min_by(|a, b| gradient[*a].total_cmp(&gradient[*b]));
        match better {
            Some(i) => active.push(i),
            None => break,
        }
    }
    x
}

/// x on a set of coordinates with equal gradients and Σ x = 1.
fn equal_gradient(matrix: &[f64], width: usize, active: &[usize], scale: f64) -> Vec<f64> {
    let k = active.len();
    let mut system: Vec<Vec<f64>> = active
        .iter()
        .map(|i| {
            let mut row: Vec<f64> = active.iter().map(|j| matrix[i * width + j]).collect();
            row.push(1.0);
            row
        })
        .collect();
    for (i, row) in system.iter_mut().enumerate() {
        // Returns that are copies of each other leave A singular; any split of them is as good.
        row[i] += 1e-13 * scale;
    }
    for column in 0..k {
        let pivot = (column..k)
            .max_by(|a, b| {
                system[*a][column]
                    .abs()
                    .total_cmp(&system[*b][column].abs())
            })
            .unwrap_or(column);
        system.swap(column, pivot);
        let lead = system[column].clone();
        for row in system.iter_mut().skip(column + 1) {
            let factor = row[column] / lead[column];
            for (value, top) in row.iter_mut().zip(&lead).skip(column) {
                *value -= factor * top;
            }
        }
    }
    let mut x = vec![0.0; k];
    for row in (0..k).rev() {
        let known: f64 = (row + 1..k).map(|j| system[row][j] * x[j]).sum();
        x[row] = (system[row][k] - known) / system[row][row];
    }
    let sum: f64 = x.iter().sum();
    x.iter().map(|value| value / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_point_of_the_simplex_is_found() {
        // Independent returns: weights in inverse proportion to variances, (1, 1/2, 1/4)/(7/4).
        let x = least_on_simplex(&[1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 4.0], 3);
        for (have, want) in x.iter().zip([4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]) {
            assert!((have - want).abs() < 1e-10, "{x:?}");
        }
        // One that is worse and correlated is left out: A = [[1, 1.5], [1.5, 4]] has its least at (1, 0).
        let x = least_on_simplex(&[1.0, 1.5, 1.5, 4.0], 2);
        assert_eq!(x, [1.0, 0.0]);
        // Copies share.
        let x = least_on_simplex(&[1.0; 4], 2);
        assert!((x[0] + x[1] - 1.0).abs() < 1e-12);
        assert_eq!(least_on_simplex(&[0.0; 4], 2), [1.0, 0.0]);
    }

    #[test]
    fn the_conditions_of_a_least_point_hold_for_random_matrices() {
        use rand::{RngExt, SeedableRng};
        let mut rng = rand_xoshiro::Xoshiro256PlusPlus::seed_from_u64(1);
        for width in [2, 5, 12] {
            for _ in 0..20 {
                let b: Vec<f64> = (0..width * width)
                    .map(|_| rng.random::<f64>() - 0.3)
                    .collect();
                let a: Vec<f64> = (0..width * width)
                    .map(|at| {
                        let (i, j) = (at / width, at % width);
                        (0..width)
                            .map(|k| b[i * width + k] * b[j * width + k])
                            .sum()
                    })
                    .collect();
                let x = least_on_simplex(&a, width);
                let gradient: Vec<f64> = (0..width)
                    .map(|i| (0..width).map(|j| a[i * width + j] * x[j]).sum())
                    .collect();
                let level: f64 = x.iter().zip(&gradient).map(|(x, g)| x * g).sum();
                assert!((x.iter().sum::<f64>() - 1.0).abs() < 1e-9);
                assert!(x.iter().all(|x| *x >= 0.0));
                assert!(gradient.iter().all(|g| *g >= level - 1e-9), "{x:?}");
            }
        }
    }
}
