//! `tierwise demo`: the whole loop on a simulated contact centre, offline and live.

mod live;

use std::path::{Path, PathBuf};

use clap::Args;
use tierwise_envs::class::ActionSource;
use tierwise_envs::shop::{LogIdentity, ShopConfig};
use tierwise_policies::artefact::{Artefact, Version};
use tierwise_policies::ope::BootstrapPlan;
use tierwise_policies::tabular::Algorithm;

use super::evaluate::{table, verdict_line};
use super::log::{check_log, write_log};
use super::report::Lang;
use super::simulate::centre_table;
use super::train::train_with_progress;
use super::{Done, OutputArgs, directory, output};
use crate::config::{Simulation, TomlFile, TrainConfig};
use crate::failure::{Failure, failure_of};
use crate::run::{
    BASELINE, EvaluateOptions, LoadedLog, RunDirectory, SimulationResult, TrainInput, centre_page,
    evaluate, offline_page, policy_named, save_evaluation, save_log_check, save_simulation,
    simulate_policies, write_page,
};

/// The whole loop on a simulated contact centre: log, check, train, judge, simulate, report, and a live test
///
/// Needs no file, network or server; the live test's router is a child of its own on this machine. The centre is simulated,
/// so the truth is known and shown beside what the log says.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Directory for everything it writes.
    #[arg(long, default_value = "runs/demo", value_name = "DIR")]
    out: PathBuf,
    /// Seed of the customers and of the learners.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// A smaller shop and fewer seeds, under ten seconds.
    #[arg(long)]
    quick: bool,
    /// Language of the page.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    #[command(flatten)]
    output: OutputArgs,
}

/// The three learners of the demonstration.
const LEARNERS: [(&str, Algorithm); 3] = [
    ("q", Algorithm::Q),
    ("double-q", Algorithm::DoubleQ),
    ("expected-sarsa", Algorithm::ExpectedSarsa),
];

/// Share of decisions that explore while the log is written.
const EXPLORE: f64 = 0.5;

/// The configuration the demonstration uses, also a runnable file.
const CONFIG: &str = include_str!("../../configs/demo.toml");

