//! Drawings of the ramp, of arrivals, and of the evidence of watched metrics.

use super::values::OnlinePage;
use crate::charts::ChartPair;
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::test_page::TestedTimes;
use crate::test_page::charts::{Level, OverTime};
use crate::test_page::over_time::time_label;
use crate::text::{OnlinePhrase, Phrase, Words};

/// A line of a chart and its name.
pub(super) struct LegendEntry {
    pub(super) variable: &'static str,
    pub(super) dashes: &'static str,
    pub(super) name: String,
}

fn legend(ink: Ink, name: &str) -> LegendEntry {
    LegendEntry {
        variable: ink.variable(),
        dashes: ink.dashes().unwrap_or("none"),
        name: name.to_owned(),
    }
}

/// The champion is drawn as baselines are; challengers in their order.
fn ink(arm: usize) -> Ink {
    match arm {
        0 => Ink::Baseline,
        arm => Ink::Series(arm - 1),
    }
}

pub(super) fn arms_legend(page: &OnlinePage) -> Vec<LegendEntry> {
    let arms = page.arms.iter().enumerate();
    arms.map(|(place, arm)| legend(ink(place), &arm.name))
        .collect()
}

pub(super) fn watched_legend(page: &OnlinePage) -> Vec<LegendEntry> {
    let drawn = page.watched.iter().filter(|one| one.looks.len() > 1);
    drawn
        .enumerate()
        .map(|(place, one)| legend(Ink::Series(place), &one.metric.name))
        .collect()
}

/// The stretch of time that the page draws.
struct Span {
    start_us: i64,
    end: f64,
    times: TestedTimes,
    unit_us: f64,
}

impl Span {
    fn of(page: &OnlinePage) -> Option<Self> {
        let start_us = page.revisions.first()?.since_us;
        let over = matches!(
            page.phase,
            super::OnlinePhase::Completed { .. }
                | super::OnlinePhase::RolledBack
                | super::OnlinePhase::Stopped
                | super::OnlinePhase::Killed
        );
        let end_us = if over {
            page.phase_since_us
        } else {
            page.at_us
        };
        let (times, unit_us) = OnlinePage::time_unit(start_us, end_us);
        let end = (end_us - start_us).max(1) as f64 / unit_us;
        Some(Self {
            start_us,
            end,
            times,
            unit_us,
        })
    }

    fn place(&self, at_us: i64) -> f64 {
        ((at_us - self.start_us) as f64 / self.unit_us).clamp(0.0, self.end)
    }
}

/// Shares of every arm, step by step.
pub(super) fn ramp(page: &OnlinePage, words: Words) -> Result<Option<ChartPair>, ReportError> {
    let Some(span) = Span::of(page) else {
        return Ok(None);
    };
    let lines = (0..page.arms.len()).map(|arm| {
        let mut steps: Vec<(f64, f64)> = Vec::new();
        for revision in &page.revisions {
            let share = revision.shares.get(arm).copied().unwrap_or(f64::NAN);
            let at = span.place(revision.since_us);
            steps.extend(steps.last().copied().map(|(_, before)| (at, before)));
            steps.push((at, share));
        }
        steps.extend(steps.last().copied().map(|(_, share)| (span.end, share)));
        (ink(arm), steps)
    });
    OverTime {
        chart: "ramp",
        label: words.say(OnlinePhrase::ShareTitle),
        times: (0.0, span.end),
        domain: Domain::between(-0.02, 1.04),
        band: Vec::new(),
        lines: lines.collect(),
        levels: Vec::new(),
        marks: false,
        y_label: &|y| {
            if (-1e-9..=1.0 + 1e-9).contains(&y) {
                number::percent(y.max(0.0), Decimals(0))
            } else {
                String::new()
            }
        },
        x_label: &|x| time_label(span.times, x, words),
    }
    .draw()
    .map(Some)
}

/// Units that entered each arm, an hour.
pub(super) fn entering(page: &OnlinePage, words: Words) -> Result<Option<ChartPair>, ReportError> {
    let Some(span) = Span::of(page).filter(|_| page.entering.len() > 1) else {
        return Ok(None);
    };
    let mut most = 0.0_f64;
    let mut lines = Vec::new();
    for arm in 0..page.arms.len() {
        let mut steps = Vec::new();
        for stretch in &page.entering {
            let units = stretch.units.get(arm).copied().unwrap_or(0) as f64;
            let rate = units / stretch.hours;
            most = most.max(rate);
            let length_us = (stretch.hours * 3_600e6) as i64;
            steps.push((span.place(stretch.from_us), rate));
            steps.push((span.place(stretch.from_us + length_us), rate));
        }
        lines.push((ink(arm), steps));
    }
    OverTime {
        chart: "entering",
        label: words.say(OnlinePhrase::EnteringTitle),
        times: (0.0, span.end),
        domain: Domain::between(-0.02 * most, (1.08 * most).max(1e-9)),
        band: Vec::new(),
        lines,
        levels: Vec::new(),
        marks: false,
        y_label: &|y| {
            if y < -1e-9 {
                String::new()
            } else {
                number::compact(y)
            }
        },
        x_label: &|x| time_label(span.times, x, words),
    }
    .draw()
    .map(Some)
}

/// Evidence of watched metrics, each over its own threshold, so that one line decides for all.
pub(super) fn watched(page: &OnlinePage, words: Words) -> Result<Option<ChartPair>, ReportError> {
    let drawn: Vec<_> = page
        .watched
        .iter()
        .filter(|one| one.looks.len() > 1)
        .collect();
    let Some(span) = Span::of(page).filter(|_| !drawn.is_empty()) else {
        return Ok(None);
    };
    let ln_10 = std::f64::consts::LN_10;
    let lines: Vec<(Ink, Vec<(f64, f64)>)> = drawn
        .iter()
        .enumerate()
        .map(|(place, one)| {
            let points = one.looks.iter().map(|(at, log)| {
                let relative = (log - one.threshold.ln()) / ln_10;
                (*at, relative.max(-4.0))
            });
            (Ink::Series(place), points.collect())
        })
        .collect();
    let all = || lines.iter().flat_map(|(_, points)| points).map(|p| p.1);
    let (low, high) = (all().fold(-2.0, f64::min), all().fold(0.0, f64::max));
    OverTime {
        chart: "watched",
        label: words.say(OnlinePhrase::WatchedChart),
        times: (0.0, span.end),
        domain: Domain::around(&[low, high]),
        band: Vec::new(),
        lines,
        levels: vec![Level {
            y: 0.0,
            ink: Ink::Worse,
            name: words.say(Phrase::TestDecides).to_owned(),
        }],
        marks: false,
        y_label: &|y| {
            if (y - y.round()).abs() < 1e-9 && y <= 0.0 {
                number::percent(10f64.powf(y), Decimals(if y < -1.5 { 2 } else { 0 }))
            } else if (y - y.round()).abs() < 1e-9 {
                format!("×{}", number::compact(10f64.powf(y)))
            } else {
                String::new()
            }
        },
        x_label: &|x| time_label(span.times, x, words),
    }
    .draw()
    .map(Some)
}
