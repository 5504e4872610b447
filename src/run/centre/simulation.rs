//! Policies side by side in one centre: the same customers, means over replicas, paired differences to the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::{
    CentreKpi, PoolHour, Replica, SecondsHistogram, Stage, TimelinePoint, replicate,
};
use tierwise_envs::class::Class;
use tierwise_envs::tier::Tier;

use super::claims::{ClaimResult, claims};
use super::interval::Interval;
use super::outages::{OutageResult, outages};
use super::policies::{NamedPolicy, policy_named};
use super::{centre_of, centre_stage};
use crate::config::{Simulation, TrainConfig};
use crate::run::directory::{RunDirectory, RunError, write_json, write_whole};
use crate::run::train::created_by;

/// Seconds between two points of a timeline.
pub(super) const STRETCH_S: f64 = 300.0;

/// Answers to the messages of one hour of the day at one tier.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HourOfTier {
    /// Hour of the day, shop-local.
    pub hour: u32,
    /// The tier.
    pub tier: Tier,
    /// Answers per day.
    pub answers_per_day: f64,
    /// Mean seconds in the queue.
    pub queue_s: Option<Interval>,
    /// Mean seconds to the answer's 90th percentile, all replicas together.
    pub answer_p90_s: Option<f64>,
    /// Share of answers within the tier's service level.
    pub within: Option<Interval>,
    /// Share of those who asked for an answer here and left the queue.
    pub abandoned: Option<Interval>,
}

/// A pool in one hour of the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolOfHour {
    /// The pool's name.
    pub pool: String,
    /// Hour of the day, shop-local.
    pub hour: u32,
    /// Share of its slots in use; `None` while nobody is on shift.
    pub busy: Option<Interval>,
    /// People on shift, mean.
    pub people: f64,
}

/// What a policy does with a class of requests under one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoadOfClass {
    /// The class guessed live.
    pub class: Class,
    /// Load level, 0 to 3.
    pub load: u32,
    /// Decisions, all replicas together.
    pub decisions: u64,
    /// Share of each tier.
    pub shares: [f64; 3],
}

/// What comes of the customers of one language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LanguageResult {
    /// The language's tag.
    pub language: String,
    /// Conversations, all replicas together.
    pub conversations: u64,
    /// Share that clicked.
    pub click: f64,
    /// Share that bought.
    pub conversion: f64,
}

/// One policy in the centre.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyResult {
    /// Its name.
    pub name: String,
    /// Its version, where an artefact holds it.
    pub version: Option<String>,
    /// How it was made.
    pub learner: String,
    /// Conversations counted, all replicas together.
    pub conversations: u64,
    /// Decisions taken in them.
    pub decisions: u64,
    /// Key figures by name; those that no conversation had are left out.
    pub kpis: BTreeMap<String, Interval>,
    /// Paired differences to the first policy, by name; empty for the first.
    pub differences: BTreeMap<String, Interval>,
    /// 90th percentile of seconds to an answer, over all answers.
    pub answer_p90_s: Option<f64>,
    /// Waits and service levels by hour of the day and tier.
    pub hours: Vec<HourOfTier>,
    /// Pools by hour of the day.
    pub pools: Vec<PoolOfHour>,
    /// Share of all slots in use.
    pub occupancy: Option<Interval>,
    /// Customers waiting for people, mean.
    pub mean_queue: Option<Interval>,
    /// Which tier where.
    pub map: Vec<LoadOfClass>,
    /// Customers by language.
    pub languages: Vec<LanguageResult>,
    /// Conversations an outage lost for good, per replica.
    pub lost: f64,
    /// Mean reward of each replica, in order of seeds.
    pub rewards: Vec<f64>,
}

/// Everything a simulation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SimulationResult {
    /// The configuration's name.
    pub name: String,
    /// The program that ran.
    pub created_by: String,
    /// Hash of the resolved configuration.
    pub config_hash: String,
    /// Version of the reward.
    pub reward_version: String,
    /// Replicas of each policy.
    pub replicas: u32,
    /// Seed of the first.
    pub seed: u64,
    /// Days counted in each.
    pub days: f64,
    /// Level of the intervals.
    pub level: f64,
    /// The policies; differences are to the first.
    pub policies: Vec<PolicyResult>,
    /// What outages did.
    pub outages: Vec<OutageResult>,
    /// AI replicas over time under the first policy, first replica; empty when unlimited.
    pub ai_replicas: Vec<TimelinePoint>,
    /// Claims made elsewhere beside what this simulation says.
    pub claims: Vec<ClaimResult>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// Simulates policies in the configured centre; the first is what the others are compared with.
