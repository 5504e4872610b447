//! Importance weights by size, in bins that double.

use serde::{Deserialize, Serialize};

/// Exponents of the smallest and the largest bin; whatever lies beyond falls into these.
const LOWEST: i32 = -20;
const HIGHEST: i32 = 40;
/// Larger weights count as this one in a sum.
const LARGEST: f64 = 1e290;
const BINS: usize = (HIGHEST - LOWEST + 1) as usize;

/// Importance weights by size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WeightHistogram {
    /// Rows (or episodes) of weight zero: the policy never does what the log did.
    pub zero: u64,
    /// From the first bin with a weight to the last, in between without gaps.
    pub bins: Vec<WeightBin>,
}

/// Weights from a power of two to the next.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WeightBin {
    /// Smallest weight of the bin; smaller ones are in it where it is 2⁻²⁰.
    pub from: f64,
    /// Weights of the bin are below this one; larger ones are in it where it is 2⁴¹.
    pub to: f64,
    /// Rows (or episodes).
    pub n: u64,
    /// Sum of their weights.
    pub weight: f64,
}

/// Counts and sums of bins.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Histogram {
    zero: u64,
    bins: [(u64, f64); BINS],
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            zero: 0,
            bins: [(0, 0.0); BINS],
        }
    }
}

impl Histogram {
    /// Of weights that are at least zero; what is no number is left out.
    pub(super) fn of(weights: impl Iterator<Item = f64>) -> Self {
        let mut histogram = Self::default();
        for weight in weights {
            if weight == 0.0 {
                histogram.zero += 1;
            } else if weight > 0.0 {
                // The exponent's own bits: exact where a logarithm would round.
                let exponent = ((weight.to_bits() >> 52) & 0x7ff) as i32 - 1023;
                let (n, sum) =
                    &mut histogram.bins[(exponent.clamp(LOWEST, HIGHEST) - LOWEST) as usize];
                *n += 1;
                // A product of many ratios may be infinite; a sum that is none can be written down.
                *sum += weight.min(LARGEST);
            }
        }
        histogram
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.zero += other.zero;
        for (mine, theirs) in self.bins.iter_mut().zip(&other.bins) {
            mine.0 += theirs.0;
            mine.1 += theirs.1;
        }
    }

    /// None where there was no weight at all.
    pub(super) fn histogram(&self) -> Option<WeightHistogram> {
        let first = self.bins.iter().position(|(n, _)| *n > 0);
        let last = self.bins.iter().rposition(|(n, _)| *n > 0);
        if first.is_none() && self.zero == 0 {
            return None;
        }
        let power = |at: usize| 2.0_f64.powi(at as i32 + LOWEST);
        let bins = first.zip(last).map_or_else(Vec::new, |(first, last)| {
            (first..=last)
                .map(|at| WeightBin {
                    from: power(at),
                    to: power(at + 1),
                    n: self.bins[at].0,
                    weight: self.bins[at].1,
                })
                .collect()
        });
        Some(WeightHistogram {
            zero: self.zero,
            bins,
        })
    }
}
