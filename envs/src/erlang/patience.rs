//! How long customers would wait.

use super::ErlangError;

/// Law of the patience T of customers.
#[derive(Debug, Clone, PartialEq)]
pub enum PatienceLaw {
    /// Exponential.
    Exponential {
        /// Mean seconds, above 0.
        mean_s: f64,
    },
    /// The same for everybody; 0 makes a loss system.
    Deterministic {
        /// Seconds, at least 0.
        s: f64,
    },
    /// Lognormal: the logarithm is normal.
    Lognormal {
        /// Mean seconds, above 0.
        mean_s: f64,
        /// Standard deviation in seconds, above 0.
        sd_s: f64,
    },
    /// Each sample equally likely; build it with [`PatienceLaw::empirical`].
    Empirical(Samples),
}

/// Samples in order, with their running sums.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    sorted_s: Vec<f64>,
    /// Sum of the first k samples at k.
    sums_s: Vec<f64>,
}

impl Samples {
    /// How many samples are at most t.
    fn up_to(&self, t: f64) -> usize {
        self.sorted_s.partition_point(|s| *s <= t)
    }
}

/// Mean and standard deviation of ln T for a lognormal T with this mean and standard deviation.
pub(crate) fn lognormal_parameters(mean_s: f64, sd_s: f64) -> (f64, f64) {
    let ratio = sd_s / mean_s;
    let variance = (ratio * ratio).ln_1p();
    (mean_s.ln() - variance / 2.0, variance.sqrt())
}

/// P(Z ≤ z) of the standard normal law.
fn normal_below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

impl PatienceLaw {
    /// Each of these seconds equally likely.
    #[must_use]
    pub fn empirical(samples_s: &[f64]) -> Self {
        let mut sorted_s = samples_s.to_vec();
        sorted_s.sort_by(f64::total_cmp);
        let mut sums_s = vec![0.0];
        let mut sum = 0.0;
        for s in &sorted_s {
            sum += s;
            sums_s.push(sum);
        }
        Self::Empirical(Samples { sorted_s, sums_s })
    }

    /// Checks the numbers of the law.
    pub(super) fn check(&self) -> Result<(), ErlangError> {
        let positive = |what, value: f64| {
            if value > 0.0 && value <= 1e9 {
                Ok(())
            } else {
                Err(ErlangError::Range {
                    what,
                    value,
                    expected: "above 0 and at most 1e9",
                })
            }
        };
        match self {
            Self::Exponential { mean_s } => positive("patience mean_s", *mean_s),
            Self::Lognormal { mean_s, sd_s } => {
                positive("patience mean_s", *mean_s)?;
                positive("patience sd_s", *sd_s)
            }
            Self::Deterministic { s } if *s == 0.0 => Ok(()),
            Self::Deterministic { s } => positive("patience s", *s),
            Self::Empirical(Samples { sorted_s, .. }) => {
                let bad = sorted_s.iter().find(|s| !(0.0..=1e9).contains(*s));
                match (bad, sorted_s.first()) {
                    (None, Some(_)) => Ok(()),
                    (bad, _) => Err(ErlangError::Range {
                        what: "patience samples_s",
                        value: bad.copied().unwrap_or(f64::NAN),
                        expected: "one or more numbers in [0, 1e9]",
                    }),
                }
            }
        }
    }

    /// P(T ≤ t), for t of at least 0.
    pub(super) fn gone_by(&self, t: f64) -> f64 {
        match self {
            Self::Exponential { mean_s } => -(-t / mean_s).exp_m1(),
            Self::Deterministic { s } => f64::from(u8::from(t >= *s)),
            Self::Lognormal { mean_s, sd_s } => {
                let (mu, sigma) = lognormal_parameters(*mean_s, *sd_s);
                normal_below((t.ln() - mu) / sigma)
            }
            Self::Empirical(samples) => samples.up_to(t) as f64 / samples.sorted_s.len() as f64,
        }
    }

    /// P(T > t), for t of at least 0.
    pub(super) fn stays_beyond(&self, t: f64) -> f64 {
        match self {
            Self::Exponential { mean_s } => (-t / mean_s).exp(),
            Self::Lognormal { mean_s, sd_s } => {
                let (mu, sigma) = lognormal_parameters(*mean_s, *sd_s);
                normal_below((mu - t.ln()) / sigma)
            }
            Self::Deterministic { .. } | Self::Empirical(_) => 1.0 - self.gone_by(t),
        }
    }

    /// Mean seconds by which patience falls short of t: ∫₀ᵗ P(T ≤ u) du = t − E min(T, t).
    pub(super) fn shortfall_s(&self, t: f64) -> f64 {
        match self {
            Self::Exponential { mean_s } => {
                let z = t / mean_s;
                mean_s * exponential_shortfall(z)
            }
            Self::Deterministic { s } => (t - s).max(0.0),
            Self::Lognormal { mean_s, sd_s } => {
                if t <= 0.0 {
                    return 0.0;
                }
                let (mu, sigma) = lognormal_parameters(*mean_s, *sd_s);
                let z = (t.ln() - mu) / sigma;
                (t * normal_below(z) - mean_s * normal_below(z - sigma)).max(0.0)
            }
            Self::Empirical(samples) => {
                let below = samples.up_to(t);
                let sum = below as f64 * t - samples.sums_s[below];
                sum.max(0.0) / samples.sorted_s.len() as f64
            }
        }
    }

    /// Points inside (from, to) where the law jumps.
    pub(super) fn jumps(&self, from: f64, to: f64) -> Vec<f64> {
        let mut points = match self {
            Self::Exponential { .. } | Self::Lognormal { .. } => Vec::new(),
            Self::Deterministic { s } => vec![*s],
            Self::Empirical(samples) => samples.sorted_s.clone(),
        };
        points.retain(|s| *s > from && *s < to);
        points.dedup();
        points
    }
}

/// z − 1 + exp(−z), by its series where the difference would lose digits.
fn exponential_shortfall(z: f64) -> f64 {
    if z > 0.5 {
        return z + (-z).exp_m1();
    }
    let (mut term, mut sum, mut k) = (z * z / 2.0, 0.0, 2.0);
    while term.abs() > 1e-18 * z * z {
        sum += term;
        k += 1.0;
        term *= -z / k;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortfall_is_the_integral_of_leaving() {
        for law in [
            PatienceLaw::Exponential { mean_s: 3.0 },
            PatienceLaw::Lognormal {
                mean_s: 3.0,
                sd_s: 2.0,
            },
            PatienceLaw::Deterministic { s: 1.3 },
            PatienceLaw::empirical(&[4.0, 0.5, 1.0, 1.0]),
        ] {
            for t in [1e-3, 0.4, 1.7, 9.0] {
                let steps = 100_000;
                let width = t / f64::from(steps);
                let sum: f64 = (0..steps)
                    .map(|i| law.gone_by((f64::from(i) + 0.5) * width) * width)
                    .sum();
                let have = law.shortfall_s(t);
                assert!((have - sum).abs() < 3e-5 * t, "{law:?} {t}: {have} {sum}");
                let both = law.gone_by(t) + law.stays_beyond(t);
                assert!((both - 1.0).abs() < 1e-15, "{law:?} {t}");
            }
        }
    }
}
