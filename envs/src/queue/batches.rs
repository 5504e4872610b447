//! Standard errors from batches.

/// A ratio of two totals with its standard error, from their values in successive batches; `None` where the denominator
/// is 0 altogether.
///
/// The ratio R = Σ num / Σ den has, to first order, the error Σ z / Σ den with z = num − R den. Waits of successive
/// customers are alike, and those of neighbouring batches may be: so Var Σ z = B (γ₀ + 2 Σ γₖ) with γₖ the autocovariance
/// of z at lag k, summed as long as γ₂ₘ + γ₂ₘ₊₁ is positive and made to fall (the initial monotone sequence). Batches of
/// independent runs need γ₀ only.
///
/// # Source
/// Geyer, Statistical Science 7, 1992.
pub(super) fn ratio(num: &[f64], den: &[f64], independent: bool) -> Option<(f64, f64)> {
    let total: f64 = den.iter().sum();
    if total <= 0.0 {
        return None;
    }
    let value = num.iter().sum::<f64>() / total;
    let z: Vec<f64> = num.iter().zip(den).map(|(n, d)| n - value * d).collect();
    let count = z.len() as f64;
    let covariance = |lag: usize| -> f64 {
        let pairs = z.iter().zip(&z[lag..]);
        pairs.map(|(a, b)| a * b).sum::<f64>() / count
    };
    let at_once = covariance(0);
    let mut variance = at_once;
    if !independent {
        let mut least = f64::INFINITY;
        variance = -at_once;
        // Lags up to a quarter of the run; further ones are noise.
        for lag in (0..z.len() / 4).step_by(2) {
            let pair = covariance(lag) + covariance(lag + 1);
            if pair <= 0.0 {
                break;
            }
            least = least.min(pair);
            variance += 2.0 * least;
        }
        // Batches that undo each other may leave less than nothing of one lag; their own spread is the fallback.
        if variance <= 0.0 {
            variance = at_once;
        }
    }
    let freedom = count / (count - 1.0);
    Some((value, (count * freedom * variance).max(0.0).sqrt() / total))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// An AR(1) process with parameter φ and unit innovations: n Var(mean) → 1 / (1 − φ)².
    #[test]
    fn the_error_of_a_correlated_mean_is_right() {
        for phi in [0.0_f64, 0.5, 0.9] {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
            let (mut sum, repeats, count) = (0.0, 200, 640);
            for _ in 0..repeats {
                let mut state = 0.0;
                let mut next = || {
                    let unit: f64 = StandardNormal.sample(&mut random);
                    state = phi * state + unit;
                    state
                };
                for _ in 0..200 {
                    next();
                }
                let values: Vec<f64> = (0..count).map(|_| next()).collect();
                let (_, error) = ratio(&values, &vec![1.0; count], false).unwrap();
                sum += error * error;
            }
            let want = 1.0 / ((1.0 - phi) * (1.0 - phi)) / count as f64;
            let have = sum / f64::from(repeats);
            assert!((have / want - 1.0).abs() < 0.12, "φ {phi}: {have} {want}");
        }
    }

    #[test]
    fn a_constant_ratio_has_no_error() {
        let (value, error) = ratio(&[2.0, 4.0, 6.0, 2.0], &[1.0, 2.0, 3.0, 1.0], false).unwrap();
        assert_eq!((value, error), (2.0, 0.0));
        assert_eq!(ratio(&[0.0; 4], &[0.0; 4], false), None);
    }
}
