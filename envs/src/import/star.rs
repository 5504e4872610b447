//! The STAR corpus of service conversations: a person types, the machine proposes, the person picks or sends their
//! own text.
//!
//! Every reply is a tier-2 decision with its review outcome. That gives real arrivals, texts, answer and review times
//! and satisfaction; it gives no tier 1, no tier 3 and no propensity. [`explain`] tells every derived field and its
//! rule. Source: Mosig, Mehri & Kober, "STAR: A Schema-Guided Dialog Dataset for Transfer Learning", 2020.

mod busy;
mod derive;
mod events;
mod explain;

use std::path::PathBuf;

use self::busy::Timeline;
use self::events::Dialogue;
pub use self::explain::{Counts, ExplainedRule, Rule, explain, explained};
use super::error::ImportError;
use super::input::{self, Row};
use super::rejects::{Place, Reason, Rejection};
use super::rows::{self, Volume};
use super::{CustomerKey, Imported, Sink};
use crate::log::model::Conversation;
use crate::mask::MaskRules;

/// What a folder given as input must hold.
const FILES: &[&str] = &["dialogues.jsonl.gz", "dialogues.jsonl"];

/// A parsed line.
enum Parsed {
    Conversation(Box<Conversation>, Place),
    Skipped(Box<Rejection>),
    Rejected(Box<Rejection>),
}

/// Imports STAR dialogues, one published object a line, in the order of the files.
///
/// All conversations are held in memory (about the size of the JSON) until the last is read, because how busy the
/// people were at an instant is known only then.
///
/// # Errors
/// [`ImportError`] for a file that cannot be read to its end, or from the sink.
pub fn read(
    inputs: &[PathBuf],
    key: &CustomerKey,
    sink: &mut Sink<'_>,
) -> Result<(Volume, Counts), ImportError> {
    let files = input::resolve(
        inputs,
        FILES,
        "the folder holds neither `dialogues.jsonl.gz` nor `dialogues.jsonl`",
    )?;
    let rules = MaskRules::default();
    let mut counts = Counts::default();
    let mut parsed = Vec::new();
    let volume = rows::for_each(
        &files,
        |row| parse(row, &rules, key),
        |(row, hits)| {
            counts += &hits;
            parsed.push(row);
            Ok(())
        },
    )?;
    let timeline = Timeline::of(parsed.iter().filter_map(|row| match row {
        Parsed::Conversation(conversation, _) => Some(&**conversation),
        _ => None,
    }));
    for row in parsed {
        sink(match row {
            Parsed::Conversation(mut conversation, place) => {
                timeline.fill(&mut conversation);
                Imported::Conversation {
                    conversation,
                    place,
                    more: Vec::new(),
                }
            }
            Parsed::Skipped(skipped) => Imported::Skipped(skipped),
            Parsed::Rejected(rejection) => Imported::Rejected(rejection),
        })?;
    }
    Ok((volume, counts))
}

fn parse(row: Row<'_>, rules: &MaskRules, key: &CustomerKey) -> (Parsed, Counts) {
    let mut counts = Counts::default();
    let place = row.place();
    let dialogue = match dialogue(row, &place) {
        Ok(dialogue) => dialogue,
        Err(rejection) => return (Parsed::Rejected(rejection), counts),
    };
    let hash = |id: &str| key.hash(id);
    let parsed = match derive::derive(&dialogue, rules, &hash, &mut counts) {
        Ok(Some(conversation)) => Parsed::Conversation(Box::new(conversation), place),
        Ok(None) => Parsed::Skipped(Box::new(
            Rejection::new(
                &place,
                Reason::NoCustomerMessage,
                "the customer left before writing; skipped, not counted as a bad row",
            )
            .of(format!("star-{}", dialogue.id)),
        )),
        Err(fault) => {
            // A rejected dialogue leaves no trace in the table of rules.
            counts = Counts::default();
            Parsed::Rejected(Box::new(
                Rejection::new(&place, fault.reason, fault.message)
                    .in_column(fault.column)
                    .of(format!("star-{}", dialogue.id))
                    .with_row(row.bytes),
            ))
        }
    };
    (parsed, counts)
}

fn dialogue<'a>(row: Row<'a>, place: &Place) -> Result<Dialogue<'a>, Box<Rejection>> {
    let text = std::str::from_utf8(row.bytes).map_err(|error| {
        let rejection = Rejection::new(place, Reason::NotUtf8, error.to_string());
        Box::new(
            rejection
                .in_column((error.valid_up_to() + 1).to_string())
                .with_row(row.bytes),
        )
    })?;
    serde_json::from_str(text)
        .map_err(|error| Box::new(Rejection::from_json(place, &error).with_row(row.bytes)))
}

#[cfg(test)]
mod tests;
