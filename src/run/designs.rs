//! Test designs under shared capacity: what each would measure of two policies, beside the truth.
//!
//! The designs are played in the simulated centre ([`tierwise_envs::centre::design`]); here they get names, a table for
//! people, and errors with a way out.

use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::Stage;
use tierwise_envs::centre::design::{
    Caution, Contest, Design, DesignError, DesignResult, Estimate, Relaxation, Truth, Watch,
};
use tierwise_envs::env::Situation;

use super::centre::NamedPolicy;
use super::directory::{RunDirectory, RunError, write_json};
use crate::config::TrainConfig;
use crate::failure::{Failure, failure_of};

/// A design that is to be played.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DesignPlan {
    /// A split of the customers over one pool.
    User {
        /// Share of B, in (0, 1).
        share: f64,
    },
    /// A split of customers and people.
    SplitPool {
        /// Share of B, in (0, 1).
        share: f64,
        /// Plays a split that is not even, instead of refusing it.
        uneven: bool,
    },
    /// Policies that take turns.
    Switchback {
        /// Seconds after a switch that are left out; absent: the least that is allowed.
        washout_s: Option<f64>,
        /// Seconds of a block, at least four washouts; absent: four washouts.
        block_s: Option<f64>,
    },
}

impl DesignPlan {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::SplitPool { .. } => "split_pool",
            Self::Switchback { .. } => "switchback",
        }
    }

    /// The designs that a shop can choose from, each as it should be run.
    #[must_use]
    pub const fn all() -> [Self; 3] {
        [
            Self::User { share: 0.5 },
            Self::SplitPool {
                share: 0.5,
                uneven: false,
            },
            Self::Switchback {
                washout_s: None,
                block_s: None,
            },
        ]
    }
}

/// How designs are played.
#[derive(Debug, Clone, PartialEq)]
pub struct DesignOptions {
    /// Which, in order.
    pub plans: Vec<DesignPlan>,
    /// Replicas of the period, at least 2.
    pub replicas: u32,
    /// Seed of the first replica, and salt of the arms.
    pub seed: u64,
    /// Level of the intervals, in (0, 1).
    pub level: f64,
    /// How the queue's relaxation time is measured.
    pub watch: Watch,
}

impl DesignOptions {
    /// Every design as it should be run, with the replicas, seed and level of a configuration's `[simulation]`.
    #[must_use]
    pub fn of(config: &TrainConfig) -> Self {
        let simulation = config.simulation.clone().unwrap_or_default();
        Self {
            plans: DesignPlan::all().to_vec(),
            replicas: simulation.replicas,
            seed: simulation.seed,
            level: simulation.level,
            watch: Watch::default(),
        }
    }
}

/// Two policies under several designs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Designs {
    /// Name of policy A.
    pub a: String,
    /// Name of policy B.
    pub b: String,
    /// Replicas of the period.
    pub replicas: u32,
    /// Level of the intervals.
    pub level: f64,
    /// Everyone under A against everyone under B.
    pub truth: Truth,
    /// Relaxation time of the queue, where a switchback asked for it.
    pub relaxation: Option<Relaxation>,
    /// One a design.
    pub results: Vec<DesignResult>,
    /// Designs that this centre does not allow.
    pub refused: Vec<RefusedDesign>,
}

/// A design that would mislead in this centre, or measure nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedDesign {
    /// Its name.
    pub design: String,
    /// Why.
    pub why: String,
    /// The way out, where there is one.
    pub fix: Option<String>,
}

/// Plays designs of A, the policy in place, against B in a centre ([`centre_stage`](super::centre_stage)).
///
/// A design that cannot be played is among the refused when it is one of several.
///
/// # Errors
/// [`DesignError`] when the truth, or the only design asked for, cannot be played.
pub fn designs(
    stage: &Arc<Stage>,
    a: &NamedPolicy,
    b: &NamedPolicy,
    options: &DesignOptions,
) -> Result<Designs, DesignError> {
    let contest = Contest {
        stage,
        a: &|at: &Situation<'_>| a.policy.probabilities(at),
        b: &|at: &Situation<'_>| b.policy.probabilities(at),
        replicas: options.replicas,
        seed: options.seed,
        salt: options.seed,
        level: options.level,
    };
    let truth = contest.truth()?;
    let mut relaxation = None;
    let mut results = Vec::with_capacity(options.plans.len());
    let mut refused = Vec::new();
    for plan in &options.plans {
        match played(&contest, &truth, plan, &options.watch, &mut relaxation) {
            Ok(result) => results.push(result),
            Err(error) if options.plans.len() == 1 => return Err(error),
            Err(error) => {
                let failure = Failure::from(error);
                refused.push(RefusedDesign {
                    design: plan.name().to_owned(),
                    why: failure.what,
                    fix: failure.fix,
                });
            }
        }
    }
    Ok(Designs {
        a: a.name.clone(),
        b: b.name.clone(),
        replicas: options.replicas,
        level: options.level,
        truth,
        relaxation,
        results,
        refused,
    })
}

/// One design; the relaxation time is measured for the first switchback and kept.
fn played(
    contest: &Contest<'_>,
    truth: &Truth,
    plan: &DesignPlan,
    watch: &Watch,
    relaxation: &mut Option<Relaxation>,
) -> Result<DesignResult, DesignError> {
    match *plan {
        DesignPlan::User { share } => contest.user(truth, share),
        DesignPlan::SplitPool { share, uneven } => contest.split_pool(truth, share, uneven),
        DesignPlan::Switchback { washout_s, block_s } => {
            if relaxation.is_none() {
                *relaxation = Some(contest.relaxation(watch)?);
            }
            let seconds = relaxation.as_ref().and_then(|known| known.seconds);
            contest.switchback(truth, seconds, washout_s, block_s)
        }
    }
}

