//! Exponential smoothing of what is left when day and week are taken out.

use stlrs::Mstl;

use super::{DAY, Fitted, ForecastError, Forecaster, History, WEEK};

/// Hours decomposed at an origin: six weeks.
const WINDOW: usize = 6 * WEEK;
/// Smoothing weights tried.
const WEIGHTS: usize = 100;

/// Seasonal-trend decomposition with seasons of 24 and 168 hours, then simple exponential smoothing.
///
/// y = daily + weekly + a, by MSTL over the last six weeks before the origin; lₜ = α aₜ + (1 − α) lₜ₋₁ and
/// ŷ(t + s) = lₜ + the last day's and the last week's seasonal values of that hour. The fit chooses α from 0.01 … 1 for the
/// smallest mean square error over all steps of the horizon; seasons are decomposed again at every origin.
///
/// # Source
/// Bandara, Hyndman & Bergmeir, MSTL, arXiv 2107.13462, for the decomposition (`stlrs`); Hyndman, Koehler, Ord & Snyder,
/// Forecasting with Exponential Smoothing, 2008, for ETS(A,N,N) and its fit over several steps.
#[derive(Debug, Clone, Copy)]
pub struct Smoothing;

#[derive(Debug)]
struct FittedSmoothing {
    alpha: f64,
}

impl Forecaster for Smoothing {
    fn name(&self) -> &'static str {
        "mstl-ets"
    }

    fn about(&self) -> &'static str {
        "daily and weekly seasons, exponential smoothing"
    }

    fn needs(&self, horizon: usize) -> usize {
        2 * WEEK + horizon
    }

    fn fit(&self, history: History<'_>, horizon: usize) -> Result<Box<dyn Fitted>, ForecastError> {
        let parts = Parts::of(history.last(WINDOW))?;
        let alpha = (1..=WEIGHTS)
            .map(|weight| weight as f64 / WEIGHTS as f64)
            .map(|alpha| (multi_step_error(&parts.adjusted, alpha, horizon), alpha))
            .fold((f64::INFINITY, 1.0), |best, tried| {
                if tried.0 < best.0 { tried } else { best }
            })
            .1;
        Ok(Box::new(FittedSmoothing { alpha }))
    }
}

impl Fitted for FittedSmoothing {
    fn forecast(&self, history: History<'_>, hours: &mut [f64]) -> Result<(), ForecastError> {
        let parts = Parts::of(history.last(WINDOW))?;
        let level = levels(&parts.adjusted, self.alpha)
            .last()
            .unwrap_or_default();
        let day = parts.daily[parts.daily.len() - DAY..].iter().cycle();
        let week = parts.weekly[parts.weekly.len() - WEEK..].iter().cycle();
        for ((hour, daily), weekly) in hours.iter_mut().zip(day).zip(week) {
            *hour = level + daily + weekly;
        }
        Ok(())
    }
}

/// Seasonal parts of a window, and the counts without them.
struct Parts {
    daily: Vec<f64>,
    weekly: Vec<f64>,
    adjusted: Vec<f64>,
}

impl Parts {
    fn of(window: History<'_>) -> Result<Self, ForecastError> {
        let failed = |reason: String| ForecastError::Fit {
            name: "mstl-ets",
            reason,
        };
        let result = Mstl::fit(window.counts, &[DAY, WEEK]).map_err(|e| failed(e.to_string()))?;
        let (seasons, trend, remainder) = result.into_parts();
        let [daily, weekly] = <[Vec<f64>; 2]>::try_from(seasons)
            .map_err(|seasons| failed(format!("{} seasons instead of 2", seasons.len())))?;
        let adjusted = trend.iter().zip(&remainder).map(|(t, r)| t + r).collect();
        Ok(Self {
            daily,
            weekly,
            adjusted,
        })
    }
}

/// Levels after each value, starting from the mean of the first day.
fn levels(values: &[f64], alpha: f64) -> impl Iterator<Item = f64> {
    let first = &values[..DAY.min(values.len())];
    let mut level = first.iter().sum::<f64>() / first.len().max(1) as f64;
    values.iter().map(move |value| {
        level += alpha * (value - level);
        level
    })
}

/// Σₜ Σₛ (aₜ₊ₛ − lₜ)² over s = 1 … horizon: levels forecast flat.
fn multi_step_error(values: &[f64], alpha: f64, horizon: usize) -> f64 {
    // Sums over the window of steps move along: Σ (a − l)² = Σa² − 2lΣa + h l². Centred, so that squares stay small.
    let centre = values.iter().sum::<f64>() / values.len() as f64;
    let ahead = &values[..horizon];
    let mut sum: f64 = ahead.iter().map(|a| a - centre).sum();
    let mut squares: f64 = ahead.iter().map(|a| (a - centre).powi(2)).sum();
    let mut error = 0.0;
    for (t, level) in levels(values, alpha).enumerate() {
        let Some(new) = values.get(t + horizon) else {
            break;
        };
        let (new, old, level) = (new - centre, values[t] - centre, level - centre);
        sum += new - old;
        squares += new * new - old * old;
        error += squares - 2.0 * level * sum + horizon as f64 * level * level;
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_their_recursion() {
        // By hand, α = 0.5 from the mean 3 of (2, 4): 2.5, 3.25.
        let have: Vec<f64> = levels(&[2.0, 4.0], 0.5).collect();
        assert_eq!(have, [2.5, 3.25]);
    }

    #[test]
    fn errors_of_all_steps_are_summed() {
        // By hand, α = 1: levels are the values themselves. 1 → (2, 4): 1 + 9; 2 → (4, 7): 4 + 25.
        let error = multi_step_error(&[1.0, 2.0, 4.0, 7.0], 1.0, 2);
        assert!((error - 39.0).abs() < 1e-12, "{error}");
    }
}
