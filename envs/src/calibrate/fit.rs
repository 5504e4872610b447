//! Goodness of fit on days that calibration has not seen: the calibrated centre, run over them under the tiers that the log
//! took, beside what happened.

mod compare;
mod seen;

use serde::{Deserialize, Serialize};

use super::arrivals::Days;
use super::estimate::quantile;
use super::rows::Rows;
use super::satisfaction::Model;
use super::{CalibrateError, CalibrateOptions, Calibration, later};
use crate::centre::{CentreConfig, CentreError, Stage};
use crate::shop::{ShopConfig, ShopRules, World};

use self::compare::{forecast, two_samples};
use self::seen::{LoggedTiers, Seen, observe, simulate};

/// How the calibrated centre meets days held out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GoodnessOfFit {
    /// Whole days compared.
    pub days: u32,
    /// Conversations on them.
    pub conversations: u64,
    /// Simulated runs of the same days.
    pub replicas: u32,
    /// Answer, queue and work times.
    pub distributions: Vec<Distribution>,
    /// Coverage of 90 % bands.
    pub bands: Vec<Band>,
    /// Observed, simulated, inside or not.
    pub totals: Vec<Total>,
    /// Forecasts for single conversations.
    pub forecasts: Vec<Forecast>,
    /// What could not be compared, and why.
    pub notes: Vec<String>,
}

/// Two samples of seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// What was timed.
    pub name: String,
    /// Observed values.
    pub observed: u64,
    /// Simulated values.
    pub simulated: u64,
    /// Largest distance of the two distribution functions (Kolmogorov & Smirnov).
    pub distance: f64,
    /// Chance of a larger one between samples of one law, as if values were independent; with many values it is small for
    /// distances that do not matter.
    pub p_value: f64,
    /// Observed and simulated quantiles at 5, 10, … 95 %: the points of a Q-Q plot.
    pub quantiles: Vec<(f64, f64)>,
}

/// How often what happened lies within the middle 90 % of the simulated runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// What is compared.
    pub name: String,
    /// Hours, or marks, compared.
    pub cells: u32,
    /// Of them, those inside.
    pub inside: u32,
    /// Observed, 5 % and 95 % of the runs, cell by cell.
    pub values: Vec<(f64, f64, f64)>,
}

impl Band {
    /// Share of cells inside; near 0.9 when the centre is right.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        f64::from(self.inside) / f64::from(self.cells.max(1))
    }
}

/// One figure of the whole period.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// Its name.
    pub name: String,
    /// What happened.
    pub observed: f64,
    /// Mean of the runs.
    pub simulated: f64,
    /// 5 % of the runs lie below.
    pub lower: f64,
    /// 5 % lie above.
    pub upper: f64,
    /// Whether what happened lies between.
    pub inside: bool,
}

/// Chances given to single conversations, and how they came true.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// What was forecast.
    pub name: String,
    /// Conversations.
    pub n: u64,
    /// Mean squared error of the chances.
    pub brier: f64,
    /// The same for everyone's mean chance: what a model without covariates scores.
    pub brier_of_mean: f64,
    /// Mean distance of chance and frequency over ten bins of equal size.
    pub calibration_error: f64,
    /// Mean chance and frequency in each bin.
    pub bins: Vec<(f64, f64)>,
}

/// Compares the calibrated centre with the log's last days.
pub(super) fn judge(
    calibration: &Calibration,
    train: &Rows,
    test: &Rows,
    first: u32,
    model: &Model,
    rules: &ShopRules,
    options: &CalibrateOptions,
) -> Result<GoodnessOfFit, CalibrateError> {
    let mut days = calibration.test_days;
    if days > 1 && Days::of(test, first, first + days, 0).ends_cut() {
        days -= 1;
    }
    let test = test.days(first, first + days);
    // A day of warming up before the first that is compared.
    let shop = ShopConfig {
        start: later(calibration.shop.start, first.saturating_sub(1)),
        days: days + 1,
        ..calibration.shop.clone()
    };
    let centre = CentreConfig {
        warmup_h: 24.0,
        ..calibration.centre.clone()
    };
    let world = World::new(shop, rules.clone()).map_err(CentreError::from)?;
    let stage = Stage::new(centre, world)?;
    let policy = LoggedTiers::of(train);
    let observed = observe(&test, first, days);
    let runs = simulate(&stage, &policy, options.seed, options.replicas.max(2), days);
    let mut notes = Vec::new();
    let mut distributions = Vec::new();
    let pairs: [Times; 6] = [
        ("seconds to answer, auto", |s| &s.answer_s[0]),
        ("seconds to answer, review", |s| &s.answer_s[1]),
        ("seconds to answer, human", |s| &s.answer_s[2]),
        ("seconds in queues", |s| &s.queue_s),
        ("seconds of work, review", |s| &s.human_s[0]),
        ("seconds of work, human", |s| &s.human_s[1]),
    ];
    for (name, of) in pairs {
        let simulated: Vec<f64> = runs
            .iter()
            .flat_map(|run| of(run).iter().copied())
            .collect();
        match two_samples(name, of(&observed), simulated) {
            Some(found) => distributions.push(found),
            None => notes.push(format!(
                "{name}: fewer than 30 values on one side, not compared"
            )),
        }
    }
    let bands = bands(&observed, &runs, &mut notes);
    let totals = totals(&observed, &runs);
    let mut forecasts = Vec::new();
    for (name, chances) in [
        ("rating of 4 or 5", satisfied(&test, model)),
        ("click", clicks(&test, model, &calibration.shop)),
    ] {
        match forecast(name, chances) {
            Some(found) => forecasts.push(found),
            None => notes.push(format!("{name}: fewer than 30 conversations, not compared")),
        }
    }
    Ok(GoodnessOfFit {
        days,
        conversations: test.contacts.len() as u64,
        replicas: runs.len() as u32,
        distributions,
        bands,
        totals,
        forecasts,
        notes,
    })
}

