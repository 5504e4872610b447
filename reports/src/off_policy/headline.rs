//! The verdict in words: what to do, the figures behind it, what it means.

use super::{
    OffPolicyPage, RankedCandidate, TableEstimateRow, TableVerdict, candidate_name, estimator_name,
};
use crate::charts::strip::{Domain, Mark, Strip, Tone};
use crate::error::ReportError;
use crate::number::{self, Decimals};
use crate::reason::{Badge, Evidence};
use crate::support::PropensityKind;
use crate::text::{Phrase, TablePhrase, Words};
use crate::verdict::{Figure, VerdictView};

impl OffPolicyPage {
    pub(super) fn verdict_view(&self, words: Words) -> Result<VerdictView, ReportError> {
        let baseline = self.baseline_name(words);
        let named = |phrase, candidate: &str, rows: u64| {
            words.fill(
                phrase,
                &[
                    ("candidate", &candidate_name(words, candidate)),
                    ("baseline", &baseline),
                    ("rows", &about(rows)),
                    ("units", self.units_name(words)),
                ],
            )
        };
        let (class, icon, headline, meaning, action) = match &self.verdict {
            TableVerdict::Promote { candidate } => (
                "beats",
                "✓",
                named(TablePhrase::PromoteHeadline, candidate, 0),
                words.fill(
                    TablePhrase::PromoteMeaning,
                    &[
                        ("count", &number::count(self.judged())),
                        ("error", &number::level(1.0 - self.level)),
                    ],
                ),
                words.say(TablePhrase::PromoteAction).to_owned(),
            ),
            TableVerdict::Keep { reason } => (
                "open",
                "=",
                named(TablePhrase::KeepHeadline, "", 0),
                words.sentence(&reason.clause(words)),
                reason
                    .remedy(words)
                    .unwrap_or_else(|| words.say(TablePhrase::KeepAction).to_owned()),
            ),
            TableVerdict::CollectMore { candidate, rows } => (
                "open",
                "…",
                named(TablePhrase::CollectHeadline, candidate, *rows),
                words.sentence(&named(TablePhrase::CollectMeaning, candidate, *rows)),
                named(TablePhrase::CollectAction, candidate, *rows),
            ),
            TableVerdict::Refused { reason } => (
                "refused",
                "!",
                words.say(TablePhrase::RefusedHeadline).to_owned(),
                words.sentences(&[
                    words.sentence(&reason.clause(words)),
                    words.say(TablePhrase::RefusedMeaning).to_owned(),
                ]),
                reason
                    .remedy(words)
                    .unwrap_or_else(|| words.say(TablePhrase::KeepAction).to_owned()),
            ),
            TableVerdict::Valued => (
                "open",
                "≈",
                words.say(TablePhrase::ValuedHeadline).to_owned(),
                words.say(TablePhrase::ValuedMeaning).to_owned(),
                words.say(TablePhrase::ValuedAction).to_owned(),
            ),
        };
        let judged = self.leading().filter(|_| !self.is_refused());
        let (strip, zero) = self.difference_strip(judged)?;
        Ok(VerdictView {
            class,
            icon,
            headline,
            evidence: self.evidence(words, judged),
            meaning,
            action,
            badge: self.badge(words),
            figures: self.figures(words, judged),
            strip,
            zero,
        })
    }

    fn is_refused(&self) -> bool {
        matches!(self.verdict, TableVerdict::Refused { .. })
    }

    fn badge(&self, words: Words) -> Option<Badge> {
        match self.propensity {
            PropensityKind::Exact => Some(Evidence::Logged.badge(words)),
            PropensityKind::Estimated => Some(Evidence::EstimatedPropensity.badge(words)),
            PropensityKind::Absent => None,
        }
    }

    /// Candidates that share the error of the decision.
    pub(super) fn judged(&self) -> u64 {
        self.ranking.as_ref().map_or(0, |ranking| {
            let here = ranking.candidates.iter().filter(|c| c.refused.is_none());
            here.count() as u64 + ranking.judged_before
        })
    }

    /// The candidate that the verdict is about.
    fn leading(&self) -> Option<&RankedCandidate> {
        match &self.verdict {
            TableVerdict::Promote { candidate } | TableVerdict::CollectMore { candidate, .. } => {
                self.ranked(candidate)
            }
            _ => self.best(),
        }
    }

