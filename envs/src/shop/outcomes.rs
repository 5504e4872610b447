//! The known truth: what a policy is worth in this world, by simulation of as many conversations as one likes.
//!
//! Work goes in blocks of conversations that are merged in order, so results do not depend on threads.

use std::sync::Arc;

use rayon::prelude::*;

use super::conversation::Shop;
use super::world::World;
use crate::class::Class;
use crate::env::{Env, Situation};
use crate::luck::{Domain, Luck};
use crate::tier::{Tier, TierProbs};

/// Conversations per block: long enough to hide the cost of merging, short enough to share among threads.
const BLOCK: u64 = 4_096;

/// A policy as the simulator needs it: probabilities for a situation. They must respect the situation's mask.
pub type Choose<'a> = dyn Fn(&Situation<'_>) -> TierProbs + Sync + 'a;

/// A policy chose a tier that the mask forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the policy chose tier {tier}, which is masked in conversation {conversation}; a policy gives masked tiers no probability"
)]
pub struct MaskedChoice {
    /// The tier it chose.
    pub tier: Tier,
    /// The conversation's number.
    pub conversation: u64,
}

/// A mean with its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrueValue {
    /// Mean R (or mean difference of R) per conversation, in reward units.
    pub mean: f64,
    /// Standard error of that mean: s/√n.
    pub standard_error: f64,
    /// Conversations simulated.
    pub conversations: u64,
}

/// One conversation's outcome, for tables of key figures.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConversationOutcome {
    /// R in [0, 1].
    pub reward: f64,
    /// S in [0, 1], halved where the customer came back.
    pub satisfaction: f64,
    /// E_time in (0, 1].
    pub time: f64,
    /// E_cost in [1 − k, 1].
    pub cost: f64,
    /// Seconds of people's time.
    pub human_s: f64,
    /// Seconds to the first answer; `None` when the customer left first.
    pub first_response_s: Option<f64>,
    /// Customer messages.
    pub turns: u32,
    /// Answers by tier.
    pub tiers: [u8; 3],
    /// The true class.
    pub class: Class,
    /// Position of the language in the configuration.
    pub language: u8,
    /// Hour of the day of the last message, shop-local.
    pub hour: u8,
    /// The request was solved.
    pub solved: bool,
    /// The customer left a queue unanswered.
    pub abandoned: bool,
    /// The customer asked for a person after an answer.
    pub escalated: bool,
    /// Reopened within 7 days.
    pub reopened: bool,
    /// Clicked within 24 h.
    pub clicked: bool,
    /// Bought within 7 days.
    pub converted: bool,
    /// Mark of the survey, where it was answered.
    pub rating: Option<u8>,
}

/// Outcomes in columns: entry i of each belongs to conversation i.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcomes {
    /// R.
    pub reward: Vec<f64>,
    /// S.
    pub satisfaction: Vec<f32>,
    /// E_time.
    pub time: Vec<f32>,
    /// E_cost.
    pub cost: Vec<f32>,
    /// Seconds of people's time.
    pub human_s: Vec<f32>,
    /// Seconds to the first answer; NaN when the customer left first.
    pub first_response_s: Vec<f32>,
    /// Customer messages.
    pub turns: Vec<u8>,
    /// Answers by tier.
    pub tiers: Vec<[u8; 3]>,
    /// The true class.
    pub class: Vec<Class>,
    /// Position of the language in the configuration.
    pub language: Vec<u8>,
    /// Hour of the day of the last message, shop-local.
    pub hour: Vec<u8>,
    /// The request was solved.
    pub solved: Vec<bool>,
    /// The customer left a queue unanswered.
    pub abandoned: Vec<bool>,
    /// The customer asked for a person after an answer.
    pub escalated: Vec<bool>,
    /// Reopened within 7 days.
    pub reopened: Vec<bool>,
    /// Clicked within 24 h.
    pub clicked: Vec<bool>,
    /// Bought within 7 days.
    pub converted: Vec<bool>,
    /// Mark of the survey; 0 where it was not answered.
    pub rating: Vec<u8>,
}

impl Outcomes {
    /// Conversations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.reward.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.reward.is_empty()
    }

    fn push(&mut self, of: &ConversationOutcome) {
        self.reward.push(of.reward);
        self.satisfaction.push(of.satisfaction as f32);
        self.time.push(of.time as f32);
        self.cost.push(of.cost as f32);
        self.human_s.push(of.human_s as f32);
        self.first_response_s
            .push(of.first_response_s.map_or(f32::NAN, |s| s as f32));
        self.turns.push(of.turns as u8);
        self.tiers.push(of.tiers);
        self.class.push(of.class);
        self.language.push(of.language);
        self.hour.push(of.hour);
        self.solved.push(of.solved);
        self.abandoned.push(of.abandoned);
        self.escalated.push(of.escalated);
        self.reopened.push(of.reopened);
        self.clicked.push(of.clicked);
        self.converted.push(of.converted);
        self.rating.push(of.rating.unwrap_or(0));
    }

    fn append(&mut self, mut later: Self) {
        self.reward.append(&mut later.reward);
        self.satisfaction.append(&mut later.satisfaction);
        self.time.append(&mut later.time);
        self.cost.append(&mut later.cost);
        self.human_s.append(&mut later.human_s);
        self.first_response_s.append(&mut later.first_response_s);
        self.turns.append(&mut later.turns);
        self.tiers.append(&mut later.tiers);
        self.class.append(&mut later.class);
        self.language.append(&mut later.language);
        self.hour.append(&mut later.hour);
        self.solved.append(&mut later.solved);
        self.abandoned.append(&mut later.abandoned);
        self.escalated.append(&mut later.escalated);
        self.reopened.append(&mut later.reopened);
        self.clicked.append(&mut later.clicked);
        self.converted.append(&mut later.converted);
        self.rating.append(&mut later.rating);
    }
}

