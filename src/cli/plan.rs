//! `tierwise plan`.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::analyze::rule_file;
use super::{Done, OutputArgs, output};
use crate::failure::Failure;
use crate::stats::plan::{Effect, Stage, fixed_units_per_arm, sequential};
use crate::stats::verdict::PromotionRule;
use crate::stats::{Alpha, StatsError};

/// Say how many units, and days, a difference between two rates takes to be shown
///
/// Beside each other: a test of fixed size, the e-process that may be looked at any time, and what the ramp of the
/// promotion rule adds.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    /// The champion's rate, such as 0.10.
    #[arg(long, value_name = "RATE")]
    base_rate: f64,
    /// The challenger's relative change: 0.15 for 15 % more, -0.3 for 30 % less.
    #[arg(long, value_name = "LIFT", allow_hyphen_values = true)]
    lift: f64,
    /// Units that enter a day, both arms together; without it no days are shown, and no ramp.
    #[arg(long, value_name = "N")]
    units_per_day: Option<f64>,
    /// Probability that a test of fixed size finds the difference.
    #[arg(long, default_value_t = 0.8, value_name = "POWER")]
    power: f64,
    /// Rule of promotion: error budget, challengers, ramp, minimum days; default: the rule's defaults.
    #[arg(long, value_name = "RULE.toml")]
    rule: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Plan {
    base_rate: f64,
    lift: f64,
    error_budget: f64,
    level: f64,
    power: f64,
    fixed_horizon: Need,
    e_process: Need,
    #[serde(skip_serializing_if = "Option::is_none")]
    ramp: Option<Ramp>,
}

