//! GrowthBook's sequential rule: an asymptotic confidence sequence around the Welch or delta-method estimate.
//!
//! Here for comparison. It is not anytime-valid at small rates or through ramps; docs/statistics.md measures by how much.

use super::comparison::Comparison;
use super::error::{Alpha, StatsError};

/// Sample size at which GrowthBook's default sequence is tightest.
pub const DEFAULT_TUNING: f64 = 5000.0;

/// The sequence's interval and p-value for an estimate with `variance`, from `units` in both arms together.
///
/// # Errors
/// [`StatsError::NoVariance`].
/// # Source
/// Waudby-Smith et al., *Time-uniform central limit theory and asymptotic confidence sequences*, arXiv 2103.06476v7,
/// eq. 9, 155 and 161, as `gbstats` 0.8 applies them.
pub fn growthbook_sequential(
    estimate: f64,
    variance: f64,
    units: f64,
    alpha: Alpha,
    tuning: f64,
) -> Result<Comparison, StatsError> {
    if !(variance > 0.0 && variance.is_finite()) {
        return Err(StatsError::NoVariance);
    }
    let alpha = alpha.get();
    let twice = -2.0 * alpha.ln();
    let rho_squared = (twice + twice.ln_1p()) / tuning;
    let grown = units * rho_squared + 1.0;
    let width = (variance * units).sqrt()
        * (2.0 * grown * (0.5 * grown.ln() - alpha.ln()) / (units * units * rho_squared)).sqrt();
    let square = estimate * estimate * units / variance;
    let log_e = rho_squared * square / (2.0 * grown) - 0.5 * grown.ln();
    Ok(Comparison::around(
        estimate,
        width,
        Some((-log_e).exp().min(1.0)),
    ))
}
