//! What a sequence is drawn from: interval, wealth and share at every look.

use super::charts::{Level, OverTime};
use super::values::{TestedSequence, TestedTimes};
use super::view::change;
use crate::charts::ChartPair;
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::text::{Phrase, Words};

fn times(sequence: &TestedSequence) -> (f64, f64) {
    let first = sequence.looks.first().map_or(0.0, |look| look.at);
    let last = sequence.looks.last().map_or(1.0, |look| look.at);
    (first, last)
}

fn x_label(sequence: &TestedSequence, words: Words) -> impl Fn(f64) -> String {
    let times = sequence.times;
    move |x: f64| time_label(times, x, words)
}

/// A time on the axis.
pub(crate) fn time_label(times: TestedTimes, x: f64, words: Words) -> String {
    let text = number::fixed(x, Decimals(usize::from(x.fract() != 0.0)));
    match times {
        TestedTimes::Days => words.fill(Phrase::Days, &[("days", &text)]),
        TestedTimes::Hours => words.fill(Phrase::AxisHours, &[("hours", &text)]),
        TestedTimes::Own => number::compact(x),
    }
}

pub(super) fn interval_chart(
    sequence: &TestedSequence,
    words: Words,
) -> Result<Option<ChartPair>, ReportError> {
    let bounded: Vec<(f64, f64, f64)> = sequence
        .looks
        .iter()
        .filter_map(|look| {
            let (lower, upper) = look.interval?;
            Some((look.at, lower.unwrap_or(-1e6), upper.unwrap_or(1e6)))
        })
        .collect();
    let Some((_, lower, upper)) = bounded.last().copied() else {
        return Ok(None);
    };
    // The last interval decides the scale; earlier ones may run off the edge.
    let span = (upper.min(1e3) - lower.max(-1e3)).abs().max(1e-9);
    let domain = Domain::around(&[
        0.0,
        lower.max(-1e3) - 1.5 * span,
        upper.min(1e3) + 1.5 * span,
    ]);
    let scale = sequence.scale;
    let ends = |end: fn(&(f64, f64, f64)) -> f64| bounded.iter().map(|b| (b.0, end(b))).collect();
    OverTime {
        chart: "sequence",
        label: words.say(Phrase::TestSequenceTitle),
        times: times(sequence),
        domain,
        lines: vec![
            (Ink::Series(0), ends(|b| b.1)),
            (Ink::Series(0), ends(|b| b.2)),
        ],
        levels: vec![Level {
            y: 0.0,
            ink: Ink::Baseline,
            name: words.say(Phrase::TestNoChange).to_owned(),
        }],
        band: bounded,
        marks: true,
        y_label: &|y| change(scale, Some(y)),
        x_label: &x_label(sequence, words),
    }
    .draw()
    .map(Some)
}

pub(super) fn wealth_chart(
    sequence: &TestedSequence,
    words: Words,
) -> Result<ChartPair, ReportError> {
    let ln_10 = std::f64::consts::LN_10;
    let side = |pick: fn(&(f64, f64)) -> f64| -> Vec<(f64, f64)> {
        sequence
            .looks
            .iter()
            .map(|look| (look.at, (pick(&look.log_wealth) / ln_10).max(-3.0)))
            .collect()
    };
    let (promote, roll_back) = (side(|w| w.0), side(|w| w.1));
    let decides = sequence.thresholds.0.max(sequence.thresholds.1).log10();
    let most = promote
        .iter()
        .chain(&roll_back)
        .map(|(_, y)| *y)
        .fold(decides, f64::max);
    OverTime {
        chart: "wealth",
        label: words.say(Phrase::TestWealthTitle),
        times: times(sequence),
        domain: Domain::around(&[-3.0, most]),
        band: Vec::new(),
        lines: vec![(Ink::Series(0), promote), (Ink::Series(1), roll_back)],
        levels: vec![Level {
            y: sequence.thresholds.0.log10(),
            ink: Ink::Baseline,
            name: words.say(Phrase::TestDecides).to_owned(),
        }],
        marks: false,
        y_label: &|y| {
            if (y - y.round()).abs() < 1e-9 {
                format!("10{}", number::power(y.round()))
            } else {
                number::fixed(10f64.powf(y), Decimals(2))
            }
        },
        x_label: &x_label(sequence, words),
    }
    .draw()
}

pub(super) fn share_chart(
    sequence: &TestedSequence,
    words: Words,
) -> Result<Option<ChartPair>, ReportError> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for look in &sequence.looks {
        let Some(share) = look.share else {
            return Ok(None);
        };
        if let Some((_, before)) = steps.last().copied() {
            steps.push((look.at, before));
        }
        steps.push((look.at, share));
    }
    OverTime {
        chart: "share",
        label: words.say(Phrase::TestShareTitle),
        times: times(sequence),
        domain: Domain::around(&[0.0, steps.iter().map(|s| s.1).fold(0.5, f64::max)]),
        band: Vec::new(),
        lines: vec![(Ink::Series(2), steps)],
        levels: Vec::new(),
        marks: false,
        y_label: &|y| {
            if y < -1e-9 {
                String::new()
            } else {
                number::percent(y, Decimals(0))
            }
        },
        x_label: &x_label(sequence, words),
    }
    .draw()
    .map(Some)
}
