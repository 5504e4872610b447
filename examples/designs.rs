//! The interference table: what test designs measure of two policies in one centre, beside the truth.
//!
//! `cargo run --example designs -- FILE A B [REPLICAS]`, where FILE has a `[centre]` and a policy is named as for
//! `tierwise simulate`. After the designs as they should be run comes a split pool at 90/10, which is not one of them.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use tierwise::config::TrainConfig;
use tierwise::failure::Failure;
use tierwise::run::{
    DesignOptions, DesignPlan, centre_stage, designs, policy_named, render_designs,
};

fn played(arguments: &[String]) -> Result<String, Failure> {
    let [file, a, b, rest @ ..] = arguments else {
        return Err(Failure::new("FILE, A and B are needed")
            .fix("cargo run --example designs -- configs/scarce.toml auto human"));
    };
    let config = TrainConfig::load(Path::new(file))?;
    let mut options = DesignOptions::of(&config);
    options.plans.push(DesignPlan::SplitPool {
        share: 0.1,
        uneven: true,
    });
    if let Some(replicas) = rest.first() {
        options.replicas = replicas
            .parse()
            .map_err(|e| Failure::new(format!("REPLICAS is {replicas}: {e}")))?;
    }
    let stage = centre_stage(&config)?;
    let (a, b) = (policy_named(&config, a)?, policy_named(&config, b)?);
    Ok(render_designs(&designs(&stage, &a, &b, &options)?))
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match played(&arguments) {
        Ok(table) => {
            writeln!(std::io::stdout(), "{table}")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            writeln!(std::io::stderr(), "{failure}")?;
            Ok(ExitCode::from(failure.exit_code))
        }
    }
}