///
/// # Errors
/// [`RunError`] for a centre or a policy that cannot be used.
pub fn simulate_policies(
    config: &TrainConfig,
    directory: &std::path::Path,
    policies: &[NamedPolicy],
) -> Result<SimulationResult, RunError> {
    let setting = config.simulation.clone().unwrap_or_default();
    let stage = centre_stage(config)?;
    let centre = centre_of(config)?;
    let watched = !centre.outage.is_empty() || centre.ai.replicas.is_some();
    let runs: Vec<Vec<Replica>> = policies
        .iter()
        .map(|named| replicas(&stage, &setting, named, watched.then_some(STRETCH_S)))
        .collect();
    let mut results = Vec::new();
    for (named, run) in policies.iter().zip(&runs) {
        results.push(result_of(&stage, &setting, named, run, &runs[0]));
    }
    let (from_s, to_s) = stage.counted_s();
    let mut warnings = Vec::new();
    for tag in stage.unspoken() {
        warnings.push(format!(
            "nobody who takes over speaks {tag}: tier 3 is masked for these customers"
        ));
    }
    let before = match &setting.before {
        None => None,
        Some(before) => {
            let then = TrainConfig::load(&directory.join(&before.config))?;
            let stage = centre_stage(&then)?;
            let named = policy_named(&then, &before.policy)?;
            let run = replicas(&stage, &setting, &named, None);
            Some(result_of(&stage, &setting, &named, &run, &run))
        }
    };
    Ok(SimulationResult {
        name: config.name.clone(),
        created_by: created_by(),
        config_hash: config.hash(),
        reward_version: config.reward.version(),
        replicas: setting.replicas,
        seed: setting.seed,
        days: (to_s - from_s) / 86_400.0,
        level: setting.level,
        outages: outages(config, &setting, policies, &runs)?,
        ai_replicas: if centre.ai.replicas.is_some() {
            runs[0][0].timeline.clone()
        } else {
            Vec::new()
        },
        claims: claims(config, &setting, before.as_ref(), &results),
        policies: results,
        warnings,
    })
}

/// Saves a simulation with the configuration that made it.
///
/// # Errors
/// [`RunError::Io`].
pub fn save_simulation(
    directory: &RunDirectory,
    config: &TrainConfig,
    result: &SimulationResult,
) -> Result<(), RunError> {
    write_whole(&directory.config(), config.to_toml().as_bytes())?;
    write_json(&directory.simulation(), result)
}

/// Every replica of a policy.
pub(super) fn replicas(
    stage: &Arc<Stage>,
    setting: &Simulation,
    named: &NamedPolicy,
    stretch_s: Option<f64>,
) -> Vec<Replica> {
    let choose = |at: &tierwise_envs::env::Situation<'_>| named.policy.probabilities(at);
    replicate(stage, setting.seed, setting.replicas, &choose, stretch_s)
}

