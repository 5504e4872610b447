//! Importers: other systems' exports become conversations of the log.
//!
//! Each source is a streaming producer into a sink; [`run`] joins one to the log's writer, lists what could not be
//! imported beside the output, and lets the output appear only when the whole import succeeded. What a row of the log
//! promises is [`crate::log::validate`]'s business; printing is left to the caller.

pub mod csv;
pub mod error;
pub(crate) mod input;
pub mod jsonl;
mod mapping;
pub mod rejects;
mod rows;
pub mod star;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::error::ImportError;
use self::rejects::{Place, Reason, Rejection, Rejects};
pub use self::rows::Volume;
use crate::log::error::{LogError, RowError, RowErrorKind};
use crate::log::file::LogWriter;
use crate::log::model::Conversation;

/// Where conversations come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The STAR corpus: one published dialogue a line.
    Star,
    /// JSON lines: the log's own shape, or another one through a mapping.
    Jsonl {
        /// The mapping's file.
        mapping: Option<PathBuf>,
    },
    /// Tables through a mapping.
    Csv {
        /// The mapping's file.
        mapping: PathBuf,
    },
}

impl Source {
    /// The name used on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Star => "star",
            Self::Jsonl { .. } => "jsonl",
            Self::Csv { .. } => "csv",
        }
    }
}

/// How to import.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportOptions {
    /// Largest share of rows that may be rejected, in [0, 1].
    pub max_rejects: f64,
    /// Where rejected and skipped rows are listed: CSV, or JSON lines when the name ends in `.jsonl`; by default the
    /// output's name with `.rejects.csv` behind it.
    pub rejects: Option<PathBuf>,
    /// Key of the hash that replaces customers' ids.
    pub customer_key: CustomerKey,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            max_rejects: 0.01,
            rejects: None,
            customer_key: CustomerKey::new("tierwise"),
        }
    }
}

/// Key of the hash that replaces customers' ids. With a secret of your own nobody can find an id by hashing all of
/// them; the same secret links imports of the same customers.
#[derive(Clone, PartialEq, Eq)]
pub struct CustomerKey([u8; 32]);

impl CustomerKey {
    /// Derives the key from a secret of any length.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self(blake3::derive_key(
            "tierwise 2026 customer id hash",
            secret.as_bytes(),
        ))
    }

    /// Keyed blake3 of an id: 128 bits, as 32 hex digits.
    #[must_use]
    pub fn hash(&self, id: &str) -> String {
        blake3::keyed_hash(&self.0, id.as_bytes()).to_hex()[..32].to_owned()
    }
}

impl std::fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CustomerKey(..)")
    }
}

/// What became of one or more rows.
#[derive(Debug)]
#[non_exhaustive]
pub enum Imported {
    /// A conversation, not yet validated.
    Conversation {
        /// The conversation.
        conversation: Box<Conversation>,
        /// Its row, or the first of them.
        place: Place,
        /// Its other rows, where a table has one per decision.
        more: Vec<Place>,
    },
    /// A bad row.
    Rejected(Box<Rejection>),
    /// A sound row that was merged into another one, which counts.
    Merged,
    /// A sound row without anything to import; listed and counted, and no fault.
    Skipped(Box<Rejection>),
}

impl Imported {
    fn conversation(conversation: Conversation, place: Place) -> Self {
        Self::Conversation {
            conversation: Box::new(conversation),
            place,
            more: Vec::new(),
        }
    }

    /// A row whose conversation was spoiled by another row.
    fn incomplete(place: &Place, spoiled_by: u64, conversation_id: &str) -> Self {
        let message = format!("line {spoiled_by} of the same conversation was rejected");
        let rejection = Rejection::new(place, Reason::Incomplete, message);
        Self::Rejected(Box::new(rejection.of(conversation_id)))
    }
}

/// Receives what an importer produces, in the order of the input.
pub type Sink<'a> = dyn FnMut(Imported) -> Result<(), ImportError> + 'a;

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ImportSummary {
    /// The source's name.
    pub source: &'static str,
    /// Rows read: `rows_written + rejected + merged + skipped`.
    pub read: u64,
    /// Bytes read, after decompression.
    pub bytes: u64,
    /// Conversations written.
    pub written: u64,
    /// The rows behind them: as many, but for tables with a row per decision.
    pub rows_written: u64,
    /// Their decisions.
    pub decisions: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Rows merged into another one.
    pub merged: u64,
    /// Sound rows without anything to import.
    pub skipped: u64,
    /// Rejected and skipped rows by reason.
    pub by_reason: BTreeMap<String, u64>,
    /// Where they are listed, if there are any.
    pub rejects: Option<PathBuf>,
    /// Content hash of the log written.
    pub log_hash: String,
    /// Derivation rules with their hits, where the source derives.
    pub explained: Vec<star::ExplainedRule>,
}

