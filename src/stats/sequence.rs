//! Confidence sequences for the mean of one bounded outcome, valid at every unit.
//!
//! Outcomes lie in [0, 1] and arrive in order; their mean may be conditional on the past as long as it stays the same.

use super::error::{Alpha, StatsError};

/// Predictable plug-in empirical Bernstein sequence of one mean.
///
/// λₜ = min(√(2·ln(2/α)/(σ̂²ₜ₋₁·t·ln(1 + t))), c); the interval is
/// Σλy/Σλ ± (ln(2/α) + Σ (y − μ̂ₜ₋₁)²·(−ln(1 − λ) − λ))/Σλ, with the plain running mean for μ̂.
///
/// # Source
/// Waudby-Smith & Ramdas, JRSS-B 2023, theorem 2 and section 3.2; c = ½, one fake observation of mean ½ and variance ¼.
/// # Differs from the paper
/// The interval shown is the running intersection. As in `confseq`, the first deviation of the lower side is taken from 0,
/// that of the upper side from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct EmpiricalBernstein {
    log_budget: f64,
    units: f64,
    sum: f64,
    squared_deviations: f64,
    bets: f64,
    bet_outcomes: f64,
    slack: [f64; 2],
    interval: (f64, f64),
}

impl EmpiricalBernstein {
    const MOST: f64 = 0.5;

    /// A sequence at level α, two-sided.
    #[must_use]
    pub fn new(alpha: Alpha) -> Self {
        Self {
            log_budget: (2.0 / alpha.get()).ln(),
            units: 0.0,
            sum: 0.0,
            squared_deviations: 0.0,
            bets: 0.0,
            bet_outcomes: 0.0,
            slack: [0.0; 2],
            interval: (0.0, 1.0),
        }
    }

    /// Takes in the next outcome.
    ///
    /// # Errors
    /// [`StatsError::OutOfBounds`] outside [0, 1].
    pub fn observe(&mut self, outcome: f64) -> Result<(), StatsError> {
        within_unit(outcome)?;
        let t = self.units + 1.0;
        let variance = (0.25 + self.squared_deviations) / t;
        let bet = (2.0 * self.log_budget / (variance * t * (1.0 + t).ln()))
            .sqrt()
            .min(Self::MOST);
        for (slack, start) in self.slack.iter_mut().zip([0.0, 1.0]) {
            let mean_before = if self.units == 0.0 {
                start
            } else {
                self.sum / self.units
            };
            *slack += (outcome - mean_before).powi(2) * (-(-bet).ln_1p() - bet);
        }
        self.bets += bet;
        self.bet_outcomes += bet * outcome;
        self.units = t;
        self.sum += outcome;
        let mean = (0.5 + self.sum) / (t + 1.0);
        self.squared_deviations += (outcome - mean).powi(2);
        let centre = self.bet_outcomes / self.bets;
        let [below, above] = self
            .slack
            .map(|slack| (self.log_budget + slack) / self.bets);
        self.interval = (
            self.interval.0.max(centre - below),
            self.interval.1.min(centre + above),
        );
        Ok(())
    }

    /// The interval so far.
    #[must_use]
    pub fn interval(&self) -> (f64, f64) {
        self.interval
    }
}

/// Hedged betting sequence of one mean: candidate means are dropped when a bet against them has won 1/α.
///
/// For every candidate m on a grid, K⁺ = Π(1 + λ⁺(y − m)) and K⁻ = Π(1 − λ⁻(y − m)) with λ± = min(λₜ, c/m) and
/// min(λₜ, c/(1 − m)); m is dropped once max(K⁺, K⁻)/2 ≥ 1/α.
///
/// # Source
/// Waudby-Smith & Ramdas, JRSS-B 2023, section 4.4 (hedged capital, θ = ½, c = ½) with the predictable plug-in of eq. 26.
#[derive(Debug, Clone, PartialEq)]
pub struct HedgedBetting {
    log_threshold: f64,
    log_budget: f64,
    units: f64,
    sum: f64,
    squared_deviations: f64,
    /// Candidate, log K⁺, log K⁻, whether it still stands.
    candidates: Vec<(f64, f64, f64, bool)>,
}

impl HedgedBetting {
    const MOST: f64 = 0.5;

    /// A sequence at level α on a grid of `cells` + 1 candidate means.
    #[must_use]
    pub fn new(alpha: Alpha, cells: usize) -> Self {
        let cells = cells.max(1);
        Self {
            log_threshold: alpha.log_threshold() + 2.0_f64.ln(),
            log_budget: (2.0 / alpha.get()).ln(),
            units: 0.0,
            sum: 0.0,
            squared_deviations: 0.0,
            candidates: (0..=cells)
                .map(|i| (i as f64 / cells as f64, 0.0, 0.0, true))
                .collect(),
        }
    }

    /// Takes in the next outcome.
    ///
    /// # Errors
    /// [`StatsError::OutOfBounds`] outside [0, 1].
    pub fn observe(&mut self, outcome: f64) -> Result<(), StatsError> {
        within_unit(outcome)?;
        let t = self.units + 1.0;
        let variance = (0.25 + self.squared_deviations) / t;
        let bet = (2.0 * self.log_budget / (variance * t * (1.0 + t).ln())).sqrt();
        for (m, plus, minus, stands) in &mut self.candidates {
            // c/m and c/(1 − m) are infinite at the ends, where the plug-in bet alone decides.
            let up = bet.min(Self::MOST / *m);
            let down = bet.min(Self::MOST / (1.0 - *m));
            *plus += (up * (outcome - *m)).max(-1.0).ln_1p();
            *minus += (-down * (outcome - *m)).max(-1.0).ln_1p();
            if plus.max(*minus) > self.log_threshold {
                *stands = false;
            }
        }
        self.units = t;
        self.sum += outcome;
        let mean = (0.5 + self.sum) / (t + 1.0);
        self.squared_deviations += (outcome - mean).powi(2);
        Ok(())
    }

    /// Hull of the candidates that still stand, widened by one cell on each side; `None` when none stands, which happens
    /// with probability at most α while the mean stays the same.
    #[must_use]
    pub fn interval(&self) -> Option<(f64, f64)> {
        let first = self.candidates.iter().position(|c| c.3)?;
        let last = self.candidates.iter().rposition(|c| c.3)?;
        let edge = |at: usize| self.candidates[at].0;
        Some((
            edge(first.saturating_sub(1)),
            edge((last + 1).min(self.candidates.len() - 1)),
        ))
    }
}

fn within_unit(outcome: f64) -> Result<(), StatsError> {
    if (0.0..=1.0).contains(&outcome) {
        Ok(())
    } else {
        Err(StatsError::OutOfBounds {
            value: outcome,
            lower: 0.0,
            upper: 1.0,
        })
    }
}
