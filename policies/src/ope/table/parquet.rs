//! Parquet columns to rows, a batch at a time.

use std::fs::File;
use std::path::Path;

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use rayon::prelude::*;

use super::error::{Fault, TableError};
use super::header::{Header, Role};
use super::rows::{MISSING, Rows, Wanted, number_key, text_key};

/// Rows decoded at a time.
const BATCH: usize = 16_384;

/// Names of the leaves of a file, which are its columns when nothing is nested.
pub(crate) fn names(path: &Path) -> Result<Vec<String>, TableError> {
    Ok(open(path)?
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.path().string())
        .collect())
}

/// Number of rows, from the file's own notes.
pub(crate) fn count(path: &Path) -> Result<u64, TableError> {
    let rows = open(path)?.metadata().file_metadata().num_rows();
    Ok(u64::try_from(rows).unwrap_or(0))
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, TableError> {
    let file = File::open(path).map_err(|source| TableError::Io {
        file: path.to_owned(),
        source,
    })?;
    SerializedFileReader::new(file).map_err(|error| damaged(path, &error))
}

fn damaged(path: &Path, error: &ParquetError) -> TableError {
    TableError::NotATable {
        file: path.to_owned(),
        reason: format!("it cannot be read as Parquet: {error}"),
        fix: "write it again, uncompressed or with Snappy, or as CSV".to_owned(),
    }
}

/// Cells of one column in a batch.
enum Cells {
    /// Numbers, and which of them are null when some are.
    Numbers(Vec<f64>, Vec<bool>),
    /// Keys, and the names behind them where they do not show them.
    Keys(Vec<u64>, Vec<Vec<u8>>),
}

/// Hands every batch of rows to `take`.
pub(crate) fn scan(
    path: &Path,
    header: &Header,
    wanted: Wanted,
    mut take: impl FnMut(Rows) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let columns: Vec<(usize, Role)> = header
        .roles
        .iter()
        .enumerate()
        .filter_map(|(at, role)| role.filter(|r| wanted.takes(*r)).map(|role| (at, role)))
        .collect();
    // Each column reads through a file of its own: handles that share a position cannot be read in parallel.
    let files = columns
        .iter()
        .map(|_| open(path))
        .collect::<Result<Vec<_>, TableError>>()?;
    let first = open(path)?;
    let mut before = 0_u64;
    for at_group in 0..first.metadata().num_row_groups() {
        let mut readers = columns
            .iter()
            .zip(&files)
            .map(|((at, role), file)| {
                let group = file
                    .get_row_group(at_group)
                    .map_err(|e| damaged(path, &e))?;
                let descriptor = group.metadata().column(*at).column_descr();
                if descriptor.max_rep_level() > 0 {
                    return Err(TableError::Columns {
                        file: path.to_owned(),
                        reason: format!("column `{}` holds lists", header.names[*at]),
                        fix: "write one column a number".to_owned(),
                    });
                }
                let nullable = descriptor.max_def_level();
                let reader = group
                    .get_column_reader(*at)
                    .map_err(|e| damaged(path, &e))?;
                Ok((*role, nullable, reader))
            })
            .collect::<Result<Vec<_>, TableError>>()?;
        let mut left = first.metadata().row_group(at_group).num_rows() as usize;
        while left > 0 {
            let batch = left.min(BATCH);
            let cells = readers
                .par_iter_mut()
                .map(|(role, nullable, reader)| {
                    let keys = matches!(
                        role,
                        Role::Episode | Role::State | Role::NextState | Role::Unit | Role::Class
                    );
                    decode(reader, *nullable, batch, keys)
                })
                .collect::<Result<Vec<Cells>, ParquetError>>()
                .map_err(|e| damaged(path, &e))?;
            let rows = transposed(&cells, &columns, header, batch)
                .map_err(|(row, fault)| fault.at(path.to_owned(), before + row + 1))?;
            take(rows)?;
            before += batch as u64;
            left -= batch;
        }
    }
    Ok(())
}

fn transposed(
    cells: &[Cells],
    columns: &[(usize, Role)],
    header: &Header,
    batch: usize,
) -> Result<Rows, (u64, Fault)> {
    let mut rows = Rows::default();
    for row in 0..batch {
        let mut push = || -> Result<(), Fault> {
            for (cells, (_, role)) in cells.iter().zip(columns) {
                match cells {
                    Cells::Keys(keys, texts) => {
                        if let Some(text) = texts.get(row) {
                            rows.name(*role, keys[row], text, header);
                        }
                        rows.key(*role, keys[row])?;
                    }
                    Cells::Numbers(_, nulls) if !nulls.is_empty() && nulls[row] => {
                        rows.empty(*role, header)?;
                    }
                    Cells::Numbers(numbers, _) => rows.number(*role, numbers[row])?,
                }
            }
            rows.complete(header.actions)
        };
        push().map_err(|fault| (row as u64, fault))?;
    }
    Ok(rows)
}

fn decode(
    reader: &mut ColumnReader,
    nullable: i16,
    batch: usize,
    keys: bool,
) -> Result<Cells, ParquetError> {
    let numbers = |(values, nulls): (Vec<f64>, Vec<bool>)| {
        if keys {
            let keys = values.iter().enumerate().map(|(i, value)| {
                if nulls.get(i).is_some_and(|null| *null) {
                    MISSING
                } else {
                    number_key(*value)
                }
            });
            Cells::Keys(keys.collect(), Vec::new())
        } else {
            Cells::Numbers(values, nulls)
        }
    };
    Ok(match reader {
        ColumnReader::BoolColumnReader(r) => {
            numbers(read(r, nullable, batch, |v| f64::from(u8::from(*v)))?)
        }
        ColumnReader::Int32ColumnReader(r) => numbers(read(r, nullable, batch, |v| f64::from(*v))?),
        ColumnReader::Int64ColumnReader(r) => numbers(read(r, nullable, batch, |v| *v as f64)?),
        ColumnReader::FloatColumnReader(r) => numbers(read(r, nullable, batch, |v| f64::from(*v))?),
        ColumnReader::DoubleColumnReader(r) => numbers(read(r, nullable, batch, |v| *v)?),
        ColumnReader::ByteArrayColumnReader(r) => {
            let (texts, nulls) = read(r, nullable, batch, |v| v.data().to_vec())?;
            let null = |i: usize| nulls.get(i).is_some_and(|null| *null);
            if keys {
                let key =
                    |(i, text): (usize, &Vec<u8>)| if null(i) { MISSING } else { text_key(text) };
                let keys = texts.iter().enumerate().map(key).collect();
                Cells::Keys(keys, texts)
            } else {
                return Err(ParquetError::General(
                    "text stands where numbers are needed".to_owned(),
                ));
            }
        }
        ColumnReader::Int96ColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => {
            return Err(ParquetError::General(
                "a column has neither numbers nor text".to_owned(),
            ));
        }
    })
}

/// Values of a column, one a row, and which are null; the second is empty when none can be.
fn read<T: DataType, V: Clone + Default>(
    reader: &mut ColumnReaderImpl<T>,
    nullable: i16,
    batch: usize,
    convert: impl Fn(&T::T) -> V,
) -> Result<(Vec<V>, Vec<bool>), ParquetError> {
    let (mut values, mut definitions) = (Vec::with_capacity(batch), Vec::new());
    let mut have = 0;
    while have < batch {
        let wanted = if nullable > 0 {
            Some(&mut definitions)
        } else {
            None
        };
        let (records, _, _) = reader.read_records(batch - have, wanted, None, &mut values)?;
        if records == 0 {
            return Err(ParquetError::EOF(
                "a column has fewer values than the table has rows".to_owned(),
            ));
        }
        have += records;
    }
    if nullable == 0 || values.len() == batch {
        return Ok((values.iter().map(convert).collect(), Vec::new()));
    }
    let nulls: Vec<bool> = definitions.iter().map(|level| *level < nullable).collect();
    let mut present = values.iter();
    let spread = nulls
        .iter()
        .map(|null| match (null, *null) {
            (_, true) => V::default(),
            _ => present.next().map(&convert).unwrap_or_default(),
        })
        .collect();
    Ok((spread, nulls))
}
