//! A simulation becomes the report's plain values; nothing is computed here that a result does not already say.

mod calibration;
mod couplings;
mod designs;
mod sections;
mod sensitivity;

use tierwise_envs::calibrate::Calibration as Fitted;
use tierwise_envs::centre::Sensitivity;
use tierwise_reports::{
    CentrePage, Comparison, Evidence, Kpi, KpiDifference, KpiTable, Kpis, Measure, NamedValue,
    PolicyKpis, PolicyQueueEffect, PolicyRole, Provenance, QueueEffect, QueueKpis, Reason,
    Uncertain, Verdict,
};

use super::interval::Interval;
use super::simulation::{PolicyResult, SimulationResult};
use crate::config::TrainConfig;
use crate::run::designs::Designs;
use crate::run::directory::{RunDirectory, RunError, read_json};
use crate::run::evaluation::Evaluation;
use crate::run::page::estimate;
use crate::run::train::TrainResult;

/// Whether a directory holds a simulation.
#[must_use]
pub fn is_simulation(run: &RunDirectory) -> bool {
    run.simulation().exists()
}

/// The page of the first simulation among the runs; those that trained add how they learned.
///
/// # Errors
/// [`RunError`] when a result file is unreadable, or no directory holds a simulation.
pub fn centre_page(runs: &[RunDirectory]) -> Result<CentrePage, RunError> {
    let simulated = runs.iter().find(|run| is_simulation(run)).ok_or_else(|| {
        RunError::unusable(
            "no directory holds a simulation",
            "`tierwise simulate CONFIG --out DIR` writes one",
            "name its directory",
        )
    })?;
    let result: SimulationResult = read_json(&simulated.simulation())?;
    let config = TrainConfig::load(&simulated.config())?;
    let mut trainings = Vec::new();
    for run in runs.iter().filter(|run| run.training().exists()) {
        let training: TrainResult = read_json(&run.training())?;
        trainings.push((TrainConfig::load(&run.config())?, training));
    }
    let judged = runs.iter().find(|run| run.evaluation().exists());
    let evaluation: Option<Evaluation> =
        judged.map(|run| read_json(&run.evaluation())).transpose()?;
    let mut page = CentrePage::new(verdict(&result), kpi_table(&result));
    page.title = Some(result.name.clone());
    page.subtitle = Some(format!(
        "{} × {:.0} d · {}",
        result.replicas,
        result.days,
        result
            .policies
            .iter()
            .map(|p| p.name.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    ));
    page.waits = Some(sections::waits(&config, &result));
    page.pools = Some(sections::pools(&result));
    page.routing = Some(sections::routing(&result));
    page.staffing = sections::staffing(&config, &result);
    page.outages = sections::outages(&config, &result);
    page.article = sections::article(&result);
    page.queue_effect = evaluation
        .as_ref()
        .and_then(|evaluation| queue_effect(evaluation, &result));
    if simulated.designs().exists() {
        let played: Designs = read_json(&simulated.designs())?;
        page.designs = vec![designs::designs(&result.name, &played)];
    }
    if simulated.calibration().exists() {
        let fitted: Fitted = read_json(&simulated.calibration())?;
        page.calibration = Some(calibration::calibration(&fitted));
    }
    if simulated.sensitivity().exists() {
        let found: Sensitivity = read_json(&simulated.sensitivity())?;
        let conversations = result
            .policies
            .first()
            .map_or(0, |policy| policy.conversations);
        page.sensitivity = sensitivity::sensitivity(&found, conversations);
    }
    page.couplings = couplings::couplings(&config, &result, &trainings)
        .into_iter()
        .collect();
    page.provenance = provenance(&result, runs);
    Ok(page)
}

/// What a log says of policies in its own queues, beside what they earn in the queues they would make.
fn queue_effect(evaluation: &Evaluation, result: &SimulationResult) -> Option<QueueEffect> {
    if evaluation.reward_version != result.reward_version {
        return None;
    }
    let policies: Vec<PolicyQueueEffect> = result
        .policies
        .iter()
        .filter_map(|policy| {
            let judged = evaluation
                .policies
                .iter()
                .find(|judged| judged.name == policy.name && judged.version == policy.version)?;
            let from_log = judged.estimates.first()?;
            let reward = policy.kpis.get("reward")?;
            // Two independent samples: the variances add.
            let difference = from_log
                .value
                .zip(from_log.standard_error)
                .map(|(value, se)| {
                    let half = 1.96 * se.hypot(reward.standard_error);
                    let difference = reward.value - value;
                    Uncertain::new(difference, difference - half, difference + half)
                });
            Some(PolicyQueueEffect {
                policy: policy.name.clone(),
                from_log: estimate(evaluation, judged, from_log).outcome,
                in_centre: Uncertain::new(reward.value, reward.lower, reward.upper),
                centre_n: policy.conversations,
                difference,
            })
        })
        .collect();
    (!policies.is_empty()).then_some(QueueEffect {
        measure: Measure::Reward,
        level: result.level,
        policies,
    })
}

/// The best candidate beside the first policy.
fn verdict(result: &SimulationResult) -> Verdict {
    let Some(baseline) = result.policies.first() else {
        return Verdict::Refused {
            reason: Reason::NotComputed,
        };
    };
    let reward = |policy: &PolicyResult| {
        policy
            .kpis
            .get("reward")
            .map_or(f64::NEG_INFINITY, |i| i.value)
    };
    let best = result
        .policies
        .iter()
        .skip(1)
        .max_by(|a, b| reward(a).total_cmp(&reward(b)));
    let Some((best, difference)) =
        best.and_then(|best| best.differences.get("reward").map(|d| (best, d)))
    else {
        return Verdict::Refused {
            reason: Reason::Stated(tierwise_reports::Sentence::new(
                "One policy was simulated: there is nothing to compare it with.",
                "只模拟了一个策略：没有可比较的对象。",
            )),
        };
    };
    Verdict::InCentre {
        policy: best.name.clone(),
        baseline: baseline.name.clone(),
        centre: result.name.clone(),
        replications: u64::from(result.replicas),
        comparison: Comparison {
            measure: Measure::Reward,
            difference: difference.value,
            lower: difference.lower,
            upper: difference.upper,
            level: result.level,
            n: best.conversations,
            baseline_value: Some(reward(baseline)),
            candidates_judged: Some(result.policies.len() as u64 - 1),
            method: Some("paired t over replications".to_owned()),
            evidence: Evidence::Simulated,
        },
    }
}

fn kpi_table(result: &SimulationResult) -> KpiTable {
    let policies = result
        .policies
        .iter()
        .enumerate()
        .map(|(i, policy)| PolicyKpis {
            name: policy.name.clone(),
            role: if i == 0 {
                PolicyRole::Baseline
            } else {
                PolicyRole::Candidate
            },
            kpis: kpis(policy),
            tier_shares: Some(tier_shares(policy)),
        });
    KpiTable {
        level: result.level,
        policies: policies.collect(),
    }
}

fn tier_shares(policy: &PolicyResult) -> [f64; 3] {
    let all = policy.decisions.max(1) as f64;
    let part = |tier: usize| -> f64 {
        let of = policy
            .map
            .iter()
            .map(|cell| cell.shares[tier] * cell.decisions as f64);
        of.sum::<f64>() / all
    };
    let (auto, review) = (part(0), part(1));
    [auto, review, (1.0 - auto - review).max(0.0)]
}

fn kpis(policy: &PolicyResult) -> Kpis {
    let kpi = |interval: Option<&Interval>, difference: Option<&Interval>| Kpi {
        value: interval.map(|i| i.value),
        lower: interval.map(|i| i.lower),
        upper: interval.map(|i| i.upper),
        n: Some(policy.conversations),
        evidence: Evidence::Simulated,
        missing: interval.is_none().then_some(Reason::NotApplicable),
        difference: difference.map(|d| KpiDifference {
            value: d.value,
            lower: d.lower,
            upper: d.upper,
        }),
    };
    let of = |name: &str| kpi(policy.kpis.get(name), policy.differences.get(name));
    Kpis {
        reward: of("reward"),
        satisfaction: of("satisfaction"),
        time_efficiency: of("time_efficiency"),
        cost_efficiency: of("cost_efficiency"),
        human_secs: of("human_s"),
        first_response_secs: of("first_response_s"),
        escalation_rate: of("escalation"),
        click_rate: of("click"),
        conversion_rate: of("conversion"),
        queue: Some(QueueKpis {
            wait_secs: of("queue_s"),
            within_service_level: of("in_service_level"),
            abandonment_rate: of("abandoned"),
            occupancy: kpi(policy.occupancy.as_ref(), None),
        }),
    }
}

fn provenance(result: &SimulationResult, runs: &[RunDirectory]) -> Provenance {
    let mut versions = vec![NamedValue::new("program", result.created_by.clone())];
    for policy in &result.policies {
        if let Some(version) = &policy.version {
            versions.push(NamedValue::new(policy.name.clone(), version.clone()));
        }
    }
    let mut settings = vec![
        NamedValue::new("replications", result.replicas.to_string()),
        NamedValue::new("days", format!("{:.0}", result.days)),
    ];
    for warning in &result.warnings {
        settings.push(NamedValue::new("note", warning.clone()));
    }
    let names: Vec<String> = runs
        .iter()
        .map(|run| run.path().display().to_string())
        .collect();
    let simulated = runs
        .iter()
        .find(|run| is_simulation(run))
        .map_or(String::new(), |run| run.path().display().to_string());
    Provenance {
        versions,
        seeds: vec![result.seed],
        config_hash: Some(result.config_hash.clone()),
        log_hash: None,
        reward_version: Some(result.reward_version.clone()),
        settings,
        made_at: None,
        command: Some(format!(
            "tierwise simulate {simulated}/config.toml --out {simulated}\ntierwise report {}",
            names.join(" ")
        )),
    }
}
