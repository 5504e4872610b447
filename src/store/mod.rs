//! Where the live half keeps what it must not lose: experiments and their audit, policies, exposures, events.
//!
//! The only place that speaks SQL. [`Store`] is one trait with two implementations, [`SqliteStore`] and
//! [`PostgresStore`], which mirror each other file by file and pass one contract suite. The store reads no experiment,
//! runs no test and knows no clock: bodies are opaque JSON, and times arrive as arguments. docs/store.md tells what it
//! promises.

mod batch;
mod error;
mod export;
mod gathered;
mod group;
mod lead;
mod names;
mod postgres;
mod records;
mod rows;
mod schema;
mod sqlite;
mod url;

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

pub use error::StoreError;
pub use export::{ExportError, Exported, export_jsonl};
pub use lead::LeaderLease;
pub use postgres::PostgresStore;
pub use rows::{
    ApiKeyRow, ArmCount, AuditEntry, Changes, CheckReport, DecisionRow, EventId, EventOutcome,
    EventRow, ExperimentRow, ExposureCursor, ExposureRow, FirstExposure, HistoryRow, KeyedHash,
    KindCount, MaturedQuery, MaturedUnit, Outcome, PolicyRow, Role,
};
pub use schema::Migrated;
pub use sqlite::SqliteStore;
pub use url::shown;

/// A database of the live half.
///
/// Every method that writes returns after the commit is durable. Methods are cancel-safe: a dropped future leaves its
/// work either wholly done or not begun.
#[async_trait]
pub trait Store: Send + Sync {
    /// The database, without password.
    fn url(&self) -> &str;

    /// Saves an experiment that the caller had seen at `expected_revision` (0 for a new one) together with its audit
    /// entry, and returns the new revision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else saved it in between; nothing is written then.
    async fn save_experiment(
        &self,
        key: &str,
        expected_revision: u64,
        body: &str,
        entry: &AuditEntry,
    ) -> Result<u64, StoreError>;

    /// Every experiment, in order of key.
    async fn experiments(&self) -> Result<Vec<ExperimentRow>, StoreError>;

    /// One experiment.
    async fn experiment(&self, key: &str) -> Result<Option<ExperimentRow>, StoreError>;

    /// The audit of one experiment, oldest first.
    async fn history(&self, key: &str) -> Result<Vec<HistoryRow>, StoreError>;

    /// What changed after `counter`; 0 asks for everything.
    async fn changes_since(&self, counter: u64) -> Result<Changes, StoreError>;

    /// The change counter, kept up to date: by notification on PostgreSQL, in-process on SQLite, by polling for whatever
    /// these miss. Must be called within a tokio runtime. Starts at the last counter known, which may be behind.
    fn watch(&self) -> watch::Receiver<u64>;

    /// Registers a policy version; `artefact` is its directory, packed. Registering it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Differs`] when another artefact is stored under this hash.
    async fn register_policy(&self, policy: &PolicyRow, artefact: &[u8]) -> Result<(), StoreError>;

    /// Every policy version, oldest first.
    async fn policies(&self) -> Result<Vec<PolicyRow>, StoreError>;

    /// One policy version with its artefact.
    async fn policy(&self, hash: &str) -> Result<Option<(PolicyRow, Vec<u8>)>, StoreError>;

    /// Stores exposures; those whose decision is stored already change nothing. Calls at the same time share a commit.
    async fn record_exposures(&self, rows: &[ExposureRow]) -> Result<(), StoreError>;

    /// Stores events and says what became of each. Calls at the same time share a commit.
    async fn record_events(&self, rows: &[EventRow]) -> Result<Vec<EventOutcome>, StoreError>;

    /// First exposures of units that were not forced, in order of (time, decision), after `after` and up to and
    /// including `until_us`.
    async fn first_exposures(
        &self,
        experiment: &str,
        after: ExposureCursor,
        until_us: i64,
        limit: usize,
    ) -> Result<Vec<FirstExposure>, StoreError>;

