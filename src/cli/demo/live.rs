//! The live half of the demonstration: a router in a process of its own, traffic over HTTP, a crash, a promotion.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Serialize;
use tierwise_policies::artefact::Artefact;
use tierwise_policies::rule::RulePolicy;
use tokio::sync::watch;

use super::super::serve::rule_artefact;
use super::super::wall_clock::WallClock;
use crate::config::{TomlFile, TrainConfig};
use crate::failure::{Failure, failure_of};
use crate::router::client::Client;
use crate::router::experiment::Definition;
use crate::run::BASELINE;
use crate::run::traffic::{Progress, TrafficPlan, TrafficResult, drive};
use crate::store::{self, HistoryRow, PolicyRow};

/// The test, also a runnable file.
const EXPERIMENT: &str = include_str!("../../../configs/demo_experiment.toml");
/// Decisions after which the router is killed.
const KILLED_AFTER: u64 = 250;
/// Most days of the calendar that the whole form sends; a promotion comes earlier.
const MOST_DAYS: u32 = 7;
/// Conversations of the quick form.
const QUICK_CONTACTS: u64 = 500;

/// What is to be tested live.
pub(super) struct Live<'a> {
    /// Folder of the demonstration.
    pub(super) out: &'a Path,
    /// Shop and centre.
    pub(super) config: &'a TrainConfig,
    /// The rules.
    pub(super) rules: RulePolicy,
    /// The learned version.
    pub(super) learned: Artefact,
    /// Seed of the customers.
    pub(super) seed: u64,
    /// Only the beginning.
    pub(super) quick: bool,
}

/// What happened.
#[derive(Debug, Serialize)]
pub(super) struct LiveResult {
    /// The store, left for whoever wants to look.
    pub(super) store: String,
    /// The experiment's key.
    pub(super) experiment: String,
    /// The traffic.
    pub(super) traffic: TrafficResult,
    /// Decisions that the store holds.
    pub(super) stored_decisions: u64,
    /// Events that the store holds.
    pub(super) stored_events: u64,
    /// Decisions answered when the router was killed.
    pub(super) killed_after: u64,
    /// What was done to the experiment, in words.
    pub(super) history: Vec<String>,
}

impl LiveResult {
    /// Decisions and events that were acknowledged and are not in the store.
    pub(super) fn lost(&self) -> u64 {
        let events = self.traffic.events.accepted + self.traffic.events.duplicates;
        self.traffic.decisions.saturating_sub(self.stored_decisions)
            + events.saturating_sub(self.stored_events)
    }

    /// The phase that the experiment reached.
    pub(super) fn phase(&self) -> &str {
        let view = self.traffic.experiment.as_ref();
        view.and_then(|view| view["phase"].as_str()).unwrap_or("-")
    }
}

/// Runs the live half.
pub(super) fn run(live: &Live<'_>) -> Result<LiveResult, Failure> {
    super::super::block_on(test(live))?
}

/// What remains after the test and where to look at it; reports of the experiment are drawn from the same store.
pub(super) fn left_behind(result: &LiveResult) -> Vec<String> {
    vec![format!(
        "the store stays: {}; `tierwise store check {0}` reads it, `tierwise store export --log LOG {0}` makes a log of it",
        result.store
    )]
}

async fn test(live: &Live<'_>) -> Result<LiveResult, Failure> {
    let url = fresh_store(live.out)?;
    register(live, &url).await?;
    let mut definition: Definition = TomlFile::new("demo_experiment.toml", EXPERIMENT).parse()?;
    let challenger = &mut definition.arms[1];
    challenger.name.clone_from(&live.learned.id);
    challenger.policy.clone_from(&live.learned.id);
    let mut router = Router::start(live.out, &url, "sync", None)?;
    create(&router.address, &definition).await?;
    let plan = TrafficPlan {
        url: router.address.clone(),
        api_key: None,
        experiment: Some(definition.key.clone()),
        contacts: live.quick.then_some(QUICK_CONTACTS),
        days: Some(if live.quick { 1 } else { MOST_DAYS }),
        seed: live.seed,
        until_decided: true,
        speed: None,
    };
    let (progress, watched) = watch::channel(Progress::default());
    let clock = WallClock::new();
    let (traffic, killed_after) = tokio::join!(
        drive(live.config, &plan, &clock, &progress),
        crash(&mut router, live.out, &url, watched)
    );
    // A router that did not come back is the cause, traffic that found nobody the consequence.
    let killed_after = killed_after?;
    let traffic = traffic.map_err(|e| failure_of(&e))?;
    // Everything is settled: the router has nothing left to do.
    drop(router);
    let store = store::open_existing(&url)
        .await
        .map_err(|e| failure_of(&e))?;
    let counts = store.exposure_counts(&definition.key).await;
    let events = store.event_counts().await;
    let history = store.history(&definition.key).await;
    store.close().await;
    let counts = counts.map_err(|e| failure_of(&e))?;
    let events = events.map_err(|e| failure_of(&e))?;
    Ok(LiveResult {
        store: url,
        experiment: definition.key,
        traffic,
        stored_decisions: counts.iter().map(|count| count.exposures).sum(),
        stored_events: events.iter().map(|count| count.events).sum(),
        killed_after,
        history: history
            .map_err(|e| failure_of(&e))?
            .iter()
            .map(line)
            .collect(),
    })
}

