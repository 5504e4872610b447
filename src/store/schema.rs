//! The versions of the tables, compiled in.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

use super::StoreError;

/// Name, and the text for every database, of every version: the first is version 1.
const VERSIONS: [(&str, &str, &str); 1] = [(
    "first",
    include_str!("migrations/sqlite/0001_first.sql"),
    include_str!("migrations/postgres/0001_first.sql"),
)];

/// The version that this program needs.
pub(super) const KNOWN: i64 = VERSIONS.len() as i64;

/// Asks for the version of an existing database.
pub(super) const HAVE: &str =
    "SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations WHERE success";

/// What [`migrate`](super::migrate) did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// The version before; 0 where there were no tables.
    pub from: i64,
    /// The version now.
    pub to: i64,
}

pub(super) fn sqlite() -> Migrator {
    migrator(|version| version.1)
}

pub(super) fn postgres() -> Migrator {
    migrator(|version| version.2)
}

fn migrator(
    text: impl Fn(&(&'static str, &'static str, &'static str)) -> &'static str,
) -> Migrator {
    let migrations = (1..).zip(&VERSIONS).map(|(number, version)| {
        let sql = text(version).into_sql_str();
        Migration::new(number, version.0.into(), MigrationType::Simple, sql, false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Refuses a database of another version.
pub(super) fn accept(url: &str, have: i64) -> Result<(), StoreError> {
    let url = url.to_owned();
    match have.cmp(&KNOWN) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(StoreError::SchemaTooNew {
            url,
            have,
            known: KNOWN,
        }),
        std::cmp::Ordering::Less => Err(StoreError::SchemaTooOld {
            url,
            have,
            known: KNOWN,
        }),
    }
}

/// Sorts what the migrator said.
pub(super) fn failed(url: &str, error: sqlx::migrate::MigrateError) -> StoreError {
    use sqlx::migrate::MigrateError;
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            StoreError::of(url, error)
        }
        MigrateError::VersionMissing(have) => StoreError::SchemaTooNew {
            url: url.to_owned(),
            have,
            known: KNOWN,
        },
        other => StoreError::Corrupt {
            url: url.to_owned(),
            reason: other.to_string(),
        },
    }
}
