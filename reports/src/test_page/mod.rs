//! The page of a live test: whether a challenger won, how that became clear over time, and every method beside it.
//! Owns the page's values; [`view`] turns them into words, [`charts`] into drawings.

pub(crate) mod charts;
mod checks;
mod notes;
pub(crate) mod over_time;
mod summary;
mod values;
pub(crate) mod view;

use askama::Template;
use serde::{Deserialize, Serialize};

pub use self::notes::TestNote;
use self::summary::SummaryRow;
pub use self::values::{
    TestBreak, TestVerdict, TestWaiting, TestedArm, TestedCheck, TestedExperiment, TestedGuarantee,
    TestedLook, TestedMethod, TestedRatio, TestedRole, TestedScale, TestedSequence, TestedTimes,
};
use self::view::ExperimentView;
use crate::error::ReportError;
use crate::provenance::{Provenance, ProvenanceView};
use crate::shell::{Entry, Shell};
use crate::text::{Language, Phrase, Words};

/// The style of every page, and what only this one needs.
const STYLE: &str = concat!(
    include_str!("../../templates/style.css"),
    include_str!("../../templates/test.css")
);

/// Experiments drawn in full on one page; the rest stand in the summary.
const IN_FULL: usize = 6;

/// Everything the page of tests shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestPage {
    /// What the page is about.
    #[serde(default)]
    pub title: Option<String>,
    /// A line below the title.
    #[serde(default)]
    pub subtitle: Option<String>,
    /// Whether the values are invented for show.
    #[serde(default)]
    pub sample: bool,
    /// Probability of any false call.
    pub alpha: f64,
    /// The experiments; decided ones are drawn first.
    pub experiments: Vec<TestedExperiment>,
    /// How the numbers were made.
    #[serde(default)]
    pub provenance: Provenance,
}

#[derive(Template)]
#[template(path = "test.html")]
struct TestTemplate {
    words: Words,
    shell: Shell,
    summary: Vec<SummaryRow>,
    summary_caption: String,
    experiments: Vec<ExperimentView>,
    provenance: Option<ProvenanceView>,
}

impl TestPage {
    /// Draws the page: one HTML document, complete in itself.
    ///
    /// # Errors
    /// A [`ReportError`] where a chart cannot be drawn. Numbers that are not finite are shown as a dash.
    pub fn render(&self, language: Language) -> Result<String, ReportError> {
        let words = Words::new(language);
        let mut order: Vec<&TestedExperiment> = self.experiments.iter().collect();
        order.sort_by_key(|experiment| experiment.verdict.rank());
        let experiments = order
            .iter()
            .take(IN_FULL)
            .enumerate()
            .map(|(place, experiment)| view::experiment(experiment, place, self.alpha, words))
            .collect::<Result<Vec<_>, _>>()?;
        let several = self.experiments.len() > 1;
        let mut template = TestTemplate {
            words,
            shell: Shell::new(
                words,
                Phrase::TestReport,
                self.title.as_deref(),
                self.subtitle.as_deref(),
                self.sample,
            ),
            summary: if several {
                self.experiments
                    .iter()
                    .map(|experiment| summary::summary(experiment, words))
                    .collect()
            } else {
                Vec::new()
            },
            summary_caption: summary::summary_caption(&self.experiments, experiments.len(), words),
            experiments,
            provenance: self.provenance.view(words),
        };
        template.shell.style = STYLE;
        template.shell.contents = [
            (several, "tests", Phrase::TestSummaryTitle),
            (
                template.provenance.is_some(),
                "made",
                Phrase::ProvenanceTitle,
            ),
        ]
        .into_iter()
        .filter(|(shown, _, _)| *shown)
        .map(|(_, id, title)| Entry {
            id,
            title: words.say(title),
        })
        .collect();
        Ok(template.render()?)
    }
}