fn line(row: &HistoryRow) -> String {
    let entry = &row.entry;
    let at = tierwise_envs::time::UtcMicros(entry.at_us);
    format!(
        "{at}  {:<8} by {:<8} {}",
        entry.action, entry.actor, entry.reason
    )
}

/// Kills the router in the midst of its traffic and starts it again; how many decisions it had answered.
async fn crash(
    router: &mut Router,
    out: &Path,
    url: &str,
    mut watched: watch::Receiver<Progress>,
) -> Result<u64, Failure> {
    loop {
        let decisions = watched.borrow_and_update().decisions;
        if decisions >= KILLED_AFTER {
            router.kill();
            // The traffic meets a closed door for a while.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let port = router.address.clone();
            *router = Router::start(out, url, "async", Some(&port))?;
            return Ok(decisions);
        }
        if watched.changed().await.is_err() {
            return Ok(0);
        }
    }
}

/// A store without a past: a demonstration begins afresh.
fn fresh_store(out: &Path) -> Result<String, Failure> {
    let path = out.join("live.db");
    for suffix in ["", "-wal", "-shm", ".leader"] {
        let file = PathBuf::from(format!("{}{suffix}", path.display()));
        if file.exists() {
            std::fs::remove_file(&file).map_err(|e| Failure::at(&file, e))?;
        }
    }
    let data = out.join("live");
    if data.exists() {
        std::fs::remove_dir_all(&data).map_err(|e| Failure::at(&data, e))?;
    }
    Ok(format!("sqlite:{}", path.display()))
}

async fn register(live: &Live<'_>, url: &str) -> Result<(), Failure> {
    let store = store::open(url).await.map_err(|e| failure_of(&e))?;
    let rules = rule_artefact(BASELINE, live.rules.clone());
    for artefact in [rules, live.learned.clone()] {
        let (hash, text) = artefact.to_text();
        let row = PolicyRow {
            hash,
            name: artefact.id.clone(),
            registered_at_us: 0,
        };
        store
            .register_policy(&row, text.as_bytes())
            .await
            .map_err(|e| failure_of(&e))?;
    }
    store.close().await;
    Ok(())
}

async fn create(address: &str, definition: &Definition) -> Result<(), Failure> {
    let body = serde_json::json!({ "definition": definition, "reason": "the demonstration" });
    let answer = Client::new(Duration::from_secs(30))
        .send(
            hyper::Method::POST,
            &format!("{address}/v1/experiments"),
            &[("content-type", "application/json")],
            body.to_string(),
        )
        .await
        .map_err(|e| failure_of(&e))?;
    if answer.is_success() {
        return Ok(());
    }
    let detail = String::from_utf8_lossy(&answer.body).into_owned();
    Err(Failure::new("the router did not take the experiment").detail(detail))
}

/// A router in a process of its own; it ends with this value.
struct Router {
    child: Child,
    address: String,
}

impl Router {
    /// Starts one, on the address given or on a free port, and waits until it listens.
    fn start(
        out: &Path,
        url: &str,
        durability: &str,
        address: Option<&str>,
    ) -> Result<Self, Failure> {
        let settings = out.join("router.toml");
        // A busy machine must not make the rules answer for a policy: the same demonstration tells the same story.
        let text = format!("durability = \"{durability}\"\npolicy_budget_ms = 1000.0\n");
        std::fs::write(&settings, text).map_err(|e| Failure::at(&settings, e))?;
        let log = out.join("router.log");
        let errors = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(|e| Failure::at(&log, e))?;
        let cannot =
            |error: std::io::Error| Failure::new(format!("cannot start a router: {error}"));
        let program = std::env::current_exe().map_err(cannot)?;
        let listen = address.map_or("127.0.0.1:0", |address| {
            address.strip_prefix("http://").unwrap_or(address)
        });
        let mut child = Command::new(program)
            .arg("serve")
            .arg(&settings)
            .args(["--follow-traffic=2026-03-01", "--listen", listen])
            .args(["--store", url, "--data"])
            .arg(out.join("live"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(cannot)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(cannot)?;
        }
        let found = line
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .map(str::to_owned);
        let router = Self {
            child,
            address: found.unwrap_or_default(),
        };
        if router.address.is_empty() {
            return Err(Failure::new("the router did not start")
                .detail(format!("{} says why", log.display())));
        }
        Ok(router)
    }

    /// As a power cut would: no warning, no last words.
    fn kill(&mut self) {
        // One that has ended already is as dead as it will be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        self.kill();
    }
}
