//! Exposures and events into SQLite: many rows a statement, one transaction a group.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Row};

use super::super::StoreError;
use super::super::batch::{Stored, Unique};
use super::super::group::{Group, Sink};
use super::super::names::{NameTable, Names};
use super::super::records::{EventRecord, ExposureRecord};
use super::super::rows::EventOutcome;
use super::Inner;

/// Rows of one statement, largest first: a batch is cut into these, so that few statements are ever prepared.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];

static INSERT_EVENTS: LazyLock<Statements> = LazyLock::new(|| {
    Statements::new(
        "INSERT INTO events (source, id, decision_id, kind, occurred_at_us, observed_at_us, value, content) VALUES ",
        8,
        "",
    )
});
static STORED_EVENTS: LazyLock<Statements> = LazyLock::new(|| {
    Statements::new(
        "SELECT e.source, e.id, e.content FROM (VALUES ",
        2,
        ") v CROSS JOIN events e ON e.source = v.column1 AND e.id = v.column2",
    )
});
static INSERT_EXPOSURES: LazyLock<Statements> = LazyLock::new(|| {
    Statements::new(
        "INSERT OR IGNORE INTO exposures (decision_id, experiment, unit, conversation, at_us, arm, revision, bucket, \
         share, tier, mask, p1, p2, p3, propensity, policy_version, fallback, forced, block, stratum, context) VALUES ",
        21,
        "",
    )
});

/// One statement for every size of chunk.
struct Statements([Arc<str>; CHUNKS.len()]);

impl Statements {
    fn new(head: &str, columns: usize, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        Self(CHUNKS.map(|rows| format!("{head}{}{tail}", vec![&*row; rows].join(",")).into()))
    }
}

/// Cuts rows into chunks, each with the statement of its size.
fn chunks<'a, T>(
    statements: &'a Statements,
    rows: &'a [T],
) -> impl Iterator<Item = (&'a Arc<str>, &'a [T])> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = CHUNKS.iter().position(|&size| size <= rest.len())?;
        let (chunk, after) = rest.split_at(CHUNKS[size]);
        rest = after;
        Some((&statements.0[size], chunk))
    })
}

/// The sink of the writer task.
pub(super) struct Ingest(pub(super) Arc<Inner>);

#[async_trait]
impl Sink for Ingest {
    async fn commit(&self, group: &Group) -> Result<Vec<EventOutcome>, StoreError> {
        let store = &*self.0;
        let unique = Unique::of(&group.events);
        let mut transaction = store.begin().await?;
        for (sql, chunk) in chunks(&INSERT_EXPOSURES, &group.exposures) {
            insert_exposures(&mut transaction, sql, chunk)
                .await
                .map_err(|e| store.failed(e))?;
        }
        let mut stored: Vec<Stored> = Vec::with_capacity(unique.records.len());
        for (sql, chunk) in chunks(&INSERT_EVENTS, &unique.records) {
            match insert_events(&mut transaction, sql, chunk).await {
                Ok(()) => stored.extend(chunk.iter().map(|_| None)),
                // The statement failed as a whole and left nothing behind: look at what is there, add the rest.
                Err(sqlx::Error::Database(e)) if e.is_unique_violation() => {
                    stored.extend(
                        insert_new(&mut transaction, chunk)
                            .await
                            .map_err(|e| store.failed(e))?,
                    );
                }
                Err(error) => return Err(store.failed(error)),
            }
        }
        transaction.commit().await.map_err(|e| store.failed(e))?;
        Ok(unique.outcomes(&group.events, &stored))
    }

    fn url(&self) -> &str {
        &self.0.url
    }
}

async fn insert_events(
    connection: &mut SqliteConnection,
    sql: &Arc<str>,
    chunk: &[EventRecord],
) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
    for event in chunk {
        query = query
            .bind(event.source)
            .bind(&event.id[..])
            .bind(event.decision_id)
            .bind(event.kind)
            .bind(event.occurred_at_us)
            .bind(event.observed_at_us)
            .bind(event.value)
            .bind(event.content);
    }
    query.execute(connection).await.map(|_| ())
}

/// A chunk of which some are stored: says for each what was stored, and inserts the others.
async fn insert_new(
    connection: &mut SqliteConnection,
    chunk: &[EventRecord],
) -> Result<Vec<Stored>, sqlx::Error> {
    let mut stored = vec![None; chunk.len()];
    for (sql, keys) in chunks(&STORED_EVENTS, chunk) {
        let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
        for event in keys {
            query = query.bind(event.source).bind(&event.id[..]);
        }
        for row in query.fetch_all(&mut *connection).await? {
            let id: &[u8] = row.try_get(1)?;
            let id: [u8; 16] = id
                .try_into()
                .map_err(|_| sqlx::Error::Decode("an event's id is not of 16 bytes".into()))?;
            let key = (row.try_get(0)?, id);
            // The chunk is in order of key.
            if let Ok(place) = chunk.binary_search_by_key(&key, EventRecord::key) {
                stored[place] = Some(row.try_get(2)?);
            }
        }
    }
    let new: Vec<EventRecord> = chunk
        .iter()
        .zip(&stored)
        .filter(|(_, stored)| stored.is_none())
        .map(|(event, _)| *event)
        .collect();
    for (sql, chunk) in chunks(&INSERT_EVENTS, &new) {
        insert_events(connection, sql, chunk).await?;
    }
    Ok(stored)
}

async fn insert_exposures(
    connection: &mut SqliteConnection,
    sql: &Arc<str>,
    chunk: &[ExposureRecord],
) -> Result<(), sqlx::Error> {
    let mut query = sqlx::query(AssertSqlSafe(sql.clone()));
    for exposure in chunk {
        query = query
            .bind(exposure.decision_id)
            .bind(exposure.experiment)
            .bind(&exposure.unit[..])
            .bind(exposure.conversation.as_ref().map(|hash| &hash[..]))
            .bind(exposure.at_us)
            .bind(exposure.arm)
            .bind(exposure.revision)
            .bind(exposure.bucket)
            .bind(exposure.share)
            .bind(exposure.tier)
            .bind(exposure.mask)
            .bind(exposure.probabilities[0])
            .bind(exposure.probabilities[1])
            .bind(exposure.probabilities[2])
            .bind(exposure.propensity)
            .bind(exposure.policy_version)
            .bind(exposure.fallback)
            .bind(exposure.forced)
            .bind(exposure.block)
            .bind(exposure.stratum)
            .bind(exposure.context.as_deref());
    }
    query.execute(connection).await.map(|_| ())
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
        let mut transaction = self.begin().await?;
        let mut rows: Vec<(i32, String)> = Vec::with_capacity(texts.len());
        for text in texts {
            sqlx::query("INSERT INTO names (name) VALUES (?) ON CONFLICT DO NOTHING")
                .bind(&text)
                .execute(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
            let id = sqlx::query_scalar("SELECT id FROM names WHERE name = ?")
                .bind(&text)
                .fetch_one(&mut *transaction)
                .await
                .map_err(|e| self.failed(e))?;
            rows.push((id, text));
        }
        transaction.commit().await.map_err(|e| self.failed(e))?;
        self.names.learn(rows);
        Ok(())
    }

    async fn load_names(&self) -> Result<(), StoreError> {
        let rows: Vec<(i32, String)> = sqlx::query_as("SELECT id, name FROM names")
            .fetch_all(&self.read)
            .await
            .map_err(|e| self.failed(e))?;
        self.names.learn(rows);
        Ok(())
    }
}