/// Units of both arms, and days where their pace is known.
#[derive(Debug, Serialize)]
struct Need {
    units: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Ramp {
    steps: Vec<Step>,
    /// Units of both arms until the call is expected.
    units: f64,
    /// Days until the call is expected.
    days: f64,
    /// Days until the rule may promote: the last step's minimum duration counts too. Absent for a loser.
    #[serde(skip_serializing_if = "Option::is_none")]
    promoted_after_days: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Step {
    share: f64,
    /// Absent for the last step.
    #[serde(skip_serializing_if = "Option::is_none")]
    days: Option<f64>,
}

pub(super) fn run(args: &PlanArgs) -> Result<Done, Failure> {
    let rule = match &args.rule {
        Some(path) => rule_file(path)?,
        None => PromotionRule::default(),
    };
    if let Some(pace) = args
        .units_per_day
        .filter(|pace| !(pace.is_finite() && *pace > 0.0))
    {
        return Err(Failure::new(format!("`--units-per-day` is {pace}"))
            .detail("it is above 0")
            .fix("count the customers of an ordinary day"));
    }
    let power = Alpha::new(args.power).map_err(|_| {
        Failure::new(format!("`--power` is {}", args.power))
            .detail("it lies strictly between 0 and 1")
            .fix("0.8 is usual")
    })?;
    let plan = plan(args, &rule, power).map_err(|error| {
        Failure::new(error.to_string())
            .fix("give `--base-rate` strictly between 0 and 1, and a `--lift` that keeps the challenger's rate there")
    })?;
    if args.output.json {
        output::json(&plan)?;
    } else {
        output::text_line(&text(&plan, &rule))?;
    }
    Ok(Done::Fine)
}

fn plan(args: &PlanArgs, rule: &PromotionRule, power: Alpha) -> Result<Plan, StatsError> {
    let effect = Effect {
        rate: args.base_rate,
        lift: args.lift,
    };
    let level = if args.lift > 0.0 {
        rule.promote_level()?
    } else {
        rule.roll_back_level(rule.guardrail.len())?
    };
    // A two-sided test has half of its level on either side.
    let both_sides = Alpha::new((2.0 * level.get()).min(1.0 - f64::EPSILON))?;
    let fixed = 2.0 * fixed_units_per_arm(effect, both_sides, power)?;
    let days = |units: f64| args.units_per_day.map(|pace| units / pace);
    let last = |share| Stage {
        share,
        days: f64::INFINITY,
    };
    let straight = sequential(effect, 1.0, &[last(0.5)], level)?.units.ceil();
    let ramp = match args.units_per_day {
        Some(pace) => Some(ramp(effect, pace, rule, level)?),
        None => None,
    };
    Ok(Plan {
        base_rate: args.base_rate,
        lift: args.lift,
        error_budget: rule.error_budget,
        level: level.get(),
        power: power.get(),
        fixed_horizon: Need {
            units: fixed,
            days: days(fixed),
        },
        e_process: Need {
            units: straight,
            days: days(straight),
        },
        ramp,
    })
}

fn ramp(effect: Effect, pace: f64, rule: &PromotionRule, level: Alpha) -> Result<Ramp, StatsError> {
    let step_days = (rule.advance_hours / 24.0).max(rule.advance_units as f64 / pace);
    let last = rule.ramp.len().saturating_sub(1);
    let stages: Vec<Stage> = rule
        .ramp
        .iter()
        .enumerate()
        .map(|(place, share)| Stage {
            share: *share,
            days: if place == last {
                f64::INFINITY
            } else {
                step_days
            },
        })
        .collect();
    let expected = sequential(effect, pace, &stages, level)?;
    let at_promote_share = rule
        .ramp
        .iter()
        .take_while(|share| **share < rule.promote_share)
        .count();
    let reaches = at_promote_share < rule.ramp.len() && effect.lift > 0.0;
    let earliest = step_days * at_promote_share as f64 + rule.minimum_days;
    Ok(Ramp {
        steps: stages
            .iter()
            .map(|stage| Step {
                share: stage.share,
                days: Some(stage.days).filter(|days| days.is_finite()),
            })
            .collect(),
        units: expected.units.ceil(),
        days: expected.days,
        promoted_after_days: reaches.then(|| expected.days.max(earliest)),
    })
}

fn text(plan: &Plan, rule: &PromotionRule) -> String {
    let challenger = plan.base_rate * (1.0 + plan.lift);
    let percent = |fraction: f64| {
        let text = format!("{:.4}", fraction * 100.0);
        format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
    };
    let mut lines = vec![
        format!(
            "{} against {} ({:+.1} %), at most {} false actions",
            percent(challenger),
            percent(plan.base_rate),
            plan.lift * 100.0,
            percent(plan.error_budget)
        ),
        String::new(),
        format!("  {:<44} {:>12} {:>8}", "test", "units", "days"),
    ];
    let mut line = |name: String, units: f64, days: Option<f64>| {
        let days = days.map_or_else(|| "-".to_owned(), |days| format!("{days:.1}"));
        lines.push(format!("  {name:<44} {units:>12.0} {days:>8}"));
    };
    let power = format!("fixed size, one look, {} power", percent(plan.power));
    line(power, plan.fixed_horizon.units, plan.fixed_horizon.days);
    line(
        "e-process at 50/50, expected".to_owned(),
        plan.e_process.units,
        plan.e_process.days,
    );
    if let Some(ramp) = &plan.ramp {
        let shares: Vec<String> = ramp
            .steps
            .iter()
            .map(|step| format!("{:.0}", step.share * 100.0))
            .collect();
        let name = format!("e-process, ramp {} %, expected", shares.join(" → "));
        line(name, ramp.units, Some(ramp.days));
        lines.push(String::new());
        if let Some(days) = ramp.promoted_after_days {
            lines.push(format!(
                "promoted after about {days:.1} days: {:.1} days a step below {:.0} %, at least {:.1} days at it",
                ramp.steps.iter().find_map(|step| step.days).unwrap_or(0.0),
                rule.promote_share * 100.0,
                rule.minimum_days
            ));
        } else if plan.lift > 0.0 {
            lines.push(format!(
                "never promoted: the ramp ends below the {:.0} % that the rule asks for",
                rule.promote_share * 100.0
            ));
        } else {
            lines.push(format!("rolled back after about {:.1} days", ramp.days));
        }
    } else {
        lines.push(String::new());
        lines.push("give `--units-per-day` for days and for what the ramp adds".to_owned());
    }
    lines.push(
        "note: what is expected is an average, and single tests differ much; secondary metrics and guardrails are not counted in"
            .to_owned(),
    );
    lines.join("\n")
}
