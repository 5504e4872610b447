//! What the policy would return, not only on average: quantiles and the mean of the worst.

use serde::{Deserialize, Serialize};

use super::episodes::Episodes;

/// A quantile of the discounted return of an episode.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReturnQuantile {
    /// Share of episodes below, in (0, 1).
    pub share: f64,
    /// The return.
    pub value: f64,
}

/// The distribution of the return under the target policy, by self-normalised weights of episodes.
///
/// F̂(g) = Σ w₀:T₋₁ 1{G ≤ g} / Σ w₀:T₋₁.
///
/// # Source
/// Chandak et al., NeurIPS 2021; Huang et al., AISTATS 2022 (conditional value at risk).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReturnDistribution {
    /// Smallest returns with F̂ at least each share.
    pub quantiles: Vec<ReturnQuantile>,
    /// Mean return of the worst 5 %.
    pub worst_5_percent: f64,
    /// Standard deviation.
    pub standard_deviation: f64,
}

const SHARES: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

impl ReturnDistribution {
    pub(crate) fn of(episodes: &Episodes, discount: f64) -> Option<Self> {
        let logs: Vec<f64> = (0..episodes.len())
            .map(|i| episodes.log_weights(i).last().unwrap_or(0.0))
            .collect();
        let unit = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if !unit.is_finite() {
            return None;
        }
        let mut weighted: Vec<(f64, f64)> = logs
            .iter()
            .enumerate()
            .map(|(i, log)| (episodes.discounted(i, discount), (log - unit).exp()))
            .collect();
        weighted.sort_by(|a, b| a.0.total_cmp(&b.0));
        Some(Self::sorted(&weighted))
    }

    /// Of (return, weight) in ascending order, some weight above zero.
    fn sorted(weighted: &[(f64, f64)]) -> Self {
        let total: f64 = weighted.iter().map(|(_, w)| w).sum();
        let quantile = |share: f64| {
            let mut below = 0.0;
            let found = weighted.iter().find(|(_, w)| {
                below += w / total;
                *w > 0.0 && below >= share - 1e-12
            });
            found.map_or(f64::NAN, |(g, _)| *g)
        };
        let worst = 0.05;
        let (mut left, mut sum) = (worst, 0.0);
        for (g, w) in weighted {
            let part = (w / total).min(left);
            sum += part * g;
            left -= part;
        }
        let mean = weighted.iter().map(|(g, w)| g * w).sum::<f64>() / total;
        let variance = weighted
            .iter()
            .map(|(g, w)| w * (g - mean).powi(2))
            .sum::<f64>()
            / total;
        Self {
            quantiles: SHARES
                .into_iter()
                .map(|share| ReturnQuantile {
                    share,
                    value: quantile(share),
                })
                .collect(),
            worst_5_percent: sum / worst,
            standard_deviation: variance.sqrt(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_move_quantiles_and_the_mean_of_the_worst() {
        // Returns 1 … 100 with equal weight: quantiles are themselves, the worst five average 3.
        let equal: Vec<(f64, f64)> = (1..=100).map(|g| (f64::from(g), 2.0)).collect();
        let d = ReturnDistribution::sorted(&equal);
        let values: Vec<f64> = d.quantiles.iter().map(|q| q.value).collect();
        assert_eq!(values, [5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0]);
        assert!((d.worst_5_percent - 3.0).abs() < 1e-12);
        assert!((d.standard_deviation - (9999.0_f64 / 12.0).sqrt()).abs() < 1e-9);
        // All weight on one return.
        let lone = [(0.0, 0.0), (7.0, 3.0), (9.0, 0.0)];
        let d = ReturnDistribution::sorted(&lone);
        assert!(d.quantiles.iter().all(|q| q.value == 7.0));
        assert!((d.worst_5_percent - 7.0).abs() < 1e-12);
        // A part of a heavy return: 0 has 2 %, so the worst 5 % are 2 of 0 and 3 of 1.
        let parted = [(0.0, 2.0), (1.0, 98.0)];
        assert!((ReturnDistribution::sorted(&parted).worst_5_percent - 0.6).abs() < 1e-12);
    }
}
