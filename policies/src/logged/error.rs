//! Why nothing can be learned from a table.

use std::path::PathBuf;

use crate::ope::table::TableError;

/// Why a learner cannot learn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoggedError {
    /// The table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A setting lies outside its range.
    #[error("`--{key}` is {value}; {expected}")]
    Setting {
        /// Name of the option.
        key: &'static str,
        /// The value found.
        value: f64,
        /// What is allowed.
        expected: &'static str,
    },
    /// The table lacks what the learner needs.
    #[error("{}: {reason}", file.display())]
    Unsuitable {
        /// The table.
        file: PathBuf,
        /// What is missing.
        reason: String,
        /// The way out.
        fix: String,
    },
    /// Values have no fixed point: with discount 1 an episode may go on for ever.
    #[error("values do not settle with `--discount` {discount}: some states can be kept for ever")]
    Diverges {
        /// The discount.
        discount: f64,
    },
}

impl LoggedError {
    /// The way out, where it is known.
    #[must_use]
    pub fn fix(&self) -> Option<&str> {
        match self {
            Self::Table(error) => error.fix(),
            Self::Setting { .. } => None,
            Self::Unsuitable { fix, .. } => Some(fix),
            Self::Diverges { .. } => Some("use a discount below 1, such as `--discount 0.99`"),
        }
    }
}
