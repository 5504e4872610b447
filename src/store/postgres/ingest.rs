//! Exposures and events into PostgreSQL: one array a column, one transaction a group.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use uuid::Uuid;

use super::super::StoreError;
use super::super::batch::{Stored, Unique};
use super::super::group::{Group, Sink};
use super::super::names::{NameTable, Names};
use super::super::records::{EventRecord, ExposureRecord};
use super::super::rows::EventOutcome;
use super::Inner;

const INSERT_EVENTS: &str = "INSERT INTO events \
     (source, id, decision_id, kind, occurred_at_us, observed_at_us, value, content)
     SELECT * FROM UNNEST($1::int4[], $2::uuid[], $3::uuid[], $4::int4[], $5::int8[], $6::int8[], $7::float8[], $8::int8[])
     ON CONFLICT DO NOTHING";
const INSERT_NEW_EVENTS: &str = "INSERT INTO events \
     (source, id, decision_id, kind, occurred_at_us, observed_at_us, value, content)
     SELECT * FROM UNNEST($1::int4[], $2::uuid[], $3::uuid[], $4::int4[], $5::int8[], $6::int8[], $7::float8[], $8::int8[])
     ON CONFLICT DO NOTHING RETURNING source, id";
const STORED_EVENTS: &str =
    "SELECT e.source, e.id, e.content FROM UNNEST($1::int4[], $2::uuid[]) AS k (source, id)
     JOIN events e ON e.source = k.source AND e.id = k.id";
const INSERT_EXPOSURES: &str = "INSERT INTO exposures \
     (decision_id, experiment, unit, conversation, at_us, arm, revision, bucket, share, tier, mask, p1, p2, p3, \
      propensity, policy_version, fallback, forced, block, stratum, context)
     SELECT * FROM UNNEST($1::uuid[], $2::int4[], $3::uuid[], $4::uuid[], $5::int8[], $6::int4[], $7::int8[], \
      $8::int4[], $9::float8[], $10::int2[], $11::int2[], $12::float4[], $13::float4[], $14::float4[], $15::float4[], \
      $16::int4[], $17::int4[], $18::bool[], $19::int8[], $20::int4[], $21::text[])
     ON CONFLICT DO NOTHING";

/// The sink of the writer task.
pub(super) struct Ingest(pub(super) Arc<Inner>);

#[async_trait]
impl Sink for Ingest {
    async fn commit(&self, group: &Group) -> Result<Vec<EventOutcome>, StoreError> {
        let store = &*self.0;
        let unique = Unique::of(&group.events);
        let mut stored = vec![None; unique.records.len()];
        let mut transaction = store.begin().await?;
        insert_exposures(&mut transaction, &group.exposures)
            .await
            .map_err(|e| store.failed(e))?;
        let added = insert_events(&mut transaction, &unique.records)
            .await
            .map_err(|e| store.failed(e))?;
        if added < unique.records.len() as u64 {
            // Some are stored already; which ones, only a second go can tell, with an answer for every row.
            transaction.rollback().await.map_err(|e| store.failed(e))?;
            transaction = store.begin().await?;
            insert_exposures(&mut transaction, &group.exposures)
                .await
                .map_err(|e| store.failed(e))?;
            stored = insert_new(&mut transaction, &unique.records)
                .await
                .map_err(|e| store.failed(e))?;
        }
        transaction.commit().await.map_err(|e| store.failed(e))?;
        Ok(unique.outcomes(&group.events, &stored))
    }

    fn url(&self) -> &str {
        &self.0.url
    }
}

async fn insert_events(
    connection: &mut PgConnection,
    events: &[EventRecord],
) -> Result<u64, sqlx::Error> {
    if events.is_empty() {
        return Ok(0);
    }
    let done = bind_events(INSERT_EVENTS, events)
        .execute(connection)
        .await?;
    Ok(done.rows_affected())
}

/// A batch of which some are stored: says for each what was stored, and inserts the others.
async fn insert_new(
    connection: &mut PgConnection,
    events: &[EventRecord],
) -> Result<Vec<Stored>, sqlx::Error> {
    let mut new = vec![false; events.len()];
    let place = |source: i32, id: Uuid| {
        // The batch is in order of key.
        events.binary_search_by_key(&(source, id.into_bytes()), EventRecord::key)
    };
    for row in bind_events(INSERT_NEW_EVENTS, events)
        .fetch_all(&mut *connection)
        .await?
    {
        if let Ok(place) = place(row.try_get(0)?, row.try_get(1)?) {
            new[place] = true;
        }
    }
    let old = || {
        events
            .iter()
            .zip(&new)
            .filter(|(_, new)| !**new)
            .map(|(event, _)| event)
    };
    let sources: Vec<i32> = old().map(|event| event.source).collect();
    let ids: Vec<Uuid> = old().map(|event| Uuid::from_bytes(event.id)).collect();
    let mut stored = vec![None; events.len()];
    // A statement of its own, so that it sees what others committed while the insert waited for them.
    let rows = sqlx::query(STORED_EVENTS)
        .bind(sources)
        .bind(ids)
        .fetch_all(connection)
        .await?;
    for row in rows {
        if let Ok(place) = place(row.try_get(0)?, row.try_get(1)?) {
            stored[place] = Some(row.try_get(2)?);
        }
    }
    Ok(stored)
}

