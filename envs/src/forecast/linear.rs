//! A linear model of the last 168 hours and the calendar.

use std::f64::consts::TAU;

use super::ridge::{Moments, Weights};
use super::{Fitted, ForecastError, Forecaster, History, WEEK};

/// Harmonics of the week used as calendar: periods from a week down to 6 hours.
const HARMONICS: usize = 28;
const FEATURES: usize = WEEK + 2 * HARMONICS;
/// Penalties tried, in units of the features' variance.
const PENALTIES: [f64; 6] = [1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0];

/// Ridge regression, one model per step of the horizon.
///
/// ŷ(t + s) = bₛ + Σⱼ wₛⱼ y(t − j) + Σₖ (uₛₖ cos 2πkτ/168 + vₛₖ sin 2πkτ/168), with j = 1 … 168, k = 1 … 28 and τ the hour
/// of the week at the origin t. The harmonics of another hour are a rotation of those at the origin, so every step sees
/// its own hour of day and weekday while all steps share one matrix. Counts enter in units of their standard deviation.
///
/// The penalty is the one of six that forecasts the last fifth of the history best, the same for all steps; then
/// everything is fitted again on the whole history.
#[derive(Debug, Clone, Copy)]
pub struct Linear;

#[derive(Debug)]
struct FittedLinear {
    unit: f64,
    weights: Weights,
}

impl Forecaster for Linear {
    fn name(&self) -> &'static str {
        "linear-168"
    }

    fn about(&self) -> &'static str {
        "ridge on the last 168 hours and the calendar"
    }

    fn needs(&self, horizon: usize) -> usize {
        // A week of lags, a week of rows, and the targets of the last row.
        2 * WEEK + horizon
    }

    fn fit(&self, history: History<'_>, horizon: usize) -> Result<Box<dyn Fitted>, ForecastError> {
        let unit = deviation(history.counts);
        let last_origin = history.counts.len() - horizon;
        let held_back = WEEK + (last_origin - WEEK) * 4 / 5;
        let sums = |origins: std::ops::RangeInclusive<usize>| {
            let mut sums = Moments::new(FEATURES, horizon);
            let mut x = vec![0.0; FEATURES];
            let mut y = vec![0.0; horizon];
            for origin in origins {
                features(history.until(origin), unit, &mut x);
                let targets = &history.counts[origin..origin + horizon];
                for (y, count) in y.iter_mut().zip(targets) {
                    *y = count / unit;
                }
                sums.add(&x, &y);
            }
            sums
        };
        // The last rows before the cut would see what is held back: they have targets beyond it.
        let early_end = (held_back - 1).saturating_sub(horizon - 1).max(WEEK);
        let mut early = sums(WEEK..=early_end);
        let late = sums(held_back..=last_origin);
        let mut best = (f64::INFINITY, PENALTIES[0]);
        for penalty in PENALTIES {
            let weights = early.solve(penalty).ok_or_else(|| singular(penalty))?;
            let error = late.squared_error(&weights);
            if error < best.0 {
                best = (error, penalty);
            }
        }
        if early_end + 1 < held_back {
            early.merge(&sums(early_end + 1..=held_back - 1));
        }
        early.merge(&late);
        let weights = early.solve(best.1).ok_or_else(|| singular(best.1))?;
        Ok(Box::new(FittedLinear { unit, weights }))
    }
}

impl Fitted for FittedLinear {
    fn forecast(&self, history: History<'_>, hours: &mut [f64]) -> Result<(), ForecastError> {
        let mut x = vec![0.0; FEATURES];
        features(history, self.unit, &mut x);
        for (step, hour) in hours.iter_mut().enumerate() {
            *hour = self.unit * self.weights.predict(step, &x);
        }
        Ok(())
    }
}

/// The last week in units, then cosine and sine of the harmonics at the origin.
fn features(history: History<'_>, unit: f64, x: &mut [f64]) {
    let counts = history.counts;
    for (x, count) in x.iter_mut().zip(&counts[counts.len() - WEEK..]) {
        *x = count / unit;
    }
    let origin = history.hour_of_week(counts.len());
    for (k, pair) in x[WEEK..].chunks_exact_mut(2).enumerate() {
        // Reduced to one turn first, so that whole turns are exact.
        let turn = (origin * (k + 1)) % WEEK;
        let (sin, cos) = (TAU * turn as f64 / WEEK as f64).sin_cos();
        pair.copy_from_slice(&[cos, sin]);
    }
}

/// Standard deviation, or 1 for a constant history.
fn deviation(counts: &[f64]) -> f64 {
    let n = counts.len() as f64;
    let mean = counts.iter().sum::<f64>() / n;
    let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n;
    if variance > 0.0 { variance.sqrt() } else { 1.0 }
}

fn singular(penalty: f64) -> ForecastError {
    ForecastError::Fit {
        name: "linear-168",
        reason: format!("the counts span too many orders of magnitude (penalty {penalty})"),
    }
}
