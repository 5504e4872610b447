//! Sample ratio: did each arm get the units that its share says?
//!
//! A wrong ratio means that assignment or counting is broken, and then no comparison means anything. The χ² test answers
//! once; [`SampleRatioProcess`] answers at any look, through ramps.

use super::error::StatsError;
use super::special::{chi_squared_sf, log_add, log_gamma};

/// χ² of arm sizes against their weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChiSquared {
    /// The statistic.
    pub statistic: f64,
    /// Degrees of freedom: arms of positive weight, less one.
    pub freedom: usize,
    /// Its p-value.
    pub p_value: f64,
}

/// χ² test of arm sizes. An arm of weight zero neither counts nor costs a degree of freedom.
///
/// # Errors
/// [`StatsError::NotAShare`] for a negative or missing weight; [`StatsError::TooFewUnits`] without units or with a single
/// weighted arm.
pub fn chi_squared(units: &[u64], weights: &[f64]) -> Result<ChiSquared, StatsError> {
    let used = checked(units, weights)?;
    let total: f64 = used.iter().map(|(_, weight)| weight).sum();
    let all: f64 = used.iter().map(|(n, _)| n).sum();
    let statistic = used
        .iter()
        .map(|(n, weight)| {
            let expected = weight / total * all;
            (n - expected) * (n - expected) / expected
        })
        .sum();
    let freedom = used.len() - 1;
    Ok(ChiSquared {
        statistic,
        freedom,
        p_value: chi_squared_sf(statistic, freedom),
    })
}

fn checked(units: &[u64], weights: &[f64]) -> Result<Vec<(f64, f64)>, StatsError> {
    if let Some(share) = weights.iter().find(|w| !(w.is_finite() && **w >= 0.0)) {
        return Err(StatsError::NotAShare { share: *share });
    }
    let used: Vec<(f64, f64)> = units
        .iter()
        .zip(weights)
        .filter(|(_, weight)| **weight > 0.0)
        .map(|(n, weight)| (*n as f64, *weight))
        .collect();
    let all: f64 = used.iter().map(|(n, _)| n).sum();
    if used.len() < 2 || all == 0.0 {
        return Err(StatsError::TooFewUnits { needed: 1, have: 0 });
    }
    Ok(used)
}

/// Logarithm of the sequential multinomial e-value of arm sizes against constant weights, with a Dirichlet alternative of
/// total concentration `concentration` centred on the weights.
///
/// # Errors
/// As [`chi_squared`].
/// # Source
/// Lindon & Malek, *Anytime-valid inference for multinomial count data*, NeurIPS 2022, with prior α₀ = k·θ₀.
pub fn log_multinomial_e_value(
    units: &[u64],
    weights: &[f64],
    concentration: f64,
) -> Result<f64, StatsError> {
    let used = checked(units, weights)?;
    let total: f64 = used.iter().map(|(_, weight)| weight).sum();
    let all: f64 = used.iter().map(|(n, _)| n).sum();
    let mut log = log_rising(concentration, all);
    log = -log;
    for (n, weight) in &used {
        let share = weight / total;
        log += log_rising(concentration * share, *n) - n * share.ln();
    }
    Ok(log)
}

/// `ln Γ(x + n) − ln Γ(x)`.
fn log_rising(x: f64, n: f64) -> f64 {
    if n < 32.0 {
        let mut product = 0.0;
        let mut i = 0.0;
        while i < n {
            product += (x + i).ln();
            i += 1.0;
        }
        return product;
    }
    log_gamma(x + n) - log_gamma(x)
}

/// An e-process for the share of one arm against another, valid at any look while the share itself changes.
///
/// Under the null a unit is sent to B with its logged share s. Bets are that the odds are ω times the logged ones:
/// a block of n units, n_b of them on B, multiplies wealth by ω^n_b / (1 − s + sω)ⁿ; a fixed mixture over ω.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleRatioProcess {
    log_wealth: [f64; Self::ODDS.len()],
}

impl Default for SampleRatioProcess {
    fn default() -> Self {
        Self {
            log_wealth: [0.0; Self::ODDS.len()],
        }
    }
}

impl SampleRatioProcess {
    /// Odds ratios bet on, equally weighted: from one in a hundred to ten times.
    const ODDS: [f64; 12] = [
        0.1, 0.5, 0.8, 0.9, 0.97, 0.99, 1.01, 1.03, 1.1, 1.25, 2.0, 10.0,
    ];

    /// Folds in a block with share `share` of B.
    pub fn fold(&mut self, share: f64, units_a: u64, units_b: u64) {
        let (a, b) = (units_a as f64, units_b as f64);
        for (log, odds) in self.log_wealth.iter_mut().zip(Self::ODDS) {
            *log += b * odds.ln() - (a + b) * (share * (odds - 1.0)).ln_1p();
        }
    }

    /// Natural logarithm of the mixture's wealth.
    #[must_use]
    pub fn log_value(&self) -> f64 {
        self.log_wealth
            .iter()
            .fold(f64::NEG_INFINITY, |sum, log| log_add(sum, *log))
            - (Self::ODDS.len() as f64).ln()
    }
}
