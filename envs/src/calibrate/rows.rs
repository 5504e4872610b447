//! What calibration reads of a log, as columns of small rows: texts and observations stay behind.

use std::collections::BTreeMap;

use super::error::CalibrateError;
use crate::class::{Class, RatingScale, Review};
use crate::log::error::LogError;
use crate::log::model::{Conversation, Decision};
use crate::observation::Feature;
use crate::tier::Tier;
use crate::time::UtcMicros;

/// One conversation.
#[derive(Debug, Clone)]
pub(super) struct Contact {
    /// Seconds from local midnight of the log's first day.
    pub(super) at_s: f64,
    pub(super) class: Option<Class>,
    /// Position in [`Rows::languages`].
    pub(super) language: Option<u16>,
    /// Two letters, upper case.
    pub(super) region: Option<[u8; 2]>,
    pub(super) channel: u8,
    pub(super) abandoned: bool,
    pub(super) truncated: bool,
    /// Counted as solved at its end.
    pub(super) resolved: bool,
    pub(super) reopened: Option<bool>,
    /// A customer's own rating, on [0, 1].
    pub(super) rating: Option<f32>,
    /// Satisfaction from elsewhere, on [0, 1].
    pub(super) derived: Option<f32>,
    pub(super) queue_s: Option<f64>,
    pub(super) waited_s: Option<f64>,
    /// Clicks and purchases were tracked.
    pub(super) tracked: bool,
    /// Seconds from the end to the click, and to the purchase.
    pub(super) click_s: Option<f64>,
    pub(super) purchase_s: Option<f64>,
    pub(super) order_value: Option<f64>,
    /// Seconds from the first decision to the end.
    pub(super) length_s: f64,
    answers: (u32, u32),
}

/// One answer to a customer message: the last decision about it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    /// Second of the customer's message, counted as [`Contact::at_s`] is.
    pub(super) at_s: f64,
    pub(super) tier: Tier,
    pub(super) answer_s: Option<f64>,
    pub(super) human_s: Option<f64>,
    pub(super) review: Option<Review>,
    pub(super) guess: Option<Class>,
    pub(super) sentiment: Option<f32>,
    pub(super) coverage: Option<f32>,
    pub(super) wants_human: Option<bool>,
    /// The conversation had been closed before and came back.
    pub(super) again: bool,
}

/// A log as calibration sees it, in order of arrival.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) contacts: Vec<Contact>,
    pub(super) languages: Vec<String>,
    /// Local midnight of the first day.
    pub(super) midnight: i64,
    /// Whether the log tells solved conversations from others.
    pub(super) resolution_known: bool,
    pub(super) currency: Option<String>,
    answers: Vec<Answer>,
}

const DAY_S: f64 = 86_400.0;

impl Rows {
    /// Reads a log to its end.
    pub(super) fn of(
        log: impl Iterator<Item = Result<Conversation, LogError>>,
        utc_offset_hours: f64,
    ) -> Result<Self, CalibrateError> {
        let mut rows = Self::default();
        let mut known: BTreeMap<String, u16> = BTreeMap::new();
        let mut created = Vec::new();
        let (mut resolutions, mut missing) = (0_u64, 0_u64);
        let offset_us = (utc_offset_hours * 3.6e9) as i64;
        for conversation in log {
            let conversation = conversation?;
            if conversation.resolution_s.is_some() {
                resolutions += 1;
            } else {
                missing += 1;
            }
            created.push(conversation.created_at);
            rows.push(&conversation, &mut known);
        }
        if rows.contacts.is_empty() {
            return Err(CalibrateError::NoConversations);
        }
        rows.resolution_known = resolutions > 0;
        let first = created.iter().min().map_or(0, |at| at.0 + offset_us);
        rows.midnight = first.div_euclid(86_400_000_000) * 86_400_000_000 - offset_us;
        let midnight = UtcMicros(rows.midnight);
        for (contact, created) in rows.contacts.iter_mut().zip(&created) {
            contact.at_s = created.seconds_since(midnight);
            for i in contact.answers.0..contact.answers.1 {
                rows.answers[i as usize].at_s += contact.at_s;
            }
            // Without any resolution in the log, who did not write again counts as helped.
            if resolutions == 0 && missing > 0 {
                contact.resolved = !contact.abandoned && !contact.truncated;
            }
        }
        rows.contacts.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        Ok(rows)
    }

