//! Opening and writing a log by its file name.
//!
//! A log appears whole or not at all: it is written beside its target under a temporary name and renamed at the end,
//! so that a full disk or an error leaves the log that stood there untouched.

use std::fs::File;
use std::io::{self, BufRead, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::error::{LogError, RowError, RowErrorKind};
use super::hash::ContentHasher;
use super::jsonl::{JsonlReader, JsonlWriter};
use super::model::Conversation;
use super::parquet::{ParquetReader, ParquetWriter, decisions_path};
use super::validate::{UniqueIds, validate};

/// The formats a log is kept in, told by the end of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// `.jsonl`: one conversation a line.
    Jsonl,
    /// `.jsonl.gz`: the same through gzip.
    JsonlGz,
    /// `.parquet` and its sibling `.decisions.parquet`: two tables.
    Parquet,
}

impl LogFormat {
    /// The format of a path.
    ///
    /// # Errors
    /// [`LogError::UnknownExtension`].
    pub fn of(path: &Path) -> Result<Self, LogError> {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        if name.ends_with(".jsonl") {
            Ok(Self::Jsonl)
        } else if name.ends_with(".jsonl.gz") {
            Ok(Self::JsonlGz)
        } else if name.ends_with(".parquet") {
            Ok(Self::Parquet)
        } else {
            Err(LogError::UnknownExtension {
                file: path.to_owned(),
            })
        }
    }
}

enum Source {
    Jsonl(Box<JsonlReader<Box<dyn BufRead + Send>>>),
    Parquet(Box<ParquetReader>),
}

/// Streams the conversations of a log, whatever its format.
///
/// Every conversation handed out is valid and its id is new. A [`LogError::Row`] costs one row and the next call goes
/// on; any other error ends the iteration.
pub struct LogReader {
    file: PathBuf,
    source: Source,
    ids: UniqueIds,
    hasher: Option<ContentHasher>,
    peeked: Option<Result<Conversation, LogError>>,
}

impl LogReader {
    /// Opens a log: `.jsonl`, `.jsonl.gz`, or `.parquet` with its decisions beside it.
    ///
    /// # Errors
    /// [`LogError::UnknownExtension`] and [`LogError::Io`]; for Parquet also what is wrong with the pair.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogError> {
        let path = path.as_ref();
        let source = match LogFormat::of(path)? {
            LogFormat::Jsonl | LogFormat::JsonlGz => {
                Source::Jsonl(Box::new(JsonlReader::open(path)?))
            }
            LogFormat::Parquet => Source::Parquet(Box::new(ParquetReader::open(path)?)),
        };
        Ok(Self {
            file: path.to_owned(),
            source,
            ids: UniqueIds::default(),
            hasher: None,
            peeked: None,
        })
    }

    /// Hashes the content on the way, for [`Self::content_hash`]; it costs about as much as writing the log as JSONL.
    #[must_use]
    pub fn hashing(mut self) -> Self {
        self.hasher = Some(ContentHasher::default());
        self
    }

    /// Makes sure there is a row to read.
    ///
    /// # Errors
    /// [`LogError::Empty`] without any row, and any error that ends the iteration at its start.
    pub fn non_empty(mut self) -> Result<Self, LogError> {
        match self.next() {
            None => Err(LogError::Empty { file: self.file }),
            Some(Err(error)) if error.as_row().is_none() => Err(error),
            first => {
                self.peeked = first;
                Ok(self)
            }
        }
    }

    /// The file this reads.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file
    }

    /// Line of the JSONL file or row of the Parquet table read last, counted from 1.
    #[must_use]
    pub fn line(&self) -> u64 {
        match &self.source {
            Source::Jsonl(reader) => reader.line(),
            Source::Parquet(reader) => reader.row(),
        }
    }

    /// Digest of the conversations handed out so far, when [`Self::hashing`] was asked for; after the last one, that
    /// of the log.
    #[must_use]
    pub fn content_hash(&self) -> Option<String> {
        self.hasher.as_ref().map(ContentHasher::digest)
    }

    /// The content's digest as a Parquet log carries it, known before anything is read; `None` for JSONL.
    #[must_use]
    pub fn stored_hash(&self) -> Option<&str> {
        match &self.source {
            Source::Jsonl(_) => None,
            Source::Parquet(reader) => Some(reader.stored_hash()),
        }
    }
}

