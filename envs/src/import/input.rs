//! Input files as blocks of whole lines: plain or gzip, told apart by their first two bytes.
//!
//! Owns decompression, line numbers and the error of a file that breaks off. What a line means is left to each
//! importer.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::bufread::MultiGzDecoder;

use super::error::ImportError;
use super::rejects::Place;

/// Bytes read per block; a block is longer only when one line is.
const BLOCK_BYTES: usize = 512 * 1024;
/// Longest line accepted.
const MAX_LINE_MIB: usize = 256;

/// Opens a file, decompressing it when it starts with gzip's magic bytes, whatever its name.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Read + Send>, ImportError> {
    let failed = |source: std::io::Error| {
        if source.kind() == std::io::ErrorKind::NotFound {
            ImportError::NotFound {
                path: path.to_owned(),
            }
        } else {
            ImportError::Open {
                path: path.to_owned(),
                source,
            }
        }
    };
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(path).map_err(failed)?);
    let zipped = reader
        .fill_buf()
        .map_err(failed)?
        .starts_with(&[0x1f, 0x8b]);
    Ok(if zipped {
        Box::new(MultiGzDecoder::new(reader))
    } else {
        Box::new(reader)
    })
}

/// Checks that inputs were given and exist; replaces a folder by the first of `wanted` inside it.
pub(super) fn resolve(
    inputs: &[PathBuf],
    wanted: &[&str],
    expected: &'static str,
) -> Result<Vec<PathBuf>, ImportError> {
    if inputs.is_empty() {
        return Err(ImportError::NoInput);
    }
    inputs
        .iter()
        .map(|path| {
            if path.is_dir() {
                wanted
                    .iter()
                    .map(|name| path.join(name))
                    .find(|file| file.is_file())
                    .ok_or_else(|| ImportError::NothingInFolder {
                        path: path.clone(),
                        expected,
                    })
            } else if path.exists() {
                Ok(path.clone())
            } else {
                Err(ImportError::NotFound { path: path.clone() })
            }
        })
        .collect()
}

/// One non-blank line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'a> {
    /// The file's name as given.
    pub(super) file: &'a Arc<str>,
    /// Counted from 1.
    pub(super) line: u64,
    /// Without the line's end.
    pub(super) bytes: &'a [u8],
}

impl Row<'_> {
    /// Where it stands.
    pub(super) fn place(&self) -> Place {
        Place {
            file: self.file.clone(),
            line: self.line,
        }
    }
}

/// Whole lines of one file.
#[derive(Debug)]
pub(super) struct Block {
    file: Arc<str>,
    first_line: u64,
    bytes: Vec<u8>,
}

impl Block {
    /// Size before splitting.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The lines that hold more than white space.
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let mut rest = self.bytes.as_slice();
        let lines = std::iter::from_fn(move || {
            let all = rest;
            // Finds line ends with the system's memchr, which `slice::split` does not.
            let length = rest.skip_until(b'\n').ok().filter(|length| *length > 0)?;
            Some(&all[..length])
        });
        lines
            .zip(self.first_line..)
            .map(|(line, number)| {
                let bytes = line.strip_suffix(b"\n").unwrap_or(line);
                Row {
                    file: &self.file,
                    line: number,
                    bytes: bytes.strip_suffix(b"\r").unwrap_or(bytes),
                }
            })
            .filter(|row| !row.bytes.trim_ascii().is_empty())
    }
}

/// Reads several files one after the other as blocks.
pub(super) struct Blocks<'a> {
    rest: std::slice::Iter<'a, PathBuf>,
    open: Option<OpenFile>,
}

struct OpenFile {
    name: Arc<str>,
    reader: Box<dyn Read + Send>,
    /// The start of a line whose end was not read yet.
    begun: Vec<u8>,
    next_line: u64,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(files: &'a [PathBuf]) -> Self {
        Self {
            rest: files.iter(),
            open: None,
        }
    }

    /// The next block, or `None` after the last file.
    pub(super) fn next(&mut self) -> Result<Option<Block>, ImportError> {
        loop {
            if let Some(file) = &mut self.open {
                if let Some(block) = file.next()? {
                    return Ok(Some(block));
                }
                self.open = None;
            }
            let Some(path) = self.rest.next() else {
                return Ok(None);
            };
            self.open = Some(OpenFile {
                name: path.display().to_string().into(),
                reader: open(path)?,
                begun: Vec::new(),
                next_line: 1,
            });
        }
    }
}

impl OpenFile {
    fn next(&mut self) -> Result<Option<Block>, ImportError> {
        let mut bytes = std::mem::take(&mut self.begun);
        let mut searched = 0;
        let end = loop {
            let before = bytes.len();
            let read = (&mut self.reader)
                .take(BLOCK_BYTES as u64)
                .read_to_end(&mut bytes);
            if let Err(source) = read {
                return Err(ImportError::BrokenOff {
                    file: self.name.to_string(),
                    rows: self.next_line - 1 + line_ends(&bytes),
                    source,
                });
            }
            if bytes.len() == before {
                break bytes.len();
            }
            if let Some(end) = last_line_end(&bytes[searched..]) {
                break searched + end;
            }
            searched = bytes.len();
            if bytes.len() > MAX_LINE_MIB << 20 {
                return Err(ImportError::RowTooLong {
                    file: self.name.to_string(),
                    line: self.next_line,
                    limit_mib: MAX_LINE_MIB,
                });
            }
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        self.begun.extend_from_slice(&bytes[end..]);
        bytes.truncate(end);
        if self.next_line == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        let block = Block {
            file: self.name.clone(),
            first_line: self.next_line,
            bytes,
        };
        self.next_line += line_ends(&block.bytes);
        Ok(Some(block))
    }
}

fn line_ends(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Position after the last line end.
fn last_line_end(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map(|position| position + 1)
}
