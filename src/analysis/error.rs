//! What can be wrong with a table of experiment data.

use std::path::PathBuf;

use crate::failure::Failure;

/// Why a table cannot be analysed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// The file cannot be read.
    #[error("{}: {reason}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What was said.
        reason: String,
    },
    /// The columns fit no format.
    #[error("{}: {what}", file.display())]
    Columns {
        /// The file.
        file: PathBuf,
        /// What is missing or in the way.
        what: String,
    },
    /// A row that cannot be used.
    #[error("{}:{line}: {what}", file.display())]
    Row {
        /// The file.
        file: PathBuf,
        /// Line of a CSV file, row of a Parquet file, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// What would be right.
        fix: String,
    },
    /// An experiment that cannot be compared.
    #[error("{}: {what}", file.display())]
    Experiment {
        /// The file.
        file: PathBuf,
        /// Which experiment, and what is wrong.
        what: String,
        /// What would be right.
        fix: String,
    },
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            AnalysisError::Unreadable { .. } => failure.fix("check the path and the file"),
            AnalysisError::Columns { .. } => failure
                .detail("counts need arm, units, conversions; units need unit, arm, value;")
                .detail(
                    "streams need at, unit, arm, share, value; snapshots need time_since_start,",
                )
                .detail("count_c, count_t, mean_c, mean_t, variance_c, variance_t")
                .fix("rename the columns; docs/statistics.md lists every format"),
            AnalysisError::Row { fix, .. } | AnalysisError::Experiment { fix, .. } => {
                failure.fix(fix)
            }
        }
    }
}
