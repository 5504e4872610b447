//! `tierwise evaluate`.

mod off_policy;
mod table;

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tierwise_envs::tier::Tier;
use tierwise_policies::artefact::{Artefact, Evidence, PolicyKind, SchemaStamp, Seen, Version};
use tierwise_policies::ope::{BootstrapPlan, Refusal};
use tierwise_policies::policy::Fixed;

use super::log::check_log;
use super::{Done, OutputArgs, directory, existing, output};
use crate::config::TrainConfig;
use crate::failure::Failure;
use crate::run::{
    Basis, EvaluateOptions, Evaluation, Judged, Ledger, LoadedLog, OffPolicyQuestion, Part,
    RunDirectory, RunError, Value, VerdictKind, evaluate, save_evaluation, save_log_check,
};

/// Judge versions on a log beside the rule baseline, or any table of logged decisions
#[derive(Debug, Args)]
pub(super) struct EvaluateArgs {
    /// Conversation log to judge on.
    #[arg(
        long,
        value_name = "LOG",
        required_unless_present = "table",
        requires = "policies"
    )]
    log: Option<PathBuf>,
    /// Version directory of a policy, or, on a log, `auto`, `review`, `human`, `uniform`; repeat for several candidates.
    #[arg(long = "policy", value_name = "VERSION", num_args = 1..)]
    policies: Vec<PathBuf>,
    /// Configuration to judge by; default: the one the first version was trained with.
    #[arg(long, value_name = "CONFIG", conflicts_with = "table")]
    config: Option<PathBuf>,
    /// Part of the log: the last one, unseen by the learners, or all of it.
    #[arg(long, value_enum, default_value_t = PartArg::Judge, conflicts_with = "table")]
    part: PartArg,
    /// Confidence level.
    #[arg(long, default_value_t = 0.95, value_name = "LEVEL")]
    level: f64,
    /// Bootstrap resamples, 20 to 100,000.
    #[arg(long, default_value_t = 1000, value_name = "N", value_parser = clap::value_parser!(u32).range(20..=100_000))]
    resamples: u32,
    /// Seed of the bootstrap and of simulated choices.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Run directory to write the result in; default: the first version's directory, and none for a table.
    #[arg(long, value_name = "RUN")]
    out: Option<PathBuf>,
    /// Estimators, separated by commas: `ips,snips,dm,dr`; tables also have parameters after a colon: `cips:10,switch:5`.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    estimators: Vec<String>,
    /// How intervals of `--estimators` are made; the last three are bounds of tables and need `--range`.
    #[arg(long, value_enum, default_value_t = table::MethodArg::Bootstrap)]
    interval: table::MethodArg,
    /// Other candidates that were judged on the same rows before: they share the error of the decision.
    #[arg(long, value_name = "N", default_value_t = 0)]
    judged_before: u32,
    /// Ledger of candidates judged on the same rows; default: `.judged.jsonl` after the name of what is judged.
    #[arg(long, value_name = "FILE", conflicts_with = "no_ledger")]
    ledger: Option<PathBuf>,
    /// Neither read nor write a ledger.
    #[arg(long)]
    no_ledger: bool,
    /// Exit with 1 unless a candidate beats the baseline on logged evidence.
    #[arg(long)]
    gate: bool,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    any: table::TableArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum PartArg {
    Judge,
    All,
}

