//! `tierwise calibrate`: a centre from a log, and what a log cannot tell.

use serde_json::Value;

use crate::desk::Desk;
use crate::shared;

/// Sources of the numbers under a key.
fn sources(found: &Value, key: &str) -> Vec<String> {
    found["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|p| p["key"] == key)
        .map(|p| p["source"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_generated_log_becomes_a_centre_with_its_fit_on_the_last_day() {
    let desk = Desk::new();
    desk.write("shop.toml", "days = 5\ndaily_contacts = 120.0\n");
    desk.done("log generate shop.toml --out log.jsonl --explore 1");
    let found = desk.done_json(
        "calibrate log.jsonl --out centre.toml --utc-offset-hours 8 --test-days 1 --replicas 3 --json",
    );
    assert_eq!(
        (&found["days"], &found["test_days"]),
        (&5.into(), &1.into())
    );
    assert_eq!(found["fit"]["replicas"], 3);
    assert_eq!(desk.json("centre.json"), found);
    let file: toml::Table = toml::from_str(&desk.text("centre.toml")).unwrap();
    assert_eq!(file["name"].as_str(), Some("centre"));
    assert!(file["centre"]["pool"].as_array().is_some());
    assert_eq!(sources(&found, "shop.daily_contacts"), ["fitted"]);
    let printed =
        desk.done("calibrate log.jsonl --out centre.toml --utc-offset-hours 8 --replicas 2");
    for piece in [
        "shop.human.handle_s",
        "Held out:",
        "assumed",
        "written to centre.toml and centre.json",
    ] {
        assert!(printed.contains(piece), "{piece} not in\n{printed}");
    }
}

#[test]
fn what_cannot_be_calibrated_is_named_and_nothing_is_written() {
    let desk = Desk::new();
    desk.write("empty.jsonl", "");
    desk.write("shop.toml", "days = 1\ndaily_contacts = 40.0\n");
    desk.done("log generate shop.toml --out log.jsonl");
    for (command, expected) in [
        (
            "calibrate empty.jsonl --out centre.toml",
            "holds no conversation",
        ),
        ("calibrate none.jsonl --out centre.toml", "no such log"),
        ("calibrate log.jsonl --out centre.json", "TOML"),
        (
            "calibrate log.jsonl --out centre.toml --test-days 9",
            "held out",
        ),
        (
            "calibrate log.jsonl --out centre.toml --utc-offset-hours 20",
            "[-12, 14]",
        ),
    ] {
        let error = desk.refused(command);
        assert!(error.contains(expected), "{command}: {error}");
        assert!(
            !desk.path("centre.toml").exists() && !desk.path("centre.json").exists(),
            "{command}"
        );
    }
}

#[test]
fn star_tells_reviews_and_arrivals_and_everything_else_is_assumed() {
    let Some(corpus) = shared::data("star") else {
        return;
    };
    let desk = Desk::new();
    desk.done(&format!(
        "import star {} --out star.parquet",
        corpus.display()
    ));
    let found = desk.done_json("calibrate star.parquet --out star.toml --replicas 2 --json");
    for key in [
        "shop.human.handle_s",
        "shop.human.solve",
        "shop.auto.latency_s",
        "shop.customer.patience_s",
        "shop.aftermath.click",
        "shop.aftermath.survey_base",
        "shop.aftermath.reopen_solved",
        "shop.auto.right",
        "centre.pool.concurrency",
    ] {
        let sources = sources(&found, key);
        assert!(!sources.is_empty(), "{key}");
        assert!(
            sources.iter().all(|source| source == "assumed"),
            "{key}: {sources:?}"
        );
    }
    // Tier 2 was the only one: reviewed answers have satisfaction, the others none.
    for p in found["parameters"].as_array().unwrap() {
        if p["key"] == "shop.satisfaction.solved" {
            let review = p["cell"].as_str().unwrap().ends_with("review");
            assert_eq!(p["source"] == "assumed", !review, "{p}");
        }
    }
    assert_eq!(sources(&found, "shop.daily_contacts"), ["fitted"]);
    assert!(sources(&found, "shop.review.seconds").contains(&"fitted".to_owned()));
}
