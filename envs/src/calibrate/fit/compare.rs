//! Two samples side by side, and chances beside what came true.

use super::super::estimate::quantile;
use super::super::parameter::LEAST;
use super::{Distribution, Forecast};

/// Bins of a calibration curve.
const BINS: usize = 10;

/// Kolmogorov and Smirnov's distance with its asymptotic p-value, and quantiles; `None` of fewer than 30 on one side.
pub(super) fn two_samples(name: &str, a: &[f64], b: Vec<f64>) -> Option<Distribution> {
    if (a.len() as u64) < LEAST || (b.len() as u64) < LEAST {
        return None;
    }
    let (mut a, mut b) = (a.to_vec(), b);
    a.sort_by(f64::total_cmp);
    b.sort_by(f64::total_cmp);
    let distance = largest_distance(&a, &b);
    let (n, m) = (a.len() as f64, b.len() as f64);
    Some(Distribution {
        name: name.to_owned(),
        observed: a.len() as u64,
        simulated: b.len() as u64,
        distance,
        p_value: kolmogorov((n * m / (n + m)).sqrt() * distance),
        quantiles: (1..20)
            .map(|i| f64::from(i) / 20.0)
            .map(|p| (quantile(&a, p), quantile(&b, p)))
            .collect(),
    })
}

/// sup |F_a − F_b| of two sorted samples.
fn largest_distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let at = a[i].min(b[j]);
        // Ties move both functions before they are compared.
        while i < a.len() && a[i] <= at {
            i += 1;
        }
        while j < b.len() && b[j] <= at {
            j += 1;
        }
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}

/// P(K > x) = 2 Σ (−1)^{k−1} e^{−2k²x²}, the limit law of √n times the distance.
///
/// # Source
/// Kolmogorov, Giornale dell'Istituto Italiano degli Attuari 4, 1933; Smirnov, Annals of Mathematical Statistics 19, 1948.
fn kolmogorov(x: f64) -> f64 {
    if x < 0.2 {
        // The series needs many terms there, and its sum is 1 to twelve digits.
        return 1.0;
    }
    let mut sum = 0.0;
    for k in 1..=100 {
        let k = f64::from(k);
        let term = (-2.0 * k * k * x * x).exp();
        sum += if k % 2.0 == 1.0 { term } else { -term };
        if term < 1e-16 {
            break;
        }
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Brier score and expected calibration error of chances; `None` of fewer than 30.
///
/// # Source
/// Brier, Monthly Weather Review 78, 1950; Naeini, Cooper & Hauskrecht, AAAI 2015 (bins of equal count).
pub(super) fn forecast(name: &str, mut chances: Vec<(f64, bool)>) -> Option<Forecast> {
    let n = chances.len();
    if (n as u64) < LEAST {
        return None;
    }
    chances.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let came = |of: &[(f64, bool)]| of.iter().filter(|(_, holds)| *holds).count() as f64;
    let brier = |of: &dyn Fn(f64) -> f64| {
        chances
            .iter()
            .map(|(p, holds)| (of(*p) - f64::from(u8::from(*holds))).powi(2))
            .sum::<f64>()
            / n as f64
    };
    let mean = chances.iter().map(|(p, _)| p).sum::<f64>() / n as f64;
    let (mut bins, mut error) = (Vec::new(), 0.0);
    for bin in 0..BINS {
        let of = &chances[bin * n / BINS..(bin + 1) * n / BINS];
        let size = of.len() as f64;
        let chance = of.iter().map(|(p, _)| p).sum::<f64>() / size;
        let frequency = came(of) / size;
        error += size / n as f64 * (chance - frequency).abs();
        bins.push((chance, frequency));
    }
    Some(Forecast {
        name: name.to_owned(),
        n: n as u64,
        brier: brier(&|p| p),
        brier_of_mean: brier(&|_| mean),
        calibration_error: error,
        bins,
    })
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        a: Vec<f64>,
        b: Vec<f64>,
        distance: f64,
        p: f64,
    }

    #[test]
    fn two_samples_are_compared_as_scipy_does() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../fixtures/two_samples.json")).unwrap();
        for case in cases {
            let found = two_samples("x", &case.a, case.b).unwrap();
            assert!((found.distance - case.distance).abs() < 1e-12);
            assert!(
                (found.p_value - case.p).abs() < 1e-9,
                "{} {}",
                found.p_value,
                case.p
            );
        }
        assert_eq!(two_samples("x", &[1.0; 29], vec![1.0; 500]), None);
    }

    #[test]
    fn chances_that_are_right_have_the_error_of_their_variance() {
        // 40 conversations at 0.25 of which 10 came true, 60 at 0.5 of which 30 did: Brier Σ p(1 − p)/n = 0.225 and no
        // calibration error but that of bins that mix both.
        let mut chances = Vec::new();
        for (p, n, k) in [(0.25, 40, 10), (0.5, 60, 30)] {
            chances.extend((0..n).map(|i| (p, i < k)));
        }
        let found = forecast("x", chances).unwrap();
        assert!((found.brier - (0.4 * 0.1875 + 0.6 * 0.25)).abs() < 1e-12);
        assert_eq!(found.bins.len(), 10);
    }
}
