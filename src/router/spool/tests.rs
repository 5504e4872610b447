use std::sync::Arc;

use super::record::example;
use super::*;
use crate::store;

fn options(folder: &Path) -> SpoolOptions {
    SpoolOptions {
        segment_bytes: 400,
        batch: 3,
        ..SpoolOptions::new(folder.join("spool"))
    }
}

async fn carried(carrier: Carrier, store: &Arc<dyn Store>) {
    let stop = Arc::new(Notify::new());
    stop.notify_one();
    carrier.run(store.clone(), stop).await;
}

#[tokio::test]
async fn what_was_answered_survives_a_crash_and_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open("sqlite::memory:").await.unwrap();
    {
        let (spool, _carrier_that_never_ran) = Spool::open(options(folder.path())).unwrap();
        for number in 0..20 {
            spool.record(example(number)).await.unwrap();
        }
        assert_eq!(spool.rows(), (20, 0));
    }
    // A record that the crash cut off was never answered.
    let last = segments(&options(folder.path()).folder)
        .unwrap()
        .pop()
        .unwrap();
    let path = segment_path(&options(folder.path()).folder, last.0);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.extend_from_slice(&[9, 0, 0, 0, 1, 2]);
    std::fs::write(&path, bytes).unwrap();

    let (spool, carrier) = Spool::open(options(folder.path())).unwrap();
    spool.record(example(20)).await.unwrap();
    // One that an earlier run had carried already.
    store.record_exposures(&[example(3)]).await.unwrap();
    carried(carrier, &store).await;
    let decisions = store.decisions(None, 100).await.unwrap();
    let ids: Vec<_> = decisions.iter().map(|row| row.exposure.clone()).collect();
    assert_eq!(ids, (0..21).map(example).collect::<Vec<_>>());
    assert_eq!(spool.waiting_bytes(), 0);
    assert_eq!(segments(&options(folder.path()).folder).unwrap().len(), 1);
}

#[tokio::test]
async fn a_full_spool_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.limit_bytes = 500;
    let (spool, carrier) = Spool::open(options).unwrap();
    let mut taken = 0;
    let error = loop {
        match spool.record(example(taken)).await {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, SpoolError::Full);
    // Room again once the store has taken them.
    let store = store::open("sqlite::memory:").await.unwrap();
    carried(carrier, &store).await;
    spool.record(example(taken)).await.unwrap();
}

#[tokio::test]
async fn without_waiting_everything_still_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let store = store::open("sqlite::memory:").await.unwrap();
    let options = SpoolOptions {
        durability: Durability::Async,
        ..options(folder.path())
    };
    let (spool, carrier) = Spool::open(options).unwrap();
    for number in 0..10 {
        spool.record(example(number)).await.unwrap();
    }
    while spool.rows().0 < 10 {
        tokio::task::yield_now().await;
    }
    carried(carrier, &store).await;
    assert_eq!(store.decisions(None, 100).await.unwrap().len(), 10);
}
