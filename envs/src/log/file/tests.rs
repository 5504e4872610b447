use std::fs;

use super::*;
use crate::log::samples::{minimal, random};

const NAMES: [&str; 3] = ["log.jsonl", "log.jsonl.gz", "log.parquet"];

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn write_all(path: &Path, log: &[Conversation]) -> LogSummary {
    let mut writer = LogWriter::create(path).unwrap();
    for conversation in log {
        writer.write(conversation).unwrap();
    }
    writer.finish().unwrap()
}

#[test]
fn every_format_reads_back_with_the_same_hash() {
    let folder = tempfile::tempdir().unwrap();
    let log: Vec<_> = (0..40).map(random).collect();
    let mut hashes = Vec::new();
    for name in NAMES {
        let path = folder.path().join(name);
        let summary = write_all(&path, &log);
        assert_eq!(summary.conversations, 40);
        let decisions: usize = log.iter().map(|c| c.decisions.len()).sum();
        assert_eq!(summary.decisions, decisions as u64);
        let mut reader = LogReader::open(&path).unwrap().hashing();
        let read: Vec<_> = reader.by_ref().map(Result::unwrap).collect();
        assert_eq!(read, log, "{name}");
        assert_eq!(
            reader.content_hash().as_ref(),
            Some(&summary.hash),
            "{name}"
        );
        hashes.push(summary.hash);
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1);
}

#[test]
fn nothing_stands_under_the_name_before_the_end() {
    for name in NAMES {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        let mut writer = LogWriter::create(&path).unwrap();
        writer.write(&minimal("a")).unwrap();
        assert!(!path.exists());
        drop(writer);
        assert!(names_in(folder.path()).is_empty(), "{name}");
    }
}

/// A disk with room for 2000 bytes.
struct SmallDisk(File, usize);

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.1 == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.0.write(&bytes[..bytes.len().min(self.1)])?;
        self.1 -= written;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_full_disk_leaves_the_old_log() {
    // Once the disk fills while rows are written, once only when the buffers are flushed at the end.
    for (name, rows) in NAMES
        .into_iter()
        .flat_map(|name| [(name, 2_000), (name, 40)])
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        write_all(&path, &[minimal("old")]);
        let before = names_in(folder.path());
        let mut writer =
            LogWriter::create_through(&path, |file| Box::new(SmallDisk(file, 2_000))).unwrap();
        let failed = (0..rows).find_map(|seed| writer.write(&random(seed)).err());
        let error = match failed {
            Some(error) => {
                assert!(writer.finish().is_err(), "{name}: a lost log was finished");
                error
            }
            None => writer.finish().expect_err(name),
        };
        let LogError::Io { source, .. } = &error else {
            panic!("{name}: {error}");
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(names_in(folder.path()), before, "{name}");
        let read: Vec<_> = LogReader::open(&path)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(read, [minimal("old")]);
    }
}

#[test]
fn invalid_and_duplicate_rows_are_refused_and_writing_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let mut writer = LogWriter::create(&path).unwrap();
    writer.write(&minimal("a")).unwrap();
    let mut invalid = minimal("b");
    invalid.first_response_s = Some(-1.0);
    for (bad, column) in [
        (&invalid, "first_response_s"),
        (&minimal("a"), "conversation_id"),
    ] {
        let error = writer.write(bad).unwrap_err();
        assert_eq!(error.as_row().map(|row| &*row.column), Some(column));
    }
    writer.write(&minimal("c")).unwrap();
    assert_eq!(writer.finish().unwrap().conversations, 2);
}

#[test]
fn duplicates_cost_one_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    let line = |id| serde_json::to_string(&minimal(id)).unwrap();
    fs::write(
        &path,
        [line("a"), line("b"), line("a"), line("c")].join("\n"),
    )
    .unwrap();
    let rows: Vec<_> = LogReader::open(&path).unwrap().collect();
    let error = rows[2].as_ref().unwrap_err().as_row().unwrap();
    assert_eq!((error.line, error.kind), (3, RowErrorKind::Duplicate));
    assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 3);
}

#[test]
fn an_empty_log_is_an_error_where_rows_are_needed() {
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = folder.path().join(name);
        assert_eq!(write_all(&path, &[]).conversations, 0);
        assert_eq!(LogReader::open(&path).unwrap().count(), 0, "{name}");
        let error = LogReader::open(&path).unwrap().non_empty().unwrap_err();
        assert!(matches!(error, LogError::Empty { .. }), "{name}: {error}");
        write_all(&path, &[minimal("a")]);
        assert_eq!(
            LogReader::open(&path).unwrap().non_empty().unwrap().count(),
            1
        );
    }
}

#[test]
fn unknown_names_and_missing_files_are_told_apart() {
    for name in ["log.txt", "log", "jsonl", "log.jsonl.zip"] {
        for error in [
            LogReader::open(name).unwrap_err(),
            LogWriter::create(name).unwrap_err(),
        ] {
            assert!(
                matches!(error, LogError::UnknownExtension { .. }),
                "{error}"
            );
        }
    }
    let folder = tempfile::tempdir().unwrap();
    for name in NAMES {
        let error = LogReader::open(folder.path().join(name)).unwrap_err();
        assert!(matches!(error, LogError::Io { .. }), "{error}");
        let error = LogWriter::create(folder.path().join("absent").join(name)).unwrap_err();
        assert!(matches!(error, LogError::Io { .. }), "{error}");
    }
}
