//! `tierwise simulate`.

mod queue;

use std::path::PathBuf;

use clap::Args;

pub(super) use self::queue::{described, queue_config, read_queue, seconds, significant};

use super::{Done, OutputArgs, existing};
use crate::config::TomlFile;
use crate::failure::Failure;

/// Simulate a queue of people and show it beside exact theory
///
/// A file with a `[queue]` section is a plain queue; configs/queue.toml explains its keys.
#[derive(Debug, Args)]
pub(super) struct SimulateArgs {
    /// Configuration; configs/queue.toml explains every key.
    file: PathBuf,
    /// Seed, instead of the file's.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &SimulateArgs) -> Result<Done, Failure> {
    existing(&args.file, "file")?;
    let file = TomlFile::read(&args.file)?;
    let sections: toml::Table = file.parse()?;
    if sections.contains_key("queue") {
        queue::run(&file, args)
    } else {
        centre(&file, args)
    }
}

/// A file without a `[queue]` section.
fn centre(file: &TomlFile, _args: &SimulateArgs) -> Result<Done, Failure> {
    Err(Failure::at(file.path(), "there is no `[queue]` section")
        .detail("`tierwise simulate` runs plain queues: servers, arrivals, service, patience, priorities")
        .fix("add a `[queue]` section; configs/queue.toml explains every key"))
}
