//! What a policy would have done with each conversation of a log: weights, replayed key figures, choices by state.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use tierwise_envs::discretise::Discretizer;
use tierwise_envs::env::Env;
use tierwise_envs::kpi::KpiRow;
use tierwise_envs::replay::{Episodes, Replay};
use tierwise_envs::tier::Tier;
use tierwise_policies::ope::conversation_weight;
use tierwise_policies::policy::Policy;

use super::directory::RunError;

/// Which propensities a log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Propensities {
    /// Every decision has one that was logged by the policy that acted.
    Exact,
    /// Every decision has one, some are estimates.
    Estimated,
    /// At least one decision has none.
    Absent,
}

/// Which propensities the decisions of a log have.
pub(super) fn propensities(log: &Episodes) -> Propensities {
    let mut kind = Propensities::Exact;
    for decision in 0..log.decisions() {
        match log.propensity(decision) {
            None => return Propensities::Absent,
            Some((_, true)) => kind = Propensities::Estimated,
            Some((_, false)) => {}
        }
    }
    kind
}

/// Importance weight of each conversation.
pub(super) fn weights(log: &Episodes, policy: &dyn Policy) -> Result<Vec<f64>, RunError> {
    (0..log.len())
        .into_par_iter()
        .map(|row| {
            let mut decisions = Vec::with_capacity(log.range(row).len());
            for decision in log.range(row) {
                let Some((propensity, _)) = log.propensity(decision) else {
                    return Err(RunError::unusable(
                        "the log has decisions without propensities",
                        "what another policy would have earned cannot be weighted from such a log",
                        "use `environment = { kind = \"replay\", mode = \"model\" }`, marked simulated",
                    ));
                };
                let target = policy.probabilities(&log.situation(decision));
                decisions.push((target, log.action(decision), propensity));
            }
            Ok(conversation_weight(decisions))
        })
        .collect()
}

/// Key figures of every usable conversation replayed under a policy, in the order of [`Replay::usable`].
///
/// The luck of a conversation depends on the seed and on its id alone, so that policies share it.
pub(super) fn replay_kpis(replay: &Replay, policy: &dyn Policy, seed: u64) -> Vec<KpiRow> {
    replay
        .usable()
        .par_iter()
        .map_init(
            || replay.clone(),
            |replay, row| {
                replay.start(*row, seed);
                let (key, first) = (replay.log().keys()[*row], replay.decision());
                loop {
                    let position = replay.decision() - first;
                    let tier = policy
                        .probabilities(&replay.decide())
                        .pick(luck(seed, key, position));
                    let step = replay
                        .step(tier)
                        .expect("a policy gives masked tiers no probability");
                    if step.terminated || step.truncated {
                        return replay.kpis();
                    }
                }
            },
        )
        .collect()
}

/// A uniform number in [0, 1) for a decision of the conversation with a key, by its position there.
fn luck(seed: u64, key: u64, position: usize) -> f64 {
    let mut x = seed ^ key ^ (position as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    x = (x ^ (x >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((x ^ (x >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// What a policy does in one state of the tabular view, on the situations of a log.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct StateChoice {
    /// Decisions of the log in this state.
    pub decisions: u64,
    /// Mean probabilities there.
    pub probabilities: [f64; 3],
    /// Share of decisions at which each tier was allowed.
    pub allowed: [f64; 3],
}

/// What a policy does in each of the 72 states, and overall.
pub(super) fn choices(
    log: &Episodes,
    discretizer: &Discretizer,
    policy: &dyn Policy,
) -> (Vec<StateChoice>, [f64; 3]) {
    let mut cells = vec![StateChoice::default(); Discretizer::STATES];
    let mut all = [0.0; 3];
    for decision in 0..log.decisions() {
        let at = log.situation(decision);
        let probs = policy.probabilities(&at);
        let cell = &mut cells[discretizer.state(&at.observation)];
        cell.decisions += 1;
        for tier in Tier::ALL {
            let i = tier.index();
            cell.probabilities[i] += probs.of(tier);
            cell.allowed[i] += f64::from(u8::from(at.mask.allows(tier)));
            all[i] += probs.of(tier);
        }
    }
    for cell in &mut cells {
        let n = cell.decisions.max(1) as f64;
        cell.probabilities = cell.probabilities.map(|p| p / n);
        cell.allowed = cell.allowed.map(|p| p / n);
    }
    (cells, all.map(|p| p / log.decisions().max(1) as f64))
}
