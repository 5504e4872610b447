//! What every store promises.

use std::time::Duration;

use tierwise::store::{
    ApiKeyRow, ArmCount, EventOutcome, EventRow, ExposureRow, PolicyRow, Role, StoreError,
    export_jsonl,
};

use crate::place::{Place, all_events, click, entry, event, exposure, on_both, uuid};
use EventOutcome::{Accepted, Conflict, Duplicate};

on_both!(
    an_experiment_is_saved_only_over_the_revision_that_was_seen,
    of_savers_at_once_one_wins,
    the_audit_cannot_be_rewritten,
    changes_are_told_to_every_store,
    policies_are_registered_once,
    an_exposure_comes_back_as_it_went_in,
    what_no_decision_can_be_is_refused,
    an_event_counts_once,
    writers_at_once_count_every_event_once,
    a_bad_call_does_not_fail_its_neighbours,
    counts_by_arm_and_kind,
    closed_blocks_never_change,
    one_leads,
    keys_are_listed_after_they_are_revoked,
    pages_cover_everything_once,
    an_export_holds_every_row,
    a_check_finds_what_is_broken,
    opened_at_once_an_empty_database_is_set_up_once,
);

async fn an_experiment_is_saved_only_over_the_revision_that_was_seen(place: &Place) {
    let store = place.open().await;
    assert_eq!(store.experiment("tone").await.unwrap(), None);
    assert_eq!(
        store
            .save_experiment("tone", 0, "{}", &entry("create"))
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        store
            .save_experiment("tone", 1, "{\"a\": 1}", &entry("start"))
            .await
            .unwrap(),
        2
    );
    for seen in [0, 1, 3] {
        let error = store
            .save_experiment("tone", seen, "[]", &entry("stop"))
            .await
            .unwrap_err();
        assert!(
            matches!(&error, StoreError::Conflict { expected, found: 2, .. } if *expected == seen),
            "{error}"
        );
    }
    let error = store
        .save_experiment("other", 4, "[]", &entry("stop"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Conflict { found: 0, .. }),
        "{error}"
    );
    store
        .save_experiment("Accent", 0, "1", &entry("create"))
        .await
        .unwrap();

    let again = place.open().await;
    let kept = again.experiment("tone").await.unwrap().unwrap();
    assert_eq!((kept.revision, &*kept.body), (2, "{\"a\": 1}"));
    let keys: Vec<_> = again
        .experiments()
        .await
        .unwrap()
        .into_iter()
        .map(|e| e.key)
        .collect();
    assert_eq!(keys, ["Accent", "tone"]);
    let history = again.history("tone").await.unwrap();
    assert_eq!(
        history.iter().map(|row| row.revision).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(history[0].entry, entry("create"));
    assert_eq!(history[1].entry, entry("start"));
    assert!(again.history("other").await.unwrap().is_empty());
}

async fn of_savers_at_once_one_wins(place: &Place) {
    let stores = [place.open().await, place.open().await];
    let savers = (0..8).map(|saver| {
        let store = stores[saver % 2].clone();
        tokio::spawn(async move {
            let mut seen = 0;
            let mut lost = 0;
            loop {
                match store
                    .save_experiment("tone", seen, &saver.to_string(), &entry("ramp"))
                    .await
                {
                    Ok(revision) => return (revision, lost),
                    Err(StoreError::Conflict { found, .. }) => seen = found,
                    Err(error) => panic!("{error}"),
                }
                lost += 1;
            }
        })
    });
    let mut revisions = Vec::new();
    for saver in savers.collect::<Vec<_>>() {
        let (revision, lost) = saver.await.unwrap();
        assert!(lost < 8);
        revisions.push(revision);
    }
    revisions.sort_unstable();
    assert_eq!(revisions, [1, 2, 3, 4, 5, 6, 7, 8]);
    assert_eq!(stores[0].history("tone").await.unwrap().len(), 8);
}

async fn the_audit_cannot_be_rewritten(place: &Place) {
    let store = place.open().await;
    store
        .save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    for sql in ["UPDATE audit SET actor = 'bob'", "DELETE FROM audit"] {
        let error = place.sql(sql).await.unwrap_err().to_string();
        assert!(error.contains("append-only"), "{error}");
    }
    assert_eq!(store.history("tone").await.unwrap()[0].entry.actor, "ann");
}

async fn changes_are_told_to_every_store(place: &Place) {
    let (ours, theirs) = (place.open().await, place.open().await);
    let mut told = theirs.watch();
    let start = ours.changes_since(0).await.unwrap();
    assert!(start.experiments.is_empty() && !start.keys);

    ours.save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    let wait = told.wait_for(|counter| *counter > start.counter);
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap()
        .unwrap();
    let first = theirs.changes_since(start.counter).await.unwrap();
    assert_eq!(first.experiments, ["tone"]);
    assert!(first.counter > start.counter && first.policies.is_empty() && !first.keys);

    let key = api_key("k1", 1);
    theirs.add_key(&key).await.unwrap();
    let policy = PolicyRow {
        hash: "f".repeat(64),
        name: "q".into(),
        registered_at_us: 1,
    };
    theirs.register_policy(&policy, b"files").await.unwrap();
    let second = ours.changes_since(first.counter).await.unwrap();
    assert_eq!((second.experiments.len(), second.keys), (0, true));
    assert_eq!(second.policies, ["f".repeat(64)]);
    let nothing = ours.changes_since(second.counter).await.unwrap();
    assert_eq!(nothing.counter, second.counter);
    assert!(nothing.experiments.is_empty() && nothing.policies.is_empty() && !nothing.keys);
    assert_eq!(ours.changes_since(0).await.unwrap().experiments, ["tone"]);
    // Our own changes are told to us at once.
    assert!(*theirs.watch().borrow() >= second.counter);
}

async fn policies_are_registered_once(place: &Place) {
    let store = place.open().await;
    let artefact = vec![0, 255, 7];
    let row = |hash: &str, at| PolicyRow {
        hash: hash.repeat(64),
        name: "q".into(),
        registered_at_us: at,
    };
    store
        .register_policy(&row("b", 5), &artefact)
        .await
        .unwrap();
    store.register_policy(&row("a", 6), &[]).await.unwrap();
    store
        .register_policy(&row("b", 9), &artefact)
        .await
        .unwrap();
    let error = store.register_policy(&row("b", 5), &[1]).await.unwrap_err();
    assert!(matches!(error, StoreError::Differs { .. }), "{error}");
    assert_eq!(store.policies().await.unwrap(), [row("b", 5), row("a", 6)]);
    assert_eq!(
        store.policy(&"b".repeat(64)).await.unwrap(),
        Some((row("b", 5), artefact))
    );
    assert_eq!(store.policy("c").await.unwrap(), None);
}

fn full_exposure(decision: u128) -> ExposureRow {
    ExposureRow {
        conversation: Some([9; 16]),
        arm: u16::MAX,
        revision: u32::MAX,
        share: 0.1,
        probabilities: [0.1, 0.7, 0.2],
        propensity: 0.7,
        fallback: Some("too slow".into()),
        forced: true,
        block: Some(-4),
        stratum: Some("zh/\u{1F600}".into()),
        context: Some("{\"waiting\": 3}".into()),
        ..exposure(decision, "tone", 200, i64::MIN)
    }
}

async fn an_exposure_comes_back_as_it_went_in(place: &Place) {
    let store = place.open().await;
    let rows = [
        full_exposure(2),
        exposure(1, "tone", 1, 5),
        exposure(u128::MAX, "accent", 1, i64::MAX),
    ];
    store.record_exposures(&rows).await.unwrap();
    // Sent again, also with other content: the first one stands.
    store.record_exposures(&rows[..2]).await.unwrap();
    store
        .record_exposures(&[exposure(2, "accent", 7, 7), exposure(2, "accent", 7, 7)])
        .await
        .unwrap();
    store.record_exposures(&[]).await.unwrap();
    for store in [&store, &place.open().await] {
        let back: Vec<_> = store
            .decisions(None, 10)
            .await
            .unwrap()
            .into_iter()
            .map(|d| d.exposure)
            .collect();
        assert_eq!(back, [rows[1].clone(), rows[0].clone(), rows[2].clone()]);
    }
}

async fn what_no_decision_can_be_is_refused(place: &Place) {
    let store = place.open().await;
    let row = || exposure(1, "tone", 1, 1);
    let bad = [
        ExposureRow {
            share: 1.1,
            ..row()
        },
        ExposureRow {
            share: f64::NAN,
            ..row()
        },
        ExposureRow {
            propensity: 0.0,
            ..row()
        },
        ExposureRow {
            propensity: f32::NAN,
            ..row()
        },
        ExposureRow {
            probabilities: [1.5, 0.0, 0.0],
            ..row()
        },
        ExposureRow { tier: 0, ..row() },
        ExposureRow {
            experiment: "x".repeat(513).into(),
            ..row()
        },
        ExposureRow {
            stratum: Some("a\0b".into()),
            ..row()
        },
        ExposureRow {
            context: Some("\0".into()),
            ..row()
        },
    ];
    for bad in bad {
        let error = store
            .record_exposures(&[exposure(7, "tone", 1, 1), bad])
            .await
            .unwrap_err();
        assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    }
    let nan = event("shop", 1, 1, "tierwise.rating.v1", 1, Some(f64::NAN));
    let error = store.record_events(&[nan]).await.unwrap_err();
    assert!(matches!(error, StoreError::Invalid { .. }), "{error}");
    assert!(
        store.decisions(None, 10).await.unwrap().is_empty(),
        "a refused call writes nothing"
    );
}

async fn an_event_counts_once(place: &Place) {
    let store = place.open().await;
    let first = [
        click(1, 1, 10),
        click(2, 1, 10),
        click(1, 1, 10),
        click(1, 1, 11),
    ];
    assert_eq!(
        store.record_events(&first).await.unwrap(),
        [Accepted, Accepted, Duplicate, Conflict]
    );
    let second = [
        event("web", 1, 1, "tierwise.click.v1", 10, None), // another source
        click(1, 1, 11),
        click(1, 1, 10),
        click(3, 1, 12),
        click(3, 1, 12),
    ];
    assert_eq!(
        store.record_events(&second).await.unwrap(),
        [Accepted, Conflict, Duplicate, Accepted, Duplicate]
    );
    // Observed later, as a retry is: still the same event.
    let retry = EventRow {
        observed_at_us: 99,
        ..click(2, 1, 10)
    };
    assert_eq!(store.record_events(&[retry]).await.unwrap(), [Duplicate]);
    assert!(store.record_events(&[]).await.unwrap().is_empty());
    let stored = all_events(&*store).await;
    assert_eq!(stored.len(), 4);
    assert_eq!(
        stored.iter().find(|e| e.id == click(1, 1, 0).id).unwrap(),
        &click(1, 1, 10)
    );
}

async fn writers_at_once_count_every_event_once(place: &Place) {
    let stores = [place.open().await, place.open().await];
    // Every event is in three writers' hands, in different orders and batches.
    let writers: Vec<_> = (0..9u128)
        .map(|writer| {
            let store = stores[writer as usize % 2].clone();
            tokio::spawn(async move {
                let mut ids: Vec<u128> = (0..600).filter(|id| (id + writer) % 3 == 0).collect();
                ids.rotate_left(writer as usize * 20);
                let mut outcomes = Vec::new();
                for batch in ids.chunks(37 + writer as usize) {
                    let events: Vec<_> = batch.iter().map(|id| click(*id, 1, 10)).collect();
                    outcomes.extend(store.record_events(&events).await.unwrap());
                }
                outcomes
            })
        })
        .collect();
    let mut accepted = 0;
    for writer in writers {
        for outcome in writer.await.unwrap() {
            assert_ne!(outcome, Conflict);
            accepted += usize::from(outcome == Accepted);
        }
    }
    assert_eq!(accepted, 600);
    assert_eq!(all_events(&*stores[0]).await.len(), 600);
}

async fn a_bad_call_does_not_fail_its_neighbours(place: &Place) {
    let store = place.open().await;
    let calls: Vec<_> = (0..40u128)
        .map(|call| {
            let store = store.clone();
            tokio::spawn(async move {
                // One call in four holds something that must not be.
                let value = if call % 4 == 0 { f64::INFINITY } else { 1.0 };
                let events = [
                    click(call, 1, 1),
                    event("shop", 100 + call, 1, "tierwise.rating.v1", 1, Some(value)),
                ];
                (call, store.record_events(&events).await)
            })
        })
        .collect();
    for call in calls {
        let (call, outcome) = call.await.unwrap();
        assert_eq!(outcome.is_ok(), call % 4 != 0, "{call}");
    }
    assert_eq!(all_events(&*store).await.len(), 60);
}

async fn counts_by_arm_and_kind(place: &Place) {
    let store = place.open().await;
    assert!(store.exposure_counts("tone").await.unwrap().is_empty());
    let rows = [
        ExposureRow {
            arm: 0,
            ..exposure(1, "tone", 1, 1)
        },
        ExposureRow {
            arm: 2,
            ..exposure(2, "tone", 2, 2)
        },
        ExposureRow {
            arm: 2,
            forced: true,
            ..exposure(3, "tone", 2, 3)
        },
        exposure(4, "accent", 2, 4),
    ];
    store.record_exposures(&rows).await.unwrap();
    let count = |arm, exposures, forced| ArmCount {
        arm,
        exposures,
        forced,
    };
    assert_eq!(
        store.exposure_counts("tone").await.unwrap(),
        [count(0, 1, 0), count(2, 2, 1)]
    );
    store
        .record_events(&[
            click(1, 1, 1),
            click(2, 2, 1),
            click(3, 77, 1),
            event("shop", 4, 1, "a.rating", 1, Some(4.0)),
        ])
        .await
        .unwrap();
    let kinds: Vec<_> = store
        .event_counts()
        .await
        .unwrap()
        .into_iter()
        .map(|k| (k.kind, k.events))
        .collect();
    assert_eq!(
        kinds,
        [
            ("a.rating".to_owned(), 1),
            ("tierwise.click.v1".to_owned(), 3)
        ]
    );
    assert_eq!(store.orphan_events().await.unwrap(), 1);
}

async fn closed_blocks_never_change(place: &Place) {
    let store = place.open().await;
    let block = |at: i64, body: &str| (at, body.to_owned());
    store
        .append_blocks("tone", &[block(5, "a"), block(-1, "b")])
        .await
        .unwrap();
    store
        .append_blocks("tone", &[block(-1, "b"), block(9, "c")])
        .await
        .unwrap();
    store
        .append_blocks("accent", &[block(5, "z")])
        .await
        .unwrap();
    let error = store
        .append_blocks("tone", &[block(10, "d"), block(5, "other")])
        .await
        .unwrap_err();
    assert!(matches!(error, StoreError::Differs { .. }), "{error}");
    assert_eq!(
        store.blocks("tone").await.unwrap(),
        [block(-1, "b"), block(5, "a"), block(9, "c")]
    );
}

async fn one_leads(place: &Place) {
    let (ours, theirs) = (place.open().await, place.open().await);
    let lease = ours.try_lead().await.unwrap().expect("nobody leads");
    assert!(lease.still_held().await);
    assert!(theirs.try_lead().await.unwrap().is_none());
    assert!(ours.try_lead().await.unwrap().is_none());
    drop(lease);
    // The server may need a moment to see that the connection is gone.
    let mut lease = None;
    for _ in 0..1000 {
        lease = theirs.try_lead().await.unwrap();
        if lease.is_some() {
            break;
        }
    }
    assert!(lease.expect("the lead is free").still_held().await);
}

fn api_key(id: &str, byte: u8) -> ApiKeyRow {
    ApiKeyRow {
        id: id.into(),
        role: Role::Ingest,
        hash: [byte; 32],
        created_at_us: 3,
        revoked_at_us: None,
    }
}

async fn keys_are_listed_after_they_are_revoked(place: &Place) {
    let store = place.open().await;
    let admin = ApiKeyRow {
        role: Role::Admin,
        ..api_key("a", 2)
    };
    store.add_key(&api_key("b", 1)).await.unwrap();
    store.add_key(&admin).await.unwrap();
    for taken in [api_key("b", 9), api_key("c", 1)] {
        let error = store.add_key(&taken).await.unwrap_err();
        assert!(matches!(error, StoreError::Differs { .. }), "{error}");
    }
    assert!(store.revoke_key("b", 8).await.unwrap());
    assert!(!store.revoke_key("b", 9).await.unwrap());
    assert!(!store.revoke_key("z", 9).await.unwrap());
    let revoked = ApiKeyRow {
        revoked_at_us: Some(8),
        ..api_key("b", 1)
    };
    assert_eq!(store.keys().await.unwrap(), [admin, revoked]);
}

async fn pages_cover_everything_once(place: &Place) {
    let store = place.open().await;
    let rows: Vec<_> = (0..23)
        .map(|d| exposure(d, "tone", d as u8, 100 - d as i64))
        .collect();
    store.record_exposures(&rows).await.unwrap();
    let events: Vec<_> = (0..40)
        .map(|id| {
            event(
                ["web", "shop"][id as usize % 2],
                id,
                id % 30,
                "tierwise.click.v1",
                50 - id as i64,
                None,
            )
        })
        .collect();
    store.record_events(&events).await.unwrap();
    let (mut after, mut decisions) = (None, Vec::new());
    loop {
        let page = store.decisions(after, 5).await.unwrap();
        assert!(page.len() <= 5);
        let Some(last) = page.last() else { break };
        after = Some(last.exposure.decision_id);
        decisions.extend(page);
    }
    assert_eq!(
        decisions
            .iter()
            .map(|d| d.exposure.clone())
            .collect::<Vec<_>>(),
        rows
    );
    for decision in &decisions {
        let mut own: Vec<_> = events
            .iter()
            .filter(|e| e.decision_id == decision.exposure.decision_id)
            .cloned()
            .collect();
        own.sort_by_key(|e| e.occurred_at_us);
        assert_eq!(decision.events, own);
    }
    let (mut after, mut back) = (None, Vec::new());
    loop {
        let page = store.events(after, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.source.clone(), last.id));
        back.extend(page);
    }
    let order = |e: &EventRow| (e.source.clone(), e.id);
    back.sort_by_key(order);
    let mut all = events.clone();
    all.sort_by_key(order);
    assert_eq!(back, all);
}

