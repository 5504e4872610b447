//! Speed of durable, idempotent ingest. Run with `scripts/with-postgres.sh cargo bench -p tierwise --bench store`, with
//! FSYNC=on before it where PostgreSQL is to flush as it would in earnest; without a server only SQLite is measured.
//!
//! Every batch of 1,000 events is answered after its commit; tables start empty and grow as the bench goes on. The
//! database lies in the folder for temporary files: set TMPDIR to measure another disk.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot run has nobody to tell"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use divan::Bencher;
use divan::counter::ItemsCount;
use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tierwise::store::{self, EventId, EventRow, ExposureRow, Store};
use tokio::runtime::Runtime;
use uuid::Uuid;

const BATCH: usize = 1_000;
/// Batches that wait together where callers are many.
const CALLERS: usize = 16;

fn main() {
    divan::main();
}

/// UUIDv7 of about three thousand events a second, or any text.
#[derive(Debug, Clone, Copy)]
enum Ids {
    Uuidv7,
    Arbitrary,
}

/// A stream of events that never repeats.
struct Events {
    at: AtomicU64,
    source: Arc<str>,
    kind: Arc<str>,
    ids: Ids,
}

impl Events {
    fn new(ids: Ids) -> Self {
        Self {
            at: AtomicU64::new(0),
            source: "shop.example/checkout".into(),
            kind: "tierwise.click.v1".into(),
            ids,
        }
    }

    fn batch(&self) -> Vec<EventRow> {
        let start = self.at.fetch_add(BATCH as u64, Ordering::Relaxed);
        (start..start + BATCH as u64)
            .map(|at| self.event(at))
            .collect()
    }

    fn event(&self, at: u64) -> EventRow {
        let decision_id = uuidv7(at / 2, 1);
        let occurred_at_us = 1_800_000_000_000_000 + at as i64 * 300;
        EventRow {
            source: self.source.clone(),
            id: match self.ids {
                Ids::Uuidv7 => EventId(*uuidv7(at, 2).as_bytes()),
                Ids::Arbitrary => EventId::of(&format!("order-{at}")),
            },
            decision_id,
            kind: self.kind.clone(),
            occurred_at_us,
            observed_at_us: occurred_at_us + 5,
            value: None,
            content: EventRow::content_of(decision_id, &self.kind, occurred_at_us, None),
        }
    }
}

fn uuidv7(at: u64, stream: u64) -> Uuid {
    let mut random = [0; 10];
    Xoshiro256PlusPlus::seed_from_u64(at * 4 + stream).fill_bytes(&mut random);
    uuid::Builder::from_unix_timestamp_millis(1_800_000_000_000 + at / 3, &random).into_uuid()
}

fn sqlite(runtime: &Runtime) -> (TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    (folder, runtime.block_on(store::open(&url)).unwrap())
}

/// URL of an empty database of the server that is named, if one is.
fn postgres(runtime: &Runtime, name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "a bench finds its server there")]
    let server = std::env::var("TIERWISE_TEST_POSTGRES_URL").ok()?;
    runtime.block_on(async {
        let mut connection = PgConnection::connect(&server).await.unwrap();
        for sql in [
            format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
            format!("CREATE DATABASE {name}"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
        }
    });
    Some(format!("{}/{name}", server.rsplit_once('/')?.0))
}

fn ingest(bencher: Bencher, runtime: &Runtime, store: &Arc<dyn Store>, ids: Ids, callers: usize) {
    let events = Events::new(ids);
    bencher
        .counter(ItemsCount::new(BATCH * callers))
        .with_inputs(|| (0..callers).map(|_| events.batch()).collect::<Vec<_>>())
        .bench_local_values(|batches| {
            runtime.block_on(async {
                let calls = batches.into_iter().map(|batch| {
                    let store = store.clone();
                    tokio::spawn(async move { store.record_events(&batch).await.unwrap().len() })
                });
                for call in calls.collect::<Vec<_>>() {
                    assert_eq!(call.await.unwrap(), BATCH);
                }
            });
        });
}

#[divan::bench(args = [1, CALLERS], sample_count = 50, sample_size = 1)]
fn sqlite_events_uuidv7(bencher: Bencher, callers: usize) {
    let runtime = Runtime::new().unwrap();
    let (_folder, store) = sqlite(&runtime);
    ingest(bencher, &runtime, &store, Ids::Uuidv7, callers);
}

