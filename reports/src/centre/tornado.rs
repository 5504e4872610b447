//! Whether the verdict survives other parameters of the centre: one at a time
//! (a tornado), and all at once (a Latin hypercube).

use serde::{Deserialize, Serialize};

use super::cast::{Cast, list, scope};
use crate::block::{Block, Key, KeyShape, SectionView};
use crate::charts::spread::Spread;
use crate::charts::strip::Domain;
use crate::charts::theme::Ink;
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number::{self, Decimals};
use crate::provenance::NamedValue;
use crate::reason::{Evidence, TierName};
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{CentrePhrase, Phrase, Words};
use crate::uncertain::{QuantityUnit, Uncertain, check_level, check_range};

/// The difference candidate − baseline under other parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterSensitivity {
    /// The measure compared.
    pub measure: Measure,
    /// The candidate, in the KPI table.
    pub candidate: String,
    /// The policy it is compared with, in the KPI table.
    pub baseline: String,
    /// Confidence level of every interval, a fraction.
    pub level: f64,
    /// How far parameters are moved either way, a fraction (0.2 for ±20 %).
    pub change: f64,
    /// Candidate minus baseline with all parameters as fitted.
    pub as_fitted: Uncertain,
    /// Simulated conversations behind each difference.
    pub n: u64,
    /// One parameter at a time; the page sorts them by their swing.
    #[serde(default)]
    pub parameters: Vec<ParameterSwing>,
    /// All parameters at once.
    #[serde(default)]
    pub samples: Option<ParameterSamples>,
}

/// The difference when one parameter is lower and when it is higher.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterSwing {
    /// The parameter's key, such as `patience_mean`; translated where the page knows it.
    pub name: String,
    /// The message class it belongs to.
    #[serde(default)]
    pub class: Option<String>,
    /// The tier it belongs to.
    #[serde(default)]
    pub tier: Option<TierName>,
    /// The unit of its value.
    pub unit: QuantityUnit,
    /// Its value as fitted.
    pub value: f64,
    /// Candidate minus baseline with the parameter lower.
    pub lower_by_change: Uncertain,
    /// Candidate minus baseline with the parameter higher.
    pub higher_by_change: Uncertain,
}

/// Latin-hypercube samples of all parameters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParameterSamples {
    /// Samples drawn.
    pub samples: u64,
    /// How often each policy ranks first; the counts sum to `samples`.
    pub ranks_first: Vec<RankCount>,
    /// Samples in which another policy ranks first than as fitted.
    #[serde(default)]
    pub flips: Vec<RankFlip>,
}

/// How often one policy ranks first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RankCount {
    /// The policy.
    pub policy: String,
    /// Samples in which it has the best value.
    pub samples: u64,
}

/// A sample that ranks another policy first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankFlip {
    /// The sample's number.
    pub sample: u64,
    /// The policy that ranks first there.
    pub winner: String,
    /// Candidate minus baseline there.
    pub difference: Uncertain,
    /// The parameters that lie farthest from their fitted values, such as
    /// `("patience_mean", "−18 %")`; names are translated where the page knows them.
    pub settings: Vec<NamedValue>,
}