impl std::fmt::Debug for LogReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogReader")
            .field("file", &self.file)
            .field("line", &self.line())
            .finish_non_exhaustive()
    }
}

impl Iterator for LogReader {
    type Item = Result<Conversation, LogError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.peeked.take() {
            return Some(first);
        }
        let item = match &mut self.source {
            Source::Jsonl(reader) => reader.next()?,
            Source::Parquet(reader) => reader.next()?,
        };
        Some(item.and_then(|conversation| {
            if !self.ids.insert(&conversation.conversation_id) {
                return Err(duplicate(&self.file, self.line(), &conversation));
            }
            if let Some(hasher) = &mut self.hasher {
                hasher.update(&conversation);
            }
            Ok(conversation)
        }))
    }
}

fn duplicate(file: &Path, line: u64, conversation: &Conversation) -> LogError {
    LogError::Row(RowError {
        file: file.to_owned(),
        line,
        column: "conversation_id".to_owned(),
        reason: format!(
            "is `{}` again; an id stands for one conversation",
            conversation.conversation_id
        ),
        kind: RowErrorKind::Duplicate,
    })
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSummary {
    /// Conversations in the log.
    pub conversations: u64,
    /// Decisions in them.
    pub decisions: u64,
    /// The content's digest, as [`ContentHasher`] defines it.
    pub hash: String,
}

/// A file under construction: the stream in front of the temporary file.
type Draft = Box<dyn Write + Send>;
/// Puts something between the writer and its temporary file; tests put a full disk there.
type Through = fn(File) -> Draft;

enum Sink {
    Jsonl(JsonlWriter<BufWriter<Draft>>),
    JsonlGz(Box<JsonlWriter<GzEncoder<BufWriter<Draft>>>>),
    Parquet(Box<ParquetWriter>),
}

/// Writes a log whole or not at all.
///
/// Nothing stands under the log's name before [`Self::finish`]; dropping the writer removes what it wrote.
pub struct LogWriter {
    target: PathBuf,
    temporaries: Vec<(NamedTempFile, PathBuf)>,
    sink: Sink,
    hasher: ContentHasher,
    ids: UniqueIds,
    conversations: u64,
    decisions: u64,
    /// An error of the stream left the draft half-written.
    broken: bool,
}

impl LogWriter {
    /// Starts a log: `.jsonl`, `.jsonl.gz`, or `.parquet` with its decisions beside it.
    ///
    /// # Errors
    /// [`LogError::UnknownExtension`], and [`LogError::Io`] when its folder cannot be written.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, LogError> {
        Self::create_through(path.as_ref(), |file| Box::new(file))
    }

    fn create_through(path: &Path, through: Through) -> Result<Self, LogError> {
        let format = LogFormat::of(path)?;
        let mut temporaries = Vec::new();
        let mut draft = |target: PathBuf| -> Result<Draft, LogError> {
            let fail = |source| LogError::Io {
                file: target.clone(),
                action: "cannot create a temporary file beside it",
                source,
            };
            let temporary = temporary_beside(&target).map_err(fail)?;
            let file = temporary.as_file().try_clone().map_err(fail)?;
            temporaries.push((temporary, target));
            Ok(through(file))
        };
        let buffered = |draft| BufWriter::with_capacity(256 << 10, draft);
        let sink = match format {
            LogFormat::Jsonl => Sink::Jsonl(JsonlWriter::new(buffered(draft(path.to_owned())?))),
            LogFormat::JsonlGz => {
                let output = buffered(draft(path.to_owned())?);
                let encoder = GzEncoder::new(output, Compression::default());
                Sink::JsonlGz(Box::new(JsonlWriter::new(encoder)))
            }
            LogFormat::Parquet => {
                // Decisions come first, so that they are in place when their conversations appear.
                let decisions = draft(decisions_path(path))?;
                let conversations = draft(path.to_owned())?;
                let writer = ParquetWriter::new(conversations, decisions).map_err(|source| {
                    LogError::Io {
                        file: path.to_owned(),
                        action: "cannot write",
                        source,
                    }
                })?;
                Sink::Parquet(Box::new(writer))
            }
        };
        Ok(Self {
            target: path.to_owned(),
            temporaries,
            sink,
            hasher: ContentHasher::default(),
            ids: UniqueIds::default(),
            conversations: 0,
            decisions: 0,
            broken: false,
        })
    }

    /// Appends a conversation.
    ///
    /// # Errors
    /// [`LogError::Row`] when it is invalid or its id was written before: nothing is written, and the caller may go
    /// on. [`LogError::Io`] when the disk refuses; the log is lost then.
    pub fn write(&mut self, conversation: &Conversation) -> Result<(), LogError> {
        let line = self.conversations + 1;
        validate(conversation)
            .map_err(|invalid| RowError::from_invalid(self.target.clone(), line, invalid))?;
        if !self.ids.insert(&conversation.conversation_id) {
            return Err(duplicate(&self.target, line, conversation));
        }
        let written = match &mut self.sink {
            Sink::Jsonl(writer) => writer
                .write(conversation)
                .map(|line| self.hasher.update_line(line)),
            Sink::JsonlGz(writer) => writer
                .write(conversation)
                .map(|line| self.hasher.update_line(line)),
            Sink::Parquet(writer) => {
                self.hasher.update(conversation);
                writer.write(conversation)
            }
        };
        self.broken |= written.is_err();
        written.map_err(|source| self.cannot_write(source))?;
        self.conversations += 1;
        self.decisions += conversation.decisions.len() as u64;
        Ok(())
    }

    /// Completes the log and puts it under its name, in the place of one that stood there.
    ///
    /// # Errors
    /// [`LogError::Io`] when the disk refuses now or did so before; the old log still stands.
    pub fn finish(self) -> Result<LogSummary, LogError> {
        if self.broken {
            return Err(self.cannot_write(io::Error::other("an earlier write failed")));
        }
        let target = self.target;
        let fail = |source| LogError::Io {
            file: target.clone(),
            action: "cannot write",
            source,
        };
        let hash = self.hasher.digest();
        let closed = match self.sink {
            Sink::Jsonl(writer) => writer.into_inner().flush(),
            Sink::JsonlGz(writer) => writer.into_inner().finish().and_then(|mut w| w.flush()),
            Sink::Parquet(writer) => writer.finish(&hash),
        };
        closed.map_err(fail)?;
        for (temporary, _) in &self.temporaries {
            temporary.as_file().sync_all().map_err(fail)?;
        }
        for (temporary, target) in self.temporaries {
            temporary
                .persist(&target)
                .map_err(|error| fail(error.error))?;
        }
        Ok(LogSummary {
            conversations: self.conversations,
            decisions: self.decisions,
            hash,
        })
    }

    fn cannot_write(&self, source: io::Error) -> LogError {
        LogError::Io {
            file: self.target.clone(),
            action: "cannot write",
            source,
        }
    }
}

impl std::fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogWriter")
            .field("target", &self.target)
            .field("conversations", &self.conversations)
            .finish_non_exhaustive()
    }
}

fn temporary_beside(target: &Path) -> io::Result<NamedTempFile> {
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".tierwise-log-").suffix(".tmp");
    // Temporary files are private by default; a log is as readable as the umask lets any new file be.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests;
