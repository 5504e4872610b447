//! `tierwise serve`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use tierwise_policies::artefact::{Artefact, Evidence, PolicyKind, SchemaStamp};
use tierwise_policies::rule::RulePolicy;
use tokio::net::TcpListener;

use super::wall_clock::WallClock;
use super::{Done, existing, output};
use crate::config::TomlFile;
use crate::failure::{Failure, failure_of};
use crate::router::clock::{Clock, CompressedClock, FollowingClock};
use crate::router::http;
use crate::router::registry::ServedPolicy;
use crate::router::service::Service;
use crate::router::settings::Settings;
use crate::run::BASELINE;
use crate::store;

/// Answer which tier and which policy: the live router
///
/// Decides over HTTP, records every exposure before it answers, takes outcomes in, and promotes or rolls back by itself.
/// `GET /openapi.json` describes the API.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// Configuration; configs/serve.toml explains every key.
    config: Option<PathBuf>,
    /// Address to listen on, instead of the configuration's; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// The store, instead of the configuration's.
    #[arg(long, value_name = "URL")]
    store: Option<String>,
    /// Folder of the spool, instead of the configuration's.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Run the router's clock so many times as fast, for demonstrations with `tierwise traffic`.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    speed: f64,
    /// Let the clock stand still but for the times that requests tell in the header `tierwise-at`, as `tierwise traffic`
    /// does: days pass in seconds. It stands at BEGIN (UTC) before the first.
    #[arg(
        long,
        value_name = "BEGIN",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "1970-01-01",
        conflicts_with = "speed"
    )]
    follow_traffic: Option<jiff::civil::DateTime>,
    /// Write logs as JSON lines.
    #[arg(long)]
    json_logs: bool,
    /// What to log: `error`, `warn`, `info`, `debug`, or a filter such as `tierwise=debug`.
    #[arg(long, value_name = "FILTER", default_value = "info")]
    log: String,
}

/// The rules that answer where nothing else is configured.
const SHIPPED_RULES: &str = include_str!("../../configs/rules.toml");

pub(super) fn run(args: &ServeArgs) -> Result<Done, Failure> {
    if !(args.speed.is_finite() && (1.0..=1e6).contains(&args.speed)) {
        return Err(Failure::new(format!("`--speed` is {}", args.speed))
            .detail("it lies in 1 to 1,000,000"));
    }
    let settings = settings(args)?;
    let baseline = baseline(&settings)?;
    start_logs(args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("cannot start threads: {e}")))?;
    runtime.block_on(serve(args, settings, baseline))
}

/// Reads the configuration and what the command line changes of it.
fn settings(args: &ServeArgs) -> Result<Settings, Failure> {
    let mut settings = match &args.config {
        None => Settings::default(),
        Some(path) => {
            existing(path, "configuration")?;
            let file = TomlFile::read(path)?;
            let settings: Settings = file.parse()?;
            settings
                .check()
                .map_err(|(key, value, expected)| file.value_error(key, value, expected))?;
            settings
        }
    };
    if let Some(listen) = args.listen {
        settings.listen = listen;
    }
    if let Some(store) = &args.store {
        settings.store.clone_from(store);
    }
    if let Some(data) = &args.data {
        settings.data.clone_from(data);
    }
    Ok(settings)
}

/// The rules that answer outside experiments and in place of a policy that cannot.
pub(super) fn baseline(settings: &Settings) -> Result<ServedPolicy, Failure> {
    let rules = match &settings.rules {
        None => {
            RulePolicy::from_toml(SHIPPED_RULES).expect("the shipped rules are checked by a test")
        }
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .map_err(|e| Failure::at(path, e).fix("name a rule file in `rules`"))?;
            RulePolicy::from_toml(&text).map_err(|e| Failure::at(path, e))?
        }
    };
    Ok(ServedPolicy::new(rule_artefact(BASELINE, rules)))
}

