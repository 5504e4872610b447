//! Bounds for the mean of quantities that are known to be at least 0, from counts alone.
//!
//! An importance-weighted reward has a floor and, as a rule, no ceiling that anybody could declare. A lower bound needs
//! the floor only; an upper bound follows from the distance to the largest reward, weighted likewise. So the two sides of
//! an interval are two lower bounds.

/// Bits of the mantissa that tell cells apart: each is at most 1/1024 of its value wide.
const BITS: u32 = 10;
/// Smallest and largest exponent kept; below is zero, above is the largest cell.
const LOWEST: i32 = -24;
const HIGHEST: i32 = 40;
const CELLS: usize = ((HIGHEST - LOWEST) as usize) << BITS;

/// How often values ≥ 0 fell into each of many cells. Values count as the lower end of their cell, so that lower bounds
/// stay bounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Support {
    n: u64,
    zeros: u64,
    counts: Vec<u32>,
    /// Values below zero, which there must not be.
    below: u64,
}

impl Default for Support {
    fn default() -> Self {
        Self {
            n: 0,
            zeros: 0,
            counts: vec![0; CELLS],
            below: 0,
        }
    }
}

impl Support {
    /// Counts a value in units of the declared range.
    pub fn add(&mut self, value: f64) {
        self.n += 1;
        // Rounding of sums may put a value that is zero just below it.
        if value < -1e-9 || value.is_nan() {
            self.below += 1;
        } else if value < (LOWEST as f64).exp2() {
            self.zeros += 1;
        } else {
            let exponent_and_mantissa = (value.to_bits() >> (52 - BITS)) as usize;
            let first = ((1023 + LOWEST) as usize) << BITS;
            self.counts[(exponent_and_mantissa - first).min(CELLS - 1)] += 1;
        }
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.zeros += other.zeros;
        self.below += other.below;
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
    }

    /// Values below zero: the declared range does not hold.
    #[must_use]
    pub const fn below(&self) -> u64 {
        self.below
    }

    fn cells(&self) -> Vec<(f64, f64)> {
        let first = ((1023 + LOWEST) as u64) << BITS;
        std::iter::once((0.0, self.zeros as f64))
            .filter(|(_, count)| *count > 0.0)
            .chain(
                self.counts
                    .iter()
                    .enumerate()
                    .filter(|(_, count)| **count > 0)
                    .map(|(cell, count)| {
                        let value = f64::from_bits((first + cell as u64) << (52 - BITS));
                        (value, f64::from(*count))
                    }),
            )
            .collect()
    }

