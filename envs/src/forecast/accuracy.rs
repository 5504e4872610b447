//! How good forecasters are on hours they have not seen, and the forecast of the hours to come.
//!
//! A series of n hours is cut at a = ⌊n / 2⌋ and b = ⌊3n / 4⌋. To judge, parameters are fitted on the first three
//! quarters, hours 0 … b, and then stay; every hour from b to n − h is an origin, at which the forecaster sees all counts
//! before it. The margin of the staffing quantile is measured before that: fitted on hours 0 … a, errors taken at every
//! origin between a and b. To forecast what follows the series, parameters are fitted on all of it, and the margin comes
//! from the errors of the judged quarter, which are the newest. So no count is ever judged by a fit or a margin that saw
//! it.
//!
//! Forecasts and quantiles below 0 are 0: counts have no other side.

use rayon::prelude::*;
use serde::Serialize;

use super::{DAY, Fitted, ForecastError, Forecaster, HourlyMargins, HourlySeries, MAX_HORIZON};

/// How far a forecaster was off on the last quarter of a series.
///
/// Means run over every pair of origin and step whose hour was counted.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Accuracy {
    /// The forecaster.
    pub name: &'static str,
    /// Mean absolute error in units of [`seasonal_scale`]; absent where that is 0.
    pub mase: Option<f64>,
    /// Mean absolute error, contacts per hour.
    pub mae: f64,
    /// Root of the mean square error, contacts per hour.
    pub rmse: f64,
    /// Mean pinball loss of the quantile, contacts per hour: q (y − f) above the forecast quantile f, (1 − q)(f − y) below.
    pub pinball: f64,
    /// Share of hours at or below the forecast quantile; a good one has this close to q.
    pub coverage: f64,
    /// Origins judged.
    pub origins: usize,
}

/// A forecaster's accuracy with the margins that its errors ask for.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// How far it was off.
    pub accuracy: Accuracy,
    margins: HourlyMargins,
}

/// Forecasters judged on the same hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Hours ahead.
    pub horizon: usize,
    /// The quantile judged by pinball loss.
    pub quantile: f64,
    /// Mean absolute error of the daily naive forecast within the first three quarters; 0 where it never errs.
    pub scale: f64,
    /// The first hour judged, as an index into the series.
    pub first_origin: usize,
    /// Best first: by mean absolute error, the order of [`super::forecasters`] where equal.
    pub models: Vec<Judged>,
}

/// An hour to come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NextHour {
    /// When it starts.
    pub at: String,
    /// Contacts forecast.
    pub mean: f64,
    /// Contacts that are not exceeded with the probability of the quantile.
    pub quantile: f64,
}

/// Where a series is cut: end of the first fit, and end of the training part.
fn cuts(hours: usize) -> (usize, usize) {
    (hours / 2, hours * 3 / 4)
}

/// Mean |y(t) − y(t − 24)| over a training part of more than 24 hours: the scale of MASE with season 24.
///
/// # Source
/// Hyndman & Koehler, Another look at measures of forecast accuracy, International Journal of Forecasting 22, 2006.
#[must_use]
pub fn seasonal_scale(training: &[f64]) -> f64 {
    let steps = training[DAY..].iter().zip(training);
    steps.map(|(now, before)| (now - before).abs()).sum::<f64>() / (training.len() - DAY) as f64
}

/// Judges forecasters on the last quarter of a series, at every hour `horizon` hours ahead.
///
/// Forecasters and origins run in parallel; sums are taken in the order of hours, so that results do not depend on it.
///
/// # Errors
/// [`ForecastError`] for options out of range, a series too short, or a forecaster that cannot be fitted.
pub fn evaluate(
    series: &HourlySeries,
    forecasters: &[Box<dyn Forecaster>],
    horizon: usize,
    quantile: f64,
) -> Result<Evaluation, ForecastError> {
    check(series, forecasters, horizon, quantile)?;
    let hours = series.counts().len();
    let (early, training) = cuts(hours);
    let scale = seasonal_scale(&series.counts()[..training]);
    let judge = |forecaster: &dyn Forecaster| {
        let history = series.history();
        let fitted = forecaster.fit(history.until(early), horizon)?;
        let before = Rolling::run(series, fitted.as_ref(), early, training, horizon)?;
        let margins = before.margins(quantile, "the third quarter")?;
        let fitted = forecaster.fit(history.until(training), horizon)?;
        let last = Rolling::run(series, fitted.as_ref(), training, hours, horizon)?;
        Ok(Judged {
            accuracy: last.accuracy(forecaster.name(), scale, &margins, quantile)?,
            margins: last.margins(quantile, "the last quarter")?,
        })
    };
    let mut models = forecasters
        .par_iter()
        .map(|forecaster| judge(forecaster.as_ref()))
        .collect::<Result<Vec<_>, _>>()?;
    models.sort_by(|a, b| a.accuracy.mae.total_cmp(&b.accuracy.mae));
    Ok(Evaluation {
        horizon,
        quantile,
        scale,
        first_origin: training,
        models,
    })
}

