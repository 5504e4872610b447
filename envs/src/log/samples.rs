//! Valid conversations for tests: the smallest, and random ones that use every column.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::model::{Attachment, Conversation, Decision, LOG_SCHEMA_VERSION, Turn};
use crate::class::{
    ActionSource, Channel, Class, PropensityKind, RatingScale, Review, Role, SatisfactionSource,
    SlaStatus,
};
use crate::mask::Mask;
use crate::observation::{Feature, Observation, SCHEMA_VERSION};
use crate::tier::{Propensity, Tier};
use crate::time::UtcMicros;

/// 2026-03-02T09:00:00Z, a Monday.
pub(crate) const START: UtcMicros = UtcMicros(1_772_442_000_000_000);

/// A conversation with nothing that may be left out.
pub(crate) fn minimal(id: &str) -> Conversation {
    let text = format!(
        r#"{{"schema_version":{LOG_SCHEMA_VERSION},"conversation_id":"{id}","source_system":"test","channel":"chat","created_at":"{START}"}}"#
    );
    serde_json::from_str(&text).unwrap()
}

/// A decision with nothing that may be left out.
pub(crate) fn decision(action: Tier) -> Decision {
    Decision {
        turn: 0,
        decided_at: START,
        feature_schema: SCHEMA_VERSION,
        observation: Observation::unknown(),
        mask: Mask::ALL,
        action,
        probs: None,
        propensity: None,
        propensity_kind: None,
        action_source: ActionSource::Policy,
        policy_id: None,
        policy_version: None,
        arm: None,
        block_id: None,
        pool_busy: None,
        pool_slots: None,
        queue_len: None,
        expected_wait_s: None,
        answer_s: None,
        answer_business_s: None,
        human_s: None,
        ai_calls: None,
        review: None,
    }
}

struct Draw(Xoshiro256PlusPlus);

impl Draw {
    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.0.random_bool(0.5).then(|| value(self))
    }

    fn one<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.random_range(0..all.len())]
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 9] = ["refund", "", "\"", "\n", "退款", "🙂", "\\", "\u{0}", "é "];
        let n = self.0.random_range(0..4);
        (0..n).map(|_| self.one(&PIECES)).collect()
    }

    fn flag(&mut self) -> bool {
        self.0.random()
    }

    fn seconds(&mut self) -> f64 {
        let cases = [0.0, 1e-9, 604_800.0, 0.1 + 0.2];
        if self.flag() {
            self.one(&cases)
        } else {
            self.0.random_range(0.0..604_800.0)
        }
    }

    fn later(&mut self) -> UtcMicros {
        UtcMicros(START.0 + self.0.random_range(0..600_000_000_000_i64))
    }

    fn count(&mut self) -> i32 {
        let cases = [0, 1, 7, i32::MAX];
        self.one(&cases)
    }

    fn attachment(&mut self) -> Attachment {
        Attachment {
            kind: self.text(),
            mime: self.maybe(Self::text),
            bytes: self.maybe(|d| d.one(&[0, 12, i64::MAX])),
            duration_s: self.maybe(Self::seconds),
            sha256: self.maybe(Self::text),
        }
    }

    fn turn(&mut self, at: UtcMicros) -> Turn {
        Turn {
            role: self.one(Role::ALL),
            at: self.maybe(|_| at),
            text: self.maybe(Self::text),
            text_hash: self.maybe(Self::text),
            intent: self.maybe(Self::text),
            sentiment: self.maybe(|d| d.0.random_range(-1.0..=1.0)),
            draft_edited: self.maybe(Self::flag),
        }
    }

    fn decision(&mut self, turn: i32, at: UtcMicros) -> Decision {
        let mask = Mask::from_bits(self.0.random_range(1..8)).unwrap();
        let allowed: Vec<Tier> = mask.tiers().collect();
        let action = self.one(&allowed);
        let weights = [0.0; 3].map(|_: f64| self.0.random_range(0.01..1.0));
        let probs = self.maybe(|_| mask.restrict(weights).unwrap());
        let propensity = self.maybe(|d| {
            let value = probs.map_or_else(|| d.0.random_range(0.001..1.0), |p| p.of(action));
            Propensity::new(value).unwrap()
        });
        let mut observation = Observation::unknown();
        for feature in Feature::ALL {
            let spec = feature.spec();
            let value = self.0.random_range(spec.low..=spec.high);
            observation.set_known(*feature, self.maybe(|_| value));
        }
        Decision {
            turn,
            decided_at: at,
            observation,
            mask,
            probs,
            propensity,
            propensity_kind: propensity.map(|_| self.one(PropensityKind::ALL)),
            action_source: self.one(ActionSource::ALL),
            policy_id: self.maybe(Self::text),
            policy_version: self.maybe(Self::text),
            arm: self.maybe(Self::text),
            block_id: self.maybe(Self::text),
            pool_busy: self.maybe(Self::count),
            pool_slots: self.maybe(Self::count),
            queue_len: self.maybe(Self::count),
            expected_wait_s: self.maybe(Self::seconds),
            answer_s: self.maybe(Self::seconds),
            answer_business_s: self.maybe(Self::seconds),
            human_s: self.maybe(Self::seconds),
            ai_calls: self.maybe(Self::count),
            review: self.maybe(|d| d.one(Review::ALL)),
            ..decision(action)
        }
    }
}