fn interval(estimate: &Estimate) -> String {
    format!(
        "{:+.4} [{:+.4}, {:+.4}]",
        estimate.value, estimate.lower, estimate.upper
    )
}

/// Saves what designs measured beside the simulation of the same policies.
///
/// # Errors
/// [`RunError::Io`].
pub fn save_designs(directory: &RunDirectory, played: &Designs) -> Result<(), RunError> {
    write_json(&directory.designs(), played)
}

/// The designs as a table for people.
#[must_use]
pub fn render(designs: &Designs) -> String {
    let Designs { truth, .. } = designs;
    let mut text = format!(
        "A = {}, B = {}; {} replicas; reward per conversation, {:.0} % intervals\n\n",
        designs.a,
        designs.b,
        designs.replicas,
        100.0 * designs.level
    );
    let mut line = |cells: [&str; 6]| {
        let [design, difference, bias, n, winner, right] = cells;
        let row = format!("{design:<22} {difference:<29} {bias:<29} {n:>11}  {winner:<10} {right}");
        let _ = writeln!(text, "{}", row.trim_end());
    };
    line(["design", "B - A", "bias", "units", "names", ""]);
    line([
        "truth (all A, all B)",
        &interval(&truth.difference),
        "",
        &format!("{} replicas", truth.difference.n),
        truth.winner.name(),
        "",
    ]);
    for result in &designs.results {
        let units = match result.design {
            Design::Switchback { .. } => "pairs",
            _ => "replicas",
        };
        line([
            &label(&result.design),
            &interval(&result.measured),
            &interval(&result.bias),
            &format!("{} {units}", result.measured.n),
            result.winner.name(),
            match result.right {
                Some(true) => "right",
                Some(false) => "WRONG",
                None => "",
            },
        ]);
    }
    for refused in &designs.refused {
        line([&refused.design, "refused, see below", "", "", "", ""]);
    }
    let _ = writeln!(
        text,
        "\nall A: {:.4}, all B: {:.4} in mean reward; a person holds a conversation {:.0} s an answer",
        truth.a.value, truth.b.value, truth.handle_s
    );
    if let Some(relaxation) = &designs.relaxation {
        let _ = match relaxation.seconds {
            Some(seconds) => writeln!(
                text,
                "the queue forgets a policy in {:.0} min ({} switches watched)",
                seconds / 60.0,
                relaxation.switches
            ),
            None => writeln!(
                text,
                "the queue is the same under A and B ({} switches watched)",
                relaxation.switches
            ),
        };
    }
    for result in &designs.results {
        notes(&mut text, result);
    }
    for RefusedDesign { design, why, fix } in &designs.refused {
        let _ = writeln!(text, "{design}: {why}");
        if let Some(fix) = fix {
            let _ = writeln!(text, "  fix: {fix}");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// A design with what tells it from others of its name.
fn label(design: &Design) -> String {
    match design {
        Design::User { share } | Design::SplitPool { share, .. } => format!(
            "{} {:.0}/{:.0}",
            design.name(),
            100.0 * (1.0 - share),
            100.0 * share
        ),
        Design::Switchback { block_s, .. } => {
            format!("{} {:.0} min", design.name(), block_s / 60.0)
        }
    }
}

fn notes(text: &mut String, result: &DesignResult) {
    let name = label(&result.design);
    match result.design {
        Design::SplitPool { .. } => {
            let [a, b] = &result.arm_effects;
            let _ = writeln!(
                text,
                "{name}: the smaller pools move A by {} and B by {}",
                interval(a),
                interval(b)
            );
        }
        Design::Switchback { washout_s, .. } => {
            let _ = writeln!(
                text,
                "{name}: washout {:.0} min; {:.0} % of the conversations are left out",
                washout_s / 60.0,
                100.0 * result.left_out
            );
        }
        Design::User { .. } => {}
    }
    let teams = |caution: &&Caution| matches!(caution, Caution::UnevenTeam(_));
    for caution in result.cautions.iter().filter(|caution| !teams(caution)) {
        let _ = writeln!(text, "{name}: {caution}");
    }
    if let Some(first) = result.cautions.iter().find(teams) {
        let others = result.cautions.iter().filter(teams).count() - 1;
        let more = match others {
            0 => String::new(),
            others => format!(" (and {others} more like it)"),
        };
        let _ = writeln!(text, "{name}: {first}{more}");
    }
}

impl From<DesignError> for Failure {
    fn from(error: DesignError) -> Self {
        let failure = failure_of(&error);
        match error {
            DesignError::UnevenPools { .. } => failure.fix(
                "give every team an even number of people and both arms a share of 0.5, or allow an uneven split to see by \
                 how much it misleads",
            ),
            DesignError::ShortBlocks { washout_s, .. } => {
                failure.fix(format!("use blocks of {:.0} s or more", 4.0 * washout_s))
            }
            DesignError::ShortWashout { least_s, .. } => failure.fix(format!(
                "use a washout of {least_s:.0} s or more, or leave it out"
            )),
            DesignError::NeverRelaxes { .. } => failure.fix(
                "reopened conversations come back long after a switch: look at `centre.reopen_after_s`; or use `split_pool`",
            ),
            DesignError::Pairs { .. } | DesignError::NoSwitch { .. } => {
                failure.fix("simulate more days (`shop.days`)")
            }
            DesignError::Share { .. } => failure.fix("use 0.5"),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests;
