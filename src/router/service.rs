//! A running router: everything that requests share, and the tasks beside them.
//!
//! [`Service::open`] opens the spool and loads a first snapshot; [`Parts::start`] starts three tasks: one carries exposures
//! to the store, one swaps the snapshot when the store changes, one judges. [`Service::stop`] ends them in an order that
//! loses nothing.

use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::clock::Clock;
use super::context::Context;
use super::judge::{Judge, parse};
use super::metrics::Metrics;
use super::registry::ServedPolicy;
use super::settings::Settings;
use super::snapshot::{Decision, Live, Question, Snapshot, Unanswerable};
use super::spool::{Carrier, Spool, SpoolError, SpoolOptions};
use super::standing::Standings;
use super::webhook::{Webhook, Webhooks};
use crate::store::{ApiKeyRow, ExposureRow, KeyedHash, Store, StoreError};

/// Why a router could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key that hashes ids is not one.
    #[error("{}: holds {bytes} bytes; a unit key has 32", path.display())]
    UnitKey {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
}

/// What requests share.
pub struct Service {
    /// The configuration.
    pub settings: Settings,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// Where experiments stand.
    pub standings: Standings,
    /// Receivers of transitions.
    pub webhooks: Webhooks,
    /// Exposures under way.
    pub spool: Spool,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// Becomes true when the router stops, so that streams end.
    pub closing: watch::Sender<bool>,
    snapshot: RwLock<Arc<Snapshot>>,
    keys: RwLock<Arc<[ApiKeyRow]>>,
    unit_key: [u8; 32],
    baseline: ServedPolicy,
    changed: watch::Sender<u64>,
    stop_carrier: Arc<Notify>,
    stop_others: Arc<Notify>,
}

/// What works beside the requests, not started yet: tests move it by hand.
pub struct Parts {
    /// Carries exposures to the store.
    pub carrier: Carrier,
    /// Judges.
    pub judge: Judge,
}

impl Parts {
    /// Starts the tasks. Must be called within a tokio runtime.
    #[must_use]
    pub fn start(self, service: &Arc<Service>) -> Tasks {
        let changes = service.store.watch();
        Tasks {
            carrier: tokio::spawn(
                self.carrier
                    .run(service.store.clone(), service.stop_carrier.clone()),
            ),
            refresher: tokio::spawn(refresh(service.clone(), changes)),
            judge: tokio::spawn(self.judge.run(service.stop_others.clone())),
        }
    }
}

/// The tasks beside the requests.
pub struct Tasks {
    carrier: JoinHandle<()>,
    refresher: JoinHandle<()>,
    judge: JoinHandle<()>,
}

