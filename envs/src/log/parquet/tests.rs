use std::fs::{self, File};
use std::sync::Arc;

use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::cell::{Cell, Kind, Single};
use super::schema::{Column, Table};
use super::write::TableWriter;
use super::*;
use crate::log::columns::{DecisionColumns, Needed};
use crate::log::error::{LogError, RowErrorKind};
use crate::log::file::{LogReader, LogWriter};
use crate::log::model::{Conversation, Decision};
use crate::log::samples::{decision, minimal, random};
use crate::tier::Tier;

fn write(path: &Path, log: &[Conversation]) -> String {
    let mut writer = LogWriter::create(path).unwrap();
    for conversation in log {
        writer.write(conversation).unwrap();
    }
    writer.finish().unwrap().hash
}

fn read(path: &Path) -> Vec<Conversation> {
    LogReader::open(path).unwrap().map(Result::unwrap).collect()
}

/// The fatal error met at opening or on the way.
fn failure(path: &Path) -> LogError {
    match LogReader::open(path) {
        Err(error) => error,
        Ok(mut reader) => reader
            .find_map(|row| row.err().filter(|error| error.as_row().is_none()))
            .expect("a log that cannot be read"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn writing_then_reading_is_identity(seeds in prop::collection::hash_set(any::<u64>(), 0..12)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.parquet");
        let log: Vec<_> = seeds.into_iter().map(random).collect();
        write(&path, &log);
        prop_assert_eq!(read(&path), log);
    }
}

#[test]
fn batches_and_row_groups_join_without_a_seam() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let log: Vec<_> = (0..3_000).map(random).collect();
    let output = |path: &Path| Box::new(File::create(path).unwrap());
    // Row groups of 700 conversations and 450 decisions, so that they end at different places.
    let mut to_conversations =
        TableWriter::new(output(&path), schema::conversations(), 700).unwrap();
    let mut to_decisions =
        TableWriter::new(output(&decisions_path(&path)), schema::decisions(), 450).unwrap();
    for conversation in &log {
        let count = conversation.decisions.len() as i32;
        to_conversations
            .push(Cell::Int(count), conversation)
            .unwrap();
        for decision in &conversation.decisions {
            let id = Cell::Text(&conversation.conversation_id);
            to_decisions.push(id, decision).unwrap();
        }
    }
    to_conversations.finish("hash").unwrap();
    to_decisions.finish("hash").unwrap();
    let metadata = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
    assert_eq!(metadata.num_row_groups(), 5);
    assert_eq!(read(&path), log);
}

#[test]
fn the_footer_carries_the_hash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let hash = write(&path, &[random(1), random(2)]);
    let mut reader = LogReader::open(&path).unwrap().hashing();
    assert_eq!(reader.stored_hash(), Some(&*hash));
    assert_eq!(reader.by_ref().count(), 2);
    assert_eq!(reader.content_hash(), Some(hash));
}

#[test]
fn columns_have_the_types_of_the_schema_page() {
    let conversations = schema::conversations().schema().unwrap();
    let decisions = schema::decisions().schema().unwrap();
    let mut text = Vec::new();
    parquet::schema::printer::print_schema(&mut text, &conversations);
    parquet::schema::printer::print_schema(&mut text, &decisions);
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}

#[test]
fn half_a_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let other = folder.path().join("other.parquet");
    let mut with_decision = minimal("a");
    with_decision.decisions = vec![decision(Tier::Auto)];
    write(&path, &[with_decision]);
    write(&other, &[minimal("b")]);

    let error = failure(&decisions_path(&path));
    assert!(
        error.to_string().contains("holds the `decisions` table"),
        "{error}"
    );

    fs::copy(decisions_path(&other), decisions_path(&path)).unwrap();
    let error = failure(&path);
    assert!(matches!(error, LogError::MismatchedPair { .. }), "{error}");

    fs::remove_file(decisions_path(&path)).unwrap();
    match failure(&path) {
        LogError::MissingSibling { sibling, .. } => assert_eq!(sibling, decisions_path(&path)),
        error => panic!("{error}"),
    }
}

