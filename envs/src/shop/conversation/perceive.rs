//! What can be seen of a conversation: its message, its observation, and what a log tells of it.

use super::Shop;
use crate::class::{Channel, Class};
use crate::observation::{Feature, Observation};
use crate::shop::luck::{Luck, Purpose, high, low};
use crate::shop::messages::{INTENTS, Kind, Message};

impl Shop {
    /// The message to be answered.
    pub(in crate::shop) fn message(&self) -> &Message {
        let bits = self.luck.at(Purpose::Text, self.turn);
        let intent = usize::from(self.intent);
        let kind = if self.turn > 0 {
            if self.wants_human {
                Kind::AsksForPerson
            } else {
                Kind::FollowUp
            }
        } else if high(self.luck.once(Purpose::Hint)) < self.world.config.perception.ambiguous_share
        {
            Kind::Ambiguous
        } else {
            Kind::Clear(intent)
        };
        self.world
            .messages
            .pick(usize::from(self.language), kind, low(bits))
    }

    /// The intent that the live model names, with its probability and the entropy of its distribution in nats.
    fn perceived_intent(&self) -> (usize, f32, f32) {
        let world = &*self.world;
        let level = (self.luck.at(Purpose::Text, self.turn) >> 56) as usize;
        if self.guess == self.class {
            let (probability, entropy) = world.certainty[0][level];
            (usize::from(self.intent), probability, entropy)
        } else {
            let of_guess = &world.intents_of_class[self.guess.index()];
            let index = (usize::from(self.intent) + self.turn as usize) % of_guess.len();
            let (probability, entropy) = world.certainty[1][level];
            (of_guess[index], probability, entropy)
        }
    }

    /// Fills the row of features.
    pub(in crate::shop) fn observation(&self, message: &Message) -> Observation {
        let world = &*self.world;
        let hour = &world.load.hours[self.hour as usize];
        let (intent, probability, entropy) = self.perceived_intent();
        let customer = self.luck.once(Purpose::Customer);
        let place = self.place();
        let byte = |position: u32| (customer >> (8 * position)) as u8;
        let mut row = Observation::unknown();
        row.set(Feature::Class, self.guess.index() as f32);
        row.set(Feature::Intent, world.intent_codes[intent]);
        row.set(Feature::IntentProbability, probability);
        row.set(Feature::IntentEntropy, entropy);
        row.set(Feature::OutOfScope, f32::from(u8::from(probability < 0.35)));
        row.set(Feature::WantsHuman, f32::from(u8::from(self.wants_human)));
        row.set(Feature::Sentiment, self.sentiment);
        row.set(Feature::LengthChars, message.chars);
        row.set(Feature::KnowledgeCoverage, self.coverage as f32);
        let score = 0.6 * self.coverage + 0.4 * low(self.luck.once(Purpose::Hint));
        row.set(Feature::KnowledgeScore, score as f32);
        row.set(Feature::Channel, place.channel.index() as f32);
        row.set(Feature::AttachmentKinds, f32::from(u8::from(place.image)));
        row.set(Feature::Turn, self.turn as f32);
        row.set(Feature::ElapsedS, self.elapsed_s as f32);
        row.set(Feature::WaitedS, self.waited_s as f32);
        row.set(Feature::AutoUsed, f32::from(self.used[0]));
        row.set(Feature::ReviewUsed, f32::from(self.used[1]));
        row.set(Feature::HumanUsed, f32::from(self.used[2]));
        row.set(Feature::Unresolved, self.turn as f32);
        row.set(
            Feature::SentimentSlope,
            self.sentiment - self.first_sentiment,
        );
        row.set(Feature::Reopened, 0.0);
        row.set(Feature::Segment, f32::from(byte(0) % 4));
        row.set(Feature::Contacts30d, f32::from(byte(1) % 3));
        row.set(Feature::Orders90d, f32::from(byte(2) % 8));
        row.set(Feature::ValueDecile, f32::from(byte(3) % 10 + 1));
        row.set(
            Feature::Language,
            world.languages[usize::from(self.language)].code,
        );
        row.set(Feature::Region, place.region_code);
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
        let channel = self.luck.once(Purpose::Channel);
        let regions = &self.world.languages[usize::from(self.language)].regions;
        let customer = self.luck.once(Purpose::Customer);
        let region = &regions[(customer >> 48) as usize % regions.len()];
        let likely = if self.class == Class::Complaint {
            0.45
        } else {
            0.1
        };
        Place {
            channel: Channel::from_index(self.world.channels.pick(channel))
                .expect("there is a share for each channel"),
            region: &region.0,
            region_code: region.1,
            image: ((customer >> 32) & 0xffff) as f64 / 65_536.0 < likely,
        }
    }

    /// What a log says about the conversation beside its decisions.
    pub(in crate::shop) fn particulars(&self) -> Particulars<'_> {
        Particulars {
            luck: self.luck,
            language: &self.world.languages[usize::from(self.language)].tag,
            language_index: self.language,
            intent: INTENTS[usize::from(self.intent)].name,
            turns: self.turn + 1,
            used: self.used,
            answered: self.answered,
            first_response_s: (self.answered > 0)
                .then_some(self.answers[0].elapsed_s)
                .flatten(),
            waited_s: self.waited_s,
            human_s: self.human_s,
            ai_calls: self.ai_calls,
            escalated: self.escalated,
            hour: self.hour,
            elapsed_s: self.elapsed_s,
        }
    }
}

/// Channel, region and attachment of a conversation.
#[derive(Debug, Clone, Copy)]
pub(in crate::shop) struct Place<'a> {
    pub(in crate::shop) channel: Channel,
    pub(in crate::shop) region: &'a str,
    region_code: f32,
    pub(in crate::shop) image: bool,
}

/// Tallies of a conversation so far.
#[derive(Debug, Clone, Copy)]
pub(in crate::shop) struct Particulars<'a> {
    pub(in crate::shop) luck: Luck,
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
    pub(in crate::shop) elapsed_s: f64,
}