/// Sum and sum of squares about a fixed origin: additive, so that blocks merge.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    n: u64,
    sum: f64,
    squares: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.n += 1;
        self.sum += value;
        self.squares += value * value;
    }

    fn value(blocks: &[Self]) -> TrueValue {
        let all = blocks.iter().fold(Self::default(), |a, b| Self {
            n: a.n + b.n,
            sum: a.sum + b.sum,
            squares: a.squares + b.squares,
        });
        let n = all.n as f64;
        let mean = all.sum / n;
        // R lies in [0, 1] and its spread is of the order of its mean, so the subtraction costs few digits.
        let variance = ((all.squares - n * mean * mean) / (n - 1.0)).max(0.0);
        TrueValue {
            mean,
            standard_error: (variance / n).sqrt(),
            conversations: all.n,
        }
    }
}

impl Shop {
    /// Plays the conversation to its end under a policy and returns R.
    fn play(&mut self, luck: Luck, number: u64, policy: &Choose<'_>) -> Result<f64, MaskedChoice> {
        self.start(luck);
        loop {
            let tier = policy(&self.decide()).pick(self.choice());
            let step = self.step(tier).map_err(|_| MaskedChoice {
                tier,
                conversation: number,
            })?;
            if step.terminated {
                return Ok(step.reward);
            }
        }
    }

    /// The outcome of the conversation; `None` before its end.
    #[must_use]
    pub fn outcome(&self) -> Option<ConversationOutcome> {
        let (ending, after) = (self.ending()?, self.aftermath()?);
        let facts = self.particulars();
        Some(ConversationOutcome {
            reward: ending.reward.total,
            satisfaction: ending.reward.satisfaction,
            time: ending.reward.time,
            cost: ending.reward.cost,
            human_s: facts.human_s,
            first_response_s: facts.first_response_s,
            turns: facts.turns,
            tiers: facts.used,
            class: self.class(),
            language: facts.language_index,
            hour: (facts.hour % 24) as u8,
            solved: ending.solved,
            abandoned: ending.abandoned,
            escalated: facts.escalated,
            reopened: ending.reopened,
            clicked: after.click_s.is_some(),
            converted: after.conversion_s.is_some(),
            rating: after.rating.map(|(mark, _)| mark),
        })
    }
}

impl World {
    /// Maps blocks of conversation numbers in parallel and keeps their order.
    fn blocks<T: Send>(
        self: &Arc<Self>,
        conversations: u64,
        block: impl Fn(&mut Shop, std::ops::Range<u64>) -> Result<T, MaskedChoice> + Sync,
    ) -> Result<Vec<T>, MaskedChoice> {
        (0..conversations.div_ceil(BLOCK))
            .into_par_iter()
            .map(|index| {
                let first = index * BLOCK;
                let mut shop = Shop::new(Arc::clone(self));
                block(&mut shop, first..(first + BLOCK).min(conversations))
            })
            .collect()
    }

    /// The true value of a policy: mean R over `conversations` ≥ 2 conversations of a seed.
    ///
    /// Equal seeds give equal luck, so values of two policies differ by less than their standard errors suggest;
    /// [`World::true_difference`] says by how much.
    ///
    /// # Errors
    /// [`MaskedChoice`] when the policy takes a forbidden tier.
    pub fn true_value(
        self: &Arc<Self>,
        policy: &Choose<'_>,
        conversations: u64,
        seed: u64,
    ) -> Result<TrueValue, MaskedChoice> {
        let blocks = self.blocks(conversations, |shop, numbers| {
            let mut moments = Moments::default();
            for number in numbers {
                moments.add(shop.play(
                    Luck::new(seed, Domain::Simulation, number),
                    number,
                    policy,
                )?);
            }
            Ok(moments)
        })?;
        Ok(Moments::value(&blocks))
    }

    /// Mean of R under `policy` minus R under `baseline` on the same luck (common random numbers), with the standard
    /// error of the paired difference.
    ///
    /// # Errors
    /// [`MaskedChoice`] when a policy takes a forbidden tier.
    pub fn true_difference(
        self: &Arc<Self>,
        policy: &Choose<'_>,
        baseline: &Choose<'_>,
        conversations: u64,
        seed: u64,
    ) -> Result<TrueValue, MaskedChoice> {
        let blocks = self.blocks(conversations, |shop, numbers| {
            let mut moments = Moments::default();
            for number in numbers {
                let luck = Luck::new(seed, Domain::Simulation, number);
                let reward = shop.play(luck, number, policy)?;
                moments.add(reward - shop.play(luck, number, baseline)?);
            }
            Ok(moments)
        })?;
        Ok(Moments::value(&blocks))
    }

    /// Plays conversations of a seed under a policy and keeps every outcome.
    ///
    /// # Errors
    /// [`MaskedChoice`] when the policy takes a forbidden tier.
    pub fn simulate(
        self: &Arc<Self>,
        policy: &Choose<'_>,
        conversations: u64,
        seed: u64,
    ) -> Result<Outcomes, MaskedChoice> {
        let blocks = self.blocks(conversations, |shop, numbers| {
            let mut outcomes = Outcomes::default();
            for number in numbers {
                shop.play(Luck::new(seed, Domain::Simulation, number), number, policy)?;
                outcomes.push(
                    &shop
                        .outcome()
                        .expect("the conversation was played to its end"),
                );
            }
            Ok(outcomes)
        })?;
        let mut all = Outcomes::default();
        for block in blocks {
            all.append(block);
        }
        Ok(all)
    }
}
