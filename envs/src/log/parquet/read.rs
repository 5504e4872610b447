//! Reads both tables in step and joins them.

use std::fs::File;
use std::path::{Path, PathBuf};

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use super::cell::Cell;
use super::leaf::LeafCursor;
use super::schema::{Fault, Table, conversations, decisions};
use super::{
    FEATURE_SCHEMA_KEY, LOG_KEY, LOG_SCHEMA_KEY, TABLE_KEY, decisions_path, feature_schema,
};
use crate::log::error::{LogError, RowError, RowErrorKind};
use crate::log::model::{Conversation, Decision, LOG_SCHEMA_VERSION};
use crate::log::validate::validate;

/// Rows decoded at a time.
const BATCH_ROWS: usize = 1_024;

/// A table's file, its columns found and its metadata checked.
pub(super) struct TableFile<R> {
    pub(super) path: PathBuf,
    pub(super) table: Table<R>,
    pub(super) reader: SerializedFileReader<File>,
    /// For each leaf of the table: its column in the file, its highest definition level.
    pub(super) leaves: Vec<(usize, i16)>,
    /// Content hash of the log the table belongs to.
    pub(super) log: String,
}

impl<R> TableFile<R> {
    pub(super) fn open(path: &Path, table: Table<R>) -> Result<Self, LogError> {
        let file = File::open(path).map_err(|source| LogError::Io {
            file: path.to_owned(),
            action: "cannot open",
            source,
        })?;
        let not_a_table = |reason: String| LogError::NotATable {
            file: path.to_owned(),
            table: table.name,
            reason,
        };
        let reader = SerializedFileReader::new(file)
            .map_err(|error| not_a_table(format!("it cannot be read as Parquet: {error}")))?;
        let metadata = reader.metadata().file_metadata();
        let value = |key: &str| {
            metadata
                .key_value_metadata()
                .into_iter()
                .flatten()
                .find(|entry| entry.key == key)
                .and_then(|entry| entry.value.clone())
        };
        match value(TABLE_KEY) {
            Some(name) if name == table.name => {}
            Some(name) => return Err(not_a_table(format!("it holds the `{name}` table"))),
            None => {
                return Err(not_a_table(format!(
                    "its metadata lacks `{TABLE_KEY}`; another program wrote it"
                )));
            }
        }
        for (what, key, supported) in [
            (
                "log's columns",
                LOG_SCHEMA_KEY,
                LOG_SCHEMA_VERSION.to_string(),
            ),
            (
                "observation's features",
                FEATURE_SCHEMA_KEY,
                feature_schema(),
            ),
        ] {
            let found = value(key).unwrap_or_else(|| "none".to_owned());
            if found != supported {
                return Err(LogError::Version {
                    file: path.to_owned(),
                    what,
                    found,
                    supported,
                });
            }
        }
        let log =
            value(LOG_KEY).ok_or_else(|| not_a_table(format!("its metadata lacks `{LOG_KEY}`")))?;
        let leaves = find_leaves(&table, &reader).map_err(not_a_table)?;
        Ok(Self {
            path: path.to_owned(),
            table,
            reader,
            leaves,
            log,
        })
    }

    pub(super) fn damaged(&self, after_rows: u64, error: &ParquetError) -> LogError {
        LogError::Damaged {
            file: self.path.clone(),
            after_rows,
            reason: format!("a column cannot be decoded ({error})"),
        }
    }
}

