//! The change counter in PostgreSQL: told by the server, and polled for whatever a lost connection missed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::sync::watch;

use super::super::StoreError;
use super::super::rows::Changes;
use super::Inner;

/// The channel of notifications; the payload is the counter.
pub(super) const CHANNEL: &str = "tierwise_changes";
/// How often the counter is read when nothing is told, and how long after a failure the listener tries again.
const POLL: Duration = Duration::from_secs(1);

impl Inner {
    pub(super) async fn learn_counter(&self) -> Result<(), StoreError> {
        let counter: i64 = sqlx::query_scalar("SELECT counter FROM changes")
            .fetch_one(&self.pool)
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
            "SELECT counter, 0::bigint, '' FROM changes
             UNION ALL SELECT keys_changed, 1, '' FROM changes
             UNION ALL SELECT changed, 2, key FROM experiments WHERE changed > $1
             UNION ALL SELECT changed, 3, hash FROM policies WHERE changed > $1
             ORDER BY 2, 3",
        )
        .bind(since)
        .fetch_all(&self.pool)
        .await
        .map_err(|e| self.failed(e))?;
        Ok(Changes::gathered(since, rows))
    }

    pub(super) fn watch(self: &Arc<Self>) -> watch::Receiver<u64> {
        if !self.watching.swap(true, Ordering::AcqRel) {
            tokio::spawn(listen(Arc::downgrade(self)));
        }
        self.changed.subscribe()
    }
}

/// Listens until the store is gone. Whatever fails ends the listener and begins another after a moment; the counter is
/// read whenever one begins, so that nothing told in between is missed.
async fn listen(store: Weak<Inner>) {
    let mut listener: Option<PgListener> = None;
    loop {
        let Some(inner) = store.upgrade() else { return };
        if inner.pool.is_closed() {
            return;
        }
        if listener.is_none() {
            listener = begin(&inner).await;
        }
        // A failure here is met again by whoever reads.
        let _ = inner.learn_counter().await;
        drop(inner);
        let Some(open) = listener.as_mut() else {
            tokio::time::sleep(POLL).await;
            continue;
        };
        match tokio::time::timeout(POLL, open.try_recv()).await {
            // Told, or time to look for ourselves.
            Ok(Ok(Some(_))) | Err(_) => {}
            // The connection is gone.
            Ok(Ok(None) | Err(_)) => listener = None,
        }
    }
}

async fn begin(inner: &Inner) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(&inner.pool).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}
