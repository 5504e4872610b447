//! Policies side by side in one centre: the same customers, means over replicas, paired differences to the first.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::{
    CentreKpi, PoolHour, Replica, SecondsHistogram, Stage, Tally, TierHour, TimelinePoint,
    replicate,
};
use tierwise_envs::class::Class;
use tierwise_envs::tier::Tier;

use super::claims::{ClaimResult, claims};
use super::interval::{Band, Interval};
use super::outages::{OutageResult, outages};
use super::policies::{NamedPolicy, policy_named};
use super::staffing::{StaffingResult, staffing};
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
    /// Answers, all replicas together.
    pub answers: u64,
    /// Messages whose customer left the queue, all replicas together.
    pub left: u64,
    /// Mean seconds in the queue.
    pub queue_s: Option<Band>,
    /// Mean seconds to an answer.
    pub answer_s: Option<Band>,
    /// 90th percentile of seconds to an answer.
    pub answer_p90_s: Option<Band>,
    /// Share of answers within the tier's service level.
    pub within: Option<Band>,
    /// Share of those who asked for an answer here and left the queue.
    pub abandoned: Option<Band>,
}

/// A pool in one hour of the day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PoolOfHour {
    /// The pool's name.
    pub pool: String,
    /// Hour of the day, shop-local.
    pub hour: u32,
    /// Share of its slots in use; `None` while nobody is on shift.
    pub busy: Option<Band>,
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
    /// The same with the band over replicas.
    pub bands: [Band; 3],
}