/// Finds each of the table's leaves in the file by path and compares its type.
fn find_leaves<R>(
    table: &Table<R>,
    reader: &SerializedFileReader<File>,
) -> Result<Vec<(usize, i16)>, String> {
    let expected = table
        .schema()
        .map_err(|error| format!("its schema cannot be built: {error}"))?;
    let expected = parquet::schema::types::SchemaDescriptor::new(expected);
    let found = reader.metadata().file_metadata().schema_descr();
    expected
        .columns()
        .iter()
        .map(|column| {
            let name = column.path().string();
            let at = found
                .columns()
                .iter()
                .position(|other| other.path() == column.path())
                .ok_or_else(|| format!("it has no column `{name}`"))?;
            let other = found.column(at);
            if other.physical_type() != column.physical_type()
                || other.max_def_level() != column.max_def_level()
                || other.max_rep_level() != column.max_rep_level()
            {
                return Err(format!(
                    "its column `{name}` is of another type or nesting: {:?} instead of {:?}",
                    other.physical_type(),
                    column.physical_type()
                ));
            }
            Ok((at, column.max_def_level()))
        })
        .collect()
}

/// Opens both tables of a log and makes sure that they belong together.
pub(super) fn open_pair(
    path: &Path,
) -> Result<(TableFile<Conversation>, TableFile<Decision>), LogError> {
    let conversations = TableFile::open(path, conversations())?;
    let sibling = decisions_path(path);
    if !sibling.exists() {
        return Err(LogError::MissingSibling {
            file: path.to_owned(),
            sibling,
        });
    }
    let decisions = TableFile::open(&sibling, decisions())?;
    if conversations.log != decisions.log {
        return Err(LogError::MismatchedPair {
            file: path.to_owned(),
            sibling,
            reason: "they were written by different runs".to_owned(),
        });
    }
    Ok((conversations, decisions))
}

/// Rows of one table, one after the other.
struct TableRows<R> {
    file: TableFile<R>,
    cursors: Vec<LeafCursor>,
    group: usize,
    left_in_group: usize,
    left_in_batch: usize,
    /// Rows handed out.
    row: u64,
}

/// The key of a row, and the row or its first wrong column.
struct KeyedRow<R> {
    count: i32,
    id: String,
    row: Result<R, (String, String)>,
}

impl<R> TableRows<R> {
    const fn new(file: TableFile<R>) -> Self {
        Self {
            file,
            cursors: Vec::new(),
            group: 0,
            left_in_group: 0,
            left_in_batch: 0,
            row: 0,
        }
    }

    /// Makes sure that a row is decoded; `false` at the end.
    fn advance(&mut self) -> Result<bool, ParquetError> {
        while self.left_in_group == 0 {
            if self.group == self.file.reader.metadata().num_row_groups() {
                return Ok(false);
            }
            let group = self.file.reader.get_row_group(self.group)?;
            self.group += 1;
            self.left_in_group = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
            self.left_in_batch = 0;
            self.cursors = self
                .file
                .leaves
                .iter()
                .map(|(column, definition)| {
                    LeafCursor::new(group.get_column_reader(*column)?, *definition)
                })
                .collect::<Result<_, _>>()?;
        }
        if self.left_in_batch == 0 {
            self.left_in_batch = self.left_in_group.min(BATCH_ROWS);
            for cursor in &mut self.cursors {
                cursor.refill(self.left_in_batch)?;
            }
        }
        Ok(true)
    }

    fn next(&mut self) -> Result<Option<KeyedRow<R>>, ParquetError> {
        if !self.advance()? {
            return Ok(None);
        }
        let (key, mut rest) = self
            .cursors
            .split_first_mut()
            .expect("a table has its key column");
        let (mut count, mut id) = (0, String::new());
        match key.next()? {
            (_, Cell::Int(number)) => count = number,
            (_, Cell::Text(text)) => text.clone_into(&mut id),
            _ => {}
        }
        let mut row = (self.file.table.blank)();
        let mut wrong = None;
        for column in &self.file.table.columns {
            let (own, others) = rest.split_at_mut(column.leaves_len());
            // Every column is read to its next row even after a fault, or they would fall out of step.
            match column.read(&mut row, own) {
                Ok(()) => {}
                Err(Fault::Value(column, reason)) => {
                    wrong.get_or_insert((column, reason));
                }
                Err(Fault::Damaged(error)) => return Err(error),
            }
            rest = others;
        }
        self.left_in_group -= 1;
        self.left_in_batch -= 1;
        self.row += 1;
        Ok(Some(KeyedRow {
            count,
            id,
            row: wrong.map_or(Ok(row), Err),
        }))
    }
}

