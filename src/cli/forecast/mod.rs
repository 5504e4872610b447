//! `tierwise forecast`.

mod staffing;

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use tierwise_envs::forecast::{
    Accuracy, Columns, Evaluation, Fill, NextHour, Reading, SeriesFile, StaffingPlan, evaluate,
    forecasters, read_series,
};

use self::staffing::StaffArgs;
use super::{Done, OutputArgs, existing, output};
use crate::failure::{Failure, failure_of};

/// Judge forecasters of hourly arrivals, and forecast the hours to come with the best
///
/// Every forecaster is judged at every hour of the last quarter of the series, on parameters fitted before it.
#[derive(Debug, Args)]
pub(super) struct ForecastArgs {
    /// Table with a time and a count per row (.csv, separated by comma, semicolon or tab; gzip is recognised).
    series: PathBuf,
    /// Hours to forecast, 1 to 168.
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    horizon: usize,
    /// Quantile to plan staff for, 0.01 to 0.99.
    #[arg(long, default_value_t = 0.9, value_name = "SHARE")]
    quantile: f64,
    /// Forecaster of the hours to come; default: the best.
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Column of times; default: the first.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// Column of counts; default: the second.
    #[arg(long, value_name = "COLUMN")]
    value: Option<String>,
    /// Time between rows, such as 5m, 30m or 1h; counts are summed to hours. Default: found from the rows.
    #[arg(long, value_name = "STEP", value_parser = step)]
    every: Option<u32>,
    /// What a missing count stands for; without it, missing counts are an error.
    #[arg(long, value_enum)]
    fill: Option<FillArg>,
    #[command(flatten)]
    staff: StaffArgs,
    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum FillArg {
    /// Nobody came.
    Zero,
    /// The count was lost: a line between its neighbours, which nobody is judged on.
    Interpolate,
}

impl From<FillArg> for Fill {
    fn from(fill: FillArg) -> Self {
        match fill {
            FillArg::Zero => Self::Zero,
            FillArg::Interpolate => Self::Interpolate,
        }
    }
}

/// What was found, as printed in JSON.
#[derive(Debug, Serialize)]
struct Found<'a> {
    series: Series,
    horizon: usize,
    quantile: f64,
    /// Mean absolute error of the daily naive forecast on the first three quarters: the unit of MASE.
    mase_unit: f64,
    /// First hour judged.
    judged_from: String,
    models: Vec<&'a Accuracy>,
    best: &'a str,
    /// Forecaster of the hours to come.
    model: &'a str,
    forecast: Vec<NextHour>,
    #[serde(skip_serializing_if = "Option::is_none")]
    staffing: Option<StaffingPlan>,
}

#[derive(Debug, Serialize)]
struct Series {
    file: String,
    from: String,
    to: String,
    hours: usize,
    mean: f64,
    rows: u64,
    step_s: u32,
    gaps: u64,
    filled: u64,
    drawn_hours: usize,
    trimmed_rows: u64,
}

pub(super) fn run(args: &ForecastArgs) -> Result<Done, Failure> {
    existing(&args.series, "table")?;
    let known = forecasters();
    if let Some(name) = &args.model
        && !known.iter().any(|f| f.name() == name)
    {
        let names: Vec<&str> = known.iter().map(|f| f.name()).collect();
        return Err(
            Failure::new(format!("`--model` is {name}; no forecaster is called so"))
                .fix(format!("use one of {}", names.join(", "))),
        );
    }
    let reading = Reading {
        columns: Columns {
            time: args.time.clone(),
            value: args.value.clone(),
        },
        step_s: args.every,
        fill: args.fill.map(Fill::from),
    };
    let file = read_series(&args.series, &reading).map_err(|error| failure_of(&error))?;
    let failed = |error| failure_of(&error);
    let judged = evaluate(&file.series, &known, args.horizon, args.quantile).map_err(failed)?;
    let best = judged.best().map_or("", |model| model.accuracy.name);
    let model = args.model.as_deref().unwrap_or(best);
    let forecast = judged
        .next_hours(&file.series, &known, model)
        .map_err(failed)?;
    let contacts: Vec<f64> = forecast.iter().map(|hour| hour.quantile).collect();
    let staffing = args.staff.plan(&contacts)?;
    let found = Found {
        series: series(args, &file),
        horizon: args.horizon,
        quantile: args.quantile,
        mase_unit: judged.scale,
        judged_from: file.series.start_of(judged.first_origin),
        models: judged.models.iter().map(|m| &m.accuracy).collect(),
        best,
        model,
        forecast,
        staffing,
    };
    if args.output.json {
        output::json(&found)?;
    } else {
        output::text_line(&text(&found, &judged))?;
    }
    Ok(Done::Fine)
}