#[divan::bench(args = [1, CALLERS], sample_count = 50, sample_size = 1)]
fn sqlite_events_arbitrary(bencher: Bencher, callers: usize) {
    let runtime = Runtime::new().unwrap();
    let (_folder, store) = sqlite(&runtime);
    ingest(bencher, &runtime, &store, Ids::Arbitrary, callers);
}

#[divan::bench(args = [1, CALLERS], sample_count = 50, sample_size = 1)]
fn postgres_events_uuidv7(bencher: Bencher, callers: usize) {
    let runtime = Runtime::new().unwrap();
    let Some(url) = postgres(&runtime, "bench_events") else {
        return;
    };
    let store = runtime.block_on(store::open(&url)).unwrap();
    ingest(bencher, &runtime, &store, Ids::Uuidv7, callers);
}

/// What the server itself can do: COPY of the same rows into the same table with its key, with and without the index by
/// decision that the judge needs; 16 batches a commit.
#[divan::bench(args = [false, true], sample_count = 50, sample_size = 1)]
fn postgres_copy(bencher: Bencher, index: bool) {
    let runtime = Runtime::new().unwrap();
    let Some(url) = postgres(&runtime, "bench_copy") else {
        return;
    };
    runtime.block_on(store::migrate(&url)).unwrap();
    let mut connection = runtime.block_on(PgConnection::connect(&url)).unwrap();
    if !index {
        runtime
            .block_on(sqlx::raw_sql("DROP INDEX events_of_decision").execute(&mut connection))
            .unwrap();
    }
    let events = Events::new(Ids::Uuidv7);
    bencher
        .counter(ItemsCount::new(BATCH * CALLERS))
        .with_inputs(|| binary((0..CALLERS).flat_map(|_| events.batch())))
        .bench_local_values(|rows| {
            runtime.block_on(async {
                let mut copy = connection
                    .copy_in_raw("COPY events FROM STDIN (FORMAT binary)")
                    .await
                    .unwrap();
                copy.send(rows).await.unwrap();
                assert_eq!(copy.finish().await.unwrap(), (BATCH * CALLERS) as u64);
            });
        });
}

/// PostgreSQL's binary COPY format.
fn binary(events: impl Iterator<Item = EventRow>) -> Vec<u8> {
    let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
    let field = |out: &mut Vec<u8>, bytes: &[u8]| {
        out.extend((bytes.len() as i32).to_be_bytes());
        out.extend(bytes);
    };
    for event in events {
        out.extend(8i16.to_be_bytes());
        field(&mut out, &1i32.to_be_bytes());
        field(&mut out, &event.id.0);
        field(&mut out, event.decision_id.as_bytes());
        field(&mut out, &2i32.to_be_bytes());
        field(&mut out, &event.occurred_at_us.to_be_bytes());
        field(&mut out, &event.observed_at_us.to_be_bytes());
        out.extend((-1i32).to_be_bytes());
        field(&mut out, &event.content);
    }
    out.extend((-1i16).to_be_bytes());
    out
}

#[divan::bench(args = [1, CALLERS], sample_count = 30, sample_size = 1)]
fn sqlite_exposures(bencher: Bencher, callers: usize) {
    let runtime = Runtime::new().unwrap();
    let (_folder, store) = sqlite(&runtime);
    let at = AtomicU64::new(0);
    let experiment: Arc<str> = "tone".into();
    let version: Arc<str> = "ab".repeat(32).into();
    let exposure = |at: u64| ExposureRow {
        decision_id: uuidv7(at, 1),
        experiment: experiment.clone(),
        unit: *uuidv7(at / 3 * 7919, 3).as_bytes(),
        conversation: Some(*uuidv7(at, 0).as_bytes()),
        at_us: 1_800_000_000_000_000 + at as i64 * 300,
        arm: (at % 2) as u16,
        revision: 1,
        bucket: (at % 10_000) as u16,
        share: 0.5,
        tier: 1,
        mask: 7,
        probabilities: [0.9, 0.05, 0.05],
        propensity: 0.9,
        policy_version: version.clone(),
        fallback: None,
        forced: false,
        block: None,
        stratum: None,
        context: None,
    };
    bencher
        .counter(ItemsCount::new(BATCH * callers))
        .with_inputs(|| {
            let start = at.fetch_add((BATCH * callers) as u64, Ordering::Relaxed);
            (start..start + (BATCH * callers) as u64)
                .map(exposure)
                .collect::<Vec<_>>()
        })
        .bench_local_values(|rows| runtime.block_on(store.record_exposures(&rows)).unwrap());
}