/// Streams conversations with their decisions from a pair of tables.
pub(in crate::log) struct ParquetReader {
    conversations: TableRows<Conversation>,
    decisions: TableRows<Decision>,
    ended: bool,
}

impl ParquetReader {
    /// Opens `X.parquet` and its sibling.
    pub(in crate::log) fn open(path: &Path) -> Result<Self, LogError> {
        let (conversations, decisions) = open_pair(path)?;
        Ok(Self {
            conversations: TableRows::new(conversations),
            decisions: TableRows::new(decisions),
            ended: false,
        })
    }

    /// Row of the conversations table handed out last, counted from 1.
    pub(in crate::log) const fn row(&self) -> u64 {
        self.conversations.row
    }

    /// Content hash that both tables carry.
    pub(in crate::log) fn stored_hash(&self) -> &str {
        &self.conversations.file.log
    }

    fn mismatch(&self, reason: String) -> LogError {
        LogError::MismatchedPair {
            file: self.conversations.file.path.clone(),
            sibling: self.decisions.file.path.clone(),
            reason,
        }
    }

    /// The next conversation with its decisions; a row error goes with the row it spoils.
    fn read(&mut self) -> Result<Option<Result<Conversation, RowError>>, LogError> {
        let next = self.conversations.next();
        let Some(keyed) =
            next.map_err(|error| self.conversations.file.damaged(self.row(), &error))?
        else {
            return match self.decisions.next() {
                Ok(None) => Ok(None),
                Ok(Some(extra)) => Err(self.mismatch(format!(
                    "decisions of `{}` follow the last conversation",
                    extra.id
                ))),
                Err(error) => Err(self.decisions.file.damaged(self.decisions.row, &error)),
            };
        };
        let (mut conversation, mut wrong) = match keyed.row {
            Ok(conversation) => (Some(conversation), None),
            Err(wrong) => (None, Some(wrong)),
        };
        for index in 0..keyed.count {
            let decision = self
                .decisions
                .next()
                .map_err(|error| self.decisions.file.damaged(self.decisions.row, &error))?
                .ok_or_else(|| {
                    self.mismatch(format!(
                        "the decisions end within conversation {}",
                        self.row()
                    ))
                })?;
            if let Some(conversation) = &conversation
                && conversation.conversation_id != decision.id
            {
                return Err(self.mismatch(format!(
                    "decision {} belongs to `{}`, the conversation at its place is `{}`",
                    self.decisions.row, decision.id, conversation.conversation_id
                )));
            }
            match (decision.row, &mut conversation) {
                (Ok(decision), Some(conversation)) => conversation.decisions.push(decision),
                (Ok(_), None) => {}
                (Err((column, reason)), _) => {
                    wrong.get_or_insert((format!("decisions[{index}].{column}"), reason));
                }
            }
        }
        let row_error = |column, reason, kind| RowError {
            file: self.conversations.file.path.clone(),
            line: self.row(),
            column,
            reason,
            kind,
        };
        Ok(Some(match (conversation, wrong) {
            (Some(conversation), None) => validate(&conversation)
                .map_err(|invalid| {
                    RowError::from_invalid(
                        self.conversations.file.path.clone(),
                        self.row(),
                        invalid,
                    )
                })
                .map(|()| conversation),
            (_, Some((column, reason))) => Err(row_error(column, reason, RowErrorKind::Type)),
            (None, None) => unreachable!("a row is either read or has its first wrong column"),
        }))
    }
}

impl Iterator for ParquetReader {
    type Item = Result<Conversation, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        match self.read() {
            Ok(Some(row)) => Some(row.map_err(LogError::Row)),
            Ok(None) => {
                self.ended = true;
                None
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}
