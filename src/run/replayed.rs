//! The value of a policy on logged arrivals, with the queue as it would become: a log replayed through the centre.
//!
//! Two modes. `model`: mean R of the policy in the centre over the logged conversations. `model + log correction`: the
//! centre's error, seen where the log took its own tiers, is weighted to the policy and added,
//! V = V_sim(π) + Σ wᵢ (rᵢ − r̂ᵢ) / Σ wᵢ, with r̂ᵢ the simulated reward of conversation i under the logged tiers. It corrects
//! what the simulator gets wrong about single conversations; it cannot correct a wrong queue, because the log's queue is that
//! of the policy that wrote it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tierwise_envs::centre::{Centre, CentreConfig, Happening, LeftOut, Stage, Trace};
use tierwise_envs::kpi::Kpi;
use tierwise_envs::log::file::LogReader;
use tierwise_envs::replay::Episodes;
use tierwise_envs::shop::World;
use tierwise_envs::tier::Tier;
use tierwise_policies::ope::{Refusal, SupportGate, WeightDiagnostics};
use tierwise_policies::policy::Policy;

use super::directory::RunError;
use super::judged::{Propensities, propensities, weights};

/// A mean with its standard error over conversations.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReplayMean {
    /// The mean.
    pub value: f64,
    /// Its standard error, from the spread between conversations.
    pub standard_error: f64,
    /// Conversations.
    pub n: u64,
}

/// The log's correction of a simulated value, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum LogCorrection {
    /// It was added.
    Applied {
        /// V with the correction.
        value: ReplayMean,
        /// Σ wᵢ (rᵢ − r̂ᵢ) / Σ wᵢ.
        correction: f64,
        /// Mean of rᵢ − r̂ᵢ without weights: how far the centre is off under the policy that wrote the log.
        error_as_logged: f64,
        /// How well the weights cover the policy.
        weights: WeightDiagnostics,
        /// Propensities were estimated: nothing is promoted on such a value alone.
        estimated: bool,
    },
    /// The log cannot give one.
    Refused {
        /// Why.
        refusal: Refusal,
    },
}

/// A policy on logged arrivals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Replayed {
    /// Conversations replayed and counted.
    pub conversations: u64,
    /// Those that could not be replayed.
    pub left_out: LeftOut,
    /// Simulated runs over the same arrivals.
    pub replicas: u32,
    /// Mean R in the centre.
    pub model: ReplayMean,
    /// The same with the log's correction.
    pub corrected: LogCorrection,
    /// Share of the conversations abandoned in the centre.
    pub abandoned: f64,
    /// Mean human seconds per conversation in the centre.
    pub human_s: f64,
}

/// A centre to which the conversations of a log come.
///
/// The world's period has to cover the log: `shop.start`, `shop.days` and `shop.utc_offset_hours`; conversations outside it
/// are left out and counted.
///
/// # Errors
/// [`RunError::Log`] at the first broken row, [`RunError::Unusable`] when nothing of the log can be replayed or the centre
/// cannot be built.
pub fn replay_stage(
    centre: CentreConfig,
    world: Arc<World>,
    log: &Path,
) -> Result<Arc<Stage>, RunError> {
    let mut trace = Trace::default();
    for conversation in LogReader::open(log)?.non_empty()? {
        trace.push(&conversation?, &world, centre.cooldown_h);
    }
    if trace.contacts().is_empty() {
        let out = trace.left_out();
        return Err(RunError::unusable(
            format!("{}: no conversation can be replayed", log.display()),
            format!(
                "{} came outside the {} days from {}, {} in other languages, {} without a decision",
                out.outside,
                world.config().days,
                world.config().start,
                out.language,
                out.undecided
            ),
            "set `shop.start`, `shop.days` and `shop.language` to the log's; `tierwise calibrate` writes them",
        ));
    }
    Stage::replaying(centre, world, trace).map_err(|error| {
        RunError::unusable(
            "the centre cannot be built",
            error.to_string(),
            "configs/reference.toml explains every key and its range",
        )
    })
}

/// What one conversation came to over the runs: rewards, abandonments, human seconds, and how often it was counted.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    n: u32,
    reward: f64,
    abandoned: u32,
    human_s: f64,
}

