//! Claims made elsewhere, beside what a simulation of the same kind of operation says.

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::CentreKpi;

use super::simulation::PolicyResult;
use crate::config::{ClaimMeasure, Simulation, TrainConfig};

/// A claim and what is simulated for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimResult {
    /// What it is about.
    pub measure: ClaimMeasure,
    /// What was said, in its own words.
    pub said: String,
    /// Simulated before, in the measure's unit.
    pub before: Option<f64>,
    /// Simulated now, under the policy named.
    pub after: Option<f64>,
    /// The policy that decides now.
    pub policy: String,
    /// Relative change, after over before minus 1.
    pub change: Option<f64>,
    /// What had to be assumed.
    pub assumed: String,
}

/// Every claim under the last policy, which is the newest.
pub(super) fn claims(
    config: &TrainConfig,
    setting: &Simulation,
    before: Option<&PolicyResult>,
    results: &[PolicyResult],
) -> Vec<ClaimResult> {
    let Some(after) = results.last() else {
        return Vec::new();
    };
    setting
        .claim
        .iter()
        .map(|claim| {
            let of = |result: &PolicyResult| figure(claim.measure, result);
            let (then, now) = match claim.measure {
                ClaimMeasure::Languages => (None, Some(config.shop.language.len() as f64)),
                _ => (before.and_then(of), of(after)),
            };
            ClaimResult {
                measure: claim.measure,
                said: claim.said.clone(),
                before: then,
                after: now,
                policy: after.name.clone(),
                change: then
                    .zip(now)
                    .filter(|(then, _)| *then > 0.0)
                    .map(|(then, now)| now / then - 1.0),
                assumed: claim.assumed.clone(),
            }
        })
        .collect()
}

fn figure(measure: ClaimMeasure, result: &PolicyResult) -> Option<f64> {
    let kpi = |kpi: CentreKpi| result.kpis.get(kpi.name()).map(|interval| interval.value);
    match measure {
        ClaimMeasure::FirstResponse => kpi(CentreKpi::FirstResponseS),
        ClaimMeasure::HumanWork => kpi(CentreKpi::HumanS),
        ClaimMeasure::ClickThrough => kpi(CentreKpi::Click),
        ClaimMeasure::Escalation => kpi(CentreKpi::Escalation)
            .zip(kpi(CentreKpi::Abandoned))
            .map(|(e, a)| e + a),
        ClaimMeasure::NonEnglishConversion => {
            let others = result.languages.iter().filter(|l| l.language != "en");
            let (n, sum) = others.fold((0, 0.0), |(n, sum), l| {
                (
                    n + l.conversations,
                    sum + l.conversion * l.conversations as f64,
                )
            });
            (n > 0).then(|| sum / n as f64)
        }
        ClaimMeasure::Languages => None,
    }
}