/// Messages of one hour of the day whose customers left a queue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LeftByHour {
    /// Hour of the day, shop-local.
    pub hour: u32,
    /// Their share of all messages.
    pub share: Band,
    /// Messages, all replicas together.
    pub n: u64,
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
    /// Paired differences to the first policy, by name, corrected for the number of candidates (Bonferroni); empty for the
    /// first.
    pub differences: BTreeMap<String, Interval>,
    /// 90th percentile of seconds to an answer, over all answers.
    pub answer_p90_s: Option<f64>,
    /// Waits and service levels by hour of the day and tier.
    pub hours: Vec<HourOfTier>,
    /// Who left, by hour of the day.
    pub left_by_hour: Vec<LeftByHour>,
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
    /// People needed by hour for the work of each policy.
    pub staffing: Vec<StaffingResult>,
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
            Some(replicas(&stage, &setting, &named, None))
        }
    };
    let newest = (
        policies.last().map_or("", |named| named.name.as_str()),
        runs.last().map_or(&[][..], Vec::as_slice),
    );
    Ok(SimulationResult {
        name: config.name.clone(),
        created_by: created_by(),
        config_hash: config.hash(),
        reward_version: config.reward.version(),
        replicas: setting.replicas,
        seed: setting.seed,
        days: (to_s - from_s) / 86_400.0,
        level: setting.level,
        staffing: policies
            .iter()
            .zip(&runs)
            .filter_map(|(named, run)| staffing(&stage, &named.name, run))
            .collect(),
        outages: outages(config, &setting, policies, &runs)?,
        ai_replicas: if centre.ai.replicas.is_some() {
            runs[0][0].timeline.clone()
        } else {
            Vec::new()
        },
        claims: claims(config, &setting, before.as_deref(), newest),
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
    // What an earlier simulation left is not about this one.
    directory.clear_simulation()?;
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
    // Bonferroni: the page names the best of the candidates.
    let candidates = setting.policies.len().saturating_sub(1).max(1) as f64;
    let corrected = 1.0 - (1.0 - level) / candidates;
    let mut kpis = BTreeMap::new();
    let mut differences = BTreeMap::new();
    for kpi in CentreKpi::ALL {
        let mean = |replica: &Replica| replica.tally.kpi(*kpi).mean();
        let ours = each(run, mean);
        if let Some(interval) = Interval::of(&ours, level) {
            kpis.insert(kpi.name().to_owned(), interval);
        }
        if !std::ptr::eq(run, first)
            && let Some(interval) = Interval::paired(&ours, &each(first, mean), corrected)
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
        hours: hours(run, &all),
        left_by_hour: left_by_hour(run, &all),
        pools: pools(stage, run),
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
        map: map(run, &all.map),
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

fn hours(run: &[Replica], all: &Tally) -> Vec<HourOfTier> {
    let mut rows = Vec::new();
    for hour in 0..24 {
        for tier in Tier::ALL {
            let cell = &all.hours[hour][tier.index()];
            if cell.answers + cell.abandoned == 0 {
                continue;
            }
            let of = |figure: &dyn Fn(&TierHour) -> Option<f64>| {
                // Replicas without a message in this hour say nothing about it.
                Band::of(&each(run, |replica| {
                    figure(&replica.tally.hours[hour][tier.index()])
                }))
            };
            rows.push(HourOfTier {
                hour: hour as u32,
                tier,
                answers: cell.answers,
                left: cell.abandoned,
                queue_s: of(&|h| ratio(h.queue_s, (h.answers + h.abandoned) as f64)),
                answer_s: of(&|h| ratio(h.answered_s, h.answers as f64)),
                answer_p90_s: of(&|h| h.answer_s.quantile(0.9)),
                within: of(&|h| ratio(h.within as f64, h.answers as f64)),
                abandoned: of(&|h| ratio(h.abandoned as f64, (h.answers + h.abandoned) as f64)),
            });
        }
    }
    rows
}

fn pools(stage: &Stage, run: &[Replica]) -> Vec<PoolOfHour> {
    let (from_s, to_s) = stage.counted_s();
    let hour_s = (to_s - from_s) / 24.0;
    let mut rows = Vec::new();
    for (position, pool) in stage.config().pool.iter().enumerate() {
        for hour in 0..24 {
            let of = |replica: &Replica| replica.pools[position][hour];
            let busy: Vec<f64> = run
                .iter()
                // Who finishes a chat after the end of the shift is busy and no longer on shift.
                .filter_map(|r| ratio(of(r).busy, of(r).slots.max(of(r).busy)))
                .collect();
            rows.push(PoolOfHour {
                pool: pool.name.clone(),
                hour: hour as u32,
                busy: Band::of(&busy),
                people: of(&run[0]).people / hour_s,
            });
        }
    }
    rows
}

fn left_by_hour(run: &[Replica], all: &Tally) -> Vec<LeftByHour> {
    let sums = |tally: &Tally, hour: usize| {
        let of = tally.hours[hour].iter();
        of.fold((0, 0), |(left, n), tier| {
            (left + tier.abandoned, n + tier.answers + tier.abandoned)
        })
    };
    (0..24)
        .filter_map(|hour| {
            let shares = each(run, |replica| {
                let (left, n) = sums(&replica.tally, hour);
                ratio(left as f64, n as f64)
            });
            Some(LeftByHour {
                hour: hour as u32,
                share: Band::of(&shares)?,
                n: sums(all, hour).1,
            })
        })
        .collect()
}

fn map(run: &[Replica], counts: &[[[u64; 3]; 4]; 3]) -> Vec<LoadOfClass> {
    let mut rows = Vec::new();
    let share = |by_tier: &[u64; 3], tier: usize| {
        ratio(by_tier[tier] as f64, by_tier.iter().sum::<u64>() as f64)
    };
    for class in Class::ALL {
        for (load, by_tier) in counts[class.index()].iter().enumerate() {
            let shares = [0, 1, 2].map(|tier| share(by_tier, tier).unwrap_or(0.0));
            rows.push(LoadOfClass {
                class: *class,
                load: load as u32,
                decisions: by_tier.iter().sum(),
                shares,
                bands: [0, 1, 2].map(|tier| {
                    let of = each(run, |r| share(&r.tally.map[class.index()][load], tier));
                    let band = Band::of(&of).unwrap_or(Band {
                        value: 0.0,
                        lower: 0.0,
                        upper: 0.0,
                    });
                    // The value is that of all replicas together, which sums to 1 over the tiers.
                    Band {
                        value: shares[tier],
                        lower: band.lower.min(shares[tier]),
                        upper: band.upper.max(shares[tier]),
                    }
                }),
            });
        }
    }
    rows
}