    fn push(&mut self, of: &Conversation, known: &mut BTreeMap<String, u16>) {
        let first = self.answers.len() as u32;
        for (position, decision) in of.decisions.iter().enumerate() {
            let next = of.decisions.get(position + 1);
            // An overridden choice and what replaced it are one answer.
            if next.is_none_or(|next| next.turn != decision.turn) {
                self.answers.push(answer(of, decision));
            }
        }
        let language = of.language.as_deref().and_then(primary).and_then(|tag| {
            let next = known.len() as u16;
            let position = *known.entry(tag.clone()).or_insert(next);
            if position == next && self.languages.len() < usize::from(u16::MAX) {
                self.languages.push(tag);
            }
            (usize::from(position) < self.languages.len()).then_some(position)
        });
        let end = of
            .closed_at
            .or_else(|| of.turns.iter().rev().find_map(|turn| turn.at))
            .unwrap_or(of.created_at);
        let since = |at: Option<UtcMicros>| at.map(|at| at.seconds_since(end).max(0.0));
        let began = of.decisions.first().map_or(of.created_at, |d| d.decided_at);
        if self.currency.is_none() {
            self.currency = of
                .currency
                .clone()
                .filter(|c| c.len() == 3 && c.bytes().all(|b| b.is_ascii_uppercase()));
        }
        self.contacts.push(Contact {
            at_s: 0.0,
            class: of.class,
            language,
            region: of.region.as_deref().and_then(region),
            channel: of.channel.index() as u8,
            abandoned: of.abandoned == Some(true),
            truncated: of.truncated == Some(true),
            resolved: of.resolution_s.is_some(),
            reopened: of.reopened_7d.or_else(|| of.reopens.map(|n| n > 0)),
            rating: of
                .rating_raw
                .zip(of.rating_scale)
                .map(|(mark, scale)| unit_rating(mark, scale)),
            derived: of.satisfaction.map(|s| s as f32),
            queue_s: of.queue_wait_s,
            waited_s: of.customer_wait_s,
            tracked: of.outcomes_tracked == Some(true),
            click_s: since(of.clicked_at),
            purchase_s: since(of.converted_at),
            order_value: of.order_value,
            length_s: end.seconds_since(began).max(0.0),
            answers: (first, self.answers.len() as u32),
        });
    }

    /// The answers of a conversation.
    pub(super) fn answers(&self, of: &Contact) -> &[Answer] {
        &self.answers[of.answers.0 as usize..of.answers.1 as usize]
    }

    /// Conversations whose first message came on local days `from` to before `to`, without the others.
    pub(super) fn days(&self, from: u32, to: u32) -> Self {
        let within = f64::from(from) * DAY_S..f64::from(to) * DAY_S;
        Self {
            contacts: self
                .contacts
                .iter()
                .filter(|contact| within.contains(&contact.at_s))
                .cloned()
                .collect(),
            languages: self.languages.clone(),
            currency: self.currency.clone(),
            answers: self.answers.clone(),
            ..*self
        }
    }

    /// Every answer with its conversation.
    pub(super) fn every_answer(&self) -> impl Iterator<Item = (&Contact, usize, &Answer)> {
        self.contacts.iter().flat_map(|contact| {
            self.answers(contact)
                .iter()
                .enumerate()
                .map(move |(turn, answer)| (contact, turn, answer))
        })
    }

    /// Local days that the log touches.
    pub(super) fn day_count(&self) -> u32 {
        self.contacts
            .last()
            .map_or(0, |contact| (contact.at_s / DAY_S) as u32 + 1)
    }
}

impl Contact {
    /// Local day, from 0.
    pub(super) fn day(&self) -> usize {
        (self.at_s / DAY_S) as usize
    }

    /// Local hour of the day.
    pub(super) fn hour(&self) -> usize {
        (self.at_s / 3_600.0) as usize % 24
    }

    /// Satisfaction on [0, 1], where known.
    pub(super) fn satisfaction(&self) -> Option<f64> {
        self.rating.or(self.derived).map(f64::from)
    }
}

fn answer(of: &Conversation, decision: &Decision) -> Answer {
    let seen = &decision.observation;
    Answer {
        at_s: decision.decided_at.seconds_since(of.created_at),
        tier: decision.action,
        answer_s: decision.answer_s,
        human_s: decision.human_s,
        review: decision.review,
        guess: seen.class(),
        sentiment: seen.get(Feature::Sentiment),
        coverage: seen.get(Feature::KnowledgeCoverage),
        wants_human: seen.get(Feature::WantsHuman).map(|flag| flag > 0.5),
        again: seen.get(Feature::Reopened).is_some_and(|flag| flag > 0.5),
    }
}

/// The primary language subtag in lower case, when it has two or three letters.
fn primary(tag: &str) -> Option<String> {
    let tag = tag.split(['-', '_']).next()?;
    ((2..=3).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphabetic()))
        .then(|| tag.to_ascii_lowercase())
}

fn region(code: &str) -> Option<[u8; 2]> {
    let bytes: [u8; 2] = code.as_bytes().try_into().ok()?;
    bytes
        .iter()
        .all(u8::is_ascii_alphabetic)
        .then(|| bytes.map(|b| b.to_ascii_uppercase()))
}

fn unit_rating(mark: i8, scale: RatingScale) -> f32 {
    let mark = f32::from(mark);
    match scale {
        RatingScale::FivePoint => (mark - 1.0) / 4.0,
        RatingScale::ThreePoint => (mark - 1.0) / 2.0,
        RatingScale::GoodBad => mark,
    }
    .clamp(0.0, 1.0)
}
