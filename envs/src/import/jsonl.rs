//! JSON lines: the log's own shape, or another system's objects through a mapping.
//!
//! The log's own shape may carry two extras that helpdesks have: `ratings`, a list whose last entry becomes the
//! rating, and `merged_into`, which marks a conversation that another one has taken over. Texts of a mapping name
//! values by their path: `metrics.reply.minutes`, `contacts.0.id`.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::error::ImportError;
use super::input::{self, Row};
use super::mapping::{Cells, Draft, Mapping, Raw, RowFault, Rows};
use super::rejects::{self, Place, Reason, Rejection};
use super::rows::{self, Volume};
use super::{CustomerKey, Imported, Sink};
use crate::log::error::RowErrorKind;
use crate::log::jsonl::{LineError, parse_line};
use crate::reward::{Rating, last_rating};

/// Imports JSON lines, through a mapping if one is given.
///
/// # Errors
/// [`ImportError`] for a mapping that cannot be used, a file that cannot be read to its end, or from the sink.
pub fn read(
    inputs: &[PathBuf],
    mapping: Option<&Path>,
    key: &CustomerKey,
    sink: &mut Sink<'_>,
) -> Result<Volume, ImportError> {
    let files = input::resolve(inputs, &[], "a folder; name the files in it")?;
    let Some(mapping) = mapping else {
        return rows::for_each(&files, own_shape, sink);
    };
    let mapping = Mapping::load(mapping, key)?;
    if mapping.rows == Rows::Decision {
        let message =
            "a line of JSON is one conversation; leave `rows` out and give `decision.path`";
        return Err(mapping.fault(None, message.to_owned()));
    }
    rows::for_each(&files, |row| mapped(row, &mapping), sink)
}

/// A line in the log's own shape.
fn own_shape(row: Row<'_>) -> Imported {
    let place = row.place();
    match parse_line(row.bytes) {
        Ok(conversation) => Imported::conversation(conversation, place),
        Err(error) => with_extras(row, &place).unwrap_or_else(|| refused(row, &place, &error)),
    }
}

/// A line with `ratings` or `merged_into`; `None` when it has neither.
fn with_extras(row: Row<'_>, place: &Place) -> Option<Imported> {
    let Ok(Value::Object(mut line)) = serde_json::from_slice(row.bytes) else {
        return None;
    };
    let merged = line.remove("merged_into");
    let ratings = line.remove("ratings");
    if merged.is_none() && ratings.is_none() {
        return None;
    }
    if merged.is_some_and(|into| !into.is_null()) {
        return Some(Imported::Merged);
    }
    if let Some(ratings) = ratings.filter(|ratings| !ratings.is_null()) {
        let ratings: Vec<Rating> = match serde_json::from_value(ratings) {
            Ok(ratings) => ratings,
            Err(error) => {
                let rejection = Rejection::from_json(place, &error)
                    .in_column("ratings")
                    .with_row(row.bytes);
                return Some(Imported::Rejected(Box::new(rejection)));
            }
        };
        if let Some(last) = last_rating(&ratings) {
            line.insert("rating_raw".to_owned(), last.raw.into());
            line.insert("rating_scale".to_owned(), last.scale.name().into());
            match last.at {
                Some(at) => line.insert("rating_at".to_owned(), at.to_string().into()),
                None => line.remove("rating_at"),
            };
        }
    }
    let bytes = Value::Object(line).to_string();
    Some(match parse_line(bytes.as_bytes()) {
        Ok(conversation) => Imported::conversation(conversation, place.clone()),
        Err(error) => refused(row, place, &error),
    })
}

/// A line that the log's reader refused.
fn refused(row: Row<'_>, place: &Place, error: &LineError) -> Imported {
    let reason = match error.kind {
        _ if std::str::from_utf8(row.bytes).is_err() => Reason::NotUtf8,
        RowErrorKind::Syntax => Reason::BrokenJson,
        RowErrorKind::Duplicate => Reason::DuplicateId,
        RowErrorKind::Type => rejects::reason_of_type(&error.reason),
        _ => rejects::reason_of_column(&error.column, &error.reason),
    };
    let mut rejection = Rejection::new(place, reason, error.reason.as_str()).with_row(row.bytes);
    if !error.column.is_empty() {
        rejection = rejection.in_column(error.column.as_str());
    }
    rejection.conversation_id = id_of(row.bytes);
    Imported::Rejected(Box::new(rejection))
}

