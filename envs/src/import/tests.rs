//! Whole imports: what is written, what is listed, and what leaves no trace.

use std::io::Write;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::log::file::LogReader;

const OWN: Source = Source::Jsonl { mapping: None };

fn line(id: usize) -> String {
    json!({
        "schema_version": 1, "conversation_id": format!("c{id}"), "source_system": "shop",
        "channel": "chat", "created_at": "2026-03-01T09:00:00Z",
    })
    .to_string()
}

fn lines(count: usize) -> Vec<String> {
    (0..count).map(line).collect()
}

/// Imports the bytes from a file of this name in a folder of its own.
fn import(
    name: &str,
    bytes: &[u8],
    options: &ImportOptions,
) -> (TempDir, Result<ImportSummary, ImportError>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let result = run(&OWN, &[path], &folder.path().join("log.jsonl"), options);
    (folder, result)
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn gzip(text: &str) -> Vec<u8> {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap()
}

#[test]
fn broken_lines_in_a_gzip_are_listed_and_the_rest_is_written() {
    let mut all = lines(300);
    all[100] = "{\"conversation_id\": \"c100\", \"chan".to_owned();
    all[200] = line(199);
    let (folder, summary) = import(
        "in.jsonl.gz",
        &gzip(&all.join("\n")),
        &ImportOptions::default(),
    );
    let summary = summary.unwrap();
    assert_eq!(
        (summary.read, summary.written, summary.rejected),
        (300, 298, 2)
    );
    assert_eq!(summary.rows_written, 298);
    assert_eq!(
        summary.by_reason,
        BTreeMap::from([
            ("broken_json".to_owned(), 1),
            ("duplicate_id".to_owned(), 1)
        ])
    );
    let written: Vec<_> = LogReader::open(folder.path().join("log.jsonl"))
        .unwrap()
        .map(|row| row.unwrap().conversation_id)
        .collect();
    // In the order of the input, whatever the number of threads.
    let expected: Vec<_> = (0..300)
        .filter(|id| ![100, 200].contains(id))
        .map(|id| format!("c{id}"))
        .collect();
    assert_eq!(written, expected);
    let list = summary.rejects.unwrap();
    assert_eq!(list, folder.path().join("log.jsonl.rejects.csv"));
    let listed: Vec<csv_row::Row> = ::csv::Reader::from_path(list)
        .unwrap()
        .deserialize()
        .map(Result::unwrap)
        .collect();
    assert_eq!(
        (listed[0].line, listed[0].reason.as_str()),
        (101, "broken_json")
    );
    assert_eq!(
        (listed[1].line, listed[1].reason.as_str()),
        (201, "duplicate_id")
    );
    assert_eq!(listed[1].conversation_id, "c199");
    assert_eq!(listed[0].row, all[100]);
}

mod csv_row {
    #[derive(Debug, serde::Deserialize)]
    pub(super) struct Row {
        pub(super) line: u64,
        pub(super) conversation_id: String,
        pub(super) reason: String,
        pub(super) row: String,
    }
}

#[test]
fn too_many_bad_rows_write_no_log() {
    let mut all = lines(100);
    for bad in [10, 20] {
        all[bad] = "{".to_owned();
    }
    let (folder, result) = import(
        "in.jsonl",
        all.join("\n").as_bytes(),
        &ImportOptions::default(),
    );
    let error = result.unwrap_err().to_string();
    assert!(
        error.contains("2 of 100 rows were rejected (2.00 %)"),
        "{error}"
    );
    assert!(error.contains("broken_json 2"), "{error}");
    assert_eq!(names(&folder), ["in.jsonl", "log.jsonl.rejects.csv"]);

    let options = ImportOptions {
        max_rejects: 0.02,
        rejects: Some(folder.path().join("bad.jsonl")),
        ..ImportOptions::default()
    };
    let out = folder.path().join("log.jsonl");
    let summary = run(&OWN, &[folder.path().join("in.jsonl")], &out, &options).unwrap();
    assert_eq!(summary.written, 98);
    let listed = std::fs::read_to_string(folder.path().join("bad.jsonl")).unwrap();
    let first: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    assert_eq!(
        (&first["line"], &first["reason"]),
        (&json!(11), &json!("broken_json"))
    );
}

#[test]
fn a_truncated_gzip_says_how_far_it_was_read_and_writes_nothing() {
    // Long enough for several blocks; compression keeps the lines apart.
    let text = lines(20_000).join("\n");
    let whole = gzip(&text);
    let (folder, result) = import(
        "in.jsonl.gz",
        &whole[..whole.len() / 2],
        &ImportOptions::default(),
    );
    let Err(ImportError::BrokenOff { rows, .. }) = result else {
        panic!("{result:?}");
    };
    assert!((1..20_000).contains(&rows), "{rows}");
    assert_eq!(names(&folder), ["in.jsonl.gz"]);

    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle..middle + 64].fill(0xff);
    let (folder, result) = import("in.jsonl.gz", &damaged, &ImportOptions::default());
    assert!(result.is_err(), "a damaged gzip was taken");
    assert!(!names(&folder).contains(&"log.jsonl".to_owned()));
}

