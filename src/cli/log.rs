//! `tierwise log check` and `tierwise log generate`.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clap::{Args, Subcommand, ValueEnum};
use tierwise_envs::centre::generate_log;
use tierwise_envs::class::ActionSource;
use tierwise_envs::log::check::LogCheck;
use tierwise_envs::log::error::LogError;
use tierwise_envs::log::file::{LogSummary, LogWriter};
use tierwise_envs::log::model::Conversation;
use tierwise_envs::reward::RewardSpec;
use tierwise_envs::shop::{LogIdentity, MaskedChoice, ShopConfig};
use tierwise_envs::tier::Tier;
use tierwise_policies::policy::{Fixed, Policy, Uniform};
use tierwise_policies::view::mixed;

use super::train::stop_on_interrupt;
use super::{Done, OutputArgs, existing, output};
use crate::config::{ConfigError, TomlFile, TrainConfig};
use crate::failure::{Failure, failure_of};
use crate::run::{centre_stage, shop_world};

/// Check or generate conversation logs
#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    Check(CheckArgs),
    Generate(GenerateArgs),
}

/// Say what a log holds, and what may and may not be claimed from it
///
/// Exits with 1 when the log has broken rows: training and judging refuse them.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    /// The log (.parquet, .jsonl, .jsonl.gz).
    log: PathBuf,
    #[command(flatten)]
    output: OutputArgs,
}

/// Generate a log with known truth from a simulated shop or contact centre
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// Configuration: of a shop (configs/shop.toml), where load follows the hour, or with a `[centre]` (configs/centre.toml),
    /// where people are shared.
    config: PathBuf,
    /// The log to write.
    #[arg(long, value_name = "LOG")]
    out: PathBuf,
    /// Who decides.
    #[arg(long, value_enum, default_value_t = PolicyArg::Rule)]
    policy: PolicyArg,
    /// Share of decisions taken at random over the allowed tiers, so that other policies can be judged; in [0, 1].
    #[arg(long, default_value_t = 0.3, value_name = "SHARE")]
    explore: f64,
    /// Seed of the shop's customers.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PolicyArg {
    /// The rules of the configuration.
    Rule,
    /// Every allowed tier alike.
    Uniform,
    /// Always tier 1 where allowed.
    Auto,
    /// Always tier 2.
    Review,
    /// Always tier 3 where allowed.
    Human,
}

pub(super) fn run(command: LogCommand) -> Result<Done, Failure> {
    match command {
        LogCommand::Check(args) => check(&args),
        LogCommand::Generate(args) => generate(&args),
    }
}

fn check(args: &CheckArgs) -> Result<Done, Failure> {
    existing(&args.log, "log")?;
    let check = check_log(&args.log, &RewardSpec::default())?;
    if args.output.json {
        output::json(&check)?;
    } else {
        output::text_line(&check.render())?;
    }
    // Whoever learns from the log or judges on it refuses a broken row.
    Ok(if check.row_errors.is_empty() {
        Done::Fine
    } else {
        Done::NothingQualified
    })
}

/// One pass over a log.
pub(super) fn check_log(path: &Path, reward: &RewardSpec) -> Result<LogCheck, Failure> {
    LogCheck::read(path, reward).map_err(|error| failure_of(&error))
}

/// Reads and checks a shop's configuration.
fn shop(file: &TomlFile) -> Result<ShopConfig, ConfigError> {
    let shop: ShopConfig = file.parse()?;
    match shop.validate() {
        Ok(()) => Ok(shop),
        Err(error) => Err(file.value_error(&error.key, error.value, error.expected)),
    }
}

/// A shop's own file, or a configuration with a `[centre]` or a `[shop]`: those have a name.
fn configuration(file: &TomlFile) -> Result<TrainConfig, Failure> {
    // What is no TOML at all is a shop's file that is told so.
    let keys: toml::Table = file.parse().unwrap_or_default();
    if keys.contains_key("name") && (keys.contains_key("centre") || keys.contains_key("shop")) {
        return Ok(TrainConfig::from_file(file)?);
    }
    let mut config = TrainConfig::from_file(&TomlFile::new("", "name = \"shop\""))?;
    config.shop = shop(file).map_err(|error| {
        Failure::from(error).fix("configs/shop.toml explains every key and its range")
    })?;
    Ok(config)
}

fn generate(args: &GenerateArgs) -> Result<Done, Failure> {
    let file = TomlFile::read(&args.config)?;
    let config = configuration(&file)?;
    if !(0.0..=1.0).contains(&args.explore) {
        return Err(Failure::new(format!("`--explore` is {}", args.explore))
            .detail("it is a share in [0, 1]"));
    }
    let (policy, name, source): (Box<dyn Policy>, &str, ActionSource) = match args.policy {
        PolicyArg::Rule => (Box::new(config.rules()), "rule", ActionSource::Rule),
        PolicyArg::Uniform => (Box::new(Uniform), "uniform", ActionSource::Policy),
        PolicyArg::Auto => (Box::new(Fixed(Tier::Auto)), "auto", ActionSource::Policy),
        PolicyArg::Review => (
            Box::new(Fixed(Tier::Review)),
            "review",
            ActionSource::Policy,
        ),
        PolicyArg::Human => (Box::new(Fixed(Tier::Human)), "human", ActionSource::Policy),
    };
    let identity = LogIdentity {
        seed: args.seed,
        policy_id: name.to_owned(),
        policy_version: format!("{}+explore-{}", config.hash(), args.explore),
        action_source: source,
    };
    let summary = write_log(&config, policy.as_ref(), args.explore, &identity, &args.out)?;
    if args.output.json {
        output::json(&summary)?;
    } else {
        output::text_line(&format!(
            "{} conversations with {} decisions written to {}\n  log hash {}",
            summary.conversations,
            summary.decisions,
            args.out.display(),
            summary.hash
        ))?;
    }
    Ok(Done::Fine)
}

/// Why a log could not be generated.
enum GenerateError {
    Log(LogError),
    Choice(MaskedChoice),
    Interrupted,
}

impl From<MaskedChoice> for GenerateError {
    fn from(error: MaskedChoice) -> Self {
        Self::Choice(error)
    }
}

/// Writes the log of a shop under a policy that explores.
pub(super) fn write_log(
    config: &TrainConfig,
    policy: &dyn Policy,
    explore: f64,
    identity: &LogIdentity,
    out: &Path,
) -> Result<LogSummary, Failure> {
    let stop = stop_on_interrupt();
    let mut writer = LogWriter::create(out).map_err(|error| failure_of(&error))?;
    let choose =
        |at: &tierwise_envs::env::Situation<'_>| mixed(policy.probabilities(at), at.mask, explore);
    let sink = |conversation: Conversation| {
        // Ended here and not by the signal, so that the half-written file goes away.
        if stop.load(Ordering::Relaxed) {
            return Err(GenerateError::Interrupted);
        }
        writer.write(&conversation).map_err(GenerateError::Log)
    };
    let written = if config.centre.is_some() {
        generate_log(&centre_stage(config)?, identity, &choose, sink)
    } else {
        shop_world(config)?.generate_log(identity, &choose, sink)
    };
    match written {
        Ok(_) => writer.finish().map_err(|error| failure_of(&error)),
        Err(GenerateError::Log(error)) => Err(failure_of(&error)),
        Err(GenerateError::Choice(error)) => Err(failure_of(&error)),
        Err(GenerateError::Interrupted) => Err(Failure {
            exit_code: Failure::INTERRUPTED,
            ..Failure::at(out, "interrupted; nothing was written")
        }),
    }
}
