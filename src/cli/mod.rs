//! The command line: what can be asked, and the room that answers.
//!
//! Only this folder and `main.rs` print, and only they read the environment. Commands return a [`Failure`] and never
//! print one.

mod analyze;
mod analyze_table;
mod calibrate;
mod demo;
mod evaluate;
mod experiment;
mod forecast;
mod import;
mod keys;
mod log;
mod output;
mod plan;
mod policy;
mod progress;
mod report;
mod serve;
mod simulate;
mod staff;
mod store;
mod sweep;
mod traffic;
mod train;
mod wall_clock;

use std::ffi::OsString;
use std::path::Path;

use clap::{Args, Parser, Subcommand};

use tierwise_policies::artefact::{Artefact, Version};

use crate::failure::{Failure, failure_of};

/// Learn, prove and ship the response tier of every customer message.
#[derive(Debug, Parser)]
#[command(
    name = "tierwise",
    version,
    arg_required_else_help = true,
    max_term_width = 100
)]
#[command(
    after_help = "Start with `tierwise demo`: the whole loop on a generated shop, with a report at the end.\n\
    Exit codes: 0 done; 1 ran, but nothing qualified; 2 could not run."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Threads to use; results do not depend on it. Default: every core.
    #[arg(long, global = true, value_name = "N")]
    threads: Option<usize>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArgs),
    Import(import::ImportArgs),
    #[command(subcommand)]
    Log(log::LogCommand),
    Train(train::TrainArgs),
    Evaluate(evaluate::EvaluateArgs),
    Forecast(forecast::ForecastArgs),
    Analyze(analyze::AnalyzeArgs),
    Plan(plan::PlanArgs),
    Sweep(sweep::SweepArgs),
    Calibrate(calibrate::CalibrateArgs),
    Report(report::ReportArgs),
    Simulate(simulate::SimulateArgs),
    Staff(staff::StaffArgs),
    Serve(serve::ServeArgs),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    Experiment(experiment::ExperimentArgs),
    Traffic(traffic::TrafficArgs),
    #[command(subcommand)]
    Store(store::StoreCommand),
}

/// Options of every command that prints results.
#[derive(Debug, Clone, Copy, Args)]
struct OutputArgs {
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// What a command ended with when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Exit code 0.
    Fine,
    /// Ran, but nothing qualified: exit code 1.
    NothingQualified,
}

/// Checks that every argument is UTF-8, before any work: results name paths in JSON, which holds nothing else.
///
/// # Errors
/// A [`Failure`] with the argument.
pub fn readable(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    match arguments.into_iter().find(|text| text.to_str().is_none()) {
        None => Ok(()),
        Some(text) => Err(Failure::new(format!("the argument {text:?} is not UTF-8"))
            .detail("results name their inputs in JSON, which is UTF-8")
            .fix("rename the file or folder")),
    }
}

/// Runs the command that was asked for.
///
/// # Errors
/// A [`Failure`] that says where, what and how to fix it.
pub fn run(cli: Cli) -> Result<Done, Failure> {
    if let Some(threads) = cli.threads {
        if !(1..=1024).contains(&threads) {
            return Err(
                Failure::new(format!("`--threads` is {threads}")).detail("it lies in 1 to 1024")
            );
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| Failure::new(format!("cannot start {threads} threads: {e}")))?;
    }
    match cli.command {
        Command::Demo(args) => demo::run(&args),
        Command::Import(args) => import::run(args),
        Command::Log(command) => log::run(command),
        Command::Train(args) => train::run(&args),
        Command::Evaluate(args) => evaluate::run(&args),
        Command::Forecast(args) => forecast::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Sweep(args) => sweep::run(&args),
        Command::Calibrate(args) => calibrate::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Staff(args) => staff::run(&args),
        Command::Serve(args) => serve::run(&args),
        Command::Policy(command) => policy::run(&command),
        Command::Experiment(args) => experiment::run(&args),
        Command::Traffic(args) => traffic::run(&args),
        Command::Store(command) => store::run(command),
    }
}

/// Runs what waits for a database or a network.
fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Failure::new(format!("cannot start a runtime: {e}")))?;
    Ok(runtime.block_on(work))
}

/// A path argument that must exist, checked before any work.
fn existing(path: &Path, what: &str) -> Result<(), Failure> {
    if path.exists() {
        Ok(())
    } else {
        Err(Failure::at(path, format!("no such {what}")).fix("check the path"))
    }
}

/// A directory to write into: missing, or a directory already.
fn directory(path: &Path) -> Result<(), Failure> {
    if path.exists() && !path.is_dir() {
        return Err(
            Failure::at(path, "a file, where a directory is to be written")
                .fix("choose another `--out`"),
        );
    }
    Ok(())
}

/// Loads a version to be judged.
fn version(path: &Path) -> Result<Version, Failure> {
    existing(path, "version")?;
    Artefact::load(path).map_err(|error| {
        failure_of(&error)
            .fix("name a directory that `tierwise train` wrote; train again if it was changed")
    })
}
