//! SQLite: one file beside the router, in WAL mode, every commit flushed.
//!
//! One connection writes and a few read. Mirrors `postgres.rs` file by file.

mod admin;
mod change;
mod ingest;
mod judge;
mod pages;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
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

/// How long a statement waits while another process writes.
const BUSY: Duration = Duration::from_secs(10);
/// Connections that read at the same time.
const READERS: u32 = 4;

/// A store in an SQLite file, or in memory for tests.
pub struct SqliteStore {
    inner: Arc<Inner>,
    writer: Writer,
}

/// What the tasks of a store share.
struct Inner {
    url: String,
    read: SqlitePool,
    write: SqlitePool,
    names: Names,
    changed: watch::Sender<u64>,
    /// Whether the task that watches other processes runs.
    watching: AtomicBool,
    lead: Lead,
}

/// Where the lead is taken.
enum Lead {
    File(PathBuf),
    Memory(Arc<AtomicBool>),
}

// Opening.

impl SqliteStore {
    /// Opens a file and creates it, or its tables, where there are none.
    ///
    /// # Errors
    /// [`StoreError::SchemaTooOld`] or [`StoreError::SchemaTooNew`], or what kept the file from opening.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, true).await
    }

    /// Opens a file that must hold tables already.
    ///
    /// # Errors
    /// As [`SqliteStore::open`], and [`StoreError::Unreachable`] where there is no store.
    pub async fn open_existing(url: &str) -> Result<Self, StoreError> {
        Self::connect(url, false).await
    }

    async fn connect(url: &str, create: bool) -> Result<Self, StoreError> {
        let (inner, have) = connect(url, create).await?;
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

/// Brings a file to the schema of this program.
pub(super) async fn migrate(url: &str) -> Result<Migrated, StoreError> {
    let (inner, have) = connect(url, true).await?;
    let from = have.unwrap_or(0);
    if from > schema::KNOWN {
        schema::accept(&inner.url, from)?;
    }
    inner.migrate().await?;
    inner.read.close().await;
    inner.write.close().await;
    Ok(Migrated {
        from,
        to: schema::KNOWN,
    })
}

async fn connect(url: &str, create: bool) -> Result<(Inner, Option<i64>), StoreError> {
    let shown = url::shown(url);
    let failed = |error| StoreError::of(&shown, error);
    let memory = url.contains(":memory:") || url.contains("mode=memory");
    let options = SqliteConnectOptions::from_str(url)
        .map_err(failed)?
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(BUSY)
        .foreign_keys(true)
        .pragma("cache_size", "-32768")
        .pragma("wal_autocheckpoint", "4000")
        .disable_statement_logging();
    let lead = if memory {
        Lead::Memory(Arc::default())
    } else {
        let mut path = options.get_filename().as_os_str().to_owned();
        path.push(".leader");
        Lead::File(path.into())
    };
    let pool = |connections: u32| {
        SqlitePoolOptions::new()
            .max_connections(connections)
            .min_connections(u32::from(memory))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let write = pool(1)
        .connect_with(options.clone())
        .await
        .map_err(failed)?;
    // A database in memory has one connection, or every connection would see its own.
    let read = if memory {
        write.clone()
    } else {
        pool(READERS).connect_lazy_with(options)
    };
    let inner = Inner {
        url: shown,
        read,
        write,
        names: Names::default(),
        changed: watch::Sender::new(0),
        watching: AtomicBool::new(false),
        lead,
    };
    let have = inner.version().await?;
    Ok((inner, have))
}

impl Inner {
    fn failed(&self, error: sqlx::Error) -> StoreError {
        StoreError::of(&self.url, error)
    }

    /// The version of the schema; `None` in an empty database.
    async fn version(&self) -> Result<Option<i64>, StoreError> {
        let tables = "SELECT COUNT(*), COUNT(*) FILTER (WHERE name = '_sqlx_migrations') FROM sqlite_schema WHERE type = 'table'";
        let row = sqlx::query(tables)
            .fetch_one(&self.write)
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
            .fetch_one(&self.write)
            .await
            .map_err(|e| self.failed(e))?;
        Ok((have > 0).then_some(have))
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        match schema::sqlite().run(&self.write).await {
            Ok(()) => Ok(()),
            // Another process may have done the same at the same time.
            Err(error) => match self.version().await {
                Ok(Some(schema::KNOWN)) => Ok(()),
                _ => Err(schema::failed(&self.url, error)),
            },
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
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
        match &self.inner.lead {
            Lead::File(path) => LeaderLease::file(&self.inner.url, path),
            Lead::Memory(flag) => Ok(LeaderLease::flag(flag)),
        }
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
        self.inner.read.close().await;
        self.inner.write.close().await;
    }
}
