//! One look at a ratio of means with a margin: the fixed-horizon counterpart of the e-process's two sides.
//!
//! For finished tests of which only totals or unit rows are known. It holds for large samples, at one look whose time was
//! fixed before the start.

use super::eprocess::Side;
use super::error::StatsError;
use super::special::normal_sf;
use super::tally::Sample;

/// One-sided p-value against `m_b ≤ ρ·m_a` (promote) or `m_b ≥ ρ·m_a` (roll back), over strata of (control, treatment).
///
/// z = Σ wₖ(m_bk − ρ·m_ak) / √Σ wₖ²(v_bk/n_bk + ρ²·v_ak/n_ak), with wₖ the stratum's part of all units. Strata may have
/// shares of their own; one without two units in both arms says nothing and is left out.
///
/// # Errors
/// [`StatsError::TooFewUnits`] when no stratum has two units in both arms; [`StatsError::NoVariance`].
/// # Source
/// Post-stratification: Cochran, *Sampling Techniques*, 3rd ed., §5A.9; for one stratum and ρ = 1 the unpooled z test.
pub fn one_look(strata: &[(Sample, Sample)], side: Side, ratio: f64) -> Result<f64, StatsError> {
    let used: Vec<&(Sample, Sample)> = strata
        .iter()
        .filter(|(a, b)| a.units >= 2.0 && b.units >= 2.0)
        .collect();
    if used.is_empty() {
        let smaller = |pair: &(Sample, Sample)| pair.0.units.min(pair.1.units) as u64;
        return Err(StatsError::TooFewUnits {
            needed: 2,
            have: strata.iter().map(smaller).max().unwrap_or(0),
        });
    }
    let total: f64 = used.iter().map(|(a, b)| a.units + b.units).sum();
    let (mut difference, mut variance) = (0.0, 0.0);
    for (a, b) in used {
        let weight = (a.units + b.units) / total;
        difference += weight * (b.mean - ratio * a.mean);
        variance += weight * weight * (b.error_squared() + ratio * ratio * a.error_squared());
    }
    if variance.is_nan() || variance <= 0.0 {
        return Err(StatsError::NoVariance);
    }
    let z = difference / variance.sqrt();
    Ok(match side {
        Side::Promote => normal_sf(z),
        Side::RollBack => normal_sf(-z),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::tally::Count;

    fn sample(units: u64, conversions: u64) -> Sample {
        Count { units, conversions }.sample()
    }

    #[test]
    fn p_values_are_those_of_the_formula() {
        // Python's math.erfc(z/√2)/2 with z from the doc of `one_look`, in a script of its own.
        let one = [(sample(1000, 100), sample(1200, 150))];
        let two = [one[0], (sample(500, 200), sample(100, 30))];
        for (strata, side, ratio, expected) in [
            (&one[..], Side::Promote, 1.0, 0.031_620_933_938_444),
            (&one[..], Side::RollBack, 1.0, 0.968_379_066_061_556),
            (&one[..], Side::Promote, 0.95, 0.011_155_926_491_501),
            (&two[..], Side::RollBack, 0.9, 0.840_702_316_554_665),
        ] {
            let p = one_look(strata, side, ratio).unwrap();
            assert!((p - expected).abs() < 1e-9, "{p} {expected}");
        }
    }

    #[test]
    fn nothing_is_said_of_no_variance_or_no_units() {
        let p = |a, b| one_look(&[(a, b)], Side::Promote, 1.0);
        assert_eq!(p(sample(10, 0), sample(10, 0)), Err(StatsError::NoVariance));
        assert!(matches!(
            p(sample(1, 1), sample(10, 5)),
            Err(StatsError::TooFewUnits { needed: 2, have: 1 })
        ));
        assert!(one_look(&[], Side::Promote, 1.0).is_err());
    }
}
