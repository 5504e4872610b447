//! `tierwise evaluate --table`: any logged table.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tierwise_policies::ope::model::ModelKind;
use tierwise_policies::ope::{
    BootstrapPlan, FqeMode, Method, SelectionDecision, SequenceOptions, SupportGate,
    TableJudgement, TableSelection,
};

use super::EvaluateArgs;
use crate::cli::report::Lang;
use crate::cli::train::table::range as range_of_rows;
use crate::cli::{Done, directory, existing, output};
use crate::failure::{Failure, failure_of};
use crate::run::{
    RunDirectory, SavedTable, TableQuestion, judge_table, table_page, write_json, write_page,
};

/// Options of a table.
#[derive(Debug, Args)]
#[command(next_help_heading = "Any logged table")]
pub(super) struct TableArgs {
    /// Table to judge on, CSV (gzip or not) or Parquet: a row a decision with `action`, `propensity`, `reward`, `pi0`, …,
    /// and a reward model's `q0`, …; sequences add `episode`, `t`, `done`, `state`, `next_state`.
    #[arg(long, value_name = "FILE", conflicts_with = "log")]
    pub(super) table: Option<PathBuf>,
    /// Rows to judge on, counted from 0, such as `50%..`: those that a `--policy` has not learned from. Default: all.
    #[arg(long, value_name = "A..B", requires = "table")]
    rows: Option<String>,
    /// Range that rewards can have, for bounds.
    #[arg(
        long,
        value_name = "LO,HI",
        requires = "table",
        allow_hyphen_values = true
    )]
    range: Option<String>,
    /// Largest importance weight that can occur, for bounds of estimators that do not clip.
    #[arg(long, value_name = "W", requires = "table")]
    max_weight: Option<f64>,
    /// Discount a step, for tables with episodes.
    #[arg(long, value_name = "GAMMA", default_value_t = 1.0, requires = "table")]
    discount: f64,
    /// Q function of fitted Q evaluation: one for all steps, or one a step.
    #[arg(long, value_enum, default_value_t = FqeArg::Stationary, requires = "table")]
    fqe: FqeArg,
    /// Reward model q(x, a): the columns `q…`, or one fitted here and cross-fitted; default: what the table allows.
    #[arg(long, value_enum, requires = "table")]
    model: Option<ModelArg>,
    /// Estimate the policy that wrote the log, where it logged no propensities; results are marked.
    #[arg(long, requires = "table")]
    estimate_propensity: bool,
    /// Also bound the value, should hidden reasons have moved the odds of the log's choices by up to this factor.
    #[arg(long, value_name = "FACTOR", requires = "table")]
    gamma: Option<f64>,
    /// What candidates (columns `NAME:pi0`, …) are compared with: one of them, `pi`, or by default the log.
    #[arg(long, value_name = "NAME", requires = "table")]
    baseline: Option<String>,
    /// Page to draw.
    #[arg(long, value_name = "PAGE.html", requires = "table")]
    report: Option<PathBuf>,
    /// Language of the page.
    #[arg(long, value_enum, default_value_t = Lang::En, requires = "table")]
    lang: Lang,
    /// Smallest effective sample size at which a weighted value is given.
    #[arg(long, value_name = "N", default_value_t = SupportGate::default().min_effective_sample_size, requires = "table")]
    min_effective: f64,
    /// Largest share of all weight that one row may carry.
    #[arg(long, value_name = "SHARE", default_value_t = SupportGate::default().max_weight_share, requires = "table")]
    max_share: f64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum MethodArg {
    Normal,
    T,
    Bootstrap,
    Hoeffding,
    Bernstein,
    Betting,
}

