//! How much the order of policies hangs on numbers that nobody knows exactly, as a section of the page.

use tierwise_envs::centre::Sensitivity;
use tierwise_reports::{
    Measure, NamedValue, ParameterSamples, ParameterSensitivity, ParameterSwing, QuantityUnit,
    RankCount, RankFlip, Uncertain,
};

/// Intervals are of this level: 1.96 standard errors over seeds.
const LEVEL: f64 = 0.95;

fn difference(of: &tierwise_envs::centre::Ranking, policy: usize) -> Uncertain {
    let value = of.differences[policy];
    let half = 1.96 * of.standard_errors[policy].unwrap_or(0.0);
    Uncertain::new(value, value - half, value + half)
}

/// The last policy against the first, by every knob; `None` with fewer than two policies.
pub(super) fn sensitivity(found: &Sensitivity, conversations: u64) -> Option<ParameterSensitivity> {
    let candidate = best_candidate(found)?;
    let mut parameters: Vec<ParameterSwing> = Vec::new();
    for pair in found.one_at_a_time.chunks(2) {
        let [down, up] = pair else { continue };
        parameters.push(ParameterSwing {
            name: down.knob.name().to_owned(),
            class: None,
            tier: None,
            unit: QuantityUnit::Count,
            value: 1.0,
            lower_by_change: difference(&down.ranking, candidate),
            higher_by_change: difference(&up.ranking, candidate),
        });
    }
    let samples = found.latin.len() as u64;
    Some(ParameterSensitivity {
        measure: Measure::Reward,
        candidate: found.policies[candidate].clone(),
        baseline: found.policies[0].clone(),
        level: LEVEL,
        change: found.plan.spread,
        as_fitted: difference(&found.base, candidate),
        n: conversations,
        parameters,
        samples: (samples > 0).then(|| ParameterSamples {
            samples,
            ranks_first: found
                .policies
                .iter()
                .enumerate()
                .map(|(i, policy)| RankCount {
                    policy: policy.clone(),
                    samples: found.latin.iter().filter(|at| at.ranking.best == i).count() as u64,
                })
                .collect(),
            flips: flips(found, candidate),
        }),
    })
}

fn best_candidate(found: &Sensitivity) -> Option<usize> {
    (1..found.policies.len())
        .max_by(|a, b| found.base.rewards[*a].total_cmp(&found.base.rewards[*b]))
}

/// Samples in which another policy than as fitted earns most.
fn flips(found: &Sensitivity, candidate: usize) -> Vec<RankFlip> {
    found
        .latin
        .iter()
        .enumerate()
        .filter(|(_, at)| at.ranking.best != found.base.best)
        .map(|(i, at)| RankFlip {
            sample: i as u64 + 1,
            winner: found.policies[at.ranking.best].clone(),
            difference: difference(&at.ranking, candidate),
            settings: found
                .plan
                .knobs
                .iter()
                .zip(&at.factors)
                .map(|(knob, factor)| NamedValue::new(knob.name(), format!("× {factor:.2}")))
                .collect(),
        })
        .collect()
}