pub(super) fn run(args: &EvaluateArgs) -> Result<Done, Failure> {
    if let Some(path) = &args.any.table {
        return table::run(path, args);
    }
    let path = args
        .log
        .as_ref()
        .ok_or_else(|| Failure::new("name a `--log` or a `--table`"))?;
    existing(path, "log")?;
    let versions = args
        .policies
        .iter()
        .map(|path| named_or_version(path))
        .collect::<Result<Vec<Version>, Failure>>()?;
    let first = RunDirectory::at(&args.policies[0]);
    if let Some(out) = &args.out {
        directory(out)?;
    }
    let config = args.config.clone().unwrap_or_else(|| first.config());
    if !config.exists() {
        return Err(Failure::at(&config, "no configuration to judge by")
            .fix("name one with `--config`, or judge a version inside its run directory"));
    }
    let config = TrainConfig::load(&config)?;
    let mut ledger = args.ledger_of(path)?;
    let off_policy = (!args.estimators.is_empty() || versions.len() > 1)
        .then(|| OffPolicyQuestion::parse(&args.estimators, args.interval.method()))
        .transpose()?;
    let options = EvaluateOptions {
        judged_before: args.judged_before,
        ledger: ledger.clone(),
        off_policy,
        part: match args.part {
            PartArg::Judge => Part::Judge,
            PartArg::All => Part::All,
        },
        level: args.level,
        bootstrap: BootstrapPlan {
            resamples: args.resamples,
            seed: args.seed,
        },
    };
    let log = LoadedLog::read(path, &config.reward)?;
    let evaluation = evaluate(&config, &log, &versions, &options)?;
    let out = RunDirectory::create(args.out.as_deref().unwrap_or(first.path()))?;
    if let (Some(ledger), Some(judged)) = (&mut ledger, &evaluation.judged) {
        judged.add_to(ledger).map_err(unwritable)?;
    }
    save_evaluation(&out, &config, &evaluation)?;
    save_log_check(&out, &check_log(path, &config.reward)?)?;
    if args.output.json {
        output::json(&evaluation)?;
    } else {
        output::text_line(&table(&evaluation))?;
        if let Some(off_policy) = &evaluation.off_policy {
            output::text_line("")?;
            output::text_line(&off_policy::text(off_policy, evaluation.level))?;
        }
        output::text_line(&format!("written to {}", out.evaluation().display()))?;
    }
    Ok(
        if args.gate
            && (evaluation.verdict.kind != VerdictKind::Beats || evaluation.basis != Basis::Logged)
        {
            Done::NothingQualified
        } else {
            Done::Fine
        },
    )
}

impl EvaluateArgs {
    /// The ledger of what is judged, unless nobody wants one.
    fn ledger_of(&self, judged: &Path) -> Result<Option<Ledger>, Failure> {
        if self.no_ledger {
            return Ok(None);
        }
        let path = self
            .ledger
            .clone()
            .unwrap_or_else(|| Ledger::beside(judged));
        Ledger::read(&path)
            .map(Some)
            .map_err(|error| {
                Failure::new(error.to_string())
                    .detail("a ledger holds one candidate a line: `rows`, `candidate`, `name`")
                    .fix("repair or remove that line; `--ledger` names another file, `--no-ledger` does without")
            })
    }
}

fn unwritable(error: RunError) -> Failure {
    Failure::new(error.to_string())
        .detail("the ledger counts the candidates judged on these rows, so that the luckiest of many is not promoted")
        .fix("name another place with `--ledger FILE`, or do without: `--no-ledger`")
}

/// A version directory, or one of the policies that need none.
fn named_or_version(path: &Path) -> Result<Version, Failure> {
    let name = path.to_string_lossy();
    let policy = match Tier::from_name(&name) {
        Some(tier) => PolicyKind::Fixed { tier: Fixed(tier) },
        None if name == "uniform" => PolicyKind::Uniform,
        None => {
            return super::version(path);
        }
    };
    let artefact = Artefact {
        id: format!("always {name}"),
        created_by: format!("tierwise {}", env!("CARGO_PKG_VERSION")),
        learner: name.into_owned(),
        seed: 0,
        config_hash: String::new(),
        feature_schema: SchemaStamp::current(),
        reward_version: String::new(),
        evidence: Evidence::Written,
        serve_floor: 0.0,
        training: None,
        policy,
    };
    Ok(Version {
        version: artefact.version(),
        artefact,
        seen: Seen::default(),
    })
}

/// The evaluation as a table for a terminal.
pub(super) fn table(evaluation: &Evaluation) -> String {
    let basis = match evaluation.basis {
        Basis::Logged => "logged outcomes, exact propensities",
        Basis::EstimatedPropensity => "logged outcomes, ESTIMATED propensities",
        Basis::Simulated => "SIMULATED on an outcome model",
    };
    let mut lines = vec![
        format!(
            "{} conversations, {} decisions, {basis}; {:.0} % intervals",
            evaluation.rows,
            evaluation.decisions,
            evaluation.level * 100.0
        ),
        String::new(),
        format!(
            "{:<22} {:<9} {:>8} {:>19} {:>8} {:>8} {:>9}  {}",
            "policy", "estimate", "reward", "interval", "n", "ESS", "human s", "auto/review/human"
        ),
    ];
    for judged in &evaluation.policies {
        for (i, value) in judged.estimates.iter().enumerate() {
            lines.push(row(judged, value, i == 0));
        }
    }
    lines.push(String::new());
    lines.push(verdict_line(evaluation));
    for warning in &evaluation.warnings {
        lines.push(format!("note: {warning}"));
    }
    lines.join("\n")
}

