//! How far above a forecast to plan: quantiles of what it was off by.

use super::{DAY, ForecastError};

/// The q-quantile of values in ascending order, linear between order statistics.
///
/// With h = (n − 1) q: x₍⌊h⌋₎ + (h − ⌊h⌋)(x₍⌊h⌋+1₎ − x₍⌊h⌋₎), counted from 0. Takes n ≥ 1 values and q in [0, 1].
/// # Source
/// Hyndman & Fan, The American Statistician 50(4), 1996, definition 7.
#[must_use]
pub fn empirical_quantile(ascending: &[f64], q: f64) -> f64 {
    let h = (ascending.len() - 1) as f64 * q;
    let below = h.floor() as usize;
    let above = (below + 1).min(ascending.len() - 1);
    ascending[below] + (h - below as f64) * (ascending[above] - ascending[below])
}

/// The quantile of a forecaster's errors (count − forecast) by hour of the day.
///
/// Errors of all steps of the horizon are pooled, since busy hours differ more from quiet ones than early steps from
/// late ones. An hour of the day with fewer than 2 / min(q, 1 − q) errors, which would put less than two beyond the
/// quantile, takes the quantile of all hours.
#[derive(Debug, Clone, PartialEq)]
pub struct HourlyMargins {
    by_hour: [f64; DAY],
}

impl HourlyMargins {
    /// From pairs of hour of the day and error, and q in (0, 1).
    ///
    /// # Errors
    /// [`ForecastError::NothingCounted`] of `part` when there is no error at all.
    pub fn new(
        errors: impl IntoIterator<Item = (usize, f64)>,
        q: f64,
        part: &'static str,
    ) -> Result<Self, ForecastError> {
        let mut hours = vec![Vec::new(); DAY];
        for (hour, error) in errors {
            hours[hour % DAY].push(error);
        }
        let mut all = hours.concat();
        if all.is_empty() {
            return Err(ForecastError::NothingCounted { part });
        }
        all.sort_unstable_by(f64::total_cmp);
        let overall = empirical_quantile(&all, q);
        let fewest = 2.0 / q.min(1.0 - q);
        let mut by_hour = [overall; DAY];
        for (margin, errors) in by_hour.iter_mut().zip(&mut hours) {
            // The slack takes 2 / (1 − 0.9) for 20.
            if errors.len() as f64 >= fewest - 1e-9 {
                errors.sort_unstable_by(f64::total_cmp);
                *margin = empirical_quantile(errors, q);
            }
        }
        Ok(Self { by_hour })
    }

    /// What to add to a forecast of this hour of the week.
    #[must_use]
    pub fn at(&self, hour_of_week: usize) -> f64 {
        self.by_hour[hour_of_week % DAY]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_linear_between_order_statistics() {
        // By hand: h = 4 · 0.9 = 3.6, between 8 and 16.
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        assert!((empirical_quantile(&values, 0.9) - 12.8).abs() < 1e-12);
        assert_eq!(empirical_quantile(&values, 0.5), 4.0);
        assert_eq!(empirical_quantile(&values, 1.0), 16.0);
        assert_eq!(empirical_quantile(&[3.0], 0.9), 3.0);
    }

    #[test]
    fn an_hour_with_few_errors_takes_the_quantile_of_all() {
        // Hour 0 has the errors 1 … 21, hour 1 only -100; 22 in all.
        let errors = (1..=21)
            .map(|e| (0, f64::from(e)))
            .chain([(1, -100.0)])
            .collect::<Vec<_>>();
        let margins = HourlyMargins::new(errors, 0.9, "it").unwrap();
        assert!((margins.at(24) - 19.0).abs() < 1e-12);
        // All: h = 21 · 0.9 = 18.9 among -100, 1, …, 21, that is 18 + 0.9.
        assert!((margins.at(1) - 18.9).abs() < 1e-12);
        assert!((margins.at(2) - 18.9).abs() < 1e-12);
        let nothing = HourlyMargins::new([], 0.9, "the last quarter").unwrap_err();
        assert!(nothing.to_string().contains("the last quarter"));
    }
}
