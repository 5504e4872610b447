//! `tierwise train`.

pub(in crate::cli) mod table;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::progress::Stage;
use super::{Done, OutputArgs, directory, existing, output};
use crate::config::{TomlFile, TrainConfig};
use crate::failure::Failure;
use crate::run::{TrainInput, TrainOptions, TrainResult, train};

/// Learn a tier policy, or a policy of any logged table, and freeze it as a version
#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// Training configuration in TOML; configs/reference.toml explains every key.
    #[arg(required_unless_present = "table", conflicts_with = "table")]
    config: Option<PathBuf>,
    /// Conversation log to learn from (.parquet, .jsonl, .jsonl.gz).
    #[arg(long, value_name = "LOG")]
    log: Option<PathBuf>,
    /// Finite MDP to learn in (.json).
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
    /// Directory for the version, curves and checkpoints.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// First seed; overrides `learner.seed`. With a table: places rows in folds.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Set a key of the configuration, such as `learner.coupling=toll`; can be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Continue an interrupted run, bit for bit.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    any: table::TableArgs,
}

pub(super) fn run(args: &TrainArgs) -> Result<Done, Failure> {
    if let Some(path) = &args.any.table {
        return table::run(path, args);
    }
    let config = args
        .config
        .as_ref()
        .ok_or_else(|| Failure::new("name a configuration or a `--table`"))?;
    let file = TomlFile::read(config)?.with_settings(&args.set)?;
    let mut config = TrainConfig::from_file(&file)?;
    if let Some(seed) = args.seed {
        config.learner.seed = seed;
    }
    for (path, what) in [(&args.log, "log"), (&args.env, "environment file")] {
        if let Some(path) = path {
            existing(path, what)?;
        }
    }
    directory(&args.out)?;
    let input = TrainInput {
        loaded: None,
        log: args.log.clone(),
        mdp: args.env.clone(),
    };
    let result = train_with_progress(&config, &input, &args.out, args.resume)?;
    if args.output.json {
        output::json(&result)?;
    } else {
        output::text_line(&summary(&result, &args.out))?;
    }
    Ok(Done::Fine)
}

/// The flag that Ctrl-C raises, for a stop at the next checkpoint. A second Ctrl-C ends the program at once, which loses
/// no checkpoint: files are written under a temporary name.
pub(super) fn stop_on_interrupt() -> &'static AtomicBool {
    static STOP: AtomicBool = AtomicBool::new(false);
    // Installed once a process; a second training in the same process shares it.
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(Failure::INTERRUPTED.into());
        }
    });
    &STOP
}

/// Trains with a progress bar; Ctrl-C stops at the next checkpoint.
pub(super) fn train_with_progress(
    config: &TrainConfig,
    input: &TrainInput,
    out: &std::path::Path,
    resume: bool,
) -> Result<TrainResult, Failure> {
    let seeds = u64::from(config.training.seeds);
    let total = config.training.steps.saturating_mul(seeds);
    let stage = Stage::start(&format!("train {}", config.name), total);
    let options = TrainOptions {
        resume,
        stop: stop_on_interrupt(),
        progress: &|steps| stage.advance(steps),
    };
    Ok(train(config, input, out, &options)?)
}

fn summary(result: &TrainResult, out: &std::path::Path) -> String {
    let mut lines = vec![format!(
        "{}: {} over {} seed{}, {} decisions each",
        result.name,
        result.learner,
        result.seeds.len(),
        if result.seeds.len() == 1 { "" } else { "s" },
        result
            .seeds
            .first()
            .and_then(|s| s.curve.last())
            .map_or(0, |p| p.steps),
    )];
    let number = |value: Option<f64>| value.map_or("refused".to_owned(), |v| format!("{v:.4}"));
    if let Some(mdp) = &result.mdp {
        lines.push(format!(
            "  {}: learned {}, optimal {:.6}, myopic {} (exact)",
            mdp.criterion.replace('_', " "),
            mdp.learned.map_or(
                "none: the greedy policy never ends".to_owned(),
                |v| format!("{v:.6}")
            ),
            mdp.optimum,
            mdp.myopic.map_or("none".to_owned(), |v| format!("{v:.6}")),
        ));
    } else {
        lines.push(format!(
            "  tuning reward {} (rule baseline {}), kept seed {} after {} decisions",
            number(result.score.value),
            number(result.baseline.and_then(|b| b.value)),
            result.chosen_seed,
            result.chosen_steps,
        ));
    }
    if let Some(log) = &result.log {
        lines.push(format!(
            "  log {}: {} conversations learned from, {} tuned on, {} kept for judging",
            log.path.display(),
            log.train,
            log.tune,
            log.judge
        ));
    }
    for warning in &result.warnings {
        lines.push(format!("  note: {warning}"));
    }
    match &result.version {
        Some(version) => lines.push(format!("  version {version} in {}", out.display())),
        None => lines.push(format!("  table in {}", out.join("q-table.json").display())),
    }
    lines.join("\n")
}
