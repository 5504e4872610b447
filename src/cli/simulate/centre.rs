//! The contact centre: policies side by side on the same customers.

use std::path::Path;

use tierwise_envs::calibrate::Calibration;
use tierwise_envs::tier::Tier;

use super::SimulateArgs;
use crate::cli::{Done, directory, output};
use crate::config::{TomlFile, TrainConfig};
use crate::failure::Failure;
use crate::run::{
    Interval, NamedPolicy, PolicyResult, RunDirectory, SimulationResult, policy_named,
    save_simulation, simulate_policies, write_json,
};

pub(super) fn run(file: &TomlFile, args: &SimulateArgs) -> Result<Done, Failure> {
    let config = resolved(file, args)?;
    if let Some(out) = &args.out {
        directory(out)?;
    }
    let setting = config.simulation.clone().unwrap_or_default();
    let policies: Vec<NamedPolicy> = setting
        .policies
        .iter()
        .map(|name| policy_named(&config, name))
        .collect::<Result<_, _>>()?;
    let folder = file.path().parent().unwrap_or(std::path::Path::new(""));
    let json = args.output.json;
    if let Some(log) = &args.log {
        super::replay::run(&config, &policies, log, json)?;
        return Ok(Done::Fine);
    }
    let out = args.out.as_deref().map(RunDirectory::create).transpose()?;
    // What is asked for beside the simulation is printed instead of it; both are saved.
    let beside = !args.ab.is_empty() || args.sensitivity.is_some();
    if out.is_some() || !beside {
        let result = simulate_policies(&config, folder, &policies)?;
        if let Some(run) = &out {
            save_simulation(run, &config, &result)?;
            keep_calibration(file.path(), run)?;
        }
        if !beside {
            if json {
                output::json(&result)?;
            } else {
                output::text_line(&table(&result))?;
            }
        }
    }
    if !args.ab.is_empty() {
        super::designs::run(&config, &policies, &args.ab, out.as_ref(), json)?;
    }
    if let Some(samples) = args.sensitivity {
        super::sensitivity::run(&config, &policies, samples, out.as_ref(), json)?;
    }
    if let Some(run) = out.filter(|_| !json) {
        output::text_line(&format!("written to {}", run.path().display()))?;
    }
    Ok(Done::Fine)
}

/// What `tierwise calibrate` wrote beside its centre goes with the centre's simulation, for the page.
fn keep_calibration(config: &Path, run: &RunDirectory) -> Result<(), Failure> {
    let table = config.with_extension("json");
    let fitted: Option<Calibration> = std::fs::read(&table)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    match fitted {
        Some(fitted) => Ok(write_json(&run.calibration(), &fitted)?),
        None => Ok(()),
    }
}

/// The configuration with what the command line changes.
fn resolved(file: &TomlFile, args: &SimulateArgs) -> Result<TrainConfig, Failure> {
    let mut config = TrainConfig::from_file(file)?;
    if config.centre.is_none() {
        return Err(Failure::at(
            file.path(),
            "there is no `[queue]` and no `[centre]` section",
        )
        .detail("`tierwise simulate` runs a plain queue or a contact centre")
        .fix("configs/queue.toml and configs/centre.toml are examples"));
    }
    let mut simulation = config.simulation.clone().unwrap_or_default();
    if let Some(seed) = args.seed {
        simulation.seed = seed;
    }
    if let Some(replicas) = args.replicas {
        if !(2..=10_000).contains(&replicas) {
            return Err(Failure::new(format!("`--replicas` is {replicas}"))
                .detail("it lies in 2 to 10000: an interval needs two"));
        }
        simulation.replicas = replicas;
    }
    if !args.policy.is_empty() {
        simulation.policies.clone_from(&args.policy);
    }
    config.simulation = Some(simulation);
    Ok(config)
}