    /// A lower bound of the mean that fails with probability at most `error`, at any sample size: the wealth of a gambler
    /// who bets a fraction κ of it against the mean m multiplies by 1 + κ (x − m)/m a row; wealth 1/`error` refutes m.
    ///
    /// The fractions are fixed before the data: 0.9, halved down to about 1/√n, with equal shares of the initial wealth.
    ///
    /// # Source
    /// Waudby-Smith & Ramdas, JRSS B 2024 (grid Kelly); Waudby-Smith et al. 2022 for importance weights.
    #[must_use]
    pub fn betting_lower(&self, error: f64) -> f64 {
        let cells = self.cells();
        let smallest = 0.5 / (self.n.max(1) as f64).sqrt();
        let mut fractions = vec![0.9];
        while fractions[fractions.len() - 1] > smallest {
            fractions.push(fractions[fractions.len() - 1] / 2.0);
        }
        let needed = (1.0 / error).ln() + (fractions.len() as f64).ln();
        let refuted = |m: f64| {
            let wealth = fractions.iter().map(|kappa| {
                cells
                    .iter()
                    .map(|(x, count)| count * (kappa * (x / m - 1.0)).ln_1p())
                    .sum::<f64>()
            });
            log_sum_exp(wealth) >= needed
        };
        let (mut low, mut high) = (0.0, self.truncated_mean(&cells, f64::INFINITY));
        if high <= 0.0 {
            return 0.0;
        }
        for _ in 0..48 {
            let middle = f64::midpoint(low, high);
            if refuted(middle) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// A lower bound of the mean by Hoeffding's or by the empirical Bernstein inequality, for values without a ceiling:
    /// values count as at most C = 1, 2, 4, …, 1024, each C for an equal share of the error, and the best bound stands.
    #[must_use]
    pub fn truncated_lower(&self, error: f64, bernstein: bool) -> f64 {
        const CEILINGS: u32 = 11;
        let cells = self.cells();
        let n = self.n as f64;
        let error = error / f64::from(CEILINGS);
        (0..CEILINGS)
            .map(|power| {
                let ceiling = f64::from(power).exp2();
                let mean = self.truncated_mean(&cells, ceiling);
                let half = if bernstein {
                    let squares: f64 = cells
                        .iter()
                        .map(|(x, count)| count * (x.min(ceiling) - mean).powi(2))
                        .sum();
                    bernstein_half_width(squares / (n - 1.0), ceiling, n, error)
                } else {
                    hoeffding_half_width(ceiling, n, error)
                };
                mean - half
            })
            .fold(0.0, f64::max)
    }

    fn truncated_mean(&self, cells: &[(f64, f64)], ceiling: f64) -> f64 {
        cells
            .iter()
            .map(|(x, count)| x.min(ceiling) * count)
            .sum::<f64>()
            / self.n as f64
    }
}

/// The two sides of an interval: distance above the floor, distance below the ceiling.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sides {
    /// Of the quantity minus its floor.
    pub above: Support,
    /// Of the ceiling minus the quantity.
    pub below: Support,
}

/// t with P(mean − μ ≥ t) ≤ `error` for n values in an interval of length `range`: range √(ln(1/error) / 2n).
///
/// # Source
/// Hoeffding, JASA 1963, theorem 2.
#[must_use]
pub fn hoeffding_half_width(range: f64, n: f64, error: f64) -> f64 {
    range * ((1.0 / error).ln() / (2.0 * n)).sqrt()
}

/// The same from the sample variance (n − 1): √(2 V ln(2/error)/n) + 7 range ln(2/error)/(3 (n − 1)).
///
/// # Source
/// Maurer & Pontil, COLT 2009, theorem 4.
#[must_use]
pub fn bernstein_half_width(variance: f64, range: f64, n: f64, error: f64) -> f64 {
    let log = (2.0 / error).ln();
    (2.0 * variance * log / n).sqrt() + 7.0 * range * log / (3.0 * (n - 1.0))
}

fn log_sum_exp(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return max;
    }
    max + values.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn half_widths_are_those_of_the_papers() {
        // √(ln 40 / 2000) and √(2 · 0.25 · ln 80 / 1000) + 7 ln 80 / 2997.
        assert!((hoeffding_half_width(1.0, 1000.0, 0.025) - 0.042_946_94).abs() < 1e-7);
        let expected = (0.5 * 80.0f64.ln() / 1000.0).sqrt() + 7.0 * 80.0f64.ln() / 2997.0;
        assert!((bernstein_half_width(0.25, 1.0, 1000.0, 0.025) - expected).abs() < 1e-12);
    }

    #[test]
    fn a_coin_can_be_bet_on_exactly() {
        // n heads in a row: wealth against m is mean over κ of (1 + κ(1 − m)/m)ⁿ. For n = 1 the smallest fraction is
        // below 0.5, so κ ∈ {0.9, 0.45}, and the bound solves (0.9 + 0.45)/2 (1 − m)/m = 1/error − 1.
        let mut one = Support::default();
        one.add(1.0);
        let bound = one.betting_lower(0.05);
        let expected = 0.675 / (0.675 + 19.0);
        assert!((bound / expected - 1.0).abs() < 1e-9, "{bound} {expected}");
        assert_eq!(Support::default().betting_lower(0.05), 0.0);
    }

    #[test]
    fn bounds_hold_for_heavy_weights() {
        // w = 20 with probability 0.05, else 0, times a coin of 0.5: mean 0.5. Each bound may fail in 5 % of trials.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let mut failed = [0; 3];
        for _ in 0..200 {
            let mut support = Support::default();
            for _ in 0..400 {
                let hit = rng.random::<f64>() < 0.025;
                support.add(if hit { 20.0 } else { 0.0 });
            }
            for (i, bound) in [
                support.betting_lower(0.05),
                support.truncated_lower(0.05, false),
                support.truncated_lower(0.05, true),
            ]
            .into_iter()
            .enumerate()
            {
                failed[i] += u32::from(bound > 0.5);
            }
            assert!(support.betting_lower(0.05) > 0.0);
        }
        // 10 expected at most, with a binomial standard error of 3.1.
        assert!(failed.iter().all(|f| *f <= 20), "{failed:?}");
    }

    #[test]
    fn cells_round_down_and_parts_add_up() {
        let values = [0.0, 1e-12, 0.3, 1.0, 17.25, 1e15];
        let mut whole = Support::default();
        let mut parts = [Support::default(), Support::default()];
        for (i, value) in values.into_iter().enumerate() {
            whole.add(value);
            parts[i % 2].add(value);
        }
        let [mut first, second] = parts;
        first.merge(&second);
        assert_eq!(first, whole);
        for ((cell, _), value) in whole.cells().iter().skip(1).zip([0.3, 1.0, 17.25]) {
            assert!(*cell <= value && *cell > value * 0.998, "{cell} {value}");
        }
        let mut negative = Support::default();
        negative.add(-0.5);
        assert_eq!(negative.below(), 1);
    }
}
