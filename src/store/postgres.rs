//! PostgreSQL 15 or newer: many routers on one database.
//!
//! Mirrors `sqlite.rs` file by file.

mod admin;
mod change;
mod ingest;
mod judge;
mod pages;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Row};
use tokio::sync::watch;
use uuid::Uuid;

use super::group::{Group, Writer};
use super::names::Names;
use super::rows::{
    ApiKeyRow, ArmCount, AuditEntry, Changes, CheckReport, DecisionRow, EventId, EventOutcome,
    EventRow, ExperimentRow, ExposureCursor, ExposureRow, FirstExposure, HistoryRow, KindCount,
    MaturedQuery, MaturedUnit, PolicyRow,
};
use super::schema::{self, Migrated};
use super::{LeaderLease, Store, StoreError, records, url};

/// How long a call waits for a connection before the database counts as unreachable.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections of one process; the listener and the leader's lease take one more each.
const CONNECTIONS: u32 = 8;
/// The oldest server that the contract suite runs on.
const OLDEST: i32 = 150_000;
/// The advisory lock of the leader: "tierwise" in ASCII. Advisory locks are per database, as leaders are.
const LEADER: i64 = 0x7469_6572_7769_7365;

/// A store in a PostgreSQL database.
pub struct PostgresStore {
    inner: Arc<Inner>,
    writer: Writer,
}

/// What the tasks of a store share.
struct Inner {
    url: String,
    options: PgConnectOptions,
    pool: PgPool,
    names: Names,
    changed: watch::Sender<u64>,
    /// Whether the task that listens runs.
    watching: AtomicBool,
}

// Opening.

impl PostgresStore {
    /// Opens a database and creates its tables where it is empty.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooOld`] or [`StoreError::SchemaTooNew`], or what kept it from opening.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, true).await
    }

    /// Opens a database that must hold tables already.
    ///
    /// # Errors
    /// As [`PostgresStore::open`], and [`StoreError::Unreachable`] where there is no store.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, false).await
    }

    async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let (inner, have) = connect(url).await?;
        match have {
            Some(have) => schema::accept(&inner.url, have)?,
            None if create => inner.migrate().await?,
            None => {
                return Err(StoreError::Unreachable {
                    url: inner.url,
                    reason: "it holds no tables of tierwise; `tierwise store migrate` creates them"
                        .into(),
                });
            }
        }
        let inner = Arc::new(inner);
        inner.learn_counter().await?;
        let writer = Writer::start(ingest::Ingest(inner.clone()));
        Ok(Self { inner, writer })
    }
}

/// Brings a database to the schema of this program.
pub(super) async fn migrate(url: &str) -> Result<Migrated, StoreError> {
    let (inner, have) = connect(url).await?;
    let from = have.unwrap_or(0);
    if from > schema::KNOWN {
        schema::accept(&inner.url, from)?;
    }
    inner.migrate().await?;
    inner.pool.close().await;
    Ok(Migrated {
        from,
        to: schema::KNOWN,
    })
}

async fn connect(url: &str) -> Result<(Inner, Option<i64>), StoreError> {
    let shown = url::shown(url);
    let failed = |error| StoreError::of(&shown, error);
    let options = PgConnectOptions::from_str(url)
        .map_err(failed)?
        .application_name("tierwise")
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(PATIENCE)
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    let inner = Inner {
        url: shown,
        options,
        pool,
        names: Names::default(),
        changed: watch::Sender::new(0),
        watching: AtomicBool::new(false),
    };
    let server: String = sqlx::query_scalar("SHOW server_version_num")
        .fetch_one(&inner.pool)
        .await
        .map_err(|e| inner.failed(e))?;
    if server.parse().is_ok_and(|server: i32| server < OLDEST) {
        return Err(StoreError::Refused {
            url: inner.url,
            reason: format!("PostgreSQL 15 or newer is needed, and this is {server}"),
        });
    }
    let have = inner.version().await?;
    Ok((inner, have))
}

impl Inner {
    fn failed(&self, error: sqlx::Error) -> StoreError {
        StoreError::of(&self.url, error)
    }

    /// The version of the schema; `None` where the current schema holds no tables.
    async fn version(&self) -> Result<Option<i64>, StoreError> {
        let tables = "SELECT COUNT(*), COUNT(*) FILTER (WHERE tablename = '_sqlx_migrations') FROM pg_tables WHERE schemaname = current_schema()";
        let row = sqlx::query(tables)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        let (all, ours): (i64, i64) = (row.get(0), row.get(1));
        if all == 0 {
            return Ok(None);
        }
        if ours == 0 {
            return Err(StoreError::Refused {
                url: self.url.clone(),
                reason: "it holds the tables of another program".into(),
            });
        }
        let have: i64 = sqlx::query_scalar(schema::HAVE)
            .fetch_one(&self.pool)
            .await
            .map_err(|e| self.failed(e))?;
        Ok((have > 0).then_some(have))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        match schema::postgres().run(&self.pool).await {
            Ok(()) => Ok(()),
            // Another process may have done the same at the same time.
            Err(error) => match self.version().await {
                Ok(Some(schema::KNOWN)) => Ok(()),
                _ => Err(schema::failed(&self.url, error)),
            },
        }
    }

