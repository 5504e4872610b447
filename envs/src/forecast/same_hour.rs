//! The mean of the same hour of the week over the last weeks.

use super::{Fitted, ForecastError, Forecaster, History, WEEK};

/// ŷ(t + s) = mean of y(t + s − 168 j) over j = 1 … k, as far back as the history goes.
#[derive(Debug, Clone, Copy)]
pub struct SameHourMean {
    weeks: usize,
}

impl SameHourMean {
    /// The mean of at most `weeks` weeks, at least one.
    #[must_use]
    pub fn new(weeks: usize) -> Self {
        Self {
            weeks: weeks.max(1),
        }
    }
}

impl Default for SameHourMean {
    /// Four weeks: the noise of one week is halved, and a level that changed a month ago is forgotten.
    fn default() -> Self {
        Self::new(4)
    }
}

impl Forecaster for SameHourMean {
    fn name(&self) -> &'static str {
        "same-hour-mean"
    }

    fn about(&self) -> &'static str {
        "mean of the same hour of the week, last 4 weeks"
    }

    fn needs(&self, _: usize) -> usize {
        WEEK
    }

    fn fit(&self, _: History<'_>, _: usize) -> Result<Box<dyn Fitted>, ForecastError> {
        Ok(Box::new(*self))
    }
}

impl Fitted for SameHourMean {
    fn forecast(&self, history: History<'_>, hours: &mut [f64]) -> Result<(), ForecastError> {
        let counts = history.counts;
        let weeks = self.weeks.min(counts.len() / WEEK);
        for (step, hour) in hours.iter_mut().enumerate() {
            // A step beyond a week falls back into the last known one.
            let back = step % WEEK;
            let sum: f64 = (1..=weeks)
                .map(|week| counts[counts.len() + back - WEEK * week])
                .sum();
            *hour = sum / weeks as f64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_averaged_hour_by_hour() {
        // Weeks at levels 10, 20, 60 with the hour added: the mean of the last two is 40 plus the hour.
        let counts: Vec<f64> = [10.0, 20.0, 60.0]
            .iter()
            .flat_map(|level| (0..WEEK).map(move |hour| level + hour as f64))
            .collect();
        let history = History {
            counts: &counts,
            first_hour_of_week: 5,
        };
        let mut hours = [0.0; 3];
        let mean = SameHourMean::new(2);
        mean.forecast(history, &mut hours).unwrap();
        assert_eq!(hours, [40.0, 41.0, 42.0]);
        // Four weeks asked, three known: (10 + 20 + 60) / 3.
        let mean = SameHourMean::default();
        mean.forecast(history, &mut hours).unwrap();
        assert_eq!(hours, [30.0, 31.0, 32.0]);
    }
}
