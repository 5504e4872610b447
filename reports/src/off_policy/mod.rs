//! The page of a logged table: what another policy would have earned, whether
//! the log can say so, and what to do. Owns the page's values, their checks and
//! the order of sections; each file holds one section's wording.

mod candidates;
mod estimates;
mod headline;
mod more;
mod overlap;
mod propensities;
mod reason;
mod values;
mod weights;

use askama::Template;
use serde::{Deserialize, Serialize};

use crate::block::{Block, KeyShape, SectionView};
use crate::error::ReportError;
use crate::measure::Unit;
use crate::number::{self, Decimals};
use crate::provenance::{Provenance, ProvenanceView};
use crate::shell::{Entry, Shell};
use crate::support::PropensityKind;
use crate::text::{Language, Phrase, TablePhrase, Words};
use crate::verdict::VerdictView;

pub use reason::TableReason;
pub use values::{
    CandidateRanking, LoggedValue, MoreData, OverlapGroup, PropensityBin, RankedCandidate,
    TableEstimateRow, TableOverlap, TableVerdict, WeightSpread, WeightsOfSize,
};

/// The style of every page, and what only this one needs.
const STYLE: &str = concat!(
    include_str!("../../templates/style.css"),
    include_str!("../../templates/off_policy.css")
);

/// Everything the page of a logged table shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OffPolicyPage {
    /// What the page is about.
    #[serde(default)]
    pub title: Option<String>,
    /// A line below the title.
    #[serde(default)]
    pub subtitle: Option<String>,
    /// Whether the values are invented for show.
    #[serde(default)]
    pub sample: bool,
    /// Rows of the table.
    pub rows: u64,
    /// Episodes that they make, in a table of sequences.
    #[serde(default)]
    pub episodes: Option<u64>,
    /// Confidence level of every interval and bound, a fraction.
    pub level: f64,
    /// How intervals were made, such as `bootstrap`.
    pub method: String,
    /// How propensities were obtained.
    pub propensity: PropensityKind,
    /// What to do.
    pub verdict: TableVerdict,
    /// What the log itself earned.
    pub as_logged: LoggedValue,
    /// Every estimator asked for.
    pub estimates: Vec<TableEstimateRow>,
    /// Bounds should hidden reasons have moved the odds of the log's choices: factor, lower, upper.
    #[serde(default)]
    pub sensitivity: Option<(f64, f64, f64)>,
    /// Median, standard deviation and mean of the worst 5 % of returns, in a table of sequences.
    #[serde(default)]
    pub returns: Option<(f64, f64, f64)>,
    /// The importance weights.
    #[serde(default)]
    pub weights: Option<WeightSpread>,
    /// Where log and policy overlap.
    #[serde(default)]
    pub overlap: Option<TableOverlap>,
    /// Candidates.
    #[serde(default)]
    pub ranking: Option<CandidateRanking>,
    /// Propensities beside what happened.
    #[serde(default)]
    pub calibration: Vec<PropensityBin>,
    /// What more data would buy.
    #[serde(default)]
    pub more: Option<MoreData>,
    /// Remarks, in the language of whoever computed the numbers.
    #[serde(default)]
    pub notes: Vec<String>,
    /// How the numbers were made.
    #[serde(default)]
    pub provenance: Provenance,
}

#[derive(Template)]
#[template(path = "off_policy.html")]
struct OffPolicyTemplate<'a> {
    words: Words,
    shell: Shell,
    verdict: VerdictView,
    sections: Vec<SectionView>,
    notes: &'a [String],
    provenance: Option<ProvenanceView>,
}

impl OffPolicyPage {
    /// Draws the page: one HTML document, complete in itself.
    ///
    /// # Errors
    /// A [`ReportError`] where values contradict each other (a promotion of a candidate that does not pass, groups with
    /// different actions) or a chart cannot be drawn. Numbers that are not finite are
    /// shown as a dash.
    pub fn render(&self, language: Language) -> Result<String, ReportError> {
        self.check()?;
        let words = Words::new(language);
        let sections: Vec<SectionView> = [
            Some(self.estimates_section(words)?),
            self.weights_section(words)?,
            self.overlap_section(words)?,
            self.candidates_section(words)?,
            self.calibration_section(words)?,
            self.more_section(words)?,
        ]
        .into_iter()
        .flatten()
        .collect();
        let mut shell = Shell::new(
            words,
            Phrase::OffPolicyReport,
            self.title.as_deref(),
            self.subtitle.as_deref(),
            self.sample,
        );
        shell.style = STYLE;
        let provenance = self.provenance.view(words);
        let made = provenance.as_ref().map(|_| Entry {
            id: "made",
            title: words.say(Phrase::ProvenanceTitle),
        });
        shell.contents = sections
            .iter()
            .map(|section| Entry {
                id: section.id,
                title: section.title,
            })
            .chain(made)
            .collect();
        let template = OffPolicyTemplate {
            words,
            shell,
            verdict: self.verdict_view(words)?,
            sections,
            notes: &self.notes,
            provenance,
        };
        Ok(template.render()?)
    }