async fn an_export_holds_every_row(place: &Place) {
    let store = place.open().await;
    store
        .save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    store
        .save_experiment("tone", 1, "{}", &entry("start"))
        .await
        .unwrap();
    store
        .append_blocks("tone", &[(4, "body".into())])
        .await
        .unwrap();
    let policy = PolicyRow {
        hash: "e".repeat(64),
        name: "q".into(),
        registered_at_us: 1,
    };
    store.register_policy(&policy, &[1, 171]).await.unwrap();
    store.add_key(&api_key("k", 3)).await.unwrap();
    store
        .record_exposures(&[full_exposure(1), exposure(2, "tone", 1, 1)])
        .await
        .unwrap();
    // One event of a decision that is not stored: a backup keeps it.
    store
        .record_events(&[click(1, 1, 5), click(2, 2, 6), click(3, 99, 7)])
        .await
        .unwrap();
    let mut out = Vec::new();
    let done = export_jsonl(&*store, &mut out).await.unwrap();
    let lines: Vec<serde_json::Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let tables: Vec<_> = lines
        .iter()
        .map(|line| line["table"].as_str().unwrap())
        .collect();
    assert_eq!(
        tables,
        [
            "experiments",
            "audit",
            "audit",
            "blocks",
            "policies",
            "api_keys",
            "exposures",
            "exposures",
            "events",
            "events",
            "events"
        ]
    );
    assert_eq!((done.audit, done.exposures, done.events), (2, 2, 3));
    assert_eq!(lines[4]["artefact"], "01ab");
    assert_eq!(lines[6]["stratum"], "zh/\u{1F600}");
    assert_eq!(lines[6]["decision_id"], uuid(1).to_string());
    assert_eq!(lines[8]["kind"], "tierwise.click.v1");
    assert_eq!(lines[10]["occurred_at_us"], 7);
}

