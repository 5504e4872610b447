//! A part of a table: rows from one number to another, so that what learned from the first rows is judged on the others.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::TableError;
use super::rows::{Rows, Wanted};
use super::source::TextSource;
use super::{Table, csv, parquet};

/// Where a part begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mark {
    Row(u64),
    /// A share of all rows, in per cent.
    Share(f64),
}

/// Rows `A..B` of a table, counted from 0, B not among them: `..5000`, `50%..`, `0..100000`.
///
/// In a table with episodes both ends move on to where the next episode begins, so that none is cut.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RowRange {
    from: Option<Mark>,
    to: Option<Mark>,
}

/// A range that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no range of rows")]
pub struct RowRangeError {
    /// What was given.
    pub text: String,
}

impl FromStr for RowRange {
    type Err = RowRangeError;

    fn from_str(text: &str) -> Result<Self, RowRangeError> {
        let wrong = || RowRangeError {
            text: text.to_owned(),
        };
        let mark = |text: &str| match text.trim() {
            "" => Ok(None),
            text => match text.strip_suffix('%') {
                Some(share) => share
                    .parse()
                    .ok()
                    .filter(|share| (0.0..=100.0).contains(share))
                    .map(Mark::Share),
                None => text.parse().ok().map(Mark::Row),
            }
            .map(Some)
            .ok_or_else(wrong),
        };
        let (from, to) = text.split_once("..").ok_or_else(wrong)?;
        Ok(Self {
            from: mark(from)?,
            to: mark(to)?,
        })
    }
}

impl fmt::Display for RowRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut mark = |mark: Option<Mark>, between: &str| match mark {
            None => write!(f, "{between}"),
            Some(Mark::Row(row)) => write!(f, "{row}{between}"),
            Some(Mark::Share(share)) => write!(f, "{share}%{between}"),
        };
        mark(self.from, "..")?;
        mark(self.to, "")
    }
}

impl Table {
    /// The same table with some of its rows; returns it with the range in numbers.
    ///
    /// # Errors
    /// [`TableError`] for a file that cannot be read, and for a part without rows.
    pub fn part(self, range: RowRange) -> Result<(Self, Range<u64>), TableError> {
        let total = self.count_rows()?;
        let place = |mark: Option<Mark>, without: u64| match mark {
            None => without,
            Some(Mark::Row(row)) => row.min(total),
            Some(Mark::Share(share)) => (total as f64 * share / 100.0).round() as u64,
        };
        let mut ends = [place(range.from, 0), place(range.to, total)];
        if self.header.has_episodes() {
            ends = self.episode_starts(ends, total)?;
        }
        let [from, to] = ends;
        if from >= to {
            return Err(TableError::NotATable {
                file: self.path,
                reason: format!("there are no rows in {range}; it has {total}"),
                fix: "name a part such as `..50%` or `50%..`".to_owned(),
            });
        }
        let table = Self {
            range: Some(from..to),
            ..self
        };
        Ok((table, from..to))
    }

    /// Number of rows of the whole file.
    fn count_rows(&self) -> Result<u64, TableError> {
        if self.parquet {
            return parquet::count(&self.path);
        }
        let io = |source| TableError::Io {
            file: self.path.clone(),
            source,
        };
        let mut source = TextSource::open(&self.path).map_err(io)?;
        source.first_line().map_err(io)?;
        let mut rows = 0;
        while let Some(text) = source.chunk().map_err(io)? {
            rows += csv::count(&text).0;
        }
        Ok(rows)
    }

    /// The first row at or after each place that begins an episode.
    fn episode_starts(&self, places: [u64; 2], total: u64) -> Result<[u64; 2], TableError> {
        let mut found = places.map(|place| if place == 0 { Some(0) } else { None });
        let (mut row, mut last) = (0, None);
        self.scan(
            Wanted {
                sequence: true,
                ..Wanted::default()
            },
            |rows| rows.episode,
            |episodes| {
                for episode in episodes {
                    if last.replace(episode) != Some(episode) {
                        for (found, place) in found.iter_mut().zip(places) {
                            if found.is_none() && row >= place {
                                *found = Some(row);
                            }
                        }
                    }
                    row += 1;
                }
                Ok(())
            },
        )?;
        Ok(found.map(|found| found.unwrap_or(total)))
    }

    /// Number of the first row that is read.
    pub(crate) fn first_row(&self) -> u64 {
        self.range.as_ref().map_or(0, |range| range.start)
    }

    pub(super) fn is_past(&self, row: u64) -> bool {
        self.range.as_ref().is_some_and(|range| row >= range.end)
    }

    pub(super) fn reads_any(&self, rows: Range<u64>) -> bool {
        self.range
            .as_ref()
            .is_none_or(|range| rows.start < range.end && range.start < rows.end)
    }

    /// Leaves those of consecutive rows that are read, the first of which has a number.
    pub(super) fn cut(&self, rows: &mut Rows, first: u64) {
        if let Some(range) = &self.range {
            let n = rows.len() as u64;
            let inside = |row: u64| row.saturating_sub(first).min(n) as usize;
            rows.keep(inside(range.start)..inside(range.end));
        }
    }

    /// For each chunk its first row, its rows and its lines; nothing where all rows are read and nobody needs to know.
    pub(crate) fn first_rows(
        &self,
        chunks: &[Vec<u8>],
        before: &mut u64,
    ) -> Vec<Option<(u64, u64, u64)>> {
        chunks
            .iter()
            .map(|text| {
                self.range.as_ref().map(|_| {
                    let (rows, lines) = csv::count(text);
                    *before += rows;
                    (*before - rows, rows, lines)
                })
            })
            .collect()
    }

    /// A table, or a part of it, without rows.
    pub(super) fn no_rows(&self) -> TableError {
        TableError::NotATable {
            file: self.path.clone(),
            reason: "it has no rows".to_owned(),
            fix: "write one row a decision below the header".to_owned(),
        }
    }
}