/// Writes a pair whose tables carry the same hash without agreeing.
fn write_pair(
    path: &Path,
    conversations: &[(i32, Conversation)],
    decisions: Table<Decision>,
    rows: &[(&str, Decision)],
) {
    let output = |path: &Path| Box::new(File::create(path).unwrap());
    let mut writer = TableWriter::new(output(path), schema::conversations(), 100).unwrap();
    for (count, conversation) in conversations {
        writer.push(Cell::Int(*count), conversation).unwrap();
    }
    writer.finish("hash").unwrap();
    let mut writer = TableWriter::new(output(&decisions_path(path)), decisions, 100).unwrap();
    for (id, decision) in rows {
        writer.push(Cell::Text(id), decision).unwrap();
    }
    writer.finish("hash").unwrap();
}

#[test]
fn tables_out_of_step_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let d = || decision(Tier::Auto);
    let cases = [
        ("the decisions end", 2, &["a"][..]),
        ("belongs to `b`", 1, &["b"]),
        ("follow the last", 1, &["a", "a"]),
    ];
    for (word, count, ids) in cases {
        let rows: Vec<_> = ids.iter().map(|id| (*id, d())).collect();
        write_pair(&path, &[(count, minimal("a"))], schema::decisions(), &rows);
        let error = failure(&path);
        assert!(matches!(error, LogError::MismatchedPair { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

/// A column that says the same in every row.
struct Constant(&'static str, Kind, bool, Cell<'static>);

impl<R> Single<R> for Constant {
    fn name(&self) -> &str {
        self.0
    }
    fn kind(&self) -> Kind {
        self.1
    }
    fn optional(&self) -> bool {
        self.2
    }
    fn cell<'r>(&self, _: &'r R) -> Cell<'r> {
        self.3
    }
    fn set(&self, _: &mut R, _: Cell<'_>) -> Result<(), String> {
        Ok(())
    }
}

#[test]
fn a_wrong_value_costs_its_conversation_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let cases = [
        Constant("action", Kind::Int8, false, Cell::Int(4)),
        Constant("action_source", Kind::Text, false, Cell::Text("oracle")),
        Constant("propensity", Kind::Double, true, Cell::Double(0.0)),
        Constant("propensity", Kind::Double, true, Cell::Double(1.5)),
        Constant("propensity", Kind::Double, true, Cell::Double(f64::NAN)),
        Constant("review", Kind::Text, true, Cell::Text("")),
        Constant("feature_schema", Kind::Int32, false, Cell::Int(-1)),
        Constant(
            "obs_sentiment",
            Kind::Float,
            true,
            Cell::Float(f32::INFINITY),
        ),
        Constant("obs_turn", Kind::Float, true, Cell::Float(-1.0)),
    ];
    for constant in cases {
        let name = constant.0;
        let mut table = schema::decisions();
        let column = table
            .columns
            .iter_mut()
            .find(|column| matches!(column, Column::Single(column) if column.name() == name))
            .expect(name);
        *column = Column::Single(Box::new(constant));
        let decisions = [("b", decision(Tier::Auto)), ("b", decision(Tier::Human))];
        let conversations = [(0, minimal("a")), (2, minimal("b")), (0, minimal("c"))];
        write_pair(&path, &conversations, table, &decisions);
        let rows: Vec<_> = LogReader::open(&path).unwrap().collect();
        assert_eq!(rows.len(), 3, "{name}");
        assert_eq!(rows[0].as_ref().unwrap(), &minimal("a"));
        assert_eq!(rows[2].as_ref().unwrap(), &minimal("c"));
        let error = rows[1].as_ref().unwrap_err().as_row().expect(name);
        assert_eq!((error.line, error.kind), (2, RowErrorKind::Type));
        assert_eq!(error.column, format!("decisions[0].{name}"), "{error}");
    }
}

#[test]
fn invalid_rows_are_named_like_those_of_jsonl() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let mut bad = decision(Tier::Auto);
    bad.human_s = Some(-3.0);
    let rows = [("a", decision(Tier::Auto)), ("a", bad)];
    write_pair(
        &path,
        &[(2, minimal("a")), (0, minimal("a"))],
        schema::decisions(),
        &rows,
    );
    let errors: Vec<_> = LogReader::open(&path)
        .unwrap()
        .map(|row| row.map_err(|error| error.as_row().unwrap().clone()))
        .collect();
    let first = errors[0].as_ref().unwrap_err();
    assert_eq!(
        (first.kind, &*first.column),
        (RowErrorKind::Invalid, "decisions[1].human_s")
    );
    // The id of a broken row is free for a good one.
    assert_eq!(errors[1].as_ref().unwrap(), &minimal("a"));
}

