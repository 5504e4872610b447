//! Databases that are not what they should be, and databases that go away.

use std::time::Duration;

use tierwise::store::{self, StoreError};

use crate::place::{Place, click, entry, exposure, on_both};

on_both!(
    a_newer_schema_is_left_alone,
    another_programs_database_is_left_alone,
    looking_creates_nothing,
);

async fn a_newer_schema_is_left_alone(place: &Place) {
    place.open().await.close().await;
    place
        .sql("UPDATE _sqlx_migrations SET version = 99 WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .await
        .unwrap();
    for error in [
        store::open(&place.url).await.err(),
        store::migrate(&place.url).await.err(),
    ] {
        let error = error.expect("refused");
        assert!(
            matches!(error, StoreError::SchemaTooNew { have: 99, .. }),
            "{error}"
        );
        assert!(error.to_string().contains("newer tierwise"), "{error}");
    }
}

async fn another_programs_database_is_left_alone(place: &Place) {
    place.open().await.close().await;
    place.sql("DROP TABLE _sqlx_migrations").await.unwrap();
    let error = store::open(&place.url).await.err().expect("refused");
    assert!(matches!(error, StoreError::Refused { .. }), "{error}");
}

async fn looking_creates_nothing(place: &Place) {
    let error = store::open_existing(&place.url)
        .await
        .err()
        .expect("there is none");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert_eq!(store::migrate(&place.url).await.unwrap().from, 0);
    let again = store::migrate(&place.url).await.unwrap();
    assert_eq!(again.from, again.to);
    store::open_existing(&place.url).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_database_is_called_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "remember the milk\n".repeat(500)).unwrap();
    let error = store::open(&format!("sqlite:{}", path.display()))
        .await
        .err()
        .expect("no database");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error}");
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "remember the milk\n".repeat(500)
    );
}

#[tokio::test]
async fn a_folder_that_is_missing_is_named() {
    let error = store::open("sqlite:/no/such/folder/store.db")
        .await
        .err()
        .expect("no folder");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert!(
        error.to_string().contains("/no/such/folder/store.db"),
        "{error}"
    );
}

#[tokio::test]
async fn a_store_in_memory_works_alone() {
    let store = store::open("sqlite::memory:").await.unwrap();
    store
        .record_exposures(&[exposure(1, "tone", 1, 1)])
        .await
        .unwrap();
    store.record_events(&[click(1, 1, 1)]).await.unwrap();
    store
        .save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    assert_eq!(store.decisions(None, 9).await.unwrap()[0].events.len(), 1);
    let other = store::open("sqlite::memory:").await.unwrap();
    assert!(other.decisions(None, 9).await.unwrap().is_empty());
    let lease = store.try_lead().await.unwrap();
    assert!(lease.is_some() && store.try_lead().await.unwrap().is_none());
    drop(lease);
    assert!(store.try_lead().await.unwrap().is_some());
}

#[tokio::test]
async fn a_file_that_may_only_be_read_says_so() {
    let place = Place::sqlite();
    place.open().await.close().await;
    let error = match store::open(&format!("{}?mode=ro", place.url)).await {
        Err(error) => error,
        Ok(store) => store.record_events(&[click(1, 1, 1)]).await.unwrap_err(),
    };
    assert!(matches!(error, StoreError::ReadOnly { .. }), "{error}");
}

#[tokio::test]
async fn the_lead_is_lost_with_its_lock_file() {
    let place = Place::sqlite();
    let store = place.open().await;
    let lease = store.try_lead().await.unwrap().expect("nobody leads");
    let path = format!("{}.leader", place.url.trim_start_matches("sqlite:"));
    std::fs::remove_file(path).unwrap();
    assert!(!lease.still_held().await);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_without_the_password() {
    // Port 1 is reserved, and nobody listens there.
    let error = store::open("postgres://ann:s3cret@127.0.0.1:1/shop")
        .await
        .err()
        .expect("nobody there");
    let text = format!("{error} {error:?}");
    assert!(matches!(error, StoreError::Unreachable { .. }), "{text}");
    assert!(
        text.contains("postgres://ann@127.0.0.1:1/shop") && !text.contains("s3cret"),
        "{text}"
    );
}

/// Ends every connection of the database but the one that asks.
async fn terminate(place: &Place) {
    place
        .sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await
        .unwrap();
}

#[tokio::test]
async fn after_the_server_ended_every_connection_all_goes_on() {
    let Some(place) = Place::postgres("ended").await else {
        return;
    };
    let (store, other) = (place.open().await, place.open().await);
    store.record_events(&[click(1, 1, 1)]).await.unwrap();
    let mut told = store.watch();
    let lease = store.try_lead().await.unwrap().expect("nobody leads");
    terminate(&place).await;
    assert!(
        !lease.still_held().await,
        "the lead ended with its connection"
    );
    assert!(!lease.still_held().await);
    assert!(other.try_lead().await.unwrap().is_some());
    store.record_events(&[click(2, 1, 1)]).await.unwrap();
    // The listener comes back by itself.
    other
        .save_experiment("tone", 0, "{}", &entry("create"))
        .await
        .unwrap();
    let wait = told.wait_for(|counter| *counter > 0);
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .unwrap()
        .unwrap();
    assert!(place.is_postgres());
    place.remove().await;
}
