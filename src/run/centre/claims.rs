//! Claims made elsewhere, beside what a simulation of the same kind of operation says.

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::{CentreKpi, Replica};

use super::interval::Interval;
use crate::config::{ClaimMeasure, Simulation, TrainConfig};

/// A claim and what is simulated for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClaimResult {
    /// What it is about.
    pub measure: ClaimMeasure,
    /// What was said, in its own words.
    pub said: String,
    /// Simulated before, in the measure's unit.
    pub before: Option<Interval>,
    /// Simulated now, under the policy named.
    pub after: Option<Interval>,
    /// The policy that decides now.
    pub policy: String,
    /// Relative change, after over before minus 1, replica by replica.
    pub change: Option<Interval>,
    /// Conversations simulated, before and after together.
    pub conversations: u64,
    /// What had to be assumed.
    pub assumed: String,
    /// The same in Chinese, where it was given.
    pub assumed_zh: Option<String>,
}

/// Every claim under the policy named, which is the newest.
pub(super) fn claims(
    config: &TrainConfig,
    setting: &Simulation,
    before: Option<&[Replica]>,
    after: (&str, &[Replica]),
) -> Vec<ClaimResult> {
    let tags: Vec<&str> = config
        .shop
        .language
        .iter()
        .map(|l| l.tag.as_str())
        .collect();
    let (policy, now) = after;
    let level = setting.level;
    setting
        .claim
        .iter()
        .map(|claim| {
            let of = |run: &[Replica]| -> Vec<f64> {
                let figure = |replica| figure(claim.measure, replica, &tags).unwrap_or(f64::NAN);
                run.iter().map(figure).collect()
            };
            let then = before.map(of);
            let now_values = of(now);
            let changes: Option<Vec<f64>> = then
                .as_ref()
                .filter(|_| claim.measure != ClaimMeasure::Languages)
                .map(|then| {
                    then.iter()
                        .zip(&now_values)
                        .map(|(a, b)| b / a - 1.0)
                        .collect()
                });
            let counted = |run: &[Replica]| run.iter().map(|r| r.tally.conversations).sum::<u64>();
            ClaimResult {
                measure: claim.measure,
                said: claim.said.clone(),
                before: then.and_then(|values| Interval::of(&values, level)),
                after: Interval::of(&now_values, level),
                policy: policy.to_owned(),
                change: changes.and_then(|values| Interval::of(&values, level)),
                conversations: counted(now) + before.map_or(0, counted),
                assumed: claim.assumed.clone(),
                assumed_zh: claim.assumed_zh.clone(),
            }
        })
        .collect()
}

fn figure(measure: ClaimMeasure, replica: &Replica, tags: &[&str]) -> Option<f64> {
    let kpi = |kpi: CentreKpi| replica.tally.kpi(kpi).mean();
    match measure {
        ClaimMeasure::FirstResponse => kpi(CentreKpi::FirstResponseS),
        ClaimMeasure::HumanWork => kpi(CentreKpi::HumanS),
        ClaimMeasure::ClickThrough => kpi(CentreKpi::Click),
        ClaimMeasure::Escalation => kpi(CentreKpi::Escalation),
        ClaimMeasure::NonEnglishConversion => {
            let others = replica
                .tally
                .languages
                .iter()
                .zip(tags)
                .filter(|(_, tag)| **tag != "en");
            let (n, sum) = others.fold((0, 0.0), |(n, sum), ([_, conversion], _)| {
                (n + conversion.n, sum + conversion.sum)
            });
            (n > 0).then(|| sum / n as f64)
        }
        // Languages in which somebody or something answered.
        ClaimMeasure::Languages => {
            let served = replica
                .tally
                .languages
                .iter()
                .filter(|[click, _]| click.n > 0);
            Some(served.count() as f64)
        }
    }
}
