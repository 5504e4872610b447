use std::io::Cursor;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::log::samples::{decision, minimal, random};
use crate::tier::Tier;

fn reader(text: impl Into<Vec<u8>>) -> JsonlReader<Cursor<Vec<u8>>> {
    JsonlReader::new(Cursor::new(text.into()), "log.jsonl".into())
}

fn text_of(conversation: &Conversation) -> String {
    serde_json::to_string(conversation).unwrap()
}

/// A conversation with two decisions as JSON text, for breaking.
fn sample_text() -> String {
    let mut conversation = minimal("a");
    conversation.decisions = vec![decision(Tier::Auto), decision(Tier::Review)];
    conversation.decisions[1].human_s = Some(40.5);
    conversation.decisions[1].ai_calls = Some(1);
    text_of(&conversation)
}

proptest! {
    #[test]
    fn writing_then_reading_is_identity(seed: u64) {
        let conversation = random(seed);
        let mut writer = JsonlWriter::new(Vec::new());
        writer.write(&conversation).unwrap();
        let read: Vec<_> = reader(writer.into_inner()).map(Result::unwrap).collect();
        prop_assert_eq!(read, vec![conversation]);
    }
}

#[test]
fn a_broken_line_names_its_column_and_reading_goes_on() {
    use RowErrorKind::{Invalid, Syntax, Type, Version};
    let decision_at = |text: &str, with: &str| {
        // The second decision is the one with `human_s`.
        text.replace("\"human_s\":40.5", with)
    };
    let text = sample_text();
    let cases = [
        (
            text[..text.len() - 5].to_owned(),
            Syntax,
            "decisions[1].ai_calls",
        ),
        (
            decision_at(&text, "\"human_s\":NaN"),
            Syntax,
            "decisions[1].human_s",
        ),
        (
            decision_at(&text, "\"human_s\":-Infinity"),
            Syntax,
            "decisions[1].human_s",
        ),
        (
            decision_at(&text, "\"human_s\":1e999"),
            Syntax,
            "decisions[1].human_s",
        ),
        (
            decision_at(&text, "\"human_s\":\"long\""),
            Type,
            "decisions[1].human_s",
        ),
        (
            decision_at(&text, "\"human_s\":-4"),
            Invalid,
            "decisions[1].human_s",
        ),
        (
            decision_at(&text, "\"human_s\":604801"),
            Invalid,
            "decisions[1].human_s",
        ),
        (
            decision_at(&text, "\"propensity\":0"),
            Type,
            "decisions[1].propensity",
        ),
        (
            decision_at(&text, "\"propensity\":1.5"),
            Type,
            "decisions[1].propensity",
        ),
        (
            decision_at(
                &text,
                "\"probs\":[0.2,0.8,0],\"propensity\":0.5,\"propensity_kind\":\"exact\"",
            ),
            Invalid,
            "decisions[1].propensity",
        ),
        (
            decision_at(&text, "\"probs\":[0.2,0.8,0.8]"),
            Type,
            "decisions[1].probs",
        ),
        (
            decision_at(&text, "\"surprise\":1"),
            Type,
            "decisions[1].surprise",
        ),
        (
            text.replace("\"action\":2", "\"action\":4"),
            Type,
            "decisions[1].action",
        ),
        (
            text.replacen("\"action_source\":\"policy\",", "", 1),
            Type,
            "decisions[1].action_source",
        ),
        (
            text.replacen(",\"action_source\":\"policy\"", "", 1),
            Type,
            "decisions[0].action_source",
        ),
        (
            text.replacen("\"policy\"", "\"oracle\"", 1),
            Type,
            "decisions[0].action_source",
        ),
        (text.replace("\"chat\"", "\"fax\""), Type, "channel"),
        (
            text.replace("2026-03-02T", "yesterday "),
            Type,
            "created_at",
        ),
        (
            text.replace("[true,true,true]", "[false,false,false]"),
            Type,
            "decisions[0].mask",
        ),
        (
            text.replacen("null,", "", 1),
            Type,
            "decisions[0].observation",
        ),
        (
            text.replace("\"schema_version\":1", "\"schema_version\":2,\"new\":true"),
            Version,
            "schema_version",
        ),
        (
            text.replacen("\"feature_schema\":1", "\"feature_schema\":3", 1),
            Version,
            "decisions[0].feature_schema",
        ),
        ("[]".to_owned(), Type, ""),
        ("hello".to_owned(), Syntax, ""),
    ];
    for (broken, kind, column) in cases {
        assert_ne!(broken, text, "the case for `{column}` breaks nothing");
        let log = format!("\n{broken}\n{}\r\n", text_of(&minimal("b")));
        let mut rows = reader(log);
        let error = rows.next().unwrap().unwrap_err();
        let error = error.as_row().expect("a row error").clone();
        assert_eq!(error.line, 2);
        assert_eq!((error.kind, &*error.column), (kind, column), "{error}");
        assert_eq!(rows.next().unwrap().unwrap(), minimal("b"));
        assert!(rows.next().is_none());
    }
}

