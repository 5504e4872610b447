//! What was acknowledged is there after `kill -9`, and what a full disk refused is not.
//!
//! This test binary is also the writer that is killed: it runs itself again with one ignored test.
#![cfg(unix)]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use tierwise::store::{self, EventOutcome, StoreError};

use crate::place::{Place, all_events, click};

const BATCH: u128 = 50;

fn batch(number: u128) -> Vec<tierwise::store::EventRow> {
    (0..BATCH)
        .map(|at| click(number * BATCH + at, 1, 1))
        .collect()
}

/// Not a test: writes batches from the given one on, and says which are durable, until it is killed or fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the writer that the tests beside it start"]
async fn writer() {
    #[expect(clippy::disallowed_methods, reason = "the parent's words")]
    let word = |name| std::env::var(name).unwrap();
    let store = store::open(&word("STORE_URL")).await.unwrap();
    let from: u128 = word("FROM_BATCH").parse().unwrap();
    for first in (from..from + 100_000).step_by(4) {
        // Four callers at once share commits.
        let calls: Vec<_> = (first..first + 4)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move { (number, store.record_events(&batch(number)).await) })
            })
            .collect();
        for call in calls {
            let (number, outcome) = call.await.unwrap();
            let mut out = std::io::stdout().lock();
            match outcome {
                Ok(_) => writeln!(out, "durable {number}").unwrap(),
                Err(StoreError::Full { .. } | StoreError::Unreachable { .. }) => {
                    writeln!(out, "refused {number}").unwrap();
                    return;
                }
                Err(error) => panic!("{error:?}"),
            }
            out.flush().unwrap();
        }
    }
}

fn start(place: &Place, from: u128, limits: &str) -> std::process::Child {
    let program = std::env::current_exe().unwrap();
    let script = format!("{limits} exec \"$0\" --exact crash::writer --ignored --nocapture");
    Command::new("bash")
        .args(["-c", &script])
        .arg(program)
        .env("STORE_URL", &place.url)
        .env("FROM_BATCH", from.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The number of a line such as `durable 7`; the test harness prints other lines, and a first one without a break.
fn number(line: &str, word: &str) -> Option<u128> {
    let (_, after) = line.split_once(word)?;
    after.trim().parse().ok()
}

async fn nothing_acknowledged_is_lost(place: &Place) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut durable: HashSet<u128> = HashSet::new();
    let mut from = 0;
    for _ in 0..8 {
        let mut child = start(place, from, "");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let patience = rng.random_range(0..60usize);
        let mut heard = 0;
        // Hear some, then kill while the next is under way; what it said before it died counts too.
        for line in lines.by_ref() {
            if let Some(number) = number(&line.unwrap(), "durable ") {
                durable.insert(number);
                heard += 1;
                if heard > patience {
                    break;
                }
            }
        }
        child.kill().unwrap();
        durable.extend(lines.filter_map(|line| number(&line.ok()?, "durable ")));
        child.wait().unwrap();
        from += 1000;
    }
    assert!(durable.len() > 8);
    let store = place.open().await;
    let stored: HashSet<u128> = all_events(&*store)
        .await
        .iter()
        .map(|e| u128::from_be_bytes(e.id.0))
        .collect();
    for number in &durable {
        assert!(
            batch(*number)
                .iter()
                .all(|e| stored.contains(&u128::from_be_bytes(e.id.0))),
            "batch {number} is lost"
        );
        let again = store.record_events(&batch(*number)).await.unwrap();
        assert!(
            again
                .iter()
                .all(|outcome| *outcome == EventOutcome::Duplicate)
        );
    }
    // A batch is in wholly or not at all.
    let mut parts: std::collections::HashMap<u128, u128> = std::collections::HashMap::new();
    for id in &stored {
        *parts.entry(id / BATCH).or_default() += 1;
    }
    assert!(parts.values().all(|part| *part == BATCH));
    assert!(store.check().await.unwrap().problems.is_empty());
}

crate::place::on_both!(nothing_acknowledged_is_lost);

#[tokio::test]
async fn a_full_disk_refuses_and_loses_nothing() {
    let place = Place::sqlite();
    place.open().await.close().await;
    // No file may grow beyond 600 KiB: the next write fails as on a full disk.
    let child = start(&place, 0, "trap '' XFSZ; ulimit -f 600;");
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let durable: Vec<u128> = text
        .lines()
        .filter_map(|line| number(line, "durable "))
        .collect();
    let refused: Vec<u128> = text
        .lines()
        .filter_map(|line| number(line, "refused "))
        .collect();
    assert!(durable.len() > 10 && refused.len() == 1, "{text}");
    let store = place.open().await;
    let stored: HashSet<u128> = all_events(&*store)
        .await
        .iter()
        .map(|e| u128::from_be_bytes(e.id.0))
        .collect();
    for number in durable {
        assert!(
            batch(number)
                .iter()
                .all(|e| stored.contains(&u128::from_be_bytes(e.id.0))),
            "batch {number} is lost"
        );
    }
    assert!(!stored.contains(&(refused[0] * BATCH)));
    assert!(store.check().await.unwrap().problems.is_empty());
    // With room again it goes on.
    store.record_events(&batch(refused[0])).await.unwrap();
}
