//! Any table of logged decisions, one row a decision, read in one pass.
//!
//! Owns the names of columns, the reading of CSV, compressed CSV and Parquet in parallel, and every check of a single
//! row. What is computed from the rows belongs to the estimators: they give a map from a run of rows to whatever they
//! keep, and get the results in the order of the file, whatever the number of threads.

mod csv;
mod error;
mod header;
mod parquet;
mod policies;
mod range;
mod rows;
mod source;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use self::error::TableError;
pub use self::header::Header;
pub use self::policies::{NamedPolicy, RowPolicy};
pub use self::range::{RowRange, RowRangeError};
pub use self::rows::{MISSING, Rows, Wanted};

use self::source::TextSource;

/// A file of logged decisions whose columns are known.
#[derive(Debug, Clone)]
pub struct Table {
    path: PathBuf,
    header: Header,
    parquet: bool,
    /// Policies whose probabilities are computed as rows are read.
    policies: Vec<NamedPolicy>,
    /// The rows that are read; all without one.
    range: Option<Range<u64>>,
}

impl Table {
    /// Opens a file and reads the names of its columns. Parquet is told by its first bytes, gzip likewise.
    ///
    /// # Errors
    /// [`TableError`] when it cannot be read, or lacks the columns that every table has.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Self::open_with(path, true)
    }

    /// Opens a file that need not hold a policy to judge: to learn from it, or to judge policies that are added to it.
    ///
    /// # Errors
    /// As [`Table::open`].
    pub fn open_log(path: &Path) -> Result<Self, TableError> {
        Self::open_with(path, false)
    }

    fn open_with(path: &Path, judged: bool) -> Result<Self, TableError> {
        let io = |source| TableError::Io {
            file: path.to_owned(),
            source,
        };
        if path.is_dir() {
            return Err(TableError::NotATable {
                file: path.to_owned(),
                reason: "it is a directory".to_owned(),
                fix: "name a CSV or Parquet file".to_owned(),
            });
        }
        let mut magic = Vec::new();
        std::io::Read::read_to_end(
            &mut std::io::Read::take(std::fs::File::open(path).map_err(io)?, 4),
            &mut magic,
        )
        .map_err(io)?;
        let parquet = magic == b"PAR1";
        let names = if parquet {
            parquet::names(path)?
        } else {
            let line = TextSource::open(path)
                .and_then(|mut source| source.first_line())
                .map_err(io)?;
            if line.is_empty() {
                return Err(TableError::NotATable {
                    file: path.to_owned(),
                    reason: "the file is empty".to_owned(),
                    fix: "write a header with the names of the columns, then one row a decision"
                        .to_owned(),
                });
            }
            csv::names(&line)
        };
        Ok(Self {
            path: path.to_owned(),
            header: Header::read(path, names, judged)?,
            parquet,
            policies: Vec::new(),
            range: None,
        })
    }

    /// Its columns.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// A cell of a row that was read well and still cannot be used; `row` counts from 0.
    pub(crate) fn unusable(&self, row: u64, column: &str, reason: String, fix: &str) -> TableError {
        TableError::Cell {
            file: self.path.clone(),
            // The header is line 1 of a text file; Parquet has rows alone.
            line: self.first_row() + row + if self.parquet { 1 } else { 2 },
            column: column.to_owned(),
            reason,
            fix: fix.to_owned(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads every row once: `map` runs in parallel on runs of rows, `fold` gets its results in the order of the file.
    /// Returns the number of rows.
    ///
    /// Where runs begin and end depends on the file alone, never on threads.
    ///
    /// # Errors
    /// [`TableError`] at the first row that is broken, or for a table without rows; whatever `fold` returns.
    pub fn scan<T: Send>(
        &self,
        wanted: Wanted,
        map: impl Fn(Rows) -> T + Sync,
        mut fold: impl FnMut(T) -> Result<(), TableError>,
    ) -> Result<u64, TableError> {
        let mut rows = 0;
        let mut run = 0;
        let wanted = self.wanted_by_policies(wanted);
        let map = |rows| map(self.with_probabilities(rows));
        if self.parquet {
            let mut read = 0;
            parquet::scan(&self.path, &self.header, wanted, |mut batch| {
                run += 1;
                let n = batch.len() as u64;
                self.cut(&mut batch, read);
                read += n;
                if batch.is_empty() {
                    return Ok(());
                }
                rows += batch.len() as u64;
                fold(map(Rows { run, ..batch }))
            })?;
        } else {
            self.scan_text(wanted, map, |result, n| {
                rows += n as u64;
                fold(result)
            })?;
        }
        if rows == 0 {
            return Err(self.no_rows());
        }
        Ok(rows)
    }

    fn scan_text<T: Send>(
        &self,
        wanted: Wanted,
        map: impl Fn(Rows) -> T + Sync,
        mut fold: impl FnMut(T, usize) -> Result<(), TableError>,
    ) -> Result<(), TableError> {
        let io = |source| TableError::Io {
            file: self.path.clone(),
            source,
        };
        let together = 2 * rayon::current_num_threads();
        let mut source = TextSource::open(&self.path).map_err(io)?;
        source.first_line().map_err(io)?;
        let mut next = || -> std::io::Result<Vec<Vec<u8>>> {
            let mut chunks = Vec::with_capacity(together);
            while chunks.len() < together
                && let Some(chunk) = source.chunk()?
            {
                chunks.push(chunk);
            }
            Ok(chunks)
        };
        // The header is line 1.
        let mut line = 2;
        let mut run = 0;
        let mut before = 0;
        let mut chunks = next().map_err(io)?;
        while !chunks.is_empty() && !self.is_past(before) {
            let firsts = self.first_rows(&chunks, &mut before);
            let (parsed, following) = rayon::join(
                || {
                    chunks
                        .par_iter()
                        .zip(&firsts)
                        .enumerate()
                        .map(|(at, (text, first))| {
                            let run = run + at as u64;
                            if let Some((first, rows, lines)) = first
                                && !self.reads_any(*first..first + rows)
                            {
                                return Ok((None, *lines));
                            }
                            let (mut rows, lines) = csv::rows(text, &self.header, wanted)?;
                            self.cut(&mut rows, first.map_or(0, |(first, ..)| first));
                            let n = rows.len();
                            Ok((Some((map(Rows { run, ..rows }), n)), lines))
                        })
                        .collect::<Vec<Result<_, csv::BadLine>>>()
                },
                &mut next,
            );
            for result in parsed {
                let (part, lines) =
                    result.map_err(|bad| bad.fault.at(self.path.clone(), line + bad.before))?;
                line += lines;
                if let Some((value, rows)) = part {
                    fold(value, rows)?;
                }
            }
            run += chunks.len() as u64;
            chunks = following.map_err(io)?;
        }
        Ok(())
    }
}
