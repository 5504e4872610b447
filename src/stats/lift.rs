//! Relative lift by the delta method: how much more, as a fraction of the control.

use super::comparison::Comparison;
use super::error::{Alpha, StatsError};
use super::special::{normal_sf, normal_upper_quantile};
use super::tally::Sample;
use super::welch::{freedom, student};

/// Which distribution gives the interval of a lift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiftReference {
    /// Student's t with Satterthwaite's degrees of freedom.
    Student,
    /// The normal distribution.
    Normal,
}

/// Estimate and variance of `(ȳ₁ − ȳ₀)/ȳ₀` to first order.
///
/// # Errors
/// [`StatsError::ZeroBaseline`], [`StatsError::NoVariance`].
pub fn delta(control: Sample, treatment: Sample) -> Result<(f64, f64), StatsError> {
    if control.mean == 0.0 {
        return Err(StatsError::ZeroBaseline);
    }
    let ratio = treatment.mean / control.mean;
    let square = control.mean * control.mean;
    let variance =
        treatment.error_squared() / square + ratio * ratio * control.error_squared() / square;
    if variance > 0.0 {
        Ok(((treatment.mean - control.mean) / control.mean, variance))
    } else {
        Err(StatsError::NoVariance)
    }
}

/// Relative lift with an interval and a p-value against no lift.
///
/// # Errors
/// As [`delta`]; [`StatsError::TooFewUnits`] below two units.
pub fn relative_lift(
    control: Sample,
    treatment: Sample,
    alpha: Alpha,
    reference: LiftReference,
) -> Result<Comparison, StatsError> {
    let freedom = freedom(control, treatment)?;
    let (estimate, variance) = delta(control, treatment)?;
    let error = variance.sqrt();
    Ok(match reference {
        LiftReference::Student => student(estimate, error, freedom, alpha),
        LiftReference::Normal => Comparison::around(
            estimate,
            normal_upper_quantile(alpha.get() / 2.0) * error,
            Some((2.0 * normal_sf((estimate / error).abs())).min(1.0)),
        ),
    })
}