impl ParameterSensitivity {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        cast.check("sensitivity", &self.candidate)?;
        cast.check("sensitivity", &self.baseline)?;
        check_level(|| "the sensitivity's level".to_owned(), self.level)?;
        check_level(|| "the sensitivity's change".to_owned(), self.change)?;
        self.as_fitted
            .check(|| "the difference as fitted".to_owned())?;
        for parameter in &self.parameters {
            let place = || format!("sensitivity to `{}`", parameter.name);
            parameter.lower_by_change.check(place)?;
            parameter.higher_by_change.check(place)?;
        }
        let Some(samples) = &self.samples else {
            return Ok(());
        };
        let parts = samples.ranks_first.iter().map(|rank| rank.samples);
        let parts = parts.fold(0u64, u64::saturating_add);
        if parts != samples.samples {
            return Err(ReportError::PartsDoNotAdd {
                place: "samples by the policy that ranks first".to_owned(),
                parts,
                whole: samples.samples,
            });
        }
        for rank in &samples.ranks_first {
            cast.check("sensitivity", &rank.policy)?;
        }
        let listed = samples.flips.len() as f64;
        let place = || "rank flips listed".to_owned();
        check_range(place, listed, 0.0, samples.samples as f64)?;
        for flip in &samples.flips {
            cast.check("sensitivity", &flip.winner)?;
            flip.difference
                .check(|| format!("sample {}", flip.sample))?;
            if flip.winner == self.ahead(self.as_fitted.value) {
                return Err(ReportError::FlipWithoutChange {
                    sample: flip.sample,
                    winner: flip.winner.clone(),
                });
            }
        }
        Ok(())
    }

    /// The policy that a difference puts ahead.
    fn ahead(&self, difference: f64) -> &str {
        if self.measure.benefit(difference) > 0.0 {
            &self.candidate
        } else {
            &self.baseline
        }
    }

    fn unit(&self) -> Unit {
        let ends = self
            .parameters
            .iter()
            .flat_map(|parameter| [parameter.lower_by_change, parameter.higher_by_change]);
        self.measure
            .unit(ends.chain([self.as_fitted]).map(|number| number.value))
    }

    fn change_text(&self) -> String {
        number::level(self.change)
    }

    pub(super) fn view(&self, words: Words) -> Result<SectionView, ReportError> {
        let mut blocks = Vec::new();
        if !self.parameters.is_empty() {
            blocks.push(Block::Heading(
                words.say(CentrePhrase::TornadoHeading).to_owned(),
            ));
            blocks.push(Block::Caption(words.fill(
                CentrePhrase::TornadoCaption,
                &[
                    ("measure", words.say(self.measure.name())),
                    ("candidate", &self.candidate),
                    ("baseline", &self.baseline),
                    ("change", &self.change_text()),
                    ("usual", &self.as_fitted.signed_text(words, self.unit())),
                    ("level", &number::level(self.level)),
                    ("n", &number::count(self.n)),
                ],
            )));
            let key = |ink, phrase| Key::new(KeyShape::Block, ink, words.say(phrase));
            blocks.push(Block::Legend(vec![
                key(Ink::Series(0), CentrePhrase::LowerHead),
                key(Ink::Series(1), CentrePhrase::HigherHead),
            ]));
            blocks.push(Block::Table(self.tornado(words)?));
        }
        if let Some(samples) = &self.samples {
            blocks.extend(self.sample_blocks(words, samples));
        }
        Ok(SectionView {
            id: "sensitivity",
            title: words.say(CentrePhrase::TornadoTitle),
            badge: Some(Evidence::Simulated.badge(words)),
            lead: self.lead(words),
            blocks,
        })
    }

    fn lead(&self, words: Words) -> String {
        let mut sentences = Vec::new();
        let usual = self.ahead(self.as_fitted.value);
        let change = self.change_text();
        let count = number::count(self.parameters.len() as u64);
        if !self.parameters.is_empty() {
            let flipping: Vec<String> = self
                .parameters
                .iter()
                .filter(|parameter| parameter.flips(self))
                .map(|parameter| words.key(&parameter.name).to_lowercase())
                .collect();
            sentences.push(if flipping.is_empty() {
                let size = self.as_fitted.signed_text(words, self.unit());
                words.fill(
                    CentrePhrase::TornadoLeadStable,
                    &[
                        ("change", &change),
                        ("count", &count),
                        ("policy", usual),
                        ("usual", &size),
                    ],
                )
            } else {
                words.fill(
                    CentrePhrase::TornadoLeadFlips,
                    &[
                        ("change", &change),
                        ("flips", &number::count(flipping.len() as u64)),
                        ("count", &count),
                        ("names", &list(words, &flipping)),
                    ],
                )
            });
        }
        if let Some(samples) = &self.samples
            && let Some(best) = samples.ranks_first.iter().max_by_key(|rank| rank.samples)
        {
            let share = best.samples as f64 / samples.samples.max(1) as f64;
            sentences.push(words.fill(
                CentrePhrase::TornadoLeadSamples,
                &[
                    ("policy", &best.policy),
                    ("share", &number::percent(share, Decimals(0))),
                    ("samples", &number::count(samples.samples)),
                ],
            ));
        }
        words.sentences(&sentences)
    }

    fn tornado(&self, words: Words) -> Result<Table, ReportError> {
        let unit = self.unit();
        let mut parameters: Vec<&ParameterSwing> = self.parameters.iter().collect();
        parameters.sort_by(|one, other| other.swing().total_cmp(&one.swing()));
        let mut numbers = vec![0.0, self.as_fitted.value];
        for parameter in &parameters {
            for end in [parameter.lower_by_change, parameter.higher_by_change] {
                numbers.push(end.value);
            }
        }
        let domain = Domain::around(&numbers);
        let mut rows = Vec::new();
        for parameter in parameters {
            rows.push(parameter.row(words, self, (unit, domain))?);
        }
        Ok(Table {
            class: "forest",
            head: words.say(CentrePhrase::Parameter),
            columns: vec![
                Column::strips(words, domain, unit, true),
                Column::number(words.say(CentrePhrase::LowerHead)),
                Column::number(words.say(CentrePhrase::HigherHead)),
                Column::words(words.say(CentrePhrase::Ahead)),
            ],
            rows,
        })
    }

    fn sample_blocks(&self, words: Words, samples: &ParameterSamples) -> Vec<Block> {
        let unit = self.unit();
        let total = number::count(samples.samples);
        let mut ranks: Vec<&RankCount> = samples.ranks_first.iter().collect();
        ranks.sort_by_key(|rank| std::cmp::Reverse(rank.samples));
        let rows = ranks.into_iter().map(|rank| {
            let share = rank.samples as f64 / samples.samples.max(1) as f64;
            let of = words.fill(
                CentrePhrase::OfSamples,
                &[("count", &number::count(rank.samples)), ("samples", &total)],
            );
            let share = Cell {
                strong: true,
                ..Cell::text(number::percent(share, Decimals(1)))
            };
            Row::new(rank.policy.clone(), vec![share, Cell::text(of)])
        });
        let caption = words.fill(
            CentrePhrase::SamplesCaption,
            &[("samples", &total), ("change", &self.change_text())],
        );
        let mut blocks = vec![
            Block::Heading(words.say(CentrePhrase::SamplesHeading).to_owned()),
            Block::Caption(caption),
            Block::Table(Table {
                class: "short",
                head: words.say(Phrase::Policy),
                columns: vec![
                    Column::number(words.say(CentrePhrase::RanksFirst)),
                    Column::number(words.say(CentrePhrase::Count)),
                ],
                rows: rows.collect(),
            }),
        ];
        if samples.flips.is_empty() {
            blocks.push(Block::Note(words.say(CentrePhrase::FlipsNone).to_owned()));
            return blocks;
        }
        let flips = samples.flips.iter().map(|flip| {
            let settings: Vec<String> = flip
                .settings
                .iter()
                .map(|setting| format!("{} {}", words.key(&setting.name), setting.value))
                .collect();
            let number = number::count(flip.sample);
            Row::new(
                words.fill(CentrePhrase::Sample, &[("sample", &number)]),
                vec![
                    Cell::text(flip.winner.clone()),
                    Cell::difference(words, flip.difference, unit),
                    Cell::text(list(words, &settings)),
                ],
            )
        });
        blocks.push(Block::Heading(
            words.say(CentrePhrase::FlipsHeading).to_owned(),
        ));
        blocks.push(Block::Table(Table {
            class: "wordy",
            head: words.say(CentrePhrase::SampleHead),
            columns: vec![
                Column::words(words.say(CentrePhrase::RanksFirst)),
                Column::number(words.say(Phrase::Difference)),
                Column::words(words.say(CentrePhrase::Settings)),
            ],
            rows: flips.collect(),
        }));
        blocks
    }
}

