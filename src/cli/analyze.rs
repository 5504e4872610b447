//! `tierwise analyze`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::report::Lang;
use super::{Done, OutputArgs, analyze_table, directory, existing, output};
use crate::analysis::{AnalyzeOptions, Design, Method, SavedAnalysis, analyze, test_page};
use crate::config::load_rule;
use crate::failure::{Failure, failure_of};
use crate::run::{RunDirectory, write_json, write_page};
use crate::stats::Alpha;
use crate::stats::correction::Correction;
use crate::stats::verdict::PromotionRule;

/// Analyse A/B tests: counts, unit rows, streams with shares, or cumulative snapshots
#[derive(Debug, Args)]
pub(super) struct AnalyzeArgs {
    /// A .csv, .csv.gz or .parquet file; the columns say which format it is.
    file: PathBuf,
    /// Methods to show, separated by commas; default: all that fit the data.
    #[arg(long = "method", value_name = "LIST", value_delimiter = ',')]
    methods: Vec<String>,
    /// Probability of any false call, and of intervals that miss.
    #[arg(long, default_value_t = 0.05, value_name = "ALPHA")]
    alpha: f64,
    /// Metric: a column, a value of the column `metric`, or a metric id of snapshots; default: all there are.
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Arm to compare with; default: the one called control, champion, baseline, a, c or 0.
    #[arg(long, value_name = "ARM")]
    control: Option<String>,
    /// How units were assigned.
    #[arg(long, value_enum, default_value_t = DesignArg::User)]
    design: DesignArg,
    /// Bounds of the outcome, declared before the start; streams are bounded by 0,1.
    #[arg(long, value_name = "LOWER,UPPER", allow_hyphen_values = true)]
    bounds: Option<String>,
    /// Length of a switchback's or split pool's block of time, in the file's unit (seconds for timestamps).
    #[arg(long, value_name = "SECONDS")]
    block: Option<f64>,
    /// Start of each block left out, because queues still remember the other policy.
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    washout: f64,
    /// The arms share people who can run short: a user split then promotes only beyond `--interference-bound`.
    #[arg(long)]
    shared_pool: bool,
    /// Largest difference that sharing alone can make, from a simulation.
    #[arg(long, value_name = "BIAS", requires = "shared_pool")]
    interference_bound: Option<f64>,
    /// Correction of p-values over several challengers.
    #[arg(long, value_enum, default_value_t = CorrectionArg::Holm)]
    correction: CorrectionArg,
    /// Rule of promotion, with the roles of metrics and the strata; default: statistics alone, without minimum duration.
    #[arg(long, value_name = "RULE.toml", conflicts_with = "alpha")]
    rule: Option<PathBuf>,
    /// Run directory to save the result in; `tierwise report` draws it again.
    #[arg(long, value_name = "RUN_DIR")]
    out: Option<PathBuf>,
    /// Page to draw.
    #[arg(long, value_name = "PAGE.html")]
    report: Option<PathBuf>,
    /// Language of the page.
    #[arg(long, value_enum, default_value_t = Lang::En)]
    lang: Lang,
    /// Exit with 1 unless a challenger of some experiment is promoted.
    #[arg(long)]
    gate: bool,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum DesignArg {
    /// Each unit by its own coin.
    User,
    /// Blocks of time, in pairs with a coin for their order.
    Switchback,
    /// Each arm with its own half of the people.
    SplitPool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CorrectionArg {
    /// Any false positive at most alpha.
    Bonferroni,
    /// The same, step by step.
    Holm,
    /// Share of false discoveries, independent tests.
    Bh,
    /// Share of false discoveries, any dependence.
    By,
}

pub(super) fn run(args: &AnalyzeArgs) -> Result<Done, Failure> {
    existing(&args.file, "file")?;
    if let Some(out) = &args.out {
        directory(out)?;
    }
    let options = options(args)?;
    let analysis = analyze(&args.file, &options)?;
    let saved = SavedAnalysis::new(&args.file, &options, analysis)?;
    if let Some(out) = &args.out {
        let run = RunDirectory::create(out)?;
        write_json(&run.analysis(), &saved)?;
    }
    if let Some(page) = &args.report {
        let html = test_page(&saved)
            .render(args.lang.into())
            .map_err(|e| failure_of(&e))?;
        write_page(page, &html)?;
    }
    if args.output.json {
        output::json(&saved.analysis)?;
    } else {
        output::text_line(&analyze_table::text(&saved.analysis))?;
        if let Some(out) = &args.out {
            let path = RunDirectory::at(out).analysis();
            output::text_line(&format!("written to {}", path.display()))?;
        }
        if let Some(page) = &args.report {
            output::text_line(&format!("report: {}", page.display()))?;
        }
    }
    let promoted = saved
        .analysis
        .experiments
        .iter()
        .any(|experiment| experiment.verdict.promotes());
    Ok(if args.gate && !promoted {
        Done::NothingQualified
    } else {
        Done::Fine
    })
}

/// The rule of a file.
pub(super) fn rule_file(path: &Path) -> Result<PromotionRule, Failure> {
    existing(path, "rule")?;
    load_rule(path).map_err(|error| {
        Failure::from(error).fix("configs/promotion.toml explains every key and its range")
    })
}

fn options(args: &AnalyzeArgs) -> Result<AnalyzeOptions, Failure> {
    let rule = match &args.rule {
        Some(path) => rule_file(path)?,
        None => {
            let alpha = Alpha::new(args.alpha)
                .map_err(|error| Failure::new(format!("`--alpha`: {error}")))?;
            PromotionRule::statistics_only(alpha)
        }
    };
    let mut options = AnalyzeOptions::new(rule);
    for key in &args.methods {
        let method = Method::from_key(key).ok_or_else(|| {
            let known: Vec<&str> = Method::ALL.iter().map(|method| method.key()).collect();
            Failure::new(format!("`--method` names `{key}`, which is no method"))
                .detail(format!("methods are {}", known.join(", ")))
                .fix("name some of them, separated by commas")
        })?;
        options.methods.push(method);
    }
    options.metric.clone_from(&args.metric);
    options.control.clone_from(&args.control);
    options.design = match args.design {
        DesignArg::User => Design::User,
        DesignArg::Switchback => Design::Switchback,
        DesignArg::SplitPool => Design::SplitPool,
    };
    options.bounds = args.bounds.as_deref().map(bounds).transpose()?;
    if let Some(length) = args
        .block
        .filter(|length| length.is_nan() || *length <= 0.0)
    {
        return Err(Failure::new(format!("`--block` is {length}")).detail("it is above 0"));
    }
    options.block_secs = args.block;
    options.washout_secs = args.washout;
    options.shared_pool = args.shared_pool;
    options.interference_bound = args.interference_bound;
    options.correction = match args.correction {
        CorrectionArg::Bonferroni => Correction::Bonferroni,
        CorrectionArg::Holm => Correction::Holm,
        CorrectionArg::Bh => Correction::BenjaminiHochberg,
        CorrectionArg::By => Correction::BenjaminiYekutieli,
    };
    options.detailed = args.report.is_some() || args.out.is_some();
    Ok(options)
}

fn bounds(text: &str) -> Result<(f64, f64), Failure> {
    let numbers: Option<Vec<f64>> = text.split(',').map(|n| n.trim().parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[lower, upper]) if lower < upper && (upper - lower).is_finite() => Ok((lower, upper)),
        _ => Err(Failure::new(format!("`--bounds` is `{text}`"))
            .detail("it is two numbers, the lower one first")
            .fix("for example `--bounds 0,5`")),
    }
}