/// Seconds of a step such as `5m`.
fn step(text: &str) -> Result<u32, String> {
    let wrong = || "a step is a whole number with s, m or h, such as 5m, 30m or 1h".to_owned();
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number: u32 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

fn series(args: &ForecastArgs, file: &SeriesFile) -> Series {
    let counts = file.series.counts();
    Series {
        file: args.series.display().to_string(),
        from: file.series.start_of(0),
        to: file.series.start_of(counts.len().saturating_sub(1)),
        hours: counts.len(),
        mean: counts.iter().sum::<f64>() / counts.len().max(1) as f64,
        rows: file.rows,
        step_s: file.step_s,
        gaps: file.gaps,
        filled: file.filled,
        drawn_hours: file.series.drawn_hours(),
        trimmed_rows: file.trimmed,
    }
}

fn text(found: &Found<'_>, judged: &Evaluation) -> String {
    let mut lines = head(&found.series);
    let origins = found.models.first().map_or(0, |model| model.origins);
    // Counts in the tens get two decimals, in the thousands none.
    let digits = match found.series.mean {
        mean if mean >= 1000.0 => 0,
        mean if mean >= 100.0 => 1,
        _ => 2,
    };
    let unit = found.mase_unit;
    lines.push(format!(
        "judged at {origins} hours from {}, {} hours ahead; MASE 1 is {unit:.digits$} contacts an hour, the error of the same \
         hour of the day before",
        found.judged_from, found.horizon
    ));
    let quantile = format!("pinball {}", found.quantile);
    lines.push(String::new());
    lines.push(format!(
        "  {:<16} {:>7} {:>10} {:>10} {:>13} {:>9}",
        "forecaster", "MASE", "MAE", "RMSE", quantile, "covered"
    ));
    for model in &found.models {
        let mark = if model.name == found.best { '*' } else { ' ' };
        let mase = model
            .mase
            .map_or("-".to_owned(), |mase| format!("{mase:.3}"));
        lines.push(format!(
            "{mark} {:<16} {mase:>7} {:>10.digits$} {:>10.digits$} {:>13.digits$} {:>7.1} %",
            model.name,
            model.mae,
            model.rmse,
            model.pinball,
            100.0 * model.coverage
        ));
    }
    lines.push(format!(
        "* smallest error. covered: hours at or below the {} quantile; {:.0} % is wanted",
        found.quantile,
        100.0 * found.quantile
    ));
    lines.push(String::new());
    lines.push(format!(
        "the next {} hours by {}",
        judged.horizon, found.model
    ));
    lines.push(next_hours(found, digits));
    lines.join("\n")
}

fn head(series: &Series) -> Vec<String> {
    let mut lines = vec![format!(
        "{}: {} hours from {} to {}, {:.1} contacts an hour",
        series.file, series.hours, series.from, series.to, series.mean
    )];
    if series.step_s != 3600 {
        lines.push(format!(
            "  summed from {} rows {} apart",
            series.rows,
            match series.step_s {
                step if step % 60 == 0 => format!("{} min", step / 60),
                step => format!("{step} s"),
            }
        ));
    }
    if series.filled > 0 {
        lines.push(format!(
            "  missing counts filled in: {} in {}{}",
            series.filled,
            if series.gaps == 1 {
                "1 gap".to_owned()
            } else {
                format!("{} gaps", series.gaps)
            },
            match series.drawn_hours {
                0 => ", with 0".to_owned(),
                hours => format!(", between their neighbours; hours not judged on: {hours}"),
            }
        ));
    }
    if series.trimmed_rows > 0 {
        lines.push(format!(
            "  rows left out, of an hour begun or broken off at the ends: {}",
            series.trimmed_rows
        ));
    }
    lines
}

fn next_hours(found: &Found<'_>, digits: usize) -> String {
    let quantile = format!("{} quantile", found.quantile);
    let width = found.forecast.iter().map(|hour| hour.at.len());
    let width = width.max().unwrap_or(0).max(4);
    let mut table = format!("  {:<width$} {:>10} {quantile:>13}", "hour", "mean");
    if found.staffing.is_some() {
        table.push_str("  needed  people");
    }
    for (index, hour) in found.forecast.iter().enumerate() {
        let _ = write!(
            table,
            "\n  {:<width$} {:>10.digits$} {:>13.digits$}",
            hour.at, hour.mean, hour.quantile
        );
        if let Some(planned) = found.staffing.as_ref().and_then(|p| p.hours.get(index)) {
            let _ = write!(table, "  {:>6}  {:>6}", planned.needed, planned.people);
        }
    }
    if let Some(plan) = &found.staffing {
        let _ = write!(
            table,
            "\n{} human hours, {} at most at once; blocks of {} h cost {} hours",
            plan.human_hours(),
            plan.peak(),
            plan.block_hours,
            plan.hours_above_need()
        );
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_with_their_unit() {
        assert_eq!(step("5m"), Ok(300));
        assert_eq!(step("30min"), Ok(1800));
        assert_eq!(step("1h"), Ok(3600));
        assert_eq!(step("90s"), Ok(90));
        for wrong in ["", "5", "m", "1.5h", "-5m", "2d", "9999999h"] {
            assert!(step(wrong).is_err(), "{wrong}");
        }
    }
}
