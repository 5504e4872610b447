//! Single columns of a log's tables, read block by block.

use std::path::Path;

use parquet::column::reader::get_typed_column_reader;
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::FileReader;

use super::read::{TableFile, open_pair};
use crate::log::error::{LogError, RowError, RowErrorKind};
use crate::log::model::{Conversation, Decision};

/// Records decoded at a time.
const BLOCK_ROWS: usize = 16_384;

/// Both tables of a log, for reading some of their columns.
pub(in crate::log) struct Projection {
    conversations: Rows<Conversation>,
    decisions: Rows<Decision>,
}

/// One table.
pub(in crate::log) struct Rows<R>(TableFile<R>);

impl Projection {
    /// Opens `X.parquet` and its sibling.
    pub(in crate::log) fn open(path: &Path) -> Result<Self, LogError> {
        let (conversations, decisions) = open_pair(path)?;
        Ok(Self {
            conversations: Rows(conversations),
            decisions: Rows(decisions),
        })
    }

    pub(in crate::log) const fn conversations(&self) -> &Rows<Conversation> {
        &self.conversations
    }

    pub(in crate::log) const fn decisions(&self) -> &Rows<Decision> {
        &self.decisions
    }

    pub(in crate::log) fn mismatch(&self, reason: String) -> LogError {
        LogError::MismatchedPair {
            file: self.conversations.0.path.clone(),
            sibling: self.decisions.0.path.clone(),
            reason,
        }
    }
}

impl<R> Rows<R> {
    pub(in crate::log) fn path(&self) -> &Path {
        &self.0.path
    }

    /// Rows of the table.
    pub(in crate::log) fn len(&self) -> usize {
        let rows = self.0.reader.metadata().file_metadata().num_rows();
        usize::try_from(rows).unwrap_or(0)
    }

    /// Hands every value of a column to `take`, `None` where it is null.
    pub(in crate::log) fn each<T: DataType>(
        &self,
        column: &str,
        mut take: impl FnMut(Option<&T::T>) -> Result<(), String>,
    ) -> Result<(), LogError> {
        let mut row = 0;
        self.blocks::<T>(column, |values, definitions, _, most| {
            if most == 0 {
                for value in values {
                    row += 1;
                    take(Some(value)).map_err(|reason| self.row_error(row, column, reason))?;
                }
                return Ok(());
            }
            let mut values = values.iter();
            for definition in definitions {
                row += 1;
                let value = if *definition == most {
                    values.next()
                } else {
                    None
                };
                take(value).map_err(|reason| self.row_error(row, column, reason))?;
            }
            Ok(())
        })?;
        self.all_read(row)
    }

    /// Collects a column, each value through `map`.
    pub(in crate::log) fn collect<T: DataType, V>(
        &self,
        column: &str,
        into: &mut Vec<V>,
        mut map: impl FnMut(Option<&T::T>) -> Result<V, String>,
    ) -> Result<(), LogError> {
        into.reserve_exact(self.len());
        self.each::<T>(column, |value| {
            into.push(map(value)?);
            Ok(())
        })
    }

    /// Collects a column of lists of three; `map` is given `None` for any other list and for null.
    pub(in crate::log) fn collect_three<T: DataType, V>(
        &self,
        column: &str,
        into: &mut Vec<V>,
        mut map: impl FnMut(Option<[T::T; 3]>) -> Result<V, String>,
    ) -> Result<(), LogError>
    where
        T::T: Copy,
    {
        into.reserve_exact(self.len());
        let mut row = 0;
        self.blocks::<T>(column, |values, definitions, repetitions, most| {
            let mut values = values.iter();
            let mut level = 0;
            while level < definitions.len() {
                let start = level;
                level += 1;
                while repetitions.get(level) == Some(&1) {
                    level += 1;
                }
                row += 1;
                let here = definitions[start..level]
                    .iter()
                    .filter(|d| **d == most)
                    .count();
                let list = values.as_slice().get(..here).unwrap_or_default();
                let three = list.try_into().ok().filter(|_| level - start == 3);
                if here > 0 {
                    values.nth(here - 1);
                }
                let value = map(three).map_err(|reason| self.row_error(row, column, reason))?;
                into.push(value);
            }
            Ok(())
        })?;
        self.all_read(row)
    }

    /// Hands a column's values and levels to `take`, block by block, with the highest definition level.
    fn blocks<T: DataType>(
        &self,
        column: &str,
        mut take: impl FnMut(&[T::T], &[i16], &[i16], i16) -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let file = &self.0;
        let mut rows = 0;
        let leaf = file
            .reader
            .metadata()
            .file_metadata()
            .schema_descr()
            .columns()
            .iter()
            .position(|descriptor| descriptor.path().string() == column)
            .expect("opening the table found every column of the schema");
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..file.reader.metadata().num_row_groups() {
            let open = || -> Result<_, ParquetError> {
                let group = file.reader.get_row_group(index)?;
                let most = group.metadata().column(leaf).column_descr().max_def_level();
                Ok((
                    get_typed_column_reader::<T>(group.get_column_reader(leaf)?),
                    most,
                ))
            };
            let (mut reader, most) = open().map_err(|error| file.damaged(rows, &error))?;
            loop {
                values.clear();
                definitions.clear();
                repetitions.clear();
                let (records, _, _) = reader
                    .read_records(
                        BLOCK_ROWS,
                        Some(&mut definitions),
                        Some(&mut repetitions),
                        &mut values,
                    )
                    .map_err(|error| file.damaged(rows, &error))?;
                if records == 0 {
                    break;
                }
                rows += records as u64;
                take(&values, &definitions, &repetitions, most)?;
            }
        }
        Ok(())
    }

    fn all_read(&self, rows: u64) -> Result<(), LogError> {
        if rows == self.len() as u64 {
            return Ok(());
        }
        let error =
            ParquetError::EOF("a column has fewer values than the table has rows".to_owned());
        Err(self.0.damaged(rows, &error))
    }

    fn row_error(&self, row: u64, column: &str, reason: String) -> LogError {
        LogError::Row(RowError {
            file: self.0.path.clone(),
            line: row,
            column: column.trim_end_matches(".list.element").to_owned(),
            reason,
            kind: RowErrorKind::Invalid,
        })
    }
}