impl Service {
    /// Opens a router: its spool, its keys, its first snapshot.
    ///
    /// # Errors
    /// [`StartError`] naming the file or the store.
    pub async fn open(
        settings: Settings,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        baseline: ServedPolicy,
    ) -> Result<(Arc<Self>, Parts), StartError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| StartError::Io { path, source }
        };
        std::fs::create_dir_all(&settings.data).map_err(io(&settings.data))?;
        let unit_key = unit_key(&settings.data)?;
        let webhooks = settings
            .webhooks
            .iter()
            .map(|hook| {
                let secret =
                    std::fs::read_to_string(&hook.secret_file).map_err(io(&hook.secret_file))?;
                Ok(Webhook {
                    url: hook.url.clone(),
                    secret: secret.trim().to_owned(),
                })
            })
            .collect::<Result<Vec<_>, StartError>>()?;
        let mut options = SpoolOptions::new(settings.data.join("spool"));
        options.durability = settings.durability;
        options.limit_bytes = settings.spool_limit_mb << 20;
        let (spool, carrier) = Spool::open(options).map_err(io(&settings.data))?;
        let standings = Standings::default();
        let webhooks = Webhooks::new(webhooks);
        let snapshot = load_snapshot(&*store, &baseline, &settings).await?;
        let keys: Arc<[ApiKeyRow]> = store.keys().await?.into();
        let stop_carrier = Arc::new(Notify::new());
        let stop_others = Arc::new(Notify::new());
        let service = Arc::new(Self {
            clock,
            standings,
            webhooks,
            spool,
            metrics: Metrics::default(),
            closing: watch::Sender::new(false),
            changed: watch::Sender::new(snapshot.counter),
            snapshot: RwLock::new(Arc::new(snapshot)),
            keys: RwLock::new(keys),
            unit_key,
            baseline,
            store,
            settings,
            stop_carrier,
            stop_others,
        });
        let judge = Judge::new(
            service.store.clone(),
            service.clock.clone(),
            service.standings.clone(),
            service.webhooks.clone(),
        );
        Ok((service, Parts { carrier, judge }))
    }

    /// Ends the tasks: judging stops, exposures that are recorded go to the store if it answers, the store is closed.
    pub async fn stop(&self, tasks: Tasks) {
        self.stop_others.notify_one();
        tasks.refresher.abort();
        let judge = tasks.judge;
        let abort = judge.abort_handle();
        if tokio::time::timeout(Duration::from_secs(5), judge)
            .await
            .is_err()
        {
            abort.abort();
        }
        self.stop_carrier.notify_one();
        let carrier = tasks.carrier;
        let abort = carrier.abort_handle();
        if tokio::time::timeout(Duration::from_secs(30), carrier)
            .await
            .is_err()
        {
            tracing::warn!("exposures stay in the spool; the next start carries them");
            abort.abort();
        }
        self.store.close().await;
    }

    /// The snapshot in force.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot
            .read()
            .unwrap_or_else(|e| e.into_inner())
            .clone()
    }

    /// API keys that are not revoked.
    #[must_use]
    pub fn keys(&self) -> Arc<[ApiKeyRow]> {
        self.keys.read().unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// A counter that rises when experiments or policies change.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Keyed hash of a customer's or conversation's id: the store never holds the id itself.
    #[must_use]
    pub fn hash_id(&self, id: &str) -> KeyedHash {
        let mut hash = [0; 16];
        let full = blake3::keyed_hash(&self.unit_key, id.as_bytes());
        hash.copy_from_slice(&full.as_bytes()[..16]);
        hash
    }

    /// Decides, records the exposure, and then answers.
    ///
    /// # Errors
    /// [`DecideError`]: a question without an answer, or an exposure that could not be recorded.
    pub async fn decide(
        &self,
        experiment: Option<&str>,
        unit: &str,
        conversation: Option<&str>,
        context: &Context,
        forced_arm: Option<&str>,
    ) -> Result<Decision, DecideError> {
        let at_us = self.clock.now_us();
        let begin_ns = self.clock.monotonic_ns();
        let mut context = std::borrow::Cow::Borrowed(context);
        if context.observation.hour().is_none() {
            context
                .to_mut()
                .observation
                .set_clock(tierwise_envs::time::UtcMicros(at_us));
        }
        let question = Question {
            experiment,
            unit,
            context: &context,
            forced_arm,
            at_us,
            decision_id: match self.clock.following() {
                None => new_decision_id(at_us),
                Some(_) => repeated_decision_id(at_us, unit, conversation),
            },
        };
        let budget_ns = (self.settings.policy_budget_ms * 1e6) as u64;
        let decision = self.snapshot().decide(&question, |run| {
            let begin = self.clock.monotonic_ns();
            run();
            self.clock.monotonic_ns() - begin <= budget_ns
        })?;
        let row = self.exposure(&decision, unit, conversation, &context);
        if let Err(error) = self.spool.record(row).await {
            self.metrics.unrecorded();
            return Err(error.into());
        }
        let seconds = (self.clock.monotonic_ns() - begin_ns) as f64 / 1e9;
        self.metrics.decided(decision.fallback.is_some(), seconds);
        Ok(decision)
    }

    fn exposure(
        &self,
        decision: &Decision,
        unit: &str,
        conversation: Option<&str>,
        context: &Context,
    ) -> ExposureRow {
        let assignment = decision.assignment;
        let experiment = match (&decision.live, assignment) {
            (Some(live), Some(_)) => live.key.clone(),
            _ => Arc::from(""),
        };
        ExposureRow {
            decision_id: decision.decision_id,
            experiment,
            unit: self.hash_id(unit),
            conversation: conversation.map(|id| self.hash_id(id)),
            at_us: decision.at_us,
            arm: assignment.map_or(0, |a| u16::from(a.arm)),
            revision: assignment.map_or(0, |a| a.revision),
            bucket: assignment.map_or(0, |a| a.bucket),
            share: assignment.map_or(1.0, |a| a.share),
            tier: decision.tier.number(),
            mask: decision.mask.bits(),
            probabilities: decision.probabilities.as_array().map(|p| p as f32),
            propensity: decision.propensity() as f32,
            policy_version: decision.policy_version.clone(),
            fallback: decision.fallback.map(|fallback| Arc::from(fallback.name())),
            forced: decision.forced,
            block: assignment.and_then(|a| a.block),
            stratum: decision.stratum.clone(),
            context: self.settings.keep_observations.then(|| {
                serde_json::to_string(&context.observation)
                    .expect("an observation is a row of numbers")
            }),
        }
    }

    /// Reads experiments, policies and keys again and puts them in force.
    ///
    /// # Errors
    /// [`StoreError`]; the old snapshot stays in force.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let snapshot = load_snapshot(&*self.store, &self.baseline, &self.settings).await?;
        let counter = snapshot.counter;
        let keys: Arc<[ApiKeyRow]> = self.store.keys().await?.into();
        *self.snapshot.write().unwrap_or_else(|e| e.into_inner()) = Arc::new(snapshot);
        *self.keys.write().unwrap_or_else(|e| e.into_inner()) = keys;
        self.changed.send_replace(counter);
        Ok(())
    }
}

