//! Exposures between the answer and the store: an append-only file on local disk.
//!
//! A decision is answered after its exposure is on disk: one thread gathers whatever arrived together, writes it and
//! syncs once for all ([`Durability::Sync`]); with [`Durability::Async`] answers do not wait, and a crash may lose what was
//! not yet written. A second task carries the records to the store, as long as it takes, and deletes a segment when the
//! store has all of it. After a crash the segments that are left are carried again; the store counts a decision once.

mod record;
mod writer;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, mpsc, oneshot};

use crate::store::{ExposureRow, Store, StoreError};

/// Whether an answer waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// It does: an answered exposure survives a crash.
    #[default]
    Sync,
    /// It does not: a crash may lose the last moments.
    Async,
}

/// How a spool behaves.
#[derive(Debug, Clone, PartialEq)]
pub struct SpoolOptions {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether answers wait for the disk.
    pub durability: Durability,
    /// Most bytes kept for a store that is away.
    pub limit_bytes: u64,
    /// A new segment begins after so many bytes.
    pub segment_bytes: u64,
    /// Most rows carried to the store at once.
    pub batch: usize,
}

impl SpoolOptions {
    /// The usual values: waits for the disk, keeps 1 GiB, segments of 16 MiB.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            durability: Durability::Sync,
            limit_bytes: 1 << 30,
            segment_bytes: 16 << 20,
            batch: 2_000,
        }
    }
}

/// Why an exposure was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpoolError {
    /// The store has been away for so long that the spool is full.
    #[error("the spool is full: the store has not taken exposures for too long")]
    Full,
    /// More decisions arrive than the disk can take.
    #[error("more decisions arrive than the disk can record")]
    Overloaded,
    /// The disk refused.
    #[error("the disk refused an exposure")]
    Disk,
    /// The router is shutting down.
    #[error("the router is shutting down")]
    Closed,
}

/// Shared figures of a spool.
#[derive(Debug, Default)]
struct Gauge {
    written: AtomicU64,
    carried: AtomicU64,
    rows_written: AtomicU64,
    rows_carried: AtomicU64,
    /// Position up to which records are on disk: segment number and bytes within it.
    segment: AtomicU64,
    offset: AtomicU64,
}

/// What waits to be written.
struct Pending {
    row: ExposureRow,
    done: Option<oneshot::Sender<Result<(), SpoolError>>>,
}

/// The writing end.
pub struct Spool {
    queue: mpsc::Sender<Pending>,
    gauge: Arc<Gauge>,
    options: SpoolOptions,
}

/// The end that carries records to the store.
pub struct Carrier {
    gauge: Arc<Gauge>,
    written: Arc<Notify>,
    options: SpoolOptions,
    segment: u64,
    offset: u64,
}

impl Spool {
    /// Opens a spool, with whatever an earlier run left in its folder.
    ///
    /// # Errors
    /// The file system's.
    pub fn open(options: SpoolOptions) -> io::Result<(Self, Carrier)> {
        std::fs::create_dir_all(&options.folder)?;
        let left = segments(&options.folder)?;
        let next = left.last().map_or(1, |(number, _)| number + 1);
        let first = left.first().map_or(next, |(number, _)| *number);
        let waiting: u64 = left.iter().map(|(_, bytes)| bytes).sum();
        let gauge = Arc::new(Gauge::default());
        gauge.written.store(waiting, Ordering::SeqCst);
        gauge.segment.store(next, Ordering::SeqCst);
        let written = Arc::new(Notify::new());
        let (queue, pending) = mpsc::channel(16_384);
        let writer = writer::Writer::open(&options, next, gauge.clone(), written.clone())?;
        std::thread::Builder::new()
            .name("tierwise-spool".into())
            .spawn(move || writer.run(pending))?;
        let carrier = Carrier {
            gauge: gauge.clone(),
            written,
            options: options.clone(),
            segment: first,
            offset: 0,
        };
        Ok((
            Self {
                queue,
                gauge,
                options,
            },
            carrier,
        ))
    }

