//! Why something is missing, refused or not allowed, as values rather than
//! prose, so that every page words the same fact the same way in both
//! languages.

use serde::{Deserialize, Serialize};

use crate::Language;
use crate::number::{self, Decimals};
use crate::text::{Phrase, Words};

/// A sentence the caller words itself, in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// The English wording.
    pub en: String,
    /// The Chinese wording.
    pub zh: String,
}

impl Sentence {
    /// A sentence worded separately for each language.
    pub fn new(en: impl Into<String>, zh: impl Into<String>) -> Self {
        Self {
            en: en.into(),
            zh: zh.into(),
        }
    }

    /// The wording in `language`.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::En => &self.en,
            Language::Zh => &self.zh,
        }
    }
}

/// One of the three response tiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TierName {
    /// The AI answers alone.
    Auto,
    /// The AI drafts, a person reviews.
    Review,
    /// A person takes over.
    Human,
}

impl TierName {
    /// The tiers in the order of their arrays everywhere on a page.
    pub const ALL: [Self; 3] = [Self::Auto, Self::Review, Self::Human];

    pub(crate) fn phrase(self) -> Phrase {
        match self {
            Self::Auto => Phrase::TierAuto,
            Self::Review => Phrase::TierReview,
            Self::Human => Phrase::TierHuman,
        }
    }

    pub(crate) fn meaning(self) -> Phrase {
        match self {
            Self::Auto => Phrase::TierAutoMeaning,
            Self::Review => Phrase::TierReviewMeaning,
            Self::Human => Phrase::TierHumanMeaning,
        }
    }

    pub(crate) fn letter(self) -> Phrase {
        match self {
            Self::Auto => Phrase::TierAutoLetter,
            Self::Review => Phrase::TierReviewLetter,
            Self::Human => Phrase::TierHumanLetter,
        }
    }

    /// The CSS class that gives this tier its colour.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Review => "review",
            Self::Human => "human",
        }
    }
}

/// Why a number is missing, a value refused, or a claim not allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reason {
    /// The log does not hold this quantity.
    NotLogged,
    /// The quantity has no meaning here.
    NotApplicable,
    /// Nobody asked for it in this run.
    NotComputed,
    /// The log holds no propensities, so logged choices cannot be reweighted.
    NoPropensities,
    /// Propensities were estimated; they inform but do not promote.
    EstimatedPropensities,
    /// The policy chooses tiers the log never shows in the same situations.
    OutsideSupport,
    /// Every logged decision used the same tier.
    OneTierOnly {
        /// The only tier in the log.
        tier: TierName,
    },
    /// Too few conversations.
    TooFewConversations {
        /// Conversations at hand.
        have: u64,
        /// Conversations needed.
        needed: u64,
    },
    /// The importance weights leave too few effective conversations.
    LowEffectiveSampleSize {
        /// Effective sample size at hand.
        have: f64,
        /// Effective sample size needed.
        needed: f64,
    },
    /// One conversation carries too much of the total weight.
    LargeWeightShare {
        /// Largest share of the total weight, a fraction.
        share: f64,
        /// Largest share accepted, a fraction.
        limit: f64,
    },
    /// The policy was trained on conversations it would be judged on.
    SeenInTraining,
    /// The two results use different versions of the reward.
    RewardVersionDiffers,
    /// The value comes from a model alone, not from logged choices.
    ModelOnly,
    /// A reason in the caller's words.
    Stated(Sentence),
}

impl Reason {
    pub(crate) fn sentence(&self, words: Words) -> String {
        match self {
            Self::NotLogged => words.say(Phrase::ReasonNotLogged).to_owned(),
            Self::NotApplicable => words.say(Phrase::ReasonNotApplicable).to_owned(),
            Self::NotComputed => words.say(Phrase::ReasonNotComputed).to_owned(),
            Self::NoPropensities => words.say(Phrase::ReasonNoPropensities).to_owned(),
            Self::EstimatedPropensities => {
                words.say(Phrase::ReasonEstimatedPropensities).to_owned()
            }
            Self::OutsideSupport => words.say(Phrase::ReasonOutsideSupport).to_owned(),
            Self::OneTierOnly { tier } => words.fill(
                Phrase::ReasonOneTierOnly,
                &[("tier", words.say(tier.phrase()))],
            ),
            Self::TooFewConversations { have, needed } => words.fill(
                Phrase::ReasonTooFewConversations,
                &[
                    ("have", &number::count(*have)),
                    ("needed", &number::count(*needed)),
                ],
            ),
            Self::LowEffectiveSampleSize { have, needed } => words.fill(
                Phrase::ReasonLowEffectiveSampleSize,
                &[
                    ("have", &number::fixed(*have, Decimals(0))),
                    ("needed", &number::fixed(*needed, Decimals(0))),
                ],
            ),
            Self::LargeWeightShare { share, limit } => words.fill(
                Phrase::ReasonLargeWeightShare,
                &[
                    ("share", &number::percent(*share, Decimals(1))),
                    ("limit", &number::percent(*limit, Decimals(0))),
                ],
            ),
            Self::SeenInTraining => words.say(Phrase::ReasonSeenInTraining).to_owned(),
            Self::RewardVersionDiffers => words.say(Phrase::ReasonRewardVersionDiffers).to_owned(),
            Self::ModelOnly => words.say(Phrase::ReasonModelOnly).to_owned(),
            Self::Stated(sentence) => sentence.in_language(words.language()).to_owned(),
        }
    }
}

/// Where a number comes from; shown as a badge beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Logged choices with exact propensities.
    Logged,
    /// Logged choices whose propensities were estimated afterwards.
    EstimatedPropensity,
    /// A counterfactual model or a simulator.
    Simulated,
}

impl Evidence {
    pub(crate) fn badge(self, words: Words) -> Badge {
        let (class, label, meaning) = match self {
            Self::Logged => ("logged", Phrase::BadgeLogged, Phrase::BadgeLoggedMeaning),
            Self::EstimatedPropensity => (
                "estimated",
                Phrase::BadgeEstimated,
                Phrase::BadgeEstimatedMeaning,
            ),
            Self::Simulated => (
                "simulated",
                Phrase::BadgeSimulated,
                Phrase::BadgeSimulatedMeaning,
            ),
        };
        Badge {
            class,
            label: words.say(label),
            meaning: words.say(meaning),
        }
    }
}

/// A badge as the templates draw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Badge {
    pub(crate) class: &'static str,
    pub(crate) label: &'static str,
    pub(crate) meaning: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_their_numbers() {
        let reason = Reason::LowEffectiveSampleSize {
            have: 37.4,
            needed: 100.0,
        };
        for language in [Language::En, Language::Zh] {
            let sentence = reason.sentence(Words::new(language));
            assert!(
                sentence.contains("37") && sentence.contains("100"),
                "{sentence}"
            );
        }
        let stated = Reason::Stated(Sentence::new("because", "因为"));
        assert_eq!(stated.sentence(Words::new(Language::Zh)), "因为");
    }
}
