//! A log with known truth: the shop's conversations in order of arrival, written down as a helpdesk would.

use std::sync::Arc;

use rand::SeedableRng;
use rand_distr::{Distribution, Poisson};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::config::LoggedSatisfaction;
use super::conversation::Shop;
use super::messages::answer_text;
use super::outcomes::{Choose, MaskedChoice};
use super::world::World;
use crate::class::{
    ActionSource, PropensityKind, RatingScale, Review, Role, SatisfactionSource, SlaStatus,
};
use crate::env::Env;
use crate::log::model::{Attachment, Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::luck::{Domain, Luck, Purpose, high};
use crate::observation::{Feature, SCHEMA_VERSION};
use crate::tier::{Propensity, Tier};

/// Who logs, and under which name.
#[derive(Debug, Clone)]
pub struct LogIdentity {
    /// Seed of the conversations.
    pub seed: u64,
    /// The logging policy's name.
    pub policy_id: String,
    /// Its version.
    pub policy_version: String,
    /// Whether it is a policy or a hand-written rule.
    pub action_source: ActionSource,
}

impl World {
    /// Generates the log of the whole period under a logging policy, conversation by conversation in order of arrival.
    ///
    /// Arrivals are a Poisson process with the configured rate, constant within each hour. The same seed gives the
    /// same log. Probabilities, masks and observations are those that the policy saw and used. Returns how many
    /// conversations went to `sink`, which may stop the generation with an error of its own.
    ///
    /// # Errors
    /// The sink's error, or [`MaskedChoice`] when the policy takes a forbidden tier.
    pub fn generate_log<E: From<MaskedChoice>>(
        self: &Arc<Self>,
        identity: &LogIdentity,
        policy: &Choose<'_>,
        mut sink: impl FnMut(Conversation) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut shop = Shop::new(Arc::clone(self));
        let mut number = 0;
        let mut offsets: Vec<f64> = Vec::new();
        for (index, hour) in self.load.hours.iter().enumerate() {
            // Arrivals have their own stream: conversations count from 0, hours from the top.
            let luck = Luck::new(identity.seed, Domain::World, u64::MAX - index as u64);
            offsets.clear();
            let count = poisson(hour.contacts, luck.once(Purpose::Hour));
            for arrival in 0..count {
                let bits = luck.at(Purpose::Message, arrival as u32);
                offsets.push(3_600.0 * high(bits));
            }
            offsets.sort_unstable_by(f64::total_cmp);
            for offset_s in &offsets {
                shop.start_at(
                    Luck::new(identity.seed, Domain::Log, number),
                    index as f64 * 3_600.0 + offset_s,
                );
                sink(write(&mut shop, identity, policy, number)?)?;
                number += 1;
            }
        }
        Ok(number)
    }
}

fn poisson(mean: f64, seed: u64) -> u64 {
    Poisson::new(mean).map_or(0, |law| {
        law.sample(&mut Xoshiro256PlusPlus::seed_from_u64(seed)) as u64
    })
}

/// Plays one conversation and writes it down.
fn write(
    shop: &mut Shop,
    identity: &LogIdentity,
    policy: &Choose<'_>,
    number: u64,
) -> Result<Conversation, MaskedChoice> {
    let mut turns = Vec::with_capacity(4);
    let mut decisions = Vec::with_capacity(2);
    let mut queue_wait_s = 0.0;
    loop {
        // Each instant is rounded to the microsecond on its own; the order of messages must survive that.
        let answered_at = turns.last().and_then(|turn: &Turn| turn.at);
        let decided_at = answered_at.map_or(shop.now(), |at| shop.now().max(at));
        let speakers = shop.speakers();
        let situation = shop.decide();
        let probs = policy(&situation);
        let tier = probs.pick(shop.choice());
        let (observation, mask) = (situation.observation, situation.mask);
        let turn = turns.len() as i32;
        turns.push(Turn {
            role: Role::Customer,
            at: Some(decided_at),
            text: situation.text.map(str::to_owned),
            text_hash: None,
            intent: None,
            sentiment: Some(f64::from(shop.sentiment())),
            draft_edited: None,
        });
        let refused = MaskedChoice {
            tier,
            conversation: number,
        };
        let step = shop.step(tier).map_err(|_| refused)?;
        let taken = *shop.taken();
        queue_wait_s += taken.wait_s;
        if let Some(answer_s) = taken.answer_s {
            turns.push(Turn {
                role: if tier == Tier::Auto {
                    Role::Ai
                } else {
                    Role::Agent
                },
                at: Some(decided_at.plus_seconds(answer_s)),
                text: Some(answer_text(tier, taken.review).to_owned()),
                text_hash: None,
                intent: None,
                sentiment: None,
                draft_edited: taken.review.map(|review| review != Review::Accepted),
            });
        }
        decisions.push(Decision {
            turn,
            decided_at,
            feature_schema: SCHEMA_VERSION,
            observation,
            mask,
            action: tier,
            probs: Some(probs),
            propensity: Propensity::new(probs.of(tier)).ok(),
            propensity_kind: Some(PropensityKind::Exact),
            action_source: identity.action_source,
            policy_id: Some(identity.policy_id.clone()),
            policy_version: Some(identity.policy_version.clone()),
            arm: None,
            block_id: None,
            pool_busy: observation
                .get(Feature::BusyHuman)
                .map(|busy| (f32::from(speakers.people) * busy).round() as i32),
            pool_slots: Some(i32::from(speakers.people)),
            queue_len: observation.get(Feature::QueueHuman).map(|n| n as i32),
            expected_wait_s: observation.get(Feature::ExpectedWaitS).map(f64::from),
            answer_s: taken.answer_s,
            answer_business_s: taken.answer_s,
            human_s: Some(taken.human_s),
            ai_calls: Some(i32::from(tier != Tier::Human && taken.answer_s.is_some())),
            review: taken.review,
        });
        if step.terminated {
            return Ok(close(
                shop,
                identity,
                number,
                turns,
                decisions,
                queue_wait_s,
            ));
        }
    }
}

/// The row of a conversation that has ended.
fn close(
    shop: &Shop,
    identity: &LogIdentity,
    number: u64,
    turns: Vec<Turn>,
    decisions: Vec<Decision>,
    queue_wait_s: f64,
) -> Conversation {
    let config = shop.world().config();
    let facts = shop.particulars();
    let place = shop.place();
    let ended = "the conversation was played to its end";
    let ending = shop.ending().expect(ended);
    let after = shop.aftermath().expect(ended);
    let last_at = turns.last().and_then(|turn| turn.at);
    let closed_at = last_at.map_or(shop.now(), |at| shop.now().max(at));
    let everyone = config.logged_satisfaction == LoggedSatisfaction::True;
    let limit_s = shop.world().rules().reward.limit_s(shop.class());
    let people = facts.used[Tier::Review.index()] + facts.used[Tier::Human.index()];
    let tier = decisions.last().map(|decision| decision.action);
    let customer = shop.contact().customer_number();
    let customer = blake3::hash(&[customer.to_le_bytes(), identity.seed.to_le_bytes()].concat());
    Conversation {
        schema_version: LOG_SCHEMA_VERSION,
        conversation_id: format!("shop-{}-{number:08}", identity.seed),
        source_system: "shop".to_owned(),
        channel: place.channel,
        created_at: shop.created_at(),
        closed_at: Some(closed_at),
        customer_id_hash: Some(customer.to_hex()[..16].to_owned()),
        language: Some(facts.language.to_owned()),
        region: Some(place.region.to_owned()),
        priority: None,
        tags: Vec::new(),
        intent: Some(facts.intent.to_owned()),
        class: Some(shop.class()),
        first_response_s: facts.first_response_s,
        first_response_business_s: facts.first_response_s,
        resolution_s: ending
            .solved
            .then(|| closed_at.seconds_since(shop.created_at())),
        customer_wait_s: Some(facts.waited_s),
        agent_wait_s: None,
        queue_wait_s: Some(queue_wait_s),
        human_handle_s: Some(facts.human_s),
        human_handle_estimated: Some(false),
        reopens: Some(i32::from(ending.reopened)),
        reopened_7d: Some(ending.reopened),
        escalated_7d: Some(facts.escalated),
        replies: Some(facts.answered as i32),
        assignees: Some(i32::from(people > 0)),
        bot_involved: Some(facts.ai_calls > 0),
        bot_resolved: Some(ending.solved && people == 0),
        bot_handoff: Some(facts.used[Tier::Auto.index()] > 0 && people > 0),
        tier,
        rating_raw: after.rating.map(|(mark, _)| mark as i8),
        rating_scale: after.rating.map(|_| RatingScale::FivePoint),
        rating_at: after.rating.map(|(_, s)| closed_at.plus_seconds(s)),
        rating_remark_present: None,
        satisfaction: everyone.then_some(ending.true_satisfaction),
        satisfaction_source: everyone.then_some(SatisfactionSource::Simulated),
        sla_name: Some(shop.class().name().to_owned()),
        sla_status: Some(match facts.first_response_s {
            Some(seconds) if seconds <= limit_s => SlaStatus::Hit,
            _ => SlaStatus::Missed,
        }),
        sla_limit_s: Some(limit_s),
        abandoned: Some(ending.abandoned),
        truncated: Some(false),
        clicked_at: after.click_s.map(|s| closed_at.plus_seconds(s)),
        converted_at: after.conversion_s.map(|s| closed_at.plus_seconds(s)),
        outcomes_tracked: Some(true),
        order_value: after.order_value,
        currency: after.order_value.map(|_| config.aftermath.currency.clone()),
        attachments: if place.image {
            vec![Attachment {
                kind: "image".to_owned(),
                mime: Some("image/jpeg".to_owned()),
                bytes: None,
                duration_s: None,
                sha256: None,
            }]
        } else {
            Vec::new()
        },
        turns,
        decisions,
    }
}
