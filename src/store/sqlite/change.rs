//! The change counter in SQLite: told in-process, and polled for the commits of other processes.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::watch;

use super::super::StoreError;
use super::super::rows::Changes;
use super::Inner;

/// How often another process's commit is looked for. `data_version` is a look into shared memory, not a read.
const POLL: Duration = Duration::from_millis(50);

impl Inner {
    pub(super) async fn learn_counter(&self) -> Result<(), StoreError> {
        let counter: i64 = sqlx::query_scalar("SELECT counter FROM changes")
            .fetch_one(&self.read)
            .await
            .map_err(|e| self.failed(e))?;
        self.announce(counter);
        Ok(())
    }

    /// Tells a counter that is committed; answers that overtake each other do not turn it back.
    pub(super) fn announce(&self, counter: i64) {
        let counter = counter as u64;
        self.changed.send_if_modified(|known| {
            let newer = counter > *known;
            *known = counter.max(*known);
            newer
        });
    }

    pub(super) async fn changes_since(&self, counter: u64) -> Result<Changes, StoreError> {
        let since = counter.min(i64::MAX as u64) as i64;
        // One statement, so one moment.
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(
            "SELECT counter, 0, '' FROM changes
             UNION ALL SELECT keys_changed, 1, '' FROM changes
             UNION ALL SELECT changed, 2, key FROM experiments WHERE changed > ?1
             UNION ALL SELECT changed, 3, hash FROM policies WHERE changed > ?1
             ORDER BY 2, 3",
        )
        .bind(since)
        .fetch_all(&self.read)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(Changes::gathered(since, rows))
    }

    pub(super) fn watch(self: &Arc<Self>) -> watch::Receiver<u64> {
        if !self.watching.swap(true, Ordering::AcqRel) {
            tokio::spawn(poll(Arc::downgrade(self)));
        }
        self.changed.subscribe()
    }
}

/// Looks for commits of other connections until the store is gone.
async fn poll(store: Weak<Inner>) {
    let mut seen: Option<i64> = None;
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(store) = store.upgrade() else { return };
        if store.write.is_closed() {
            return;
        }
        // The writing connection's own commits do not raise its version: what is left is other processes.
        let version: Result<i64, _> = sqlx::query_scalar("PRAGMA data_version")
            .fetch_one(&store.write)
            .await;
        // A failure here is met again by whoever reads; the next tick tries again.
        let Ok(version) = version else { continue };
        if seen.replace(version) != Some(version) && store.learn_counter().await.is_err() {
            seen = None;
        }
    }
}
