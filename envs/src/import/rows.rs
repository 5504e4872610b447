//! Lines parsed on all cores and delivered in the order of the input.
//!
//! Blocks of whole lines are parsed in parallel while the next ones are decompressed, so that the order, and with it
//! the output, is the same on any number of threads.

use std::path::PathBuf;

use rayon::prelude::*;

use super::error::ImportError;
use super::input::{Block, Blocks, Row};

/// What an importer read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Volume {
    /// Rows: non-blank lines, or data rows of a table.
    pub rows: u64,
    /// Bytes after decompression.
    pub bytes: u64,
}

/// Parses every line of the files and delivers the results one by one.
pub(super) fn for_each<T: Send>(
    files: &[PathBuf],
    parse: impl Fn(Row<'_>) -> T + Sync,
    mut deliver: impl FnMut(T) -> Result<(), ImportError>,
) -> Result<Volume, ImportError> {
    let mut volume = Volume::default();
    let mut blocks = Blocks::new(files);
    let at_once = 2 * rayon::current_num_threads();
    let mut batch = read(&mut blocks, at_once)?;
    while !batch.is_empty() {
        let (next, parsed) = rayon::join(
            || read(&mut blocks, at_once),
            || {
                batch
                    .par_iter()
                    .map(|block| block.rows().map(&parse).collect::<Vec<T>>())
                    .collect::<Vec<_>>()
            },
        );
        volume.bytes += batch.iter().map(|block| block.len() as u64).sum::<u64>();
        for row in parsed.into_iter().flatten() {
            volume.rows += 1;
            deliver(row)?;
        }
        batch = next?;
    }
    Ok(volume)
}

fn read(blocks: &mut Blocks<'_>, at_once: usize) -> Result<Vec<Block>, ImportError> {
    let mut batch = Vec::with_capacity(at_once);
    while batch.len() < at_once {
        match blocks.next()? {
            Some(block) => batch.push(block),
            None => break,
        }
    }
    Ok(batch)
}
