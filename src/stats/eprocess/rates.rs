//! The e-process for rates and bounded outcomes: is B better than ρ times A, whatever the base rate does meanwhile?
//!
//! Given everything about earlier exposures, a unit is sent to B with its logged share s, and its outcome y ∈ [0, 1] has
//! mean `p_a` or `p_b`. With a rate t taken from earlier blocks, `z = (1 − s)(y − ρt)` on B and `z = −ρs(y − t)` on A has
//! `E[z] = s(1 − s)(p_b − ρ·p_a)`, so wealth multiplied by `1 + c·z` is a supermartingale under `p_b ≤ ρ·p_a`, and
//! `1 − c·z` under `p_b ≥ ρ·p_a`, for any predictable c that keeps it positive. By Ville's inequality, wealth that starts
//! at 1 reaches 1/α with probability at most α, at any look, any share and through any drift.
//!
//! # Source
//! Waudby-Smith & Ramdas, *Estimating means of bounded random variables by betting*, JRSS-B 2023; Ville 1939.

use super::bets::{BETS, Mixture, PerBet, log_mixture};
use crate::stats::tally::Count;

/// Largest fraction of the wealth that one unit may cost.
const CAP: f64 = 0.9;

/// Which way a process bets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Against `p_b ≤ ρ·p_a`: large wealth promotes B.
    Promote,
    /// Against `p_b ≥ ρ·p_a`: large wealth rolls B back.
    RollBack,
}

/// What was seen of the outcome before the block that is bet on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Pooled mean of the outcome, in (0, 1).
    pub mean: f64,
    /// Pooled variance of the outcome, above 0.
    pub variance: f64,
}

/// A predictable outlook: a running mean and variance that forget, refreshed as arrivals grow.
///
/// It is refreshed when an eighth of its own weight has arrived, and keeps 15/16 of what it had. It then stands on about
/// the last half of all arrivals: long enough to be steady, short enough to follow a drifting base rate.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct RunningOutlook {
    weight: f64,
    sum: f64,
    sum_squares: f64,
    new_weight: f64,
    new_sum: f64,
    new_sum_squares: f64,
    current: Option<Outlook>,
}

impl RunningOutlook {
    const KEEP: f64 = 0.9375;
    const REFRESH: f64 = 0.125;

    /// The outlook for the next block; `None` before anything was seen.
    #[must_use]
    pub fn current(&self) -> Option<Outlook> {
        self.current
    }

    /// Takes in a closed block: units, their sum and their sum of squares. Says whether the outlook changed.
    pub fn observe(&mut self, units: f64, sum: f64, sum_squares: f64) -> bool {
        self.new_weight += units;
        self.new_sum += sum;
        self.new_sum_squares += sum_squares;
        if self.new_weight == 0.0 || self.new_weight < Self::REFRESH * self.weight {
            return false;
        }
        self.weight = Self::KEEP * self.weight + self.new_weight;
        self.sum = Self::KEEP * self.sum + self.new_sum;
        self.sum_squares = Self::KEEP * self.sum_squares + self.new_sum_squares;
        (self.new_weight, self.new_sum, self.new_sum_squares) = (0.0, 0.0, 0.0);
        // Half a success and half a failure keep the rate inside (0, 1); the variance of a binary outcome stays exact.
        let mean = (self.sum + 0.5) / (self.weight + 1.0);
        let second = (self.sum_squares + 0.5) / (self.weight + 1.0);
        let variance = (second - mean * mean).max(1e-4 * mean * (1.0 - mean));
        self.current = Some(Outlook { mean, variance });
        true
    }
}

/// The wealth of one side for one ρ, bet by bet.
#[derive(Debug, Clone, PartialEq)]
pub struct RateWealth {
    side: Side,
    ratio: f64,
    log_wealth: PerBet,
    /// Bets for the current outlook and share.
    bets: PerBet,
    share: f64,
    outlook: Option<Outlook>,
    /// Logarithms of the factors for success and failure on B and on A under the current bets; binary outcomes only.
    factors: [PerBet; 4],
    factors_ready: bool,
}

impl RateWealth {
    /// Wealth one against `p_b ≤ ρ·p_a` or `p_b ≥ ρ·p_a`.
    ///
    /// `ratio` is ρ > 0: one to promote, `1 − margin` for non-inferiority.
    #[must_use]
    pub fn new(side: Side, ratio: f64) -> Self {
        Self {
            side,
            ratio,
            log_wealth: [0.0; BETS],
            bets: [0.0; BETS],
            share: f64::NAN,
            outlook: None,
            factors: [[0.0; BETS]; 4],
            factors_ready: false,
        }
    }

