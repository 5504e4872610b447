//! JSON lines, one conversation each, streamed both ways.
//!
//! Owns the text format: lines, gzip, and the place of an error within a line. What a row promises is left to
//! [`super::validate`].

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::error::Category;

use super::error::{LogError, RowError, RowErrorKind};
use super::hash::canonical_line;
use super::json_path::path_at;
use super::model::{Conversation, LOG_SCHEMA_VERSION};
use super::validate::validate;

/// Longest line read, in bytes; a longer one is a broken file, not a conversation.
pub const MAX_LINE_BYTES: usize = 64 << 20;

const BUFFER_BYTES: usize = 256 << 10;

/// Why a line is no conversation; [`JsonlReader`] adds file and line.
#[derive(Debug, Clone, PartialEq)]
pub struct LineError {
    /// Path of the field, such as `decisions[2].propensity`.
    pub column: String,
    /// What is wrong with it.
    pub reason: String,
    /// What sort of fault it is.
    pub kind: RowErrorKind,
}

/// Reads one line and validates it.
///
/// # Errors
/// [`LineError`] names the field.
pub fn parse_line(line: &[u8]) -> Result<Conversation, LineError> {
    let conversation: Conversation =
        serde_json::from_slice(line).map_err(|error| explain(line, &error))?;
    validate(&conversation).map_err(|invalid| {
        let row = RowError::from_invalid(PathBuf::new(), 0, invalid);
        LineError {
            column: row.column,
            reason: row.reason,
            kind: row.kind,
        }
    })?;
    Ok(conversation)
}

/// Turns serde_json's byte and message into a column, a reason and a kind.
fn explain(line: &[u8], error: &serde_json::Error) -> LineError {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u32,
    }
    let kind = match error.classify() {
        Category::Data => RowErrorKind::Type,
        Category::Syntax | Category::Eof | Category::Io => RowErrorKind::Syntax,
    };
    if kind == RowErrorKind::Type
        && let Ok(Version { schema_version }) = serde_json::from_slice(line)
        && schema_version != LOG_SCHEMA_VERSION
    {
        return LineError {
            column: "schema_version".to_owned(),
            reason: format!(
                "is {schema_version}; this build reads version {LOG_SCHEMA_VERSION} of the log's columns; \
                 convert the log"
            ),
            kind: RowErrorKind::Version,
        };
    }
    let message = error.to_string();
    let message = message
        .rfind(" at line ")
        .map_or(&*message, |end| &message[..end]);
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    let mut column = path_at(line, error.column(), missing.is_some());
    if let Some(field) = missing {
        if !column.is_empty() {
            column.push('.');
        }
        column.push_str(field);
        return LineError {
            column,
            reason: "is missing".to_owned(),
            kind,
        };
    }
    let reason = match kind {
        RowErrorKind::Syntax => {
            let from = error.column().saturating_sub(2).min(line.len());
            let rest = &line[from..line.len().min(from + 12)];
            let not_a_number = [&b"NaN"[..], b"nan", b"Infinity", b"inf"]
                .iter()
                .any(|name| rest.windows(name.len()).any(|window| window == *name));
            if not_a_number {
                "is not a number; JSON has no NaN or infinity, leave an unknown value out"
                    .to_owned()
            } else {
                format!("breaks the JSON at byte {}: {message}", error.column())
            }
        }
        _ => format!("cannot be read: {message}"),
    };
    LineError {
        column,
        reason,
        kind,
    }
}

/// Streams conversations from JSON lines; blank lines are passed over.
///
/// A broken line gives a [`LogError::Row`] and the next call goes on with the line after it. Any other error ends the
/// iteration.
#[derive(Debug)]
pub struct JsonlReader<R> {
    input: R,
    file: PathBuf,
    buffer: Vec<u8>,
    line: u64,
    ended: bool,
}

