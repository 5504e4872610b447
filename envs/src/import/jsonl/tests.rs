//! The log's own lines with their extras, and another system's through the documented mapping.

use serde_json::json;

use super::*;
use crate::class::{Class, RatingScale, Role};
use crate::log::model::Conversation;
use crate::tier::Tier;
use crate::time::UtcMicros;

fn import(mapping: Option<&str>, lines: &[String]) -> Result<Vec<Imported>, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let (config, file) = (
        folder.path().join("map.toml"),
        folder.path().join("t.jsonl"),
    );
    std::fs::write(&config, mapping.unwrap_or_default()).unwrap();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut all = Vec::new();
    let config = mapping.map(|_| config.as_path());
    read(&[file], config, &CustomerKey::new("key"), &mut |row| {
        all.push(row);
        Ok(())
    })?;
    Ok(all)
}

fn conversation(row: &Imported) -> &Conversation {
    match row {
        Imported::Conversation { conversation, .. } => conversation,
        other => panic!("{other:?}"),
    }
}

fn own() -> Value {
    json!({
        "schema_version": 1, "conversation_id": "c", "source_system": "shop", "channel": "chat",
        "created_at": "2026-03-01T09:00:00Z",
        "decisions": [{
            "turn": 0, "decided_at": "2026-03-01T09:00:00Z", "feature_schema": 1,
            "observation": vec![Value::Null; crate::observation::Feature::COUNT],
            "mask": [true, true, true], "action": 1, "probs": [0.5, 0.25, 0.25],
            "propensity": 0.5, "propensity_kind": "exact", "action_source": "policy", "answer_s": 3.0,
        }],
    })
}

#[test]
fn the_last_rating_wins() {
    let mut line = own();
    line["ratings"] = json!([
        {"raw": 5, "scale": "1-5", "at": "2026-03-02T09:00:00Z"},
        {"raw": 2, "scale": "1-5", "at": "2026-03-03T09:00:00Z"},
        {"raw": 4, "scale": "1-5"},
    ]);
    let rows = import(None, &[own().to_string(), line.to_string()]).unwrap();
    assert_eq!(conversation(&rows[0]).rating_raw, None);
    let rated = conversation(&rows[1]);
    assert_eq!(
        (rated.rating_raw, rated.rating_scale),
        (Some(2), Some(RatingScale::FivePoint))
    );
    assert_eq!(
        rated.rating_at,
        Some(UtcMicros::parse("2026-03-03T09:00:00Z").unwrap())
    );
}

#[test]
fn merged_conversations_are_counted_once() {
    let merged = |into: Value| {
        let mut line = own();
        line["merged_into"] = into;
        line.to_string()
    };
    let rows = import(
        None,
        &[merged(json!("d")), merged(Value::Null), merged(json!(12))],
    )
    .unwrap();
    assert!(matches!(rows[0], Imported::Merged));
    assert_eq!(conversation(&rows[1]).conversation_id, "c");
    assert!(matches!(rows[2], Imported::Merged));
}

#[test]
fn bad_lines_are_rejected_with_their_column() {
    let set = |pointer: &str, value: Value| {
        let mut line = own();
        *line.pointer_mut(pointer).unwrap() = value;
        line.to_string()
    };
    let extra = |name: &str, value: Value| {
        let mut line = own();
        line[name] = value;
        line.to_string()
    };
    let turns = json!([
        {"role": "customer", "at": "2026-03-01T09:05:00Z"},
        {"role": "agent", "at": "2026-03-01T09:04:00Z"},
    ]);
    let cases = [
        (
            set("/decisions/0/propensity", json!(0)),
            Reason::BadPropensity,
            "decisions[0].propensity",
        ),
        (
            set("/decisions/0/propensity", json!(1.5)),
            Reason::BadPropensity,
            "decisions[0].propensity",
        ),
        (
            set("/decisions/0/propensity", json!(0.25)),
            Reason::BadPropensity,
            "decisions[0].propensity",
        ),
        (
            set("/decisions/0/probs", json!([0.5, 0.5, 0.5])),
            Reason::BadPropensity,
            "decisions[0].probs",
        ),
        (
            set("/decisions/0/answer_s", json!(-1)),
            Reason::BadDuration,
            "decisions[0].answer_s",
        ),
        (
            set("/decisions/0/answer_s", json!(604_801)),
            Reason::BadDuration,
            "decisions[0].answer_s",
        ),
        (
            set("/decisions/0/action", json!(4)),
            Reason::UnknownValue,
            "decisions[0].action",
        ),
        (
            set("/channel", json!("pigeon")),
            Reason::UnknownValue,
            "channel",
        ),
        (
            set("/created_at", json!("today")),
            Reason::BadValue,
            "created_at",
        ),
        (extra("turns", turns), Reason::BadOrder, "turns[1].at"),
        (
            extra("colour", json!("red")),
            Reason::UnknownField,
            "colour",
        ),
        (
            extra("ratings", json!([{"raw": 9}])),
            Reason::MissingField,
            "ratings",
        ),
        (
            extra("ratings", json!([{"raw": 9, "scale": "1-5"}])),
            Reason::Invalid,
            "rating_raw",
        ),
        (
            set("/decisions/0/answer_s", json!("x")).replace("\"x\"", "NaN"),
            Reason::BrokenJson,
            "decisions[0].answer_s",
        ),
        (
            own().to_string().replace("\"channel\":\"chat\",", ""),
            Reason::MissingField,
            "channel",
        ),
    ];
    for (line, reason, column) in cases {
        let rows = import(None, &[own().to_string(), line.clone()]).unwrap();
        let Imported::Rejected(rejection) = &rows[1] else {
            panic!("taken: {line}")
        };
        assert_eq!(rejection.reason, reason, "{line}\n{}", rejection.message);
        assert_eq!(rejection.column.as_deref(), Some(column), "{line}");
        assert_eq!(rejection.line, 2);
    }
}

