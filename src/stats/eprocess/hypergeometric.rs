//! The e-process for data without logged shares: conversions of one arm given the block's totals.
//!
//! When allocation is constant within a block and the arms convert alike, the treatment's conversions are hypergeometric
//! given units and conversions of the block, whatever rate and share were. Against odds ratio ψ, a bet on odds ratio θψ
//! multiplies wealth by `θˣ / E_ψ[θ^X]`, the ratio of Fisher's noncentral hypergeometric probabilities.

use super::bets::{BETS, Mixture, PerBet, log_mixture};
use super::interval::{RatioInterval, invert, invert_over_time, level};
use super::rate_test::{Crossing, TestLevels, Wealth};
use super::rates::Side;
use crate::stats::error::{Alpha, StatsError};
use crate::stats::special::ln_binomial;
use crate::stats::tally::Count;

/// Logarithm of `E[θ^X]`, X hypergeometric: conversions of the treatment when `conversions` fall on `control` + `treatment`
/// units at random.
///
/// Summed with a stride of half the standard deviation, which for such smooth terms is exact to rounding.
#[must_use]
pub fn log_odds_normaliser(control: u64, treatment: u64, conversions: u64, log_theta: f64) -> f64 {
    let law = Law::new(control, treatment, conversions);
    law.log_total(log_theta) - law.log_total(0.0)
}

/// The unnormalised law h(x)·θˣ with h(x) = C(n_b, x)·C(n_a, k − x).
struct Law {
    a: f64,
    b: f64,
    k: f64,
    low: f64,
    high: f64,
}

impl Law {
    fn new(control: u64, treatment: u64, conversions: u64) -> Self {
        let (a, b) = (control as f64, treatment as f64);
        let k = (conversions as f64).min(a + b);
        Self {
            a,
            b,
            k,
            low: (k - a).max(0.0),
            high: k.min(b),
        }
    }

    /// Mode of h(x)·θˣ on the integers (Liao & Rosen 2001).
    fn mode(&self, log_theta: f64) -> f64 {
        let theta = log_theta.exp();
        let (m1, m2) = (self.b + 1.0, self.k + 1.0);
        let a = theta - 1.0;
        let b = (m1 + m2) * theta + self.a - self.k;
        let c = m1 * m2 * theta;
        let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
        // The stable form of the smaller root.
        (2.0 * c / (b + root)).floor().clamp(self.low, self.high)
    }

    fn log_total(&self, log_theta: f64) -> f64 {
        if self.low >= self.high {
            return self.low * log_theta;
        }
        let mode = self.mode(log_theta);
        // Curvature of the log terms gives the standard deviation.
        let curvature = [
            mode + 0.5,
            self.b - mode + 0.5,
            self.k - mode + 0.5,
            self.a - self.k + mode + 0.5,
        ]
        .iter()
        .map(|n| n.recip())
        .sum::<f64>();
        let stride = (curvature.powf(-0.5) / 2.0).floor().max(1.0);
        let p = (self.k / (self.a + self.b)).clamp(1e-300, 1.0);
        let q = ((self.a + self.b - self.k) / (self.a + self.b)).max(1e-300);
        let log_term = |x: f64| {
            ln_binomial(x, self.b, p, q) + ln_binomial(self.k - x, self.a, p, q) + x * log_theta
        };
        let top = log_term(mode);
        let mut sum = 1.0;
        for direction in [-1.0, 1.0] {
            let mut x = mode + direction * stride;
            while x >= self.low && x <= self.high {
                let term = (log_term(x) - top).exp();
                sum += term;
                if term < 1e-18 {
                    break;
                }
                x += direction * stride;
            }
        }
        top + (sum * stride).ln()
    }
}

/// Wealth of one side against one odds ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct HypergeometricWealth {
    side: Side,
    log_odds: f64,
    log_wealth: PerBet,
}

impl HypergeometricWealth {
    /// Wealth one against "odds ratio at most ψ" (promote) or "at least ψ" (roll back).
    #[must_use]
    pub fn new(side: Side, odds_ratio: f64) -> Self {
        Self {
            side,
            log_odds: odds_ratio.ln(),
            log_wealth: [0.0; BETS],
        }
    }

