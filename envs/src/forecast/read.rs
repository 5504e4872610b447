//! Reading a table of counts as an hourly series.
//!
//! Rows hold a time and a count, in ascending order, a fixed step apart that divides an hour; counts are summed to hours.
//! What does not fit is told by line, all of it at once, and nothing is guessed: counts that are missing are filled only
//! when asked to.

use std::io::Read;
use std::path::Path;

use csv::ByteRecord;

use super::error::{RowFault, SeriesError};
use super::series::{Clock, HourlySeries};
use crate::import::input;

mod cells;
mod slots;

/// How a table is read.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// Which columns hold what.
    pub columns: Columns,
    /// Seconds between rows; found from the rows where absent.
    pub step_s: Option<u32>,
    /// What a missing count stands for; an error where absent.
    pub fill: Option<Fill>,
}

/// Names of columns; the first and the second one where absent.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// The column of times.
    pub time: Option<String>,
    /// The column of counts.
    pub value: Option<String>,
}

/// What a missing count stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Nobody came.
    Zero,
    /// The count was lost: it is drawn between its neighbours, serves as history and is never judged on.
    Interpolate,
}

/// A series with what its table held.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesFile {
    /// The counts per hour.
    pub series: HourlySeries,
    /// Data rows read.
    pub rows: u64,
    /// Seconds between rows.
    pub step_s: u32,
    /// Stretches of missing counts that were filled.
    pub gaps: u64,
    /// Counts that were filled.
    pub filled: u64,
    /// Rows of a first or last hour that the table does not cover whole, left out.
    pub trimmed: u64,
}

/// One row as read.
#[derive(Debug, Clone, Copy)]
struct Row {
    line: u64,
    second: i64,
    count: Option<f64>,
}

/// Reads a table with a header; plain or gzip, separated by comma, semicolon or tab.
///
/// Times are RFC 3339 (`2026-03-01T09:00:00Z`, converted to UTC), the same without a zone (`2026-03-01 09:00`, taken as
/// the wall clock), Unix seconds or milliseconds, or small whole numbers that count hours. An empty count is missing.
///
/// # Errors
/// [`SeriesError`]: the file, its columns, or its rows by line.
pub fn read_series(path: &Path, reading: &Reading) -> Result<SeriesFile, SeriesError> {
    let mut bytes = Vec::new();
    input::open(path)?
        .read_to_end(&mut bytes)
        .map_err(|source| SeriesError::BrokenOff {
            path: path.to_owned(),
            source,
        })?;
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let table = Table { path, text };
    let (clock, rows) = table.rows(&reading.columns)?;
    slots::hourly(path, clock, &rows, reading)
}

/// A table in memory.
struct Table<'a> {
    path: &'a Path,
    text: &'a [u8],
}

impl Table<'_> {
    fn rows(&self, columns: &Columns) -> Result<(Clock, Vec<Row>), SeriesError> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter())
            .flexible(true)
            .from_reader(self.text);
        let broken = |error: csv::Error| SeriesError::BrokenOff {
            path: self.path.to_owned(),
            source: error.into(),
        };
        let header = reader.byte_headers().map_err(broken)?.clone();
        let time = self.position(&header, columns.time.as_deref(), 0)?;
        let value = self.position(&header, columns.value.as_deref(), 1)?;
        let (mut rows, mut faults) = (Vec::new(), Vec::new());
        let mut clock = None;
        let mut last: Option<Row> = None;
        let mut read = 0;
        let mut fix = "correct the rows named";
        let mut record = ByteRecord::new();
        while reader.read_byte_record(&mut record).map_err(broken)? {
            read += 1;
            let line = record.position().map_or(0, csv::Position::line);
            let row = cells::row(&record, time, value, &mut clock, line)
                .and_then(|row| cells::follows(row, last, clock));
            match row {
                Ok(row) => {
                    last = Some(row);
                    rows.push(row);
                }
                Err((what, advice)) => {
                    if faults.is_empty() {
                        fix = advice;
                    }
                    faults.push(RowFault { line, what });
                }
            }
        }
        if !faults.is_empty() {
            return Err(SeriesError::Rows {
                path: self.path.to_owned(),
                rows: read,
                faults,
                fix,
            });
        }
        Ok((clock.unwrap_or(Clock::Wall), rows))
    }

    /// The separator that stands most often in the first line.
    fn delimiter(&self) -> u8 {
        let first = self.text.split(|byte| *byte == b'\n').next();
        let count = |wanted: u8| {
            let line = first.unwrap_or_default().iter();
            line.filter(|byte| **byte == wanted).count()
        };
        [b'\t', b';', b',']
            .into_iter()
            .max_by_key(|byte| count(*byte))
            .unwrap_or(b',')
    }

    fn position(
        &self,
        header: &ByteRecord,
        name: Option<&str>,
        default: usize,
    ) -> Result<usize, SeriesError> {
        let names: Vec<String> = header
            .iter()
            .map(|name| String::from_utf8_lossy(name).trim().to_owned())
            .collect();
        if names.first().is_some_and(|first| cells::is_time(first)) {
            return Err(SeriesError::NoHeader {
                path: self.path.to_owned(),
            });
        }
        let found = match name {
            None => (default < names.len()).then_some(default),
            Some(name) => names.iter().position(|other| other == name),
        };
        found.ok_or_else(|| SeriesError::Column {
            path: self.path.to_owned(),
            name: name.unwrap_or(["time", "count"][default]).to_owned(),
            columns: if names.is_empty() {
                "nothing: the file is empty".to_owned()
            } else {
                format!("`{}`", names.join("`, `"))
            },
        })
    }
}

#[cfg(test)]
mod tests;