/// Hand-written rules as an artefact.
pub(super) fn rule_artefact(name: &str, rules: RulePolicy) -> Artefact {
    Artefact {
        id: name.to_owned(),
        created_by: format!("tierwise {}", env!("CARGO_PKG_VERSION")),
        learner: "rule".to_owned(),
        seed: 0,
        config_hash: String::new(),
        feature_schema: SchemaStamp::current(),
        reward_version: String::new(),
        evidence: Evidence::Written,
        serve_floor: 0.0,
        training: None,
        policy: PolicyKind::Rule { rules },
    }
}

fn start_logs(args: &ServeArgs) -> Result<(), Failure> {
    let filter = tracing_subscriber::EnvFilter::try_new(&args.log)
        .map_err(|e| Failure::new(format!("`--log {}`: {e}", args.log)).fix("try `--log info`"))?;
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second start in one process (tests) keeps the first's logs.
    let _ = if args.json_logs {
        logs.json().try_init()
    } else {
        logs.with_target(false).try_init()
    };
    Ok(())
}

async fn serve(
    args: &ServeArgs,
    settings: Settings,
    baseline: ServedPolicy,
) -> Result<Done, Failure> {
    let store = store::open(&settings.store)
        .await
        .map_err(|e| failure_of(&e))?;
    let has_keys = store
        .keys()
        .await
        .map_err(|e| failure_of(&e))?
        .iter()
        .any(|key| key.revoked_at_us.is_none());
    if !has_keys && !settings.listen.ip().is_loopback() {
        return Err(Failure::new(format!(
            "`listen` is {}, and there is no API key",
            settings.listen
        ))
        .detail("without keys anybody who reaches the address may do everything")
        .fix("listen on 127.0.0.1, or add a key: `tierwise store key add --role admin URL`"));
    }
    if !has_keys {
        tracing::warn!("no API keys: every client on this machine may do everything");
    }
    let clock = clock(args, &settings)?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|e| {
        Failure::new(format!("cannot listen on {}: {e}", settings.listen))
            .fix("another process may have the port; choose another with `--listen 127.0.0.1:0`")
    })?;
    let address = listener.local_addr().map_err(|e| failure_of(&e))?;
    let shown = store.url().to_owned();
    let (service, parts) = Service::open(settings, store, clock, baseline)
        .await
        .map_err(|e| failure_of(&e))?;
    let tasks = parts.start(&service);
    let app = http::app(service.clone()).into_make_service_with_connect_info::<SocketAddr>();
    output::text_line(&format!(
        "tierwise listens on http://{address}  (store {shown})"
    ))?;
    axum::serve(listener, app)
        .with_graceful_shutdown(asked_to_stop(service.clone()))
        .await
        .map_err(|e| failure_of(&e))?;
    tracing::info!("stopping: what is under way is finished");
    service.stop(tasks).await;
    Ok(Done::Fine)
}

/// The clock that the command line asks for.
fn clock(args: &ServeArgs, settings: &Settings) -> Result<Arc<dyn Clock>, Failure> {
    let Some(begin) = args.follow_traffic else {
        return Ok(if args.speed == 1.0 {
            Arc::new(WallClock::new())
        } else {
            Arc::new(CompressedClock::new(WallClock::new(), args.speed))
        });
    };
    if !settings.listen.ip().is_loopback() {
        return Err(Failure::new(format!(
            "`listen` is {}, with `--follow-traffic`",
            settings.listen
        ))
        .detail("whoever reaches the address could move the clock")
        .fix("listen on 127.0.0.1"));
    }
    let begin_us = begin
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|e| Failure::new(format!("`--follow-traffic`: {e}")))?
        .timestamp()
        .as_microsecond();
    tracing::info!("the clock follows its traffic: only `tierwise-at` moves it");
    Ok(Arc::new(FollowingClock::new(WallClock::new(), begin_us)))
}

/// Ctrl-C, or SIGTERM; streams end then.
async fn asked_to_stop(service: Arc<Service>) {
    let interrupted = async {
        // Without a handler the process ends by the signal itself.
        let _ = tokio::signal::ctrl_c().await;
    };
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminated) => tokio::select! {
                () = interrupted => {}
                _ = terminated.recv() => {}
            },
            Err(_) => interrupted.await,
        }
    }
    #[cfg(not(unix))]
    interrupted.await;
    service.closing.send_replace(true);
}
