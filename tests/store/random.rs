//! Any sequence of batches is answered as a table in memory would answer it.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use tierwise::store::EventOutcome::{self, Accepted, Conflict, Duplicate};
use tierwise::store::EventRow;

use crate::place::{Place, all_events, event, on_both};

on_both!(any_batches_are_counted_once);

/// What is to happen: identities and contents drawn from so few that they repeat.
fn batches() -> impl Strategy<Value = Vec<Vec<(usize, u128, i64)>>> {
    let one = (
        0..2usize,
        0..90u128,
        prop::sample::select(vec![1i64, 1, 1, 2]),
    );
    prop::collection::vec(prop::collection::vec(one, 0..400), 1..4)
}

async fn any_batches_are_counted_once(place: &Place) {
    let store = place.open().await;
    let mut runner = TestRunner::new(Config {
        cases: 24,
        failure_persistence: None,
        ..Config::default()
    });
    for round in 1..=24u128 {
        let batches = batches()
            .new_tree(&mut runner)
            .expect("a strategy that always yields")
            .current();
        let mut table: HashMap<(usize, u128), i64> = HashMap::new();
        for batch in batches {
            let rows: Vec<EventRow> = batch
                .iter()
                .map(|&(source, id, at)| {
                    event(
                        ["web", "shop"][source],
                        round * 1000 + id,
                        1,
                        "tierwise.click.v1",
                        at,
                        None,
                    )
                })
                .collect();
            let expected: Vec<EventOutcome> = batch
                .iter()
                .map(|&(source, id, at)| match table.insert((source, id), at) {
                    None => Accepted,
                    Some(first) => {
                        table.insert((source, id), first);
                        if first == at { Duplicate } else { Conflict }
                    }
                })
                .collect();
            assert_eq!(store.record_events(&rows).await.unwrap(), expected);
        }
        let stored = all_events(&*store).await;
        let of_round = stored
            .iter()
            .filter(|e| u128::from_be_bytes(e.id.0) / 1000 == round);
        let mut found = 0;
        for row in of_round {
            let source = usize::from(&*row.source == "shop");
            assert_eq!(
                table[&(source, u128::from_be_bytes(row.id.0) % 1000)],
                row.occurred_at_us
            );
            found += 1;
        }
        assert_eq!(found, table.len());
    }
}
