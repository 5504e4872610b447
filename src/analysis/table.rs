//! Rows of a CSV or Parquet file, by column name.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::error::AnalysisError;

/// One cell of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// A number.
    Number(f64),
    /// Text.
    Text(String),
}

impl Cell {
    /// The cell as text, as a name is written.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Empty => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// The cell as a finite number.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Empty => None,
            Self::Number(number) => Some(*number).filter(|n| n.is_finite()),
            Self::Text(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        }
    }

    /// How the cell reads in an error.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Empty => "empty".to_owned(),
            Self::Number(number) => format!("{number}"),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}

/// A row: its line and all cells.
pub(super) type EachRow<'a> = dyn FnMut(u64, &[Cell]) -> Result<(), AnalysisError> + 'a;

/// A table that can be read once, with its column names known beforehand.
pub(super) struct Table<'a> {
    path: &'a Path,
    columns: Vec<String>,
    source: Source,
}

enum Source {
    Csv(Box<csv::Reader<Box<dyn Read>>>),
    Parquet(Box<SerializedFileReader<File>>),
}

impl<'a> Table<'a> {
    /// Opens `.csv`, `.csv.gz` or `.parquet`.
    ///
    /// # Errors
    /// [`AnalysisError::Unreadable`].
    pub(super) fn open(path: &'a Path) -> Result<Self, AnalysisError> {
        let unreadable = |reason: String| AnalysisError::Unreadable {
            file: path.to_owned(),
            reason,
        };
        let file = File::open(path).map_err(|e| unreadable(e.to_string()))?;
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().to_lowercase());
        if name.ends_with(".parquet") {
            let reader = SerializedFileReader::new(file)
                .map_err(|e| unreadable(format!("it cannot be read as Parquet: {e}")))?;
            let columns = reader
                .metadata()
                .file_metadata()
                .schema()
                .get_fields()
                .iter()
                .map(|field| field.name().to_owned())
                .collect();
            return Ok(Self {
                path,
                columns,
                source: Source::Parquet(Box::new(reader)),
            });
        }
        let input: Box<dyn Read> = if name.ends_with(".csv.gz") {
            Box::new(MultiGzDecoder::new(BufReader::new(file)))
        } else if name.ends_with(".csv") {
            Box::new(file)
        } else {
            return Err(unreadable(
                "the name ends in neither .csv, .csv.gz nor .parquet".to_owned(),
            ));
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(input);
        let columns = reader
            .headers()
            .map_err(|e| unreadable(e.to_string()))?
            .iter()
            .map(|name| name.trim_start_matches('\u{feff}').to_owned())
            .collect();
        Ok(Self {
            path,
            columns,
            source: Source::Csv(Box::new(reader)),
        })
    }

    /// Names of the columns, in order.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Hands every row to `each`.
    ///
    /// # Errors
    /// [`AnalysisError::Unreadable`] where the file breaks off, and what `each` returns.
    pub(super) fn rows(self, each: &mut EachRow<'_>) -> Result<(), AnalysisError> {
        let path = self.path;
        let unreadable = |reason: String| AnalysisError::Unreadable {
            file: path.to_owned(),
            reason,
        };
        let mut cells = Vec::with_capacity(self.columns.len());
        match self.source {
            Source::Csv(mut reader) => {
                let mut record = csv::StringRecord::new();
                while reader
                    .read_record(&mut record)
                    .map_err(|e| unreadable(e.to_string()))?
                {
                    let line = record.position().map_or(0, csv::Position::line);
                    cells.clear();
                    cells.extend(record.iter().map(|text| {
                        if text.is_empty() {
                            Cell::Empty
                        } else {
                            Cell::Text(text.to_owned())
                        }
                    }));
                    each(line, &cells)?;
                }
            }
            Source::Parquet(reader) => {
                let rows = reader
                    .get_row_iter(None)
                    .map_err(|e| unreadable(e.to_string()))?;
                for (index, row) in rows.enumerate() {
                    let row = row.map_err(|e| unreadable(e.to_string()))?;
                    cells.clear();
                    cells.extend(row.get_column_iter().map(|(_, field)| cell(field)));
                    each(index as u64 + 1, &cells)?;
                }
            }
        }
        Ok(())
    }
}

fn cell(field: &Field) -> Cell {
    match field {
        Field::Null => Cell::Empty,
        Field::Bool(value) => Cell::Number(f64::from(u8::from(*value))),
        Field::Byte(value) => Cell::Number(f64::from(*value)),
        Field::Short(value) => Cell::Number(f64::from(*value)),
        Field::Int(value) => Cell::Number(f64::from(*value)),
        Field::Long(value) => Cell::Number(*value as f64),
        Field::UByte(value) => Cell::Number(f64::from(*value)),
        Field::UShort(value) => Cell::Number(f64::from(*value)),
        Field::UInt(value) => Cell::Number(f64::from(*value)),
        Field::ULong(value) => Cell::Number(*value as f64),
        Field::Float(value) => Cell::Number(f64::from(*value)),
        Field::Double(value) => Cell::Number(*value),
        Field::TimestampMillis(value) => Cell::Number(*value as f64 / 1e3),
        Field::TimestampMicros(value) => Cell::Number(*value as f64 / 1e6),
        Field::Date(days) => Cell::Number(f64::from(*days) * 86_400.0),
        Field::Str(text) if text.is_empty() => Cell::Empty,
        Field::Str(text) => Cell::Text(text.clone()),
        other => Cell::Text(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;

    use super::*;

    #[test]
    fn parquet_and_csv_of_the_same_rows_read_alike() {
        let folder = tempfile::tempdir().unwrap();
        let schema = "message t { required binary arm (UTF8); required int64 units; required double share; }";
        let path = folder.path().join("t.parquet");
        let mut writer = SerializedFileWriter::new(
            File::create(&path).unwrap(),
            Arc::new(parse_message_type(schema).unwrap()),
            Arc::default(),
        )
        .unwrap();
        let mut group = writer.next_row_group().unwrap();
        let arms = [ByteArray::from("a"), ByteArray::from("b")];
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<ByteArrayType>()
            .write_batch(&arms, None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<Int64Type>()
            .write_batch(&[10, 20], None, None)
            .unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column
            .typed::<DoubleType>()
            .write_batch(&[0.5, 0.25], None, None)
            .unwrap();
        column.close().unwrap();
        group.close().unwrap();
        writer.close().unwrap();
        let text = folder.path().join("t.csv");
        std::fs::write(&text, "arm,units,share\na,10,0.5\nb,20,0.25\n").unwrap();
        let read = |path: &Path| {
            let table = Table::open(path).unwrap();
            let names = table.columns().to_vec();
            let mut rows = Vec::new();
            table
                .rows(&mut |_, cells| {
                    rows.push((cells[0].text(), cells[1].number(), cells[2].number()));
                    Ok(())
                })
                .unwrap();
            (names, rows)
        };
        assert_eq!(read(&path), read(&text));
        assert_eq!(read(&path).1.len(), 2);
    }
}
