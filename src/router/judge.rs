//! The judge: closes blocks, folds them, and moves experiments by the rule of promotion.
//!
//! One process at a time leads: it reads mature units from the store, writes closed blocks, and acts. Every other router
//! reads the blocks and comes to the same evidence, which is what pages and the API show. Whatever the judge does goes
//! through [`Experiment::apply`] and is saved with the numbers behind it, under the revision that it saw; if a person was
//! faster, it reads again.

mod block;
mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::sync::Notify;
use uuid::Uuid;

pub use self::block::{ArmTotal, ClosedBlock, Part};
use self::block::{Gatherer, MINUTE_US, block_length_us};
pub use self::ledger::{Ledger, Look, MetricLedger, Role};
use super::clock::Clock;
use super::experiment::{Action, Design, Experiment, Phase};
use super::standing::{Standing, Standings};
use super::webhook::Webhooks;
use crate::stats::StatsError;
use crate::stats::verdict::Verdict;
use crate::store::{
    AuditEntry, ExperimentRow, ExposureCursor, LeaderLease, MaturedQuery, Store, StoreError,
};

/// The name under which the judge signs the history.
pub const ACTOR: &str = "judge";
/// Units read from the store at once.
const PAGE: usize = 20_000;
/// Seconds of real time that exposures and events may take to the store, whatever the clock's speed.
pub(super) const TRANSIT_S: f64 = 2.0;

/// Why the judge could not go on with an experiment.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JudgeError {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored block or experiment cannot be used.
    #[error("experiment `{key}`: {reason}")]
    Unusable {
        /// The experiment.
        key: String,
        /// What is wrong.
        reason: String,
    },
    /// The tests refuse a block.
    #[error(transparent)]
    Statistics(#[from] StatsError),
}

/// What is known of an experiment between ticks.
struct Case {
    row: ExperimentRow,
    experiment: Arc<Experiment>,
    ledger: Ledger,
    judged_block: Option<i64>,
    judged_at_us: Option<i64>,
}

impl Case {
    /// Whether a minute has passed since it was judged, or the clock was set back.
    fn stale(&self, now_us: i64) -> bool {
        self.judged_at_us
            .is_none_or(|at_us| !(at_us..at_us + MINUTE_US).contains(&now_us))
    }
}

/// The judge of a router.
pub struct Judge {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    standings: Standings,
    webhooks: Webhooks,
    lease: Option<LeaderLease>,
    cases: BTreeMap<String, Case>,
}