impl ParameterSwing {
    fn swing(&self) -> f64 {
        (self.higher_by_change.value - self.lower_by_change.value).abs()
    }

    /// Whether either end puts another policy ahead than the fitted value does.
    fn flips(&self, of: &ParameterSensitivity) -> bool {
        let usual = of.ahead(of.as_fitted.value);
        [self.lower_by_change, self.higher_by_change]
            .iter()
            .any(|end| end.value.is_finite() && of.ahead(end.value) != usual)
    }

    fn row(
        &self,
        words: Words,
        of: &ParameterSensitivity,
        (unit, domain): (Unit, Domain),
    ) -> Result<Row, ReportError> {
        let name = words.key(&self.name).to_owned();
        let own = self.unit.unit([self.value]);
        let value = own.value(words, self.value, own.coarse_decimals(&[self.value]));
        let scope = scope(words, self.class.as_deref(), self.tier);
        let fitted = words.fill(CentrePhrase::AsFitted, &[("value", &value)]);
        let note: Vec<String> = [scope, fitted]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let spread = Spread {
            label: format!(
                "{name}: {}, {}",
                self.lower_by_change.signed_text(words, unit),
                self.higher_by_change.signed_text(words, unit)
            ),
            domain,
            truth: None,
            zero: true,
            bars: vec![
                (of.as_fitted.value, self.lower_by_change.value, "low"),
                (of.as_fitted.value, self.higher_by_change.value, "high"),
            ],
            mark: None,
        };
        // Told apart from zero as fitted, and not at one of the ends.
        let unclear = of.as_fitted.sign().is_some()
            && [self.lower_by_change, self.higher_by_change]
                .iter()
                .any(|end| end.sign().is_none());
        let (class, icon, phrase) = if self.flips(of) {
            ("changes", "⚠", CentrePhrase::AheadChanges)
        } else if unclear {
            ("plain", "≈", CentrePhrase::AheadUnclear)
        } else {
            ("good", "✓", CentrePhrase::AheadStays)
        };
        let mark = Mark {
            class,
            icon,
            text: words.say(phrase),
        };
        Ok(Row::new(
            name,
            vec![
                Cell::plot(spread.draw()?),
                Cell::difference(words, self.lower_by_change, unit),
                Cell::difference(words, self.higher_by_change, unit),
                Cell::mark(mark),
            ],
        )
        .with_note(Some(list(words, &note))))
    }
}
