//! What can be wrong with a table of logged decisions.

use std::io;
use std::path::PathBuf;

/// Why a table cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file system said no.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// The file is no table at all.
    #[error("{}: {reason}", file.display())]
    NotATable {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
        /// The way out.
        fix: String,
    },
    /// A column that is needed, absent or in the wrong company.
    #[error("{}: {reason}", file.display())]
    Columns {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
        /// The way out.
        fix: String,
    },
    /// A cell that cannot be used.
    #[error("{}:{line}: {}{reason}", file.display(), named(column))]
    Cell {
        /// The file.
        file: PathBuf,
        /// Line of a text file, counted from 1 with its header; row of a Parquet file, counted from 1.
        line: u64,
        /// The column, or nothing for the whole row.
        column: String,
        /// What is wrong.
        reason: String,
        /// The way out.
        fix: String,
    },
}

fn named(column: &str) -> String {
    if column.is_empty() {
        String::new()
    } else {
        format!("`{column}` ")
    }
}

impl TableError {
    /// The way out, where it is known.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Io { .. } => None,
            Self::NotATable { fix, .. } | Self::Columns { fix, .. } | Self::Cell { fix, .. } => {
                Some(fix)
            }
        }
    }
}

/// A cell that cannot be used, before file and line are known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) column: String,
    pub(crate) reason: String,
    pub(crate) fix: &'static str,
}

impl Fault {
    pub(crate) fn new(column: impl Into<String>, reason: String, fix: &'static str) -> Self {
        Self {
            column: column.into(),
            reason,
            fix,
        }
    }

    pub(crate) fn at(self, file: PathBuf, line: u64) -> TableError {
        TableError::Cell {
            file,
            line,
            column: self.column,
            reason: self.reason,
            fix: self.fix.to_owned(),
        }
    }
}