async fn a_check_finds_what_is_broken(place: &Place) {
    let store = place.open().await;
    store
        .save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    store
        .record_exposures(&[exposure(1, "tone", 1, 1), exposure(2, "tone", 2, 1)])
        .await
        .unwrap();
    store
        .record_events(&[click(1, 1, 5), click(2, 99, 5)])
        .await
        .unwrap();
    let sound = store.check().await.unwrap();
    assert!(sound.problems.is_empty(), "{:?}", sound.problems);
    assert_eq!(
        (
            sound.experiments,
            sound.exposures,
            sound.events,
            sound.orphans
        ),
        (1, 2, 2, 1)
    );
    let one = "WHERE at_us = (SELECT MIN(at_us) FROM exposures) AND bucket = 9999";
    for (sql, expected) in [
        (
            format!("UPDATE exposures SET propensity = 0 {one}"),
            "2 exposures with a propensity",
        ),
        (
            format!("UPDATE exposures SET propensity = 0.5, share = 2 {one}"),
            "2 exposures with a share",
        ),
        (
            format!("UPDATE exposures SET share = 0.5, p1 = 0.9 {one}"),
            "2 exposures with probabilities",
        ),
        (
            format!("UPDATE exposures SET p1 = 0.5, stratum = 12345 {one}"),
            "1 rows that use a name",
        ),
        (
            "UPDATE exposures SET stratum = NULL, bucket = 10000".to_owned(),
            "2 exposures with a tier",
        ),
        (
            "UPDATE exposures SET bucket = 1; UPDATE experiments SET revision = 2".to_owned(),
            "1 experiments whose audit",
        ),
    ] {
        place.sql(&sql).await.unwrap();
        let problems = store.check().await.unwrap().problems;
        assert!(
            problems.len() == 1 && problems[0].starts_with(expected),
            "{problems:?}"
        );
    }
}

async fn opened_at_once_an_empty_database_is_set_up_once(place: &Place) {
    let (a, b, c) = tokio::join!(place.open(), place.open(), place.open());
    a.save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    for store in [b, c] {
        assert_eq!(store.experiments().await.unwrap().len(), 1);
    }
}
