//! What the log can and cannot support: its span and gaps, whether every tier
//! was tried in every class, how propensities were obtained, and the claims
//! that follow. Shows findings; leaves the gate that makes them to the log check.

use serde::{Deserialize, Serialize};

use crate::number::{self, Decimals};
use crate::reason::{Reason, Sentence, TierName};
use crate::text::{Phrase, Words};

/// How the log's propensities were obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PropensityKind {
    /// Written down at the decision.
    Exact,
    /// Estimated from the log afterwards.
    Estimated,
    /// None at all.
    Absent,
}

/// Something one might want to claim from a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClaimTopic {
    /// The value of a policy other than the logged one.
    PolicyValue,
    /// A promotion on these estimates.
    Promotion,
    /// The effect of choosing one tier over another.
    TierEffect,
    /// Satisfaction.
    Satisfaction,
    /// First response and handle times.
    ResponseTimes,
    /// Human workload.
    HumanWorkload,
    /// Clicks and conversions.
    ClicksAndConversions,
    /// What queues become when everyone uses the policy.
    QueueEffect,
    /// Arrivals by hour.
    Arrivals,
    /// A topic in the caller's words.
    Stated(Sentence),
}

/// One claim and whether the log supports it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// What would be claimed.
    pub topic: ClaimTopic,
    /// Whether the log supports it.
    pub allowed: bool,
    /// Why not, or what limits it.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// A stretch of time without any conversation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogGap {
    /// When it starts, as the caller writes times.
    pub from: String,
    /// When it ends.
    pub to: String,
    /// Its length in hours.
    pub hours: f64,
}

/// How often each tier was used in one class of messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverlapRow {
    /// The class' key, such as `complaint`; translated where the page knows it.
    pub class: String,
    /// Decisions for auto, review and human.
    pub counts: [u64; 3],
}

/// What a log holds and what may be claimed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogSupport {
    /// Conversations in the log.
    pub conversations: u64,
    /// Decisions in the log.
    pub decisions: u64,
    /// When the first conversation starts, as the caller writes times.
    #[serde(default)]
    pub first_at: Option<String>,
    /// When the last conversation starts.
    #[serde(default)]
    pub last_at: Option<String>,
    /// Days between them.
    #[serde(default)]
    pub span_days: Option<f64>,
    /// Stretches without conversations.
    #[serde(default)]
    pub gaps: Vec<LogGap>,
    /// How propensities were obtained.
    pub propensity: PropensityKind,
    /// Effective sample size for the candidate, (Σw)² / Σw².
    #[serde(default)]
    pub effective_sample_size: Option<f64>,
    /// Largest share of the total weight on one conversation, a fraction.
    #[serde(default)]
    pub largest_weight_share: Option<f64>,
    /// Decisions by class and tier.
    #[serde(default)]
    pub overlap: Vec<OverlapRow>,
    /// What may and may not be claimed.
    #[serde(default)]
    pub claims: Vec<Claim>,
}

/// The section as the template draws it.
pub(crate) struct SupportView {
    pub(crate) facts: Vec<Fact>,
    pub(crate) gaps: Vec<String>,
    pub(crate) tiers: Vec<&'static str>,
    pub(crate) overlap: Vec<OverlapView>,
    pub(crate) has_empty_cell: bool,
    pub(crate) allowed: Vec<ClaimView>,
    pub(crate) not_allowed: Vec<ClaimView>,
}

pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: Option<String>,
}

pub(crate) struct OverlapView {
    pub(crate) class: String,
    pub(crate) cells: Vec<OverlapCell>,
    pub(crate) total: String,
}

pub(crate) struct OverlapCell {
    pub(crate) tier: &'static str,
    pub(crate) class: &'static str,
    pub(crate) count: String,
    pub(crate) share: String,
    pub(crate) width: String,
    pub(crate) empty: bool,
}

pub(crate) struct ClaimView {
    pub(crate) topic: String,
    pub(crate) reason: Option<String>,
}

impl LogSupport {
    pub(crate) fn view(&self, words: Words) -> SupportView {
        let claims = |allowed: bool| {
            self.claims
                .iter()
                .filter(|claim| claim.allowed == allowed)
                .map(|claim| ClaimView {
                    topic: claim.topic.text(words),
                    reason: claim.reason.as_ref().map(|reason| reason.sentence(words)),
                })
                .collect()
        };
        SupportView {
            facts: self.facts(words),
            gaps: self
                .gaps
                .iter()
                .map(|gap| {
                    words.fill(
                        Phrase::LogGap,
                        &[
                            ("from", &gap.from),
                            ("to", &gap.to),
                            ("hours", &number::fixed(gap.hours, Decimals(1))),
                        ],
                    )
                })
                .collect(),
            tiers: TierName::ALL.map(|tier| words.say(tier.phrase())).to_vec(),
            overlap: self.overlap.iter().map(|row| row.view(words)).collect(),
            has_empty_cell: self.overlap.iter().any(|row| row.counts.contains(&0)),
            allowed: claims(true),
            not_allowed: claims(false),
        }
    }

