//! Additive tallies: what an arm's units amount to, and the sample statistics that follow.
//!
//! Tallies add exactly ([`ExactSum`]), so the same units give the same bits however they were spread over shards,
//! replicas and threads. Counting a unit allocates nothing.

use std::ops::AddAssign;

use super::error::StatsError;
use super::exact_sum::ExactSum;

/// Units and conversions of one arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Count {
    /// Units exposed.
    pub units: u64,
    /// Units that converted.
    pub conversions: u64,
}

impl Count {
    /// A checked count.
    ///
    /// # Errors
    /// [`StatsError::MoreConversionsThanUnits`].
    pub fn new(units: u64, conversions: u64) -> Result<Self, StatsError> {
        if conversions > units {
            return Err(StatsError::MoreConversionsThanUnits { units, conversions });
        }
        Ok(Self { units, conversions })
    }

    /// Counts one unit.
    pub fn count(&mut self, converted: bool) {
        self.units += 1;
        self.conversions += u64::from(converted);
    }

    /// Units that did not convert.
    #[must_use]
    pub fn failures(&self) -> u64 {
        self.units - self.conversions
    }

    /// Conversions per unit; zero without units.
    #[must_use]
    pub fn rate(&self) -> f64 {
        if self.units == 0 {
            0.0
        } else {
            self.conversions as f64 / self.units as f64
        }
    }

    /// The count as a sample of zeros and ones, with the variance `p(1 − p)` (that of a proportion, not n − 1).
    #[must_use]
    pub fn sample(&self) -> Sample {
        let p = self.rate();
        Sample {
            units: self.units as f64,
            mean: p,
            variance: p * (self.failures() as f64 / (self.units as f64).max(1.0)),
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.units += other.units;
        self.conversions += other.conversions;
    }
}

/// Size, mean and variance of one arm: all that the fixed-horizon methods for means need.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Units.
    pub units: f64,
    /// Mean of the outcome.
    pub mean: f64,
    /// Variance of one unit's outcome.
    pub variance: f64,
}

impl Sample {
    /// Squared standard error of the mean.
    #[must_use]
    pub fn error_squared(&self) -> f64 {
        self.variance / self.units
    }
}

/// Exact first and second moments of one outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moments {
    /// Units counted.
    pub units: u64,
    sum: ExactSum,
    sum_squares: ExactSum,
}

impl Moments {
    /// Counts one unit. Its outcome is at most [`ExactSum::LARGEST`] in magnitude.
    pub fn count(&mut self, outcome: f64) {
        self.units += 1;
        self.sum.add(outcome);
        self.sum_squares.add_product(outcome, outcome);
    }

    /// Sum of the outcomes.
    #[must_use]
    pub fn sum(&self) -> f64 {
        self.sum.value()
    }

    /// Mean and unbiased variance. Without units the mean is zero; below two units the variance is.
    #[must_use]
    pub fn sample(&self) -> Sample {
        let n = self.units as f64;
        Sample {
            units: n,
            mean: if self.units == 0 {
                0.0
            } else {
                self.sum.value() / n
            },
            variance: central(self.units, &self.sum_squares, &self.sum, &self.sum).max(0.0),
        }
    }

    /// Whether two tallies hold the same units, to the bit.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.units == other.units
            && self.sum.same(&other.sum)
            && self.sum_squares.same(&other.sum_squares)
    }
}

impl AddAssign<&Moments> for Moments {
    fn add_assign(&mut self, other: &Self) {
        self.units += other.units;
        self.sum += &other.sum;
        self.sum_squares += &other.sum_squares;
    }
}

/// Exact moments of an outcome together with a second number of the same unit: a pre-period value or a denominator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PairedMoments {
    /// The outcome.
    pub outcome: Moments,
    /// The second number.
    pub other: Moments,
    product: ExactSum,
}

impl PairedMoments {
    /// Counts one unit.
    pub fn count(&mut self, outcome: f64, other: f64) {
        self.outcome.count(outcome);
        self.other.count(other);
        self.product.add_product(outcome, other);
    }

    /// Unbiased covariance; zero below two units.
    #[must_use]
    pub fn covariance(&self) -> f64 {
        central(
            self.outcome.units,
            &self.product,
            &self.outcome.sum,
            &self.other.sum,
        )
    }
}

impl AddAssign<&PairedMoments> for PairedMoments {
    fn add_assign(&mut self, other: &Self) {
        self.outcome += &other.outcome;
        self.other += &other.other;
        self.product += &other.product;
    }
}

/// `(Σxy − Σx·Σy/n) / (n − 1)` in twice the working precision: the subtraction may cancel most digits.
fn central(units: u64, products: &ExactSum, x: &ExactSum, y: &ExactSum) -> f64 {
    if units < 2 {
        return 0.0;
    }
    let n = units as f64;
    let (p, p_low) = products.pair();
    let (x, x_low) = x.pair();
    let (y, y_low) = y.pair();
    // n·Σxy − Σx·Σy, both products split into a double and its error.
    let (left, left_low) = two_product(n, p);
    let (right, right_low) = two_product(x, y);
    let low = left_low + n * p_low - right_low - x * y_low - x_low * y;
    ((left - right) + low) / n / (n - 1.0)
}

/// A product and its rounding error (Dekker's split, which needs no fused multiply-add).
fn two_product(x: f64, y: f64) -> (f64, f64) {
    let split = |v: f64| {
        let c = 134_217_729.0 * v;
        let high = c - (c - v);
        (high, v - high)
    };
    let product = x * y;
    let (xh, xl) = split(x);
    let (yh, yl) = split(y);
    (product, ((xh * yh - product) + xh * yl + xl * yh) + xl * yl)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn variance_survives_a_large_mean() {
        // 1e9 + {0, 1, 2}: variance 1, which naive sums of squares lose entirely.
        let mut moments = Moments::default();
        for value in [1e9, 1e9 + 1.0, 1e9 + 2.0] {
            moments.count(value);
        }
        assert_eq!(moments.sample().variance, 1.0);
        assert_eq!(moments.sample().mean, 1e9 + 1.0);
    }

    #[test]
    fn small_tallies_have_no_variance_and_no_nan() {
        let mut moments = Moments::default();
        assert_eq!(moments.sample().mean, 0.0);
        moments.count(0.3);
        assert_eq!(moments.sample().variance, 0.0);
        assert_eq!(Count::default().sample().mean, 0.0);
        assert_eq!(Count::default().sample().variance, 0.0);
        assert!(Count::new(3, 4).is_err());
    }

    proptest! {
        #[test]
        fn tallies_add(
            rows in prop::collection::vec((-1e6..1e6_f64, 0.0..10.0_f64), 0..60),
            cut in 0_usize..60,
        ) {
            let mut whole = PairedMoments::default();
            let mut parts = [PairedMoments::default(), PairedMoments::default()];
            for (i, (y, x)) in rows.iter().enumerate() {
                whole.count(*y, *x);
                parts[usize::from(i >= cut)].count(*y, *x);
            }
            let [left, mut right] = parts;
            right += &left;
            prop_assert!(whole.outcome.same(&right.outcome));
            prop_assert!(whole.other.same(&right.other));
            prop_assert_eq!(whole.covariance().to_bits(), right.covariance().to_bits());
        }
    }
}