#[test]
fn nothing_to_import_is_an_error() {
    let empty: [(&str, &[u8]); 3] = [
        ("in.jsonl", b""),
        ("in.jsonl", b"\n  \r\n\n"),
        ("in.jsonl.gz", &gzip("")),
    ];
    for (name, bytes) in empty {
        let (folder, result) = import(name, bytes, &ImportOptions::default());
        assert!(
            matches!(result, Err(ImportError::Empty { .. })),
            "{result:?}"
        );
        assert_eq!(names(&folder), [name]);
    }
    let all_bad = ImportOptions {
        max_rejects: 1.0,
        ..ImportOptions::default()
    };
    let (_, result) = import("in.jsonl", b"{", &all_bad);
    assert!(
        matches!(result, Err(ImportError::NothingImported { read: 1 })),
        "{result:?}"
    );

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("log.jsonl");
    let missing = folder.path().join("none.jsonl");
    let options = ImportOptions::default();
    for source in [OWN, Source::Star] {
        assert!(matches!(
            run(&source, &[], &out, &options),
            Err(ImportError::NoInput)
        ));
        let result = run(&source, std::slice::from_ref(&missing), &out, &options);
        assert!(
            matches!(result, Err(ImportError::NotFound { .. })),
            "{result:?}"
        );
        let result = run(&source, &[folder.path().to_owned()], &out, &options);
        assert!(
            matches!(result, Err(ImportError::NothingInFolder { .. })),
            "{result:?}"
        );
    }
    for share in [-0.1, 1.5, f64::NAN] {
        let options = ImportOptions {
            max_rejects: share,
            ..ImportOptions::default()
        };
        let result = run(&OWN, std::slice::from_ref(&missing), &out, &options);
        assert!(
            matches!(result, Err(ImportError::Option { .. })),
            "{result:?}"
        );
    }
    assert_eq!(names(&folder), Vec::<String>::new());
}

#[test]
fn lines_may_be_broken_across_blocks_end_in_crlf_and_hold_other_bytes() {
    // Lines of about 100 kB, so that blocks of 512 kB end in the middle of one.
    let long: Vec<_> = (0..40)
        .map(|id| {
            let mut value: Value = serde_json::from_str(&line(id)).unwrap();
            value["priority"] = "x".repeat(100_000 + id).into();
            value.to_string()
        })
        .collect();
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(long.join("\r\n").bytes());
    bytes.extend(b"\r\n\xff\xfe\r\n");
    let options = ImportOptions {
        max_rejects: 0.05,
        ..ImportOptions::default()
    };
    let (_folder, summary) = import("in.jsonl", &bytes, &options);
    let summary = summary.unwrap();
    assert_eq!((summary.written, summary.rejected), (40, 1));
    assert_eq!(
        summary.by_reason,
        BTreeMap::from([("not_utf8".to_owned(), 1)])
    );
    let list = std::fs::read(summary.rejects.unwrap()).unwrap();
    assert!(
        String::from_utf8_lossy(&list).contains(",41,"),
        "the line's number"
    );
}

#[test]
fn an_old_log_stays_when_the_import_fails() {
    let folder = tempfile::tempdir().unwrap();
    let (input, out) = (
        folder.path().join("in.jsonl"),
        folder.path().join("log.jsonl"),
    );
    std::fs::write(&input, "{").unwrap();
    std::fs::write(&out, "old").unwrap();
    assert!(run(&OWN, &[input], &out, &ImportOptions::default()).is_err());
    assert_eq!(std::fs::read_to_string(&out).unwrap(), "old");
}
