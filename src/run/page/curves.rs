//! Learning curves of the runs: median and range over seeds.

use tierwise_policies::artefact::Evidence as Learned;
use tierwise_reports::{
    CurvePoint, Evidence, LearningCurve, LearningCurves, Measure, ReferenceLine, StepUnit,
};

use crate::run::evaluation::BASELINE;
use crate::run::train::TrainResult;

/// The curves of every training; `None` when none has two points.
pub(super) fn learning_curves(trainings: &[TrainResult]) -> Option<LearningCurves> {
    let curves: Vec<LearningCurve> = trainings.iter().filter_map(learning_curve).collect();
    if curves.is_empty() {
        return None;
    }
    let simulated = trainings
        .iter()
        .any(|training| training.evidence == Learned::Simulated);
    Some(LearningCurves {
        measure: Measure::Reward,
        step_unit: StepUnit::Decisions,
        band_lower_quantile: 0.0,
        band_upper_quantile: 1.0,
        references: trainings
            .first()
            .and_then(|training| training.baseline.and_then(|score| score.value))
            .map(|value| ReferenceLine {
                name: BASELINE.to_owned(),
                value,
            })
            .into_iter()
            .collect(),
        curves,
        evidence: if simulated {
            Evidence::Simulated
        } else {
            Evidence::Logged
        },
    })
}

/// Median and range over seeds at the points where every seed has a value.
fn learning_curve(training: &TrainResult) -> Option<LearningCurve> {
    let points = training.seeds.iter().map(|seed| seed.curve.len()).min()?;
    let mut median_and_range = Vec::new();
    let mut per_seed = vec![Vec::new(); training.seeds.len()];
    for i in 0..points {
        let values: Option<Vec<f64>> = training
            .seeds
            .iter()
            .map(|seed| seed.curve[i].score.value)
            .collect();
        let Some(values) = values else { continue };
        for (line, value) in per_seed.iter_mut().zip(&values) {
            line.push(*value);
        }
        let mut sorted = values;
        sorted.sort_unstable_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        median_and_range.push(CurvePoint {
            step: training.seeds[0].curve[i].steps,
            median,
            lower: sorted[0],
            upper: sorted[sorted.len() - 1],
        });
    }
    (median_and_range.len() > 1).then(|| LearningCurve {
        learner: training.name.clone(),
        seeds: training.seeds.len() as u64,
        points: median_and_range,
        per_seed,
    })
}