    /// Places the bets for the next block. Cheap when nothing changed.
    pub fn place(&mut self, share: f64, outlook: Option<Outlook>, mixture: &Mixture) {
        if self.share == share && self.outlook == outlook {
            return;
        }
        (self.share, self.outlook) = (share, outlook);
        self.factors_ready = false;
        let Some(Outlook { mean, variance }) = outlook else {
            self.bets = [0.0; BETS];
            return;
        };
        let (s, t, rho) = (share, mean, self.ratio);
        let most = match self.side {
            Side::Promote => ((1.0 - s) * rho * t).max(rho * s * (1.0 - t)),
            Side::RollBack => ((1.0 - s) * (1.0 - rho * t)).max(rho * s * t),
        };
        let cap = CAP / most;
        // Variance of B's outcome when its mean is ρt: exact for binary outcomes, else in the same proportion.
        let other = (rho * t).min(1.0 - 1e-9);
        let variance_b = variance * other * (1.0 - other) / (t * (1.0 - t));
        let scale = rho * t / ((1.0 - s) * variance_b + rho * rho * s * variance);
        let unit = (variance.sqrt() / t).sqrt();
        for (bet, kappa) in self.bets.iter_mut().zip(&mixture.kappa) {
            // For ρ = 1 and binary outcomes this is the likelihood ratio of lift ±d: c = d / ((1 ± sd)(1 − t)).
            let d = kappa * unit;
            let growth = match self.side {
                Side::Promote => d / (1.0 + s * d),
                Side::RollBack => {
                    let d = d.min(0.99);
                    d / (1.0 - s * d)
                }
            };
            *bet = (growth * scale).min(cap);
        }
    }

    /// Expected growth E[ln(1 ± c·z)] per unit of every bet, when the arms' rates are `control` and `treatment`.
    #[must_use]
    pub fn growth(
        side: Side,
        ratio: f64,
        share: f64,
        outlook: Outlook,
        mixture: &Mixture,
        control: f64,
        treatment: f64,
    ) -> PerBet {
        let mut wealth = Self::new(side, ratio);
        wealth.place(share, Some(outlook), mixture);
        wealth.make_factors(outlook.mean);
        let chances = [
            share * treatment,
            share * (1.0 - treatment),
            (1.0 - share) * control,
            (1.0 - share) * (1.0 - control),
        ];
        let mut growth = [0.0; BETS];
        for (chance, factors) in chances.iter().zip(&wealth.factors) {
            for (growth, factor) in growth.iter_mut().zip(factors) {
                *growth += chance * factor;
            }
        }
        growth
    }

    /// Logarithms of the factors of success and failure on B and on A.
    fn make_factors(&mut self, t: f64) {
        let (s, rho, sign) = (self.share, self.ratio, self.sign());
        let z = [
            (1.0 - s) * (1.0 - rho * t),
            -(1.0 - s) * rho * t,
            -rho * s * (1.0 - t),
            rho * s * t,
        ];
        for (factors, z) in self.factors.iter_mut().zip(z) {
            for (factor, bet) in factors.iter_mut().zip(&self.bets) {
                *factor = (sign * bet * z).ln_1p();
            }
        }
        self.factors_ready = true;
    }

    /// Folds in a block of binary outcomes under the bets that [`RateWealth::place`] placed.
    pub fn fold_counts(&mut self, a: Count, b: Count) {
        let Some(Outlook { mean: t, .. }) = self.outlook else {
            return;
        };
        if !self.factors_ready {
            self.make_factors(t);
        }
        let counts = [
            b.conversions as f64,
            b.failures() as f64,
            a.conversions as f64,
            a.failures() as f64,
        ];
        let [f0, f1, f2, f3] = &self.factors;
        for i in 0..BETS {
            self.log_wealth[i] +=
                counts[0] * f0[i] + counts[1] * f1[i] + counts[2] * f2[i] + counts[3] * f3[i];
        }
    }

    /// Folds in rows of outcomes in [0, 1] under the placed bets: `(is_b, outcome)`, in order of exposure.
    pub fn fold_rows(&mut self, rows: &[(bool, f64)]) {
        let Some(Outlook { mean: t, .. }) = self.outlook else {
            return;
        };
        let (s, rho, sign) = (self.share, self.ratio, self.sign());
        // A factor lies in [0.1, 1 + c]; a few dozen of them multiply without leaving the range of a double.
        for chunk in rows.chunks(32) {
            let mut product = [1.0; BETS];
            for &(is_b, y) in chunk {
                let z = sign
                    * if is_b {
                        (1.0 - s) * (y - rho * t)
                    } else {
                        -rho * s * (y - t)
                    };
                for (product, bet) in product.iter_mut().zip(&self.bets) {
                    *product *= 1.0 + bet * z;
                }
            }
            for (log_wealth, product) in self.log_wealth.iter_mut().zip(&product) {
                *log_wealth += product.ln();
            }
        }
    }

    fn sign(&self) -> f64 {
        match self.side {
            Side::Promote => 1.0,
            Side::RollBack => -1.0,
        }
    }

    /// Natural logarithm of every bet's own wealth, whatever weights a mixture gives them.
    #[must_use]
    pub fn log_wealth(&self) -> &PerBet {
        &self.log_wealth
    }

    #[cfg(test)]
    pub(super) fn bets_placed(&self) -> &PerBet {
        &self.bets
    }

    /// Natural logarithm of the mixture's wealth.
    #[must_use]
    pub fn log_value(&self, mixture: &Mixture) -> f64 {
        log_mixture(&mixture.log_weight, &self.log_wealth)
    }

    /// Whether the mixture's wealth has reached `log_threshold`; sums the mixture only when no bound decides.
    #[must_use]
    pub fn reaches(&self, mixture: &Mixture, log_threshold: f64) -> bool {
        let largest = self
            .log_wealth
            .iter()
            .copied()
            .fold(f64::NEG_INFINITY, f64::max);
        largest >= log_threshold && self.log_value(mixture) >= log_threshold
    }
}