    /// Records an exposure; returns when it is as durable as the options say.
    ///
    /// # Errors
    /// [`SpoolError`]; the decision must not be answered then.
    pub async fn record(&self, row: ExposureRow) -> Result<(), SpoolError> {
        if self.waiting_bytes() > self.options.limit_bytes {
            return Err(SpoolError::Full);
        }
        let (done, wait) = match self.options.durability {
            Durability::Sync => {
                let (done, wait) = oneshot::channel();
                (Some(done), Some(wait))
            }
            Durability::Async => (None, None),
        };
        self.queue
            .try_send(Pending { row, done })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => SpoolError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => SpoolError::Closed,
            })?;
        match wait {
            Some(wait) => wait.await.unwrap_or(Err(SpoolError::Closed)),
            None => Ok(()),
        }
    }

    /// Bytes that the store has not taken yet.
    #[must_use]
    pub fn waiting_bytes(&self) -> u64 {
        let carried = self.gauge.carried.load(Ordering::Relaxed);
        self.gauge
            .written
            .load(Ordering::Relaxed)
            .saturating_sub(carried)
    }

    /// Exposures written by this run, and carried to the store by it.
    #[must_use]
    pub fn rows(&self) -> (u64, u64) {
        (
            self.gauge.rows_written.load(Ordering::Relaxed),
            self.gauge.rows_carried.load(Ordering::Relaxed),
        )
    }
}

impl Carrier {
    /// Carries records until `stop` is notified and nothing is left, or the store stays away while stopping.
    pub async fn run(mut self, store: Arc<dyn Store>, stop: Arc<Notify>) {
        let mut pause = Duration::from_millis(50);
        let mut stopping = false;
        loop {
            match self.carry(&*store).await {
                Ok(true) => pause = Duration::from_millis(50),
                Ok(false) if stopping => return,
                Ok(false) => {
                    tokio::select! {
                        () = self.written.notified() => {}
                        () = stop.notified() => stopping = true,
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "exposures wait in the spool");
                    if stopping {
                        return;
                    }
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.notified() => stopping = true,
                    }
                    pause = (pause * 2).min(Duration::from_secs(2));
                }
            }
        }
    }

    /// Carries everything that is written.
    ///
    /// # Errors
    /// [`StoreError`]; what was not carried stays.
    pub async fn drain(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        while self.carry(store).await? {}
        Ok(())
    }

    /// Carries the next batch; false when everything written has been carried.
    async fn carry(&mut self, store: &dyn Store) -> Result<bool, StoreError> {
        let Some((rows, bytes)) = self.next_batch() else {
            return Ok(false);
        };
        if !rows.is_empty() {
            store.record_exposures(&rows).await?;
        }
        self.offset += bytes;
        self.gauge.carried.fetch_add(bytes, Ordering::Relaxed);
        self.gauge
            .rows_carried
            .fetch_add(rows.len() as u64, Ordering::Relaxed);
        Ok(true)
    }

    /// Rows from the position on, and the bytes they take; moves over segments that are done. `None` at the end.
    fn next_batch(&mut self) -> Option<(Vec<ExposureRow>, u64)> {
        loop {
            let last = self.gauge.segment.load(Ordering::Acquire);
            let path = segment_path(&self.options.folder, self.segment);
            let end = if self.segment < last {
                u64::MAX
            } else {
                self.gauge.offset.load(Ordering::Acquire)
            };
            let bytes = read_from(&path, self.offset, end, 4 << 20).unwrap_or_default();
            let mut rows = Vec::new();
            let mut taken = 0;
            while rows.len() < self.options.batch
                && let Some((row, length)) = record::decode(&bytes[taken..])
            {
                rows.push(row);
                taken += length;
            }
            if !rows.is_empty() {
                return Some((rows, taken as u64));
            }
            if self.segment >= last {
                return None;
            }
            // What is left of an old segment is a record that a crash cut off: it was never acknowledged.
            let rest =
                std::fs::metadata(&path).map_or(0, |meta| meta.len().saturating_sub(self.offset));
            self.gauge.carried.fetch_add(rest, Ordering::Relaxed);
            if let Err(error) = std::fs::remove_file(&path)
                && error.kind() != io::ErrorKind::NotFound
            {
                tracing::warn!(%error, path = %path.display(), "a carried segment cannot be removed");
            }
            self.segment += 1;
            self.offset = 0;
        }
    }
}

/// At most `most` bytes of a file between two positions.
fn read_from(path: &Path, from: u64, end: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.take(most.min(end.saturating_sub(from)))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn segment_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:012}.spool"))
}

/// Segments of a folder with their lengths, in order.
fn segments(folder: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if let Some(number) = name
            .to_str()
            .and_then(|name| name.strip_suffix(".spool"))
            .and_then(|digits| digits.parse().ok())
        {
            found.push((number, entry.metadata()?.len()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests;