/// Why a decision was not answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// The question.
    #[error(transparent)]
    Question(#[from] Unanswerable),
    /// The record.
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

/// A time-ordered id: UUIDv7 of the clock's time.
#[must_use]
pub fn new_decision_id(at_us: i64) -> Uuid {
    let at_us = at_us.max(0);
    let seconds = (at_us / 1_000_000) as u64;
    let nanos = (at_us % 1_000_000) as u32 * 1_000;
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos))
}

/// The id under a clock that follows its traffic: made of the question, so that the same traffic draws the same tiers, and
/// a question asked again after a crash is the same decision.
fn repeated_decision_id(at_us: i64, unit: &str, conversation: Option<&str>) -> Uuid {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&at_us.to_le_bytes());
    for text in [unit, conversation.unwrap_or_default()] {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    }
    let mut rest = [0; 10];
    rest.copy_from_slice(&hasher.finalize().as_bytes()[..10]);
    let millis = (at_us.max(0) / 1_000) as u64;
    uuid::Builder::from_unix_timestamp_millis(millis, &rest).into_uuid()
}

/// Swaps the snapshot whenever the store changes, until aborted.
async fn refresh(service: Arc<Service>, mut changes: watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        if let Err(error) = service.refresh().await {
            tracing::warn!(%error, "the last snapshot stays in force");
            tokio::time::sleep(Duration::from_millis(500)).await;
            changes.mark_changed();
        }
    }
}

/// Reads everything that decisions need.
async fn load_snapshot(
    store: &dyn Store,
    baseline: &ServedPolicy,
    settings: &Settings,
) -> Result<Snapshot, StoreError> {
    // The counter first: what changes while reading is read again.
    let counter = store.changes_since(0).await?.counter;
    let mut policies: Vec<(String, ServedPolicy)> = Vec::new();
    for row in store.policies().await? {
        let Some((row, bytes)) = store.policy(&row.hash).await? else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes);
        match ServedPolicy::from_text(&text, &row.name) {
            Ok(policy) => policies.push((row.hash, policy)),
            Err(error) => {
                tracing::error!(%error, policy = row.name, "a registered policy cannot be served")
            }
        }
    }
    let find = |wanted: &str| find_policy(&policies, wanted).cloned();
    let mut live = Vec::new();
    for row in store.experiments().await? {
        match parse(&row) {
            Ok(experiment) => live.push(Live::new(experiment, find)),
            Err(error) => tracing::error!(%error, "a stored experiment cannot be served"),
        }
    }
    Ok(Snapshot::new(
        counter,
        live,
        baseline.clone(),
        settings.masks.clone(),
    ))
}

/// A registered policy by the beginning of its hash, or by name: the newest of that name.
fn find_policy<'a>(
    policies: &'a [(String, ServedPolicy)],
    wanted: &str,
) -> Option<&'a ServedPolicy> {
    let by_hash =
        |(hash, _): &&(String, ServedPolicy)| wanted.len() >= 12 && hash.starts_with(wanted);
    policies
        .iter()
        .find(by_hash)
        .or_else(|| {
            policies
                .iter()
                .rev()
                .find(|(_, policy)| *policy.name == *wanted)
        })
        .map(|(_, policy)| policy)
}

/// The key that hashes ids; made at the first start. Routers of one store share the file.
fn unit_key(data: &Path) -> Result<[u8; 32], StartError> {
    let path = data.join("unit.key");
    let io = |source| StartError::Io {
        path: path.clone(),
        source,
    };
    match std::fs::read(&path) {
        Ok(bytes) => bytes
            .as_slice()
            .try_into()
            .map_err(|_| StartError::UnitKey {
                path: path.clone(),
                bytes: bytes.len(),
            }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut key = [0; 32];
            key[..16].copy_from_slice(Uuid::new_v4().as_bytes());
            key[16..].copy_from_slice(Uuid::new_v4().as_bytes());
            let key = *blake3::hash(&key).as_bytes();
            write_private(&path, &key).map_err(io)?;
            Ok(key)
        }
        Err(error) => Err(io(error)),
    }
}

/// Writes a file that only its owner may read.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
