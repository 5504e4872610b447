//! Estimators side by side: a strip a row with the log's own value as the line, refused ones in place with their reason.

use super::{OffPolicyPage, TableEstimateRow, estimator_name, section};
use crate::block::{Block, SectionView};
use crate::charts::strip::{Domain, Mark as StripMark, Strip, Tone};
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number;
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{Phrase, TablePhrase, Words};

impl OffPolicyPage {
    pub(super) fn estimates_section(&self, words: Words) -> Result<SectionView, ReportError> {
        let values: Vec<f64> = self.estimates.iter().filter_map(|e| e.value).collect();
        let logged = self.as_logged.value;
        let intervals: Vec<(f64, f64)> = self
            .estimates
            .iter()
            .filter_map(|e| e.value.and(e.interval))
            .collect();
        let numbers: Vec<f64> = values.iter().copied().chain([logged]).collect();
        let domain = Domain::robust(&numbers, &intervals);
        let mut rows = Vec::new();
        for estimate in &self.estimates {
            rows.push(self.estimate_row(words, estimate, domain)?);
        }
        let marked = self.estimates.iter().any(|e| e.biased || e.model_only);
        let mut caption = vec![words.fill(
            TablePhrase::EstimatesCaption,
            &[
                ("unit", self.reward_name(words)),
                ("level", &number::level(self.level)),
                ("method", words.key(&self.method)),
                ("logged", &self.value(words, logged)),
            ],
        )];
        if self.has_others() {
            caption.push(words.say(TablePhrase::AboutPi).to_owned());
        }
        let mut blocks = vec![
            Block::Caption(words.sentences(&caption)),
            Block::Table(Table {
                class: "forest estimates",
                head: words.say(Phrase::Estimator),
                columns: vec![
                    Column::strips(words, domain, Unit::Score, false),
                    Column::number(words.say(Phrase::Value)),
                    Column::number(words.say(Phrase::Interval)),
                ],
                rows,
            }),
        ];
        if marked {
            blocks.push(Block::Note(words.say(TablePhrase::BiasedNote).to_owned()));
        }
        blocks.extend(self.points(words));
        Ok(section(
            "estimates",
            words.say(TablePhrase::EstimatesTitle),
            self.estimates_lead(words, &values),
            blocks,
        ))
    }

    fn estimates_lead(&self, words: Words, values: &[f64]) -> String {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let phrase = match values.len() {
            0 => TablePhrase::EstimatesNone,
            1 => TablePhrase::EstimatesOne,
            _ => TablePhrase::EstimatesAgree,
        };
        words.fill(
            phrase,
            &[
                ("count", &number::count(values.len() as u64)),
                ("low", &self.value(words, low)),
                ("high", &self.value(words, high)),
                ("logged", &self.value(words, self.as_logged.value)),
                ("unit", self.reward_name(words)),
            ],
        )
    }

    fn estimate_row(
        &self,
        words: Words,
        estimate: &TableEstimateRow,
        domain: Domain,
    ) -> Result<Row, ReportError> {
        let name = estimator_name(words, &estimate.estimator);
        let Some(value) = estimate.value else {
            let reason = estimate.refused.as_ref();
            let reason = reason.map_or_else(String::new, |reason| reason.sentences(words));
            return Ok(Row::refused(name, reason));
        };
        let logged = self.as_logged.value;
        let tone = match estimate.interval {
            _ if estimate.model_only => Tone::Simulated,
            Some((lower, _)) if lower > logged => Tone::Better,
            Some((_, upper)) if upper < logged => Tone::Worse,
            _ => Tone::Neutral,
        };
        let interval = estimate.interval.map_or_else(
            || words.say(Phrase::NoInterval).to_owned(),
            |interval| self.interval(interval),
        );
        let strip = Strip {
            label: format!("{name}: {} {interval}", self.value(words, value)),
            domain,
            mark: Some(StripMark {
                value,
                lower: estimate.interval.map(|i| i.0),
                upper: estimate.interval.map(|i| i.1),
                tone,
            }),
            reference: Some(logged),
            height: 26,
        };
        let mark = |class, text: &'static str| Mark {
            class,
            icon: "",
            text,
        };
        let mark = if estimate.model_only {
            Some(mark("simulated", words.say(TablePhrase::ModelOnly)))
        } else if estimate.biased {
            Some(mark("estimated", words.say(Phrase::Biased)))
        } else {
            None
        };
        Ok(Row::new(
            name,
            vec![
                Cell::plot(strip.draw()?),
                Cell {
                    strong: true,
                    ..Cell::text(self.value(words, value))
                },
                Cell::text(interval),
            ],
        )
        .with_mark(mark))
    }

    fn points(&self, words: Words) -> Option<Block> {
        let mut points = Vec::new();
        if let Some((gamma, lower, upper)) = self.sensitivity {
            points.push(words.fill(
                TablePhrase::SensitivityPoint,
                &[
                    ("gamma", &gamma.to_string()),
                    ("lower", &self.value(words, lower)),
                    ("upper", &self.value(words, upper)),
                ],
            ));
        }
        if let Some((median, deviation, worst)) = self.returns {
            points.push(words.fill(
                TablePhrase::ReturnsPoint,
                &[
                    ("median", &self.value(words, median)),
                    ("deviation", &self.value(words, deviation)),
                    ("worst", &self.value(words, worst)),
                ],
            ));
        }
        (!points.is_empty()).then_some(Block::Points(points))
    }
}