impl MethodArg {
    pub(super) const fn method(self) -> Method {
        match self {
            Self::Normal => Method::Normal,
            Self::T => Method::T,
            Self::Bootstrap => Method::Bootstrap,
            Self::Hoeffding => Method::Hoeffding,
            Self::Bernstein => Method::Bernstein,
            Self::Betting => Method::Betting,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ModelArg {
    Given,
    Ridge,
    Quadratic,
    Tabular,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FqeArg {
    Stationary,
    TimeIndexed,
}

pub(super) fn run(path: &Path, args: &EvaluateArgs) -> Result<Done, Failure> {
    existing(path, "table")?;
    if let Some(out) = &args.out {
        directory(out)?;
    }
    let any = &args.any;
    for policy in &args.policies {
        existing(policy, "version")?;
    }
    let question = TableQuestion {
        policies: args.policies.clone(),
        rows: any
            .rows
            .as_deref()
            .map(|text| range_of_rows("--rows", text))
            .transpose()?,
        estimators: args.estimators.clone(),
        interval: args.interval.method(),
        level: args.level,
        bootstrap: BootstrapPlan {
            resamples: args.resamples,
            seed: args.seed,
        },
        range: any.range.as_deref().map(range).transpose()?,
        max_weight: any.max_weight,
        gate: SupportGate {
            min_effective_sample_size: any.min_effective,
            max_weight_share: any.max_share,
        },
        model: any.model.map(|model| match model {
            ModelArg::Given => ModelKind::Given,
            ModelArg::Ridge => ModelKind::Ridge,
            ModelArg::Quadratic => ModelKind::Quadratic,
            ModelArg::Tabular => ModelKind::Tabular,
        }),
        estimate_propensity: any.estimate_propensity,
        baseline: any.baseline.clone(),
        judged_before: args.judged_before,
        compare: args.out.is_some() || any.report.is_some(),
        gamma: any.gamma,
        sequence: SequenceOptions {
            discount: any.discount,
            fqe: match any.fqe {
                FqeArg::Stationary => FqeMode::Stationary,
                FqeArg::TimeIndexed => FqeMode::TimeIndexed,
            },
        },
    };
    let mut ledger = args.ledger_of(path)?;
    let (judgement, judged) = judge_table(path, &question, ledger.as_ref())?;
    if let Some(ledger) = &mut ledger {
        judged.add_to(ledger).map_err(super::unwritable)?;
    }
    let judgement = if question.compare {
        keep(path, &question, args, judgement)?
    } else {
        judgement
    };
    if args.output.json {
        output::json(&judgement)?;
    } else {
        output::text_line(&text(&judgement))?;
        if let Some(out) = &args.out {
            let path = RunDirectory::at(out).table();
            output::text_line(&format!("written to {}", path.display()))?;
        }
        if let Some(page) = &any.report {
            output::text_line(&format!("report: {}", page.display()))?;
        }
    }
    let promoted = matches!(
        judgement.selection.as_ref().map(|s| &s.decision),
        Some(SelectionDecision::Promote { .. })
    );
    Ok(if args.gate && !promoted {
        Done::NothingQualified
    } else {
        Done::Fine
    })
}

/// Writes the run directory and draws the page, as asked.
fn keep(
    path: &Path,
    question: &TableQuestion,
    args: &EvaluateArgs,
    judgement: TableJudgement,
) -> Result<TableJudgement, Failure> {
    let saved = SavedTable::new(path, question, judgement)?;
    if let Some(out) = &args.out {
        write_json(&RunDirectory::create(out)?.table(), &saved)?;
    }
    if let Some(page) = &args.any.report {
        let html = table_page(&saved)
            .render(args.any.lang.into())
            .map_err(|e| failure_of(&e))?;
        write_page(page, &html)?;
    }
    Ok(saved.judgement)
}

fn range(text: &str) -> Result<(f64, f64), Failure> {
    let parts: Option<(f64, f64)> = text
        .split_once(',')
        .and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    parts.ok_or_else(|| {
        Failure::new(format!("`--range` is `{text}`"))
            .detail("it names the smallest and the largest reward that can occur")
            .fix("write `--range 0,1`")
    })
}

/// The judgement as a table for a terminal.
fn text(judgement: &TableJudgement) -> String {
    let mut head = format!("{} rows", judgement.rows);
    if let Some(episodes) = judgement.episodes {
        head.push_str(&format!(", {episodes} episodes"));
    }
    head.push_str(&format!(", {} actions", judgement.actions.len()));
    let mut lines = vec![head];
    if let Some(w) = &judgement.weights {
        let units = judgement.episodes.unwrap_or(judgement.rows);
        lines.push(format!(
            "weights: mean {:.3}, largest {:.4} ({:.2} % of all), effective sample size {:.1} ({:.0} %)",
            w.mean,
            w.max,
            w.max_share * 100.0,
            w.effective_sample_size,
            100.0 * w.effective_sample_size / units.max(1) as f64
        ));
    }
    lines.push(String::new());
    lines.extend(estimated(judgement));
    if let Some(selection) = &judgement.selection {
        lines.push(String::new());
        lines.extend(selected(selection, judgement.level));
    }
    if let Some(s) = &judgement.sensitivity {
        lines.push(String::new());
        lines.push(format!(
            "if hidden reasons moved the odds of the log's choices up to {}-fold: snips in [{:.6}, {:.6}]",
            s.gamma, s.lower, s.upper
        ));
    }
    if let Some(returns) = &judgement.returns {
        let quantiles: Vec<String> = returns
            .quantiles
            .iter()
            .map(|q| format!("{:.0} %: {:.4}", q.share * 100.0, q.value))
            .collect();
        lines.push(String::new());
        lines.push(format!(
            "return of an episode: standard deviation {:.4}, mean of the worst 5 % {:.4}",
            returns.standard_deviation, returns.worst_5_percent
        ));
        lines.push(format!("  quantiles {}", quantiles.join(", ")));
    }
    if !judgement.notes.is_empty() {
        lines.push(String::new());
    }
    lines.extend(judgement.notes.iter().map(|note| format!("note: {note}")));
    lines.join("\n")
}

/// The estimates, line by line.
pub(super) fn estimated(judgement: &TableJudgement) -> Vec<String> {
    let method = judgement
        .estimates
        .iter()
        .find_map(|e| e.interval)
        .map_or(String::new(), |i| format!(" {}", i.method));
    let mut lines = vec![format!(
        "{:<14} {:>12} {:>12}   {} %{method} interval",
        "estimator",
        "value",
        "std. error",
        per_cent(judgement.level)
    )];
    for estimate in &judgement.estimates {
        let name = match estimate.parameter {
            Some(parameter) => format!("{}:{parameter}", estimate.estimator),
            None => estimate.estimator.clone(),
        };
        let line = match (&estimate.refused, estimate.value) {
            (Some(reason), _) => format!("{name:<14} refused: {reason}"),
            (None, value) => {
                let interval = estimate.interval.map_or("none".to_owned(), |i| {
                    format!("[{:.6}, {:.6}]", i.lower, i.upper)
                });
                format!(
                    "{name:<14} {:>12.6} {:>12.6}   {interval}{}",
                    value.unwrap_or(f64::NAN),
                    estimate.standard_error.unwrap_or(f64::NAN),
                    if estimate.biased { "  biased" } else { "" }
                )
            }
        };
        lines.push(line);
    }
    lines
}

/// The ranking and the decision, line by line.
pub(super) fn selected(selection: &TableSelection, level: f64) -> Vec<String> {
    let mut lines = vec![format!(
        "{:<22} {:>12} {:>12} {:>14}   against {}",
        "candidate",
        "difference",
        "std. error",
        format!("{} % at least", per_cent(level)),
        selection.baseline
    )];
    for candidate in &selection.candidates {
        lines.push(match &candidate.refused {
            Some(reason) => format!("{:<22} refused: {reason}", candidate.name),
            None => format!(
                "{:<22} {:>+12.6} {:>12.6} {:>+14.6}   {}",
                candidate.name,
                candidate.difference.unwrap_or(f64::NAN),
                candidate.standard_error.unwrap_or(f64::NAN),
                candidate.lower.unwrap_or(f64::NAN),
                if candidate.passes { "passes" } else { "" }
            )
            .trim_end()
            .to_owned(),
        });
    }
    if let (Some(critical), Some(bonferroni)) = (selection.critical_value, selection.bonferroni) {
        lines.push(format!(
            "bounds hold for all candidates at once: {critical:.2} standard errors (Bonferroni: {bonferroni:.2})"
        ));
    }
    if selection.judged_before > 0 {
        lines.push(format!(
            "{} other candidates were judged on the same rows before; the bounds allow for them",
            selection.judged_before
        ));
    }
    lines.push(match &selection.decision {
        SelectionDecision::Promote { candidate } => format!("decision: promote {candidate}"),
        SelectionDecision::Keep { reason } => {
            format!("decision: keep {}; {reason}", selection.baseline)
        }
        SelectionDecision::CollectMore { candidate, rows } => format!(
            "decision: keep {} and collect more; {candidate} looks better, and about {rows} more rows like these would show it",
            selection.baseline
        ),
        other => format!("decision: {other:?}"),
    });
    lines
}

/// A share as a percentage without superfluous digits.
fn per_cent(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}
