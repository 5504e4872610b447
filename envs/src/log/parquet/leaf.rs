//! One leaf column in memory: values with their definition and repetition levels.
//!
//! At most one level of lists: a repetition level of 1 goes on with the list of the row, 0 begins the next row.

use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FloatType, Int32Type, Int64Type,
};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedColumnWriter;

use super::cell::{Cell, Kind};

/// The values of a leaf column that are not null.
#[derive(Debug)]
enum Values {
    /// Every text one after the other, and where each ends.
    Text(Vec<u8>, Vec<usize>),
    Flag(Vec<bool>),
    Int(Vec<i32>),
    Long(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
}

/// A leaf column being filled, until its row group is written.
#[derive(Debug)]
pub(super) struct LeafBuffer {
    values: Values,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
}

impl LeafBuffer {
    pub(super) fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text | Kind::UniqueText => Values::Text(Vec::new(), Vec::new()),
            Kind::Flag => Values::Flag(Vec::new()),
            Kind::Int8 | Kind::Int32 => Values::Int(Vec::new()),
            Kind::Int64 | Kind::Time => Values::Long(Vec::new()),
            Kind::Float => Values::Float(Vec::new()),
            Kind::Double => Values::Double(Vec::new()),
        };
        Self {
            values,
            definitions: Vec::new(),
            repetitions: Vec::new(),
        }
    }

    /// Appends a level, and the value where the level says that there is one. Returns the bytes it takes.
    pub(super) fn push(&mut self, cell: Cell<'_>, definition: i16, repetition: i16) -> usize {
        self.definitions.push(definition);
        self.repetitions.push(repetition);
        let bytes = match (&mut self.values, cell) {
            (_, Cell::Null) => 0,
            (Values::Text(bytes, ends), Cell::Text(text)) => {
                bytes.extend_from_slice(text.as_bytes());
                ends.push(bytes.len());
                text.len() + 8
            }
            (Values::Flag(values), Cell::Flag(value)) => {
                values.push(value);
                1
            }
            (Values::Int(values), Cell::Int(value)) => {
                values.push(value);
                4
            }
            (Values::Long(values), Cell::Long(value)) => {
                values.push(value);
                8
            }
            (Values::Float(values), Cell::Float(value)) => {
                values.push(value);
                4
            }
            (Values::Double(values), Cell::Double(value)) => {
                values.push(value);
                8
            }
            (values, cell) => unreachable!("a column of {values:?} was given {cell:?}"),
        };
        bytes + 4
    }

    /// Writes the column chunk and empties the buffer.
    pub(super) fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<()> {
        let (definitions, repetitions) = (&self.definitions, &self.repetitions);
        match &mut self.values {
            Values::Text(bytes, ends) => {
                let all = ByteArray::from(std::mem::take(bytes));
                let mut start = 0;
                let texts: Vec<_> = ends
                    .iter()
                    .map(|end| {
                        let text = all.slice(start, end - start);
                        start = *end;
                        text
                    })
                    .collect();
                ends.clear();
                write::<ByteArrayType>(column, &texts, definitions, repetitions)?;
            }
            Values::Flag(values) => {
                write::<BoolType>(column, values, definitions, repetitions)?;
                values.clear();
            }
            Values::Int(values) => {
                write::<Int32Type>(column, values, definitions, repetitions)?;
                values.clear();
            }
            Values::Long(values) => {
                write::<Int64Type>(column, values, definitions, repetitions)?;
                values.clear();
            }
            Values::Float(values) => {
                write::<FloatType>(column, values, definitions, repetitions)?;
                values.clear();
            }
            Values::Double(values) => {
                write::<DoubleType>(column, values, definitions, repetitions)?;
                values.clear();
            }
        }
        self.definitions.clear();
        self.repetitions.clear();
        Ok(())
    }
}

fn write<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    definitions: &[i16],
    repetitions: &[i16],
) -> Result<()> {
    // Levels that the schema does not need are ignored.
    column
        .typed::<T>()
        .write_batch(values, Some(definitions), Some(repetitions))?;
    Ok(())
}

