//! The judge's reading: who enters, in which order, with which outcomes.

use std::collections::HashSet;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tierwise::store::{EventRow, ExposureCursor, ExposureRow, MaturedQuery, MaturedUnit, Store};

use crate::place::{Place, click, event, exposure, on_both, uuid};

on_both!(
    the_first_exposure_that_was_not_forced_enters,
    an_outcome_counts_within_window_and_grace_of_any_decision,
    any_shop_is_read_as_its_definition_says,
);

const ALL: MaturedQuery<'_> = MaturedQuery {
    experiment: "tone",
    after: ExposureCursor::START,
    until_us: i64::MAX / 2,
    window_us: 100,
    grace_us: 10,
    limit: 1000,
};

async fn the_first_exposure_that_was_not_forced_enters(place: &Place) {
    let store = place.open().await;
    let forced = ExposureRow {
        forced: true,
        ..exposure(1, "tone", 1, 5)
    };
    let stratum = ExposureRow {
        stratum: Some("zh".into()),
        block: Some(7),
        ..exposure(3, "tone", 2, 10)
    };
    let rows = [
        forced,
        exposure(2, "tone", 1, 10), // enters: the one before was forced
        stratum,                    // same moment, later decision
        exposure(4, "tone", 1, 20), // again
        exposure(5, "accent", 3, 1),
        exposure(6, "tone", 3, 30),
    ];
    store.record_exposures(&rows).await.unwrap();
    let read = async |after, until, limit| {
        let first = store
            .first_exposures("tone", after, until, limit)
            .await
            .unwrap();
        first
            .iter()
            .map(|first| first.decision_id.as_u128())
            .collect::<Vec<_>>()
    };
    assert_eq!(read(ExposureCursor::START, 30, 10).await, [2, 3, 6]);
    assert_eq!(read(ExposureCursor::START, 29, 10).await, [2, 3]);
    assert_eq!(read(ExposureCursor::START, 30, 1).await, [2]);
    let after = ExposureCursor {
        at_us: 10,
        decision_id: uuid(2),
    };
    assert_eq!(read(after, 30, 10).await, [3, 6]);
    let first = store
        .first_exposures("tone", after, 10, 10)
        .await
        .unwrap()
        .remove(0);
    assert_eq!(
        (first.stratum.as_deref(), first.block),
        (Some("zh"), Some(7))
    );
    assert_eq!(
        (first.unit, first.share, first.arm, first.bucket),
        ([2; 16], 0.25, 1, 9_999)
    );
    assert!(
        store
            .first_exposures("none", ExposureCursor::START, 30, 9)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn an_outcome_counts_within_window_and_grace_of_any_decision(place: &Place) {
    let store = place.open().await;
    store
        .record_exposures(&[
            exposure(1, "tone", 1, 1_000),
            exposure(2, "tone", 1, 1_050),
            exposure(3, "accent", 1, 1_000),
            exposure(4, "tone", 2, 1_000),
        ])
        .await
        .unwrap();
    let late = |id, observed_at_us| EventRow {
        observed_at_us,
        ..click(id, 1, 1_090)
    };
    store
        .record_events(&[
            click(10, 1, 999),   // before the exposure
            click(11, 1, 1_000), // with it
            click(12, 2, 1_100), // last moment of the window, of a later decision
            click(13, 2, 1_101), // too late, though within the later decision's own window
            click(14, 3, 1_010), // of another experiment
            late(15, 1_110),     // last moment of the grace
            late(16, 1_111),     // learned of too late
            event("web", 17, 2, "tierwise.rating.v1", 1_060, Some(4.5)),
        ])
        .await
        .unwrap();
    let units = store.matured_units(&ALL).await.unwrap();
    let read: Vec<_> = units[0]
        .outcomes
        .iter()
        .map(|o| (&*o.kind, o.occurred_at_us, o.value))
        .collect();
    assert_eq!(
        read,
        [
            ("tierwise.click.v1", 1_000, None),
            ("tierwise.rating.v1", 1_060, Some(4.5)),
            ("tierwise.click.v1", 1_090, None),
            ("tierwise.click.v1", 1_100, None),
        ]
    );
    assert_eq!(units.len(), 2);
    assert!(
        units[1].outcomes.is_empty(),
        "a unit without outcomes is in the denominator"
    );
}

/// The definition, row by row.
fn defined(
    exposures: &[ExposureRow],
    events: &[EventRow],
    query: &MaturedQuery<'_>,
) -> Vec<(u128, Vec<i64>)> {
    let mut ordered: Vec<_> = exposures
        .iter()
        .filter(|e| &*e.experiment == query.experiment)
        .collect();
    ordered.sort_by_key(|e| (e.at_us, e.decision_id));
    let mut seen = HashSet::new();
    let first: Vec<_> = ordered
        .iter()
        .filter(|e| !e.forced && seen.insert(e.unit))
        .collect();
    first
        .iter()
        .filter(|e| e.at_us <= query.until_us)
        .filter(|e| (e.at_us, e.decision_id) > (query.after.at_us, query.after.decision_id))
        .take(query.limit)
        .map(|first| {
            let mut outcomes: Vec<i64> = events
                .iter()
                .filter(|v| {
                    ordered
                        .iter()
                        .any(|e| e.unit == first.unit && e.decision_id == v.decision_id)
                })
                .filter(|v| v.occurred_at_us >= first.at_us)
                .filter(|v| v.occurred_at_us <= first.at_us + query.window_us)
                .filter(|v| v.observed_at_us <= first.at_us + query.window_us + query.grace_us)
                .map(|v| v.occurred_at_us)
                .collect();
            outcomes.sort_unstable();
            (first.decision_id.as_u128(), outcomes)
        })
        .collect()
}

async fn any_shop_is_read_as_its_definition_says(place: &Place) {
    let store = place.open().await;
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
    let exposures: Vec<_> = (1..=300)
        .map(|decision| ExposureRow {
            forced: rng.random_bool(0.2),
            ..exposure(
                decision * 7919 % 1009,
                ["tone", "accent"][rng.random_range(0..2)],
                rng.random_range(0..60),
                rng.random_range(0..200),
            )
        })
        .collect();
    let events: Vec<_> = (0..900u128)
        .map(|id| {
            let occurred = rng.random_range(-20..350);
            EventRow {
                observed_at_us: occurred + rng.random_range(0..60),
                ..click(id, rng.random_range(1..1009), occurred)
            }
        })
        .collect();
    store.record_exposures(&exposures).await.unwrap();
    store.record_events(&events).await.unwrap();
    for (window_us, grace_us, until_us) in
        [(0, 0, 200), (30, 10, 150), (100, 50, 90), (400, 400, 400)]
    {
        let query = MaturedQuery {
            window_us,
            grace_us,
            until_us,
            ..ALL
        };
        let expected = defined(&exposures, &events, &query);
        assert!(expected.len() > 20);
        assert_eq!(read(&*store, &query).await, expected);
        // Page by page it is the same.
        let mut paged: Vec<(u128, Vec<i64>)> = Vec::new();
        let mut after = ExposureCursor::START;
        loop {
            let page = store
                .matured_units(&MaturedQuery {
                    after,
                    limit: 7,
                    ..query.clone()
                })
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = last.first.cursor();
            paged.extend(page.iter().map(short));
        }
        assert_eq!(paged, expected);
    }
}

async fn read(store: &dyn Store, query: &MaturedQuery<'_>) -> Vec<(u128, Vec<i64>)> {
    store
        .matured_units(query)
        .await
        .unwrap()
        .iter()
        .map(short)
        .collect()
}

fn short(unit: &MaturedUnit) -> (u128, Vec<i64>) {
    (
        unit.first.decision_id.as_u128(),
        unit.outcomes.iter().map(|o| o.occurred_at_us).collect(),
    )
}