impl Judge {
    /// A judge that publishes what it knows in `standings`.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        standings: Standings,
        webhooks: Webhooks,
    ) -> Self {
        Self {
            store,
            clock,
            standings,
            webhooks,
            lease: None,
            cases: BTreeMap::new(),
        }
    }

    /// Judges four times a second until stopped.
    pub async fn run(mut self, stop: Arc<Notify>) {
        let mut tick = tokio::time::interval(std::time::Duration::from_millis(250));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen_us = None;
        loop {
            let asked = tokio::select! {
                _ = tick.tick() => false,
                () = self.standings.asked() => true,
                () = stop.notified() => return,
            };
            // Traffic that moves the clock asks for its looks, so that they fall on the same moments every time.
            let moving = self.clock.following().is_some()
                && seen_us.replace(self.clock.now_us()) != Some(self.clock.now_us());
            if moving && !asked {
                continue;
            }
            // A fault of ours must not end judging for good: the next tick reads everything again.
            let tick = std::panic::AssertUnwindSafe(self.tick())
                .catch_unwind()
                .await;
            match tick {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::warn!(%error, "the judge waits"),
                Err(_) => {
                    tracing::error!("the judge failed; it reads everything again");
                    self.cases.clear();
                    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
                }
            }
        }
    }

    /// One look at everything.
    ///
    /// # Errors
    /// [`JudgeError`] of the store; an experiment that cannot be used is logged and passed over.
    pub async fn tick(&mut self) -> Result<(), JudgeError> {
        let begin_us = self.clock.now_us();
        let held = match &self.lease {
            Some(lease) => lease.still_held().await,
            None => false,
        };
        if !held {
            self.lease = None;
            self.lease = self.store.try_lead().await?;
        }
        let leads = self.lease.is_some();
        let rows = self.store.experiments().await?;
        self.cases
            .retain(|key, _| rows.iter().any(|row| row.key == *key));
        for row in rows {
            let key = row.key.clone();
            if let Err(error) = self.look_at(row, leads).await {
                match error {
                    // Somebody else closed the same block or saved the experiment: read both again.
                    JudgeError::Store(StoreError::Conflict { .. } | StoreError::Differs { .. }) => {
                        self.cases.remove(&key);
                    }
                    JudgeError::Store(error) => return Err(error.into()),
                    error => tracing::error!(%error, key, "an experiment cannot be judged"),
                }
            }
        }
        self.standings.set_leading(leads);
        self.standings.set_judged_us(begin_us);
        Ok(())
    }

    async fn look_at(&mut self, row: ExperimentRow, leads: bool) -> Result<(), JudgeError> {
        let key = row.key.clone();
        let known = self.cases.get(&key).map(|case| case.row.revision);
        if known != Some(row.revision) {
            let experiment = parse(&row)?;
            match self.cases.get_mut(&key) {
                Some(case) if case.experiment.definition == experiment.definition => {
                    case.row = row;
                    case.experiment = Arc::new(experiment);
                    case.judged_block = None;
                }
                _ => {
                    let ledger = load(&*self.store, &experiment).await?;
                    let case = Case {
                        row,
                        experiment: Arc::new(experiment),
                        ledger,
                        judged_block: None,
                        judged_at_us: None,
                    };
                    self.cases.insert(key.clone(), case);
                }
            }
        } else if !leads && !self.cases[&key].experiment.phase.is_over() {
            // Somebody else closes blocks: read them when a minute has passed.
            let case = &self.cases[&key];
            if case.stale(self.clock.now_us()) {
                let ledger = load(&*self.store, &case.experiment).await?;
                self.cases.get_mut(&key).expect("just seen").ledger = ledger;
            }
        }
        let now_us = self.clock.now_us();
        let case = self.cases.get_mut(&key).expect("just seen or inserted");
        if case.experiment.phase == Phase::Draft {
            self.standings.publish(
                &key,
                Standing::new(&case.row, case.experiment.clone(), &case.ledger, now_us),
            );
            return Ok(());
        }
        if leads {
            close_blocks(
                &*self.store,
                &*self.clock,
                &case.experiment,
                &mut case.ledger,
            )
            .await?;
        }
        case.ledger.watch_holdback(&case.experiment)?;
        let last = case
            .ledger
            .last_block(0)
            .max(case.ledger.arrivals.keys().next_back().copied());
        if case.judged_block == last && !case.stale(now_us) {
            return Ok(());
        }
        case.judged_block = last;
        case.judged_at_us = Some(now_us);
        let standing = Standing::new(&case.row, case.experiment.clone(), &case.ledger, now_us);
        let next = leads
            .then(|| next_action(case, &standing, now_us))
            .flatten();
        self.standings.publish(&key, standing);
        if let Some((action, reason, evidence)) = next {
            self.act(&key, &action, reason, evidence, now_us).await?;
        }
        Ok(())
    }

    /// Applies an action, saves it with its evidence, and tells the webhooks.
    async fn act(
        &mut self,
        key: &str,
        action: &Action,
        reason: String,
        evidence: String,
        now_us: i64,
    ) -> Result<(), JudgeError> {
        let case = self.cases.get_mut(key).expect("the case was just judged");
        let mut experiment = (*case.experiment).clone();
        if let Err(refused) = experiment.apply(action, now_us) {
            tracing::warn!(%refused, key, action = action.name(), "the judge's action is refused");
            return Ok(());
        }
        let body = serde_json::to_string(&experiment).expect("an experiment is plain data");
        let entry = AuditEntry {
            at_us: now_us,
            actor: ACTOR.to_owned(),
            action: action.name().to_owned(),
            reason,
            evidence,
        };
        let revision = self
            .store
            .save_experiment(key, case.row.revision, &body, &entry)
            .await?;
        tracing::info!(
            key,
            action = entry.action,
            reason = entry.reason,
            "experiment moved"
        );
        self.webhooks.send(key, &experiment, &entry);
        case.row = ExperimentRow {
            key: key.to_owned(),
            revision,
            body,
        };
        case.experiment = Arc::new(experiment);
        case.ledger.watch_holdback(&case.experiment)?;
        let standing = Standing::new(&case.row, case.experiment.clone(), &case.ledger, now_us);
        self.standings.publish(key, standing);
        Ok(())
    }
}