/// A ticket of the system that `configs/import-jsonl.toml` describes.
fn ticket() -> Value {
    json!({
        "id": 81, "via": {"channel": "web"}, "created": 1_772_355_600, "solved": 1_772_359_200,
        "requester": {"id": 9_007_199_254_740_993_u64, "locale": "id"}, "labels": ["vip", "late"],
        "custom": {"topic": "return"}, "metrics": {"first_reply": {"minutes": 2.5}, "reopens": 0},
        "comments": [
            {"author": "requester", "created": 1_772_355_600, "body": "where is it"},
            {"author": "requester", "created": 1_772_355_610, "body": "hello?"},
            {"author": "staff", "created": 1_772_355_750, "body": "on its way"},
            {"author": "requester", "created": 1_772_355_800, "body": "thanks"},
        ],
        "routing": [
            {"at": 1_772_355_610, "to": "draft", "by": "policy", "probability": 0.5, "reply_ms": 140_000,
             "worked_minutes": 1, "topic": "order", "mood": -0.25},
            {"at": 1_772_355_801, "to": "bot", "probability": null},
        ],
        "surveys": [{"score": 1, "answered": 1_772_360_000}, {"score": 5, "answered": 1_772_361_000}, {"score": null}],
    })
}

const MAPPING: &str = include_str!("../../../../configs/import-jsonl.toml");

#[test]
fn the_documented_example_reads_tickets() {
    let mut merged = ticket();
    merged["merged"] = json!({"ticket": 80});
    let rows = import(Some(MAPPING), &[ticket().to_string(), merged.to_string()]).unwrap();
    assert!(matches!(rows[1], Imported::Merged));
    let got = conversation(&rows[0]);
    crate::log::validate::validate(got).unwrap();
    assert_eq!(
        (got.conversation_id.as_str(), got.source_system.as_str()),
        ("81", "tickets")
    );
    assert_eq!(
        got.created_at,
        UtcMicros::parse("2026-03-01T09:00:00Z").unwrap()
    );
    assert_eq!(got.first_response_s, Some(150.0));
    assert_eq!(got.tags, ["vip", "late"]);
    assert_eq!(got.class, Some(Class::Complex));
    // The id is beyond 2^53: no digit may get lost.
    assert_eq!(
        got.customer_id_hash,
        Some(CustomerKey::new("key").hash("9007199254740993"))
    );
    assert_eq!(got.rating_raw, Some(5));
    let roles: Vec<_> = got.turns.iter().map(|turn| turn.role).collect();
    assert_eq!(
        roles,
        [Role::Customer, Role::Customer, Role::Agent, Role::Customer]
    );
    let [first, second] = &got.decisions[..] else {
        panic!()
    };
    assert_eq!((first.turn, second.turn), (0, 3));
    assert_eq!((first.action, second.action), (Tier::Review, Tier::Auto));
    assert_eq!((first.answer_s, first.human_s), (Some(140.0), Some(60.0)));
    assert_eq!(first.observation.class(), Some(Class::Simple));
    assert_eq!((second.propensity, second.propensity_kind), (None, None));
}

#[test]
fn bad_tickets_are_rejected_with_their_path() {
    let cases = [
        (
            "/metrics/first_reply/minutes",
            json!(-3),
            Reason::BadDuration,
            "metrics.first_reply.minutes",
        ),
        (
            "/metrics/first_reply/minutes",
            json!(10_081),
            Reason::BadDuration,
            "metrics.first_reply.minutes",
        ),
        (
            "/metrics/first_reply/minutes",
            json!({"a": 1}),
            Reason::BadValue,
            "metrics.first_reply.minutes",
        ),
        (
            "/custom/topic",
            json!("poetry"),
            Reason::UnknownValue,
            "custom.topic",
        ),
        ("/routing/0/to", json!("oracle"), Reason::UnknownValue, "to"),
        ("/routing/0/to", Value::Null, Reason::MissingField, "to"),
        (
            "/routing/0/probability",
            json!(0),
            Reason::BadPropensity,
            "probability",
        ),
        (
            "/comments/0/author",
            json!("robot"),
            Reason::UnknownValue,
            "author",
        ),
        ("/comments", json!("none"), Reason::BadValue, "comments"),
        ("/created", json!("soon"), Reason::BadTime, "created"),
        ("/routing/0/at", json!(1), Reason::BadOrder, "decided_at"),
    ];
    for (pointer, value, reason, column) in cases {
        let mut line = ticket();
        *line.pointer_mut(pointer).unwrap() = value.clone();
        let rows = import(Some(MAPPING), &[line.to_string()]).unwrap();
        let Imported::Rejected(rejection) = &rows[0] else {
            panic!("{pointer} {value} was taken")
        };
        assert_eq!(
            rejection.reason, reason,
            "{pointer} {value}: {}",
            rejection.message
        );
        assert_eq!(
            rejection.column.as_deref(),
            Some(column),
            "{pointer} {value}"
        );
    }
    let error = import(Some(&format!("rows = \"decision\"\n{MAPPING}")), &[]).unwrap_err();
    assert!(error.to_string().contains("decision.path"), "{error}");
}
