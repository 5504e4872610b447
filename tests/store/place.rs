//! Where a test's database lives, and the rows that tests write.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use tierwise::store::{self, AuditEntry, EventId, EventRow, ExposureRow, Store};
use uuid::Uuid;

/// An empty database of its own.
pub(crate) struct Place {
    pub(crate) url: String,
    kind: Kind,
}

enum Kind {
    /// The folder that goes with it.
    Sqlite { _folder: TempDir },
    /// URL of the server's own database, and the name of ours.
    Postgres(String, String),
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            url: format!("sqlite:{}", folder.path().join("store.db").display()),
            kind: Kind::Sqlite { _folder: folder },
        }
    }

    /// `None`, and a word about it, when no server is named.
    pub(crate) async fn postgres(test: &str) -> Option<Self> {
        #[expect(clippy::disallowed_methods, reason = "tests find their server there")]
        let Ok(server) = std::env::var("TIERWISE_TEST_POSTGRES_URL") else {
            eprintln!("skipped: TIERWISE_TEST_POSTGRES_URL is not set");
            return None;
        };
        let name = format!("tierwise_{test}_{}", std::process::id());
        run_postgres(&server, &format!("CREATE DATABASE {name}")).await;
        let (head, _) = server.rsplit_once('/').expect("a URL with a database");
        Some(Self {
            url: format!("{head}/{name}"),
            kind: Kind::Postgres(server, name),
        })
    }

    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.url).await.unwrap()
    }

    /// Runs SQL behind the store's back.
    pub(crate) async fn sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.kind {
            Kind::Sqlite { .. } => {
                let mut connection = SqliteConnection::connect(&self.url).await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
                connection.close().await
            }
            Kind::Postgres(..) => {
                let mut connection = PgConnection::connect(&self.url).await?;
                sqlx::raw_sql(sql).execute(&mut connection).await?;
                connection.close().await
            }
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.kind, Kind::Postgres(..))
    }

    /// Removes the database; a test that fails leaves it for inspection.
    pub(crate) async fn remove(self) {
        if let Kind::Postgres(server, name) = &self.kind {
            run_postgres(server, &format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

async fn run_postgres(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
}

/// Runs each named test on both databases.
macro_rules! on_both {
    ($($test:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $test() {
                let place = crate::place::Place::sqlite();
                super::$test(&place).await;
            })*
        }
        mod postgres {
            $(#[tokio::test]
            async fn $test() {
                if let Some(place) = crate::place::Place::postgres(stringify!($test)).await {
                    super::$test(&place).await;
                    place.remove().await;
                }
            })*
        }
    };
}
pub(crate) use on_both;

pub(crate) fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) fn entry(action: &str) -> AuditEntry {
    AuditEntry {
        at_us: 17,
        actor: "ann".into(),
        action: action.into(),
        reason: "because".into(),
        evidence: r#"{"wealth": 41.5}"#.into(),
    }
}

/// An exposure with nothing optional.
pub(crate) fn exposure(decision: u128, experiment: &str, unit: u8, at_us: i64) -> ExposureRow {
    ExposureRow {
        decision_id: uuid(decision),
        experiment: experiment.into(),
        unit: [unit; 16],
        conversation: None,
        at_us,
        arm: 1,
        revision: 3,
        bucket: 9_999,
        share: 0.25,
        tier: 2,
        mask: 0b111,
        probabilities: [0.5, 0.3, 0.2],
        propensity: 0.3,
        policy_version: "ab".repeat(32).into(),
        fallback: None,
        forced: false,
        block: None,
        stratum: None,
        context: None,
    }
}

/// A click of a decision.
pub(crate) fn click(id: u128, decision: u128, occurred_at_us: i64) -> EventRow {
    event(
        "shop",
        id,
        decision,
        "tierwise.click.v1",
        occurred_at_us,
        None,
    )
}

pub(crate) fn event(
    source: &str,
    id: u128,
    decision: u128,
    kind: &str,
    occurred_at_us: i64,
    value: Option<f64>,
) -> EventRow {
    EventRow {
        source: source.into(),
        id: EventId(id.to_be_bytes()),
        decision_id: uuid(decision),
        kind: kind.into(),
        occurred_at_us,
        observed_at_us: occurred_at_us + 1,
        value,
        content: EventRow::content_of(uuid(decision), kind, occurred_at_us, value),
    }
}

/// Every event that is stored.
pub(crate) async fn all_events(store: &dyn Store) -> Vec<EventRow> {
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let page = store.events(after, 700).await.unwrap();
        let Some(last) = page.last() else { return all };
        after = Some((last.source.clone(), last.id));
        all.extend(page);
    }
}
