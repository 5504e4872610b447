//! Writes both tables, a row group at a time.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;

use super::cell::{Cell, Kind};
use super::leaf::LeafBuffer;
use super::schema::{Table, conversations, decisions};
use super::{FEATURE_SCHEMA_KEY, LOG_KEY, LOG_SCHEMA_KEY, TABLE_KEY, feature_schema};
use crate::log::model::{Conversation, Decision, LOG_SCHEMA_VERSION};

/// Most rows of a row group, by table.
const CONVERSATION_ROWS: usize = 65_536;
const DECISION_ROWS: usize = 131_072;
/// A row group is written once its rows take this much memory.
const GROUP_BYTES: usize = 48 << 20;

type Output = Box<dyn Write + Send>;

/// The system's error inside a Parquet error, so that a full disk is told as one.
fn io_error(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => match source.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(source) => io::Error::other(source),
        },
        other => io::Error::other(other),
    }
}

/// One table being written.
pub(super) struct TableWriter<R> {
    table: Table<R>,
    file: SerializedFileWriter<Output>,
    leaves: Vec<LeafBuffer>,
    rows: usize,
    bytes: usize,
    most_rows: usize,
}

impl<R> TableWriter<R> {
    pub(super) fn new(output: Output, table: Table<R>, most_rows: usize) -> io::Result<Self> {
        let schema = table.schema().map_err(io_error)?;
        let kinds = table.leaves();
        let descriptor = parquet::schema::types::SchemaDescriptor::new(Arc::clone(&schema));
        // Dictionaries pay for names that repeat; numbers and texts hardly do.
        let mut properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::Chunk)
            .set_max_row_group_row_count(None)
            .set_created_by(concat!("tierwise ", env!("CARGO_PKG_VERSION")).to_owned());
        for (column, kind) in descriptor.columns().iter().zip(&kinds) {
            if matches!(kind, Kind::Text | Kind::Int8) {
                properties = properties.set_column_dictionary_enabled(column.path().clone(), true);
            }
        }
        let file = SerializedFileWriter::new(output, schema, Arc::new(properties.build()))
            .map_err(io_error)?;
        Ok(Self {
            leaves: kinds.into_iter().map(LeafBuffer::new).collect(),
            table,
            file,
            rows: 0,
            bytes: 0,
            most_rows,
        })
    }

    pub(super) fn push(&mut self, key: Cell<'_>, row: &R) -> io::Result<()> {
        let (first, mut rest) = self
            .leaves
            .split_first_mut()
            .expect("a table has its key column");
        self.bytes += first.push(key, 0, 0);
        for column in &self.table.columns {
            let (own, others) = rest.split_at_mut(column.leaves_len());
            self.bytes += column.append(row, own);
            rest = others;
        }
        self.rows += 1;
        if self.rows >= self.most_rows || self.bytes >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group().map_err(io_error)?;
        for leaf in &mut self.leaves {
            let mut column = group
                .next_column()
                .map_err(io_error)?
                .expect("a buffer was made for each leaf of the schema");
            leaf.write(&mut column).map_err(io_error)?;
            column.close().map_err(io_error)?;
        }
        group.close().map_err(io_error)?;
        self.rows = 0;
        self.bytes = 0;
        Ok(())
    }

    pub(super) fn finish(mut self, hash: &str) -> io::Result<()> {
        self.flush()?;
        for (key, value) in [
            (TABLE_KEY, self.table.name.to_owned()),
            (LOG_SCHEMA_KEY, LOG_SCHEMA_VERSION.to_string()),
            (FEATURE_SCHEMA_KEY, feature_schema()),
            (LOG_KEY, hash.to_owned()),
        ] {
            self.file
                .append_key_value_metadata(KeyValue::new(key.to_owned(), value));
        }
        self.file.into_inner().map_err(io_error)?.flush()
    }
}

/// Writes a log as its two tables.
pub(in crate::log) struct ParquetWriter {
    conversations: TableWriter<Conversation>,
    decisions: TableWriter<Decision>,
}

impl ParquetWriter {
    /// Starts both tables.
    pub(in crate::log) fn new(to_conversations: Output, to_decisions: Output) -> io::Result<Self> {
        Ok(Self {
            conversations: TableWriter::new(to_conversations, conversations(), CONVERSATION_ROWS)?,
            decisions: TableWriter::new(to_decisions, decisions(), DECISION_ROWS)?,
        })
    }

    /// Appends a conversation that was validated.
    pub(in crate::log) fn write(&mut self, conversation: &Conversation) -> io::Result<()> {
        let count = i32::try_from(conversation.decisions.len())
            .map_err(|_| io::Error::other("a conversation has more than 2^31 decisions"))?;
        self.conversations.push(Cell::Int(count), conversation)?;
        let id = Cell::Text(&conversation.conversation_id);
        for decision in &conversation.decisions {
            self.decisions.push(id, decision)?;
        }
        Ok(())
    }

    /// Writes what is left and both footers.
    pub(in crate::log) fn finish(self, hash: &str) -> io::Result<()> {
        self.decisions.finish(hash)?;
        self.conversations.finish(hash)
    }
}
