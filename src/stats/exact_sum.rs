//! Sums of doubles without rounding, so that tallies add to the same bits in any order and on any number of threads.
//!
//! The sum is one long fixed-point number (Kulisch's accumulator): 32 bits per limb, carries kept in the limbs' upper
//! halves and settled rarely. Adding a number touches three limbs, adding a product five, and nothing is allocated.
//!
//! # Source
//! U. Kulisch, *Computer Arithmetic and Validity*, 2008, ch. 8.

use std::ops::AddAssign;

/// Bits per limb.
const BITS: i32 = 32;
/// Weight of the lowest bit: 2^LOWEST. What lies below is cut off number by number, which keeps addition associative.
const LOWEST: i32 = -672;
/// Limbs: up to 2^(32·44 − 672) = 2^736, above the square of any number that [`ExactSum::LARGEST`] admits.
const LIMBS: usize = 44;
/// Additions between settlings: each adds at most 2^32 to a limb of 63 bits.
const PATIENCE: u32 = 1 << 29;

/// A sum of doubles, or of products of two doubles, exact to the bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactSum {
    limbs: [i64; LIMBS],
    unsettled: u32,
}

impl Default for ExactSum {
    fn default() -> Self {
        Self {
            limbs: [0; LIMBS],
            unsettled: 0,
        }
    }
}

impl ExactSum {
    /// Largest magnitude that may be added or multiplied.
    pub const LARGEST: f64 = 1e100;

    /// Adds a number. Its magnitude is at most [`ExactSum::LARGEST`]; what is far larger or not finite is ignored.
    pub fn add(&mut self, value: f64) {
        let Some((mantissa, exponent)) = parts(value) else {
            return;
        };
        self.add_scaled::<3>(u128::from(mantissa), exponent, value < 0.0);
    }

    /// Adds the product of two numbers, unrounded.
    pub fn add_product(&mut self, x: f64, y: f64) {
        let (Some((m, e)), Some((n, f))) = (parts(x), parts(y)) else {
            return;
        };
        self.add_scaled::<5>(u128::from(m) * u128::from(n), e + f, (x < 0.0) != (y < 0.0));
    }

    /// Adds `mantissa`·2^`exponent`, which reaches over at most N limbs. Always N of them: a loop that ends early costs more
    /// in mispredicted branches than the zeros it saves.
    fn add_scaled<const N: usize>(&mut self, mantissa: u128, exponent: i32, negative: bool) {
        let mut mantissa = mantissa;
        let mut place = exponent - LOWEST;
        if place < 0 {
            mantissa = if place <= -128 { 0 } else { mantissa >> -place };
            place = 0;
        }
        let limb = (place / BITS) as usize;
        let shift = (place % BITS) as u32;
        let sign = if negative { -1 } else { 1 };
        let Some(window) = self.limbs.get_mut(limb..limb + N) else {
            return;
        };
        // 106 bits shifted by up to 31 do not fit 128: the lowest limb goes first.
        window[0] += sign * i64::from((mantissa << shift) as u32);
        let mut rest = mantissa >> (32 - shift);
        for limb in &mut window[1..] {
            *limb += sign * i64::from(rest as u32);
            rest >>= 32;
        }
        self.unsettled += 1;
        if self.unsettled >= PATIENCE {
            self.settle();
        }
    }

    /// Carries into the higher limbs, so that every limb but the last lies in [0, 2^32).
    fn settle(&mut self) {
        let mut carry = 0;
        for limb in &mut self.limbs[..LIMBS - 1] {
            let sum = *limb + carry;
            *limb = sum & 0xffff_ffff;
            carry = sum >> BITS;
        }
        self.limbs[LIMBS - 1] += carry;
        self.unsettled = 0;
    }

    /// The sum as an unevaluated pair: the nearest double or its neighbour, and what is left.
    #[must_use]
    pub fn pair(&self) -> (f64, f64) {
        let mut settled = self.clone();
        settled.settle();
        let negative = settled.limbs[LIMBS - 1] < 0;
        if negative {
            for limb in &mut settled.limbs {
                *limb = -*limb;
            }
            settled.settle();
        }
        let Some(top) = settled.limbs.iter().rposition(|limb| *limb != 0) else {
            return (0.0, 0.0);
        };
        let (mut high, mut low) = (0.0, 0.0);
        for at in (0..=top).rev() {
            let part = settled.limbs[at] as f64 * power_of_two(LOWEST + BITS * at as i32);
            let sum = high + part;
            low += part - (sum - high);
            high = sum;
        }
        let sum = high + low;
        let (high, low) = (sum, low - (sum - high));
        if negative { (-high, -low) } else { (high, low) }
    }

    /// The sum, rounded to a double.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.pair().0
    }

    /// Equal sums, however they were carried.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self.clone(), other.clone());
        a.settle();
        b.settle();
        a.limbs == b.limbs
    }
}

impl AddAssign<&ExactSum> for ExactSum {
    fn add_assign(&mut self, other: &Self) {
        if self.unsettled >= PATIENCE / 2 {
            self.settle();
        }
        if other.unsettled >= PATIENCE / 2 {
            let mut other = other.clone();
            other.settle();
            *self += &other;
            return;
        }
        for (limb, more) in self.limbs.iter_mut().zip(&other.limbs) {
            *limb += more;
        }
        self.unsettled += other.unsettled + 1;
    }
}

/// Integer mantissa and exponent of the magnitude of a number; `None` for zero and for what is not finite.
fn parts(value: f64) -> Option<(u64, i32)> {
    let bits = value.to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    match exponent {
        0x7ff => None,
        0 if fraction == 0 => None,
        0 => Some((fraction, -1074)),
        _ => Some((fraction | (1 << 52), exponent - 1075)),
    }
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023).clamp(1, 2046) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sums_are_exact() {
        let mut sum = ExactSum::default();
        for value in [1e60, 1.0, -1e60, 1e-60, 3.5, -1.0] {
            sum.add(value);
        }
        // 3.5 + 1e-60: the pair keeps both.
        assert_eq!(sum.pair(), (3.5, 1e-60));
        let mut products = ExactSum::default();
        products.add_product(1.0 + f64::EPSILON, 1.0 + f64::EPSILON);
        products.add_product(-1.0, 1.0 + 2.0 * f64::EPSILON);
        assert_eq!(products.value(), f64::EPSILON * f64::EPSILON);
        assert_eq!(ExactSum::default().value(), 0.0);
    }

    #[test]
    fn extremes_stay_finite() {
        let mut sum = ExactSum::default();
        for _ in 0..1000 {
            sum.add_product(ExactSum::LARGEST, -ExactSum::LARGEST);
            sum.add_product(5e-324, 5e-324);
            sum.add(f64::NAN);
        }
        assert!((sum.value() / -1e203 - 1.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            values in prop::collection::vec(-1e9..1e9_f64, 0..40),
            cut in 0_usize..40,
        ) {
            let mut forward = ExactSum::default();
            let mut left = ExactSum::default();
            let mut right = ExactSum::default();
            for (i, value) in values.iter().enumerate() {
                forward.add_product(*value, *value / 3.0);
                forward.add(-*value);
                let part = if i < cut { &mut left } else { &mut right };
                part.add(-*value);
                part.add_product(*value / 3.0, *value);
            }
            right += &left;
            prop_assert!(forward.same(&right));
            prop_assert_eq!(forward.pair(), right.pair());
        }
    }
}
