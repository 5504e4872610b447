//! Leadership: at most one process judges and promotes.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Connection, PgConnection};
use tokio::sync::Mutex;

use super::StoreError;

/// How long the database may take to say that the lease still stands.
const PATIENCE: Duration = Duration::from_secs(2);

/// The right to judge and promote, until it is dropped or lost.
#[derive(Debug)]
pub struct LeaderLease(Held);

#[derive(Debug)]
enum Held {
    /// A file lock, which the operating system releases with the process.
    File { lock: File, path: PathBuf },
    /// A flag of this process, for a database in memory.
    Flag(Arc<AtomicBool>),
    /// A session lock, which the server releases with the connection.
    Session(Box<Mutex<Option<PgConnection>>>),
}

impl LeaderLease {
    /// Takes the lock file at `path`, or `None` while another holds it.
    pub(super) fn file(url: &str, path: &Path) -> Result<Option<Self>, StoreError> {
        let unreachable = |error: std::io::Error| StoreError::Unreachable {
            url: url.to_owned(),
            reason: format!("{}: {error}", path.display()),
        };
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(unreachable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Self(Held::File {
                lock,
                path: path.to_owned(),
            }))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unreachable(error)),
        }
    }

    /// Takes the flag of a database in memory.
    pub(super) fn flag(flag: &Arc<AtomicBool>) -> Option<Self> {
        let taken = flag.swap(true, Ordering::AcqRel);
        (!taken).then(|| Self(Held::Flag(flag.clone())))
    }

    /// Keeps a connection that holds a session lock.
    pub(super) fn session(connection: PgConnection) -> Self {
        Self(Held::Session(Box::new(Mutex::new(Some(connection)))))
    }

    /// Whether the lead is still ours. Once it is lost it stays lost: ask for a new one.
    ///
    /// On SQLite it is lost when the lock file is removed or replaced; on PostgreSQL when the connection does not
    /// answer.
    pub async fn still_held(&self) -> bool {
        match &self.0 {
            Held::File { lock, path } => same_file(lock, path),
            Held::Flag(_) => true,
            Held::Session(session) => {
                let mut session = session.lock().await;
                let Some(connection) = session.as_mut() else {
                    return false;
                };
                let answer = tokio::time::timeout(PATIENCE, connection.ping()).await;
                let held = matches!(answer, Ok(Ok(())));
                if !held {
                    *session = None;
                }
                held
            }
        }
    }
}

impl Drop for LeaderLease {
    fn drop(&mut self) {
        if let Held::Flag(flag) = &self.0 {
            flag.store(false, Ordering::Release);
        }
    }
}

#[cfg(unix)]
fn same_file(lock: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (lock.metadata(), path.metadata()) {
        (Ok(ours), Ok(there)) => ours.dev() == there.dev() && ours.ino() == there.ino(),
        _ => false,
    }
}

#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}