/// The id of a line that is sound JSON at least.
fn id_of(line: &[u8]) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Id {
        conversation_id: String,
    }
    serde_json::from_slice(line)
        .ok()
        .map(|id: Id| id.conversation_id)
}

impl Cells for Value {
    fn cell(&self, name: &str, _: usize) -> Result<Option<Raw<'_>>, (Reason, String)> {
        let Some(value) = at_path(self, name) else {
            return Ok(None);
        };
        let list = |values: &[Self]| -> Option<Vec<String>> {
            let text = |value: &Self| value.as_str().map(str::to_owned);
            values.iter().map(text).collect()
        };
        let no_scalar = || (Reason::BadValue, format!("`{name}` is a list or an object"));
        Ok(match value {
            Self::Null => None,
            Self::Bool(flag) => Some(Raw::Flag(*flag)),
            // A whole number beyond 2⁵³ is an id, which a float would change.
            Self::Number(number) => Some(match number.as_f64() {
                Some(float) if float.abs() < 9_007_199_254_740_992.0 => Raw::Number(float),
                _ => Raw::Text(Cow::Owned(number.to_string())),
            }),
            Self::String(text) => Some(Raw::Text(Cow::Borrowed(text))),
            Self::Array(values) => Some(Raw::Texts(list(values).ok_or_else(no_scalar)?)),
            Self::Object(_) => return Err(no_scalar()),
        })
    }
}

/// The value at a dotted path; a number in it is a list's position.
fn at_path<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, step| match value {
        Value::Object(fields) => fields.get(step),
        Value::Array(values) => values.get(step.parse::<usize>().ok()?),
        _ => None,
    })
}

/// A line of another system.
fn mapped(row: Row<'_>, mapping: &Mapping) -> Imported {
    let place = row.place();
    let value: Value = match std::str::from_utf8(row.bytes) {
        Err(error) => {
            let rejection = Rejection::new(&place, Reason::NotUtf8, error.to_string())
                .in_column((error.valid_up_to() + 1).to_string())
                .with_row(row.bytes);
            return Imported::Rejected(Box::new(rejection));
        }
        Ok(text) => match serde_json::from_str(text) {
            Ok(value) => value,
            Err(error) => {
                let rejection = Rejection::from_json(&place, &error).with_row(row.bytes);
                return Imported::Rejected(Box::new(rejection));
            }
        },
    };
    let merged = mapping.merged_into.as_deref();
    if merged
        .and_then(|path| at_path(&value, path))
        .is_some_and(|into| !into.is_null() && into != "")
    {
        return Imported::Merged;
    }
    let mut id = None;
    let built = (|| {
        id = Some(mapping.conversation_id(&value)?);
        let mut draft = Draft::default();
        mapping.add_columns(&mut draft, &value)?;
        let [decisions, turns, ratings] = mapping.list_paths();
        for turn in entries(&value, turns)? {
            mapping.add_turn(&mut draft, turn)?;
        }
        for decision in decisions.map_or(Ok(&[][..]), |path| entries(&value, Some(path)))? {
            mapping.add_decision(&mut draft, decision)?;
        }
        if decisions.is_none() {
            mapping.add_decision(&mut draft, &value)?;
        }
        let mut given = Vec::new();
        for rating in entries(&value, ratings)? {
            given.extend(mapping.rating(rating)?);
        }
        draft.set_rating(&given);
        draft.finish("jsonl")
    })();
    match built {
        Ok(conversation) => Imported::conversation(conversation, place),
        Err(fault) => {
            let mut rejection =
                Rejection::new(&place, fault.reason, fault.message).with_row(row.bytes);
            rejection.column = fault.column;
            rejection.conversation_id = id;
            Imported::Rejected(Box::new(rejection))
        }
    }
}

/// The entries of a list; none where there is no such list.
fn entries<'a>(value: &'a Value, path: Option<&str>) -> Result<&'a [Value], RowFault> {
    let Some(path) = path else { return Ok(&[]) };
    match at_path(value, path) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(entries)) => Ok(entries),
        Some(_) => Err(RowFault::new(Reason::BadValue, path, "is no list")),
    }
}

#[cfg(test)]
mod tests;