    fn facts(&self, words: Words) -> Vec<Fact> {
        let mut facts = vec![
            Fact {
                name: words.say(Phrase::FactConversations),
                value: number::count(self.conversations),
                note: None,
            },
            Fact {
                name: words.say(Phrase::FactDecisions),
                value: number::count(self.decisions),
                note: None,
            },
        ];
        if let Some(days) = self.span_days {
            facts.push(Fact {
                name: words.say(Phrase::FactSpan),
                value: words.fill(Phrase::Days, &[("days", &number::fixed(days, Decimals(1)))]),
                note: self
                    .first_at
                    .as_ref()
                    .zip(self.last_at.as_ref())
                    .map(|(first, last)| format!("{first} – {last}")),
            });
        }
        facts.push(Fact {
            name: words.say(Phrase::FactPropensity),
            value: words
                .say(match self.propensity {
                    PropensityKind::Exact => Phrase::PropensityExact,
                    PropensityKind::Estimated => Phrase::PropensityEstimated,
                    PropensityKind::Absent => Phrase::PropensityAbsent,
                })
                .to_owned(),
            note: None,
        });
        if let Some(size) = self.effective_sample_size {
            facts.push(Fact {
                name: words.say(Phrase::FactEffectiveSampleSize),
                value: number::fixed(size, Decimals(0)),
                note: Some(words.say(Phrase::FactEffectiveSampleSizeNote).to_owned()),
            });
        }
        if let Some(share) = self.largest_weight_share {
            facts.push(Fact {
                name: words.say(Phrase::FactLargestWeight),
                value: number::percent(share, Decimals(1)),
                note: Some(words.say(Phrase::FactLargestWeightNote).to_owned()),
            });
        }
        facts
    }
}

impl OverlapRow {
    fn view(&self, words: Words) -> OverlapView {
        let total = self
            .counts
            .iter()
            .fold(0u64, |sum, count| sum.saturating_add(*count));
        let cells = TierName::ALL
            .into_iter()
            .zip(self.counts)
            .map(|(tier, count)| {
                let share = if total == 0 {
                    0.0
                } else {
                    count as f64 / total as f64
                };
                OverlapCell {
                    tier: words.say(tier.phrase()),
                    class: tier.class(),
                    count: number::count(count),
                    share: number::percent(share, Decimals(0)),
                    width: format!("{:.1}%", share * 100.0),
                    empty: count == 0,
                }
            })
            .collect();
        OverlapView {
            class: words.key(&self.class).to_owned(),
            cells,
            total: number::count(total),
        }
    }
}

impl ClaimTopic {
    fn text(&self, words: Words) -> String {
        let phrase = match self {
            Self::PolicyValue => Phrase::ClaimPolicyValue,
            Self::Promotion => Phrase::ClaimPromotion,
            Self::TierEffect => Phrase::ClaimTierEffect,
            Self::Satisfaction => Phrase::ClaimSatisfaction,
            Self::ResponseTimes => Phrase::ClaimResponseTimes,
            Self::HumanWorkload => Phrase::ClaimHumanWorkload,
            Self::ClicksAndConversions => Phrase::ClaimClicks,
            Self::QueueEffect => Phrase::ClaimQueueEffect,
            Self::Arrivals => Phrase::ClaimArrivals,
            Self::Stated(sentence) => return sentence.in_language(words.language()).to_owned(),
        };
        words.say(phrase).to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn overlap_shares_come_from_counts() {
        let row = OverlapRow {
            class: "complaint".to_owned(),
            counts: [0, 25, 75],
        };
        let view = row.view(Words::new(Language::Zh));
        assert_eq!(view.class, "投诉");
        assert!(view.cells[0].empty);
        assert_eq!(view.cells[2].share, "75\u{202f}%");
        let nothing = OverlapRow {
            class: "new".to_owned(),
            counts: [0, 0, 0],
        };
        assert_eq!(
            nothing.view(Words::new(Language::En)).cells[0].width,
            "0.0%"
        );
    }
}
