//! Logged conversations as arrivals: who came when and with what stays as it was, who answers is chosen anew.
//!
//! A traced conversation keeps its second of arrival, its class, its language, and what was known of its first message and
//! its customer. Leniency, patience and what answers lead to are the simulator's, from the same counter-based luck as ever,
//! and so are later messages.

use super::stage::Stage;
use crate::class::Class;
use crate::log::model::Conversation;
use crate::log::validate::id_hash;
use crate::luck::{Purpose, high};
use crate::observation::{Feature, Observation};
use crate::shop::World;
use crate::shop::contact::Contact;
use crate::shop::messages::INTENTS;
use crate::tier::Tier;

/// What was logged of the first message and its customer, and is seen again.
const MESSAGE: [Feature; 12] = [
    Feature::Class,
    Feature::Intent,
    Feature::IntentProbability,
    Feature::IntentEntropy,
    Feature::OutOfScope,
    Feature::WantsHuman,
    Feature::Sentiment,
    Feature::LengthChars,
    Feature::KnowledgeCoverage,
    Feature::KnowledgeScore,
    Feature::AttachmentKinds,
    Feature::Reopened,
];

/// What is known of the customer at every message.
const CUSTOMER: [Feature; 7] = [
    Feature::Channel,
    Feature::Segment,
    Feature::Contacts30d,
    Feature::Orders90d,
    Feature::ValueDecile,
    Feature::Language,
    Feature::Region,
];

/// One logged conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Traced {
    /// Hash of its id, as [`crate::replay::Episodes::keys`] has it.
    pub key: u64,
    /// Seconds from the start of the period to its arrival.
    pub at_s: f64,
    /// Its class, where the log names one.
    pub class: Option<Class>,
    /// Position of its language in the shop.
    pub language: u8,
    /// What was seen at its first decision.
    pub first: Observation,
    /// Its first message, where the log holds texts.
    pub text: Option<Box<str>>,
    /// The tiers that were taken, in order.
    pub tiers: Vec<Tier>,
    intent: Option<u8>,
}

/// Logged conversations that cannot be replayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// They came before or after the period.
    pub outside: u64,
    /// Their language is unknown, or none of the shop's.
    pub language: u64,
    /// They have no decision.
    pub undecided: u64,
}

/// The arrivals of a log, in order of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trace {
    contacts: Vec<Traced>,
    left_out: LeftOut,
}

impl Trace {
    /// Adds a conversation, if it came within the world's period and its cool-down of `cooldown_h` hours.
    ///
    /// Conversations may come in any order; [`Stage::replaying`] takes them by time.
    pub fn push(&mut self, of: &Conversation, world: &World, cooldown_h: f64) {
        let at_s = of.created_at.seconds_since(world.start());
        if !(0.0..world.period_s() + cooldown_h * 3_600.0).contains(&at_s) {
            self.left_out.outside += 1;
            return;
        }
        let Some(first) = of.decisions.first() else {
            self.left_out.undecided += 1;
            return;
        };
        let languages = &world.config().language;
        let primary = of
            .language
            .as_deref()
            .and_then(|tag| tag.split(['-', '_']).next());
        let language = match primary {
            Some(tag) => languages
                .iter()
                .position(|l| l.tag.eq_ignore_ascii_case(tag)),
            // One language stands for all.
            None => (languages.len() == 1).then_some(0),
        };
        let Some(language) = language else {
            self.left_out.language += 1;
            return;
        };
        let text = usize::try_from(first.turn)
            .ok()
            .and_then(|turn| of.turns.get(turn))
            .and_then(|turn| turn.text.as_deref())
            .map(Box::from);
        self.contacts.push(Traced {
            key: id_hash(&of.conversation_id),
            at_s,
            class: of.class.or_else(|| first.observation.class()),
            language: language as u8,
            first: first.observation,
            text,
            tiers: of
                .decisions
                .iter()
                .map(|decision| decision.action)
                .collect(),
            intent: of.intent.as_deref().and_then(|name| {
                INTENTS
                    .iter()
                    .position(|intent| intent.name == name)
                    .map(|position| position as u8)
            }),
        });
    }

    /// The conversations, in order of time once a [`Stage`] has them: entry n is the centre's conversation n.
    #[must_use]
    pub fn contacts(&self) -> &[Traced] {
        &self.contacts
    }

    /// Conversations that were left out.
    #[must_use]
    pub const fn left_out(&self) -> &LeftOut {
        &self.left_out
    }

    pub(super) fn sort(&mut self) {
        self.contacts
            .sort_by(|a, b| a.at_s.total_cmp(&b.at_s).then(a.key.cmp(&b.key)));
    }

    pub(super) fn get(&self, number: u64) -> Option<&Traced> {
        usize::try_from(number)
            .ok()
            .and_then(|n| self.contacts.get(n))
    }
}

impl Traced {
    /// Gives a simulated customer the logged one's traits.
    pub(super) fn apply(&self, world: &World, contact: &mut Contact) {
        contact.language = self.language;
        contact.ai_support = world.languages[usize::from(self.language)].ai_support;
        let class = self.class.unwrap_or(contact.class);
        let named = self
            .intent
            .filter(|intent| INTENTS[usize::from(*intent)].class == class);
        contact.class = class;
        contact.intent = named.unwrap_or_else(|| {
            if INTENTS[usize::from(contact.intent)].class == class {
                contact.intent
            } else {
                intent_of(class, high(contact.luck.once(Purpose::Intent)))
            }
        });
        let seen = |feature| self.first.get(feature).map(f64::from);
        let (_, mean) = world.intent_facts[usize::from(contact.intent)];
        contact.coverage = seen(Feature::KnowledgeCoverage).unwrap_or(mean);
        contact.guess = self.first.class().unwrap_or(class);
        if let Some(sentiment) = self.first.get(Feature::Sentiment) {
            contact.sentiment = sentiment;
            contact.first_sentiment = sentiment;
        }
        contact.wants_human = seen(Feature::WantsHuman).is_some_and(|flag| flag > 0.5);
    }

    /// Puts what was logged into an observation: the first message's features while it is the first, the customer's always.
    pub(super) fn describe(&self, first: bool, row: &mut Observation) {
        let message = MESSAGE.iter().filter(|_| first);
        for feature in message.chain(&CUSTOMER) {
            // What was not known then is not known now.
            row.set(*feature, self.first.row()[feature.index()]);
        }
    }
}

/// An intent of a class at a uniform number, by the intents' shares.
fn intent_of(class: Class, u: f64) -> u8 {
    let of = || {
        INTENTS
            .iter()
            .enumerate()
            .filter(move |(_, i)| i.class == class)
    };
    let total: f64 = of().map(|(_, intent)| intent.share).sum();
    let (mut below, mut last) = (0.0, 0);
    for (position, intent) in of() {
        last = position;
        below += intent.share / total;
        if u < below {
            break;
        }
    }
    last as u8
}

impl Stage {
    /// The logged conversations that come instead of simulated arrivals, if any.
    #[must_use]
    pub fn trace(&self) -> Option<&Trace> {
        self.trace.as_deref()
    }
}
