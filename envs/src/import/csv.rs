//! Tables with a column mapping: one row per conversation or per decision.
//!
//! With `rows = "decision"`, rows of the same conversation need not be adjacent: they are gathered by id in memory
//! (about half a kilobyte a decision) and written in the order of their first rows. A bad row takes its whole
//! conversation with it, for a conversation with a decision missing would earn another reward.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv::ByteRecord;

use super::error::ImportError;
use super::input;
use super::mapping::{Cells, Draft, Mapping, Raw, RowFault, Rows};
use super::rejects::{Place, Reason, Rejection};
use super::rows::Volume;
use super::{CustomerKey, Imported, Sink};

/// Imports tables through a mapping.
///
/// # Errors
/// [`ImportError`] for a mapping that does not fit, a file that cannot be read to its end, or from the sink.
pub fn read(
    inputs: &[PathBuf],
    mapping: &Path,
    key: &CustomerKey,
    sink: &mut Sink<'_>,
) -> Result<Volume, ImportError> {
    let mapping = Mapping::load(mapping, key)?;
    if let Some(part) = mapping.nested() {
        let message = format!("{part} describes a list, and a table has none; leave it out");
        return Err(mapping.fault(None, message));
    }
    let mut groups = Groups::default();
    let mut volume = Volume::default();
    for path in input::resolve(inputs, &[], "a folder; name the files in it")? {
        table(&path, &mapping, &mut groups, &mut volume, sink)?;
    }
    groups.finish(sink)?;
    Ok(volume)
}

/// One data row.
struct Record<'a> {
    fields: &'a ByteRecord,
    /// Position in the table of each of the mapping's sources.
    positions: &'a [usize],
}

impl Cells for Record<'_> {
    fn cell(&self, _: &str, number: usize) -> Result<Option<Raw<'_>>, (Reason, String)> {
        let bytes = self.fields.get(self.positions[number]).unwrap_or_default();
        match std::str::from_utf8(bytes) {
            Ok("") => Ok(None),
            Ok(text) => Ok(Some(Raw::Text(Cow::Borrowed(text)))),
            Err(error) => Err((Reason::NotUtf8, error.to_string())),
        }
    }
}

fn table(
    path: &Path,
    mapping: &Mapping,
    groups: &mut Groups,
    volume: &mut Volume,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let file: Arc<str> = path.display().to_string().into();
    let input = LastByte {
        inner: input::open(path)?,
        last: 0,
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(mapping.delimiter)
        .from_reader(input);
    let broken_off = |error: csv::Error, rows| ImportError::BrokenOff {
        file: file.to_string(),
        rows,
        source: error.into(),
    };
    let header = reader
        .byte_headers()
        .map_err(|error| broken_off(error, 0))?
        .clone();
    let positions = positions(&header, mapping, path)?;
    let merged = match &mapping.merged_into {
        None => None,
        Some(name) => {
            Some(position(&header, name).ok_or_else(|| lacks(mapping, None, name, path, &header))?)
        }
    };
    let before = volume.rows;
    let mut fields = ByteRecord::new();
    // A row is taken only when the next one is reached: the last row of a table needs a closer look.
    let mut held: Option<Held> = None;
    loop {
        let line = reader.position().line();
        let read = reader.read_byte_record(&mut fields);
        let lines = (reader.position().line() - line).max(1);
        match read {
            Ok(more) => {
                let ready = if more {
                    let line = fields.position().map_or(line, csv::Position::line);
                    held.replace(Held {
                        fields: fields.clone(),
                        place: place(&file, line),
                        lines,
                    })
                } else {
                    held.take_if(|row| !row.is_open(&reader))
                };
                if let Some(row) = ready {
                    volume.rows += 1;
                    if row.is_merged(mapping, merged) {
                        sink(Imported::Merged)?;
                    } else {
                        let record = Record {
                            fields: &row.fields,
                            positions: &positions,
                        };
                        groups.row(mapping, &record, row.place, sink)?;
                    }
                }
                if !more {
                    break;
                }
            }
            Err(error) if matches!(error.kind(), csv::ErrorKind::Io(_)) => {
                return Err(broken_off(error, volume.rows - before));
            }
            Err(error) => {
                let line = error.position().map_or(line, csv::Position::line);
                volume.rows += lines;
                swallowed(&place(&file, line), lines, &row_error(&error), sink)?;
            }
        }
    }
    if let Some(row) = held {
        volume.rows += row.lines;
        let message = "a quote that is opened in the last column is never closed";
        swallowed(&row.place, row.lines, message, sink)?;
    }
    volume.bytes += reader.position().byte();
    Ok(())
}

/// The last row read, with its extent.
struct Held {
    fields: ByteRecord,
    place: Place,
    lines: u64,
}

impl Held {
    /// Whether this, the table's last row, ends in a quote that was never closed: its last field runs over several
    /// lines, and the file does not end with a quote.
    fn is_open(&self, reader: &csv::Reader<LastByte>) -> bool {
        let last_field = self.fields.iter().next_back().unwrap_or_default();
        last_field.contains(&b'\n') && reader.get_ref().last != b'"'
    }

    fn is_merged(&self, mapping: &Mapping, column: Option<usize>) -> bool {
        column
            .and_then(|column| self.fields.get(column))
            .is_some_and(|cell| !mapping.is_missing(&String::from_utf8_lossy(cell)))
    }
}

/// Remembers the last byte read that is no line end.
struct LastByte {
    inner: Box<dyn Read + Send>,
    last: u8,
}

impl Read for LastByte {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let ends = |byte: &&u8| !matches!(byte, b'\n' | b'\r');
        if let Some(last) = buffer[..read].iter().rev().find(ends) {
            self.last = *last;
        }
        Ok(read)
    }
}

