//! CUPED: less variance through what was known of each unit before the experiment.

use super::error::StatsError;
use super::tally::{PairedMoments, Sample};

/// Both arms after adjustment, and the slope used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// The control, adjusted.
    pub control: Sample,
    /// The treatment, adjusted.
    pub treatment: Sample,
    /// The control's mean before adjustment: relative lifts divide by it.
    pub control_unadjusted_mean: f64,
    /// θ = cov(y, x)/var(x) over both arms together.
    pub slope: f64,
}

/// Adjusts outcomes by the pre-period value: y − θ(x − x̄), with one θ from all units of both arms.
///
/// Adjusted means are centred on the pooled pre-period mean, so they stay readable as outcomes; differences are unchanged.
///
/// # Errors
/// [`StatsError::TooFewUnits`] below two units.
/// # Source
/// Deng, Xu, Kohavi & Walker, *Improving the sensitivity of online controlled experiments by utilizing pre-experiment
/// data*, WSDM 2013.
pub fn cuped(control: &PairedMoments, treatment: &PairedMoments) -> Result<Adjusted, StatsError> {
    let have = control.outcome.units.min(treatment.outcome.units);
    if have < 2 {
        return Err(StatsError::TooFewUnits { needed: 2, have });
    }
    let mut joint = control.clone();
    joint += treatment;
    let pre = joint.other.sample();
    let slope = if pre.variance > 0.0 {
        joint.covariance() / pre.variance
    } else {
        0.0
    };
    let adjust = |arm: &PairedMoments| {
        let (y, x) = (arm.outcome.sample(), arm.other.sample());
        Sample {
            units: y.units,
            mean: y.mean - slope * (x.mean - pre.mean),
            variance: (y.variance + slope * slope * x.variance - 2.0 * slope * arm.covariance())
                .max(0.0),
        }
    };
    Ok(Adjusted {
        control: adjust(control),
        treatment: adjust(treatment),
        control_unadjusted_mean: control.outcome.sample().mean,
        slope,
    })
}
