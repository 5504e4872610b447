//! What more data would buy: interval and bound at multiples of today's rows, from the variance measured here.

use super::headline::about;
use super::{MoreData, OffPolicyPage, RankedCandidate, candidate_name, estimator_name, section};
use crate::block::{Block, SectionView};
use crate::charts::strip::{Domain, Mark as StripMark, Strip, Tone};
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::table::{Cell, Column, Row, Table};
use crate::text::{TablePhrase, Words};

/// Multiples of today's rows.
const TIMES: [u64; 4] = [1, 2, 4, 10];

impl OffPolicyPage {
    pub(super) fn more_section(&self, words: Words) -> Result<Option<SectionView>, ReportError> {
        let mut points: Vec<String> = Vec::new();
        points.extend(self.decision_point(words));
        points.extend(self.support_point(words));
        let holes = self.hole_count();
        if holes > 0 {
            let phrase = if holes == 1 {
                TablePhrase::MoreHole
            } else {
                TablePhrase::MoreHoles
            };
            let count = number::count(holes as u64);
            points.push(words.fill(phrase, &[("count", &count)]));
        }
        let (lead, mut blocks) = match &self.more {
            Some(more) => {
                let lead = words.fill(
                    TablePhrase::MoreLead,
                    &[
                        ("estimator", &estimator_name(words, &more.estimator)),
                        ("half", &number::fixed(more.half_width, half_decimals(more))),
                        ("units", self.units_name(words)),
                    ],
                );
                let caption = words.fill(
                    TablePhrase::MoreCaption,
                    &[("units", self.units_name(words))],
                );
                let table = self.more_table(words, more)?;
                (lead, vec![Block::Caption(caption), Block::Table(table)])
            }
            None => (String::new(), Vec::new()),
        };
        if !points.is_empty() {
            blocks.push(Block::Points(points));
        }
        Ok((!blocks.is_empty())
            .then(|| section("more", words.say(TablePhrase::MoreTitle), lead, blocks)))
    }

    /// The candidate that more rows could decide about.
    fn undecided(&self) -> Option<(&RankedCandidate, f64, f64, f64)> {
        let (critical, _) = self.ranking.as_ref()?.critical?;
        let candidate = self.best()?;
        let (difference, error) = candidate.difference.zip(candidate.standard_error)?;
        Some((candidate, difference, error, critical))
    }

    fn decision_point(&self, words: Words) -> Option<String> {
        let (critical, _) = self.ranking.as_ref()?.critical?;
        let all = || self.ranking.iter().flat_map(|ranking| &ranking.candidates);
        if let Some(passing) = all().find(|c| c.passes) {
            let name = candidate_name(words, &passing.name);
            return Some(words.fill(TablePhrase::MoreDecided, &[("candidate", &name)]));
        }
        // The one that fewest rows would decide about.
        let times = |c: &RankedCandidate| -> Option<f64> {
            let (difference, error) = c.difference.zip(c.standard_error)?;
            (difference > 0.0).then(|| (critical * error / difference).powi(2))
        };
        let next = all()
            .filter_map(|c| Some((c, times(c)?)))
            .filter(|(_, times)| times.is_finite())
            .min_by(|one, other| one.1.total_cmp(&other.1));
        let Some((candidate, times)) = next else {
            let any = all().any(|c| c.difference.is_some());
            return any.then(|| words.say(TablePhrase::MoreNever).to_owned());
        };
        let rows = (times * self.units() as f64).ceil().min(1e15) as u64;
        Some(words.sentence(&words.fill(
            TablePhrase::MoreDecide,
            &[
                ("candidate", &candidate_name(words, &candidate.name)),
                ("rows", &about(rows)),
                ("units", self.units_name(words)),
                ("times", &number::fixed(times, Decimals(1))),
                ("difference", &self.signed(candidate.difference?)),
            ],
        )))
    }

    /// How many rows the gate of support would take.
    fn support_point(&self, words: Words) -> Option<String> {
        let weights = self.weights.as_ref()?;
        let rate = weights.effective / weights.n as f64;
        let thin = weights.effective < weights.needed && rate > 0.0;
        let rows = (weights.needed / rate).ceil().min(1e15) as u64;
        thin.then(|| {
            words.fill(
                TablePhrase::MoreSupport,
                &[
                    ("rows", &about(rows)),
                    ("units", self.units_name(words)),
                    ("needed", &number::fixed(weights.needed, Decimals(0))),
                    ("share", &number::percent(rate, Decimals(1))),
                ],
            )
        })
    }

    fn more_table(&self, words: Words, more: &MoreData) -> Result<Table, ReportError> {
        let half = |times: u64| more.half_width / (times as f64).sqrt();
        let reach = [more.value - more.half_width, more.value + more.half_width];
        let logged = self.as_logged.value;
        let domain = Domain::around(&[reach[0], reach[1], logged]);
        let undecided = self.undecided();
        let mut columns = vec![
            Column::strips(words, domain, Unit::Score, false),
            Column::number(words.say(TablePhrase::MoreHalf)),
            Column::number(words.say(TablePhrase::MoreInterval)),
        ];
        if undecided.is_some() {
            columns.push(Column::number(words.say(TablePhrase::MoreLowerHead)));
        }
        let mut rows = Vec::new();
        for times in TIMES {
            let (lower, upper) = (more.value - half(times), more.value + half(times));
            let tone = if lower > logged {
                Tone::Better
            } else if upper < logged {
                Tone::Worse
            } else {
                Tone::Neutral
            };
            let text = self.interval((lower, upper));
            let strip = Strip {
                label: format!("{times} ×: {text}"),
                domain,
                mark: Some(StripMark {
                    value: more.value,
                    lower: Some(lower),
                    upper: Some(upper),
                    tone,
                }),
                reference: Some(logged),
                height: 26,
            };
            let mut cells = vec![
                Cell::plot(strip.draw()?),
                Cell {
                    strong: true,
                    ..Cell::text(format!(
                        "± {}",
                        number::fixed(half(times), half_decimals(more))
                    ))
                },
                Cell::text(text),
            ];
            if let Some((_, difference, error, critical)) = undecided {
                let bound = difference - critical * error / (times as f64).sqrt();
                cells.push(Cell::text(self.signed(bound)));
            }
            let n = number::count(self.units().saturating_mul(times));
            let n = format!("{n} {}", self.units_name(words));
            let name = if times == 1 {
                words.say(TablePhrase::MoreToday).to_owned()
            } else {
                format!("{times} ×")
            };
            rows.push(Row::new(name, cells).with_note(Some(n)));
        }
        Ok(Table {
            class: "forest more",
            head: words.say(TablePhrase::MoreData),
            columns,
            rows,
        })
    }
}

/// Enough digits to tell the halves of the table apart.
fn half_decimals(more: &MoreData) -> Decimals {
    Decimals::for_all(3, 2, &[more.half_width / 4.0])
}