/// Reads an experiment from its row.
///
/// # Errors
/// [`JudgeError::Unusable`] when the body is not one.
pub fn parse(row: &ExperimentRow) -> Result<Experiment, JudgeError> {
    serde_json::from_str(&row.body).map_err(|error| JudgeError::Unusable {
        key: row.key.clone(),
        reason: error.to_string(),
    })
}

/// Folds the closed blocks that the store holds.
///
/// # Errors
/// [`JudgeError`] when the store cannot be read, or holds a block that cannot be used.
pub async fn load(store: &dyn Store, experiment: &Experiment) -> Result<Ledger, JudgeError> {
    let key = &experiment.definition.key;
    let parse = |block: i64, body: &str| {
        serde_json::from_str(body).map_err(|error| JudgeError::Unusable {
            key: key.clone(),
            reason: format!("block {block}: {error}"),
        })
    };
    let mut ledger = Ledger::new(experiment)?;
    for (minute, body) in store.blocks(&arrivals_key(key)).await? {
        ledger.fold_arrivals(experiment, minute, parse(minute, &body)?);
    }
    for metric in 0..ledger.metrics.len() {
        let name = metric_key(key, &ledger.metrics[metric].name);
        for (block, body) in store.blocks(&name).await? {
            ledger.fold(experiment, metric, block, parse(block, &body)?)?;
        }
    }
    ledger.watch_holdback(experiment)?;
    Ok(ledger)
}

/// Under which name the store keeps the blocks of a metric. No key holds a slash.
fn metric_key(key: &str, metric: &str) -> String {
    format!("{key}/metric/{metric}")
}

fn arrivals_key(key: &str) -> String {
    format!("{key}/arrivals")
}

/// Reads units that have become mature, closes their blocks in the store, and folds them.
async fn close_blocks(
    store: &dyn Store,
    clock: &dyn Clock,
    experiment: &Experiment,
    ledger: &mut Ledger,
) -> Result<(), JudgeError> {
    let definition = &experiment.definition;
    // After the end of a test nobody enters it any more; those who had still become mature.
    let ended = |block_us: i64| match experiment.phase.is_over() {
        true => experiment.phase_since_us.div_euclid(block_us) + 1,
        false => i64::MAX,
    };
    let now_us = clock.now_us();
    let transit_us = (TRANSIT_S * 1e6 * clock.speed()) as i64;
    let key = &definition.key;

    // Units that entered, by the minute.
    let open = (now_us - transit_us.max(MINUTE_US / 2))
        .div_euclid(MINUTE_US)
        .min(ended(MINUTE_US));
    let next = ledger
        .arrivals
        .keys()
        .next_back()
        .map_or(i64::MIN, |minute| minute + 1);
    if next < open {
        let mut gathered = Gatherer::default();
        let mut after = cursor_before(next.saturating_mul(MINUTE_US));
        loop {
            let units = store
                .first_exposures(key, after, open * MINUTE_US - 1, PAGE)
                .await?;
            for first in &units {
                gathered.count(
                    definition.arms.len(),
                    first.at_us.div_euclid(MINUTE_US),
                    first,
                );
            }
            match units.last() {
                Some(last) if units.len() == PAGE => after = last.cursor(),
                _ => break,
            }
        }
        let blocks: Vec<(i64, ClosedBlock)> = gathered.finish().collect();
        append(store, &arrivals_key(key), &blocks).await?;
        for (minute, block) in blocks {
            ledger.fold_arrivals(experiment, minute, block);
        }
    }

    let length_us = block_length_us(definition);
    let metrics: Vec<_> = definition.metrics().cloned().collect();
    for (position, metric) in metrics.iter().enumerate() {
        let grace_us = metric.grace_us().max(transit_us);
        let closed = (now_us - metric.window_us() - grace_us)
            .div_euclid(length_us)
            .min(ended(length_us));
        let next = ledger
            .last_block(position)
            .map_or(i64::MIN, |block| block + 1);
        if next >= closed {
            continue;
        }
        let mut gathered = Gatherer::default();
        let mut after = cursor_before(next.saturating_mul(length_us));
        loop {
            let query = MaturedQuery {
                experiment: key,
                after,
                until_us: closed * length_us - 1,
                window_us: metric.window_us(),
                grace_us,
                limit: PAGE,
            };
            let units = store.matured_units(&query).await?;
            for unit in &units {
                gathered.take(definition, metric, unit);
            }
            match units.last() {
                Some(last) if units.len() == PAGE => after = last.first.cursor(),
                _ => break,
            }
        }
        let blocks: Vec<(i64, ClosedBlock)> = gathered
            .finish()
            .filter(|(block, _)| *block >= next)
            .collect();
        append(store, &metric_key(key, &metric.name), &blocks).await?;
        for (block, closed) in blocks {
            ledger.fold(experiment, position, block, closed)?;
        }
    }
    Ok(())
}

