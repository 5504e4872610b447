//! The interference table: what test designs measure of two policies in one centre, beside the truth.
//!
//! `cargo run --example designs -- FILE A B [REPLICAS]`, where FILE has `[shop]` and `[centre]`, and a policy is `auto`,
//! `review`, `human`, `uniform` or a rules file.

use std::error::Error;
use std::io::Write;
use std::path::Path;

use serde::Deserialize;
use tierwise::config::TomlFile;
use tierwise::failure::Failure;
use tierwise::run::{DesignOptions, DesignPlan, designs, render_designs};
use tierwise_envs::centre::design::Watch;
use tierwise_envs::centre::{CentreConfig, Stage};
use tierwise_envs::shop::{ShopConfig, ShopRules, World};
use tierwise_envs::tier::Tier;
use tierwise_policies::policy::{Fixed, Policy, Uniform};
use tierwise_policies::rule::RulePolicy;

/// The sections that a simulation needs.
#[derive(Deserialize)]
struct Scenario {
    shop: ShopConfig,
    centre: CentreConfig,
}

fn policy(name: &str) -> Result<Box<dyn Policy>, Box<dyn Error>> {
    Ok(match name {
        "auto" => Box::new(Fixed(Tier::Auto)),
        "review" => Box::new(Fixed(Tier::Review)),
        "human" => Box::new(Fixed(Tier::Human)),
        "uniform" => Box::new(Uniform),
        file => Box::new(RulePolicy::from_toml(TomlFile::read(Path::new(file))?.text())?),
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, a, b, rest @ ..] = arguments.as_slice() else {
        return Err("FILE, A and B are needed: designs configs/scarce.toml auto review".into());
    };
    let scenario: Scenario = TomlFile::read(Path::new(file))?.parse()?;
    let world = World::new(scenario.shop, ShopRules::default())?;
    let stage = Stage::new(scenario.centre, world)?;
    let mut plans = DesignPlan::all().to_vec();
    plans.push(DesignPlan::SplitPool {
        share: 0.1,
        uneven: true,
    });
    let options = DesignOptions {
        plans,
        replicas: rest.first().map_or(Ok(20), |n| n.parse())?,
        seed: 1,
        level: 0.95,
        watch: Watch::default(),
    };
    let report = designs(
        &stage,
        (a, policy(a)?.as_ref()),
        (b, policy(b)?.as_ref()),
        &options,
    )
    .map_err(Failure::from)?;
    writeln!(std::io::stdout(), "{}", render_designs(&report))?;
    Ok(())
}