/// A valid conversation drawn from a seed; every column is sometimes known and sometimes not.
pub(crate) fn random(seed: u64) -> Conversation {
    let mut draw = Draw(Xoshiro256PlusPlus::seed_from_u64(seed));
    let d = &mut draw;
    let turn_count = d.0.random_range(0..5_i64);
    let mut turns: Vec<Turn> = (0..turn_count)
        .map(|i| d.turn(UtcMicros(START.0 + i * 1_000_001)))
        .collect();
    let decisions = (0..d.0.random_range(0..4_i64))
        .map(|i| {
            let turn = if turns.is_empty() {
                i as usize
            } else {
                i as usize % turns.len()
            };
            if let Some(turn) = turns.get_mut(turn) {
                turn.role = Role::Customer;
            }
            d.decision(turn as i32, UtcMicros(START.0 + i * 999_999))
        })
        .collect();
    let rating_scale = d.maybe(|d| d.one(RatingScale::ALL));
    let satisfaction = d.maybe(|d| d.0.random_range(0.0..=1.0));
    Conversation {
        source_system: "test".to_owned(),
        channel: d.one(Channel::ALL),
        closed_at: d.maybe(Draw::later),
        customer_id_hash: d.maybe(Draw::text),
        language: d.maybe(Draw::text),
        region: d.maybe(Draw::text),
        priority: d.maybe(Draw::text),
        tags: (0..d.0.random_range(0..3)).map(|_| d.text()).collect(),
        intent: d.maybe(Draw::text),
        class: d.maybe(|d| d.one(Class::ALL)),
        first_response_s: d.maybe(Draw::seconds),
        first_response_business_s: d.maybe(Draw::seconds),
        resolution_s: d.maybe(Draw::seconds).map(|s| s * 100.0),
        customer_wait_s: d.maybe(Draw::seconds),
        agent_wait_s: d.maybe(Draw::seconds),
        queue_wait_s: d.maybe(Draw::seconds),
        human_handle_s: d.maybe(Draw::seconds),
        human_handle_estimated: d.maybe(Draw::flag),
        reopens: d.maybe(Draw::count),
        reopened_7d: d.maybe(Draw::flag),
        escalated_7d: d.maybe(Draw::flag),
        replies: d.maybe(Draw::count),
        assignees: d.maybe(Draw::count),
        bot_involved: d.maybe(Draw::flag),
        bot_resolved: d.maybe(Draw::flag),
        bot_handoff: d.maybe(Draw::flag),
        tier: d.maybe(|d| d.one(&Tier::ALL)),
        rating_raw: rating_scale.and_then(|_| d.maybe(|_| 1)),
        rating_scale,
        rating_at: d.maybe(Draw::later),
        rating_remark_present: d.maybe(Draw::flag),
        satisfaction,
        satisfaction_source: satisfaction.map(|_| d.one(SatisfactionSource::ALL)),
        sla_name: d.maybe(Draw::text),
        sla_status: d.maybe(|d| d.one(SlaStatus::ALL)),
        sla_limit_s: d.maybe(Draw::seconds),
        abandoned: d.maybe(Draw::flag),
        truncated: d.maybe(Draw::flag),
        clicked_at: d.maybe(Draw::later),
        converted_at: d.maybe(Draw::later),
        outcomes_tracked: d.maybe(Draw::flag),
        order_value: d.maybe(|d| d.seconds() - 9.99),
        currency: d.maybe(|_| "CNY".to_owned()),
        attachments: (0..d.0.random_range(0..3))
            .map(|_| d.attachment())
            .collect(),
        turns,
        decisions,
        ..minimal(&format!("{seed:x}"))
    }
}
