//! Two proportions at a fixed horizon: z tests, Wald's and Newcombe's intervals.
//!
//! Valid for one look at a size that was fixed before the start; see [`crate::stats::eprocess`] for looking all day.

use super::comparison::Comparison;
use super::error::{Alpha, StatsError};
use super::special::{normal_sf, normal_upper_quantile};
use super::tally::Count;

fn both(control: Count, treatment: Count) -> Result<(), StatsError> {
    let have = control.units.min(treatment.units);
    if have == 0 {
        return Err(StatsError::TooFewUnits { needed: 1, have });
    }
    Ok(())
}

/// Two-proportion z test with the pooled rate, and Wald's interval around the difference.
///
/// z = (p₁ − p₀) / √(p̄(1 − p̄)(1/n₀ + 1/n₁)). The interval uses the unpooled error, as is usual, so interval and p-value
/// may disagree by a hair.
///
/// # Errors
/// [`StatsError::TooFewUnits`] without units; [`StatsError::NoVariance`] when nobody or everybody converted.
pub fn pooled_z(control: Count, treatment: Count, alpha: Alpha) -> Result<Comparison, StatsError> {
    both(control, treatment)?;
    let (n0, n1) = (control.units as f64, treatment.units as f64);
    let all = n0 + n1;
    let pooled = (control.conversions as f64 + treatment.conversions as f64) / all;
    let rest = (control.failures() as f64 + treatment.failures() as f64) / all;
    let variance = pooled * rest * (1.0 / n0 + 1.0 / n1);
    if variance <= 0.0 {
        return Err(StatsError::NoVariance);
    }
    let estimate = treatment.rate() - control.rate();
    let z = estimate / variance.sqrt();
    let width = normal_upper_quantile(alpha.get() / 2.0) * unpooled_error(control, treatment);
    Ok(Comparison::around(
        estimate,
        width,
        Some((2.0 * normal_sf(z.abs())).min(1.0)),
    ))
}

/// Two-proportion z test with each arm's own rate, and Wald's interval.
///
/// # Errors
/// As [`pooled_z`]; also when each arm is all or nothing.
pub fn unpooled_z(
    control: Count,
    treatment: Count,
    alpha: Alpha,
) -> Result<Comparison, StatsError> {
    both(control, treatment)?;
    let error = unpooled_error(control, treatment);
    if error <= 0.0 {
        return Err(StatsError::NoVariance);
    }
    let estimate = treatment.rate() - control.rate();
    let p_value = (2.0 * normal_sf((estimate / error).abs())).min(1.0);
    let width = normal_upper_quantile(alpha.get() / 2.0) * error;
    Ok(Comparison::around(estimate, width, Some(p_value)))
}

fn unpooled_error(control: Count, treatment: Count) -> f64 {
    (control.sample().error_squared() + treatment.sample().error_squared()).sqrt()
}

/// Newcombe's hybrid score interval for a difference of proportions, which holds where Wald's collapses: at 0 of n and
/// n of n. It has no p-value of its own.
///
/// # Errors
/// [`StatsError::TooFewUnits`] without units.
/// # Source
/// R. G. Newcombe, *Interval estimation for the difference between independent proportions*, Stat. Med. 1998, method 10.
pub fn newcombe(control: Count, treatment: Count, alpha: Alpha) -> Result<Comparison, StatsError> {
    both(control, treatment)?;
    let z = normal_upper_quantile(alpha.get() / 2.0);
    let (low0, high0) = wilson(control, z);
    let (low1, high1) = wilson(treatment, z);
    let (p0, p1) = (control.rate(), treatment.rate());
    let estimate = p1 - p0;
    Ok(Comparison {
        estimate,
        lower: estimate - (p1 - low1).hypot(high0 - p0),
        upper: estimate + (high1 - p1).hypot(p0 - low0),
        p_value: None,
    })
}

/// Wilson's score interval of one proportion at z standard errors.
#[must_use]
pub fn wilson(count: Count, z: f64) -> (f64, f64) {
    let n = count.units as f64;
    let square = z * z;
    let p = count.rate();
    let centre = (count.conversions as f64 + 0.5 * square) / (n + square);
    let width = z * (p * count.failures() as f64 + 0.25 * square).sqrt() / (n + square);
    // At the ends the formula gives 0 and 1 up to rounding.
    let low = if count.conversions == 0 {
        0.0
    } else {
        centre - width
    };
    let high = if count.failures() == 0 {
        1.0
    } else {
        centre + width
    };
    (low.max(0.0), high.min(1.0))
}