    /// First exposures with the outcomes that count: events of any decision of the unit in this experiment that
    /// occurred from its first exposure up to the end of the window, and were observed before the end of the grace.
    async fn matured_units(&self, query: &MaturedQuery<'_>)
    -> Result<Vec<MaturedUnit>, StoreError>;

    /// Exposures of an experiment by arm.
    async fn exposure_counts(&self, experiment: &str) -> Result<Vec<ArmCount>, StoreError>;

    /// Events by kind, in order of kind.
    async fn event_counts(&self) -> Result<Vec<KindCount>, StoreError>;

    /// Events whose decision is not stored.
    async fn orphan_events(&self) -> Result<u64, StoreError>;

    /// Appends closed blocks; those stored already with the same body change nothing.
    ///
    /// # Errors
    /// [`StoreError::Differs`] when one is stored with another body; nothing is written then.
    async fn append_blocks(
        &self,
        experiment: &str,
        blocks: &[(i64, String)],
    ) -> Result<(), StoreError>;

    /// The closed blocks of an experiment, in order of block.
    async fn blocks(&self, experiment: &str) -> Result<Vec<(i64, String)>, StoreError>;

    /// Becomes the one that judges and promotes, or `None` while another process is. The lead ends with the lease, with
    /// the process, and on PostgreSQL with its connection.
    async fn try_lead(&self) -> Result<Option<LeaderLease>, StoreError>;

    /// Adds an API key.
    ///
    /// # Errors
    /// [`StoreError::Differs`] when its id or its hash is taken.
    async fn add_key(&self, key: &ApiKeyRow) -> Result<(), StoreError>;

    /// Every API key, revoked ones included, in order of id.
    async fn keys(&self) -> Result<Vec<ApiKeyRow>, StoreError>;

    /// Revokes a key; false when there is no such key or it was revoked before.
    async fn revoke_key(&self, id: &str, at_us: i64) -> Result<bool, StoreError>;

    /// Decisions with their events in order of decision id, after `after`: the next page of an export.
    async fn decisions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError>;

    /// Events in order of identity, after `after`: the next page of a backup.
    async fn events(
        &self,
        after: Option<(Arc<str>, EventId)>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError>;

    /// Reads everything once and says what is broken.
    async fn check(&self) -> Result<CheckReport, StoreError>;

    /// Finishes what is under way and closes every connection.
    async fn close(&self);
}

/// Opens the database that a URL names (`sqlite:PATH`, `sqlite::memory:`, `postgres://…`); an SQLite file that does
/// not exist is created, and an empty database gets its tables.
///
/// # Errors
/// [`StoreError::SchemaTooOld`] when it has to be migrated first; otherwise whatever kept it from opening.
pub async fn open(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    match url::kind(url)? {
        url::Kind::Sqlite => Ok(Arc::new(SqliteStore::open(url).await?)),
        url::Kind::Postgres => Ok(Arc::new(PostgresStore::open(url).await?)),
    }
}

/// Opens a database that must exist and hold tables already: for commands that only look.
///
/// # Errors
/// [`StoreError::Unreachable`] when there is none.
pub async fn open_existing(url: &str) -> Result<Arc<dyn Store>, StoreError> {
    match url::kind(url)? {
        url::Kind::Sqlite => Ok(Arc::new(SqliteStore::open_existing(url).await?)),
        url::Kind::Postgres => Ok(Arc::new(PostgresStore::open_existing(url).await?)),
    }
}

/// Brings a database to the schema of this program, creating it where it is empty.
///
/// # Errors
/// [`StoreError::SchemaTooNew`] when a newer program wrote it.
pub async fn migrate(url: &str) -> Result<Migrated, StoreError> {
    match url::kind(url)? {
        url::Kind::Sqlite => sqlite::migrate(url).await,
        url::Kind::Postgres => postgres::migrate(url).await,
    }
}