fn place(file: &Arc<str>, line: u64) -> Place {
    Place {
        file: file.clone(),
        line,
    }
}

/// Rejects every line that a broken row covers, so that a quote never closed counts for all it hides.
fn swallowed(
    place: &Place,
    lines: u64,
    message: &str,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    for line in place.line..place.line + lines {
        let message = if line == place.line {
            message.to_owned()
        } else {
            format!("part of the broken row of line {}", place.line)
        };
        let rejection = Rejection::new(&self::place(&place.file, line), Reason::BrokenRow, message);
        sink(Imported::Rejected(Box::new(rejection)))?;
    }
    Ok(())
}

fn row_error(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!(
            "{len} fields where the header has {expected_len}; is a quote or a delimiter missing?"
        ),
        _ => error.to_string(),
    }
}

/// Position in the table of every source that the mapping names.
fn positions(
    header: &ByteRecord,
    mapping: &Mapping,
    path: &Path,
) -> Result<Vec<usize>, ImportError> {
    mapping
        .sources()
        .iter()
        .map(|(name, line)| {
            position(header, name).ok_or_else(|| lacks(mapping, Some(*line), name, path, header))
        })
        .collect()
}

fn position(header: &ByteRecord, name: &str) -> Option<usize> {
    header
        .iter()
        .position(|cell| cell.trim_ascii() == name.as_bytes())
}

fn lacks(
    mapping: &Mapping,
    line: Option<usize>,
    name: &str,
    path: &Path,
    header: &ByteRecord,
) -> ImportError {
    let names: Vec<_> = header.iter().map(String::from_utf8_lossy).collect();
    mapping.fault(
        line,
        format!(
            "{} has no column `{name}`; its header is {}",
            path.display(),
            names.join(", ")
        ),
    )
}

/// Conversations whose rows are still being gathered, in the order of their first rows.
#[derive(Default)]
struct Groups {
    by_id: HashMap<String, usize>,
    all: Vec<Group>,
}

struct Group {
    id: String,
    draft: Draft,
    rows: Vec<Place>,
    /// The row that spoiled the conversation.
    fault: Option<u64>,
}

impl Groups {
    fn row(
        &mut self,
        mapping: &Mapping,
        record: &Record<'_>,
        place: Place,
        sink: &mut Sink<'_>,
    ) -> Result<(), ImportError> {
        let id = match mapping.conversation_id(record) {
            Ok(id) => id,
            Err(fault) => return sink(rejected(&place, fault, None, Some(record))),
        };
        if mapping.rows == Rows::Conversation {
            let mut draft = Draft::default();
            let added = mapping
                .add_columns(&mut draft, record)
                .and_then(|()| mapping.add_decision(&mut draft, record))
                .and_then(|()| draft.finish("csv"));
            return sink(match added {
                Ok(conversation) => Imported::conversation(conversation, place),
                Err(fault) => rejected(&place, fault, Some(&id), Some(record)),
            });
        }
        let index = *self.by_id.entry(id.clone()).or_insert_with(|| {
            self.all.push(Group {
                id,
                draft: Draft::default(),
                rows: Vec::new(),
                fault: None,
            });
            self.all.len() - 1
        });
        let group = &mut self.all[index];
        let added = mapping
            .add_columns(&mut group.draft, record)
            .and_then(|()| mapping.add_decision(&mut group.draft, record));
        match added {
            Ok(()) if group.draft.repeats_itself() => {
                let message = "the same decision stands in an earlier row";
                let fault = RowFault::plain(Reason::DuplicateId, message);
                sink(rejected(&place, fault, Some(&group.id), Some(record)))?;
            }
            Ok(()) => group.rows.push(place),
            Err(fault) => {
                group.fault.get_or_insert(place.line);
                sink(rejected(&place, fault, Some(&group.id), Some(record)))?;
            }
        }
        Ok(())
    }

    fn finish(self, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        for group in self.all {
            let mut rows = group.rows.into_iter();
            let mut spoiled = group.fault;
            if spoiled.is_none()
                && let Some(first) = rows.next()
            {
                match group.draft.finish("csv") {
                    Ok(conversation) => {
                        sink(Imported::Conversation {
                            conversation: Box::new(conversation),
                            place: first,
                            more: rows.collect(),
                        })?;
                        continue;
                    }
                    Err(fault) => {
                        spoiled = Some(first.line);
                        sink(rejected(&first, fault, Some(&group.id), None))?;
                    }
                }
            }
            for place in rows {
                let line = spoiled.unwrap_or_default();
                sink(Imported::incomplete(&place, line, &group.id))?;
            }
        }
        Ok(())
    }
}

fn rejected(
    place: &Place,
    fault: RowFault,
    id: Option<&str>,
    record: Option<&Record<'_>>,
) -> Imported {
    let mut rejection = Rejection::new(place, fault.reason, fault.message);
    rejection.column = fault.column;
    rejection.conversation_id = id.map(str::to_owned);
    if let Some(record) = record {
        let cells: Vec<_> = record.fields.iter().collect();
        rejection = rejection.with_row(&cells.join(&b','));
    }
    Imported::Rejected(Box::new(rejection))
}

#[cfg(test)]
mod tests;
