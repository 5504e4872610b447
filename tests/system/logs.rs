//! Logs that are broken in every way the log's promises can be: what is said, where, and that nothing is half-written.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::desk::{Desk, error_of};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The lines of the log that [`Desk::with_log`] generates.
fn lines(desk: &Desk) -> Vec<String> {
    desk.text("log.jsonl").lines().map(str::to_owned).collect()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Line 3 with its JSON changed.
fn with_fault(lines: &[String], fault: impl Fn(&mut Value)) -> String {
    let mut lines = lines.to_vec();
    let mut row: Value = serde_json::from_str(&lines[2]).unwrap();
    fault(&mut row);
    lines[2] = row.to_string();
    joined(&lines)
}

/// Training, judging and importing all refuse the log, and write nothing.
fn refused_everywhere(desk: &Desk, file: &str, place: &str, message: &str) {
    for command in [
        format!("train train.toml --log {file} --out new"),
        format!("evaluate --log {file} --policy run --out new"),
    ] {
        let error = desk.refused(&command);
        assert!(error.contains(place), "{command}: {error}");
        assert!(error.contains(message), "{command}: {error}");
        assert!(!desk.path("new").exists(), "{command} wrote something");
    }
}

type Fault = fn(&mut Value);

/// A fault, the column it is reported at, a part of the message, and the reason that an import counts it under.
const FAULTS: [(Fault, &str, &str, &str); 30] = [
    (
        |c| c["turns"][1]["at"] = json!("2026-01-01T00:00:00Z"),
        "turns[1].at",
        "order of time",
        "bad_order",
    ),
    (
        |c| c["decisions"][0]["decided_at"] = json!("2026-01-01T00:00:00Z"),
        "decisions[0].decided_at",
        "created_at",
        "bad_time",
    ),
    (
        |c| c["first_response_s"] = json!(-1.0),
        "first_response_s",
        "is -1; a duration lies in [0, 604800]",
        "bad_duration",
    ),
    (
        |c| c["decisions"][0]["answer_s"] = json!(-0.5),
        "decisions[0].answer_s",
        "is -0.5; a duration",
        "bad_duration",
    ),
    (
        |c| c["decisions"][0]["answer_s"] = json!(604_801.0),
        "decisions[0].answer_s",
        "7 days",
        "bad_duration",
    ),
    (
        |c| c["decisions"][0]["human_s"] = json!(1e300),
        "decisions[0].human_s",
        "7 days",
        "bad_duration",
    ),
    (
        |c| c["queue_wait_s"] = json!(604_800.5),
        "queue_wait_s",
        "7 days",
        "bad_duration",
    ),
    (
        |c| c["channel"] = json!("telepathy"),
        "channel",
        "unknown variant `telepathy`",
        "unknown_value",
    ),
    (
        |c| c["class"] = json!("Simple"),
        "class",
        "unknown variant `Simple`",
        "unknown_value",
    ),
    (
        |c| c["turns"][0]["role"] = json!("robot"),
        "turns[0].role",
        "unknown variant `robot`",
        "unknown_value",
    ),
    (
        |c| c["decisions"][0]["action"] = json!(4),
        "decisions[0].action",
        "expected a tier",
        "unknown_value",
    ),
    (
        |c| c["decisions"][0]["action"] = json!(0),
        "decisions[0].action",
        "expected a tier",
        "unknown_value",
    ),
    (
        |c| c["decisions"][0]["action_source"] = json!("boss"),
        "decisions[0].action_source",
        "unknown variant `boss`",
        "unknown_value",
    ),
    (
        |c| c["decisions"][0]["propensity_kind"] = json!("guess"),
        "decisions[0].propensity_kind",
        "unknown variant `guess`",
        "unknown_value",
    ),
    (
        |c| c["decisions"][0]["propensity"] = json!(0),
        "decisions[0].propensity",
        "(0, 1]",
        "bad_propensity",
    ),
    (
        |c| c["decisions"][0]["propensity"] = json!(1.5),
        "decisions[0].propensity",
        "(0, 1]",
        "bad_propensity",
    ),
    (
        |c| c["decisions"][0]["propensity"] = json!(-0.1),
        "decisions[0].propensity",
        "(0, 1]",
        "bad_propensity",
    ),
    (
        |c| c["decisions"][0]["propensity"] = json!(0.123),
        "decisions[0].propensity",
        "equals the action's entry of `probs`",
        "bad_propensity",
    ),
    (
        |c| c["decisions"][0]["probs"] = json!([0.5, 0.5, 0.5]),
        "decisions[0].probs",
        "sum",
        "bad_propensity",
    ),
    (
        |c| c["decisions"][0]["probs"] = json!([1.5, -0.25, -0.25]),
        "decisions[0].probs",
        "[0, 1]",
        "bad_propensity",
    ),
    (
        |c| c["decisions"][0]["mask"] = json!([false, false, false]),
        "decisions[0].mask",
        "",
        "",
    ),
    (
        |c| c["decisions"][0]["turn"] = json!(99),
        "decisions[0].turn",
        "customer's message",
        "invalid",
    ),
    (
        |c| c["decisions"][0]["feature_schema"] = json!(9),
        "decisions[0].feature_schema",
        "version 1",
        "",
    ),
    (
        |c| c["schema_version"] = json!(2),
        "schema_version",
        "version 1",
        "",
    ),
    (
        |c| c["conversation_id"] = json!(""),
        "conversation_id",
        "it names something",
        "invalid",
    ),
    (
        |c| c["created_at"] = json!("yesterday"),
        "created_at",
        "",
        "",
    ),
    (
        |c| c["created_at"] = json!("9999-01-01T00:00:00Z"),
        "created_at",
        "between 1970 and 2200",
        "bad_time",
    ),
    (|c| c["rating_raw"] = json!(9), "rating", "", ""),
    (
        |c| c["color"] = json!("blue"),
        "color",
        "unknown field `color`",
        "unknown_field",
    ),
    (
        |c| {
            c.as_object_mut().unwrap().remove("created_at");
        },
        "",
        "`created_at` is missing",
        "missing_field",
    ),
];

#[test]
fn a_broken_row_is_named_by_line_and_column_and_refused() {
    let desk = Desk::with_version();
    let lines = lines(&desk);
    for (fault, column, message, reason) in FAULTS {
        desk.write("bad.jsonl", with_fault(&lines, fault));
        refused_everywhere(&desk, "bad.jsonl", "bad.jsonl:3: ", message);
        let error = desk.refused("train train.toml --log bad.jsonl --out new");
        assert!(error.contains(column), "{error}");
        assert!(error.contains("fix: "), "{error}");

        // The check lists it, and says so by its exit code.
        let check = desk.run("log check bad.jsonl --json");
        assert_eq!(check.code, 1, "{column}");
        let check: Value = serde_json::from_str(&check.stdout).unwrap();
        assert_eq!(check["row_errors"][0]["count"], 1, "{column}");
        assert_eq!(check["conversations"], lines.len() - 1, "{column}");

        // One bad row in about 300 is within 1 %; none is allowed here.
        let error = desk.refused("import jsonl bad.jsonl --out in.parquet --max-rejects 0");
        assert!(error.contains("1 of "), "{error}");
        assert!(error.contains("see in.parquet.rejects.csv"), "{error}");
        assert!(!desk.path("in.parquet").exists());
        assert!(!desk.path("in.decisions.parquet").exists());
        let rejects = desk.text("in.parquet.rejects.csv");
        assert!(rejects.contains("bad.jsonl,3,"), "{rejects}");
        assert!(rejects.contains(reason), "{column}: {rejects}");
    }
}

#[test]
fn unknown_durations_are_no_fault_and_stay_unknown() {
    let desk = Desk::with_version();
    let lines = lines(&desk);
    let text = with_fault(&lines, |c| {
        c.as_object_mut().unwrap().remove("first_response_s");
        let decision = c["decisions"][0].as_object_mut().unwrap();
        decision.remove("answer_s");
        decision.remove("human_s");
    });
    desk.write("partial.jsonl", text);
    desk.done("import jsonl partial.jsonl --out partial.parquet");
    desk.done("log check partial.parquet");
    desk.done("import jsonl partial.jsonl --out same.jsonl");
    let row: Value = serde_json::from_str(desk.text("same.jsonl").lines().nth(2).unwrap()).unwrap();
    assert!(row.get("first_response_s").is_none(), "{row}");
    assert!(row["decisions"][0].get("answer_s").is_none(), "{row}");
    assert!(row["decisions"][0].get("human_s").is_none(), "{row}");
    desk.done("train train.toml --log partial.parquet --out partial");
}

#[test]
fn numbers_that_json_does_not_have_are_named() {
    let desk = Desk::with_version();
    let lines = lines(&desk);
    for (text, message) in [
        ("NaN", "JSON has no NaN or infinity"),
        ("Infinity", "JSON has no NaN or infinity"),
        ("-Infinity", "JSON has no NaN or infinity"),
        ("1e999", "number out of range"),
        ("\"0.5\"", "invalid type: string"),
        ("[]", "invalid type: sequence"),
    ] {
        let mut bad = lines.clone();
        let start = bad[2].find("\"propensity\":").unwrap() + "\"propensity\":".len();
        let end = start + bad[2][start..].find(',').unwrap();
        bad[2].replace_range(start..end, text);
        desk.write("bad.jsonl", joined(&bad));
        refused_everywhere(
            &desk,
            "bad.jsonl",
            "bad.jsonl:3: `decisions[0].propensity` ",
            message,
        );
        let error = desk.refused("import jsonl bad.jsonl --out in.jsonl --max-rejects 0");
        assert!(error.contains("1 of "), "{text}: {error}");
        assert!(!desk.path("in.jsonl").exists());
    }
}

#[test]
fn broken_json_in_the_middle_of_a_gzip_file() {
    let desk = Desk::with_version();
    let mut bad = lines(&desk);
    let middle = bad.len() / 2;
    bad[middle].truncate(40);
    desk.write("bad.jsonl.gz", gzip(joined(&bad).as_bytes()));
    let place = format!("bad.jsonl.gz:{}: ", middle + 1);
    refused_everywhere(&desk, "bad.jsonl.gz", &place, "breaks the JSON at byte");
    // By default one bad row in a hundred is let through, and listed.
    let imported = desk.done_json("import jsonl bad.jsonl.gz --out in.jsonl --json");
    assert_eq!(imported["rejected"], 1);
    assert_eq!(imported["by_reason"]["broken_json"], 1);
    assert_eq!(imported["written"], bad.len() - 1);
    let rejects = desk.text("in.jsonl.rejects.csv");
    assert!(
        rejects.contains(&format!("bad.jsonl.gz,{},", middle + 1)),
        "{rejects}"
    );
}

#[test]
fn a_truncated_gzip_is_not_taken_for_a_short_log() {
    let desk = Desk::with_version();
    let whole = gzip(desk.text("log.jsonl").as_bytes());
    for rest in [whole.len() - 1, whole.len() / 2, 15, 3] {
        desk.write("cut.jsonl.gz", &whole[..rest]);
        refused_everywhere(&desk, "cut.jsonl.gz", "cut.jsonl.gz: ", "");
        desk.refused("log check cut.jsonl.gz");
        let error = desk.refused("import jsonl cut.jsonl.gz --out in.jsonl");
        assert!(error.contains("fix: "), "{rest}: {error}");
        assert!(!desk.path("in.jsonl").exists(), "{rest}");
    }
    // A flipped bit in the middle breaks the checksum, if nothing earlier.
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 16;
    desk.write("cut.jsonl.gz", &flipped);
    desk.refused("import jsonl cut.jsonl.gz --out in.jsonl --max-rejects 0");
    assert!(!desk.path("in.jsonl").exists());
}

#[test]
fn duplicate_ids_are_refused() {
    let desk = Desk::with_version();
    let mut twice = lines(&desk);
    twice.push(twice[0].clone());
    desk.write("twice.jsonl", joined(&twice));
    let place = format!("twice.jsonl:{}: `conversation_id` ", twice.len());
    refused_everywhere(&desk, "twice.jsonl", &place, "again");
    let imported = desk.done_json("import jsonl twice.jsonl --out in.jsonl --json");
    assert_eq!(imported["by_reason"]["duplicate_id"], 1);
    // Across files too.
    let error = desk.refused("import jsonl log.jsonl log.jsonl --out in2.jsonl");
    assert!(error.contains("duplicate_id"), "{error}");
    assert!(!desk.path("in2.jsonl").exists());
}

#[test]
fn logs_with_nothing_in_them() {
    let desk = Desk::with_version();
    let lines = lines(&desk);
    let without_decisions: Vec<String> = lines
        .iter()
        .map(|line| {
            let mut row: Value = serde_json::from_str(line).unwrap();
            row["decisions"] = json!([]);
            row.to_string()
        })
        .collect();
    desk.write("silent.jsonl", joined(&without_decisions));
    refused_everywhere(
        &desk,
        "silent.jsonl",
        "silent.jsonl: ",
        "no conversation has a decision",
    );
    desk.done("log check silent.jsonl");
    for (content, gz) in [("", false), ("\n\n  \n", false), ("", true)] {
        let file = if gz { "empty.jsonl.gz" } else { "empty.jsonl" };
        let bytes = if gz { gzip(b"") } else { content.into() };
        desk.write(file, bytes);
        refused_everywhere(&desk, file, file, "the log is empty");
        desk.refused(&format!("log check {file}"));
        let error = desk.refused(&format!("import jsonl {file} --out in.jsonl"));
        assert!(error.contains("no rows"), "{error}");
        assert!(!desk.path("in.jsonl").exists());
    }
    for n in [1, 2, 3] {
        desk.write("few.jsonl", joined(&lines[..n]));
        let error = desk.refused("train train.toml --log few.jsonl --out new");
        assert!(
            error.contains("too few to cut into train, tune and judge"),
            "{n}: {error}"
        );
    }
}

#[test]
fn what_a_log_cannot_support_is_refused_with_a_reason() {
    let desk = Desk::with_version();
    let changed = |change: Fault| -> String {
        let rows = lines(&desk).into_iter().map(|line| {
            let mut row: Value = serde_json::from_str(&line).unwrap();
            change(&mut row);
            row.to_string()
        });
        joined(&rows.collect::<Vec<_>>())
    };
    let strip: Fault = |c| {
        for decision in c["decisions"].as_array_mut().unwrap() {
            let decision = decision.as_object_mut().unwrap();
            for key in ["probs", "propensity", "propensity_kind"] {
                decision.remove(key);
            }
        }
    };
    desk.write("bare.jsonl", changed(strip));
    let error = desk.refused("train train.toml --log bare.jsonl --out new");
    assert!(error.contains("decisions without propensities"), "{error}");
    assert!(error.contains("fix: "), "{error}");
    let check = desk.done_json("log check bare.jsonl --json");
    assert_eq!(check["propensities"]["absent"], check["decisions"]);

    let no_outcome: Fault = |c| {
        let row = c.as_object_mut().unwrap();
        for key in [
            "rating_raw",
            "rating_scale",
            "rating_at",
            "satisfaction",
            "satisfaction_source",
        ] {
            row.remove(key);
        }
        row.insert("abandoned".to_owned(), json!(false));
    };
    desk.write("mute.jsonl", changed(no_outcome));
    let error = desk.refused("train train.toml --log mute.jsonl --out new");
    assert!(
        error.contains("no conversation of the training part has a reward"),
        "{error}"
    );
    let judged =
        desk.done_json("evaluate --log mute.jsonl --policy run --resamples 40 --out mute --json");
    assert_eq!(judged["verdict"]["kind"], "refused");
}

#[test]
fn too_many_rejects_leave_the_old_log_and_list_the_rows() {
    let desk = Desk::with_log();
    let mut bad = lines(&desk);
    for line in bad.iter_mut().take(10) {
        line.truncate(20);
    }
    desk.write("bad.jsonl", joined(&bad));
    for out in ["old.jsonl", "old.parquet"] {
        desk.done(&format!("import jsonl log.jsonl --out {out}"));
    }
    for (out, files) in [
        ("old.jsonl", vec!["old.jsonl"]),
        ("old.parquet", vec!["old.parquet", "old.decisions.parquet"]),
    ] {
        let before: Vec<Vec<u8>> = files.iter().map(|file| desk.read(file)).collect();
        let ran = desk.run(&format!("import jsonl bad.jsonl --out {out}"));
        assert_eq!(ran.code, 2);
        let error = error_of(&ran.stderr);
        assert!(
            error.contains(&format!("10 of {} rows were rejected", bad.len())),
            "{error}"
        );
        assert!(error.contains("fix: "), "{error}");
        let after: Vec<Vec<u8>> = files.iter().map(|file| desk.read(file)).collect();
        assert!(before == after, "{out} was changed");
        let rejects = desk.text(&format!("{out}.rejects.csv"));
        assert_eq!(rejects.lines().count(), 11, "a header and ten rows");
    }
    assert!(
        desk.names("").iter().all(|name| !name.contains(".tmp")),
        "{:?}",
        desk.names("")
    );
    let imported = desk.done_json(
        "import jsonl bad.jsonl --out ok.jsonl --max-rejects 0.5 --rejects r.jsonl --json",
    );
    assert_eq!(imported["rejected"], 10);
    for line in desk.text("r.jsonl").lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["reason"], "broken_json");
    }
    let all = desk.refused("import jsonl bad.jsonl --out none.jsonl --max-rejects 1.5");
    assert!(all.contains("max-rejects"), "{all}");
}

