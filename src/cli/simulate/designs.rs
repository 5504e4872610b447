//! `--ab`: what test designs would measure of two policies, beside the truth.

use clap::ValueEnum;

use crate::cli::output;
use crate::config::TrainConfig;
use crate::failure::Failure;
use crate::run::{
    DesignOptions, DesignPlan, NamedPolicy, RunDirectory, centre_stage, designs, render_designs,
    save_designs,
};

/// A design to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum DesignArg {
    /// Customers are split, people are shared.
    User,
    /// Customers and people are split in halves.
    SplitPool,
    /// A tenth of the customers and of the people: a smaller pool waits longer, so this misleads.
    UnevenSplitPool,
    /// The centre takes turns, in pairs of blocks.
    Switchback,
    /// Every design as it should be run.
    All,
}

/// Plays designs of the first policy against the second.
pub(super) fn run(
    config: &TrainConfig,
    policies: &[NamedPolicy],
    asked: &[DesignArg],
    out: Option<&RunDirectory>,
    json: bool,
) -> Result<(), Failure> {
    let [a, b] = policies else {
        return Err(Failure::new(format!(
            "`--ab` plays two policies, and {} are named",
            policies.len()
        ))
        .fix("name two: `--policy rule --policy human`"));
    };
    let mut options = DesignOptions::of(config);
    if !asked.contains(&DesignArg::All) {
        options.plans = asked.iter().filter_map(|design| plan(*design)).collect();
    }
    let played = designs(&centre_stage(config)?, a, b, &options)?;
    if let Some(out) = out {
        save_designs(out, &played)?;
    }
    if json {
        output::json(&played)
    } else {
        output::text_line(&render_designs(&played))
    }
}

const fn plan(design: DesignArg) -> Option<DesignPlan> {
    match design {
        DesignArg::User => Some(DesignPlan::User { share: 0.5 }),
        DesignArg::SplitPool => Some(DesignPlan::SplitPool {
            share: 0.5,
            uneven: false,
        }),
        DesignArg::UnevenSplitPool => Some(DesignPlan::SplitPool {
            share: 0.1,
            uneven: true,
        }),
        DesignArg::Switchback => Some(DesignPlan::Switchback {
            washout_s: None,
            block_s: None,
        }),
        DesignArg::All => None,
    }
}
