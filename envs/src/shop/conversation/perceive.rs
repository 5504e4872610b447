//! What can be seen of a conversation: its message, its observation, and what a log tells of it.

use super::Shop;
use crate::observation::{Feature, Observation};
use crate::shop::contact::Place;
use crate::shop::messages::Message;

impl Shop {
    /// The message to be answered.
    pub(in crate::shop) fn message(&self) -> &Message {
        self.contact.message(&self.world)
    }

    /// Fills the row of features.
    pub(in crate::shop) fn observation(&self, message: &Message) -> Observation {
        let world = &*self.world;
        let hour = &world.load.hours[self.hour as usize];
        let mut row = Observation::unknown();
        self.contact.describe(world, message.chars, &mut row);
        row.set(Feature::BusyReview, hour.busy_review);
        row.set(Feature::BusyHuman, hour.busy_human);
        row.set(Feature::QueueReview, hour.queue_review);
        row.set(Feature::QueueHuman, hour.queue_human);
        let speakers = self.speakers();
        if speakers.people > 0 {
            row.set(Feature::ExpectedWaitS, speakers.queue.expected_s());
        }
        row.set(Feature::HumansOnShift, f32::from(speakers.people));
        row.set(
            Feature::AiLatencyS,
            world.load.steps[self.hour as usize].latency_s,
        );
        row.set(Feature::ForecastLoad, hour.forecast);
        row.set_clock(self.now());
        row
    }

    /// Where the customer writes from.
    pub(in crate::shop) fn place(&self) -> Place<'_> {
        self.contact.place(&self.world)
    }

    /// What a log says about the conversation beside its decisions.
    pub(in crate::shop) fn particulars(&self) -> Particulars<'_> {
        Particulars {
            language: &self.world.languages[usize::from(self.contact.language)].tag,
            language_index: self.contact.language,
            intent: self.contact.intent_name(),
            turns: self.contact.turn + 1,
            used: self.contact.used,
            answered: self.answered,
            first_response_s: (self.answered > 0)
                .then_some(self.answers[0].elapsed_s)
                .flatten(),
            waited_s: self.contact.waited_s,
            human_s: self.contact.human_s,
            ai_calls: self.contact.ai_calls,
            escalated: self.contact.escalated,
            hour: self.hour,
        }
    }
}

/// Tallies of a conversation so far.
#[derive(Debug, Clone, Copy)]
pub(in crate::shop) struct Particulars<'a> {
    pub(in crate::shop) language: &'a str,
    pub(in crate::shop) language_index: u8,
    pub(in crate::shop) intent: &'static str,
    pub(in crate::shop) turns: u32,
    pub(in crate::shop) used: [u8; 3],
    pub(in crate::shop) answered: u32,
    pub(in crate::shop) first_response_s: Option<f64>,
    pub(in crate::shop) waited_s: f64,
    pub(in crate::shop) human_s: f64,
    pub(in crate::shop) ai_calls: u32,
    pub(in crate::shop) escalated: bool,
    pub(in crate::shop) hour: u32,
}
