//! What can go wrong with a database, by what the reader can do about it.

use thiserror::Error;

/// Why the store could not do what was asked. No variant ever holds a password: `url` is written without one.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL names no database that tierwise can use.
    #[error(
        "`{url}` is no store: {reason}; write sqlite:PATH, sqlite::memory: or postgres://USER@HOST/DATABASE"
    )]
    BadUrl {
        /// The part of the URL that can be shown.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The database does not answer. Waiting and trying again may help; nothing was written.
    #[error("{url} cannot be reached: {reason}")]
    Unreachable {
        /// The database, without password.
        url: String,
        /// What the driver said.
        reason: String,
    },
    /// The database answers, and refuses this user or this statement.
    #[error("{url} refuses: {reason}")]
    Refused {
        /// The database, without password.
        url: String,
        /// What the database said.
        reason: String,
    },
    /// A newer tierwise wrote this database.
    #[error("{url} has schema {have}, and this program knows {known}: use a newer tierwise")]
    SchemaTooNew {
        /// The database, without password.
        url: String,
        /// Version of its schema.
        have: i64,
        /// The newest version known here.
        known: i64,
    },
    /// An older tierwise wrote this database.
    #[error(
        "{url} has schema {have}, and this program needs {known}: run `tierwise store migrate`"
    )]
    SchemaTooOld {
        /// The database, without password.
        url: String,
        /// Version of its schema.
        have: i64,
        /// The version needed here.
        known: i64,
    },
    /// Somebody else saved the experiment in between: read it again and decide again.
    #[error("experiment {experiment:?} is at revision {found}, not at {expected}")]
    Conflict {
        /// The experiment's key.
        experiment: String,
        /// The revision that the caller had seen; 0 is a new experiment.
        expected: u64,
        /// The revision that is stored.
        found: u64,
    },
    /// What is stored for good is there already with other content.
    #[error("{what} is stored already with other content")]
    Differs {
        /// The block, policy or key.
        what: String,
    },
    /// The row is not one that the store can hold.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it.
        what: String,
    },
    /// The database or what is in it is damaged.
    #[error("{url} is damaged: {reason}; restore a backup")]
    Corrupt {
        /// The database, without password.
        url: String,
        /// What was found.
        reason: String,
    },
    /// No room is left. Nothing of this call was written.
    #[error("{url} has no room left: {reason}")]
    Full {
        /// The database, without password.
        url: String,
        /// What the database said.
        reason: String,
    },
    /// The database may only be read.
    #[error("{url} may only be read: {reason}")]
    ReadOnly {
        /// The database, without password.
        url: String,
        /// What the database said.
        reason: String,
    },
    /// Another process held the database longer than we wait.
    #[error("{url} is busy: {reason}")]
    Busy {
        /// The database, without password.
        url: String,
        /// What the database said.
        reason: String,
    },
    /// The database said something that none of the other variants names: a fault of ours.
    #[error("{url}: unexpected answer")]
    Unexpected {
        /// The database, without password.
        url: String,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
}

impl StoreError {
    /// Sorts what the driver said. `url` must be without password.
    pub(super) fn of(url: &str, source: sqlx::Error) -> Self {
        let url = url.to_owned();
        let database = match &source {
            sqlx::Error::Database(database) => database,
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => {
                let reason = source.to_string();
                return Self::Unreachable { url, reason };
            }
            sqlx::Error::Configuration(cause) => {
                let reason = cause.to_string();
                return Self::BadUrl { url, reason };
            }
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                let reason = source.to_string();
                return Self::Corrupt { url, reason };
            }
            _ => return Self::Unexpected { url, source },
        };
        let reason = database.message().to_owned();
        let code = database.code().unwrap_or_default().into_owned();
        match sort(&code) {
            Sort::Unreachable => Self::Unreachable { url, reason },
            Sort::Refused => Self::Refused { url, reason },
            Sort::Corrupt => Self::Corrupt { url, reason },
            Sort::Full => Self::Full { url, reason },
            Sort::ReadOnly => Self::ReadOnly { url, reason },
            Sort::Busy => Self::Busy { url, reason },
            Sort::Unexpected => Self::Unexpected { url, source },
        }
    }
}

enum Sort {
    Unreachable,
    Refused,
    Corrupt,
    Full,
    ReadOnly,
    Busy,
    Unexpected,
}

/// SQLite's codes are decimal numbers with the kind in the lowest byte; PostgreSQL's have five characters.
fn sort(code: &str) -> Sort {
    if code.len() == 5 {
        return match code {
            "53100" => Sort::Full,
            "25006" => Sort::ReadOnly,
            "40001" | "40P01" | "55P03" | "53300" => Sort::Busy,
            "42501" | "3D000" => Sort::Refused,
            _ if code.starts_with("08") || code.starts_with("57P") => Sort::Unreachable,
            _ if code.starts_with("28") => Sort::Refused,
            _ if code.starts_with("XX") => Sort::Corrupt,
            _ => Sort::Unexpected,
        };
    }
    match code.parse::<u32>().map(|code| code & 0xff) {
        Ok(5 | 6) => Sort::Busy,
        Ok(8) => Sort::ReadOnly,
        Ok(10 | 14) => Sort::Unreachable,
        Ok(11 | 26) => Sort::Corrupt,
        Ok(13) => Sort::Full,
        Ok(3 | 23) => Sort::Refused,
        _ => Sort::Unexpected,
    }
}