type Query<'a> = sqlx::query::Query<'a, sqlx::Postgres, sqlx::postgres::PgArguments>;

fn bind_events<'a>(sql: &'static str, events: &[EventRecord]) -> Query<'a> {
    fn column<T>(events: &[EventRecord], value: impl Fn(&EventRecord) -> T) -> Vec<T> {
        events.iter().map(value).collect()
    }
    sqlx::query(sql)
        .bind(column(events, |event| event.source))
        .bind(column(events, |event| Uuid::from_bytes(event.id)))
        .bind(column(events, |event| event.decision_id))
        .bind(column(events, |event| event.kind))
        .bind(column(events, |event| event.occurred_at_us))
        .bind(column(events, |event| event.observed_at_us))
        .bind(column(events, |event| event.value))
        .bind(column(events, |event| event.content))
}

async fn insert_exposures(
    connection: &mut PgConnection,
    exposures: &[ExposureRecord],
) -> Result<(), sqlx::Error> {
    if exposures.is_empty() {
        return Ok(());
    }
    // In order of key: two writers then take their locks in the same order.
    let mut ordered: Vec<&ExposureRecord> = exposures.iter().collect();
    ordered.sort_by_key(|exposure| exposure.decision_id);
    fn column<T>(exposures: &[&ExposureRecord], value: impl Fn(&ExposureRecord) -> T) -> Vec<T> {
        exposures.iter().map(|exposure| value(exposure)).collect()
    }
    sqlx::query(INSERT_EXPOSURES)
        .bind(column(&ordered, |exposure| exposure.decision_id))
        .bind(column(&ordered, |exposure| exposure.experiment))
        .bind(column(&ordered, |exposure| Uuid::from_bytes(exposure.unit)))
        .bind(column(&ordered, |exposure| {
            exposure.conversation.map(Uuid::from_bytes)
        }))
        .bind(column(&ordered, |exposure| exposure.at_us))
        .bind(column(&ordered, |exposure| exposure.arm))
        .bind(column(&ordered, |exposure| exposure.revision))
        .bind(column(&ordered, |exposure| exposure.bucket))
        .bind(column(&ordered, |exposure| exposure.share))
        .bind(column(&ordered, |exposure| exposure.tier))
        .bind(column(&ordered, |exposure| exposure.mask))
        .bind(column(&ordered, |exposure| exposure.probabilities[0]))
        .bind(column(&ordered, |exposure| exposure.probabilities[1]))
        .bind(column(&ordered, |exposure| exposure.probabilities[2]))
        .bind(column(&ordered, |exposure| exposure.propensity))
        .bind(column(&ordered, |exposure| exposure.policy_version))
        .bind(column(&ordered, |exposure| exposure.fallback))
        .bind(column(&ordered, |exposure| exposure.forced))
        .bind(column(&ordered, |exposure| exposure.block))
        .bind(column(&ordered, |exposure| exposure.stratum))
        .bind(column(&ordered, |exposure| exposure.context.clone()))
        .execute(connection)
        .await
        .map(|_| ())
}

// Interned names.

#[async_trait]
impl NameTable for Inner {
    fn names(&self) -> &Names {
        &self.names
    }

    fn url(&self) -> &str {
        &self.url
    }

    async fn add_names(&self, texts: Vec<String>) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO names (name) SELECT UNNEST($1::text[]) ON CONFLICT DO NOTHING")
            .bind(&texts)
            .execute(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let rows: Vec<(i32, String)> =
            sqlx::query_as("SELECT id, name FROM names WHERE name = ANY($1)")
                .bind(&texts)
                .fetch_all(&self.pool)
                .await
                .map_err(|e| self.failed(e))?;
        self.names.learn(rows);
        Ok(())
    }

    async fn load_names(&self) -> Result<(), StoreError> {
        let rows: Vec<(i32, String)> = sqlx::query_as("SELECT id, name FROM names")
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        self.names.learn(rows);
        Ok(())
    }
}
