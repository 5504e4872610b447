//! Ratio metrics: Σ numerator / Σ denominator over units, such as revenue per order when the unit is a customer.

use super::error::StatsError;
use super::tally::{PairedMoments, Sample};

/// The ratio as a sample whose variance comes from the delta method; feed it to Welch or to the lift.
///
/// Var ≈ (s²ₘ/d̄² − 2·m̄·sₘd/d̄³ + m̄²·s²d/d̄⁴) per unit, with m the numerator (the outcome) and d the denominator.
///
/// # Errors
/// [`StatsError::TooFewUnits`] below two units; [`StatsError::ZeroBaseline`] when denominators sum to zero.
/// # Source
/// Deng, Knoblich & Lu, *Applying the delta method in metric analytics*, KDD 2018.
pub fn ratio_sample(tally: &PairedMoments) -> Result<Sample, StatsError> {
    let (m, d) = (tally.outcome.sample(), tally.other.sample());
    if tally.outcome.units < 2 {
        return Err(StatsError::TooFewUnits {
            needed: 2,
            have: tally.outcome.units,
        });
    }
    if d.mean == 0.0 {
        return Err(StatsError::ZeroBaseline);
    }
    let ratio = m.mean / d.mean;
    let variance = (m.variance - 2.0 * ratio * tally.covariance() + ratio * ratio * d.variance)
        / (d.mean * d.mean);
    Ok(Sample {
        units: m.units,
        mean: ratio,
        variance: variance.max(0.0),
    })
}