#[test]
fn parquet_that_is_none() {
    let desk = Desk::with_version();
    desk.done("import jsonl log.jsonl --out log.parquet");
    let (rows, decisions) = (desk.read("log.parquet"), desk.read("log.decisions.parquet"));
    let half = rows.len() / 2;
    for bytes in [
        &b""[..],
        b"PAR1",
        &[b'P'; 200],
        &rows[..half],
        &rows[half..],
        &decisions[..],
    ] {
        desk.write("bad.parquet", bytes);
        desk.write("bad.decisions.parquet", &decisions);
        refused_everywhere(&desk, "bad.parquet", "bad.parquet", "");
    }
    desk.write("bad.parquet", &rows);
    for bytes in [&b""[..], &decisions[..decisions.len() / 2], &rows[..]] {
        desk.write("bad.decisions.parquet", bytes);
        refused_everywhere(&desk, "bad.parquet", "bad.decisions.parquet", "");
    }
    std::fs::remove_file(desk.path("bad.decisions.parquet")).unwrap();
    refused_everywhere(
        &desk,
        "bad.parquet",
        "bad.parquet",
        "its decisions are missing",
    );
    // Tables of two different logs.
    desk.done("log generate shop.toml --out other.parquet --seed 2");
    desk.write(
        "bad.decisions.parquet",
        desk.read("other.decisions.parquet"),
    );
    refused_everywhere(&desk, "bad.parquet", "do not belong together", "");
    for position in (0..rows.len()).step_by(rows.len() / 40) {
        // A flipped bit may hit a value no check can know; it must not end in a crash.
        let mut flipped = rows.clone();
        flipped[position] ^= 64;
        desk.write("bad.parquet", flipped);
        desk.write("bad.decisions.parquet", &decisions);
        let ran = desk.run("log check bad.parquet");
        assert!([0, 1, 2].contains(&ran.code), "{position}: {ran:?}");
    }
}