/// The table for people.
pub(in crate::cli) fn table(result: &SimulationResult) -> String {
    let mut lines = vec![format!(
        "{}: {} policies, {} replicas of {:.0} days with the same customers; {:.0} % intervals over replicas",
        result.name,
        result.policies.len(),
        result.replicas,
        result.days,
        100.0 * result.level
    )];
    lines.push(String::new());
    lines.push(format!(
        "{:<18} {:>7} {:>19} {:>9} {:>9} {:>9} {:>8} {:>8} {:>6}  {}",
        "policy",
        "reward",
        "interval",
        "first s",
        "queue s",
        "human s",
        "left %",
        "in SLA %",
        "busy %",
        "auto/review/human"
    ));
    for policy in &result.policies {
        lines.push(row(policy));
    }
    let baseline = result.policies.first().map_or("", |p| p.name.as_str());
    for policy in result.policies.iter().skip(1) {
        if let Some(difference) = policy.differences.get("reward") {
            lines.push(format!("\n{}: {}", policy.name, said(difference, baseline)));
        }
    }
    for outage in &result.outages {
        lines.push(format!(
            "\noutage at {:.1} h for {:.1} h under {}: {} left while it lasted ({} without it), {:.1} conversations lost, {}",
            outage.start_s / 3_600.0,
            outage.duration_s / 3_600.0,
            outage.policy,
            percent(outage.abandoned_during),
            percent(outage.abandoned_during_without),
            outage.conversations_lost.value,
            match outage.recovery_time_s {
                Some(seconds) => format!("queue back to normal after {:.0} min", seconds.value / 60.0),
                None => "no recovery within the period".to_owned(),
            }
        ));
    }
    if !result.claims.is_empty() {
        lines.push(format!(
            "\n{:<24} {:<20} {:>12} {:>12} {:>9}",
            "claim", "said elsewhere", "before", "after", "change"
        ));
        for claim in &result.claims {
            let number = |value: Option<Interval>| {
                value.map_or("–".to_owned(), |v| format!("{:.3}", v.value))
            };
            lines.push(format!(
                "{:<24} {:<20} {:>12} {:>12} {:>9}",
                format!("{:?}", claim.measure),
                claim.said,
                number(claim.before),
                number(claim.after),
                claim
                    .change
                    .map_or("–".to_owned(), |c| format!("{:+.0} %", 100.0 * c.value))
            ));
        }
        lines.push(
            "said elsewhere, not by us; before and after are simulated under stated assumptions"
                .to_owned(),
        );
    }
    for warning in &result.warnings {
        lines.push(format!("note: {warning}"));
    }
    lines.join("\n")
}

fn row(policy: &PolicyResult) -> String {
    let kpi = |name: &str| policy.kpis.get(name).copied();
    let number = |name: &str, scale: f64, digits: usize| {
        kpi(name).map_or("–".to_owned(), |i| {
            format!("{:.digits$}", scale * i.value)
        })
    };
    let shares = Tier::ALL.map(|tier| {
        let part: f64 = policy
            .map
            .iter()
            .map(|m| m.shares[tier.index()] * m.decisions as f64)
            .sum();
        100.0 * part / policy.decisions.max(1) as f64
    });
    format!(
        "{:<18} {:>7} {:>19} {:>9} {:>9} {:>9} {:>8} {:>8} {:>6}  {:.0} % / {:.0} % / {:.0} %",
        policy.name,
        number("reward", 1.0, 4),
        kpi("reward").map_or("–".to_owned(), |i| format!(
            "[{:.4}, {:.4}]",
            i.lower, i.upper
        )),
        number("first_response_s", 1.0, 1),
        number("queue_s", 1.0, 1),
        number("human_s", 1.0, 1),
        number("abandoned", 100.0, 2),
        number("in_service_level", 100.0, 1),
        policy
            .occupancy
            .map_or("–".to_owned(), |i| format!("{:.1}", 100.0 * i.value)),
        shares[0],
        shares[1],
        shares[2]
    )
}

/// What a paired difference says.
fn said(difference: &Interval, baseline: &str) -> String {
    let numbers = format!(
        "{:+.4} [{:+.4}, {:+.4}] per conversation",
        difference.value, difference.lower, difference.upper
    );
    if difference.lower > 0.0 {
        format!("earns more than {baseline}, {numbers}")
    } else if difference.upper < 0.0 {
        format!("earns less than {baseline}, {numbers}")
    } else {
        format!("not told apart from {baseline}, {numbers}")
    }
}

fn percent(share: Option<Interval>) -> String {
    share.map_or("–".to_owned(), |i| format!("{:.1} %", 100.0 * i.value))
}
