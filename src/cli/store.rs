//! `tierwise store migrate|check|export`: the database of the live half, from outside.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Done, OutputArgs, output};
use crate::failure::{Failure, failure_of};
use crate::run::live_log::{LiveLog, export_log};
use crate::store::{self, CheckReport, ExportError, Exported, StoreError};

/// Look after the database of the live router
#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    Migrate(MigrateArgs),
    Check(CheckArgs),
    Export(ExportArgs),
    #[command(subcommand)]
    Key(super::keys::KeyCommand),
}

/// Create the tables, or bring those of an older tierwise up to this one
///
/// Stop the routers first, and keep a backup: there is no way back.
#[derive(Debug, Args)]
pub(super) struct MigrateArgs {
    /// The database: sqlite:PATH or postgres://USER@HOST/DATABASE.
    url: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// Read everything once and say what is broken
///
/// Exits with 1 when something is.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The database: sqlite:PATH or postgres://USER@HOST/DATABASE.
    url: String,
    #[command(flatten)]
    output: OutputArgs,
}

/// Write everything as lines of JSON, or decisions and outcomes as a conversation log
///
/// A log can be learned from and judged on: `tierwise train` and `tierwise evaluate` read it.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["jsonl", "log"]))]
pub(super) struct ExportArgs {
    /// The database: sqlite:PATH or postgres://USER@HOST/DATABASE.
    url: String,
    /// The file to write every row into, one a line.
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    /// The log to write: `.jsonl`, `.jsonl.gz` or `.parquet`.
    #[arg(long, value_name = "LOG")]
    log: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(command: StoreCommand) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the runtime: {error}")))?;
    runtime.block_on(async {
        match command {
            StoreCommand::Migrate(args) => migrate(&args).await,
            StoreCommand::Check(args) => check(&args).await,
            StoreCommand::Export(args) => export(&args).await,
            StoreCommand::Key(command) => super::keys::run(&command).await,
        }
    })
}

async fn migrate(args: &MigrateArgs) -> Result<Done, Failure> {
    let done = store::migrate(&args.url).await.map_err(failed)?;
    let url = store::shown(&args.url);
    if args.output.json {
        output::json(&json!({"store": url, "from": done.from, "to": done.to}))?;
    } else if done.from == done.to {
        output::text_line(&format!("{url} has schema {} already", done.to))?;
    } else {
        output::text_line(&format!("{url}: schema {} to {}", done.from, done.to))?;
    }
    Ok(Done::Fine)
}

async fn check(args: &CheckArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.url).await.map_err(failed)?;
    let report = store.check().await.map_err(failed)?;
    store.close().await;
    if args.output.json {
        output::json(&json!({
            "store": store.url(),
            "schema": report.schema,
            "experiments": report.experiments,
            "policies": report.policies,
            "exposures": report.exposures,
            "events": report.events,
            "orphans": report.orphans,
            "problems": report.problems,
        }))?;
    } else {
        output::text_line(&rendered(store.url(), &report))?;
    }
    Ok(if report.problems.is_empty() {
        Done::Fine
    } else {
        Done::NothingQualified
    })
}

fn rendered(url: &str, report: &CheckReport) -> String {
    let mut text = format!(
        "{url}, schema {}\n  experiments  {}\n  policies     {}\n  exposures    {}\n  events       {}",
        report.schema, report.experiments, report.policies, report.exposures, report.events
    );
    if report.orphans > 0 {
        let (n, decisions) = (report.orphans, "whose decision is not stored");
        text.push_str(&format!("\n               of which {n} {decisions}"));
    }
    if report.problems.is_empty() {
        text.push_str("\nsound");
    }
    for problem in &report.problems {
        text.push_str(&format!("\nbroken: {problem}"));
    }
    text
}

async fn export(args: &ExportArgs) -> Result<Done, Failure> {
    let store = store::open_existing(&args.url).await.map_err(failed)?;
    if let Some(path) = &args.log {
        let done = export_log(&*store, path).await.map_err(|e| failure_of(&e));
        store.close().await;
        return exported_log(args, path, &done?);
    }
    let path = args.jsonl.as_ref().expect("one of the two is given");
    let done = written(&*store, path).await?;
    store.close().await;
    if args.output.json {
        output::json(&json!({
            "store": store.url(),
            "file": path,
            "experiments": done.experiments,
            "audit": done.audit,
            "policies": done.policies,
            "blocks": done.blocks,
            "keys": done.keys,
            "exposures": done.exposures,
            "events": done.events,
        }))?;
    } else {
        output::text_line(&format!(
            "{} exposures, {} events, {} experiments with {} audit entries and {} blocks, {} policies and {} API keys \
             written to {}",
            done.exposures,
            done.events,
            done.experiments,
            done.audit,
            done.blocks,
            done.policies,
            done.keys,
            path.display()
        ))?;
    }
    Ok(Done::Fine)
}

/// Says what stands in the log, and what does not.
fn exported_log(args: &ExportArgs, path: &Path, done: &LiveLog) -> Result<Done, Failure> {
    if args.output.json {
        output::json(&json!({"store": store::shown(&args.url), "file": path, "log": done}))?;
        return Ok(Done::Fine);
    }
    let mut text = format!(
        "{} conversations with {} decisions written to {}\n  log hash {}",
        done.log.conversations,
        done.log.decisions,
        path.display(),
        done.log.hash
    );
    if done.without_observation > 0 {
        text.push_str(&format!(
            "\n  {} conversations left out: their observations were not kept (`keep_observations = false`)",
            done.without_observation
        ));
    }
    if done.without_class > 0 {
        text.push_str(&format!(
            "\n  {} conversations have no reward: nobody sent `tierwise.class.v1` for them",
            done.without_class
        ));
    }
    output::text_line(&text)?;
    Ok(Done::Fine)
}

/// Writes beside the file's place and renames: an export that fails leaves the old one.
async fn written(store: &dyn store::Store, path: &Path) -> Result<Exported, Failure> {
    let cannot = |error: std::io::Error| Failure::at(path, format!("cannot be written: {error}"));
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let beside = tempfile::NamedTempFile::new_in(folder).map_err(cannot)?;
    let mut out: BufWriter<&File> = BufWriter::with_capacity(1 << 16, beside.as_file());
    let done = match store::export_jsonl(store, &mut out).await {
        Ok(done) => done,
        Err(ExportError::Output(error)) => return Err(cannot(error)),
        Err(error) => return Err(failure_of(&error)),
    };
    drop(out);
    beside.as_file().sync_all().map_err(cannot)?;
    beside.persist(path).map_err(|error| cannot(error.error))?;
    Ok(done)
}

fn failed(error: StoreError) -> Failure {
    failure_of(&error)
}
