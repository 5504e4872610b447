//! Forecasts that repeat the last day or the last week.

use super::{DAY, Fitted, ForecastError, Forecaster, History, WEEK};

/// Repeats the last season: ŷ(t + s) = y(t + s − m·⌈s / m⌉), with season m in hours.
#[derive(Debug, Clone, Copy)]
pub struct SeasonalNaive {
    season: usize,
    name: &'static str,
    about: &'static str,
}

impl SeasonalNaive {
    /// The same hour of the day before.
    #[must_use]
    pub fn daily() -> Self {
        Self {
            season: DAY,
            name: "naive-24",
            about: "the same hour of the last day",
        }
    }

    /// The same hour of the week before.
    #[must_use]
    pub fn weekly() -> Self {
        Self {
            season: WEEK,
            name: "naive-168",
            about: "the same hour of the last week",
        }
    }
}

impl Forecaster for SeasonalNaive {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn needs(&self, _: usize) -> usize {
        self.season
    }

    fn fit(&self, _: History<'_>, _: usize) -> Result<Box<dyn Fitted>, ForecastError> {
        Ok(Box::new(*self))
    }
}

impl Fitted for SeasonalNaive {
    fn forecast(&self, history: History<'_>, hours: &mut [f64]) -> Result<(), ForecastError> {
        let season = history.last(self.season).counts;
        for (hour, count) in hours.iter_mut().zip(season.iter().cycle()) {
            *hour = *count;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_horizon_beyond_the_season_repeats_it() {
        let counts: Vec<f64> = (0..48).map(f64::from).collect();
        let history = History {
            counts: &counts,
            first_hour_of_week: 0,
        };
        let mut hours = [0.0; 26];
        let naive = SeasonalNaive::daily();
        naive.forecast(history, &mut hours).unwrap();
        assert_eq!(hours[0], 24.0);
        assert_eq!(hours[23], 47.0);
        assert_eq!(hours[24..], [24.0, 25.0]);
    }
}
