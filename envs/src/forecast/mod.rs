//! Hourly arrivals: what the next hours bring, how far such forecasts were off, and what staff they ask for.
//!
//! [`HourlySeries`] holds the counts, read from a table by [`read_series`]. A [`Forecaster`] is fitted once and then
//! asked at many origins; [`evaluate`] judges every forecaster of [`forecasters`] on the last quarter of a series, and
//! [`Evaluation::next_hours`] forecasts what follows it. [`StaffingPlan`] turns hours into people, [`Autoscaler`] and
//! [`ReplicaSet`] turn load into AI replicas. Queueing formulas are not here: a plan takes them as a function.
//!
//! A further forecaster, such as a recurrent network that sees 72 hours and says 24, implements [`Forecaster`] and
//! [`Fitted`] and is added to [`forecasters`]; where it rests on a library that the default build lacks, that crate
//! passes its own list to [`evaluate`].

mod accuracy;
mod error;
mod linear;
mod margin;
mod naive;
mod read;
mod replicas;
mod ridge;
mod same_hour;
mod series;
mod smoothing;
mod staffing;

pub use self::accuracy::{Accuracy, Evaluation, Judged, NextHour, evaluate, seasonal_scale};
pub use self::error::{ForecastError, RowFault, SeriesError};
pub use self::linear::Linear;
pub use self::margin::{HourlyMargins, empirical_quantile};
pub use self::naive::SeasonalNaive;
pub use self::read::{Columns, Fill, Reading, SeriesFile, read_series};
pub use self::replicas::{Autoscaler, AutoscalerError, ReplicaSet};
pub use self::same_hour::SameHourMean;
pub use self::series::{Clock, HourlySeries};
pub use self::smoothing::Smoothing;
pub use self::staffing::{PlannedHour, StaffingError, StaffingPlan};

/// Hours of a day.
pub const DAY: usize = 24;
/// Hours of a week.
pub const WEEK: usize = 168;
/// Longest horizon, in hours: a week.
pub const MAX_HORIZON: usize = WEEK;

/// What is known at an origin: the counts before it, oldest first, and where in the week they stand.
///
/// The origin is the first hour that is *not* known, so `counts.len()` hours lie before it.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    /// Contacts per hour.
    pub counts: &'a [f64],
    /// Hour of the week of the first count: Monday 00:00 is 0.
    pub first_hour_of_week: usize,
}

impl<'a> History<'a> {
    /// The first `hours` of this history.
    #[must_use]
    pub fn until(self, hours: usize) -> Self {
        Self {
            counts: &self.counts[..hours],
            ..self
        }
    }

    /// The last `hours` of this history, or all where there are fewer.
    #[must_use]
    pub fn last(self, hours: usize) -> Self {
        let skip = self.counts.len().saturating_sub(hours);
        Self {
            counts: &self.counts[skip..],
            first_hour_of_week: self.hour_of_week(skip),
        }
    }

    /// Hour of the week at an index, which may lie beyond the counts.
    #[must_use]
    pub fn hour_of_week(self, index: usize) -> usize {
        (self.first_hour_of_week + index) % WEEK
    }
}

/// A way to forecast.
pub trait Forecaster: Send + Sync {
    /// Its name in tables and options.
    fn name(&self) -> &'static str;

    /// What it does, in a few words for people.
    fn about(&self) -> &'static str;

    /// Fewest hours of history from which it can be fitted for a horizon.
    fn needs(&self, horizon: usize) -> usize;

    /// Chooses the parameters from a history of at least [`Forecaster::needs`] hours.
    ///
    /// # Errors
    /// [`ForecastError`] when the history does not determine them.
    fn fit(&self, history: History<'_>, horizon: usize) -> Result<Box<dyn Fitted>, ForecastError>;
}

/// A forecaster with its parameters.
///
/// It keeps no state between origins: what it knows of the past it takes from the history given. So origins can be
/// asked in any order and on any thread.
pub trait Fitted: Send + Sync {
    /// Forecasts the hours after `history`, as many as `hours` has room for and at most the horizon of the fit.
    ///
    /// The history is at least as long as the one of the fit needed to be; parameters stay as fitted.
    ///
    /// # Errors
    /// [`ForecastError`] when this history cannot be forecast.
    fn forecast(&self, history: History<'_>, hours: &mut [f64]) -> Result<(), ForecastError>;
}

/// Every forecaster of this build, simplest first: where two are equally good, the earlier one wins.
#[must_use]
pub fn forecasters() -> Vec<Box<dyn Forecaster>> {
    vec![
        Box::new(SeasonalNaive::daily()),
        Box::new(SeasonalNaive::weekly()),
        Box::new(SameHourMean::default()),
        Box::new(Smoothing),
        Box::new(Linear),
    ]
}

#[cfg(test)]
mod contract;
