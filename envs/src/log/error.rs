//! What can be wrong with a log: one row, or the whole stream.
//!
//! A [`RowError`] costs one conversation and reading goes on; every other [`LogError`] ends the pass.

use std::fmt;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::validate::Invalid;

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RowErrorKind {
    /// The text is no JSON.
    Syntax,
    /// A value of the wrong type, an unknown name, a missing or an unknown field.
    Type,
    /// Well formed, but out of range or in contradiction with another column.
    Invalid,
    /// The conversation's id was seen before.
    Duplicate,
    /// Written under another version of the log's columns or of the observation's features.
    Version,
}

impl RowErrorKind {
    /// The name used in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Type => "type",
            Self::Invalid => "invalid",
            Self::Duplicate => "duplicate",
            Self::Version => "version",
        }
    }
}

impl fmt::Display for RowErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One row that cannot be used, with its place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}:{line}: {}{reason}", file.display(), self.named_column())]
pub struct RowError {
    /// The file read or written.
    pub file: PathBuf,
    /// Line of a JSONL file or row of a Parquet table, counted from 1.
    pub line: u64,
    /// Path of the field, such as `decisions[2].propensity`; empty where the row has no fields yet.
    pub column: String,
    /// What is wrong, to be read after the column's name.
    pub reason: String,
    /// What sort of fault it is.
    pub kind: RowErrorKind,
}

impl RowError {
    /// Puts a validation failure at its place in a file.
    #[must_use]
    pub fn from_invalid(file: PathBuf, line: u64, invalid: Invalid) -> Self {
        Self {
            file,
            line,
            reason: format!("is {}; {}", invalid.value, invalid.expected),
            column: invalid.column,
            kind: invalid.kind,
        }
    }

    /// The column as it is printed; nothing where the row has no fields yet.
    fn named_column(&self) -> String {
        if self.column.is_empty() {
            "the row ".to_owned()
        } else {
            format!("`{}` ", self.column)
        }
    }

    /// The column with every index taken out, for counting: `decisions[2].propensity` → `decisions[].propensity`.
    #[must_use]
    pub fn column_pattern(&self) -> String {
        let mut pattern = String::with_capacity(self.column.len());
        let mut inside = false;
        for letter in self.column.chars() {
            inside &= letter != ']';
            if !inside {
                pattern.push(letter);
            }
            inside |= letter == '[';
        }
        pattern
    }
}

/// Why a log cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// One row is broken; the next call goes on with the row after it.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The operating system refused: no such file, no permission, no space left.
    #[error("{}: {action}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What was being done.
        action: &'static str,
        /// The system's answer.
        #[source]
        source: io::Error,
    },
    /// The stream is cut off or corrupt; rows after this point are lost.
    #[error("{}: {reason}, {after_rows} rows were read before it; export the log again", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Rows read before the damage.
        after_rows: u64,
        /// What was found.
        reason: String,
    },
    /// The name tells no format.
    #[error(
        "{}: unknown kind of log; name it `.jsonl`, `.jsonl.gz` or `.parquet`",
        file.display()
    )]
    UnknownExtension {
        /// The file.
        file: PathBuf,
    },
    /// A Parquet file that is not the table looked for.
    #[error("{}: no `{table}` table of a log: {reason}", file.display())]
    NotATable {
        /// The file.
        file: PathBuf,
        /// The table looked for: `conversations` or `decisions`.
        table: &'static str,
        /// What was found.
        reason: String,
    },
    /// The decisions of a Parquet log are not beside its conversations.
    #[error(
        "{}: its decisions are missing; a Parquet log is two files, put {} beside it",
        file.display(),
        sibling.display()
    )]
    MissingSibling {
        /// The conversations table.
        file: PathBuf,
        /// Where its decisions should be.
        sibling: PathBuf,
    },
    /// Two tables that do not belong together.
    #[error(
        "{} and {} do not belong together: {reason}; write or copy both again",
        file.display(),
        sibling.display()
    )]
    MismatchedPair {
        /// The conversations table.
        file: PathBuf,
        /// The decisions table.
        sibling: PathBuf,
        /// How it was noticed.
        reason: String,
    },
    /// A log under another schema.
    #[error(
        "{}: version {found} of the {what}; this build reads {supported}, convert the log",
        file.display()
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// Which schema.
        what: &'static str,
        /// The version found.
        found: String,
        /// The version this build reads.
        supported: String,
    },
    /// More decisions than positions can count.
    #[error("{}: more than 2^32 decisions; load the log in parts", file.display())]
    TooLong {
        /// The file.
        file: PathBuf,
    },
    /// There is no conversation in it.
    #[error("{}: the log is empty; it needs at least one conversation", file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
}

impl LogError {
    /// The row error, when reading can go on behind it.
    #[must_use]
    pub const fn as_row(&self) -> Option<&RowError> {
        match self {
            Self::Row(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_error_names_its_place() {
        let error = RowError {
            file: "logs/march.jsonl".into(),
            line: 12,
            column: "decisions[2].propensity".to_owned(),
            reason: "is 0; a propensity lies in (0, 1]".to_owned(),
            kind: RowErrorKind::Invalid,
        };
        assert_eq!(
            error.to_string(),
            "logs/march.jsonl:12: `decisions[2].propensity` is 0; a propensity lies in (0, 1]"
        );
        assert_eq!(error.column_pattern(), "decisions[].propensity");
        let whole = RowError {
            column: String::new(),
            reason: "breaks the JSON at byte 1: expected value".to_owned(),
            kind: RowErrorKind::Syntax,
            ..error
        };
        assert_eq!(
            whole.to_string(),
            "logs/march.jsonl:12: the row breaks the JSON at byte 1: expected value"
        );
    }
}