    fn check(&self) -> Result<(), ReportError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ReportError::NotALevel {
                place: "the level of a table's intervals".to_owned(),
                number: self.level,
            });
        }
        if let TableVerdict::Promote { candidate } = &self.verdict {
            let passes = self.ranked(candidate).is_some_and(|found| found.passes);
            if !passes {
                return Err(ReportError::PromotedWithoutPassing {
                    candidate: candidate.clone(),
                });
            }
        }
        self.check_overlap()
    }

    /// A candidate of the ranking by its name.
    fn ranked(&self, name: &str) -> Option<&RankedCandidate> {
        let mut all = self.ranking.iter().flat_map(|ranking| &ranking.candidates);
        all.find(|candidate| candidate.name == name)
    }

    /// The ranking's first candidate with a difference.
    fn best(&self) -> Option<&RankedCandidate> {
        let mut all = self.ranking.iter().flat_map(|ranking| &ranking.candidates);
        all.find(|candidate| candidate.difference.is_some())
    }

    /// Whether other policies than that of the columns `pi…` are compared.
    fn has_others(&self) -> bool {
        let mut all = self.ranking.iter().flat_map(|ranking| &ranking.candidates);
        all.any(|candidate| candidate.name != "pi")
    }

    /// Rows or episodes: what has a value of its own.
    fn units(&self) -> u64 {
        self.episodes.unwrap_or(self.rows)
    }

    fn units_name(&self, words: Words) -> &'static str {
        words.say(if self.episodes.is_some() {
            TablePhrase::EpisodeUnit
        } else {
            TablePhrase::RowUnit
        })
    }

    fn reward_name(&self, words: Words) -> &'static str {
        words.say(if self.episodes.is_some() {
            TablePhrase::PerEpisode
        } else {
            TablePhrase::PerRow
        })
    }

    /// The name of what candidates are compared with.
    fn baseline_name(&self, words: Words) -> String {
        let ranking = self.ranking.as_ref();
        match ranking.and_then(|ranking| ranking.baseline.as_deref()) {
            Some(name) => candidate_name(words, name),
            None => words.say(TablePhrase::AsLogged).to_owned(),
        }
    }

    /// Decimals for values, by the spread of their intervals.
    fn decimals(&self) -> Decimals {
        let widths: Vec<f64> = self
            .estimates
            .iter()
            .filter_map(|estimate| estimate.interval)
            .chain(self.as_logged.interval)
            .map(|(lower, upper)| upper - lower)
            .collect();
        Decimals::for_all(3, 2, &widths)
    }

    fn value(&self, words: Words, number: f64) -> String {
        Unit::Score.value(words, number, self.decimals())
    }

    fn interval(&self, (lower, upper): (f64, f64)) -> String {
        Unit::Score.interval(lower, upper, self.decimals())
    }

    /// Decimals for differences, by their standard errors.
    fn difference_decimals(&self) -> Decimals {
        let errors: Vec<f64> = self
            .ranking
            .iter()
            .flat_map(|ranking| &ranking.candidates)
            .filter_map(|candidate| candidate.standard_error)
            .collect();
        Decimals::for_all(3, 2, &errors)
    }

    fn signed(&self, number: f64) -> String {
        number::signed(number, self.difference_decimals())
    }
}

/// A candidate's name; the policy of the columns `pi…` has none of its own.
fn candidate_name(words: Words, name: &str) -> String {
    if name == "pi" {
        words.say(TablePhrase::PolicyPi).to_owned()
    } else {
        name.to_owned()
    }
}

/// An estimator's name in full, its parameter kept.
fn estimator_name(words: Words, key: &str) -> String {
    match key.split_once(':') {
        Some((name, parameter)) => format!("{} ({parameter})", words.key(name)),
        None => words.key(key).to_owned(),
    }
}

fn section(id: &'static str, title: &'static str, lead: String, blocks: Vec<Block>) -> SectionView {
    SectionView {
        id,
        title,
        badge: None,
        lead,
        blocks,
    }
}
