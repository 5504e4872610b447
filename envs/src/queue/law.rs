//! Laws of service times and patience: their moments, and drawing from them.

use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

use crate::erlang::{PatienceLaw, lognormal_parameters};

/// A law of seconds. Numbers are in range: laws come out of [`QueueConfig::check`](super::QueueConfig::check).
#[derive(Debug, Clone, PartialEq)]
pub enum Law {
    /// Exponential.
    Exponential {
        /// Mean seconds.
        mean_s: f64,
    },
    /// Always the same.
    Deterministic {
        /// Seconds.
        s: f64,
    },
    /// Lognormal.
    Lognormal {
        /// Mean seconds.
        mean_s: f64,
        /// Standard deviation in seconds.
        sd_s: f64,
    },
    /// Each sample equally likely.
    Empirical {
        /// Seconds.
        samples_s: Arc<[f64]>,
    },
}

impl Law {
    /// Mean seconds.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        match self {
            Self::Exponential { mean_s } | Self::Lognormal { mean_s, .. } => *mean_s,
            Self::Deterministic { s } => *s,
            Self::Empirical { samples_s } => samples_s.iter().sum::<f64>() / samples_s.len() as f64,
        }
    }

    /// Standard deviation in seconds.
    #[must_use]
    pub fn sd_s(&self) -> f64 {
        match self {
            Self::Exponential { mean_s } => *mean_s,
            Self::Deterministic { .. } => 0.0,
            Self::Lognormal { sd_s, .. } => *sd_s,
            Self::Empirical { samples_s } => {
                let mean = self.mean_s();
                let squares: f64 = samples_s.iter().map(|s| (s - mean) * (s - mean)).sum();
                (squares / samples_s.len() as f64).sqrt()
            }
        }
    }

    /// The same law as the formulas take patience.
    #[must_use]
    pub fn as_patience(&self) -> PatienceLaw {
        match self {
            Self::Exponential { mean_s } => PatienceLaw::Exponential { mean_s: *mean_s },
            Self::Deterministic { s } => PatienceLaw::Deterministic { s: *s },
            Self::Lognormal { mean_s, sd_s } => PatienceLaw::Lognormal {
                mean_s: *mean_s,
                sd_s: *sd_s,
            },
            Self::Empirical { samples_s } => PatienceLaw::empirical(samples_s),
        }
    }

    /// Fills a block with draws. Exponential and normal draws come from ziggurats, which are exact to rounding.
    pub(super) fn fill(&self, random: &mut Xoshiro256PlusPlus, block: &mut [f64]) {
        match self {
            Self::Exponential { mean_s } => {
                for slot in block {
                    let unit: f64 = Exp1.sample(random);
                    *slot = unit * mean_s;
                }
            }
            Self::Deterministic { s } => block.fill(*s),
            Self::Lognormal { mean_s, sd_s } => {
                let (mu, sigma) = lognormal_parameters(*mean_s, *sd_s);
                for slot in block {
                    let unit: f64 = StandardNormal.sample(random);
                    *slot = (mu + sigma * unit).exp();
                }
            }
            Self::Empirical { samples_s } => {
                for slot in block {
                    *slot = samples_s[random.random_range(0..samples_s.len())];
                }
            }
        }
    }
}
