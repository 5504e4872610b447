//! `tierwise traffic`: customers of the simulated centre against a router.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::sync::watch;

use super::wall_clock::WallClock;
use super::{Done, OutputArgs, existing, output};
use crate::config::{TomlFile, TrainConfig};
use crate::failure::{Failure, failure_of};
use crate::run::traffic::{Progress, TrafficPlan, TrafficResult, drive};

/// Send the customers of a simulated contact centre to a router, and what becomes of them
///
/// Every decision is asked over HTTP; the answered tier goes into the simulation, and outcomes go back as events. With
/// `tierwise serve --follow-traffic` days pass in seconds; with `--speed` they pass at the router's speed.
#[derive(Debug, Args)]
pub(super) struct TrafficArgs {
    /// Configuration with `[shop]` and `[centre]`, such as configs/demo.toml.
    config: PathBuf,
    /// The router.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    url: String,
    /// File that holds an API key, where the router has keys: an admin's with `--experiment`.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The experiment; a draft is started.
    #[arg(long, value_name = "KEY")]
    experiment: Option<String>,
    /// Conversations that begin.
    #[arg(long, value_name = "N", conflicts_with = "days")]
    contacts: Option<u64>,
    /// Days of the calendar; the configuration's by default.
    #[arg(long, value_name = "D", value_parser = clap::value_parser!(u32).range(1..=3660))]
    days: Option<u32>,
    /// Seed of the customers.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// End as soon as the experiment is promoted or is otherwise no longer running.
    #[arg(long, value_name = "PHASE", requires = "experiment")]
    until: Option<Until>,
    /// Seconds of the centre in a second of real time, as `tierwise serve --speed`; by default the router's clock follows.
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,
    #[command(flatten)]
    output: OutputArgs,
}

/// When to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Until {
    /// When a challenger is promoted, or the test ends in another way.
    Promoted,
}

pub(super) fn run(args: &TrafficArgs) -> Result<Done, Failure> {
    existing(&args.config, "configuration")?;
    let config = TrainConfig::from_file(&TomlFile::read(&args.config)?)?;
    if let Some(speed) = args.speed
        && !(speed.is_finite() && (1.0..=1e6).contains(&speed))
    {
        return Err(
            Failure::new(format!("`--speed` is {speed}")).detail("it lies in 1 to 1,000,000")
        );
    }
    let api_key = match &args.key_file {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|e| Failure::at(path, e))?;
            Some(text.trim().to_owned())
        }
    };
    let plan = TrafficPlan {
        url: args.url.clone(),
        api_key,
        experiment: args.experiment.clone(),
        contacts: args.contacts,
        days: args.days,
        seed: args.seed,
        until_decided: args.until.is_some(),
        speed: args.speed,
    };
    let (progress, _) = watch::channel(Progress::default());
    let result = super::block_on(drive(&config, &plan, &WallClock::new(), &progress))?
        .map_err(|e| failure_of(&e))?;
    if args.output.json {
        output::json(&result)?;
    } else {
        output::text_line(&summary(&result))?;
    }
    Ok(Done::Fine)
}

/// The result as a table.
pub(super) fn summary(result: &TrafficResult) -> String {
    let mut out = format!(
        "{} conversations over {:.1} days: {} decisions in {:.1} s, {:.0} a second",
        result.contacts, result.days, result.decisions, result.seconds, result.decisions_per_second
    );
    let events = &result.events;
    out += &format!(
        "\n{} events, {} of them sent twice and counted once, {} refused; {} outcomes were still to come; {} requests sent again",
        events.accepted + events.duplicates,
        events.duplicates,
        events.rejected,
        result.outcomes_to_come,
        result.retried
    );
    for team in &result.made_even {
        out += &format!("\nso that both halves are alike, {team}");
    }
    if result.fallbacks > 0 {
        out += &format!(
            "\n{} decisions were answered by the rules in place of a policy",
            result.fallbacks
        );
    }
    out += &format!(
        "\n\n{:<16} {:>13} {:>8} {:>8} {:>7}  auto/review/human",
        "arm", "conversations", "reward", "human s", "left %"
    );
    for arm in &result.arms {
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let decisions: u64 = arm.tiers.iter().sum();
        let share = |tier: usize| 100.0 * arm.tiers[tier] as f64 / decisions.max(1) as f64;
        out += &format!(
            "\n{:<16} {:>13} {:>8} {:>8} {:>7}  {:.0} % / {:.0} % / {:.0} %",
            arm.arm,
            arm.conversations,
            number(arm.reward, 4),
            number(arm.human_s, 1),
            number(arm.abandoned.map(|share| 100.0 * share), 2),
            share(0),
            share(1),
            share(2)
        );
    }
    if let Some(view) = &result.experiment {
        out += &format!("\n\n{}", super::experiment::standing(view));
    }
    out
}
