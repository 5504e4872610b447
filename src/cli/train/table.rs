//! `tierwise train --table`: any logged table.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tierwise_policies::logged::{FeatureKind, Learner, LearnerSettings};
use tierwise_policies::ope::table::RowRange;

use super::TrainArgs;
use crate::cli::{Done, directory, existing, output};
use crate::failure::Failure;
use crate::run::{TableTrainResult, TableTraining, train_table};

/// Options of a table.
#[derive(Debug, Args)]
#[command(next_help_heading = "From any logged table")]
pub(super) struct TableArgs {
    /// Table to learn from, CSV (gzip or not) or Parquet: `action`, `reward`, and `propensity`, `x0`, … for decisions, or
    /// `state`, and `episode`, `t`, `done`, `next_state` for sequences; `mask0`, … where not all was allowed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["log", "env", "set", "resume"], requires = "learner")]
    pub(super) table: Option<PathBuf>,
    /// How to learn: the first three look one step ahead by `x0`, …; the others need `state`.
    #[arg(long, value_enum, requires = "table")]
    learner: Option<LearnerArg>,
    /// Rows to learn from, counted from 0: `..50%`, `0..100000`; the others are kept for `evaluate --rows`. Default: all.
    #[arg(long, value_name = "A..B", requires = "table")]
    rows: Option<String>,
    /// Name of the policy; default: that of the directory.
    #[arg(long, value_name = "NAME", requires = "table")]
    name: Option<String>,
    /// direct, ips, dr: what is regressed on, each feature or also their products [default: linear].
    #[arg(long, value_enum, requires = "table")]
    features: Option<FeaturesArg>,
    /// direct, ips, dr: penalty of coefficients, in rows [default: 1].
    #[arg(long, value_name = "ROWS", requires = "table")]
    ridge: Option<f64>,
    /// cql: strength, in units of the reward [default: 0.5].
    #[arg(long, value_name = "A", requires = "table")]
    alpha: Option<f64>,
    /// bcq: share of the most frequent action's share that another needs [default: 0.3].
    #[arg(long, value_name = "SHARE", requires = "table")]
    threshold: Option<f64>,
    /// pessimistic: standard errors by which values are lowered [default: 1].
    #[arg(long, value_name = "Z", requires = "table")]
    penalty: Option<f64>,
    /// spibb: rows that an action needs in a state before its probability may change [default: 10].
    #[arg(long, value_name = "N", requires = "table")]
    min_count: Option<f64>,
    /// cql, bcq, pessimistic, spibb: discount a step [default: 0.99].
    #[arg(long, value_name = "GAMMA", requires = "table")]
    discount: Option<f64>,
    /// Probability that every allowed action keeps when the policy is judged and served.
    #[arg(long, value_name = "P", default_value_t = 0.0, requires = "table")]
    floor: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LearnerArg {
    Direct,
    Ips,
    Dr,
    Cql,
    Bcq,
    Pessimistic,
    Spibb,
    Clone,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FeaturesArg {
    Linear,
    Quadratic,
}

pub(super) fn run(path: &Path, args: &TrainArgs) -> Result<Done, Failure> {
    existing(path, "table")?;
    let out = &args.out;
    directory(out)?;
    let options = &args.any;
    let rows = options
        .rows
        .as_deref()
        .map(|text| range("--rows", text))
        .transpose()?;
    let name = match &options.name {
        Some(name) => name.clone(),
        None => out
            .file_name()
            .map_or("learned".into(), |name| name.to_string_lossy().into_owned()),
    };
    let training = TableTraining {
        name,
        settings: settings(options, args.seed)?,
        rows,
        floor: options.floor,
    };
    let result = train_table(path, &training, out)?;
    if args.output.json {
        output::json(&result)?;
    } else {
        output::text_line(&summary(&result, path, out))?;
    }
    Ok(Done::Fine)
}

/// A range of rows as given.
pub(in crate::cli) fn range(option: &str, text: &str) -> Result<RowRange, Failure> {
    text.parse().map_err(|error| {
        Failure::new(format!("`{option}`: {error}"))
            .detail("rows are counted from 0, and the second number is not among them")
            .fix(format!(
                "write `{option} ..50%`, `{option} 50%..` or `{option} 0..100000`"
            ))
    })
}

/// The learner with its settings; a setting of another learner is a mistake.
fn settings(options: &TableArgs, seed: Option<u64>) -> Result<LearnerSettings, Failure> {
    use LearnerArg::{Bcq, Clone, Cql, Direct, Dr, Ips, Pessimistic, Spibb};
    let Some(which) = options.learner else {
        return Err(Failure::new("no `--learner`").fix("name one, such as `--learner dr`"));
    };
    let regresses = [Direct, Ips, Dr];
    let looks_ahead = [Cql, Bcq, Pessimistic, Spibb];
    let given = [
        ("--features", options.features.is_some(), &regresses[..]),
        ("--ridge", options.ridge.is_some(), &regresses[..]),
        ("--alpha", options.alpha.is_some(), &[Cql]),
        ("--threshold", options.threshold.is_some(), &[Bcq]),
        ("--penalty", options.penalty.is_some(), &[Pessimistic]),
        ("--min-count", options.min_count.is_some(), &[Spibb]),
        ("--discount", options.discount.is_some(), &looks_ahead[..]),
    ];
    for (option, given, of) in given {
        if given && !of.contains(&which) {
            let names: Vec<String> = of.iter().map(|l| format!("`{}`", word(*l))).collect();
            return Err(Failure::new(format!(
                "`{option}` says nothing to `--learner {}`",
                word(which)
            ))
            .detail(format!("it belongs to {}", names.join(", "))));
        }
    }
    let features = match options.features {
        Some(FeaturesArg::Quadratic) => FeatureKind::Quadratic,
        _ => FeatureKind::Linear,
    };
    let ridge = options.ridge.unwrap_or(1.0);
    Ok(LearnerSettings {
        learner: match which {
            Direct => Learner::Direct { features, ridge },
            Ips => Learner::Ips { features, ridge },
            Dr => Learner::Dr { features, ridge },
            Cql => Learner::Cql {
                alpha: options.alpha.unwrap_or(0.5),
            },
            Bcq => Learner::Bcq {
                threshold: options.threshold.unwrap_or(0.3),
            },
            Pessimistic => Learner::Pessimistic {
                penalty: options.penalty.unwrap_or(1.0),
            },
            Spibb => Learner::Spibb {
                min_count: options.min_count.unwrap_or(10.0),
            },
            Clone => Learner::Clone,
        },
        discount: options.discount.unwrap_or(0.99),
        seed: seed.unwrap_or(1),
    })
}

fn word(learner: LearnerArg) -> String {
    learner
        .to_possible_value()
        .map_or_else(String::new, |value| value.get_name().to_owned())
}

fn summary(result: &TableTrainResult, table: &Path, out: &Path) -> String {
    let all: u64 = result.taken.iter().sum();
    let shares: Vec<String> = result
        .taken
        .iter()
        .map(|n| format!("{:.0} %", 100.0 * *n as f64 / all.max(1) as f64))
        .collect();
    let rows = result.part.map_or_else(
        || format!("{} rows", result.rows),
        |(from, to)| format!("rows {from}..{to}"),
    );
    let mut lines = vec![
        format!("{}: {}", result.name, result.description),
        format!(
            "  learned from {rows} of {}, whose policy took the actions in {}",
            table.display(),
            shares.join(" / ")
        ),
    ];
    lines.extend(result.notes.iter().map(|note| format!("  note: {note}")));
    lines.push(format!("  version {} in {}", result.version, out.display()));
    let others = result
        .part
        .filter(|(from, _)| *from == 0)
        .map(|(_, to)| format!("{} --rows {to}..", table.display()));
    lines.push(format!(
        "  judge it on rows it has not seen: tierwise evaluate --table {} --policy {}",
        others.unwrap_or_else(|| "OTHER".to_owned()),
        out.display()
    ));
    lines.join("\n")
}
