//! Learning from logged outcomes alone: the transitions as they are, and replay by rejection.

use std::sync::Arc;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tierwise_envs::env::Env;
use tierwise_envs::kpi::Kpi;
use tierwise_envs::mdp::MdpPosition;
use tierwise_envs::replay::{Episodes, Replay};
use tierwise_envs::tier::Tier;
use tierwise_policies::ope::{Importance, WeightDiagnostics};
use tierwise_policies::policy::Policy;
use tierwise_policies::tabular::{Coupling, Learner, QTable, TabularState, Transition};

use super::{Bench, Score, served};
use crate::config::TrainConfig;
use crate::run::directory::RunError;
use crate::run::judged;

/// Scores a policy on logged conversations by self-normalised importance weighting.
fn log_score(
    config: &TrainConfig,
    tune: &Episodes,
    policy: &dyn Policy,
) -> Result<Score, RunError> {
    let weights = judged::weights(tune, policy)?;
    let rewards: Vec<f64> = (0..tune.len())
        .map(|row| tune.kpis(row).values()[Kpi::Reward.index()])
        .collect();
    // Only conversations with a reward carry the value, so only their weights count.
    let measured: Vec<f64> = weights
        .iter()
        .zip(&rewards)
        .filter(|(_, reward)| !reward.is_nan())
        .map(|(weight, _)| *weight)
        .collect();
    let diagnostics = WeightDiagnostics::of(&measured);
    let ratio = Importance::Snips.ratio(&weights, &rewards);
    let value = ratio.value();
    let supported = config.gate.refusal(&diagnostics).is_none() && value.is_finite();
    // Delta method: terms w (r − v) / mean w.
    let n = measured.len() as f64;
    let terms = ratio
        .num
        .iter()
        .zip(&ratio.den)
        .map(|(num, den)| (num - value * den).powi(2));
    let standard_error = terms.sum::<f64>().sqrt() / (diagnostics.mean * n);
    Ok(Score {
        value: supported.then_some(value),
        standard_error: supported.then_some(standard_error),
        n: measured.len() as u64,
    })
}

/// Logged transitions, conversation by conversation in an order drawn afresh for each stretch.
pub(in crate::run) struct LogBench<'a> {
    pub(in crate::run) config: &'a TrainConfig,
    /// Conversations as runs of transitions; with `coupling = "continuing"` one run for the whole log.
    pub(in crate::run) runs: Vec<Vec<Transition>>,
    pub(in crate::run) tune: Arc<Episodes>,
}

impl Bench for LogBench<'_> {
    fn advance(
        &self,
        learner: &mut TabularState,
        _place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError> {
        learner.leave_episode();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(
            learner.config().seed ^ learner.steps().wrapping_mul(0x9e37_79b9_7f4a_7c15),
        );
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        let mut batch: Vec<Transition> = Vec::with_capacity(4_096);
        let mut left = usize::try_from(steps).unwrap_or(usize::MAX);
        let before = learner.steps();
        while left > 0 {
            order.shuffle(&mut random);
            for run in &order {
                let run = &self.runs[*run];
                // The one run of a whole log goes on where the last stretch stopped; else its end would never be seen.
                let seen = (steps - left as u64).wrapping_add(before);
                let run = if self.runs.len() == 1 {
                    &run[(seen % run.len() as u64) as usize..]
                } else {
                    &run[..]
                };
                let take = run.len().min(left);
                batch.extend_from_slice(&run[..take]);
                left -= take;
                if batch.len() >= 2_048 || left == 0 {
                    learner.update(&batch)?;
                    batch.clear();
                }
                if left == 0 {
                    break;
                }
            }
        }
        Ok(())
    }

    fn score(&self, table: &QTable) -> Result<Score, RunError> {
        log_score(self.config, &self.tune, &served(self.config, table))
    }

    fn baseline(&self) -> Result<Option<Score>, RunError> {
        log_score(self.config, &self.tune, &self.config.rules()).map(Some)
    }
}

/// Replay by rejection: the learner acts, and learns only as long as it agrees with the log.
pub(in crate::run) struct RejectionBench<'a> {
    pub(in crate::run) config: &'a TrainConfig,
    pub(in crate::run) learn: Replay,
    pub(in crate::run) tune: Arc<Episodes>,
}