/// The value of a policy on the arrivals of a stage that replays a log; `part` is the log's conversations with their rewards,
/// satisfaction filled in.
///
/// # Errors
/// [`RunError::Unusable`] when the stage replays no log, or none of its conversations is counted.
pub fn replayed(
    stage: &Arc<Stage>,
    part: &Episodes,
    policy: &dyn Policy,
    gate: &SupportGate,
    seed: u64,
    replicas: u32,
) -> Result<Replayed, RunError> {
    let Some(trace) = stage.trace() else {
        return Err(RunError::unusable(
            "the centre replays no log",
            "its arrivals are simulated",
            "build it with `replay_stage`",
        ));
    };
    let replicas = replicas.max(1);
    let sums = play(stage, seed, replicas, &|centre, slot, _| {
        policy
            .probabilities(&centre.situation(slot))
            .pick(centre.choice(slot))
    });
    let counted: Vec<usize> = (0..sums.len()).filter(|i| sums[*i].n > 0).collect();
    if counted.is_empty() {
        return Err(RunError::unusable(
            "no conversation of the log is counted",
            "they all came during the warm-up",
            "set `centre.warmup_h = 0`, or begin the period earlier",
        ));
    }
    let mean = |of: &Sums| of.reward / f64::from(of.n);
    let rewards: Vec<f64> = counted.iter().map(|i| mean(&sums[*i])).collect();
    let model = mean_of(&rewards);
    let n = counted.len() as f64;
    let over = |of: &dyn Fn(&Sums) -> f64| {
        counted
            .iter()
            .map(|i| of(&sums[*i]) / f64::from(sums[*i].n))
            .sum::<f64>()
            / n
    };
    Ok(Replayed {
        conversations: counted.len() as u64,
        left_out: *trace.left_out(),
        replicas,
        model,
        corrected: correct(stage, trace, part, policy, gate, seed, replicas, &sums)?,
        abandoned: over(&|s| f64::from(s.abandoned)),
        human_s: over(&|s| s.human_s),
    })
}

fn mean_of(values: &[f64]) -> ReplayMean {
    let n = values.len() as f64;
    let value = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - value).powi(2)).sum();
    ReplayMean {
        value,
        standard_error: (squares / (n - 1.0).max(1.0) / n).sqrt(),
        n: values.len() as u64,
    }
}

/// Adds the log's correction, where it can carry one.
#[expect(
    clippy::too_many_arguments,
    reason = "one caller, which has all of them at hand"
)]
fn correct(
    stage: &Arc<Stage>,
    trace: &Trace,
    part: &Episodes,
    policy: &dyn Policy,
    gate: &SupportGate,
    seed: u64,
    replicas: u32,
    sums: &[Sums],
) -> Result<LogCorrection, RunError> {
    let kind = propensities(part);
    if kind == Propensities::Absent {
        let lacking = (0..part.len())
            .filter(|row| {
                part.range(*row)
                    .any(|decision| part.propensity(decision).is_none())
            })
            .count() as u64;
        let refusal = Refusal::NoPropensities {
            conversations: lacking,
        };
        return Ok(LogCorrection::Refused { refusal });
    }
    let rows: HashMap<u64, usize> = (0..part.len()).map(|row| (part.keys()[row], row)).collect();
    let all = weights(part, policy)?;
    // The tiers of the log, and beyond its end the last of them.
    let logged = play(stage, seed, replicas, &|centre, slot, turn| {
        let tiers = trace
            .contacts()
            .get(centre.number(slot) as usize)
            .map_or(&[][..], |traced| &traced.tiers[..]);
        let tier = tiers.get(turn).or(tiers.last()).copied();
        centre.mask(slot).nearest(tier.unwrap_or(Tier::Review))
    });
    let (mut w, mut error, mut simulated) = (Vec::new(), Vec::new(), Vec::new());
    for (number, traced) in trace.contacts().iter().enumerate() {
        let (own, as_logged) = (&sums[number], &logged[number]);
        let Some(row) = rows
            .get(&traced.key)
            .filter(|_| own.n > 0 && as_logged.n > 0)
        else {
            continue;
        };
        if let Some(reward) = part.kpis(*row).get(Kpi::Reward) {
            w.push(all[*row]);
            error.push(reward - as_logged.reward / f64::from(as_logged.n));
            simulated.push(own.reward / f64::from(own.n));
        }
    }
    if w.is_empty() {
        return Ok(LogCorrection::Refused {
            refusal: Refusal::NotMeasured,
        });
    }
    let diagnostics = WeightDiagnostics::of(&w);
    if let Some(refusal) = gate.refusal(&diagnostics) {
        return Ok(LogCorrection::Refused { refusal });
    }
    let total: f64 = w.iter().sum();
    let n = w.len() as f64;
    let correction = w.iter().zip(&error).map(|(w, e)| w * e).sum::<f64>() / total;
    // Linearised: the simulated reward and the weighted error of one conversation vary together.
    let influence: Vec<f64> = (0..w.len())
        .map(|i| simulated[i] + w[i] * n / total * (error[i] - correction) + correction)
        .collect();
    let spread = mean_of(&influence);
    let counted: Vec<f64> = sums
        .iter()
        .filter(|s| s.n > 0)
        .map(|s| s.reward / f64::from(s.n))
        .collect();
    Ok(LogCorrection::Applied {
        value: ReplayMean {
            value: mean_of(&counted).value + correction,
            ..spread
        },
        correction,
        error_as_logged: error.iter().sum::<f64>() / n,
        weights: diagnostics,
        estimated: kind == Propensities::Estimated,
    })
}