/// A typed reader with the values it read last.
enum Pages {
    Text(ColumnReaderImpl<ByteArrayType>, Vec<ByteArray>),
    Flag(ColumnReaderImpl<BoolType>, Vec<bool>),
    Int(ColumnReaderImpl<Int32Type>, Vec<i32>),
    Long(ColumnReaderImpl<Int64Type>, Vec<i64>),
    Float(ColumnReaderImpl<FloatType>, Vec<f32>),
    Double(ColumnReaderImpl<DoubleType>, Vec<f64>),
}

/// Walks through a leaf column, value by value.
pub(super) struct LeafCursor {
    pages: Pages,
    max_definition: i16,
    definitions: Vec<i16>,
    repetitions: Vec<i16>,
    level: usize,
    value: usize,
}

fn cut_off() -> ParquetError {
    ParquetError::EOF("a column has fewer values than the table has rows".to_owned())
}

impl LeafCursor {
    pub(super) fn new(reader: ColumnReader, max_definition: i16) -> Result<Self> {
        let pages = match reader {
            ColumnReader::ByteArrayColumnReader(reader) => Pages::Text(reader, Vec::new()),
            ColumnReader::BoolColumnReader(reader) => Pages::Flag(reader, Vec::new()),
            ColumnReader::Int32ColumnReader(reader) => Pages::Int(reader, Vec::new()),
            ColumnReader::Int64ColumnReader(reader) => Pages::Long(reader, Vec::new()),
            ColumnReader::FloatColumnReader(reader) => Pages::Float(reader, Vec::new()),
            ColumnReader::DoubleColumnReader(reader) => Pages::Double(reader, Vec::new()),
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        };
        Ok(Self {
            pages,
            max_definition,
            definitions: Vec::new(),
            repetitions: Vec::new(),
            level: 0,
            value: 0,
        })
    }

    /// Reads the next rows of the column chunk, in place of those read before.
    pub(super) fn refill(&mut self, rows: usize) -> Result<()> {
        let (definitions, repetitions) = (&mut self.definitions, &mut self.repetitions);
        definitions.clear();
        repetitions.clear();
        self.level = 0;
        self.value = 0;
        let read = match &mut self.pages {
            Pages::Text(reader, values) => fill(reader, values, definitions, repetitions, rows),
            Pages::Flag(reader, values) => fill(reader, values, definitions, repetitions, rows),
            Pages::Int(reader, values) => fill(reader, values, definitions, repetitions, rows),
            Pages::Long(reader, values) => fill(reader, values, definitions, repetitions, rows),
            Pages::Float(reader, values) => fill(reader, values, definitions, repetitions, rows),
            Pages::Double(reader, values) => fill(reader, values, definitions, repetitions, rows),
        }?;
        if read == rows { Ok(()) } else { Err(cut_off()) }
    }

    /// Whether the next level goes on with the list of the row.
    pub(super) fn goes_on(&self) -> bool {
        self.repetitions.get(self.level) == Some(&1)
    }

    /// Takes the next level: its definition, and the value when there is one.
    pub(super) fn next(&mut self) -> Result<(i16, Cell<'_>)> {
        let definition = if self.max_definition == 0 {
            0
        } else {
            let definition = *self.definitions.get(self.level).ok_or_else(cut_off)?;
            self.level += 1;
            definition
        };
        if definition < self.max_definition {
            return Ok((definition, Cell::Null));
        }
        let at = self.value;
        self.value += 1;
        let cell = match &self.pages {
            Pages::Text(_, values) => values
                .get(at)
                .map(|text| text.as_utf8().map(Cell::Text))
                .transpose()?,
            Pages::Flag(_, values) => values.get(at).copied().map(Cell::Flag),
            Pages::Int(_, values) => values.get(at).copied().map(Cell::Int),
            Pages::Long(_, values) => values.get(at).copied().map(Cell::Long),
            Pages::Float(_, values) => values.get(at).copied().map(Cell::Float),
            Pages::Double(_, values) => values.get(at).copied().map(Cell::Double),
        };
        Ok((definition, cell.ok_or_else(cut_off)?))
    }
}

fn fill<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    values: &mut Vec<T::T>,
    definitions: &mut Vec<i16>,
    repetitions: &mut Vec<i16>,
    rows: usize,
) -> Result<usize> {
    values.clear();
    let (records, _, _) =
        reader.read_records(rows, Some(definitions), Some(repetitions), values)?;
    Ok(records)
}
