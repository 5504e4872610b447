//! `tierwise sweep`.

use std::path::PathBuf;

use clap::Args;

use super::train::stop_on_interrupt;
use super::{Done, OutputArgs, directory, existing, output};
use crate::config::TomlFile;
use crate::failure::Failure;
use crate::run::{SweepResult, TrainInput, TrainOptions, sweep};

/// Train a grid or a random sample of settings and rank them on the tuning part
#[derive(Debug, Args)]
pub(super) struct SweepArgs {
    /// Training configuration with a `[sweep]` section.
    config: PathBuf,
    /// Conversation log to learn from.
    #[arg(long, value_name = "LOG")]
    log: Option<PathBuf>,
    /// Finite MDP to learn in (.json).
    #[arg(long, value_name = "FILE")]
    env: Option<PathBuf>,
    /// Directory for the trials.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Keep finished trials of a former sweep, and continue interrupted ones.
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &SweepArgs) -> Result<Done, Failure> {
    let file = TomlFile::read(&args.config)?;
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
    let options = TrainOptions {
        resume: args.resume,
        stop: stop_on_interrupt(),
        progress: &|_| {},
    };
    let result = sweep(&file, &input, &args.out, &options, &|i, n| {
        output::notice(&format!("trial {} of {n} …", i + 1));
    })?;
    if args.output.json {
        output::json(&result)?;
    } else {
        output::text_line(&table(&result))?;
    }
    Ok(Done::Fine)
}

fn table(result: &SweepResult) -> String {
    let mut lines = vec![format!(
        "{:<10} {:>10} {:>8}  {}",
        "trial", "score", "se", "settings"
    )];
    for trial in &result.trials {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("refused".to_owned(), |v| format!("{v:.digits$}"))
        };
        let settings: Vec<String> = trial
            .settings
            .iter()
            .map(|(key, value)| format!("{key} = {value}"))
            .collect();
        let name = trial
            .directory
            .file_name()
            .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        lines.push(format!(
            "{name:<10} {:>10} {:>8}  {}",
            number(trial.score, 5),
            trial
                .standard_error
                .map_or("-".to_owned(), |se| format!("{se:.5}")),
            settings.join(", ")
        ));
    }
    lines.push(
        "scores are on the tuning part; judge the winner with `tierwise evaluate`".to_owned(),
    );
    lines.join("\n")
}
