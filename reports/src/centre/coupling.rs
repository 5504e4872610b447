//! Learners that see the queue they make beside learners that do not: what
//! their policies earn in the centre when everyone uses them.

use serde::{Deserialize, Serialize};

use super::cast::{list, quoted};
use super::designs::opening;
use crate::block::{Block, SectionView};
use crate::charts::learning_curve::LearningCurves;
use crate::charts::strip::{self, Domain, Strip, Tone};
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number::{self, Decimals};
use crate::reason::Evidence;
use crate::table::{Cell, Column, Row, Table};
use crate::text::{CentrePhrase, Phrase, Words};
use crate::uncertain::{Uncertain, check_level};

/// Learners compared in one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CouplingComparison {
    /// The scenario's name, such as "scarce people"; a key is translated where
    /// the page knows it.
    pub scenario: String,
    /// The measure compared.
    pub measure: Measure,
    /// Confidence level of every interval, a fraction.
    pub level: f64,
    /// What each learner's policy earns.
    pub results: Vec<CouplingResult>,
    /// Evaluation during training.
    #[serde(default)]
    pub learning_curves: Option<LearningCurves>,
}

/// How a learner meets the other conversations' wait.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Coupling {
    /// Not at all: every conversation ends its episode.
    None,
    /// It pays a toll for every human second.
    Toll {
        /// The toll found, in reward per human second.
        #[serde(default)]
        toll: Option<f64>,
    },
    /// It looks on to the next decision anywhere in the centre.
    Continuing,
    /// No learner: the rule baseline.
    Rule,
    /// No learner: the tier with the best outcome for the conversation at hand.
    Greedy,
}

/// One learner's policy in the centre.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CouplingResult {
    /// The learner.
    pub coupling: Coupling,
    /// Mean of the measure per conversation.
    pub value: Uncertain,
    /// Simulated conversations behind it.
    pub n: u64,
    /// Seeds it was trained with; none where nothing was trained.
    #[serde(default)]
    pub seeds: Option<u64>,
}

impl CouplingComparison {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        let place = || format!("couplings in `{}`", self.scenario);
        check_level(place, self.level)?;
        for result in &self.results {
            result.value.check(place)?;
        }
        Ok(())
    }

    fn unit(&self) -> Unit {
        let values = self.results.iter().map(|result| result.value.value);
        self.measure.unit(values)
    }

    /// The best policy, those its interval lies apart from, and the rest.
    fn lead(&self, words: Words) -> String {
        let benefit = |result: &&CouplingResult| self.measure.benefit(result.value.value);
        let finite = self
            .results
            .iter()
            .filter(|result| result.value.is_finite());
        let best = finite.max_by(|one, other| benefit(one).total_cmp(&benefit(other)));
        let Some(best) = best else {
            return String::new();
        };
        let (mut apart, mut touching) = (Vec::new(), Vec::new());
        for result in &self.results {
            if result.coupling == best.coupling {
                continue;
            }
            let disjoint =
                result.value.upper < best.value.lower || result.value.lower > best.value.upper;
            let names = if disjoint { &mut apart } else { &mut touching };
            names.push(words.say(result.coupling.name()));
        }
        let clause = |phrase, names: &[&str]| {
            if names.is_empty() {
                String::new()
            } else {
                words.fill(phrase, &[("names", &list(words, &quoted(names)))])
            }
        };
        words.fill(
            CentrePhrase::CouplingLead,
            &[
                ("scenario", &opening(words.key(&self.scenario))),
                ("best", &quoted(&[words.say(best.coupling.name())]).concat()),
                ("reward", &best.value.text(words, self.unit())),
                ("apart", &clause(CentrePhrase::CouplingApart, &apart)),
                (
                    "touching",
                    &clause(CentrePhrase::CouplingTouching, &touching),
                ),
            ],
        )
    }

    fn blocks(&self, words: Words) -> Result<Vec<Block>, ReportError> {
        let unit = self.unit();
        let mut numbers = Vec::new();
        for result in &self.results {
            numbers.extend([result.value.value, result.value.lower, result.value.upper]);
        }
        let domain = Domain::around(&numbers);
        let rule = self
            .results
            .iter()
            .find(|result| result.coupling == Coupling::Rule)
            .map(|result| result.value);
        let mut rows = Vec::new();
        for result in &self.results {
            rows.push(self.row(words, result, (unit, domain, rule))?);
        }
        let caption = words.fill(
            CentrePhrase::CouplingCaption,
            &[
                ("measure", words.say(self.measure.name())),
                ("level", &number::level(self.level)),
            ],
        );
        let mut blocks = vec![
            Block::Heading(opening(words.key(&self.scenario))),
            Block::Caption(caption),
            Block::Table(Table {
                class: "forest",
                head: words.say(CentrePhrase::Coupling),
                columns: vec![
                    Column::strips(words, domain, unit, false),
                    Column::number(words.say(self.measure.name())),
                    Column::number(words.say(CentrePhrase::Count)),
                    Column::number(words.say(CentrePhrase::CouplingSeeds)),
                ],
                rows,
            }),
        ];
        if let Some(curves) = &self.learning_curves {
            blocks.extend(curve_blocks(words, curves)?);
        }
        Ok(blocks)
    }

    fn row(
        &self,
        words: Words,
        result: &CouplingResult,
        (unit, domain, rule): (Unit, Domain, Option<Uncertain>),
    ) -> Result<Row, ReportError> {
        let name = words.say(result.coupling.name());
        let is_rule = result.coupling == Coupling::Rule;
        // Coloured only where the interval lies apart from the rule's.
        let tone = match rule.filter(|_| !is_rule) {
            Some(rule) => Uncertain::new(
                result.value.value - rule.value,
                result.value.lower - rule.upper,
                result.value.upper - rule.lower,
            )
            .tone(self.measure),
            None => Tone::Neutral,
        };
        let strip = Strip {
            label: format!("{name}: {}", result.value.text(words, unit)),
            domain,
            mark: result.value.value.is_finite().then_some(strip::Mark {
                value: result.value.value,
                lower: Some(result.value.lower),
                upper: Some(result.value.upper),
                tone,
            }),
            reference: rule.map(|rule| rule.value),
            height: 30,
        };
        let seeds = result
            .seeds
            .map_or(number::MISSING.to_owned(), number::count);
        Ok(Row::new(
            name,
            vec![
                Cell::plot(strip.draw()?),
                Cell::uncertain(words, result.value, unit),
                Cell::text(number::count(result.n)),
                Cell::text(seeds),
            ],
        )
        .with_note(Some(result.coupling.note(words))))
    }
}

