//! A log of the centre, written down as a helpdesk would: queues, waits and propensities as they were.

use std::sync::Arc;

use super::conversation::Answer;
use super::engine::{Centre, Happening};
use super::stage::Stage;
use crate::class::{PropensityKind, RatingScale, Review, Role, SatisfactionSource, SlaStatus};
use crate::log::model::{Attachment, Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::observation::{Feature, SCHEMA_VERSION};
use crate::shop::messages::answer_text;
use crate::shop::{Choose, LogIdentity, LoggedSatisfaction};
use crate::tier::{Propensity, Tier, TierProbs};

/// What has been written down of a conversation that goes on.
#[derive(Debug, Default)]
struct Draft {
    turns: Vec<Turn>,
    decisions: Vec<Decision>,
}

impl Draft {
    /// Completes the last decision with what it led to.
    fn complete(&mut self, answer: &Answer) {
        let Some(decision) = self.decisions.last_mut() else {
            return;
        };
        decision.answer_s = answer.answer_s;
        decision.answer_business_s = answer.answer_s.and(answer.answer_business_s);
        decision.human_s = Some(answer.human_s);
        decision.ai_calls = Some(i32::from(answer.ai_call));
        decision.review = answer.review;
        if let Some(answer_s) = answer.answer_s {
            self.turns.push(Turn {
                role: if decision.action == Tier::Auto {
                    Role::Ai
                } else {
                    Role::Agent
                },
                at: Some(decision.decided_at.plus_seconds(answer_s)),
                text: Some(answer_text(decision.action, answer.review).to_owned()),
                text_hash: None,
                intent: None,
                sentiment: None,
                draft_edited: answer.review.map(|review| review != Review::Accepted),
            });
        }
    }
}

/// Runs one replica under a logging policy and hands every counted conversation to `sink` when it ends.
///
/// Conversations come in the order in which they end. Later messages of a conversation whose tier is settled by the first
/// are logged with probability 1. Returns how many conversations went to `sink`.
///
/// # Errors
/// The sink's error, which stops the run.
pub fn generate_log<E>(
    stage: &Arc<Stage>,
    identity: &LogIdentity,
    policy: &Choose<'_>,
    mut sink: impl FnMut(Conversation) -> Result<(), E>,
) -> Result<u64, E> {
    let mut centre = Centre::new(Arc::clone(stage), identity.seed, 1);
    let mut drafts: Vec<Draft> = Vec::new();
    let mut written = 0;
    loop {
        match centre.advance() {
            Happening::Decision(slot) => {
                let index = slot as usize;
                if drafts.len() <= index {
                    drafts.resize_with(index + 1, Draft::default);
                }
                if centre.is_first(slot) {
                    drafts[index] = Draft::default();
                } else if centre.is_counted(slot) {
                    drafts[index].complete(centre.answer(slot));
                }
                let probs = match centre.settled(slot) {
                    Some(tier) => TierProbs::certain(tier),
                    None => policy(&centre.situation(slot)),
                };
                let tier = probs.pick(centre.choice(slot));
                if centre.is_counted(slot) {
                    note(&centre, slot, &mut drafts[index], identity, probs, tier);
                }
                centre.act(slot, tier);
            }
            Happening::Closed(slot, end) => {
                if end.counted {
                    let mut draft = std::mem::take(&mut drafts[slot as usize]);
                    draft.complete(centre.answer(slot));
                    sink(close(&centre, slot, identity, draft))?;
                    written += 1;
                }
            }
            Happening::Over => return Ok(written),
        }
    }
}

/// Writes down a message and the decision on it.
fn note(
    centre: &Centre,
    slot: u32,
    draft: &mut Draft,
    identity: &LogIdentity,
    probs: TierProbs,
    tier: Tier,
) {
    let at = centre.situation(slot);
    let (observation, mask) = (at.observation, at.mask);
    // Each instant is rounded to the microsecond on its own; the order of messages must survive that.
    let answered_at = draft.turns.last().and_then(|turn| turn.at);
    let decided_at = answered_at.map_or(centre.now(), |at| centre.now().max(at));
    let turn = draft.turns.len() as i32;
    draft.turns.push(Turn {
        role: Role::Customer,
        at: Some(decided_at),
        text: at.text.map(str::to_owned),
        text_hash: None,
        intent: None,
        sentiment: observation.get(Feature::Sentiment).map(f64::from),
        draft_edited: None,
    });
    let slots = centre.staffed()[1];
    draft.decisions.push(Decision {
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
            .map(|busy| (f64::from(slots) * f64::from(busy)).round() as i32),
        pool_slots: Some(slots),
        queue_len: observation.get(Feature::QueueHuman).map(|n| n as i32),
        expected_wait_s: observation.get(Feature::ExpectedWaitS).map(f64::from),
        answer_s: None,
        answer_business_s: None,
        human_s: None,
        ai_calls: None,
        review: None,
    });
}

/// The row of a conversation that has ended.
fn close(centre: &Centre, slot: u32, identity: &LogIdentity, draft: Draft) -> Conversation {
    let world = centre.stage().world();
    let config = world.config();
    let conversation = &centre.conversations[slot as usize];
    let contact = &conversation.contact;
    let place = contact.place(world);
    let ended = "only ended conversations are written down";
    let ending = conversation.ending.expect(ended);
    let after = centre.aftermath(slot).expect(ended);
    let created_at = world.start().plus_seconds(contact.arrival_s);
    let last_at = draft.turns.last().and_then(|turn| turn.at);
    let closed_at = last_at.map_or(centre.now(), |at| centre.now().max(at));
    let everyone = config.logged_satisfaction == LoggedSatisfaction::True;
    let limit_s = world.rules().reward.limit_s(contact.class);
    let people = contact.used[Tier::Review.index()] + contact.used[Tier::Human.index()];
    let first = draft
        .decisions
        .iter()
        .find(|decision| decision.answer_s.is_some());
    let customer = contact.customer_number();
    let customer = blake3::hash(&[customer.to_le_bytes(), identity.seed.to_le_bytes()].concat());
    let answers: u8 = contact.used.iter().sum();
    Conversation {
        schema_version: LOG_SCHEMA_VERSION,
        conversation_id: format!("centre-{}-{:08}", identity.seed, conversation.number),
        source_system: "centre".to_owned(),
        channel: place.channel,
        created_at,
        closed_at: Some(closed_at),
        customer_id_hash: Some(customer.to_hex()[..16].to_owned()),
        language: Some(contact.language_tag(world).to_owned()),
        region: Some(place.region.to_owned()),
        priority: None,
        tags: Vec::new(),
        intent: Some(contact.intent_name().to_owned()),
        class: Some(contact.class),
        first_response_s: first.and_then(|decision| decision.answer_s),
        first_response_business_s: first.and_then(|decision| decision.answer_business_s),
        resolution_s: ending.solved.then(|| closed_at.seconds_since(created_at)),
        customer_wait_s: Some(contact.waited_s),
        agent_wait_s: None,
        queue_wait_s: Some(conversation.queue_s),
        human_handle_s: Some(contact.human_s),
        human_handle_estimated: Some(false),
        reopens: Some(i32::from(ending.reopened)),
        reopened_7d: Some(ending.reopened),
        escalated_7d: Some(contact.escalated),
        replies: Some(i32::from(answers)),
        assignees: Some(i32::from(people > 0)),
        bot_involved: Some(contact.ai_calls > 0),
        bot_resolved: Some(ending.solved && people == 0),
        bot_handoff: Some(contact.used[Tier::Auto.index()] > 0 && people > 0),
        tier: draft.decisions.last().map(|decision| decision.action),
        rating_raw: after.rating.map(|(mark, _)| mark as i8),
        rating_scale: after.rating.map(|_| RatingScale::FivePoint),
        rating_at: after.rating.map(|(_, s)| closed_at.plus_seconds(s)),
        rating_remark_present: None,
        satisfaction: everyone.then_some(ending.true_satisfaction),
        satisfaction_source: everyone.then_some(SatisfactionSource::Simulated),
        sla_name: Some(contact.class.name().to_owned()),
        sla_status: Some(match first.and_then(|decision| decision.answer_s) {
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
        turns: draft.turns,
        decisions: draft.decisions,
    }
}
