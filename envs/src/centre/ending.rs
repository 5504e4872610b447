//! What an answer leads to, and how a conversation ends.

use super::agenda::Event;
use super::conversation::Place;
use super::engine::Centre;
use super::tally::CentreKpi;
use crate::luck::{Purpose, high};
use crate::reward::Totals;
use crate::shop::contact::Ending;
use crate::shop::{Aftermath, MAX_TURNS};
use crate::tier::Tier;

/// A customer who reopens does so within this many seconds.
const REOPEN_WITHIN_S: f64 = 7.0 * 86_400.0;

impl Centre {
    /// The customer reads an answer.
    pub(super) fn answered(&mut self, slot: u32, solved: bool) {
        let stage = &*self.stage;
        let world = &stage.world;
        let rules = world.rules();
        let conversation = &mut self.conversations[slot as usize];
        let answer_s = self.now_s - conversation.message_s;
        let business_s = stage.open.between(conversation.message_s, self.now_s);
        let answer = &mut conversation.answer;
        answer.answer_s = Some(answer_s);
        answer.answer_business_s = Some(business_s);
        answer.solved = solved;
        let (tier, queue_s) = (conversation.tier, answer.queue_s);
        let contact = &mut conversation.contact;
        contact.used[tier.index()] = contact.used[tier.index()].saturating_add(1);
        contact.waited_s += answer_s;
        contact.human_s += answer.human_s;
        let charged_s = rules.reward.sla_clock.pick(answer_s, business_s);
        conversation.excess_s += (charged_s - rules.reward.limit_s(contact.class)).max(0.0);
        if conversation.first_response_s.is_nan() {
            conversation.first_response_s = answer_s;
        }
        if conversation.counted && !self.silent {
            self.tallies[usize::from(conversation.arm)].answer(
                usize::from(conversation.hour),
                tier,
                queue_s,
                answer_s,
                rules.reward.sla_limit_s[tier.index()],
            );
        }
        if conversation.ghost || solved {
            self.end(slot, solved, false);
            return;
        }
        let customer = &world.config().customer;
        let reply = contact.luck.at(Purpose::Reply, contact.turn);
        let last = contact.turn + 1 - conversation.began_turn >= world.config().max_turns
            || contact.turn + 1 >= MAX_TURNS;
        if last || high(reply) < customer.leave[contact.class.index()] {
            self.end(slot, false, false);
            return;
        }
        if high(contact.luck.at(Purpose::Ask, contact.turn)) < customer.ask_human[tier.index()] {
            contact.wants_human = true;
            contact.escalated = true;
        }
        let think_s = customer.think_s * world.exponential.at(reply as u32);
        contact.turn += 1;
        conversation.place = Place::Away;
        self.agenda.note(self.now_s + think_s, Event::Replies(slot));
    }

    /// The conversation ends, unless the customer will reopen it.
    pub(super) fn end(&mut self, slot: u32, solved: bool, abandoned: bool) {
        let world = &self.stage.world;
        let conversation = &mut self.conversations[slot as usize];
        let tier = conversation.tier;
        if conversation.ghost {
            self.free.push(slot);
            conversation.place = Place::Away;
            return;
        }
        let contact = &mut conversation.contact;
        let (satisfaction, again) = if abandoned {
            (0.0, false)
        } else {
            contact.verdict(world, tier, solved)
        };
        if again && !contact.reopened && contact.turn + 1 < MAX_TURNS {
            // The request was not settled after all: it comes back and is to be answered anew.
            let bits = contact.luck.once(Purpose::Reopen) as u32;
            let after_s = self.stage.config.reopen_after_s * world.exponential.at(bits);
            contact.reopened = true;
            contact.turn += 1;
            conversation.began_turn = contact.turn;
            conversation.place = Place::Away;
            self.agenda.note(
                self.now_s + after_s.min(REOPEN_WITHIN_S),
                Event::Replies(slot),
            );
            return;
        }
        let came_back = contact.reopened || contact.escalated;
        let reward = world.rules().reward.of_totals(&Totals {
            class: contact.class,
            satisfaction: if came_back {
                0.5 * satisfaction
            } else {
                satisfaction
            },
            abandoned,
            excess_s: conversation.excess_s,
            human_s: contact.human_s,
            ai_calls: contact.ai_calls,
        });
        contact.elapsed_s = self.now_s - contact.arrival_s;
        let ending = Ending {
            reward,
            true_satisfaction: satisfaction,
            solved,
            abandoned,
            reopened: contact.reopened,
        };
        conversation.ending = Some(ending);
        conversation.place = Place::Away;
        if conversation.counted {
            self.open -= 1;
            if !self.silent {
                self.count(slot, &ending, tier);
            }
        }
        self.closed.push(slot);
    }

    /// What happens after a conversation that has ended.
    #[must_use]
    pub fn aftermath(&self, slot: u32) -> Option<Aftermath> {
        let conversation = &self.conversations[slot as usize];
        let ending = conversation.ending?;
        let satisfaction = (!ending.abandoned).then_some(ending.true_satisfaction);
        Some(Aftermath::of(
            &self.stage.world,
            &conversation.contact,
            satisfaction,
        ))
    }

    fn count(&mut self, slot: u32, ending: &Ending, tier: Tier) {
        let conversation = &self.conversations[slot as usize];
        let contact = &conversation.contact;
        let satisfaction = (!ending.abandoned).then_some(ending.true_satisfaction);
        let after = Aftermath::of(&self.stage.world, contact, satisfaction);
        let flag = |holds: bool| f64::from(u8::from(holds));
        let limit_s = self.stage.world.rules().reward.limit_s(contact.class);
        let tally = &mut self.tallies[usize::from(conversation.arm)];
        tally.conversations += 1;
        let hour = (contact.arrival_s * (1.0 / 3_600.0)) as usize % 24;
        tally.arrivals[hour] += 1;
        if ending.abandoned {
            tally.abandoned(
                usize::from(conversation.hour),
                tier,
                conversation.answer.queue_s,
            );
        }
        let reward = &ending.reward;
        let (click, conversion) = (
            flag(after.click_s.is_some()),
            flag(after.conversion_s.is_some()),
        );
        // In the order of `CentreKpi::ALL`.
        let values = [
            reward.total,
            reward.satisfaction,
            reward.time,
            reward.cost,
            reward.human_s,
            conversation.first_response_s,
            conversation.queue_s,
            flag(ending.abandoned),
            flag(conversation.first_response_s <= limit_s),
            flag(contact.escalated),
            flag(ending.reopened),
            click,
            conversion,
            f64::from(contact.turn + 1),
        ];
        debug_assert_eq!(values.len(), CentreKpi::ALL.len());
        for (kpi, value) in tally.kpis.iter_mut().zip(values) {
            kpi.add(value);
        }
        let language = &mut tally.languages[usize::from(contact.language)];
        language[0].add(click);
        language[1].add(conversion);
    }
}
