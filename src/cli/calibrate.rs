//! `tierwise calibrate`.

use std::path::{Path, PathBuf};

use clap::Args;
use tierwise_envs::calibrate::{
    CalibrateError, CalibrateOptions, Calibration, GoodnessOfFit, Parameter, Source, calibrate,
};
use tierwise_envs::log::file::LogReader;
use tierwise_envs::shop::ShopRules;

use super::{Done, OutputArgs, existing, output};
use crate::failure::{Failure, failure_of};
use crate::run::{write_json, write_whole};

/// Fit a contact centre to a log, and try it on days it has not seen
#[derive(Debug, Args)]
pub(super) struct CalibrateArgs {
    /// Conversation log to fit to (.parquet, .jsonl, .jsonl.gz).
    log: PathBuf,
    /// The centre to write, in TOML; the table of all numbers goes beside it as .json.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Days at the end to hold out; default: 30 % of the log's, none of fewer than four.
    #[arg(long, value_name = "N")]
    test_days: Option<u32>,
    /// Hours that local time is ahead of UTC, -12 to 14; days and hours of the day are local.
    #[arg(
        long,
        default_value_t = 0.0,
        value_name = "H",
        allow_negative_numbers = true
    )]
    utc_offset_hours: f64,
    /// Runs of the centre that are compared with the days held out.
    #[arg(long, default_value_t = 40, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    replicas: u32,
    /// Seed of the first run.
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &CalibrateArgs) -> Result<Done, Failure> {
    existing(&args.log, "log")?;
    let table = args.out.with_extension("json");
    if table == args.out {
        return Err(Failure::at(&args.out, "the centre is written in TOML")
            .fix("choose a name that ends in .toml"));
    }
    let reader = LogReader::open(&args.log).map_err(|error| failure_of(&error))?;
    let options = CalibrateOptions {
        utc_offset_hours: args.utc_offset_hours,
        test_days: args.test_days,
        replicas: args.replicas,
        seed: args.seed,
    };
    let found = calibrate(reader, &ShopRules::default(), &options)
        .map_err(|error| failure(&args.log, &error))?;
    let about = vec![
        format!(
            "A centre fitted by `tierwise calibrate` to {}: {} conversations on {} days, the last {} of them held out.",
            args.log.display(),
            found.conversations,
            found.days,
            found.test_days
        ),
        "Beside each key: estimate ± standard error, events, and what it rests on. Keys without are defaults.".to_owned(),
    ];
    let name = args
        .out
        .file_stem()
        .and_then(|stem| stem.to_str())
        .filter(|stem| !stem.is_empty() && stem.len() <= 64)
        .unwrap_or("centre");
    write_json(&table, &found)?;
    write_whole(&args.out, found.to_toml(name, &about).as_bytes())?;
    if args.output.json {
        output::json(&found)?;
    } else {
        output::text_line(&text(&found))?;
        output::text_line(&format!(
            "\nwritten to {} and {}",
            args.out.display(),
            table.display()
        ))?;
    }
    Ok(Done::Fine)
}

fn failure(log: &Path, error: &CalibrateError) -> Failure {
    if let CalibrateError::Log(error) = error {
        return failure_of(error);
    }
    let failure = Failure::at(log, error);
    match error {
        CalibrateError::NoAnswers { .. } | CalibrateError::NoTimes { .. } => failure
            .fix("import the log with its decisions and answer times; `tierwise log check` shows what it holds"),
        CalibrateError::NoConversations | CalibrateError::TooFew { .. } => failure.fix("take a longer log"),
        CalibrateError::TooFewDays { .. } => failure.fix("lower `--test-days`, or take a longer log"),
        CalibrateError::Offset { .. } => failure.fix("give `--utc-offset-hours` as hours ahead of UTC, such as 8"),
        _ => failure,
    }
}

/// Sources by section, the numbers one looks at first, and the fit on days held out.
fn text(found: &Calibration) -> String {
    let count = |source| {
        found
            .parameters
            .iter()
            .filter(|p| p.source == source)
            .count()
    };
    let mut lines = vec![
        format!(
            "{} conversations on {} days, {} held out; {} numbers fitted, {} pooled, {} assumed",
            found.conversations,
            found.days,
            found.test_days,
            count(Source::Fitted),
            count(Source::Pooled),
            count(Source::Assumed)
        ),
        String::new(),
        format!(
            "{:<34} {:<20} {:>10} {:>10} {:>8}  source",
            "number", "cell", "estimate", "± se", "n"
        ),
    ];
    lines.extend(
        found
            .parameters
            .iter()
            .filter(|p| !HIDDEN.iter().any(|key| p.key.starts_with(key)))
            .map(row),
    );
    lines.push(format!(
        "(profiles, shares of languages and channels, confusion: in the file; law of patience: {})",
        found.patience.law.as_deref().unwrap_or("assumed")
    ));
    if let Some(fit) = &found.fit {
        lines.push(String::new());
        lines.extend(fit_lines(fit));
    }
    for note in &found.notes {
        lines.push(format!("note: {note}"));
    }
    lines.join("\n")
}

/// Long lists that the file shows.
const HIDDEN: [&str; 6] = [
    "shop.hourly_profile",
    "shop.weekday_profile",
    "shop.language",
    "shop.channel_shares",
    "shop.perception",
    "shop.night_hours",
];

fn row(p: &Parameter) -> String {
    format!(
        "{:<34} {:<20} {:>10} {:>10} {:>8}  {}",
        p.key,
        p.cell.as_deref().unwrap_or(""),
        number(p.estimate),
        p.standard_error.map_or_else(|| "-".to_owned(), number),
        p.n,
        match (&p.note, p.source) {
            (Some(note), Source::Assumed | Source::Pooled) =>
                format!("{}: {note}", p.source.name()),
            _ => p.source.name().to_owned(),
        }
    )
}

fn number(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.3}")
    } else {
        format!("{value:.4}")
    }
}

fn fit_lines(fit: &GoodnessOfFit) -> Vec<String> {
    let mut lines = vec![format!(
        "Held out: {} days, {} conversations, against {} runs of the centre under the logged tiers' shares",
        fit.days, fit.conversations, fit.replicas
    )];
    lines.push(format!(
        "{:<32} {:>10} {:>10} {:>24}  inside",
        "figure", "observed", "simulated", "5 % to 95 % of runs"
    ));
    for total in &fit.totals {
        lines.push(format!(
            "{:<32} {:>10} {:>10} {:>24}  {}",
            total.name,
            number(total.observed),
            number(total.simulated),
            format!("[{}, {}]", number(total.lower), number(total.upper)),
            if total.inside { "yes" } else { "no" }
        ));
    }
    for band in &fit.bands {
        lines.push(format!(
            "{:<32} {} of {} inside the 90 % band ({:.0} %)",
            band.name,
            band.inside,
            band.cells,
            100.0 * band.coverage()
        ));
    }
    for d in &fit.distributions {
        lines.push(format!(
            "{:<32} KS distance {:.3}, p {:.3}; median {} observed, {} simulated (n {}, {})",
            d.name,
            d.distance,
            d.p_value,
            number(d.quantiles[9].0),
            number(d.quantiles[9].1),
            d.observed,
            d.simulated
        ));
    }
    for f in &fit.forecasts {
        lines.push(format!(
            "{:<32} Brier {:.4} (of the mean {:.4}), calibration error {:.4}, n {}",
            f.name, f.brier, f.brier_of_mean, f.calibration_error, f.n
        ));
    }
    lines.extend(fit.notes.iter().map(|note| format!("not compared: {note}")));
    lines
}