pub(super) fn run(args: &DemoArgs) -> Result<Done, Failure> {
    let mut config = config(args)?;
    let out = args.out.as_path();
    let log = out.join("log.parquet");
    directory(out)?;
    std::fs::create_dir_all(out).map_err(|e| Failure::at(out, e).fix("choose another `--out`"))?;

    step(
        args,
        1,
        "generate a log: the hand-written rule decides, and every second decision explores",
    );
    let identity = LogIdentity {
        seed: args.seed,
        policy_id: "rule".to_owned(),
        policy_version: config.hash(),
        action_source: ActionSource::Rule,
    };
    let rules = config.rules();
    let summary = write_log(&config, &rules, EXPLORE, &identity, &log)?;
    say(
        args,
        &format!(
            "  {} conversations, {} decisions",
            summary.conversations, summary.decisions
        ),
    );

    step(args, 2, "check the log: what may be claimed from it");
    let check = check_log(&log, &config.reward)?;
    for claim in &check.claims {
        let mark = if claim.allowed { "yes" } else { "NO" };
        say(
            args,
            &format!("  {mark:<4} {}: {}", claim.statement, claim.because),
        );
    }

    step(args, 3, "train three learners on its first 70 %");
    let loaded = LoadedLog::read(&log, &config.reward)?;
    let input = TrainInput {
        loaded: Some(loaded.clone()),
        log: Some(log.clone()),
        mdp: None,
    };
    let mut runs = Vec::new();
    for (name, algorithm) in LEARNERS {
        let mut learner = config.clone();
        learner.name = name.to_owned();
        learner.learner.algorithm = algorithm;
        let run = out.join(name);
        let result = train_with_progress(&learner, &input, &run, false)
            .map_err(|failure| failure.fix("run the demonstration again; it starts afresh"))?;
        say(
            args,
            &format!(
                "  {name:<16} tuning reward {:.4}, rule {:.4}",
                result.score.value.unwrap_or(f64::NAN),
                result.baseline.and_then(|b| b.value).unwrap_or(f64::NAN)
            ),
        );
        runs.push(run);
    }

    step(args, 4, "judge them on the last 30 %, which none has seen");
    let versions = runs
        .iter()
        .map(|run| Artefact::load(run).map_err(|e| failure_of(&e)))
        .collect::<Result<Vec<_>, _>>()?;
    let options = EvaluateOptions {
        bootstrap: BootstrapPlan {
            seed: args.seed,
            ..BootstrapPlan::default()
        },
        ..EvaluateOptions::default()
    };
    let evaluation = evaluate(&config, &loaded, &versions, &options)?;
    let judged = RunDirectory::create(&out.join("judged"))?;
    save_evaluation(&judged, &config, &evaluation)?;
    save_log_check(&judged, &check)?;
    say(args, &indent(&table(&evaluation)));

    step(
        args,
        5,
        "let every customer meet each policy in the centre: the queues as they would become",
    );
    let mut policies = vec![policy_named(&config, BASELINE)?];
    for run in &runs {
        policies.push(policy_named(&config, &run.display().to_string())?);
    }
    let mut setting = config.simulation.clone().unwrap_or_default();
    setting.policies = policies.iter().map(|named| named.name.clone()).collect();
    config.simulation = Some(setting);
    let simulated = simulate_policies(&config, Path::new(""), &policies)?;
    let centre = RunDirectory::create(&out.join("centre"))?;
    save_simulation(&centre, &config, &simulated)?;
    say(args, &indent(&centre_table(&simulated)));

    step(args, 6, "write the reports");
    let mut directories = vec![judged];
    directories.extend(runs.iter().map(|run| RunDirectory::at(run)));
    let mut with_centre = vec![centre];
    with_centre.extend(directories.iter().cloned());
    let mut page = centre_page(&with_centre)?;
    page.title = Some(match args.lang {
        Lang::En => "The same policies in the centre".to_owned(),
        Lang::Zh => "同样的策略在客服中心里".to_owned(),
    });
    let html = page.render(args.lang.into()).map_err(|e| failure_of(&e))?;
    let centre_path = out.join("centre.html");
    write_page(&centre_path, &html)?;
    let mut page = offline_page(&directories)?;
    page.title = Some(match args.lang {
        Lang::En => "A simulated centre in a busy season".to_owned(),
        Lang::Zh => "旺季中的模拟客服中心".to_owned(),
    });
    let html = page.render(args.lang.into()).map_err(|e| failure_of(&e))?;
    let path = out.join("report.html");
    write_page(&path, &html)?;
    let live = live_half(args, &config, &evaluation, versions)?;
    if args.output.json {
        #[derive(serde::Serialize)]
        struct Result<'a> {
            report: &'a Path,
            evaluation: &'a crate::run::Evaluation,
            centre_report: &'a Path,
            centre: &'a SimulationResult,
            live: &'a live::LiveResult,
        }
        output::json(&Result {
            report: &path,
            evaluation: &evaluation,
            centre_report: &centre_path,
            centre: &simulated,
            live: &live,
        })?;
    } else {
        output::text_line(&format!(
            "\nreport: {}\n{}\nin the centre: {}\n{}\nlive: {}",
            path.display(),
            verdict_line(&evaluation),
            centre_path.display(),
            in_centre(&simulated),
            out.join("live.html").display()
        ))?;
    }
    Ok(Done::Fine)
}

