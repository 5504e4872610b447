//! The thread that writes: whatever arrived together is written and synced together.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::{Notify, mpsc};

use super::{Durability, Gauge, Pending, SpoolError, SpoolOptions, record, segment_path};

/// Most exposures that share a sync.
const GROUP: usize = 4_096;

pub(super) struct Writer {
    options: SpoolOptions,
    gauge: Arc<Gauge>,
    written: Arc<Notify>,
    file: File,
    number: u64,
    length: u64,
}

impl Writer {
    pub(super) fn open(
        options: &SpoolOptions,
        number: u64,
        gauge: Arc<Gauge>,
        written: Arc<Notify>,
    ) -> io::Result<Self> {
        let file = create(options, number)?;
        Ok(Self {
            options: options.clone(),
            gauge,
            written,
            file,
            number,
            length: 0,
        })
    }

    /// Writes until every sender is gone.
    pub(super) fn run(mut self, mut pending: mpsc::Receiver<Pending>) {
        let mut group = Vec::with_capacity(GROUP);
        let mut bytes = Vec::new();
        while pending.blocking_recv_many(&mut group, GROUP) > 0 {
            bytes.clear();
            for one in &group {
                record::encode(&one.row, &mut bytes);
            }
            let result = self.write(&bytes).map_err(|error| {
                tracing::error!(%error, "the spool cannot be written");
                SpoolError::Disk
            });
            if result.is_ok() {
                self.gauge
                    .rows_written
                    .fetch_add(group.len() as u64, Ordering::Relaxed);
                self.gauge
                    .written
                    .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                self.gauge.offset.store(self.length, Ordering::Release);
                self.written.notify_one();
            }
            for one in group.drain(..) {
                if let Some(done) = one.done {
                    // The client may have gone; its exposure is recorded all the same.
                    let _ = done.send(result);
                }
            }
        }
    }

    /// Writes and syncs; after a failure the file is cut back to its last whole record.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.length >= self.options.segment_bytes {
            self.next_segment()?;
        }
        let written = self
            .file
            .write_all(bytes)
            .and_then(|()| match self.options.durability {
                Durability::Sync => self.file.sync_data(),
                Durability::Async => Ok(()),
            });
        match written {
            Ok(()) => {
                self.length += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // A half-written group must not stand before the next one: begin a new segment, where that works.
                if self.file.set_len(self.length).is_err() || self.file.sync_data().is_err() {
                    self.next_segment()?;
                }
                Err(error)
            }
        }
    }

    fn next_segment(&mut self) -> io::Result<()> {
        self.file = create(&self.options, self.number + 1)?;
        self.number += 1;
        self.length = 0;
        // The offset first: a reader that sees the new segment must not read past its beginning.
        self.gauge.offset.store(0, Ordering::Release);
        self.gauge.segment.store(self.number, Ordering::Release);
        Ok(())
    }
}

/// Creates a segment, and makes its name durable.
fn create(options: &SpoolOptions, number: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create_new(true)
        .open(segment_path(&options.folder, number))?;
    File::open(&options.folder)?.sync_all()?;
    Ok(file)
}