impl JsonlReader<Box<dyn BufRead + Send>> {
    /// Opens a `.jsonl` file, or a `.gz` one through gzip.
    ///
    /// # Errors
    /// [`LogError::Io`] when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let file = File::open(path).map_err(|source| LogError::Io {
            file: path.to_owned(),
            action: "cannot open",
            source,
        })?;
        let file = BufReader::with_capacity(BUFFER_BYTES, file);
        let input: Box<dyn BufRead + Send> = if path.extension().is_some_and(|e| e == "gz") {
            Box::new(BufReader::with_capacity(
                BUFFER_BYTES,
                MultiGzDecoder::new(file),
            ))
        } else {
            Box::new(file)
        };
        Ok(Self::new(input, path.to_owned()))
    }
}

impl<R: BufRead> JsonlReader<R> {
    /// Reads from any stream; `file` is the name that errors carry.
    pub fn new(input: R, file: PathBuf) -> Self {
        Self {
            input,
            file,
            buffer: Vec::new(),
            line: 0,
            ended: false,
        }
    }

    /// Number of the line read last, counted from 1.
    #[must_use]
    pub const fn line(&self) -> u64 {
        self.line
    }

    /// The line read last, without its line feed, as it stands in the file.
    #[must_use]
    pub fn raw_line(&self) -> &[u8] {
        &self.buffer
    }

    /// Fills the buffer with the next line; `false` at the end.
    fn next_line(&mut self) -> Result<bool, LogError> {
        self.buffer.clear();
        let mut limited = (&mut self.input).take(MAX_LINE_BYTES as u64);
        match limited.read_until(b'\n', &mut self.buffer) {
            Ok(0) => return Ok(false),
            Ok(_) => self.line += 1,
            Err(error) => return Err(self.stream_error(error)),
        }
        if self.buffer.last() == Some(&b'\n') {
            self.buffer.pop();
        } else if self.buffer.len() == MAX_LINE_BYTES {
            self.buffer.clear();
            self.skip_line().map_err(|error| self.stream_error(error))?;
            return Err(self.row_error(LineError {
                column: String::new(),
                reason: format!("the line is longer than {MAX_LINE_BYTES} bytes"),
                kind: RowErrorKind::Syntax,
            }));
        }
        if self.line == 1 && self.buffer.starts_with(b"\xef\xbb\xbf") {
            self.buffer.drain(..3);
        }
        Ok(true)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let chunk = self.input.fill_buf()?;
            if chunk.is_empty() {
                return Ok(());
            }
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(chunk.len(), |end| end + 1);
            self.input.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn stream_error(&self, error: io::Error) -> LogError {
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => "the gzip stream is cut off".to_owned(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                format!("the gzip stream is corrupt ({error})")
            }
            _ => {
                return LogError::Io {
                    file: self.file.clone(),
                    action: "cannot read",
                    source: error,
                };
            }
        };
        LogError::Damaged {
            file: self.file.clone(),
            after_rows: self.line,
            reason,
        }
    }

    fn row_error(&self, error: LineError) -> LogError {
        LogError::Row(RowError {
            file: self.file.clone(),
            line: self.line,
            column: error.column,
            reason: error.reason,
            kind: error.kind,
        })
    }
}

impl<R: BufRead> Iterator for JsonlReader<R> {
    type Item = Result<Conversation, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            match self.next_line() {
                Ok(false) => self.ended = true,
                Ok(true) if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                Ok(true) => {
                    return Some(parse_line(&self.buffer).map_err(|error| self.row_error(error)));
                }
                Err(error) => {
                    self.ended = error.as_row().is_none();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

/// Writes conversations as canonical JSON lines.
#[derive(Debug)]
pub struct JsonlWriter<W> {
    output: W,
    line: Vec<u8>,
}

impl<W: Write> JsonlWriter<W> {
    /// Writes to any stream; wrap a file in a buffer.
    pub const fn new(output: W) -> Self {
        Self {
            output,
            line: Vec::new(),
        }
    }

    /// Writes one line and returns it.
    ///
    /// # Errors
    /// The stream's own.
    pub fn write(&mut self, conversation: &Conversation) -> io::Result<&[u8]> {
        self.line.clear();
        canonical_line(conversation, &mut self.line);
        self.output.write_all(&self.line)?;
        Ok(&self.line)
    }

    /// The stream, for closing it.
    pub fn into_inner(self) -> W {
        self.output
    }
}

#[cfg(test)]
mod tests;