fn check(
    series: &HourlySeries,
    forecasters: &[Box<dyn Forecaster>],
    horizon: usize,
    quantile: f64,
) -> Result<(), ForecastError> {
    if !(1..=MAX_HORIZON).contains(&horizon) {
        return Err(ForecastError::Option {
            option: "--horizon",
            value: horizon.to_string(),
            expected: "lies in 1 to 168 hours",
        });
    }
    if !(0.01..=0.99).contains(&quantile) {
        return Err(ForecastError::Option {
            option: "--quantile",
            value: quantile.to_string(),
            expected: "lies in 0.01 to 0.99: weeks of hours say little about rarer ones",
        });
    }
    let Some(neediest) = forecasters.iter().max_by_key(|f| f.needs(horizon)) else {
        return Ok(());
    };
    let fit = neediest.needs(horizon).max(DAY + 1);
    // A quarter holds at least one origin.
    let need = (2 * fit).max(4 * horizon + 4);
    let have = series.counts().len();
    if have < need {
        return Err(ForecastError::TooShort {
            have,
            need,
            horizon,
            neediest: neediest.name(),
        });
    }
    Ok(())
}

impl Evaluation {
    /// The forecaster with the smallest mean absolute error, if any was judged.
    #[must_use]
    pub fn best(&self) -> Option<&Judged> {
        self.models.first()
    }

    /// Forecasts the hours that follow a series, by a forecaster judged on it.
    ///
    /// # Errors
    /// [`ForecastError::Unknown`] for a name that was not judged, or the forecaster's own error.
    pub fn next_hours(
        &self,
        series: &HourlySeries,
        forecasters: &[Box<dyn Forecaster>],
        name: &str,
    ) -> Result<Vec<NextHour>, ForecastError> {
        let judged = self.models.iter().find(|m| m.accuracy.name == name);
        let forecaster = forecasters.iter().find(|f| f.name() == name);
        let (Some(judged), Some(forecaster)) = (judged, forecaster) else {
            let known: Vec<&str> = forecasters.iter().map(|f| f.name()).collect();
            return Err(ForecastError::Unknown {
                name: name.to_owned(),
                known: known.join(", "),
            });
        };
        let history = series.history();
        let hours = history.counts.len();
        let mut means = vec![0.0; self.horizon];
        let fitted = forecaster.fit(history, self.horizon)?;
        fitted.forecast(history, &mut means)?;
        let next = means.iter().enumerate().map(|(step, mean)| {
            let margin = judged.margins.at(history.hour_of_week(hours + step));
            NextHour {
                at: series.start_of(hours + step),
                mean: mean.max(0.0),
                quantile: (mean.max(0.0) + margin).max(0.0),
            }
        });
        Ok(next.collect())
    }
}

/// Forecasts at every origin of a part of a series.
struct Rolling<'a> {
    series: &'a HourlySeries,
    first_origin: usize,
    horizon: usize,
    /// A row of `horizon` forecasts per origin, none below 0.
    forecasts: Vec<f64>,
}

/// A forecast beside what came.
struct Outcome {
    hour_of_week: usize,
    forecast: f64,
    count: f64,
}

impl<'a> Rolling<'a> {
    /// Every origin from `start` whose steps end before `end`.
    fn run(
        series: &'a HourlySeries,
        fitted: &dyn Fitted,
        start: usize,
        end: usize,
        horizon: usize,
    ) -> Result<Self, ForecastError> {
        let origins = end - horizon + 1 - start;
        let mut forecasts = vec![0.0; origins * horizon];
        let history = series.history();
        forecasts
            .par_chunks_exact_mut(horizon)
            .enumerate()
            .try_for_each(|(at, hours)| {
                fitted.forecast(history.until(start + at), hours)?;
                for hour in hours {
                    *hour = hour.max(0.0);
                }
                Ok(())
            })?;
        Ok(Self {
            series,
            first_origin: start,
            horizon,
            forecasts,
        })
    }

    fn origins(&self) -> usize {
        self.forecasts.len() / self.horizon
    }

    /// Every forecast of an hour that was counted, by origin and step.
    fn outcomes(&self) -> impl Iterator<Item = Outcome> {
        let history = self.series.history();
        let rows = self.forecasts.chunks_exact(self.horizon).enumerate();
        rows.flat_map(move |(at, hours)| {
            let origin = self.first_origin + at;
            hours
                .iter()
                .enumerate()
                .filter_map(move |(step, forecast)| {
                    let hour = origin + step;
                    self.series.is_counted(hour).then(|| Outcome {
                        hour_of_week: history.hour_of_week(hour),
                        forecast: *forecast,
                        count: history.counts[hour],
                    })
                })
        })
    }

    fn margins(&self, quantile: f64, part: &'static str) -> Result<HourlyMargins, ForecastError> {
        let errors = self
            .outcomes()
            .map(|outcome| (outcome.hour_of_week, outcome.count - outcome.forecast));
        HourlyMargins::new(errors, quantile, part)
    }

    fn accuracy(
        &self,
        name: &'static str,
        scale: f64,
        margins: &HourlyMargins,
        quantile: f64,
    ) -> Result<Accuracy, ForecastError> {
        let (mut n, mut absolute, mut square, mut pinball, mut covered) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for outcome in self.outcomes() {
            let error = outcome.count - outcome.forecast;
            let upper = (outcome.forecast + margins.at(outcome.hour_of_week)).max(0.0);
            let above = outcome.count - upper;
            n += 1.0;
            absolute += error.abs();
            square += error * error;
            pinball += (quantile * above).max((quantile - 1.0) * above);
            covered += f64::from(u8::from(above <= 0.0));
        }
        if n == 0.0 {
            return Err(ForecastError::NothingCounted {
                part: "the last quarter",
            });
        }
        let mae = absolute / n;
        Ok(Accuracy {
            name,
            mase: (scale > 0.0).then(|| mae / scale),
            mae,
            rmse: (square / n).sqrt(),
            pinball: pinball / n,
            coverage: covered / n,
            origins: self.origins(),
        })
    }
}

#[cfg(test)]
mod tests;
