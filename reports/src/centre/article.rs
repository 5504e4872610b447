//! The article's figures beside a simulation and the reader's own data. What
//! the article said is fixed here, so that no run can dress its own numbers as
//! the article's or the article's as its own.

use serde::{Deserialize, Serialize};

use super::cast::items;
use crate::block::{Block, SectionView};
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number;
use crate::reason::{Evidence, Reason, Sentence};
use crate::table::{Cell, Column, Row, Table};
use crate::text::{CentrePhrase, Words};
use crate::uncertain::{QuantityUnit, Uncertain};

/// The article's figures with their counterparts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleComparison {
    /// One row per figure.
    pub rows: Vec<ArticleRow>,
}

/// One figure of the article.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ArticleRow {
    /// Which figure.
    pub figure: ArticleFigure,
    /// The simulation's counterpart.
    pub simulated: Counterpart,
    /// The reader's data.
    pub yours: Counterpart,
    /// What had to be assumed to simulate it.
    #[serde(default)]
    pub assumed: Vec<Sentence>,
}

/// A figure that the article names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ArticleFigure {
    /// First response, 8 min to 3 s. Counterparts in seconds.
    FirstResponse,
    /// Human workload, −65 %. Counterparts in seconds per conversation.
    HumanWorkload,
    /// Click-through, +40 %. Counterparts are fractions.
    ClickThrough,
    /// Escalations, −25 %. Counterparts are fractions.
    Escalations,
    /// Conversion of customers who do not write English, +18 %. Counterparts are fractions.
    NonEnglishConversion,
    /// Languages served, 12. Counterparts are counts.
    Languages,
}

/// A figure's value before and after, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counterpart {
    /// The value before, in the figure's unit.
    #[serde(default)]
    pub before: Option<Uncertain>,
    /// The value after, in the figure's unit.
    #[serde(default)]
    pub after: Option<Uncertain>,
    /// After relative to before minus one, a fraction: −0.65 for −65 %.
    #[serde(default)]
    pub change: Option<Uncertain>,
    /// Conversations behind it.
    #[serde(default)]
    pub n: Option<u64>,
    /// Why there is no value.
    #[serde(default)]
    pub missing: Option<Reason>,
}

