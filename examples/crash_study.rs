//! Kills routers at random moments under load and counts what was lost.
//!
//!     cargo run --release --example crash_study -- --store sqlite:crash.db --kills 50 --events 1000000
//!     scripts/with-postgres.sh cargo run --release --example crash_study -- --routers 2 --kills 50 --events 1000000
//!
//! Clients ask for decisions and send events, trying again until they are acknowledged. Routers are killed with SIGKILL and
//! started again. In the end every acknowledged decision must be in the store, every event must be there exactly once, and
//! every propensity must come out as recorded.

use std::collections::HashSet;
use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::Parser;
use hyper::Method;
use serde_json::{Value, json};
use tierwise::router::client::Client;
use tierwise::store;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

#[derive(Parser)]
struct Options {
    /// The store; by default `TIERWISE_TEST_POSTGRES_URL`, else an SQLite file.
    #[arg(long)]
    store: Option<String>,
    /// Routers on it.
    #[arg(long, default_value_t = 1)]
    routers: usize,
    /// How often one is killed.
    #[arg(long, default_value_t = 50)]
    kills: u32,
    /// Events to be sent at least.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,
    /// Clients at once.
    #[arg(long, default_value_t = 8)]
    clients: usize,
    /// The program.
    #[arg(long, default_value = "target/release/tierwise")]
    tierwise: PathBuf,
    /// Shell command that restarts the database, run after every tenth kill.
    #[arg(long)]
    restart_database: Option<String>,
}

/// A router process, started again after every kill on the same port and data.
struct Router {
    port: u16,
    data: PathBuf,
    child: Option<Child>,
}

impl Router {
    fn start(&mut self, options: &Options, store: &str) -> Outcome<()> {
        let mut child = Command::new(&options.tierwise)
            .args(["serve", "--store", store, "--log", "error"])
            .arg("--listen")
            .arg(format!("127.0.0.1:{}", self.port))
            .arg("--data")
            .arg(&self.data)
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = child.stdout.take().ok_or("no output")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let port = line.split_whitespace().find_map(|word| {
            word.strip_prefix("http://")?
                .rsplit(':')
                .next()?
                .parse()
                .ok()
        });
        self.port = port.ok_or_else(|| format!("the router did not start: {line}"))?;
        self.child = Some(child);
        Ok(())
    }

