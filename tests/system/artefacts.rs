//! Versions on disk: what was changed, or made for other features, or has seen the judged conversations, is refused.

use crate::desk::{Desk, training};

/// Turns one bit of a file.
fn flip(desk: &Desk, file: &str, position: usize) {
    let mut bytes = desk.read(file);
    let position = position.min(bytes.len() - 1);
    bytes[position] ^= 1;
    desk.write(file, bytes);
}

#[test]
fn a_changed_byte_is_refused_wherever_it_is() {
    let desk = Desk::with_version();
    let policy = desk.read("run/policy.json");
    let seen = desk.read("run/seen.bin");
    let header = policy.iter().position(|byte| *byte == b'\n').unwrap();
    for position in [
        0,
        30,
        header,
        header + 1,
        policy.len() / 2,
        policy.len() - 2,
        policy.len() - 1,
    ] {
        flip(&desk, "run/policy.json", position);
        let error = desk.refused("evaluate --log log.jsonl --policy run --out out");
        assert!(
            error.starts_with("error: run/policy.json: "),
            "{position}: {error}"
        );
        assert!(error.contains("fix: "), "{position}: {error}");
        assert!(!desk.path("out").exists());
        desk.write("run/policy.json", &policy);
    }
    for position in [0, seen.len() / 2, seen.len() - 1] {
        flip(&desk, "run/seen.bin", position);
        let error = desk.refused("evaluate --log log.jsonl --policy run --out out");
        assert!(
            error.starts_with("error: run/seen.bin: content hash is "),
            "{error}"
        );
        desk.write("run/seen.bin", &seen);
    }
    for (file, whole) in [("run/policy.json", &policy), ("run/seen.bin", &seen)] {
        for rest in [0, 1, whole.len() / 2, whole.len() - 1] {
            desk.write(file, &whole[..rest]);
            let error = desk.refused("evaluate --log log.jsonl --policy run --out out");
            assert!(error.starts_with(&format!("error: {file}: ")), "{error}");
        }
        std::fs::remove_file(desk.path(file)).unwrap();
        let error = desk.refused("evaluate --log log.jsonl --policy run --out out");
        assert!(error.starts_with(&format!("error: {file}: ")), "{error}");
        desk.write(file, whole);
    }
    desk.done("evaluate --log log.jsonl --policy run --resamples 40 --out out");
}

/// Writes a policy file's content line with its right hash: a whole file, made elsewhere.
fn reseal(desk: &Desk, change: impl Fn(&str) -> String) {
    let text = desk.text("run/policy.json");
    let (header, content) = text.split_once('\n').unwrap();
    let content = change(content.trim_end());
    let mut header: serde_json::Value = serde_json::from_str(header).unwrap();
    header["content_hash"] = blake3::hash(content.as_bytes()).to_hex().to_string().into();
    desk.write("run/policy.json", format!("{header}\n{content}\n"));
}

#[test]
fn a_policy_of_another_feature_schema_is_refused() {
    let desk = Desk::with_version();
    let whole = desk.read("run/policy.json");
    // Resealed alone it is still fine: the next refusals come from the schema, not from the seal.
    reseal(&desk, str::to_owned);
    desk.done("evaluate --log log.jsonl --policy run --resamples 40");
    for (known, other) in [
        (
            "\"feature_schema\":{\"version\":1",
            "\"feature_schema\":{\"version\":2",
        ),
        (
            "\"feature_schema\":{\"version\":1,\"hash\":\"",
            "\"feature_schema\":{\"version\":1,\"hash\":\"0",
        ),
    ] {
        reseal(&desk, |content| {
            assert_eq!(content.matches(known).count(), 1, "{content}");
            content.replace(known, other)
        });
        let error = desk.refused("evaluate --log log.jsonl --policy run");
        assert!(
            error.contains("run/policy.json: reads feature schema"),
            "{error}"
        );
        assert!(error.contains("train it again"), "{error}");
        desk.write("run/policy.json", &whole);
    }
    reseal(&desk, |content| {
        content.replace("\"serve_floor\":0.02", "\"serve_floor\":0.9")
    });
    let error = desk.refused("evaluate --log log.jsonl --policy run");
    assert!(error.contains("0.9"), "{error}");
}

#[test]
fn a_policy_is_not_judged_on_conversations_it_saw() {
    let desk = Desk::with_version();
    let ran = desk
        .run("evaluate --log log.jsonl --policy run --part all --resamples 40 --gate --out all");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("refused: it learned from"),
        "{}",
        ran.stdout
    );
    let judged = desk.json("all/evaluation.json");
    assert_eq!(judged["verdict"]["kind"], "refused");
    let candidate = &judged["policies"][2];
    assert_eq!(candidate["name"], "tiny");
    assert!(candidate["difference"].is_null());
    let trained = desk.json("run/training.json");
    let learned =
        trained["log"]["train"].as_u64().unwrap() + trained["log"]["tune"].as_u64().unwrap();
    for estimate in candidate["estimates"].as_array().unwrap() {
        assert!(
            estimate["value"].is_null() && estimate["interval"].is_null(),
            "{estimate}"
        );
        assert!(
            estimate["refused"]
                .to_string()
                .contains(&learned.to_string()),
            "{estimate}"
        );
    }
    for (name, value) in candidate["kpis"].as_object().unwrap() {
        assert!(value["value"].is_null(), "{name}");
    }
    // The written rule saw nothing.
    assert!(judged["policies"][0]["estimates"][0]["refused"].is_null());

    // The judge part of the same log is unseen, wherever the log lies and in whatever format.
    desk.done("import jsonl log.jsonl --out copy.parquet");
    let unseen = desk
        .done_json("evaluate --log copy.parquet --policy run --resamples 40 --out unseen --json");
    let text = unseen["policies"][2]["estimates"].to_string();
    assert!(!text.contains("seen"), "{text}");

    // One learned conversation among the judged ones is enough.
    desk.write(
        "late.toml",
        training("kind = \"log\"", "[split]\ntrain = 0.4\ntune = 0.1"),
    );
    let ran = desk.run(
        "evaluate --log log.jsonl --policy run --config late.toml --resamples 40 --gate --out late",
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.stdout.contains("refused: it learned from"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_is_no_version_is_named() {
    let desk = Desk::with_version();
    std::fs::create_dir(desk.path("empty")).unwrap();
    for (policy, message) in [
        ("nowhere", "error: nowhere: no such version"),
        ("empty", "error: empty/policy.json: "),
        ("log.jsonl", "error: log.jsonl: not a policy header"),
        ("run/seen.bin", "error: run/seen.bin: "),
        (
            "run/training.json",
            "error: run/training.json: not a policy header",
        ),
    ] {
        let error = desk.refused(&format!("evaluate --log log.jsonl --policy {policy}"));
        assert!(error.starts_with(message), "{error}");
        assert!(error.contains("fix: "), "{error}");
    }
    std::fs::remove_file(desk.path("run/config.toml")).unwrap();
    let error = desk.refused("evaluate --log log.jsonl --policy run");
    assert!(error.contains("no configuration to judge by"), "{error}");
}
