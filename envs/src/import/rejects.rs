//! Rows that could not be imported, and why: a list beside the output, and the count that may end an import.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::error::ImportError;
use crate::class::named;

/// Longest raw row kept with its rejection, in bytes.
const MAX_RAW_BYTES: usize = 400;

named! {
    /// Why a row was not imported.
    Reason {
        /// No JSON, or JSON cut short.
        BrokenJson = "broken_json",
        /// A row of a table with the wrong number of fields or unbalanced quotes.
        BrokenRow = "broken_row",
        /// Bytes that are no UTF-8.
        NotUtf8 = "not_utf8",
        /// A column that must be there is not.
        MissingField = "missing_field",
        /// A key that the log does not know.
        UnknownField = "unknown_field",
        /// A name outside its list, such as a fourth tier.
        UnknownValue = "unknown_value",
        /// A value of the wrong type, not finite or out of range.
        BadValue = "bad_value",
        /// A time that cannot be read or is missing.
        BadTime = "bad_time",
        /// Seconds that are negative, not finite or above 7 days.
        BadDuration = "bad_duration",
        /// A propensity outside (0, 1], a vector that does not sum to 1, or the two do not match.
        BadPropensity = "bad_propensity",
        /// Turns or decisions that go back in time.
        BadOrder = "bad_order",
        /// A conversation id that was imported before.
        DuplicateId = "duplicate_id",
        /// Another row of the same conversation was rejected, so this one would be incomplete.
        Incomplete = "incomplete",
        /// The conversation breaks another rule of the log.
        Invalid = "invalid",
        /// Skipped, not rejected: the customer wrote nothing, so there was nothing to answer.
        NoCustomerMessage = "no_customer_message",
    }
}

/// Where a conversation came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: Arc<str>,
    /// Its line, counted from 1.
    pub line: u64,
}

/// A row that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The file as it was named.
    pub file: String,
    /// The row's first line, counted from 1.
    pub line: u64,
    /// The column's name or path; for broken JSON the character's position in the line.
    pub column: Option<String>,
    /// The conversation, where its id was readable.
    pub conversation_id: Option<String>,
    /// The kind of fault, to be counted.
    pub reason: Reason,
    /// What is wrong and what was expected.
    pub message: String,
    /// The row itself where it is short.
    pub row: Option<String>,
}

impl Rejection {
    /// A rejection of the row at `place`.
    #[must_use]
    pub fn new(place: &Place, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            file: place.file.to_string(),
            line: place.line,
            column: None,
            conversation_id: None,
            reason,
            message: message.into(),
            row: None,
        }
    }

    /// Names the column.
    #[must_use]
    pub fn in_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// Names the conversation.
    #[must_use]
    pub fn of(mut self, conversation_id: impl Into<String>) -> Self {
        self.conversation_id = Some(conversation_id.into());
        self
    }

    /// Keeps the row where it is short; bytes that are no UTF-8 are replaced.
    #[must_use]
    pub fn with_row(mut self, row: &[u8]) -> Self {
        if row.len() <= MAX_RAW_BYTES {
            self.row = Some(String::from_utf8_lossy(row).into_owned());
        }
        self
    }

    /// A row that serde could not read.
    #[must_use]
    pub fn from_json(place: &Place, error: &serde_json::Error) -> Self {
        let message = error.to_string();
        // serde_json appends the position, which the columns of the list tell better.
        let message = message
            .split(" at line ")
            .next()
            .unwrap_or_default()
            .to_owned();
        let rejection = Self::new(place, reason_of(error, &message), message);
        if error.column() > 0 {
            rejection.in_column(error.column().to_string())
        } else {
            rejection
        }
    }
}

/// The fault behind a serde error.
fn reason_of(error: &serde_json::Error, message: &str) -> Reason {
    if error.is_data() {
        reason_of_type(message)
    } else {
        Reason::BrokenJson
    }
}