    fn figures(&self, words: Words, judged: Option<&RankedCandidate>) -> Vec<Figure> {
        let unit = self.reward_name(words);
        let level = number::level(self.level);
        let mut figures = Vec::new();
        let mut figure = |number: String, label: String| figures.push(Figure { number, label });
        if let Some((difference, lower)) = judged.and_then(|c| c.difference.zip(c.lower)) {
            figure(
                self.signed(difference),
                words.fill(TablePhrase::FigureDifference, &[("unit", unit)]),
            );
            figure(
                self.signed(lower),
                words.fill(TablePhrase::FigureLower, &[("level", &level)]),
            );
        } else if let Some((found, value)) =
            self.headline_estimate().and_then(|e| Some((e, e.value?)))
        {
            figure(
                self.value(words, value),
                words.fill(
                    TablePhrase::FigureValue,
                    &[("policy", words.say(TablePhrase::PolicyPi)), ("unit", unit)],
                ),
            );
            if let Some(interval) = found.interval {
                figure(
                    self.interval(interval),
                    words.fill(TablePhrase::FigureInterval, &[("level", &level)]),
                );
            }
        }
        figure(
            self.value(words, self.as_logged.value),
            words.say(TablePhrase::FigureLogged).to_owned(),
        );
        figure(
            number::count(self.units()),
            self.units_name(words).to_owned(),
        );
        // Weights are those of the policy of the columns `pi…`, which need not be the candidate.
        let own = judged.is_none_or(|candidate| candidate.name == "pi");
        if let Some(weights) = self.weights.as_ref().filter(|_| own) {
            figure(
                number::fixed(weights.effective, Decimals(0)),
                words.say(TablePhrase::FigureEffective).to_owned(),
            );
        }
        figures
    }

    /// The estimate that stands for all: that of `more`, else the first with a value.
    fn headline_estimate(&self) -> Option<&TableEstimateRow> {
        let chosen = self.more.as_ref().map(|more| more.estimator.as_str());
        // A model alone is no verdict, and beside a refusal it would look like one.
        if self.is_refused() {
            return None;
        }
        let given = || {
            let all = self.estimates.iter();
            all.filter(|e| e.value.is_some() && !e.model_only)
        };
        given()
            .find(|e| Some(e.estimator.as_str()) == chosen)
            .or_else(|| given().next())
    }

    fn evidence(&self, words: Words, judged: Option<&RankedCandidate>) -> String {
        let level = number::level(self.level);
        let units = self.units_name(words);
        let n = number::count(self.units());
        let logged = self.value(words, self.as_logged.value);
        let mut sentences = Vec::new();
        if let Some(candidate) = judged
            && let Some((difference, lower)) = candidate.difference.zip(candidate.lower)
        {
            sentences.push(words.fill(
                TablePhrase::EvidenceDifference,
                &[
                    ("baseline", &self.baseline_name(words)),
                    ("candidate", &candidate_name(words, &candidate.name)),
                    ("difference", &self.signed(difference)),
                    ("level", &level),
                    ("lower", &self.signed(lower)),
                    ("unit", self.reward_name(words)),
                    ("n", &n),
                    ("units", units),
                ],
            ));
        }
        match self.headline_estimate().and_then(|e| Some((e, e.value?))) {
            Some((found, value)) => sentences.push(words.fill(
                TablePhrase::EvidenceValue,
                &[
                    ("estimator", &estimator_name(words, &found.estimator)),
                    ("policy", words.say(TablePhrase::PolicyPi)),
                    ("value", &self.value(words, value)),
                    ("unit", self.reward_name(words)),
                    ("level", &level),
                    (
                        "interval",
                        &found.interval.map_or_else(
                            || words.say(Phrase::NoInterval).to_owned(),
                            |interval| self.interval(interval),
                        ),
                    ),
                    ("n", &n),
                    ("units", units),
                    ("logged", &logged),
                ],
            )),
            None => sentences.push(words.fill(
                TablePhrase::EvidenceNothing,
                &[
                    ("n", &n),
                    ("units", units),
                    ("logged", &logged),
                    ("unit", self.reward_name(words)),
                ],
            )),
        }
        let first: Vec<String> = sentences.iter().map(|s| words.sentence(s)).collect();
        words.sentences(&first)
    }

    /// The difference from its bound upwards, and where zero stands.
    fn difference_strip(
        &self,
        judged: Option<&RankedCandidate>,
    ) -> Result<(Option<String>, String), ReportError> {
        let Some((difference, lower)) = judged.and_then(|c| c.difference.zip(c.lower)) else {
            return Ok((None, String::new()));
        };
        let domain = Domain::around(&[0.0, difference, lower]);
        let strip = Strip {
            label: format!("{} ≥ {}", self.signed(difference), self.signed(lower)),
            domain,
            mark: Some(Mark {
                value: difference,
                lower: Some(lower),
                upper: Some(difference),
                tone: if lower > 0.0 {
                    Tone::Better
                } else {
                    Tone::Neutral
                },
            }),
            reference: Some(0.0),
            height: 28,
        };
        Ok((Some(strip.draw()?), domain.position(0.0)))
    }
}

/// A number of rows that is an estimate, to two digits.
pub(super) fn about(rows: u64) -> String {
    let digits = rows.checked_ilog10().unwrap_or(0).saturating_sub(1);
    let unit = 10_u64.pow(digits);
    number::count(rows.div_ceil(unit).saturating_mul(unit))
}