#[test]
fn error_texts_say_what_to_do() {
    let mut rows = reader(
        sample_text().replace("40.5", "NaN")
            + "\n"
            + &sample_text().replace("40.5", "-4")
            + "\n"
            + &sample_text().replace("\"chat\"", "\"fax\"")
            + "\n"
            + &sample_text().replacen(",\"channel\":\"chat\"", "", 1),
    );
    let mut texts = String::new();
    for row in rows.by_ref() {
        texts.push_str(&format!("{}\n", row.unwrap_err()));
    }
    insta::assert_snapshot!(texts);
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn log_of(n: u64) -> Vec<u8> {
    let mut writer = JsonlWriter::new(Vec::new());
    for seed in 0..n {
        writer.write(&random(seed)).unwrap();
    }
    writer.into_inner()
}

fn gz_reader(bytes: Vec<u8>) -> JsonlReader<impl BufRead> {
    JsonlReader::new(
        BufReader::new(MultiGzDecoder::new(Cursor::new(bytes))),
        "log.jsonl.gz".into(),
    )
}

#[test]
fn a_gzip_of_several_members_is_one_log() {
    let mut bytes = gzip(&log_of(3));
    bytes.extend(gzip((text_of(&minimal("last")) + "\n").as_bytes()));
    let read: Vec<_> = gz_reader(bytes).map(Result::unwrap).collect();
    assert_eq!(read.len(), 4);
    assert_eq!(read[3], minimal("last"));
}

#[test]
fn broken_json_inside_a_gzip_costs_one_row() {
    let mut text = log_of(3);
    text.extend(b"{\"schema_version\":1,,}\n");
    text.extend(log_of(2));
    let rows: Vec<_> = gz_reader(gzip(&text)).collect();
    assert_eq!(rows.len(), 6);
    assert!(rows[3].as_ref().unwrap_err().as_row().is_some());
    assert!(
        rows.iter()
            .enumerate()
            .all(|(i, row)| row.is_ok() == (i != 3))
    );
}

#[test]
fn a_truncated_or_corrupt_gzip_ends_the_log() {
    let whole = gzip(&log_of(50));
    let cut = whole[..whole.len() * 2 / 3].to_vec();
    let mut corrupt = whole.clone();
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 40].fill(0xa5);
    let mut wrong_checksum = whole.clone();
    let end = wrong_checksum.len() - 6;
    wrong_checksum[end] ^= 0xff;
    let cases = [
        (cut, "cut off"),
        (corrupt, "corrupt"),
        (wrong_checksum, "corrupt"),
        (b"{\"schema_version\":1}\n".to_vec(), "corrupt"),
    ];
    for (bytes, word) in cases {
        let mut rows = gz_reader(bytes)
            .skip_while(|row| row.as_ref().map_or_else(|e| e.as_row().is_some(), |_| true));
        match rows.next() {
            Some(Err(LogError::Damaged { reason, .. })) => {
                assert!(reason.contains(word), "{reason} lacks {word}");
            }
            other => panic!("{word}: {other:?}"),
        }
        assert!(
            rows.next().is_none(),
            "the iteration goes on after the damage"
        );
    }
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let mut text = b"\xef\xbb\xbf".to_vec();
    text.extend(text_of(&minimal("a")).bytes());
    assert_eq!(reader(text).next().unwrap().unwrap(), minimal("a"));
}

#[test]
fn an_endless_line_is_a_row_error() {
    let mut text = vec![b' '; MAX_LINE_BYTES + 10];
    text.push(b'\n');
    text.extend(text_of(&minimal("b")).bytes());
    let mut rows = reader(text);
    let error = rows.next().unwrap().unwrap_err();
    assert_eq!(error.as_row().map(|row| row.line), Some(1));
    assert_eq!(rows.next().unwrap().unwrap(), minimal("b"));
}