fn row(judged: &Judged, value: &Value, first: bool) -> String {
    let name = if first { judged.name.as_str() } else { "" };
    if let Some(refusal) = &value.refused {
        return format!(
            "{name:<22} {:<9} refused: {}",
            value.estimator,
            refusal_text(refusal)
        );
    }
    let interval = value.interval.map_or("none".to_owned(), |i| {
        format!("[{:.4}, {:.4}]", i.lower, i.upper)
    });
    let ess = judged
        .weights
        .filter(|_| matches!(value.estimator.as_str(), "ips" | "snips"))
        .map_or("-".to_owned(), |w| {
            format!("{:.0}", w.effective_sample_size)
        });
    let human = judged
        .kpis
        .get("human_s")
        .and_then(|v| v.value)
        .filter(|_| first)
        .map_or(String::new(), |s| format!("{s:.1}"));
    let shares = if first {
        judged
            .tier_shares
            .map(|share| format!("{:.0} %", share * 100.0))
            .join(" / ")
    } else {
        String::new()
    };
    format!(
        "{name:<22} {:<9} {:>8.4} {interval:>19} {:>8} {ess:>8} {human:>9}  {shares}",
        value.estimator,
        value.value.unwrap_or(f64::NAN),
        value.n
    )
    .trim_end()
    .to_owned()
}

/// A refusal in words, with the way out.
pub(super) fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoPropensities { conversations } => {
            format!("{conversations} conversations have decisions without propensities")
        }
        Refusal::NoOverlap => {
            "the log never did what this policy does; collect such decisions, or mask them"
                .to_owned()
        }
        Refusal::SampleTooSmall { have, needed } => format!(
            "effective sample size {have:.0} of {needed:.0} needed; collect more, or stay closer to the log"
        ),
        Refusal::OneConversationDecides { share, limit } => format!(
            "one conversation carries {:.0} % of the weight (limit {:.0} %)",
            share * 100.0,
            limit * 100.0
        ),
        Refusal::Seen { conversations } => {
            format!("it learned from {conversations} of these conversations; judge it on others")
        }
        Refusal::NotMeasured => "not measured in this log".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The verdict in one line.
pub(super) fn verdict_line(evaluation: &Evaluation) -> String {
    let verdict = &evaluation.verdict;
    let policy = verdict.policy.as_deref().unwrap_or("the candidate");
    let baseline = &verdict.baseline;
    let Some(d) = verdict.difference else {
        let reason = verdict
            .refused
            .as_ref()
            .map_or("no value is supported".to_owned(), refusal_text);
        return format!("verdict: refused. {reason}");
    };
    let numbers = format!("{:+.4} [{:+.4}, {:+.4}]", d.value, d.lower, d.upper);
    match verdict.kind {
        VerdictKind::Beats if evaluation.basis == Basis::EstimatedPropensity => format!(
            "verdict: by estimated propensities {policy} beats {baseline} by {numbers}; on estimates alone nothing may be promoted"
        ),
        VerdictKind::Beats => {
            format!("verdict: {policy} beats {baseline} by {numbers} reward per conversation")
        }
        VerdictKind::Worse => {
            format!("verdict: {policy} is worse than {baseline}: {numbers}; keep {baseline}")
        }
        VerdictKind::NotShown => format!(
            "verdict: not shown that {policy} beats {baseline}: {numbers}; keep {baseline}{}",
            verdict
                .more_conversations
                .map_or(String::new(), |more| format!(
                    ", or collect about {more} more conversations"
                ))
        ),
        VerdictKind::Simulated => format!(
            "verdict: simulated only. On the model {policy} differs from {baseline} by {numbers}; nothing may be promoted"
        ),
        VerdictKind::Refused => "verdict: refused".to_owned(),
    }
}