async fn append(
    store: &dyn Store,
    name: &str,
    blocks: &[(i64, ClosedBlock)],
) -> Result<(), StoreError> {
    if blocks.is_empty() {
        return Ok(());
    }
    let bodies: Vec<(i64, String)> = blocks
        .iter()
        .map(|(key, block)| {
            let body = serde_json::to_string(block).expect("a block is plain data");
            (*key, body)
        })
        .collect();
    store.append_blocks(name, &bodies).await
}

/// The last position before a time.
fn cursor_before(at_us: i64) -> ExposureCursor {
    ExposureCursor {
        at_us: at_us.saturating_sub(1),
        decision_id: Uuid::max(),
    }
}

/// What the rule says is to be done, why, and on which numbers.
fn next_action(case: &Case, standing: &Standing, now_us: i64) -> Option<(Action, String, String)> {
    let experiment = &*case.experiment;
    let rule = &experiment.definition.rule;
    let evidence = || serde_json::to_string(&standing.challengers).expect("evidence is plain data");
    let promoted = matches!(experiment.phase, Phase::Promoted { .. });
    if !(promoted || experiment.phase == Phase::Running) {
        return None;
    }
    let weights = &experiment.revision()?.weights;
    for (position, challenger) in standing.challengers.iter().enumerate() {
        if weights[position + 1] == 0.0 {
            continue;
        }
        match &challenger.verdict {
            Verdict::RollBack {
                arm,
                guardrail,
                log_e,
            } => {
                let reason = match guardrail {
                    Some(guardrail) => {
                        format!("`{arm}` harms `{guardrail}` (e-value {:.1})", log_e.exp())
                    }
                    None => format!("`{arm}` is worse (e-value {:.1})", log_e.exp()),
                };
                let action = if promoted {
                    Action::RollBack
                } else {
                    Action::Drop { arm: arm.clone() }
                };
                // The last challenger is rolled back by its own name.
                let last = weights[1..].iter().filter(|weight| **weight > 0.0).count() == 1;
                let action = if last { Action::RollBack } else { action };
                return Some((action, reason, evidence()));
            }
            Verdict::Promote { arm, log_e } if !promoted => {
                let reason = format!(
                    "`{arm}` is better (e-value {:.1}) and nothing speaks against it",
                    log_e.exp()
                );
                return Some((Action::Promote { arm: arm.clone() }, reason, evidence()));
            }
            _ => {}
        }
    }
    if let Phase::Promoted {
        holdback_until_us, ..
    } = experiment.phase
    {
        return (now_us >= holdback_until_us).then(|| {
            let reason = format!(
                "the holdback of {} days is over and showed no harm",
                rule.holdback_days
            );
            (Action::Complete, reason, evidence())
        });
    }
    if experiment.definition.design != Design::User {
        return None;
    }
    let broken = standing
        .challengers
        .iter()
        .any(|one| matches!(&one.evidence.broken, Some(broken) if !matches!(broken, crate::stats::verdict::Broken::Interference { .. })));
    let share = experiment.share();
    let next = rule
        .ramp
        .iter()
        .copied()
        .find(|step| *step > share + 1e-9)?;
    let hours = (now_us - experiment.revision()?.since_us) as f64 / 3_600e6;
    let wealths: Vec<f64> = case
        .ledger
        .guardrail_wealths()
        .iter()
        .map(|log| log.exp())
        .collect();
    let units = case.ledger.units_at_revision(experiment);
    (!broken && rule.may_advance(hours, units, &wealths)).then(|| {
        let reason = format!(
            "{hours:.1} hours and {units} mature units at {:.1} %, no guardrail in sight",
            100.0 * share
        );
        (Action::Ramp { share: next }, reason, evidence())
    })
}