/// The better learner against the rules, live.
fn live_half(
    args: &DemoArgs,
    config: &TrainConfig,
    evaluation: &crate::run::Evaluation,
    versions: Vec<Version>,
) -> Result<live::LiveResult, Failure> {
    step(
        args,
        7,
        "test the learned policy against the rule on a live router: each has half of the people",
    );
    let wanted = evaluation.verdict.policy.as_deref();
    let position = LEARNERS
        .iter()
        .position(|(name, _)| Some(*name) == wanted)
        .unwrap_or(0);
    let learned = versions
        .into_iter()
        .nth(position)
        .expect("every learner was trained")
        .artefact;
    let result = live::run(&live::Live {
        out: &args.out,
        config,
        rules: config.rules(),
        learned,
        seed: args.seed,
        quick: args.quick,
    })?;
    say(args, &indent(&super::traffic::summary(&result.traffic)));
    say(
        args,
        &format!(
            "\n  killed after {} decisions and started again: {} decisions and {} events acknowledged, {} and {} in the \
             store, {} lost",
            result.killed_after,
            result.traffic.decisions,
            result.traffic.events.accepted + result.traffic.events.duplicates,
            result.stored_decisions,
            result.stored_events,
            result.lost()
        ),
    );
    for line in &result.history {
        say(args, &format!("  {line}"));
    }
    let outcome = match result.phase() {
        "promoted" => format!(
            "promoted after {:.1} days, {:.0} s of real time",
            result.traffic.days, result.traffic.seconds
        ),
        "running" if args.quick => {
            "not decided: the quick form sends only the beginning of a test".to_owned()
        }
        "running" => format!("not decided within {:.1} days", result.traffic.days),
        other => format!("the test ended otherwise: {}", other.replace('_', " ")),
    };
    say(args, &format!("  {outcome}"));
    // Its clock followed its traffic: what counts is when it was last heard of.
    let page = super::report::live_page(&result.store, &result.experiment, 0)?;
    let html = page.render(args.lang.into()).map_err(|e| failure_of(&e))?;
    write_page(&args.out.join("live.html"), &html)?;
    for line in live::left_behind(&result) {
        say(args, &format!("  {line}"));
    }
    if result.lost() > 0 {
        return Err(Failure::new(format!(
            "{} acknowledged records are not in the store",
            result.lost()
        ))
        .detail("this is a fault of the router")
        .fix("please report it with the demonstration's folder"));
    }
    Ok(result)
}

fn config(args: &DemoArgs) -> Result<TrainConfig, Failure> {
    let mut config = TrainConfig::from_file(&TomlFile::new("demo.toml", CONFIG))?;
    config.learner.seed = args.seed;
    if args.quick {
        config.training.seeds = 2;
        config.training.steps /= 4;
        config.simulation = Some(Simulation {
            replicas: 4,
            ..Simulation::default()
        });
        config.shop = ShopConfig {
            days: 8,
            ..config.shop
        };
    }
    Ok(config)
}

/// What the simulation says of the best learner.
fn in_centre(result: &SimulationResult) -> String {
    let reward = |name: &str| {
        result
            .policies
            .iter()
            .find(|p| p.name == name)
            .and_then(|p| p.kpis.get("reward"))
            .map_or(f64::NEG_INFINITY, |i| i.value)
    };
    let best = result
        .policies
        .iter()
        .skip(1)
        .max_by(|a, b| reward(&a.name).total_cmp(&reward(&b.name)));
    best.and_then(|best| best.differences.get("reward").map(|d| (best, d)))
        .map_or(String::new(), |(best, d)| {
            format!(
                "used for every customer, {} earns {:+.4} [{:+.4}, {:+.4}] beside the rule",
                best.name, d.value, d.lower, d.upper
            )
        })
}

fn step(args: &DemoArgs, number: u32, what: &str) {
    say(args, &format!("\n{number}. {what}"));
}

/// Tells the story on standard error when the result is wanted as JSON, on standard output otherwise.
fn say(args: &DemoArgs, text: &str) {
    if args.output.json {
        output::notice(text);
    } else {
        // A reader that has gone away does not stop the demonstration: its files are the result.
        let _ = output::text_line(text);
    }
}

fn indent(text: &str) -> String {
    text.lines()
        .map(|line| format!("  {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
