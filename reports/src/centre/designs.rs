//! What live tests of two policies measure in a centre whose truth is known:
//! all on the candidate against all on the baseline.

use serde::{Deserialize, Serialize};

use super::cast::{Cast, duration, list, quoted};
use crate::block::{Block, SectionView};
use crate::charts::spread::Spread;
use crate::charts::strip::Domain;
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number;
use crate::reason::Evidence;
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::{Sign, Uncertain, check_level};

/// Designs compared in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignComparison {
    /// The scenario's name, such as "scarce people"; a key is translated where
    /// the page knows it.
    pub scenario: String,
    /// The measure compared.
    pub measure: Measure,
    /// The candidate, in the KPI table.
    pub candidate: String,
    /// The policy it is compared with, in the KPI table.
    pub baseline: String,
    /// Confidence level of every interval, a fraction.
    pub level: f64,
    /// The true difference: all on the candidate minus all on the baseline.
    pub truth: Uncertain,
    /// Simulated conversations behind the truth.
    pub truth_n: u64,
    /// What each design measures.
    pub designs: Vec<DesignResult>,
}

/// How a live test divides customers or people.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TestDesign {
    /// Customers are split, people are shared.
    User,
    /// Customers and people are split in equal halves.
    SplitPool,
    /// Customers are split in halves, people unevenly.
    UnevenSplitPool {
        /// Share of the people that the candidate gets, a fraction.
        candidate_share: f64,
    },
    /// Everyone is on one policy for a block of time, then on the other.
    Switchback {
        /// Length of a block in seconds.
        block_secs: f64,
        /// Start of each block that is left out, in seconds.
        washout_secs: f64,
    },
}

/// One design's finding.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct DesignResult {
    /// The design.
    pub design: TestDesign,
    /// The difference it measures.
    pub measured: Uncertain,
    /// Measured minus true difference, from the same replications.
    pub bias: Uncertain,
    /// Simulated conversations in the test.
    pub n: u64,
}

/// What a design's interval says beside the truth's.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Finding {
    Right,
    Wrong,
    /// No winner named though there is one.
    Missed,
    /// No winner named, and there is none.
    RightlyNone,
}

