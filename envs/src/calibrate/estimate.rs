//! Means, shares, ratios and medians with their standard errors.

use crate::centre::Moments;

/// A value with its standard error and the events it rests on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) standard_error: f64,
    pub(super) n: u64,
}

impl Estimate {
    /// A value without an error: assumed.
    pub(super) const fn exact(value: f64, n: u64) -> Self {
        Self {
            value,
            standard_error: 0.0,
            n,
        }
    }

    /// k of n: k/n, with the error at (k + 2)/(n + 4), so that none of n is not taken for never.
    ///
    /// # Source
    /// Agresti & Coull, The American Statistician 52, 1998.
    pub(super) fn share(k: u64, n: u64) -> Option<Self> {
        (n > 0).then(|| {
            let (k, m) = (k as f64, n as f64);
            let p = (k + 2.0) / (m + 4.0);
            Self {
                value: k / m,
                standard_error: (p * (1.0 - p) / (m + 4.0)).sqrt(),
                n,
            }
        })
    }

    /// The mean: s/√n.
    pub(super) fn mean(of: &Moments) -> Option<Self> {
        let mean = of.mean()?;
        let n = of.n as f64;
        let variance = ((of.squares - n * mean * mean) / (n - 1.0).max(1.0)).max(0.0);
        Some(Self {
            value: mean,
            standard_error: (variance / n).sqrt(),
            n: of.n,
        })
    }

    /// The same, times a constant.
    pub(super) fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            standard_error: self.standard_error * factor.abs(),
            n: self.n,
        }
    }
}

/// Sums of pairs (x, y), for y over x.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pairs {
    n: u64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
    yy: f64,
}

impl Pairs {
    pub(super) fn add(&mut self, x: f64, y: f64) {
        self.n += 1;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
        self.yy += y * y;
    }

    /// r = Σy/Σx, with the error √(Σ(y − r x)²)/Σx of the linearised ratio (Cochran, Sampling Techniques, 1977, §2.11).
    pub(super) fn ratio(&self) -> Option<Estimate> {
        (self.x > 0.0).then(|| {
            let r = self.y / self.x;
            let squares = (self.yy - 2.0 * r * self.xy + r * r * self.xx).max(0.0);
            Estimate {
                value: r,
                standard_error: squares.sqrt() / self.x,
                n: self.n,
            }
        })
    }
}

/// Spread of the log-logistic law X = a (U/(1 − U))^s from its quartiles: s = ln(q₇₅/q₂₅) / (2 ln 3).
///
/// Quartiles, because the simulator's law is cut at its ends. The error is that of two sample quantiles of a logistic law:
/// √(64/9) s / (2 ln 3 √n). `None` of fewer than 4 values and of values that do not differ.
pub(super) fn log_logistic_spread(values: &mut [f64]) -> Option<Estimate> {
    if values.len() < 4 {
        return None;
    }
    values.sort_by(f64::total_cmp);
    let (low, high) = (quantile(values, 0.25), quantile(values, 0.75));
    if !(low > 0.0 && high > low) {
        return None;
    }
    let s = (high / low).ln() / (2.0 * 3.0_f64.ln());
    let n = values.len() as f64;
    Some(Estimate {
        value: s,
        standard_error: (64.0_f64 / 9.0).sqrt() * s / (2.0 * 3.0_f64.ln() * n.sqrt()),
        n: values.len() as u64,
    })
}

/// The quantile at p of sorted values, linear between order statistics. There is at least one.
pub(super) fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + place.fract() * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_means_and_ratios_have_their_textbook_errors() {
        let share = Estimate::share(20, 96).unwrap();
        // p̃ = 22/100: √(0.22 · 0.78 / 100).
        assert!((share.standard_error - (0.22_f64 * 0.78 / 100.0).sqrt()).abs() < 1e-15);
        assert_eq!(Estimate::share(0, 0), None);
        let mut moments = Moments::default();
        for x in [2.0, 4.0, 6.0] {
            moments.add(x);
        }
        // Variance 4, n = 3.
        let mean = Estimate::mean(&moments).unwrap();
        assert!((mean.standard_error - (4.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        let mut pairs = Pairs::default();
        pairs.add(1.0, 1.0);
        pairs.add(3.0, 1.0);
        // r = 1/2; residuals 1/2 and −1/2: √(1/2)/4.
        let ratio = pairs.ratio().unwrap();
        assert_eq!(ratio.value, 0.5);
        assert!((ratio.standard_error - 0.5_f64.sqrt() / 4.0).abs() < 1e-15);
    }

    #[test]
    fn the_spread_of_a_log_logistic_sample_is_found() {
        // Exact quantiles of the law with s = 0.3, at (i + ½)/n.
        let n = 4_000;
        let mut values: Vec<f64> = (0..n)
            .map(|i| (f64::from(i) + 0.5) / f64::from(n))
            .map(|u| 90.0 * (u / (1.0 - u)).powf(0.3))
            .collect();
        let spread = log_logistic_spread(&mut values).unwrap();
        assert!((spread.value - 0.3).abs() < 1e-3, "{}", spread.value);
        assert_eq!(log_logistic_spread(&mut [7.0; 50]), None);
        assert_eq!(log_logistic_spread(&mut []), None);
    }
}