/// Imports everything into a new log at `out`, whose name tells the format.
///
/// The log appears under its name only when the import succeeds; the list of rejected rows stays in any case.
///
/// # Errors
/// [`ImportError`] when an input cannot be read to its end, more rows are rejected than allowed, nothing is left to
/// write, or a file cannot be written.
pub fn run(
    source: &Source,
    inputs: &[PathBuf],
    out: &Path,
    options: &ImportOptions,
) -> Result<ImportSummary, ImportError> {
    if !(0.0..=1.0).contains(&options.max_rejects) {
        return Err(ImportError::Option {
            option: "max-rejects",
            value: options.max_rejects.to_string(),
            expected: "it is a share in [0, 1]: 0.01 allows one bad row in a hundred",
        });
    }
    let rejects = options.rejects.clone();
    let mut output = Output {
        writer: LogWriter::create(out)?,
        rejects: Rejects::new(rejects.unwrap_or_else(|| rejects::default_path(out))),
        summary: ImportSummary {
            source: source.name(),
            ..ImportSummary::default()
        },
    };
    let produced = produce(source, inputs, options, &mut |imported| {
        output.take(imported)
    });
    let listed = output.rejects.finish().map(|path| path.map(Path::to_owned));
    let (volume, explained) = produced?;
    let mut summary = output.summary;
    summary.rejects = listed?;
    summary.read = volume.rows;
    summary.bytes = volume.bytes;
    summary.explained = explained;
    for (reason, count) in output.rejects.counts() {
        summary.by_reason.insert((*reason).to_owned(), *count);
    }
    if volume.rows == 0 {
        let files: Vec<_> = inputs
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return Err(ImportError::Empty {
            files: files.join(", "),
        });
    }
    if summary.rejected as f64 > options.max_rejects * summary.read as f64 {
        return Err(ImportError::TooManyRejects {
            rejected: summary.rejected,
            read: summary.read,
            limit: options.max_rejects,
            reasons: output.rejects.reasons(),
            rejects: summary.rejects,
        });
    }
    if summary.written == 0 {
        return Err(ImportError::NothingImported { read: summary.read });
    }
    summary.log_hash = output.writer.finish()?.hash;
    Ok(summary)
}

fn produce(
    source: &Source,
    inputs: &[PathBuf],
    options: &ImportOptions,
    sink: &mut Sink<'_>,
) -> Result<(Volume, Vec<star::ExplainedRule>), ImportError> {
    let key = &options.customer_key;
    match source {
        Source::Star => {
            let (volume, counts) = star::read(inputs, key, sink)?;
            Ok((volume, star::explained(&counts)))
        }
        Source::Jsonl { mapping } => {
            let volume = jsonl::read(inputs, mapping.as_deref(), key, sink)?;
            Ok((volume, Vec::new()))
        }
        Source::Csv { mapping } => Ok((csv::read(inputs, mapping, key, sink)?, Vec::new())),
    }
}

/// The log being written with its rejected rows and its counts.
struct Output {
    writer: LogWriter,
    rejects: Rejects,
    summary: ImportSummary,
}

impl Output {
    fn take(&mut self, imported: Imported) -> Result<(), ImportError> {
        match imported {
            Imported::Conversation {
                conversation,
                place,
                more,
            } => self.write(&conversation, &place, &more),
            Imported::Rejected(rejection) => self.reject(&rejection),
            Imported::Merged => {
                self.summary.merged += 1;
                Ok(())
            }
            Imported::Skipped(rejection) => {
                self.summary.skipped += 1;
                self.rejects.add(&rejection)
            }
        }
    }

    fn write(
        &mut self,
        conversation: &Conversation,
        place: &Place,
        more: &[Place],
    ) -> Result<(), ImportError> {
        match self.writer.write(conversation) {
            Ok(()) => {
                self.summary.written += 1;
                self.summary.rows_written += 1 + more.len() as u64;
                self.summary.decisions += conversation.decisions.len() as u64;
                Ok(())
            }
            Err(LogError::Row(error)) => {
                let rejection = rejection_of(&error, place);
                let id = conversation.conversation_id.as_str();
                self.reject(&rejection.of(id))?;
                more.iter()
                    .try_for_each(|other| self.take(Imported::incomplete(other, place.line, id)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn reject(&mut self, rejection: &Rejection) -> Result<(), ImportError> {
        self.summary.rejected += 1;
        self.rejects.add(rejection)
    }
}

/// A conversation that the log refused.
fn rejection_of(error: &RowError, place: &Place) -> Rejection {
    let reason = match error.kind {
        RowErrorKind::Duplicate => Reason::DuplicateId,
        _ => rejects::reason_of_column(&error.column, &error.reason),
    };
    Rejection::new(place, reason, error.reason.as_str()).in_column(error.column.as_str())
}

#[cfg(test)]
mod tests;
