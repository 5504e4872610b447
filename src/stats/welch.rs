//! Welch's t test for two means with unequal variances, at a fixed horizon.

use super::comparison::Comparison;
use super::error::{Alpha, StatsError};
use super::special::{student_sf, student_upper_quantile};
use super::tally::Sample;

/// Welch's t test and interval for the difference of means.
///
/// Degrees of freedom after Satterthwaite.
///
/// # Errors
/// [`StatsError::TooFewUnits`] below two units in an arm; [`StatsError::NoVariance`].
/// # Source
/// B. L. Welch, Biometrika 1947.
pub fn welch(control: Sample, treatment: Sample, alpha: Alpha) -> Result<Comparison, StatsError> {
    let freedom = freedom(control, treatment)?;
    let error = (control.error_squared() + treatment.error_squared()).sqrt();
    if error <= 0.0 {
        return Err(StatsError::NoVariance);
    }
    Ok(student(
        treatment.mean - control.mean,
        error,
        freedom,
        alpha,
    ))
}

/// An interval and a p-value from an estimate, its standard error and its degrees of freedom.
pub(super) fn student(estimate: f64, error: f64, freedom: f64, alpha: Alpha) -> Comparison {
    let width = student_upper_quantile(alpha.get() / 2.0, freedom) * error;
    let p_value = (2.0 * student_sf((estimate / error).abs(), freedom)).min(1.0);
    Comparison::around(estimate, width, Some(p_value))
}

/// Satterthwaite's degrees of freedom.
///
/// # Errors
/// [`StatsError::TooFewUnits`] below two units in an arm; [`StatsError::NoVariance`].
pub(super) fn freedom(control: Sample, treatment: Sample) -> Result<f64, StatsError> {
    let have = control.units.min(treatment.units);
    if have < 2.0 {
        return Err(StatsError::TooFewUnits {
            needed: 2,
            have: have.max(0.0) as u64,
        });
    }
    let (a, b) = (control.error_squared(), treatment.error_squared());
    let total = a + b;
    if total <= 0.0 {
        return Err(StatsError::NoVariance);
    }
    // As fractions of the total, so that tiny variances do not vanish when squared.
    let (a, b) = (a / total, b / total);
    Ok(1.0 / (a * a / (control.units - 1.0) + b * b / (treatment.units - 1.0)))
}