    fn kill(&mut self) -> Outcome<()> {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    fn stop(&mut self) -> Outcome<()> {
        if let Some(mut child) = self.child.take() {
            Command::new("kill").arg(child.id().to_string()).status()?;
            child.wait()?;
        }
        Ok(())
    }
}

/// What clients share.
#[derive(Default)]
struct Tally {
    decisions: Mutex<Vec<Uuid>>,
    events: AtomicU64,
    retries: AtomicU64,
    done: AtomicBool,
}

async fn client(number: usize, ports: Vec<u16>, tally: Arc<Tally>) {
    let http = Client::new(Duration::from_secs(5));
    let mut turn = number;
    let mut unit = 0_u64;
    while !tally.done.load(Ordering::Relaxed) {
        unit += 1;
        let body = json!({ "unit_id": format!("客户-{number}-{unit}"), "context": { "sentiment": 0.1, "turn": 1 } }).to_string();
        let answer = insist(&http, &ports, &mut turn, "/v1/decide", &body, &tally).await;
        let decision: Value = serde_json::from_slice(&answer).unwrap_or_default();
        let id = decision["decision_id"].as_str().unwrap_or_default();
        let Ok(id) = Uuid::parse_str(id) else {
            continue;
        };
        tally
            .decisions
            .lock()
            .unwrap_or_else(|e| e.into_inner())
            .push(id);
        let events: Vec<Value> = (0..500)
            .map(|_| {
                json!({
                    "specversion": "1.0", "id": Uuid::now_v7().to_string(), "source": "crash-study",
                    "type": "tierwise.click.v1", "data": { "decision_id": id.to_string() },
                })
            })
            .collect();
        let count = events.len() as u64;
        insist(
            &http,
            &ports,
            &mut turn,
            "/v1/events",
            &Value::Array(events).to_string(),
            &tally,
        )
        .await;
        tally.events.fetch_add(count, Ordering::Relaxed);
    }
}

/// Sends until it is acknowledged, to one router after the other.
async fn insist(
    http: &Client,
    ports: &[u16],
    turn: &mut usize,
    path: &str,
    body: &str,
    tally: &Tally,
) -> Vec<u8> {
    loop {
        let url = format!("http://127.0.0.1:{}{path}", ports[*turn % ports.len()]);
        let answer = http
            .send(
                Method::POST,
                &url,
                &[("content-type", "application/json")],
                body.to_owned(),
            )
            .await;
        match answer {
            Ok(answer) if answer.is_success() => return answer.body.to_vec(),
            _ => {
                tally.retries.fetch_add(1, Ordering::Relaxed);
                *turn += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

fn free_port() -> Outcome<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}

fn run(command: &mut Command) -> Outcome<()> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

async fn prepare(options: &Options, store: &str, folder: &Path, port: u16) -> Outcome<()> {
    for (name, default) in [("a", "auto"), ("b", "review")] {
        let rules = folder.join(format!("{name}.toml"));
        std::fs::write(
            &rules,
            format!(
                "default = \"{default}\"\n[[rule]]\nname = \"angry\"\nfeatures = {{ sentiment = {{ max = -0.5 }} }}\nthen = \"human\"\n"
            ),
        )?;
        run(Command::new(&options.tierwise)
            .args(["policy", "register"])
            .arg(&rules)
            .args(["--name", name, "--store", store]))?;
    }
    let definition = json!({
        "key": "crash", "pool": { "shared": false }, "rule": { "ramp": [0.5] },
        "arm": [{ "name": "a", "policy": "a" }, { "name": "b", "policy": "b" }],
        "primary": { "name": "click", "event": "tierwise.click.v1", "window_hours": 24.0 },
    });
    let http = Client::new(Duration::from_secs(5));
    for (path, body) in [
        ("/v1/experiments", json!({ "definition": definition })),
        ("/v1/experiments/crash/start", json!({})),
    ] {
        let url = format!("http://127.0.0.1:{port}{path}");
        let answer = http.send(Method::POST, &url, &[], body.to_string()).await?;
        if !answer.is_success() {
            return Err(String::from_utf8_lossy(&answer.body).into_owned().into());
        }
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a study may look at its environment and at the time"
)]
#[tokio::main]
async fn main() -> Outcome<()> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let url = options
        .store
        .clone()
        .or_else(|| std::env::var("TIERWISE_TEST_POSTGRES_URL").ok())
        .unwrap_or_else(|| format!("sqlite:{}", folder.path().join("crash.db").display()));
    let mut routers = Vec::new();
    for number in 0..options.routers {
        let data = folder.path().join(format!("data-{number}"));
        std::fs::create_dir_all(&data)?;
        // Routers of one store share the key that hashes ids.
        std::fs::write(data.join("unit.key"), [7; 32])?;
        let mut router = Router {
            port: free_port()?,
            data,
            child: None,
        };
        router.start(&options, &url)?;
        routers.push(router);
    }
    prepare(&options, &url, folder.path(), routers[0].port).await?;
    tokio::time::sleep(Duration::from_secs(1)).await;

    let tally = Arc::new(Tally::default());
    let ports: Vec<u16> = routers.iter().map(|router| router.port).collect();
    let begun = std::time::Instant::now();
    let clients: Vec<_> = (0..options.clients)
        .map(|number| tokio::spawn(client(number, ports.clone(), tally.clone())))
        .collect();
    let mut kills = 0;
    while kills < options.kills || tally.events.load(Ordering::Relaxed) < options.events {
        // A moment that no schedule knows: 50 ms to 1 s from the bits of a fresh id.
        let random = Uuid::new_v4().as_u128();
        tokio::time::sleep(Duration::from_millis(50 + (random % 950) as u64)).await;
        if kills >= options.kills {
            continue;
        }
        kills += 1;
        let which = (random >> 64) as usize % routers.len();
        routers[which].kill()?;
        if let Some(command) = options
            .restart_database
            .as_ref()
            .filter(|_| kills % 10 == 0)
        {
            run(Command::new("sh").args(["-c", command]))?;
        }
        routers[which].start(&options, &url)?;
    }
    tally.done.store(true, Ordering::Relaxed);
    for client in clients {
        client.await?;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for router in &mut routers {
        router.stop()?;
    }

    let store = store::open_existing(&url).await?;
    let mut stored = HashSet::new();
    let mut after = None;
    loop {
        let page = store.decisions(after, 2_000).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.exposure.decision_id);
        stored.extend(page.iter().map(|row| row.exposure.decision_id));
    }
    let events: u64 = store
        .event_counts()
        .await?
        .iter()
        .map(|kind| kind.events)
        .sum();
    let report = store.check().await?;
    store.close().await;
    let acknowledged = tally.decisions.lock().map_err(|e| e.to_string())?.clone();
    let lost = acknowledged
        .iter()
        .filter(|id| !stored.contains(*id))
        .count();
    let sent = tally.events.load(Ordering::Relaxed);
    println!("store                         {}", store.url());
    println!(
        "routers, kills, seconds       {}, {kills}, {seconds:.0}",
        options.routers
    );
    println!(
        "requests tried again          {}",
        tally.retries.load(Ordering::Relaxed)
    );
    println!(
        "decisions acknowledged, lost  {}, {lost}",
        acknowledged.len()
    );
    println!("events acknowledged           {sent}");
    println!("events in the store           {events}");
    println!("events without a decision     {}", report.orphans);
    println!("problems                      {:?}", report.problems);
    let audit = Command::new(&options.tierwise)
        .args(["experiment", "audit", "crash", "--store", &url])
        .output()?;
    println!("{}", String::from_utf8_lossy(&audit.stdout));
    if lost > 0 || events != sent || !audit.status.success() || !report.problems.is_empty() {
        return Err("something was lost, counted twice, or altered".into());
    }
    Ok(())
}