/// A figure of each replica; NaN where it has none.
fn each(run: &[Replica], of: impl Fn(&Replica) -> Option<f64>) -> Vec<f64> {
    run.iter()
        .map(|replica| of(replica).unwrap_or(f64::NAN))
        .collect()
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn result_of(
    stage: &Stage,
    setting: &Simulation,
    named: &NamedPolicy,
    run: &[Replica],
    first: &[Replica],
) -> PolicyResult {
    let level = setting.level;
    let mut kpis = BTreeMap::new();
    let mut differences = BTreeMap::new();
    for kpi in CentreKpi::ALL {
        let mean = |replica: &Replica| replica.tally.kpi(*kpi).mean();
        let ours = each(run, mean);
        if let Some(interval) = Interval::of(&ours, level) {
            kpis.insert(kpi.name().to_owned(), interval);
        }
        if !std::ptr::eq(run, first)
            && let Some(interval) = Interval::paired(&ours, &each(first, mean), level)
        {
            differences.insert(kpi.name().to_owned(), interval);
        }
    }
    let mut all = run[0].tally.clone();
    for replica in &run[1..] {
        all.merge(&replica.tally);
    }
    let mut answers = SecondsHistogram::default();
    for tier in all.hours.iter().flatten() {
        answers.merge(&tier.answer_s);
    }
    let seconds = stage.counted_s().1 - stage.counted_s().0;
    let pool_sum = |replica: &Replica, of: fn(&PoolHour) -> f64| -> f64 {
        replica.pools.iter().flatten().map(of).sum()
    };
    let languages = stage.world().config().language.iter().zip(&all.languages);
    PolicyResult {
        name: named.name.clone(),
        version: named.version.clone(),
        learner: named.learner.clone(),
        conversations: all.conversations,
        decisions: all.decisions,
        rewards: each(run, |replica| replica.tally.kpi(CentreKpi::Reward).mean()),
        kpis,
        differences,
        answer_p90_s: answers.quantile(0.9),
        hours: hours(stage, level, run, &all),
        pools: pools(stage, level, run),
        occupancy: Interval::of(
            &each(run, |r| {
                ratio(pool_sum(r, |h| h.busy), pool_sum(r, |h| h.slots))
            }),
            level,
        ),
        mean_queue: Interval::of(
            &each(run, |r| ratio(r.queues.iter().flatten().sum(), seconds)),
            level,
        ),
        map: map(&all.map),
        languages: languages
            .map(|(language, [click, conversion])| LanguageResult {
                language: language.tag.clone(),
                conversations: click.n,
                click: click.mean().unwrap_or(0.0),
                conversion: conversion.mean().unwrap_or(0.0),
            })
            .collect(),
        lost: run.iter().map(|r| r.lost as f64).sum::<f64>() / run.len() as f64,
    }
}

fn hours(
    stage: &Stage,
    level: f64,
    run: &[Replica],
    all: &tierwise_envs::centre::Tally,
) -> Vec<HourOfTier> {
    let days = (stage.counted_s().1 - stage.counted_s().0) / 86_400.0 * run.len() as f64;
    let mut rows = Vec::new();
    for hour in 0..24 {
        for tier in Tier::ALL {
            let cell = &all.hours[hour][tier.index()];
            if cell.answers + cell.abandoned == 0 {
                continue;
            }
            let of = |figure: &dyn Fn(&tierwise_envs::centre::TierHour) -> Option<f64>| {
                // Replicas without a message in this hour say nothing about it.
                let values: Vec<f64> = run
                    .iter()
                    .filter_map(|replica| figure(&replica.tally.hours[hour][tier.index()]))
                    .collect();
                Interval::of(&values, level)
            };
            rows.push(HourOfTier {
                hour: hour as u32,
                tier,
                answers_per_day: cell.answers as f64 / days,
                queue_s: of(&|h| ratio(h.queue_s, (h.answers + h.abandoned) as f64)),
                answer_p90_s: cell.answer_s.quantile(0.9),
                within: of(&|h| ratio(h.within as f64, h.answers as f64)),
                abandoned: of(&|h| ratio(h.abandoned as f64, (h.answers + h.abandoned) as f64)),
            });
        }
    }
    rows
}

fn pools(stage: &Stage, level: f64, run: &[Replica]) -> Vec<PoolOfHour> {
    let (from_s, to_s) = stage.counted_s();
    let hour_s = (to_s - from_s) / 24.0;
    let mut rows = Vec::new();
    for (position, pool) in stage.config().pool.iter().enumerate() {
        for hour in 0..24 {
            let of = |replica: &Replica| replica.pools[position][hour];
            let busy: Vec<f64> = run
                .iter()
                .filter_map(|r| ratio(of(r).busy, of(r).slots))
                .collect();
            rows.push(PoolOfHour {
                pool: pool.name.clone(),
                hour: hour as u32,
                busy: Interval::of(&busy, level),
                people: of(&run[0]).people / hour_s,
            });
        }
    }
    rows
}

fn map(counts: &[[[u64; 3]; 4]; 3]) -> Vec<LoadOfClass> {
    let mut rows = Vec::new();
    for class in Class::ALL {
        for load in 0..4 {
            let by_tier = counts[class.index()][load];
            let decisions: u64 = by_tier.iter().sum();
            rows.push(LoadOfClass {
                class: *class,
                load: load as u32,
                decisions,
                shares: by_tier.map(|n| {
                    if decisions > 0 {
                        n as f64 / decisions as f64
                    } else {
                        0.0
                    }
                }),
            });
        }
    }
    rows
}
