//! Learning in the contact centre, where a choice makes others wait.
//!
//! Conversations overlap, so their steps reach the learner when they end, whole and in order. Several replicas with their
//! own customers take turns in one thread; seeds run side by side.

use std::sync::Arc;

use tierwise_envs::centre::{
    Centre, CentreKpi, DecisionPoint, Happening, PriceSettings, Prices, Stage, replicate,
};
use tierwise_envs::mdp::MdpPosition;
use tierwise_envs::tier::Tier;
use tierwise_policies::policy::Policy;
use tierwise_policies::tabular::{Coupling, Explorer, Learner, QTable, TabularState, Transition};

use super::{Bench, Score, served};
use crate::config::TrainConfig;
use crate::run::centre::Interval;
use crate::run::directory::RunError;

/// Steps that are handed to the learner at once.
const BATCH: usize = 256;

/// Seconds in which others may feel that somebody is busy, and seconds until they are counted as they stand.
const FELT_S: (f64, f64) = (5_400.0, 3_600.0);

/// The contact centre: scores are means over replicas, the same ones for every table.
pub(in crate::run) struct CentreBench<'a> {
    pub(in crate::run) config: &'a TrainConfig,
    pub(in crate::run) stage: Arc<Stage>,
}

/// A step whose end has not come.
#[derive(Debug, Clone, Copy)]
struct Begun {
    state: usize,
    mask: u32,
    action: usize,
    at_s: f64,
    /// Reward units per human second.
    price: f64,
}

/// One replica with the steps that are under way, by slot.
struct Life {
    centre: Centre,
    begun: Vec<Vec<(Begun, f64)>>,
    /// Steps of a chain that goes on to the next decision anywhere, in order.
    chain: Vec<Link>,
}

/// A step that waits for what follows it and for its conversation's reward.
#[derive(Debug, Clone, Copy)]
struct Link {
    number: u64,
    step: Begun,
    next: Option<Begun>,
    reward: Option<f64>,
}

impl Link {
    fn complete(&self) -> Option<Transition> {
        let (step, next, reward) = (self.step, self.next?, self.reward?);
        Some(Transition {
            state: step.state,
            mask: step.mask,
            action: step.action,
            reward,
            next_state: next.state,
            next_mask: next.mask,
            next_action: Some(next.action),
            elapsed_s: next.at_s - step.at_s,
            human_seconds: 0.0,
            terminated: false,
            truncated: false,
            closes_conversation: true,
        })
    }
}

impl CentreBench<'_> {
    /// Seed of the customers that score; learners meet others.
    const SCORE_SEED: u64 = 0x7_1e27;

    fn chained(&self) -> bool {
        self.config.learner.coupling == Coupling::Continuing
            && self.stage.config().decision == DecisionPoint::Conversation
    }

    fn priced(&self) -> bool {
        self.config.learner.coupling == Coupling::Continuing && !self.chained()
    }

    fn life(&self, seed: u64) -> Life {
        Life {
            centre: Centre::new(Arc::clone(&self.stage), seed, 1),
            begun: Vec::new(),
            chain: Vec::new(),
        }
    }

    pub(in crate::run) fn worth(&self, policy: &dyn Policy) -> Score {
        let (from_s, to_s) = self.stage.counted_s();
        let daily = self.config.shop.daily_contacts;
        let period = daily * (to_s - from_s) / 86_400.0;
        let wanted = f64::from(self.config.training.evaluate_conversations);
        let replicas = (wanted / period).ceil().max(4.0) as u32;
        let choose = |at: &tierwise_envs::env::Situation<'_>| policy.probabilities(at);
        let runs = replicate(&self.stage, Self::SCORE_SEED, replicas, &choose, None);
        let means: Vec<f64> = runs
            .iter()
            .filter_map(|run| run.tally.kpi(CentreKpi::Reward).mean())
            .collect();
        let interval = Interval::of(&means, 0.95);
        Score {
            value: interval.map(|i| i.value),
            standard_error: interval.map(|i| i.standard_error),
            n: runs.iter().map(|run| run.tally.conversations).sum(),
        }
    }
}

impl Bench for CentreBench<'_> {
    fn advance(
        &self,
        learner: &mut TabularState,
        _place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError> {
        learner.leave_episode();
        let end = learner.steps() + steps;
        // Every stretch has customers of its own, named by the learner's seed and its steps so far.
        let mut seed = mixed_seed(learner.config().seed, learner.steps());
        let mut explorer = Explorer::new(seed);
        let prices = if self.priced() {
            let settings = PriceSettings {
                samples: self.config.training.price_samples,
                horizon_s: FELT_S.0,
                drain_s: FELT_S.1,
            };
            let table = learner.q_table();
            Prices::estimate(&self.stage, seed, &settings, |centre, slot| {
                greedy(table, centre, slot)
            })
        } else {
            Prices::default()
        };
        let mut lives: Vec<Life> = (0..u64::from(self.config.training.replicas))
            .map(|i| self.life(seed.wrapping_add(i)))
            .collect();
        seed = seed.wrapping_add(lives.len() as u64);
        let mut batch: Vec<Transition> = Vec::with_capacity(2 * BATCH);
        while learner.steps() < end {
            for life in &mut lives {
                if self.live(life, learner, &mut explorer, &prices, &mut batch) {
                    *life = self.life(seed);
                    seed = seed.wrapping_add(1);
                }
                if batch.len() >= BATCH || learner.steps() + batch.len() as u64 >= end {
                    batch.truncate((end - learner.steps()) as usize);
                    learner.update(&batch)?;
                    batch.clear();
                }
                if learner.steps() >= end {
                    break;
                }
            }
        }
        Ok(())
    }

    fn score(&self, table: &QTable) -> Result<Score, RunError> {
        Ok(self.worth(&served(self.config, table)))
    }

    fn baseline(&self) -> Result<Option<Score>, RunError> {
        Ok(Some(self.worth(&self.config.rules())))
    }
}

