//! The counts on the published corpus against a second, naive computation.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ENJOY;
use crate::class::{Class, Review};
use crate::import::{ImportOptions, Source, run};
use crate::log::file::LogReader;

/// The published corpus, if it is on this machine.
fn corpus() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    #[expect(
        clippy::disallowed_methods,
        reason = "a test finds its data here; the library never does"
    )]
    let root = std::env::var("TIERWISE_DATA").map_or(beside, PathBuf::from);
    let star = root.join("star");
    if star.is_dir() {
        return Some(star);
    }
    eprintln!(
        "skipped: no STAR corpus at {}; set TIERWISE_DATA",
        star.display()
    );
    None
}

/// What a plain pass over the parsed JSON counts, without the importer's types and rules.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    dialogues: u64,
    silent: u64,
    decisions: u64,
    accepted: u64,
    rejected: u64,
    calls: i64,
    answer_s: f64,
    answered_questionnaires: u64,
    yes_share: f64,
    complaints: u64,
}

fn naive(corpus: &Path) -> Tally {
    let bytes = std::fs::read(corpus.join("dialogues.jsonl.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(
        &mut flate2::read::MultiGzDecoder::new(&bytes[..]),
        &mut text,
    )
    .unwrap();
    let mut tally = Tally::default();
    for line in text.lines() {
        let dialogue: Value = serde_json::from_str(line).unwrap();
        tally.dialogues += 1;
        let events = dialogue["Events"].as_array().unwrap();
        let kinds: Vec<(String, &Value)> = events
            .iter()
            .map(|e| {
                (
                    format!(
                        "{}.{}",
                        e["Agent"].as_str().unwrap(),
                        e["Action"].as_str().unwrap()
                    ),
                    e,
                )
            })
            .collect();
        if !kinds.iter().any(|(kind, _)| kind == "User.utter") {
            tally.silent += 1;
            continue;
        }
        let mut asked = None;
        let mut calls = 0;
        for (kind, event) in &kinds {
            match kind.as_str() {
                "User.utter" => asked = asked.or(event["UnixTime"].as_f64()),
                "Wizard.request_suggestions" => calls += 1,
                "Wizard.pick_suggestion" | "Wizard.utter" => {
                    let from = asked
                        .take()
                        .expect("every reply answers a message in this corpus");
                    tally.answer_s += event["UnixTime"].as_f64().unwrap() - from;
                    tally.calls += calls;
                    calls = 0;
                    tally.decisions += 1;
                    let own = kind == "Wizard.utter" || event["ActionLabel"] == "custom";
                    tally.rejected += u64::from(own);
                    tally.accepted += u64::from(!own);
                }
                _ => {}
            }
        }
        let answers: Vec<bool> = dialogue["UserQuestionnaire"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|q| q["Question"] != ENJOY)
            .filter_map(|q| q["Answer"].as_bool())
            .collect();
        if !answers.is_empty() {
            tally.answered_questionnaires += 1;
            let yes = answers.iter().filter(|yes| **yes).count();
            tally.yes_share += yes as f64 / answers.len() as f64;
        }
        let annoyed = dialogue["WizardQuestionnaire"]
            .as_array()
            .unwrap()
            .iter()
            .any(|q| {
                q["Answer"] == true && q["Question"].as_str().unwrap().contains("annoyed during")
            });
        let tasks = dialogue["Scenario"]["WizardCapabilities"]
            .as_array()
            .unwrap();
        let fraud = (tasks.len() == 1 && tasks[0]["Task"] == "bank_fraud_report")
            || kinds.iter().any(|(kind, event)| {
                kind == "Wizard.select_task" && event["Task"] == "bank_fraud_report"
            });
        tally.complaints += u64::from(fraud || annoyed);
    }
    tally
}

#[test]
fn the_corpus_is_imported_whole() {
    let Some(corpus) = corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("star.jsonl");
    let summary = run(
        &Source::Star,
        std::slice::from_ref(&corpus),
        &out,
        &ImportOptions::default(),
    )
    .unwrap();
    let expected = naive(&corpus);
    assert_eq!(summary.read, expected.dialogues);
    assert_eq!(summary.rejected, 0, "{:?}", summary.by_reason);
    assert_eq!(summary.skipped, expected.silent);
    assert_eq!(summary.written, expected.dialogues - expected.silent);
    let mut tally = Tally {
        dialogues: expected.dialogues,
        silent: summary.skipped,
        ..Tally::default()
    };
    for conversation in LogReader::open(&out).unwrap() {
        let conversation = conversation.unwrap();
        tally.complaints += u64::from(conversation.class == Some(Class::Complaint));
        tally.answered_questionnaires += u64::from(conversation.satisfaction.is_some());
        tally.yes_share += conversation.satisfaction.unwrap_or(0.0);
        for decision in &conversation.decisions {
            tally.decisions += 1;
            tally.accepted += u64::from(decision.review == Some(Review::Accepted));
            tally.rejected += u64::from(decision.review == Some(Review::Rejected));
            tally.calls += i64::from(decision.ai_calls.unwrap());
            tally.answer_s += decision.answer_s.unwrap();
            assert!(decision.pool_busy.unwrap() >= 0);
        }
    }
    assert!((tally.yes_share - expected.yes_share).abs() < 1e-6);
    tally.yes_share = expected.yes_share;
    assert_eq!(tally, expected);
    assert_eq!(summary.decisions, expected.decisions);
}