impl ArticleComparison {
    pub(super) fn check(&self) -> Result<(), ReportError> {
        for row in &self.rows {
            for (whose, part) in [("simulated", &row.simulated), ("your data", &row.yours)] {
                let place = || format!("the article's {:?}, {whose}", row.figure);
                for value in [part.before, part.after].into_iter().flatten() {
                    value.check_positive(place)?;
                }
                if let Some(change) = part.change {
                    change.check(place)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn view(&self, words: Words) -> SectionView {
        let known = |of: fn(&ArticleRow) -> &Counterpart| {
            let rows = self.rows.iter();
            number::count(rows.filter(|row| of(row).is_known()).count() as u64)
        };
        let assumed = self.rows.iter().map(|row| row.assumed.len()).sum::<usize>();
        let lead = words.fill(
            CentrePhrase::ArticleLead,
            &[
                ("count", &number::count(self.rows.len() as u64)),
                ("simulated", &known(|row| &row.simulated)),
                ("yours", &known(|row| &row.yours)),
                ("assumed", &number::count(assumed as u64)),
            ],
        );
        SectionView {
            id: "article",
            title: words.say(CentrePhrase::ArticleTitle),
            badge: Some(Evidence::Simulated.badge(words)),
            lead,
            blocks: vec![
                Block::Warning(words.say(CentrePhrase::ArticleNotOurs).to_owned()),
                Block::Table(Table {
                    class: "wordy article",
                    head: words.say(CentrePhrase::ArticleMeasure),
                    columns: [
                        CentrePhrase::ArticleSaid,
                        CentrePhrase::ArticleSimulated,
                        CentrePhrase::ArticleYours,
                    ]
                    .map(|phrase| Column::words(words.say(phrase)))
                    .into(),
                    rows: self.rows.iter().map(|row| row.view(words)).collect(),
                }),
            ],
        }
    }
}

impl ArticleRow {
    fn view(&self, words: Words) -> Row {
        let (name, said) = self.figure.phrases();
        let unit = self.figure.unit();
        let assumed: Vec<String> = self
            .assumed
            .iter()
            .map(|sentence| sentence.in_language(words.language()).to_owned())
            .collect();
        let note = (!assumed.is_empty()).then(|| {
            let joined = items(words, &assumed);
            words.fill(CentrePhrase::ArticleAssumed, &[("items", &joined)])
        });
        Row::new(
            words.say(name),
            vec![
                Cell::text(words.say(said)),
                self.simulated.cell(words, unit),
                self.yours.cell(words, unit),
            ],
        )
        .with_note(note)
    }
}

impl ArticleFigure {
    fn phrases(self) -> (CentrePhrase, CentrePhrase) {
        match self {
            Self::FirstResponse => (
                CentrePhrase::ArticleFirstResponse,
                CentrePhrase::ArticleFirstResponseSaid,
            ),
            Self::HumanWorkload => (
                CentrePhrase::ArticleWorkload,
                CentrePhrase::ArticleWorkloadSaid,
            ),
            Self::ClickThrough => (CentrePhrase::ArticleClicks, CentrePhrase::ArticleClicksSaid),
            Self::Escalations => (
                CentrePhrase::ArticleEscalations,
                CentrePhrase::ArticleEscalationsSaid,
            ),
            Self::NonEnglishConversion => (
                CentrePhrase::ArticleConversion,
                CentrePhrase::ArticleConversionSaid,
            ),
            Self::Languages => (
                CentrePhrase::ArticleLanguages,
                CentrePhrase::ArticleLanguagesSaid,
            ),
        }
    }

    fn unit(self) -> QuantityUnit {
        match self {
            Self::FirstResponse | Self::HumanWorkload => QuantityUnit::Seconds,
            Self::ClickThrough | Self::Escalations | Self::NonEnglishConversion => {
                QuantityUnit::Share
            }
            Self::Languages => QuantityUnit::Count,
        }
    }
}

impl Counterpart {
    /// No counterpart, and why.
    pub fn missing(reason: Reason) -> Self {
        Self {
            missing: Some(reason),
            ..Self::default()
        }
    }

    fn is_known(&self) -> bool {
        self.before.is_some() || self.after.is_some() || self.change.is_some()
    }

    fn cell(&self, words: Words, unit: QuantityUnit) -> Cell {
        if !self.is_known() {
            let reason = self.missing.as_ref().unwrap_or(&Reason::NotComputed);
            return Cell {
                text: number::MISSING.to_owned(),
                below: Some(reason.sentence(words)),
                ..Cell::default()
            };
        }
        let known = || [self.before, self.after].into_iter().flatten();
        let of = |number: Uncertain| unit.unit([number.value]);
        let values: Vec<String> = known()
            .map(|number| number.number(words, of(number)))
            .collect();
        // An exact number, such as a count of languages, has no interval to show.
        let bounds: Vec<String> = known()
            .filter(|number| number.lower < number.upper)
            .map(|number| number.bounds(of(number)))
            .collect();
        let mut below = Vec::new();
        if !bounds.is_empty() {
            below.push(bounds.join(" → "));
        }
        let change = self.change.map(|change| relative(change, words));
        let text = if values.is_empty() {
            change.unwrap_or_default()
        } else {
            below.extend(change);
            values.join(" → ")
        };
        if let Some(n) = self.n {
            below.push(words.fill(CentrePhrase::WithCount, &[("n", &number::count(n))]));
        }
        Cell {
            text,
            strong: true,
            below: (!below.is_empty()).then(|| items(words, &below)),
            ..Cell::default()
        }
    }
}

/// A relative change in per cent with its interval.
fn relative(change: Uncertain, words: Words) -> String {
    let half = (change.upper - change.lower) / 2.0;
    let decimals = Unit::Rate.coarse_decimals(&[half]);
    let value = number::signed(change.value * 100.0, decimals);
    let text = format!(
        "{value}\u{202f}% {}",
        Unit::Rate.signed_interval(change.lower, change.upper, decimals)
    );
    words.fill(CentrePhrase::ArticleChange, &[("change", &text)])
}