/// Mean seconds in queues per conversation, under the logged tiers' shares, over days from the shop's first one.
pub(super) fn simulated_queue_s(
    train: &Rows,
    shop: ShopConfig,
    centre: CentreConfig,
    rules: &ShopRules,
    seed: u64,
    days: u32,
) -> Result<f64, CalibrateError> {
    let warmup_h = if days > 1 { 24.0 } else { 0.0 };
    let world =
        World::new(ShopConfig { days, ..shop }, rules.clone()).map_err(CentreError::from)?;
    let stage = Stage::new(CentreConfig { warmup_h, ..centre }, world)?;
    let runs = simulate(&stage, &LoggedTiers::of(train), seed, 2, days);
    Ok(runs.iter().map(Seen::mean_queue_s).sum::<f64>() / runs.len() as f64)
}

/// Observed values beside bands of the runs; cells that are no number in what happened are left out.
fn band(name: &str, observed: &[f64], runs: &[Vec<f64>]) -> Option<Band> {
    let mut values = Vec::new();
    for (cell, seen) in observed.iter().enumerate() {
        let mut of: Vec<f64> = runs
            .iter()
            .map(|run| run[cell])
            .filter(|value| value.is_finite())
            .collect();
        if seen.is_finite() && of.len() >= 2 {
            of.sort_by(f64::total_cmp);
            values.push((*seen, quantile(&of, 0.05), quantile(&of, 0.95)));
        }
    }
    (!values.is_empty()).then(|| Band {
        name: name.to_owned(),
        cells: values.len() as u32,
        inside: values
            .iter()
            .filter(|(seen, low, high)| (low..=high).contains(&seen))
            .count() as u32,
        values,
    })
}

/// A name and the values of one run that it stands for.
type Times = (&'static str, fn(&Seen) -> &Vec<f64>);

/// A name and its figure of one run.
type Figure = (&'static str, fn(&Seen) -> f64);

/// A name and what it is, cell by cell, of one run.
type Cells = (&'static str, fn(&Seen) -> Vec<f64>);

fn bands(observed: &Seen, runs: &[Seen], notes: &mut Vec<String>) -> Vec<Band> {
    let all: [Cells; 4] = [
        ("arrivals by hour", |s| {
            s.arrivals.iter().map(|n| f64::from(*n)).collect()
        }),
        ("mean queue by hour of day", |s| s.queue_by_hour()),
        ("abandonment by hour of day", |s| s.abandonment_by_hour()),
        ("share of each mark", |s| s.mark_shares()),
    ];
    let mut found = Vec::new();
    for (name, of) in all {
        let simulated: Vec<Vec<f64>> = runs.iter().map(of).collect();
        match band(name, &of(observed), &simulated) {
            Some(band) => found.push(band),
            None => notes.push(format!("{name}: not in the log, not compared")),
        }
    }
    found
}

fn totals(observed: &Seen, runs: &[Seen]) -> Vec<Total> {
    let all: [Figure; 8] = [
        ("conversations", |s| {
            f64::from(s.arrivals.iter().sum::<u32>())
        }),
        ("answers per conversation", |s| s.answers_each()),
        ("mean seconds to answer", |s| s.mean_answer_s()),
        ("mean seconds in queues", |s| s.mean_queue_s()),
        ("human seconds per conversation", |s| s.human_each()),
        ("share abandoned", |s| s.abandoned_share()),
        ("mean rating, 0 to 1", |s| s.mean_mark()),
        ("share that clicked", |s| s.click_share()),
    ];
    all.iter()
        .filter_map(|(name, of)| {
            let seen = of(observed);
            let mut values: Vec<f64> = runs.iter().map(of).filter(|v| v.is_finite()).collect();
            if !seen.is_finite() || values.len() < 2 {
                return None;
            }
            values.sort_by(f64::total_cmp);
            let (lower, upper) = (quantile(&values, 0.05), quantile(&values, 0.95));
            Some(Total {
                name: (*name).to_owned(),
                observed: seen,
                simulated: values.iter().sum::<f64>() / values.len() as f64,
                lower,
                upper,
                inside: (lower..=upper).contains(&seen),
            })
        })
        .collect()
}

/// Chance of a mark of 4 or 5 for everyone who gave one, and whether it was.
fn satisfied(test: &Rows, model: &Model) -> Vec<(f64, bool)> {
    test.contacts
        .iter()
        .filter_map(|contact| {
            let rating = contact.rating?;
            let marks = model.answered_marks(&model.ended(test, contact)?);
            Some((marks[3] + marks[4], rating > 0.7))
        })
        .collect()
}

/// Chance of a click for everyone whose clicks were tracked, and whether there was one.
fn clicks(test: &Rows, model: &Model, shop: &ShopConfig) -> Vec<(f64, bool)> {
    test.contacts
        .iter()
        .filter(|contact| contact.tracked)
        .filter_map(|contact| {
            let (mean, _) = model.moments(&model.ended(test, contact)?);
            let chance = shop.aftermath.click[contact.class?.index()] * mean;
            Some((chance, contact.click_s.is_some()))
        })
        .collect()
}
