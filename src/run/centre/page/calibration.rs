//! How a centre was fitted, and how it meets days it has not seen, as a section of the page.

use tierwise_envs::calibrate::{Calibration as Fitted, GoodnessOfFit, Source};
use tierwise_reports::{
    BandCoverage, Calibration, FittedParameter, HourlyVolume, ParameterSource, PredictiveCheck,
    ProbabilityScore, QuantilePlot, QuantilePoint, QuantityUnit, Reason, ReliabilityBin, Sentence,
    Uncertain, VolumeHour,
};

/// The unit that a name's ending tells.
fn unit(name: &str, value: f64) -> QuantityUnit {
    if name.ends_with("_s") || name.contains("seconds") {
        QuantityUnit::Seconds
    } else if (0.0..=1.0).contains(&value) {
        QuantityUnit::Share
    } else {
        QuantityUnit::Count
    }
}

fn stated(note: Option<&String>) -> Reason {
    let text = note
        .cloned()
        .unwrap_or_else(|| "a default of the simulator".to_owned());
    Reason::Stated(Sentence::new(text.clone(), text))
}

pub(super) fn calibration(fitted: &Fitted) -> Calibration {
    let mut section = Calibration {
        fitted_days: u64::from(fitted.days.saturating_sub(fitted.test_days)),
        held_out_days: u64::from(fitted.test_days),
        parameters: fitted.parameters.iter().map(parameter).collect(),
        ..Calibration::default()
    };
    if let Some(fit) = &fitted.fit {
        section.checks = checks(fit);
        section.distributions = distributions(fit);
        section.hourly_volume = volume(fit);
        section.coverage = coverage(fit);
        section.scores = scores(fit);
    }
    section
}

fn parameter(of: &tierwise_envs::calibrate::Parameter) -> FittedParameter {
    let known = of.standard_error.is_some() && of.source != Source::Assumed;
    let name = match &of.cell {
        Some(cell) => format!("{} [{cell}]", of.key),
        None => of.key.clone(),
    };
    FittedParameter {
        unit: unit(&of.key, of.estimate),
        name,
        class: None,
        tier: None,
        estimate: of.estimate,
        standard_error: of.standard_error.filter(|_| known),
        n: known.then_some(of.n),
        source: match of.source {
            Source::Fitted if known => ParameterSource::Fitted,
            Source::Pooled if known => ParameterSource::Pooled {
                reason: stated(of.note.as_ref()),
            },
            _ => ParameterSource::Assumed {
                reason: stated(of.note.as_ref()),
            },
        },
    }
}

fn checks(fit: &GoodnessOfFit) -> Vec<PredictiveCheck> {
    fit.totals
        .iter()
        .map(|total| PredictiveCheck {
            unit: unit(&total.name, total.observed.max(total.upper)),
            quantity: total.name.clone(),
            class: None,
            tier: None,
            observed: total.observed,
            observed_n: fit.conversations,
            simulated: Uncertain::new(total.simulated, total.lower, total.upper),
        })
        .collect()
}

fn distributions(fit: &GoodnessOfFit) -> Vec<QuantilePlot> {
    fit.distributions
        .iter()
        .filter(|d| d.observed > 0 && d.simulated > 0)
        .map(|d| QuantilePlot {
            quantity: d.name.clone(),
            class: None,
            tier: None,
            unit: QuantityUnit::Seconds,
            points: d
                .quantiles
                .iter()
                .enumerate()
                .map(|(i, (observed, simulated))| QuantilePoint {
                    probability: 0.05 * (i + 1) as f64,
                    observed: *observed,
                    simulated: *simulated,
                })
                .collect(),
            ks_distance: d.distance,
            ks_p_value: Some(d.p_value),
            observed_n: d.observed,
            simulated_n: d.simulated,
        })
        .collect()
}

/// The band of hours, if one was compared.
fn volume(fit: &GoodnessOfFit) -> Option<HourlyVolume> {
    let band = fit
        .bands
        .iter()
        .find(|band| band.name.contains("contacts") || band.name.contains("volume"))?;
    Some(HourlyVolume {
        first_hour: 0,
        hours: band
            .values
            .iter()
            .map(|(observed, lower, upper)| VolumeHour {
                observed: *observed,
                simulated: Uncertain::new(0.5 * (lower + upper), *lower, *upper),
            })
            .collect(),
    })
}

/// Share of the cells inside with Wilson's interval.
fn coverage(fit: &GoodnessOfFit) -> Vec<BandCoverage> {
    fit.bands
        .iter()
        .filter(|band| band.cells > 0)
        .map(|band| {
            let (n, share) = (f64::from(band.cells), band.coverage());
            let z2 = 1.96_f64 * 1.96;
            let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
            let half =
                1.96 * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
            BandCoverage {
                quantity: band.name.clone(),
                nominal: 0.9,
                covered: Uncertain::new(
                    share,
                    (centre - half).clamp(0.0, share),
                    (centre + half).clamp(share, 1.0),
                ),
                n: u64::from(band.cells),
            }
        })
        .collect()
}

fn scores(fit: &GoodnessOfFit) -> Vec<ProbabilityScore> {
    fit.forecasts
        .iter()
        .map(|forecast| {
            let exact = |value: f64| Uncertain::new(value, value, value);
            ProbabilityScore {
                model: forecast.name.clone(),
                brier: exact(forecast.brier),
                brier_of_mean: Some(forecast.brier_of_mean),
                calibration_error: exact(forecast.calibration_error),
                n: forecast.n,
                bins: forecast
                    .bins
                    .iter()
                    .map(|(promised, observed)| ReliabilityBin {
                        promised: *promised,
                        observed: *observed,
                        n: forecast.n / forecast.bins.len().max(1) as u64,
                    })
                    .collect(),
            }
        })
        .collect()
}