impl DesignComparison {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        cast.check("designs", &self.candidate)?;
        cast.check("designs", &self.baseline)?;
        let place = |what: &str| format!("designs in `{}`, {what}", self.scenario);
        check_level(|| place("level"), self.level)?;
        self.truth.check(|| place("truth"))?;
        for result in &self.designs {
            let design = format!("{:?}", result.design);
            result.measured.check(|| place(&design))?;
            result.bias.check(|| place(&design))?;
            let (bias, measured) = (result.bias.value, result.measured.value);
            let error = (bias - (measured - self.truth.value)).abs();
            // Rounded numbers may disagree by a hair of the interval, not by more.
            let allowed = 1e-9 + 0.01 * (result.bias.upper - result.bias.lower).abs();
            if error.is_finite() && error > allowed {
                return Err(ReportError::BiasDisagrees {
                    design,
                    bias,
                    measured,
                    truth: self.truth.value,
                });
            }
        }
        Ok(())
    }

    fn unit(&self) -> Unit {
        let measured = self.designs.iter().map(|result| result.measured.value);
        self.measure.unit(measured.chain([self.truth.value]))
    }

    fn finding(&self, measured: Uncertain) -> Finding {
        match (measured.sign(), self.truth.sign()) {
            (None, None) => Finding::RightlyNone,
            (None, Some(_)) => Finding::Missed,
            (found, truth) if found == truth => Finding::Right,
            _ => Finding::Wrong,
        }
    }

    fn winner(&self, measured: Uncertain, words: Words) -> String {
        match measured.sign() {
            None => words.say(CentrePhrase::NoWinner).to_owned(),
            Some(sign) if (sign == Sign::Above) == self.measure.higher_is_better() => {
                self.candidate.clone()
            }
            Some(_) => self.baseline.clone(),
        }
    }

    fn lead(&self, words: Words) -> String {
        let names = |wanted: &[Finding]| -> Vec<String> {
            self.designs
                .iter()
                .filter(|result| wanted.contains(&self.finding(result.measured)))
                .map(|result| result.design.name(words, &self.candidate))
                .collect()
        };
        let mut verdicts = Vec::new();
        for (found, phrase) in [
            (names(&[Finding::Right]), CentrePhrase::DesignsRight),
            (names(&[Finding::Wrong]), CentrePhrase::DesignsWrong),
            (
                names(&[Finding::Missed, Finding::RightlyNone]),
                CentrePhrase::DesignsOpen,
            ),
        ] {
            if !found.is_empty() {
                verdicts.push(words.fill(phrase, &[("designs", &list(words, &quoted(&found)))]));
            }
        }
        words.fill(
            CentrePhrase::DesignsLead,
            &[
                ("scenario", &opening(words.key(&self.scenario))),
                ("truth", &self.truth.signed_text(words, self.unit())),
                ("verdicts", &super::cast::items(words, &verdicts)),
            ],
        )
    }

    fn blocks(&self, words: Words) -> Result<Vec<Block>, ReportError> {
        let unit = self.unit();
        let mut numbers = vec![0.0, self.truth.lower, self.truth.upper];
        for result in &self.designs {
            numbers.extend([result.measured.lower, result.measured.upper]);
        }
        let domain = Domain::around(&numbers);
        let mut rows = Vec::new();
        for result in &self.designs {
            rows.push(self.row(words, result, (unit, domain))?);
        }
        let caption = words.fill(
            CentrePhrase::DesignsCaption,
            &[
                ("measure", words.say(self.measure.name())),
                ("candidate", &self.candidate),
                ("baseline", &self.baseline),
                ("n", &number::count(self.truth_n)),
                ("level", &number::level(self.level)),
            ],
        );
        Ok(vec![
            Block::Heading(opening(words.key(&self.scenario))),
            Block::Caption(caption),
            Block::Table(Table {
                class: "forest",
                head: words.say(CentrePhrase::Design),
                columns: vec![
                    Column::strips(words, domain, unit, true),
                    Column::number(words.say(CentrePhrase::Measured)),
                    Column::number(words.say(CentrePhrase::Bias)),
                    Column::number(words.say(CentrePhrase::Count)),
                    Column::words(words.say(CentrePhrase::NamedWinner)),
                ],
                rows,
            }),
        ])
    }

    fn row(
        &self,
        words: Words,
        result: &DesignResult,
        (unit, domain): (Unit, Domain),
    ) -> Result<Row, ReportError> {
        let name = result.design.name(words, &self.candidate);
        let finding = self.finding(result.measured);
        let (tone, mark) = match finding {
            Finding::Right => ("better", ("good", "✓", CentrePhrase::WinnerRight)),
            Finding::Wrong => ("worse", ("changes", "✕", CentrePhrase::WinnerWrong)),
            Finding::Missed => ("neutral", ("plain", "≈", CentrePhrase::WinnerMissed)),
            Finding::RightlyNone => ("neutral", ("good", "✓", CentrePhrase::WinnerRight)),
        };
        let (class, icon, phrase) = mark;
        let mark = Mark {
            class,
            icon,
            text: words.say(phrase),
        };
        let spread = Spread {
            label: format!("{name}: {}", result.measured.signed_text(words, unit)),
            domain,
            truth: Some(self.truth),
            zero: true,
            bars: Vec::new(),
            mark: Some((result.measured, tone)),
        };
        Ok(Row::new(
            name,
            vec![
                Cell::plot(spread.draw()?),
                Cell::difference(words, result.measured, unit),
                Cell::difference(words, result.bias, unit),
                Cell::text(number::count(result.n)),
                Cell::text(self.winner(result.measured, words)).with_mark(Some(mark)),
            ],
        )
        .with_note(result.design.note(words)))
    }
}

/// The section of all scenarios.
pub(super) fn view(
    words: Words,
    comparisons: &[DesignComparison],
) -> Result<Option<SectionView>, ReportError> {
    if comparisons.is_empty() {
        return Ok(None);
    }
    let leads: Vec<String> = comparisons
        .iter()
        .map(|comparison| comparison.lead(words))
        .collect();
    let mut blocks = Vec::new();
    for comparison in comparisons {
        blocks.extend(comparison.blocks(words)?);
    }
    Ok(Some(SectionView {
        id: "designs",
        title: words.say(CentrePhrase::DesignsTitle),
        badge: Some(Evidence::Simulated.badge(words)),
        lead: words.sentences(&leads),
        blocks,
    }))
}

/// A name as it stands at the start of a sentence.
pub(super) fn opening(name: &str) -> String {
    let mut rest = name.chars();
    rest.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(rest).collect()
    })
}

impl TestDesign {
    fn name(self, words: Words, candidate: &str) -> String {
        match self {
            Self::User => words.say(CentrePhrase::DesignUser).to_owned(),
            Self::SplitPool => words.say(CentrePhrase::DesignSplitPool).to_owned(),
            Self::UnevenSplitPool { candidate_share } => words.fill(
                CentrePhrase::DesignUneven,
                &[
                    ("share", &number::level(candidate_share)),
                    ("candidate", candidate),
                ],
            ),
            Self::Switchback { .. } => words.say(CentrePhrase::DesignSwitchback).to_owned(),
        }
    }

    fn note(self, words: Words) -> Option<String> {
        match self {
            Self::Switchback {
                block_secs,
                washout_secs,
            } => Some(words.fill(
                CentrePhrase::SwitchbackNote,
                &[
                    ("block", &duration(words, block_secs)),
                    ("washout", &duration(words, washout_secs)),
                ],
            )),
            _ => None,
        }
    }
}
