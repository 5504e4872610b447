//! Where each experiment stands, for whoever asks: the API, the dashboard, the report.
//!
//! The judge publishes; everybody else reads without waiting.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, RwLock};

use serde::Serialize;
use tokio::sync::{Notify, watch};

use super::experiment::Experiment;
use super::judge::{ArmTotal, Ledger, Look, Role};
use crate::stats::verdict::{Evidence, Verdict};
use crate::store::ExperimentRow;

/// A challenger's evidence and the rule's verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChallengerStanding {
    /// Its name.
    pub arm: String,
    /// The evidence.
    pub evidence: Evidence,
    /// The verdict.
    pub verdict: Verdict,
}

/// A metric's totals per arm, and its evidence over time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MetricStanding {
    /// Its name.
    pub name: String,
    /// What it is there for.
    pub role: Role,
    /// Mature units and sums per arm.
    pub arms: Vec<ArmTotal>,
    /// Evidence of the first challenger after each block.
    #[serde(skip)]
    pub looks: Vec<Look>,
}

/// Where an experiment stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// How often it was saved.
    pub store_revision: u64,
    /// The experiment.
    pub experiment: Arc<Experiment>,
    /// Its challengers.
    pub challengers: Vec<ChallengerStanding>,
    /// Its metrics.
    pub metrics: Vec<MetricStanding>,
    /// Units that entered, per arm, mature or not.
    pub entered: Vec<u64>,
    /// When this was worked out, in microseconds since 1970.
    pub at_us: i64,
    /// Everything counted, for reports.
    pub ledger: Arc<Ledger>,
}

impl Standing {
    /// Works out where an experiment stands.
    #[must_use]
    pub fn new(
        row: &ExperimentRow,
        experiment: Arc<Experiment>,
        ledger: &Ledger,
        at_us: i64,
    ) -> Self {
        let arms = experiment.definition.arms.len();
        let challengers = ledger
            .verdicts(&experiment, at_us)
            .into_iter()
            .map(|(evidence, verdict)| ChallengerStanding {
                arm: evidence.arm.clone(),
                evidence,
                verdict,
            })
            .collect();
        let metrics = ledger
            .metrics
            .iter()
            .enumerate()
            .map(|(position, metric)| MetricStanding {
                name: metric.name.clone(),
                role: metric.role,
                arms: ledger.totals(position, arms),
                looks: metric.looks.clone(),
            })
            .collect();
        let mut entered = vec![0; arms];
        for block in ledger.arrivals.values() {
            for (sum, total) in entered.iter_mut().zip(block.totals(arms)) {
                *sum += total.units;
            }
        }
        Self {
            store_revision: row.revision,
            experiment,
            challengers,
            metrics,
            entered,
            at_us,
            ledger: Arc::new(ledger.clone()),
        }
    }
}

/// Everything published, shared by clones.
#[derive(Clone)]
pub struct Standings {
    inner: Arc<Inner>,
}

struct Inner {
    standings: RwLock<BTreeMap<String, Arc<Standing>>>,
    leading: AtomicBool,
    judged_us: AtomicI64,
    ask: Notify,
    changed: watch::Sender<u64>,
}

impl Default for Standings {
    fn default() -> Self {
        Self {
            inner: Arc::new(Inner {
                standings: RwLock::default(),
                leading: AtomicBool::new(false),
                judged_us: AtomicI64::new(i64::MIN),
                ask: Notify::new(),
                changed: watch::Sender::new(0),
            }),
        }
    }
}

impl Standings {
    /// Publishes where an experiment stands.
    pub fn publish(&self, key: &str, standing: Standing) {
        let mut standings = self
            .inner
            .standings
            .write()
            .unwrap_or_else(|e| e.into_inner());
        standings.insert(key.to_owned(), Arc::new(standing));
        drop(standings);
        self.inner.changed.send_modify(|count| *count += 1);
    }

    /// Where an experiment stands.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Arc<Standing>> {
        let standings = self
            .inner
            .standings
            .read()
            .unwrap_or_else(|e| e.into_inner());
        standings.get(key).cloned()
    }

    /// Where every experiment stands, by key.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Standing>> {
        let standings = self
            .inner
            .standings
            .read()
            .unwrap_or_else(|e| e.into_inner());
        standings.values().cloned().collect()
    }

    /// A counter that rises with every publication.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// Whether this process judges.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.inner.leading.load(Ordering::Relaxed)
    }

    /// The time up to which everything has been judged, in microseconds since 1970; the least number before the first look.
    #[must_use]
    pub fn judged_us(&self) -> i64 {
        self.inner.judged_us.load(Ordering::SeqCst)
    }

    /// Asks the judge for a look.
    pub fn ask(&self) {
        self.inner.ask.notify_one();
    }

    /// Returns when a look is asked for.
    pub(super) async fn asked(&self) {
        self.inner.ask.notified().await;
    }

    pub(super) fn set_judged_us(&self, at_us: i64) {
        self.inner.judged_us.store(at_us, Ordering::SeqCst);
    }

    pub(super) fn set_leading(&self, leading: bool) {
        self.inner.leading.store(leading, Ordering::Relaxed);
    }
}