/// The fault behind the message of a data error. serde gives data errors no kinds, only these documented openings.
pub(super) fn reason_of_type(message: &str) -> Reason {
    let message = message.strip_prefix("cannot be read: ").unwrap_or(message);
    if message.starts_with("missing field") || message == "is missing" {
        Reason::MissingField
    } else if message.starts_with("unknown field") {
        Reason::UnknownField
    } else if message.starts_with("unknown variant") || message.contains("expected a tier") {
        Reason::UnknownValue
    } else if message.contains("probabilit") || message.contains("propensity") {
        Reason::BadPropensity
    } else {
        Reason::BadValue
    }
}

/// The fault behind a column that [`crate::log::validate`] or the log's reader refused.
pub(super) fn reason_of_column(column: &str, message: &str) -> Reason {
    let field = column.rsplit('.').next().unwrap_or_default();
    match field {
        _ if message.starts_with("is missing") => Reason::MissingField,
        "propensity" | "probs" | "propensity_kind" => Reason::BadPropensity,
        "at" | "decided_at" if message.contains("order of time") => Reason::BadOrder,
        _ if field.ends_with("_at") || field == "at" => Reason::BadTime,
        _ if field.ends_with("_s") => Reason::BadDuration,
        _ => Reason::Invalid,
    }
}

/// Collects rejections: counts them and writes them to a file, CSV or, for names that end in `.jsonl`, JSON lines.
#[derive(Debug)]
pub(super) struct Rejects {
    path: PathBuf,
    file: Option<Sink>,
    counts: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
enum Sink {
    Csv(Box<csv::Writer<File>>),
    Jsonl(BufWriter<File>),
}

impl Rejects {
    /// Nothing is created before the first rejection.
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            counts: BTreeMap::new(),
        }
    }

    pub(super) fn add(&mut self, rejection: &Rejection) -> Result<(), ImportError> {
        *self.counts.entry(rejection.reason.name()).or_default() += 1;
        self.write(rejection)
            .map_err(|source| failed(&self.path, source))
    }

    fn write(&mut self, rejection: &Rejection) -> std::io::Result<()> {
        let sink = match &mut self.file {
            Some(sink) => sink,
            none => none.insert(Sink::create(&self.path)?),
        };
        match sink {
            Sink::Csv(writer) => writer.serialize(rejection).map_err(std::io::Error::other),
            Sink::Jsonl(writer) => {
                serde_json::to_writer(&mut *writer, rejection)?;
                writer.write_all(b"\n")
            }
        }
    }

    /// Completes the file; its path, if anything was listed.
    pub(super) fn finish(&mut self) -> Result<Option<&Path>, ImportError> {
        let done = match &mut self.file {
            Some(Sink::Csv(writer)) => writer.flush(),
            Some(Sink::Jsonl(writer)) => writer.flush(),
            None => Ok(()),
        };
        done.map_err(|source| failed(&self.path, source))?;
        Ok(self.file.is_some().then_some(self.path.as_path()))
    }

    pub(super) fn counts(&self) -> &BTreeMap<&'static str, u64> {
        &self.counts
    }

    /// The most frequent reasons first: `bad_duration 12, broken_json 3`.
    pub(super) fn reasons(&self) -> String {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), **name));
        let texts: Vec<_> = counts
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        texts.join(", ")
    }
}

impl Sink {
    fn create(path: &Path) -> std::io::Result<Self> {
        let file = File::create(path)?;
        Ok(if path.extension().is_some_and(|end| end == "jsonl") {
            Self::Jsonl(BufWriter::new(file))
        } else {
            Self::Csv(Box::new(csv::Writer::from_writer(file)))
        })
    }
}

fn failed(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Rejects {
        path: path.to_owned(),
        source,
    }
}

/// The list's default place: the output's name with `.rejects.csv` behind it.
#[must_use]
pub fn default_path(out: &Path) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".rejects.csv");
    name.into()
}