impl Coupling {
    fn name(self) -> CentrePhrase {
        match self {
            Self::None => CentrePhrase::CouplingNone,
            Self::Toll { .. } => CentrePhrase::CouplingToll,
            Self::Continuing => CentrePhrase::CouplingContinuing,
            Self::Rule => CentrePhrase::CouplingRule,
            Self::Greedy => CentrePhrase::CouplingGreedy,
        }
    }

    fn note(self, words: Words) -> String {
        let phrase = match self {
            Self::None => CentrePhrase::CouplingNoneNote,
            Self::Toll { toll: Some(toll) } => {
                let toll = number::fixed(toll, Decimals::for_all(4, 2, &[toll]));
                return words.fill(CentrePhrase::CouplingTollNote, &[("toll", &toll)]);
            }
            Self::Toll { toll: None } => CentrePhrase::CouplingTollUnknown,
            Self::Continuing => CentrePhrase::CouplingContinuingNote,
            Self::Rule => CentrePhrase::CouplingRuleNote,
            Self::Greedy => CentrePhrase::CouplingGreedyNote,
        };
        words.say(phrase).to_owned()
    }
}

/// Learning curves as the offline page draws them.
fn curve_blocks(words: Words, curves: &LearningCurves) -> Result<Vec<Block>, ReportError> {
    let view = curves.view(words)?;
    let missing = || number::MISSING.to_owned();
    let rows = view.rows.into_iter().map(|row| {
        let strong = Cell {
            strong: true,
            ..Cell::text(row.value)
        };
        Row::new(
            row.name,
            vec![
                strong,
                Cell::text(row.band.unwrap_or_else(missing)),
                Cell::text(row.seeds.unwrap_or_else(missing)),
                Cell::text(row.steps.unwrap_or_else(missing)),
            ],
        )
        .with_swatch(row.swatch)
    });
    Ok(vec![
        Block::Heading(words.say(CentrePhrase::CurvesHeading).to_owned()),
        Block::Caption(view.caption),
        Block::Chart(view.chart),
        Block::Table(Table {
            class: "",
            head: words.say(Phrase::Learner),
            columns: [
                Phrase::FinalMedian,
                Phrase::FinalBand,
                Phrase::SeedCount,
                Phrase::StepCount,
            ]
            .map(|phrase| Column::number(words.say(phrase)))
            .into(),
            rows: rows.collect(),
        }),
    ])
}

/// The section of all scenarios.
pub(super) fn view(
    words: Words,
    comparisons: &[CouplingComparison],
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
        id: "coupling",
        title: words.say(CentrePhrase::CouplingTitle),
        badge: Some(Evidence::Simulated.badge(words)),
        lead: words.sentences(&leads),
        blocks,
    }))
}