impl CentreBench<'_> {
    /// Lets a replica live up to its next decision; true when its period is over.
    fn live(
        &self,
        life: &mut Life,
        learner: &TabularState,
        explorer: &mut Explorer,
        prices: &Prices,
        batch: &mut Vec<Transition>,
    ) -> bool {
        loop {
            match life.centre.advance() {
                Happening::Decision(slot) => {
                    if let Some(tier) = life.centre.settled(slot) {
                        life.centre.act(slot, tier);
                        continue;
                    }
                    let (state, mask) = (life.centre.state(slot), life.centre.mask(slot));
                    let mask = u32::from(mask.bits());
                    let epsilon = learner.config().exploration.at(learner.steps());
                    let action = explorer.choose(learner.q_table(), state, mask, epsilon);
                    let tier = Tier::from_index(action).expect("masks name tiers");
                    let begun = Begun {
                        state,
                        mask,
                        action,
                        at_s: life.centre.now_s(),
                        price: prices.per_human_s(tier, life.centre.slack()),
                    };
                    if self.chained() {
                        life.link(slot, begun, batch);
                    } else {
                        life.begin(slot, begun);
                    }
                    life.centre.act(slot, tier);
                    return false;
                }
                Happening::Closed(slot, end) => {
                    if self.chained() {
                        life.settle(end.number, end.ending.reward.total, batch);
                    } else {
                        life.end(slot, end.ending.reward.total, batch);
                    }
                }
                Happening::Over => return true,
            }
        }
    }
}

impl Life {
    /// A step of a conversation begins; the one before it is complete.
    fn begin(&mut self, slot: u32, begun: Begun) {
        let index = slot as usize;
        if self.begun.len() <= index {
            self.begun.resize_with(index + 1, Vec::new);
        }
        let steps = &mut self.begun[index];
        if self.centre.is_first(slot) {
            steps.clear();
        } else if let Some(last) = steps.last_mut() {
            last.1 = self.centre.answer(slot).human_s;
        }
        steps.push((begun, 0.0));
    }

    /// A conversation has ended: its steps in order, R with the last one.
    fn end(&mut self, slot: u32, reward: f64, batch: &mut Vec<Transition>) {
        let human_s = self.centre.answer(slot).human_s;
        let Some(steps) = self.begun.get_mut(slot as usize) else {
            return;
        };
        if let Some(last) = steps.last_mut() {
            last.1 = human_s;
        }
        let now_s = self.centre.now_s();
        for (i, (step, human_s)) in steps.iter().enumerate() {
            let next = steps.get(i + 1).map(|(next, _)| *next);
            batch.push(Transition {
                state: step.state,
                mask: step.mask,
                action: step.action,
                reward: if next.is_none() { reward } else { 0.0 } - step.price * human_s,
                next_state: next.map_or(0, |next| next.state),
                next_mask: next.map_or(0b111, |next| next.mask),
                next_action: next.map(|next| next.action),
                elapsed_s: next.map_or(now_s, |next| next.at_s) - step.at_s,
                human_seconds: *human_s,
                terminated: next.is_none(),
                truncated: false,
                closes_conversation: next.is_none(),
            });
        }
        steps.clear();
    }

    /// A decision anywhere in the system: what follows the one before it.
    fn link(&mut self, slot: u32, begun: Begun, batch: &mut Vec<Transition>) {
        if let Some(last) = self.chain.last_mut() {
            last.next = Some(begun);
            if let Some(transition) = last.complete() {
                batch.push(transition);
                self.chain.pop();
            }
        }
        self.chain.push(Link {
            number: self.centre.number(slot),
            step: begun,
            next: None,
            reward: None,
        });
    }

    /// The reward of a conversation's one decision is known.
    fn settle(&mut self, number: u64, reward: f64, batch: &mut Vec<Transition>) {
        let Some(at) = self.chain.iter().position(|link| link.number == number) else {
            return;
        };
        self.chain[at].reward = Some(reward);
        if let Some(transition) = self.chain[at].complete() {
            batch.push(transition);
            self.chain.remove(at);
        }
    }
}

/// The best tier of a table where a decision is due.
fn greedy(table: &QTable, centre: &Centre, slot: u32) -> Tier {
    let mask = u32::from(centre.mask(slot).bits());
    Tier::from_index(table.greedy_action(centre.state(slot), mask)).expect("masks name tiers")
}

/// Seed of the stretch that begins after some steps.
fn mixed_seed(seed: u64, steps: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&steps.to_le_bytes());
    let hash = hasher.finalize();
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(bytes)
}
