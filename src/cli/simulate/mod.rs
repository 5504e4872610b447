//! `tierwise simulate`.

mod centre;
mod designs;
mod queue;
mod replay;
mod sensitivity;

use std::path::PathBuf;

use clap::Args;

pub(super) use self::centre::table as centre_table;
use self::designs::DesignArg;
pub(super) use self::queue::{described, queue_config, read_queue, seconds, significant};

use super::{Done, OutputArgs, existing};
use crate::config::TomlFile;
use crate::failure::Failure;

/// Simulate a contact centre under one or more policies, or a plain queue beside exact theory
///
/// A file with a `[centre]` section is a contact centre, configs/centre.toml explains its keys; one with a `[queue]`
/// section is a plain queue, configs/queue.toml explains its keys.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Configuration of a centre or a queue.
    file: PathBuf,
    /// Seed, instead of the file's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A policy to simulate, instead of the file's: rule, auto, review, human, uniform, a version's directory or a rules file.
    /// The first is what the others are compared with.
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Set a key of the configuration, such as `shop.daily_contacts=3000`; can be given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Play designs of an A/B test of two policies, beside the truth: all customers under one, all under the other.
    #[arg(long, value_enum, value_name = "DESIGN")]
    ab: Vec<DesignArg>,
    /// Also vary the centre's numbers by 20 %, one at a time and in so many samples of a Latin hypercube.
    #[arg(long, value_name = "SAMPLES", num_args = 0..=1, default_missing_value = "50", conflicts_with = "ab", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    sensitivity: Option<u32>,
    /// Let the customers of a log come, with their times, texts and classes, instead of simulated ones.
    #[arg(long, value_name = "LOG", conflicts_with_all = ["ab", "out", "sensitivity"])]
    log: Option<PathBuf>,
    /// Replicas of the period, instead of the file's.
    #[arg(long, value_name = "N")]
    replicas: Option<u32>,
    /// Directory for the result, from which `tierwise report` draws its page.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &SimulateArgs) -> Result<Done, Failure> {
    existing(&args.file, "file")?;
    let file = TomlFile::read(&args.file)?.with_settings(&args.set)?;
    let sections: toml::Table = file.parse()?;
    if sections.contains_key("queue") {
        queue::run(&file, args)
    } else {
        centre::run(&file, args)
    }
}