/// Chooses for a slot at the n-th decision of its conversation.
type Decide<'a> = dyn Fn(&Centre, u32, usize) -> Tier + Sync + 'a;

/// Runs the logged arrivals over consecutive seeds: sums by conversation, whatever the number of threads.
fn play(stage: &Arc<Stage>, seed: u64, replicas: u32, decide: &Decide<'_>) -> Vec<Sums> {
    let conversations = stage.trace().map_or(0, |trace| trace.contacts().len());
    let runs: Vec<Vec<Sums>> = (0..u64::from(replicas))
        .into_par_iter()
        .map(|i| {
            let mut centre = Centre::new(Arc::clone(stage), seed.wrapping_add(i), 1);
            let mut sums = vec![Sums::default(); conversations];
            let mut turns: Vec<usize> = Vec::new();
            loop {
                match centre.advance() {
                    Happening::Decision(slot) => {
                        let at = slot as usize;
                        if turns.len() <= at {
                            turns.resize(at + 1, 0);
                        }
                        if centre.is_first(slot) {
                            turns[at] = 0;
                        }
                        let tier = match centre.settled(slot) {
                            Some(tier) => tier,
                            None => decide(&centre, slot, turns[at]),
                        };
                        turns[at] += 1;
                        centre.act(slot, tier);
                    }
                    Happening::Closed(_, end) if end.counted => {
                        sums[end.number as usize] = Sums {
                            n: 1,
                            reward: end.ending.reward.total,
                            abandoned: u32::from(end.ending.abandoned),
                            human_s: end.human_s,
                        };
                    }
                    Happening::Closed(..) => {}
                    Happening::Over => return sums,
                }
            }
        })
        .collect();
    let mut total = vec![Sums::default(); conversations];
    for run in runs {
        for (sum, one) in total.iter_mut().zip(run) {
            sum.n += one.n;
            sum.reward += one.reward;
            sum.abandoned += one.abandoned;
            sum.human_s += one.human_s;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Split;
    use crate::run::{LoadedLog, Part};
    use tierwise_envs::class::ActionSource;
    use tierwise_envs::log::file::LogWriter;
    use tierwise_envs::log::model::Conversation;
    use tierwise_envs::reward::RewardSpec;
    use tierwise_envs::shop::{
        LogIdentity, LoggedSatisfaction, MaskedChoice, ShopConfig, ShopRules,
    };
    use tierwise_policies::policy::{Fixed, Uniform};

    fn world(days: u32) -> Arc<World> {
        let shop = ShopConfig {
            days,
            daily_contacts: 400.0,
            logged_satisfaction: LoggedSatisfaction::True,
            ..ShopConfig::default()
        };
        World::new(shop, ShopRules::default()).unwrap()
    }

    fn centre() -> CentreConfig {
        CentreConfig {
            warmup_h: 0.0,
            cooldown_h: 0.0,
            ..CentreConfig::default()
        }
    }

    /// A log of three days under the uniform policy, changed by the caller, with its conversations as they are judged.
    fn log(change: impl Fn(&mut Conversation)) -> (tempfile::TempDir, LoadedLog, Arc<Episodes>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.jsonl");
        let identity = LogIdentity {
            seed: 5,
            policy_id: "uniform".to_owned(),
            policy_version: "1".to_owned(),
            action_source: ActionSource::Policy,
        };
        let mut writer = LogWriter::create(&path).unwrap();
        world(3)
            .generate_log(&identity, &|at| at.mask.uniform(), |mut conversation| {
                change(&mut conversation);
                writer.write(&conversation).unwrap();
                Ok::<(), MaskedChoice>(())
            })
            .unwrap();
        writer.finish().unwrap();
        let log = LoadedLog::read(&path, &RewardSpec::default()).unwrap();
        let (part, _) = log.part(Part::All, Split::default()).unwrap();
        (folder, log, part)
    }

    #[test]
    fn the_logs_own_policy_gets_the_logs_own_reward() {
        let (_folder, log, part) = log(|_| {});
        let stage = replay_stage(centre(), world(3), &log.path).unwrap();
        let gate = SupportGate::default();
        let found = replayed(&stage, &part, &Uniform, &gate, 1, 4).unwrap();
        assert_eq!(found.conversations, part.len() as u64);
        let LogCorrection::Applied {
            value,
            error_as_logged,
            correction,
            weights,
            ..
        } = &found.corrected
        else {
            panic!("{:?}", found.corrected);
        };
        // π = π_b: every weight is 1, so V = V_sim + mean(r − r̂), whose expectation is the log's mean reward, because
        // V_sim and r̂ are the same law of tiers in the same centre.
        assert!((weights.effective_sample_size - part.len() as f64).abs() < 1e-6);
        assert!((correction - error_as_logged).abs() < 1e-12);
        let logged: Vec<f64> = (0..part.len())
            .filter_map(|row| part.kpis(row).get(Kpi::Reward))
            .collect();
        let logged = mean_of(&logged);
        let apart = (value.value - logged.value).abs();
        assert!(
            apart < 4.0 * value.standard_error.hypot(logged.standard_error),
            "{found:?} {logged:?}"
        );
    }

    #[test]
    fn without_propensities_there_is_a_model_value_and_no_correction() {
        let (_folder, log, part) = log(|conversation| {
            for decision in &mut conversation.decisions {
                (
                    decision.probs,
                    decision.propensity,
                    decision.propensity_kind,
                ) = (None, None, None);
            }
        });
        let stage = replay_stage(centre(), world(3), &log.path).unwrap();
        let human = Fixed(Tier::Human);
        let found = replayed(&stage, &part, &human, &SupportGate::default(), 1, 1).unwrap();
        assert!(found.model.value > 0.0 && found.model.standard_error > 0.0);
        assert_eq!(
            found.corrected,
            LogCorrection::Refused {
                refusal: Refusal::NoPropensities {
                    conversations: part.len() as u64
                }
            }
        );
    }

    #[test]
    fn a_period_without_the_log_is_refused_with_its_counts() {
        let (_folder, log, _) = log(|conversation| {
            conversation.created_at = conversation.created_at.plus_seconds(-4.0e6);
            conversation.turns.clear();
            conversation
                .decisions
                .iter_mut()
                .for_each(|d| d.decided_at = conversation.created_at);
            conversation.closed_at = None;
            (
                conversation.clicked_at,
                conversation.converted_at,
                conversation.rating_at,
            ) = (None, None, None);
        });
        let error = replay_stage(centre(), world(3), &log.path).unwrap_err();
        let RunError::Unusable { what, why, .. } = error else {
            panic!("{error}");
        };
        assert!(what.contains("no conversation can be replayed"), "{what}");
        assert!(why.contains("outside the 3 days from 2026-03-02"), "{why}");
    }
}