    /// Folds in a block. The block's totals are given, so they may place the bets.
    pub fn fold(&mut self, control: Count, treatment: Count) {
        let units = (control.units + treatment.units) as f64;
        let conversions = control.conversions + treatment.conversions;
        if control.units == 0 || treatment.units == 0 || conversions == 0 {
            return;
        }
        let t = (conversions as f64 + 0.5) / (units + 1.0);
        let unit = ((1.0 - t) / t).powf(0.25);
        let law = Law::new(control.units, treatment.units, conversions);
        let null = law.log_total(self.log_odds);
        let x = treatment.conversions as f64;
        for (log_wealth, kappa) in self.log_wealth.iter_mut().zip(&Mixture::standard().kappa) {
            let log_theta = (kappa * unit / (1.0 - t)).ln_1p()
                * match self.side {
                    Side::Promote => 1.0,
                    Side::RollBack => -1.0,
                };
            *log_wealth += x * log_theta - (law.log_total(self.log_odds + log_theta) - null);
        }
    }

    /// Natural logarithm of the mixture's wealth.
    #[must_use]
    pub fn log_value(&self) -> f64 {
        log_mixture(&Mixture::standard().log_weight, &self.log_wealth)
    }
}

/// Both sides for odds ratio one, block by block.
#[derive(Debug, Clone, PartialEq)]
pub struct HypergeometricTest {
    levels: (Alpha, Alpha),
    promote: HypergeometricWealth,
    roll_back: HypergeometricWealth,
    units: u64,
    promoted: Option<Crossing>,
    rolled_back: Option<Crossing>,
}

impl HypergeometricTest {
    /// A test with wealth one on both sides. The ratios of `levels` are not used: the null is "alike".
    #[must_use]
    pub fn new(levels: &TestLevels) -> Self {
        Self {
            levels: (levels.promote, levels.roll_back),
            promote: HypergeometricWealth::new(Side::Promote, 1.0),
            roll_back: HypergeometricWealth::new(Side::RollBack, 1.0),
            units: 0,
            promoted: None,
            rolled_back: None,
        }
    }

    /// Folds in the next block of constant allocation.
    ///
    /// # Errors
    /// [`StatsError::MoreConversionsThanUnits`].
    pub fn fold(&mut self, at: f64, control: Count, treatment: Count) -> Result<(), StatsError> {
        for arm in [control, treatment] {
            Count::new(arm.units, arm.conversions)?;
        }
        self.units += control.units + treatment.units;
        let now = Crossing {
            at,
            units: self.units,
        };
        self.promote.fold(control, treatment);
        self.roll_back.fold(control, treatment);
        if self.promoted.is_none() && self.promote.log_value() >= self.levels.0.log_threshold() {
            self.promoted = Some(now);
        }
        if self.rolled_back.is_none() && self.roll_back.log_value() >= self.levels.1.log_threshold()
        {
            self.rolled_back = Some(now);
        }
        Ok(())
    }

    /// Wealth of both sides now.
    #[must_use]
    pub fn wealth(&self) -> Wealth {
        Wealth {
            log_promote: self.promote.log_value(),
            log_roll_back: self.roll_back.log_value(),
        }
    }

    /// When the promote side decided, if it has.
    #[must_use]
    pub fn promoted(&self) -> Option<Crossing> {
        self.promoted
    }

    /// When the roll-back side decided, if it has.
    #[must_use]
    pub fn rolled_back(&self) -> Option<Crossing> {
        self.rolled_back
    }
}

/// Interval of the odds ratio by inversion, over blocks `(control, treatment)`.
#[must_use]
pub fn odds_interval(blocks: &[(Count, Count)], levels: &TestLevels) -> RatioInterval {
    invert(|side, odds| first_rejected(blocks, levels, side, odds).is_some())
}

/// The interval after every block; coarser than [`odds_interval`], to the wide side.
#[must_use]
pub fn odds_sequence(blocks: &[(Count, Count)], levels: &TestLevels) -> Vec<RatioInterval> {
    invert_over_time(blocks.len(), |side, odds| {
        first_rejected(blocks, levels, side, odds)
    })
}

fn first_rejected(
    blocks: &[(Count, Count)],
    levels: &TestLevels,
    side: Side,
    odds: f64,
) -> Option<usize> {
    let threshold = level(levels, side).log_threshold();
    let mut wealth = HypergeometricWealth::new(side, odds);
    blocks.iter().position(|(control, treatment)| {
        wealth.fold(*control, *treatment);
        wealth.log_value() >= threshold
    })
}