    async fn try_lead(&self) -> Result<Option<LeaderLease>, StoreError> {
        let mut connection: PgConnection =
            self.options.connect().await.map_err(|e| self.failed(e))?;
        let taken: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(LEADER)
            .fetch_one(&mut connection)
            .await
            .map_err(|e| self.failed(e))?;
        Ok(taken.then(|| LeaderLease::session(connection)))
    }
}

#[async_trait]
impl Store for PostgresStore {
    fn url(&self) -> &str {
        &self.inner.url
    }

    // Experiments.

    async fn save_experiment(
        &self,
        key: &str,
        expected_revision: u64,
        body: &str,
        entry: &AuditEntry,
    ) -> Result<u64, StoreError> {
        self.inner
            .save_experiment(key, expected_revision, body, entry)
            .await
    }

    async fn experiments(&self) -> Result<Vec<ExperimentRow>, StoreError> {
        self.inner.experiments().await
    }

    async fn experiment(&self, key: &str) -> Result<Option<ExperimentRow>, StoreError> {
        self.inner.experiment(key).await
    }

    async fn history(&self, key: &str) -> Result<Vec<HistoryRow>, StoreError> {
        self.inner.history(key).await
    }

    // Changes.

    async fn changes_since(&self, counter: u64) -> Result<Changes, StoreError> {
        self.inner.changes_since(counter).await
    }

    fn watch(&self) -> watch::Receiver<u64> {
        self.inner.watch()
    }

    // Policies.

    async fn register_policy(&self, policy: &PolicyRow, artefact: &[u8]) -> Result<(), StoreError> {
        self.inner.register_policy(policy, artefact).await
    }

    async fn policies(&self) -> Result<Vec<PolicyRow>, StoreError> {
        self.inner.policies().await
    }

    async fn policy(&self, hash: &str) -> Result<Option<(PolicyRow, Vec<u8>)>, StoreError> {
        self.inner.policy(hash).await
    }

    // Ingest.

    async fn record_exposures(&self, rows: &[ExposureRow]) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let exposures = records::exposure_records(&*self.inner, rows).await?;
        let group = Group {
            exposures,
            ..Group::default()
        };
        self.writer.submit(group).await.map(|_| ())
    }

    async fn record_events(&self, rows: &[EventRow]) -> Result<Vec<EventOutcome>, StoreError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let events = records::event_records(&*self.inner, rows).await?;
        let group = Group {
            events,
            ..Group::default()
        };
        self.writer.submit(group).await
    }

    // Reading for the judge.

    async fn first_exposures(
        &self,
        experiment: &str,
        after: ExposureCursor,
        until_us: i64,
        limit: usize,
    ) -> Result<Vec<FirstExposure>, StoreError> {
        self.inner
            .first_exposures(experiment, after, until_us, limit)
            .await
    }

    async fn matured_units(
        &self,
        query: &MaturedQuery<'_>,
    ) -> Result<Vec<MaturedUnit>, StoreError> {
        self.inner.matured_units(query).await
    }

    async fn exposure_counts(&self, experiment: &str) -> Result<Vec<ArmCount>, StoreError> {
        self.inner.exposure_counts(experiment).await
    }

    async fn event_counts(&self) -> Result<Vec<KindCount>, StoreError> {
        self.inner.event_counts().await
    }

    async fn orphan_events(&self) -> Result<u64, StoreError> {
        self.inner.orphan_events().await
    }

    // Closed blocks.

    async fn append_blocks(
        &self,
        experiment: &str,
        blocks: &[(i64, String)],
    ) -> Result<(), StoreError> {
        self.inner.append_blocks(experiment, blocks).await
    }

    async fn blocks(&self, experiment: &str) -> Result<Vec<(i64, String)>, StoreError> {
        self.inner.blocks(experiment).await
    }

    // Leadership.

    async fn try_lead(&self) -> Result<Option<LeaderLease>, StoreError> {
        self.inner.try_lead().await
    }

    // API keys.

    async fn add_key(&self, key: &ApiKeyRow) -> Result<(), StoreError> {
        self.inner.add_key(key).await
    }

    async fn keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.inner.keys().await
    }

    async fn revoke_key(&self, id: &str, at_us: i64) -> Result<bool, StoreError> {
        self.inner.revoke_key(id, at_us).await
    }

    // Pages and checks.

    async fn decisions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        self.inner.decisions(after, limit).await
    }

    async fn events(
        &self,
        after: Option<(Arc<str>, EventId)>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.inner.events(after, limit).await
    }

    async fn check(&self) -> Result<CheckReport, StoreError> {
        self.inner.check().await
    }

    async fn close(&self) {
        self.inner.pool.close().await;
    }
}
