//! Why a table allows no value or no promotion, and the way out, in both languages.

use serde::{Deserialize, Serialize};

use crate::number::{self, Decimals};
use crate::reason::Sentence;
use crate::text::{TablePhrase, Words};

/// Why something is refused or kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum TableReason {
    /// The log holds no propensities.
    NoPropensities,
    /// Propensities were estimated.
    EstimatedPropensities,
    /// The policy takes an action that the log never took.
    NeverTaken {
        /// The action.
        action: usize,
        /// The policy's mean probability, a fraction.
        share: f64,
    },
    /// It takes an action that the log never took in a group of rows.
    NeverTakenIn {
        /// The action.
        action: usize,
        /// The group.
        group: String,
    },
    /// Too little is left when rows are weighted.
    LowEffective {
        /// Effective sample size.
        have: f64,
        /// What the gate asks for.
        needed: f64,
    },
    /// One row carries too much weight.
    LargeShare {
        /// Its share, a fraction.
        share: f64,
        /// The limit.
        limit: f64,
    },
    /// The log never did what the policy does.
    NoOverlap,
    /// There is no reward model.
    NoModel,
    /// One row, episode or unit alone.
    TooFew,
    /// No candidate's estimate is above the baseline's.
    NothingBetter,
    /// The baseline is not supported by the log.
    BaselineRefused,
    /// A reason in the caller's words.
    Stated(Sentence),
}

impl TableReason {
    /// What is wrong, as a clause.
    pub(super) fn clause(&self, words: Words) -> String {
        let phrase = match self {
            Self::NeverTaken { action, share } => {
                return words.fill(
                    TablePhrase::ReasonNeverTaken,
                    &[
                        ("action", &action.to_string()),
                        ("share", &number::percent(*share, Decimals(1))),
                    ],
                );
            }
            Self::NeverTakenIn { action, group } => {
                return words.fill(
                    TablePhrase::ReasonNeverTakenIn,
                    &[("action", &action.to_string()), ("group", group)],
                );
            }
            Self::LowEffective { have, needed } => {
                return words.fill(
                    TablePhrase::ReasonLowEffective,
                    &[
                        ("have", &number::fixed(*have, Decimals(0))),
                        ("needed", &number::fixed(*needed, Decimals(0))),
                    ],
                );
            }
            Self::LargeShare { share, limit } => {
                return words.fill(
                    TablePhrase::ReasonLargeShare,
                    &[
                        ("share", &number::percent(*share, Decimals(1))),
                        ("limit", &number::percent(*limit, Decimals(0))),
                    ],
                );
            }
            Self::Stated(sentence) => return sentence.in_language(words.language()).to_owned(),
            Self::NoPropensities => TablePhrase::ReasonNoPropensities,
            Self::EstimatedPropensities => TablePhrase::ReasonEstimated,
            Self::NoOverlap => TablePhrase::ReasonNoOverlap,
            Self::NoModel => TablePhrase::ReasonNoModel,
            Self::TooFew => TablePhrase::ReasonTooFew,
            Self::NothingBetter => TablePhrase::ReasonNothingBetter,
            Self::BaselineRefused => TablePhrase::ReasonBaselineRefused,
        };
        words.say(phrase).to_owned()
    }

    /// The way out; a stated reason brings its own.
    pub(super) fn remedy(&self, words: Words) -> Option<String> {
        let phrase = match self {
            Self::NoPropensities => TablePhrase::RemedyNoPropensities,
            Self::EstimatedPropensities => TablePhrase::RemedyEstimated,
            Self::NeverTaken { .. } | Self::NeverTakenIn { .. } | Self::NoOverlap => {
                TablePhrase::RemedyNeverTaken
            }
            Self::LowEffective { .. } => TablePhrase::RemedyLowEffective,
            Self::LargeShare { .. } => TablePhrase::RemedyLargeShare,
            Self::NoModel => TablePhrase::RemedyNoModel,
            Self::TooFew => TablePhrase::RemedyTooFew,
            Self::BaselineRefused => TablePhrase::RemedyBaselineRefused,
            Self::NothingBetter | Self::Stated(_) => return None,
        };
        Some(words.sentence(words.say(phrase)))
    }

    /// Reason and way out as sentences.
    pub(super) fn sentences(&self, words: Words) -> String {
        let mut all = vec![words.sentence(&self.clause(words))];
        all.extend(self.remedy(words));
        words.sentences(&all)
    }
}
