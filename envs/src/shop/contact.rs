//! A customer with a request: who writes, what about, and what the live models make of it.
//!
//! Shared by the two simulators: [`Shop`](super::Shop), where load follows the hour, and [`crate::centre`], where people
//! are shared. Neither waiting nor capacity is known here.

use crate::class::{Channel, Class};
use crate::luck::{Domain, Luck, Purpose, high, low, triangular};
use crate::observation::{Feature, Observation};
use crate::reward::Reward;
use crate::tier::Tier;

use super::messages::{INTENTS, Kind, Message};
use super::world::{SatisfactionInputs, World};

const CLASSES: [Class; 3] = [Class::Simple, Class::Complex, Class::Complaint];

/// The number of the customer whom a luck brings.
pub(crate) const fn customer_number(luck: Luck) -> u64 {
    luck.once(Purpose::Customer) % 1_000_003
}

/// A conversation as far as the customer is concerned: fixed traits, and tallies so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contact {
    pub(crate) luck: Luck,
    /// Seconds from the start of the period.
    pub(crate) arrival_s: f64,
    /// Seconds from the arrival to the message to be answered.
    pub(crate) elapsed_s: f64,
    pub(crate) coverage: f64,
    pub(crate) leniency: f64,
    pub(crate) ai_support: f64,
    pub(crate) waited_s: f64,
    pub(crate) human_s: f64,
    pub(crate) used: [u8; 3],
    pub(crate) turn: u32,
    pub(crate) failed_drafts: u32,
    pub(crate) ai_calls: u32,
    pub(crate) sentiment: f32,
    pub(crate) first_sentiment: f32,
    pub(crate) language: u8,
    pub(crate) intent: u8,
    pub(crate) class: Class,
    pub(crate) guess: Class,
    pub(crate) wants_human: bool,
    pub(crate) escalated: bool,
    pub(crate) reopened: bool,
}

impl Contact {
    /// Nobody yet.
    pub(crate) const fn nobody() -> Self {
        Self {
            luck: Luck::new(0, Domain::Episode, 0),
            arrival_s: 0.0,
            elapsed_s: 0.0,
            coverage: 0.0,
            leniency: 0.0,
            ai_support: 0.0,
            waited_s: 0.0,
            human_s: 0.0,
            used: [0; 3],
            turn: 0,
            failed_drafts: 0,
            ai_calls: 0,
            sentiment: 0.0,
            first_sentiment: 0.0,
            language: 0,
            intent: 0,
            class: Class::Simple,
            guess: Class::Simple,
            wants_human: false,
            escalated: false,
            reopened: false,
        }
    }

    /// The customer that a luck brings at a second of the period, with the first message received.
    pub(crate) fn arriving(world: &World, luck: Luck, arrival_s: f64) -> Self {
        let config = &world.config;
        let hour = (arrival_s * (1.0 / 3_600.0)) as usize;
        let intent = world.intents[hour % 24].pick(luck.once(Purpose::Intent));
        let (class, coverage) = world.intent_facts[intent];
        let language = world.language_shares.pick(luck.once(Purpose::Language));
        let traits = luck.once(Purpose::Traits);
        let spread = config.perception.coverage_noise * (2.0 * high(traits) - 1.0);
        let mut contact = Self {
            luck,
            arrival_s,
            coverage: (coverage + spread).clamp(0.0, 1.0),
            leniency: config.satisfaction.leniency * (2.0 * low(traits) - 1.0),
            ai_support: world.languages[language].ai_support,
            language: language as u8,
            intent: intent as u8,
            class,
            ..Self::nobody()
        };
        contact.receive(world);
        contact.first_sentiment = contact.sentiment;
        contact
    }

    /// A customer message comes in: what the live models make of it.
    pub(crate) fn receive(&mut self, world: &World) {
        let seen = &world.config.perception;
        let bits = self.luck.at(Purpose::Message, self.turn);
        let row = &seen.confusion[self.class.index()];
        let u = high(bits);
        // Without branches: a guess is random, and a mispredicted branch costs more than both comparisons.
        let above = usize::from(u >= row[0]) + usize::from(u >= row[0] + row[1]);
        self.guess = CLASSES[above];
        let sentiment = seen.sentiment[self.class.index()]
            - seen.sentiment_fall * f64::from(self.turn)
            + seen.sentiment_noise * f64::from(triangular(bits));
        self.sentiment = sentiment.clamp(-1.0, 1.0) as f32;
    }

    /// Chance that the AI's next draft is right.
    pub(crate) fn draft_probability(&self, world: &World) -> f64 {
        world.draft_probability(
            self.class,
            self.ai_support,
            self.coverage,
            self.failed_drafts,
        )
    }

