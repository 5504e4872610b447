//! Throughput of the STAR importer on made-up dialogues of the published shape.
//!
//! `cargo bench -p tierwise-envs --bench import`; bytes are those of the decompressed JSON. One thread, so the figure
//! is per core: parse and derive alone, and with validation and writing.

use std::fmt::Write as _;
use std::path::PathBuf;

use divan::Bencher;
use divan::counter::BytesCount;
use rayon::ThreadPoolBuilder;
use tierwise_envs::import::{CustomerKey, ImportOptions, Source, run, star};

fn main() {
    divan::main();
}

/// Dialogues with the events, and the skipped knowledge-base items, of a published one: about 10 kB each.
fn dialogues(count: usize) -> String {
    let mut text = String::new();
    for id in 0..count {
        let _ = write!(
            text,
            r#"{{"AnonymizedUserWorkerID":"u{}","BatchID":"b","CompletionLevel":"Complete","DialogueID":{id},"FORMAT-VERSION":7,"Scenario":{{"Domains":["hotel"],"Happy":true,"MultiTask":false,"UserTask":"Book a room for two nights.","WizardCapabilities":[{{"Domain":"hotel","SchemaImage":"h.jpg","Task":"hotel_book"}}],"WizardTask":"Help the user."}},"UserQuestionnaire":[{{"Answer":true,"Question":"Did the assistant reserve your hotel?"}}],"WizardQuestionnaire":[],"Events":["#,
            id % 97
        );
        let mut at = 1_600_000_000 + id as u64 * 60;
        for turn in 0..9 {
            let item = r#"{"APIName":"hotel_book","Name":"Shadyside Inn","Price":"Moderate","Rating":4.5,"Text":"a room with a \"view\""}"#;
            let _ = write!(
                text,
                r#"{{"Action":"utter","Agent":"User","Text":"I would like to know about room {turn}","UnixTime":{at}}},{{"APIName":"hotel_book","Action":"query","Agent":"Wizard","Constraints":[{{"Name":"\"Inn\""}},{{"Price":"api.is_equal_to(\"Cheap\")"}}],"PrimaryItem":{item},"UnixTime":{}}},{{"APIName":"hotel_book","Action":"return_item","Agent":"KnowledgeBase","Item":{item},"TotalItems":12}},{{"Action":"request_suggestions","Agent":"Wizard","PrimaryItem":{item},"Text":"the room has a view","UnixTime":{}}},{{"Action":"pick_suggestion","ActionLabel":"hotel_inform","ActionLabelOptions":["hotel_inform","hotel_bye"],"Agent":"Wizard","PrimaryItem":{item},"Text":"The Shadyside Inn has a room with a \"view\".","UnixTime":{}}},"#,
                at + 5,
                at + 9,
                at + 12
            );
            at += 30;
        }
        let _ = writeln!(
            text,
            r#"{{"Action":"complete","Agent":"User","UnixTime":{at}}}]}}"#
        );
    }
    text
}

fn input() -> (tempfile::TempDir, PathBuf, u64) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("dialogues.jsonl");
    let text = dialogues(2_000);
    std::fs::write(&path, &text).expect("the input is written");
    (folder, path, text.len() as u64)
}

/// Reading, parsing and deriving, into nothing.
#[divan::bench]
fn parse_and_derive(bencher: Bencher<'_, '_>) {
    let (_folder, path, bytes) = input();
    let one = ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a pool of one thread");
    let key = CustomerKey::new("bench");
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        one.install(|| star::read(std::slice::from_ref(&path), &key, &mut |_| Ok(())))
            .expect("the input is sound")
    });
}

/// The whole import into a JSONL log.
#[divan::bench]
fn import_to_jsonl(bencher: Bencher<'_, '_>) {
    let (folder, path, bytes) = input();
    let one = ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .expect("a pool of one thread");
    let out = folder.path().join("log.jsonl");
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        one.install(|| {
            run(
                &Source::Star,
                std::slice::from_ref(&path),
                &out,
                &ImportOptions::default(),
            )
        })
        .expect("the input is sound")
    });
}
