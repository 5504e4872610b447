//! One line per test, when there are several.

use super::values::{TestedExperiment, TestedScale};
use super::view::{change, headline, interval_text, title, wealth_text};
use crate::number;
use crate::text::{Phrase, Words};

/// One experiment of the summary.
pub(super) struct SummaryRow {
    pub(super) name: String,
    pub(super) units: String,
    pub(super) change: String,
    pub(super) interval: String,
    pub(super) wealth: String,
    pub(super) verdict: String,
    pub(super) class: &'static str,
}

pub(super) fn summary(experiment: &TestedExperiment, words: Words) -> SummaryRow {
    let (class, _, verdict) = headline(experiment, words);
    let control = experiment.arms.first().map_or(0.0, |arm| arm.mean);
    let arm = experiment
        .sequence
        .as_ref()
        .and_then(|s| experiment.arms.iter().find(|arm| arm.name == s.arm))
        .or(experiment.arms.get(1));
    let lift = arm
        .map(|arm| arm.mean / control - 1.0)
        .filter(|lift| lift.is_finite());
    SummaryRow {
        name: title(experiment),
        units: number::count(experiment.arms.iter().map(|arm| arm.units).sum()),
        change: lift.map_or(number::MISSING.to_owned(), |lift| {
            change(TestedScale::Rate, Some(lift))
        }),
        interval: experiment
            .sequence
            .as_ref()
            .and_then(interval_text)
            .unwrap_or_default(),
        wealth: experiment.sequence.as_ref().map_or(String::new(), |s| {
            wealth_text(s.log_wealth.0.max(s.log_wealth.1))
        }),
        verdict,
        class,
    }
}

pub(super) fn summary_caption(
    experiments: &[TestedExperiment],
    drawn: usize,
    words: Words,
) -> String {
    words.fill(
        Phrase::TestSummaryCaption,
        &[
            ("count", &number::count(experiments.len() as u64)),
            ("drawn", &number::count(drawn as u64)),
        ],
    )
}
