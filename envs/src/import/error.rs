//! Why an import could not run at all; single bad rows are rejections, not errors.

use std::path::PathBuf;

use crate::log::error::LogError;

/// An import that wrote nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// No input was named.
    #[error("no input given; name at least one file or folder")]
    NoInput,
    /// A path that does not exist.
    #[error("{}: no such file or folder", path.display())]
    NotFound {
        /// The path given.
        path: PathBuf,
    },
    /// A folder without the file that the source expects.
    #[error("{}: {expected}", path.display())]
    NothingInFolder {
        /// The folder.
        path: PathBuf,
        /// What was looked for.
        expected: &'static str,
    },
    /// A file that cannot be opened.
    #[error("{}: cannot be opened: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file that ends or breaks in the middle, such as a truncated gzip.
    #[error(
        "{file}: reading broke off after {rows} rows: {source}\n  nothing was written, for what is missing cannot be \
         told\n  fix: fetch the file again; `gzip -t` tells whether it is whole"
    )]
    BrokenOff {
        /// The file.
        file: String,
        /// Whole rows read from it before, blank lines included.
        rows: u64,
        /// The reader's reason.
        source: std::io::Error,
    },
    /// A row so long that it is hardly a row.
    #[error("{file}:{line}: a row of more than {limit_mib} MiB; one row is one conversation")]
    RowTooLong {
        /// The file.
        file: String,
        /// The row's first line.
        line: u64,
        /// The limit.
        limit_mib: usize,
    },
    /// Input without a single row.
    #[error("{files}: no rows; nothing to import")]
    Empty {
        /// The files read, separated by commas.
        files: String,
    },
    /// More rows are bad than allowed.
    #[error(
        "{rejected} of {read} rows were rejected ({:.2} %), more than the allowed {:.2} %; nothing was written\n  \
         reasons: {}{reasons}\n  fix: correct the rows, or allow more with a higher --max-rejects",
        100.0 * *rejected as f64 / (*read).max(1) as f64, 100.0 * limit,
        rejects.as_ref().map(|path| format!("see {}; ", path.display())).unwrap_or_default()
    )]
    TooManyRejects {
        /// Rows rejected.
        rejected: u64,
        /// Rows read.
        read: u64,
        /// Share allowed.
        limit: f64,
        /// The most frequent reasons with their counts.
        reasons: String,
        /// Where the rejected rows were written.
        rejects: Option<PathBuf>,
    },
    /// Every row was rejected, merged or skipped.
    #[error("none of the {read} rows holds a conversation to import; nothing was written")]
    NothingImported {
        /// Rows read.
        read: u64,
    },
    /// An option out of range.
    #[error("`{option}` is {value}; {expected}")]
    Option {
        /// The option's name.
        option: &'static str,
        /// The value given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A mapping that cannot be used.
    #[error("{}{}: {message}", path.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
    Mapping {
        /// The mapping's file.
        path: PathBuf,
        /// The line, where one is to blame.
        line: Option<usize>,
        /// What is wrong, and what would be right.
        message: String,
    },
    /// The log cannot be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The list of rejected rows cannot be written.
    #[error("{}: the list of rejected rows cannot be written: {source}", path.display())]
    Rejects {
        /// Its path.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
}