impl RejectionBench<'_> {
    /// Replays one conversation; returns the transitions on which learner and log agreed.
    fn episode(
        &self,
        env: &mut Replay,
        learner: &TabularState,
        random: &mut Xoshiro256PlusPlus,
        into: &mut Vec<Transition>,
    ) -> Result<(), RunError> {
        let epsilon = learner.config().exploration.at(learner.steps());
        env.reset(random.random())?;
        let look = |env: &Replay| {
            let at = env.decide();
            (self.config.table.state(&at.observation), at.mask)
        };
        let (mut state, mut allowed) = look(env);
        loop {
            let mask = u32::from(allowed.bits());
            let tier = if random.random::<f64>() < epsilon {
                allowed.uniform().pick(random.random())
            } else {
                Tier::from_index(learner.q_table().greedy_action(state, mask))
                    .expect("the table has three actions")
            };
            if let Some(last) = into.last_mut().filter(|last| !last.terminated) {
                last.next_action = Some(tier.index());
            }
            let step = env.step(tier)?;
            if step.rejected {
                // The last agreed step stays: it leads to a state the log did visit.
                if let Some(last) = into.last_mut() {
                    last.truncated = !last.terminated;
                }
                return Ok(());
            }
            let (previous, previous_mask) = (state, mask);
            if !step.terminated {
                (state, allowed) = look(env);
            }
            into.push(Transition {
                state: previous,
                mask: previous_mask,
                action: tier.index(),
                reward: step.reward,
                next_state: state,
                next_mask: u32::from(allowed.bits()),
                next_action: None,
                elapsed_s: step.elapsed_s,
                human_seconds: step.human_s,
                terminated: step.terminated,
                truncated: false,
                closes_conversation: step.terminated,
            });
            if step.terminated {
                return Ok(());
            }
        }
    }
}

impl Bench for RejectionBench<'_> {
    fn advance(
        &self,
        learner: &mut TabularState,
        _place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError> {
        learner.leave_episode();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(
            learner.config().seed ^ learner.steps().wrapping_mul(0x9e37_79b9_7f4a_7c15),
        );
        let mut env = self.learn.clone();
        let (mut left, mut batch, mut fruitless) = (steps, Vec::new(), 0_u32);
        while left > 0 {
            self.episode(&mut env, learner, &mut random, &mut batch)?;
            batch.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            fruitless = if batch.is_empty() { fruitless + 1 } else { 0 };
            if fruitless > 100_000 {
                return Err(RunError::unusable(
                    "replay by rejection: 100,000 conversations in a row without one agreed decision",
                    "the log does not take the tiers this learner wants to try",
                    "use `mode = \"model\"`, or a log whose policy explores",
                ));
            }
            left -= batch.len() as u64;
            learner.update(&batch)?;
            batch.clear();
        }
        Ok(())
    }

    fn score(&self, table: &QTable) -> Result<Score, RunError> {
        log_score(self.config, &self.tune, &served(self.config, table))
    }

    fn baseline(&self) -> Result<Option<Score>, RunError> {
        log_score(self.config, &self.tune, &self.config.rules()).map(Some)
    }
}

/// Logged conversations as transitions, under the configured coupling.
///
/// Conversations without a reward are left out. With `continuing`, which is defined for one decision per conversation,
/// each decision leads to the next one anywhere in the log.
pub(in crate::run) fn logged_transitions(
    config: &TrainConfig,
    log: &Episodes,
) -> Result<Vec<Vec<Transition>>, RunError> {
    let continuing = config.learner.coupling == Coupling::Continuing;
    let mut runs: Vec<Vec<Transition>> = Vec::new();
    let mut decided_at = Vec::new();
    for row in 0..log.len() {
        let Some(reward) = log.learning_reward(row, &config.reward) else {
            continue;
        };
        let range = log.range(row);
        if continuing && range.len() > 1 {
            return Err(RunError::unusable(
                format!(
                    "`learner.coupling` is \"continuing\", but conversations have up to {} decisions",
                    range.len()
                ),
                "the system-wide chain is defined for one decision per conversation (mdp.md §1.5)",
                "use `coupling = \"toll\"` or `\"none\"`",
            ));
        }
        decided_at.extend(range.clone().map(|decision| log.decided_at(decision)));
        let run = range
            .clone()
            .map(|decision| {
                let last = decision + 1 == range.end;
                let next = if last { decision } else { decision + 1 };
                let state = |d: usize| config.table.state(&log.observation(d));
                let human_s = log.human_s(decision);
                Transition {
                    state: state(decision),
                    mask: u32::from(log.mask(decision).bits()),
                    action: log.action(decision).index(),
                    reward: if last { reward } else { 0.0 },
                    next_state: state(next),
                    next_mask: u32::from(log.mask(next).bits()),
                    next_action: Some(log.action(next).index()),
                    elapsed_s: log
                        .decided_at(next)
                        .seconds_since(log.decided_at(decision))
                        .max(0.0),
                    human_seconds: if human_s.is_nan() {
                        config.reward.default_human_s[log.action(decision).index()]
                    } else {
                        human_s
                    },
                    terminated: last && !continuing,
                    truncated: false,
                    closes_conversation: last,
                }
            })
            .collect();
        runs.push(run);
    }
    if runs.is_empty() {
        return Err(RunError::unusable(
            "no conversation of the training part has a reward",
            "satisfaction, class or answer times are missing; `tierwise log check` counts the reasons",
            "import them, or learn by replay on a model",
        ));
    }
    if continuing {
        let mut chain: Vec<Transition> = runs.into_iter().flatten().collect();
        for i in 0..chain.len() - 1 {
            let next = chain[i + 1];
            chain[i].next_state = next.state;
            chain[i].next_mask = next.mask;
            chain[i].next_action = Some(next.action);
            chain[i].elapsed_s = decided_at[i + 1].seconds_since(decided_at[i]).max(0.0);
        }
        if let Some(last) = chain.last_mut() {
            last.truncated = true;
        }
        runs = vec![chain];
    }
    Ok(runs)
}