    /// True satisfaction at the end, before it is halved for coming back, and whether the customer reopens.
    pub(crate) fn verdict(&self, world: &World, tier: Tier, solved: bool) -> (f64, bool) {
        let satisfaction = world.satisfaction(&SatisfactionInputs {
            class: self.class,
            tier,
            solved,
            turns: self.turn + 1,
            waited_s: self.waited_s,
            sentiment: self.sentiment,
            leniency: self.leniency,
        });
        let again = high(self.luck.once(Purpose::Reopen));
        (satisfaction, again < world.reopen_probability(tier, solved))
    }

    /// A uniform number in [0, 1) for the policy's own choice at this decision: the same under every policy.
    pub(crate) fn choice(&self) -> f64 {
        let bits = self.luck.at(Purpose::Choice, self.turn);
        // 53 bits, so that a choice is as fine as its probabilities.
        (bits >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// The message to be answered.
    pub(crate) fn message<'a>(&self, world: &'a World) -> &'a Message {
        let bits = self.luck.at(Purpose::Text, self.turn);
        let intent = usize::from(self.intent);
        let kind = if self.turn > 0 {
            if self.wants_human {
                Kind::AsksForPerson
            } else {
                Kind::FollowUp
            }
        } else if high(self.luck.once(Purpose::Hint)) < world.config.perception.ambiguous_share {
            Kind::Ambiguous
        } else {
            Kind::Clear(intent)
        };
        world
            .messages
            .pick(usize::from(self.language), kind, low(bits))
    }

    /// The intent that the live model names, with its probability and the entropy of its distribution in nats.
    fn perceived_intent(&self, world: &World) -> (usize, f32, f32) {
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

    /// Fills in what is known of message, conversation and customer; the system's features are the simulator's.
    pub(crate) fn describe(&self, world: &World, message_chars: f32, row: &mut Observation) {
        let (intent, probability, entropy) = self.perceived_intent(world);
        let customer = self.luck.once(Purpose::Customer);
        let place = self.place(world);
        let byte = |position: u32| (customer >> (8 * position)) as u8;
        row.set(Feature::Class, self.guess.index() as f32);
        row.set(Feature::Intent, world.intent_codes[intent]);
        row.set(Feature::IntentProbability, probability);
        row.set(Feature::IntentEntropy, entropy);
        row.set(Feature::OutOfScope, f32::from(u8::from(probability < 0.35)));
        row.set(Feature::WantsHuman, f32::from(u8::from(self.wants_human)));
        row.set(Feature::Sentiment, self.sentiment);
        row.set(Feature::LengthChars, message_chars);
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
        row.set(Feature::Reopened, f32::from(u8::from(self.reopened)));
        row.set(Feature::Segment, f32::from(byte(0) % 4));
        row.set(Feature::Contacts30d, f32::from(byte(1) % 3));
        row.set(Feature::Orders90d, f32::from(byte(2) % 8));
        row.set(Feature::ValueDecile, f32::from(byte(3) % 10 + 1));
        row.set(
            Feature::Language,
            world.languages[usize::from(self.language)].code,
        );
        row.set(Feature::Region, place.region_code);
    }

    /// Where the customer writes from.
    pub(crate) fn place<'a>(&self, world: &'a World) -> Place<'a> {
        let channel = self.luck.once(Purpose::Channel);
        let regions = &world.languages[usize::from(self.language)].regions;
        let customer = self.luck.once(Purpose::Customer);
        let region = &regions[(customer >> 48) as usize % regions.len()];
        let likely = if self.class == Class::Complaint {
            0.45
        } else {
            0.1
        };
        Place {
            channel: Channel::from_index(world.channels.pick(channel))
                .expect("there is a share for each channel"),
            region: &region.0,
            region_code: region.1,
            image: ((customer >> 32) & 0xffff) as f64 / 65_536.0 < likely,
        }
    }

    /// A number that names the customer; two contacts share it about once in a million.
    pub(crate) const fn customer_number(&self) -> u64 {
        customer_number(self.luck)
    }

    /// The language's tag.
    pub(crate) fn language_tag<'a>(&self, world: &'a World) -> &'a str {
        &world.languages[usize::from(self.language)].tag
    }

    /// The intent's name.
    pub(crate) fn intent_name(&self) -> &'static str {
        INTENTS[usize::from(self.intent)].name
    }
}

/// Channel, region and attachment of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) channel: Channel,
    pub(crate) region: &'a str,
    region_code: f32,
    pub(crate) image: bool,
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ending {
    /// Its reward, with S, E_time and E_cost.
    pub reward: Reward,
    /// S before it was halved for coming back; 0 when abandoned.
    pub true_satisfaction: f64,
    /// The request was solved.
    pub solved: bool,
    /// The customer left a queue unanswered.
    pub abandoned: bool,
    /// Reopened within 7 days.
    pub reopened: bool,
}
