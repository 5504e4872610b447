//! How good a way of choosing is, when the truth is known.

use serde::{Deserialize, Serialize};

/// Estimates of many policies against their true values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SelectionMetrics {
    /// Spearman's rank correlation of estimates and true values; none when either is constant.
    pub rank_correlation: Option<f64>,
    /// For k = 1, 2, …: the best true value less the best among the k highest estimates.
    pub regret: Vec<f64>,
    /// Share of policies worse than the baseline that are taken for better; none when there are none.
    pub type_one: Option<f64>,
    /// Share of policies better than the baseline that are taken for no better; none when there are none.
    pub type_two: Option<f64>,
    /// For k = 2, 3, …: the gain of the best among the k highest estimates over the baseline, in standard deviations of the
    /// true values of these k; none where these are equal.
    pub sharpe_ratio: Vec<Option<f64>>,
    /// For k = 1, 2, …: share of the k highest estimates whose true value is below the baseline.
    pub safety_violation: Vec<f64>,
}

/// Measures a ranking by estimates.
///
/// Policies without an estimate rank last. Ties keep their order.
///
/// # Panics
/// When the two have different lengths.
/// # Source
/// Kiyohara et al., ICLR 2024 (SharpeRatio@k, risk–return trade-off); Doroudi et al. 2017; Yang et al. 2022 (regret@k).
#[must_use]
pub fn selection_metrics(
    estimates: &[Option<f64>],
    truth: &[f64],
    baseline: f64,
) -> SelectionMetrics {
    assert_eq!(estimates.len(), truth.len(), "one estimate a policy");
    let mut order: Vec<usize> = (0..truth.len()).collect();
    let key = |i: usize| estimates[i].unwrap_or(f64::NEG_INFINITY);
    order.sort_by(|a, b| key(*b).total_cmp(&key(*a)));
    let best = truth.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let tops = |k: usize| order[..k].iter().map(|i| truth[*i]);
    let top_of = |k: usize| tops(k).fold(f64::NEG_INFINITY, f64::max);
    let share = |of: &dyn Fn(usize) -> bool, wrong: &dyn Fn(usize) -> bool| {
        let all: Vec<usize> = (0..truth.len()).filter(|i| of(*i)).collect();
        let bad = all.iter().filter(|i| wrong(**i)).count();
        (!all.is_empty()).then(|| bad as f64 / all.len() as f64)
    };
    SelectionMetrics {
        rank_correlation: spearman(&(0..truth.len()).map(key).collect::<Vec<_>>(), truth),
        regret: (1..=truth.len()).map(|k| best - top_of(k)).collect(),
        type_one: share(&|i| truth[i] < baseline, &|i| key(i) > baseline),
        type_two: share(&|i| truth[i] > baseline, &|i| key(i) <= baseline),
        sharpe_ratio: (2..=truth.len())
            .map(|k| {
                let mean = tops(k).sum::<f64>() / k as f64;
                let variance = tops(k).map(|v| (v - mean).powi(2)).sum::<f64>() / k as f64;
                (variance > 0.0).then(|| (top_of(k) - baseline) / variance.sqrt())
            })
            .collect(),
        safety_violation: (1..=truth.len())
            .map(|k| tops(k).filter(|v| *v < baseline).count() as f64 / k as f64)
            .collect(),
    }
}

/// Pearson's correlation of ranks, equal values sharing the mean of theirs.
fn spearman(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b) = (ranks(a), ranks(b));
    let mean = (a.len() as f64 + 1.0) / 2.0;
    let dot = |x: &[f64], y: &[f64]| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mean) * (y - mean)).sum()
    };
    let (aa, bb) = (dot(&a, &a), dot(&b, &b));
    (aa > 0.0 && bb > 0.0).then(|| dot(&a, &b) / (aa * bb).sqrt())
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let same = |i: &&usize| values[**i] == values[order[from]];
        let to = from + order[from..].iter().take_while(same).count();
        for i in &order[from..to] {
            ranks[*i] = (from + to + 1) as f64 / 2.0;
        }
        from = to;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_of_five_policies_by_hand() {
        let truth = [1.0, 2.0, 3.0, 4.0, 5.0];
        let estimates = [Some(1.5), Some(4.0), Some(3.5), None, Some(3.0)];
        // Order by estimate: 1, 2, 4, 0, 3, true values 2, 3, 5, 1, 4; the baseline is 2.5.
        let m = selection_metrics(&estimates, &truth, 2.5);
        assert_eq!(m.regret, [3.0, 2.0, 0.0, 0.0, 0.0]);
        assert_eq!(m.safety_violation, [1.0, 0.5, 1.0 / 3.0, 0.5, 0.4]);
        // Worse than 2.5: 0 and 1, of which 1 is taken for better. Better: 2, 3, 4, of which 3 is not.
        assert_eq!(m.type_one, Some(0.5));
        assert_eq!(m.type_two, Some(1.0 / 3.0));
        // k = 2: (3 − 2.5)/0.5; k = 3: values 2, 3, 5 have variance 14/9.
        assert!((m.sharpe_ratio[0].unwrap() - 1.0).abs() < 1e-12);
        let third = 2.5 / (14.0_f64 / 9.0).sqrt();
        assert!((m.sharpe_ratio[1].unwrap() - third).abs() < 1e-12);
        // Ranks of estimates 2, 5, 4, 1, 3 against 1 … 5: 1 − 6 · 24 / 120; Σ d² = 1 + 9 + 1 + 9 + 4.
        assert!((m.rank_correlation.unwrap() - (1.0 - 6.0 * 24.0 / 120.0)).abs() < 1e-12);
    }

    #[test]
    fn ties_share_their_rank() {
        assert_eq!(ranks(&[2.0, 1.0, 2.0, 3.0]), [2.5, 1.0, 2.5, 4.0]);
        assert_eq!(spearman(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