/// A Parquet file of one column with the metadata given.
fn foreign(path: &Path, metadata: &[(&str, &str)]) {
    let schema = parse_message_type("message m { required int32 x; }").unwrap();
    let metadata = metadata
        .iter()
        .map(|(key, value)| KeyValue::new((*key).to_owned(), (*value).to_owned()))
        .collect();
    let properties = WriterProperties::builder()
        .set_key_value_metadata(Some(metadata))
        .build();
    let file = File::create(path).unwrap();
    SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties))
        .unwrap()
        .close()
        .unwrap();
}

#[test]
fn other_files_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    let features = feature_schema();
    let table = (TABLE_KEY, "conversations");
    let log = (LOG_KEY, "hash");
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[], "another program wrote it"),
        (
            &[table, (LOG_SCHEMA_KEY, "2")],
            "version 2 of the log's columns",
        ),
        (
            &[table, (LOG_SCHEMA_KEY, "1"), (FEATURE_SCHEMA_KEY, "9:abc")],
            "version 9:abc of the observation's features",
        ),
        (
            &[
                table,
                (LOG_SCHEMA_KEY, "1"),
                (FEATURE_SCHEMA_KEY, &features),
            ],
            "lacks `tierwise.log`",
        ),
        (
            &[
                table,
                (LOG_SCHEMA_KEY, "1"),
                (FEATURE_SCHEMA_KEY, &features),
                log,
            ],
            "no column `decision_count`",
        ),
    ];
    for (metadata, word) in cases {
        foreign(&path, metadata);
        let error = failure(&path);
        assert!(error.to_string().contains(word), "{error}");
    }
    for bytes in [&b""[..], b"PAR1", b"{\"schema_version\":1}\n", &[0; 100]] {
        fs::write(&path, bytes).unwrap();
        let error = failure(&path);
        assert!(
            error.to_string().contains("cannot be read as Parquet"),
            "{error}"
        );
    }
}

#[test]
fn a_truncated_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    for target in [path.clone(), decisions_path(&path)] {
        write(&path, &(0..50).map(random).collect::<Vec<_>>());
        let whole = fs::read(&target).unwrap();
        for length in [whole.len() - 1, whole.len() / 2, 8] {
            fs::write(&target, &whole[..length]).unwrap();
            let error = failure(&path);
            assert!(matches!(error, LogError::NotATable { .. }), "{error}");
        }
    }
}

#[test]
fn damage_never_panics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.parquet");
    write(&path, &(0..60).map(random).collect::<Vec<_>>());
    let mut noticed = 0;
    for target in [path.clone(), decisions_path(&path)] {
        let whole = fs::read(&target).unwrap();
        for trial in 0..60_usize {
            let mut damaged = whole.clone();
            let at = trial.wrapping_mul(7_919) % whole.len();
            let end = (at + 3).min(whole.len());
            for byte in &mut damaged[at..end] {
                *byte ^= 0x5a;
            }
            fs::write(&target, &damaged).unwrap();
            noticed += match LogReader::open(&path) {
                Err(_) => 1,
                Ok(reader) => u32::from(reader.take(1_000).any(|row| row.is_err())),
            };
            if let Ok(columns) = DecisionColumns::load(&path, &Needed::everything()) {
                assert_eq!(columns.len(), columns.conversation.len());
            }
        }
        fs::write(&target, &whole).unwrap();
    }
    assert!(
        noticed > 60,
        "only {noticed} of 120 damaged files were noticed"
    );
}

#[test]
fn readers_and_writers_cross_threads() {
    fn sendable<T: Send>() {}
    sendable::<LogReader>();
    sendable::<LogWriter>();
}
