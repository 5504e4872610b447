//! Why a table is no hourly series, and why a series cannot be forecast.

use std::fmt;
use std::path::PathBuf;

use crate::import::error::ImportError;

/// Faults shown of a table; the rest is counted.
const SHOWN: usize = 8;

/// One thing wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// Line in the file, from 1.
    pub line: u64,
    /// What is wrong there.
    pub what: String,
}

/// A table that could not be read as an hourly series.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeriesError {
    /// The file cannot be opened.
    #[error(transparent)]
    Open(#[from] ImportError),
    /// The file ends or breaks in the middle.
    #[error("{}: reading broke off: {source}\n  fix: fetch the file again", path.display())]
    BrokenOff {
        /// The file.
        path: PathBuf,
        /// The reader's reason.
        #[source]
        source: std::io::Error,
    },
    /// A named column is not in the header.
    #[error(
        "{}: no column `{name}`\n  the header has {columns}\n  fix: name columns with `--time` and `--value`",
        path.display()
    )]
    Column {
        /// The file.
        path: PathBuf,
        /// The column looked for.
        name: String,
        /// The columns that are there.
        columns: String,
    },
    /// The first line holds data where names should stand.
    #[error(
        "{}:1: the first line holds data, not column names\n  fix: put a line such as `time,count` above it",
        path.display()
    )]
    NoHeader {
        /// The file.
        path: PathBuf,
    },
    /// Rows that cannot be taken as they are.
    #[error(
        "{}: {} of {rows} rows cannot be used; nothing was computed{}\n  fix: {fix}",
        path.display(), faults.len(), Shown(faults)
    )]
    Rows {
        /// The file.
        path: PathBuf,
        /// Rows read.
        rows: u64,
        /// The faults, by line.
        faults: Vec<RowFault>,
        /// What to do about the first kind of them.
        fix: &'static str,
    },
    /// Too few rows to tell how far apart they are.
    #[error(
        "{}: {} with a count; at least 2 are needed, and weeks of them for a forecast",
        path.display(), number(*counted as u64, "row")
    )]
    Empty {
        /// The file.
        path: PathBuf,
        /// Rows with a count.
        counted: usize,
    },
    /// Rows stand apart by something that does not add up to hours.
    #[error(
        "{}: rows are {step_s} s apart, which does not divide an hour\n  fix: {fix}",
        path.display()
    )]
    Step {
        /// The file.
        path: PathBuf,
        /// The step, in seconds.
        step_s: i64,
        /// What would help.
        fix: &'static str,
    },
    /// Counts are missing between the first and the last row.
    #[error(
        "{}: {} missing in {}; nothing was computed{}\n  fix: `--fill zero` where no row means \
         that nobody came, `--fill interpolate` where the count was lost",
        path.display(), number(*missing, "count"), number(gaps.len() as u64, "gap"), Shown(gaps)
    )]
    Gaps {
        /// The file.
        path: PathBuf,
        /// Where counts are missing: the line before each gap.
        gaps: Vec<RowFault>,
        /// Counts missing altogether.
        missing: u64,
    },
    /// A span so long that it is hardly meant.
    #[error(
        "{}: from {from} to {to} it is more than {limit_years} years\n  fix: correct the times, or keep the last years \
         only; older ones say little about tomorrow",
        path.display()
    )]
    TooLong {
        /// The file.
        path: PathBuf,
        /// First time.
        from: String,
        /// Last time.
        to: String,
        /// Years allowed.
        limit_years: i64,
    },
    /// Not a single whole hour.
    #[error("{}: no hour is covered by all its rows", path.display())]
    NoHour {
        /// The file.
        path: PathBuf,
    },
}

/// A number with its noun.
pub(super) fn number(n: u64, noun: &str) -> String {
    match n {
        1 => format!("1 {noun}"),
        n => format!("{n} {noun}s"),
    }
}

/// The first faults, a line each.
struct Shown<'a>(&'a [RowFault]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in self.0.iter().take(SHOWN) {
            write!(f, "\n  line {}: {}", fault.line, fault.what)?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// A forecast that could not be made or judged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ForecastError {
    /// An option out of range.
    #[error("`{option}` is {value}; it {expected}")]
    Option {
        /// The option.
        option: &'static str,
        /// The value given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// Too little history to fit, to measure the spread of errors, and to judge.
    #[error(
        "the series has {have} whole hours; {need} are needed to forecast {horizon} hours ({:.0} days)\n  half of them fit \
         a forecaster (`{neediest}` needs most), a quarter measures its errors, a quarter judges it\n  fix: give a \
         longer series or a shorter `--horizon`",
        (*need as f64 / 24.0).ceil()
    )]
    TooShort {
        /// Hours in the series.
        have: usize,
        /// Hours needed.
        need: usize,
        /// Hours to forecast.
        horizon: usize,
        /// The forecaster that needs the longest history.
        neediest: &'static str,
    },
    /// Every hour to be judged on was drawn between its neighbours.
    #[error(
        "no hour of {part} was counted: all of them were filled in\n  fix: give a series that ends with counts"
    )]
    NothingCounted {
        /// The part of the series.
        part: &'static str,
    },
    /// No forecaster of that name.
    #[error("no forecaster is called `{name}`\n  fix: use one of {known}")]
    Unknown {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A forecaster that the history does not determine.
    #[error("`{name}` cannot be fitted: {reason}")]
    Fit {
        /// The forecaster.
        name: &'static str,
        /// Why.
        reason: String,
    },
}
