//! The verdict: what the evidence says about one policy against the baseline,
//! as a value, and its wording. Owns the check that the verdict's kind agrees
//! with its numbers; leaves the numbers to the off-policy evaluation.

use serde::{Deserialize, Serialize};

use crate::charts::strip::{Domain, Mark, Strip, Tone};
use crate::error::ReportError;
use crate::measure::Measure;
use crate::number;
use crate::reason::{Badge, Evidence, Reason};
use crate::text::{Phrase, Words};

/// Candidate against baseline in one measure: candidate minus baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The measure compared.
    pub measure: Measure,
    /// Candidate minus baseline, in the measure's base unit (scores and
    /// fractions as they are, times in seconds).
    pub difference: f64,
    /// Lower bound of the difference.
    pub lower: f64,
    /// Upper bound of the difference.
    pub upper: f64,
    /// Confidence level of the interval, a fraction.
    pub level: f64,
    /// Conversations behind the difference.
    pub n: u64,
    /// The baseline's own value, for the relative change.
    #[serde(default)]
    pub baseline_value: Option<f64>,
    /// Candidates judged on these conversations, for which the interval is corrected.
    #[serde(default)]
    pub candidates_judged: Option<u64>,
    /// How the interval was made, such as `bootstrap` or `normal`.
    #[serde(default)]
    pub method: Option<String>,
    /// Where the numbers come from.
    pub evidence: Evidence,
}

/// What the evidence says, stated first on every page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The whole interval favours the candidate.
    Beats {
        /// The candidate.
        policy: String,
        /// The policy it is compared with.
        baseline: String,
        /// The evidence.
        comparison: Comparison,
    },
    /// The interval includes zero: keep the baseline.
    NotShown {
        /// The candidate.
        policy: String,
        /// The policy to keep.
        baseline: String,
        /// The evidence.
        comparison: Comparison,
        /// How many more conversations would tell a difference of this size from zero.
        #[serde(default)]
        more_conversations: Option<u64>,
    },
    /// The whole interval speaks against the candidate.
    Worse {
        /// The candidate.
        policy: String,
        /// The policy to keep.
        baseline: String,
        /// The evidence.
        comparison: Comparison,
    },
    /// The numbers come from a model: a simulation, never a reason to promote.
    Simulated {
        /// The candidate.
        policy: String,
        /// The policy it is compared with.
        baseline: String,
        /// The model that produced the numbers.
        model: String,
        /// The difference inside the model.
        comparison: Comparison,
    },
    /// Both policies ran in a simulated contact centre, each with all of its
    /// people to itself: the difference when everyone uses the candidate. The
    /// interval decides whether the page says more, less or neither.
    InCentre {
        /// The candidate.
        policy: String,
        /// The policy it is compared with.
        baseline: String,
        /// The centre, such as its configuration's name.
        centre: String,
        /// Replications behind the interval.
        replications: u64,
        /// The difference in the centre; its evidence is [`Evidence::Simulated`].
        comparison: Comparison,
    },
    /// No comparison is possible.
    Refused {
        /// Why.
        reason: Reason,
    },
}

/// The verdict as the template draws it.
pub(crate) struct VerdictView {
    pub(crate) class: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) headline: String,
    pub(crate) evidence: String,
    pub(crate) meaning: String,
    pub(crate) action: String,
    pub(crate) badge: Option<Badge>,
    pub(crate) figures: Vec<Figure>,
    pub(crate) strip: Option<String>,
    pub(crate) zero: String,
}

/// One number of the verdict, large, with its label below.
pub(crate) struct Figure {
    pub(crate) number: String,
    pub(crate) label: String,
}

impl Verdict {
    /// Checks that the verdict's kind agrees with its numbers.
    pub(crate) fn check(&self) -> Result<(), ReportError> {
        let Some((kind, comparison)) = self.comparison() else {
            return Ok(());
        };
        comparison.check()?;
        let (low, high) = (
            comparison.measure.benefit(comparison.lower),
            comparison.measure.benefit(comparison.upper),
        );
        let agrees = match self {
            Self::Beats { .. } => low > 0.0 && high > 0.0,
            Self::Worse { .. } => low < 0.0 && high < 0.0,
            Self::NotShown { .. } => comparison.lower <= 0.0 && comparison.upper >= 0.0,
            Self::Simulated { .. } | Self::InCentre { .. } | Self::Refused { .. } => true,
        };
        if !agrees {
            return Err(ReportError::VerdictContradictsInterval {
                verdict: kind,
                measure: format!("{:?}", comparison.measure),
                lower: comparison.lower,
                upper: comparison.upper,
            });
        }
        let simulated = comparison.evidence == Evidence::Simulated;
        let in_centre = matches!(self, Self::InCentre { .. });
        if simulated && !in_centre && !matches!(self, Self::Simulated { .. }) {
            return Err(ReportError::VerdictOnSimulation { verdict: kind });
        }
        if in_centre && !simulated {
            return Err(ReportError::CentreWithoutSimulation);
        }
        Ok(())
    }

    fn comparison(&self) -> Option<(&'static str, &Comparison)> {
        match self {
            Self::Beats { comparison, .. } => Some(("beats", comparison)),
            Self::NotShown { comparison, .. } => Some(("not_shown", comparison)),
            Self::Worse { comparison, .. } => Some(("worse", comparison)),
            Self::Simulated { comparison, .. } => Some(("simulated", comparison)),
            Self::InCentre { comparison, .. } => Some(("in_centre", comparison)),
            Self::Refused { .. } => None,
        }
    }

    pub(crate) fn view(&self, words: Words) -> Result<VerdictView, ReportError> {
        let (class, icon) = match self {
            Self::Beats { .. } => ("beats", "▲"),
            Self::NotShown { .. } => ("not-shown", "≈"),
            Self::Worse { .. } => ("worse", "▼"),
            Self::Simulated { .. } | Self::InCentre { .. } => ("simulated", "∿"),
            Self::Refused { .. } => ("refused", "✕"),
        };
        match self {
            Self::Refused { reason } => Ok(VerdictView {
                class,
                icon,
                headline: words.say(Phrase::VerdictRefusedHeadline).to_owned(),
                evidence: words.sentence(&reason.sentence(words)),
                meaning: words.say(Phrase::VerdictRefusedMeaning).to_owned(),
                action: words.say(Phrase::VerdictRefusedAction).to_owned(),
                badge: None,
                figures: Vec::new(),
                strip: None,
                zero: String::new(),
            }),
            Self::Beats {
                policy,
                baseline,
                comparison,
            } => {
                let estimated = comparison.evidence == Evidence::EstimatedPropensity;
                comparison.view(
                    words,
                    (class, icon),
                    baseline,
                    words.fill(Phrase::VerdictBeatsHeadline, &names(policy, baseline)),
                    words.say(Phrase::VerdictBeatsMeaning).to_owned(),
                    words.say(if estimated {
                        Phrase::VerdictBeatsEstimatedAction
                    } else {
                        Phrase::VerdictBeatsAction
                    }),
                )
            }
            Self::NotShown {
                policy,
                baseline,
                comparison,
                more_conversations,
            } => {
                let mut meaning =
                    words.fill(Phrase::VerdictNotShownMeaning, &names(policy, baseline));
                if let Some(more) = more_conversations {
                    meaning.push_str(&words.fill(
                        Phrase::VerdictMoreNeeded,
                        &[("more", &number::count(*more))],
                    ));
                }
                comparison.view(
                    words,
                    (class, icon),
                    baseline,
                    words.fill(Phrase::VerdictNotShownHeadline, &names(policy, baseline)),
                    meaning,
                    words.say(Phrase::VerdictKeepAction),
                )
            }
            Self::Worse {
                policy,
                baseline,
                comparison,
            } => comparison.view(
                words,
                (class, icon),
                baseline,
                words.fill(Phrase::VerdictWorseHeadline, &names(policy, baseline)),
                words.say(Phrase::VerdictWorseMeaning).to_owned(),
                words.say(Phrase::VerdictKeepAction),
            ),
            Self::Simulated {
                policy,
                baseline,
                model,
                comparison,
            } => comparison.view(
                words,
                (class, icon),
                baseline,
                words.fill(Phrase::VerdictSimulatedHeadline, &names(policy, baseline)),
                words.fill(
                    Phrase::VerdictSimulatedMeaning,
                    &[("model", model), ("policy", policy), ("baseline", baseline)],
                ),
                words.say(Phrase::VerdictSimulatedAction),
            ),
            Self::InCentre {
                policy,
                baseline,
                centre,
                replications,
                comparison,
            } => comparison.centre_view(words, (policy, baseline, centre), *replications),
        }
    }
}

fn names<'a>(policy: &'a str, baseline: &'a str) -> [(&'static str, &'a str); 2] {
    [("policy", policy), ("baseline", baseline)]
}

impl Comparison {
    fn check(&self) -> Result<(), ReportError> {
        for (place, number) in [
            ("the verdict's difference", self.difference),
            ("the verdict's lower bound", self.lower),
            ("the verdict's upper bound", self.upper),
        ] {
            if !number.is_finite() {
                return Err(ReportError::NotFinite {
                    place: place.to_owned(),
                    number,
                });
            }
        }
        if self.difference < self.lower || self.difference > self.upper {
            return Err(ReportError::IntervalMissesValue {
                place: "the verdict".to_owned(),
                value: self.difference,
                lower: self.lower,
                upper: self.upper,
            });
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ReportError::NotALevel {
                place: "the verdict's level".to_owned(),
                number: self.level,
            });
        }
        Ok(())
    }

    pub(crate) fn view(
        &self,
        words: Words,
        (class, icon): (&'static str, &'static str),
        baseline: &str,
        headline: String,
        meaning: String,
        action: &'static str,
    ) -> Result<VerdictView, ReportError> {
        let bounds = [self.difference, self.lower, self.upper];
        let unit = self
            .measure
            .unit(bounds.into_iter().chain(self.baseline_value));
        let decimals = unit.decimals(&bounds);
        let difference = unit.difference(words, self.difference, decimals);
        let interval = unit.signed_interval(self.lower, self.upper, decimals);
        let level = number::level(self.level);
        let measure = words.inside(self.measure.name());
        let simulated = self.evidence == Evidence::Simulated;
        let n = number::count(self.n);
        let mut evidence = words.fill(
            if simulated {
                Phrase::VerdictEvidenceSimulated
            } else {
                Phrase::VerdictEvidence
            },
            &[
                ("baseline", baseline),
                ("measure", &measure),
                ("difference", &difference),
                ("level", &level),
                ("interval", &interval),
                ("n", &n),
            ],
        );
        if let Some(method) = &self.method {
            evidence.push_str(&words.fill(Phrase::VerdictMethod, &[("method", words.key(method))]));
        }
        if let Some(candidates) = self.candidates_judged.filter(|count| *count > 1) {
            evidence.push_str(&words.fill(
                Phrase::VerdictCandidates,
                &[("count", &number::count(candidates))],
            ));
        }
        let mut figures = vec![Figure {
            number: difference,
            label: words.fill(Phrase::FigureDifference, &[("measure", &measure)]),
        }];
        if let Some(baseline) = self.baseline_value.filter(|value| *value != 0.0) {
            let relative = self.difference / baseline.abs();
            if relative.is_finite() {
                let scaled = relative * 100.0;
                figures.push(Figure {
                    number: format!("{}\u{202f}%", number::signed(scaled, number::Decimals(1))),
                    label: words.say(Phrase::FigureRelative).to_owned(),
                });
            }
        }
        figures.push(Figure {
            number: interval.clone(),
            label: words.fill(Phrase::FigureInterval, &[("level", &level)]),
        });
        figures.push(Figure {
            number: n,
            label: words
                .say(if simulated {
                    Phrase::FigureSimulatedConversations
                } else {
                    Phrase::FigureConversations
                })
                .to_owned(),
        });
        let benefits = [self.lower, self.upper].map(|bound| self.measure.benefit(bound));
        let tone = match benefits {
            _ if simulated => Tone::Simulated,
            [one, other] if one > 0.0 && other > 0.0 => Tone::Better,
            [one, other] if one < 0.0 && other < 0.0 => Tone::Worse,
            _ => Tone::Neutral,
        };
        let strip = Strip {
            label: evidence.clone(),
            domain: Domain::around(&[0.0, self.lower, self.upper]),
            mark: Some(Mark {
                value: self.difference,
                lower: Some(self.lower),
                upper: Some(self.upper),
                tone,
            }),
            reference: Some(0.0),
            height: 34,
        };
        Ok(VerdictView {
            class,
            icon,
            headline,
            evidence,
            meaning,
            action: action.to_owned(),
            badge: Some(self.evidence.badge(words)),
            figures,
            strip: Some(strip.draw()?),
            zero: strip.domain.position(0.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Language, Sentence};

    fn comparison(difference: f64, lower: f64, upper: f64) -> Comparison {
        Comparison {
            measure: Measure::Reward,
            difference,
            lower,
            upper,
            level: 0.95,
            n: 12_345,
            baseline_value: Some(0.4),
            candidates_judged: Some(4),
            method: Some("bootstrap".to_owned()),
            evidence: Evidence::Logged,
        }
    }

    fn beats(comparison: Comparison) -> Verdict {
        Verdict::Beats {
            policy: "q".to_owned(),
            baseline: "rule".to_owned(),
            comparison,
        }
    }

    #[test]
    fn a_verdict_must_agree_with_its_interval() {
        assert!(beats(comparison(0.02, 0.01, 0.03)).check().is_ok());
        assert!(beats(comparison(0.02, -0.01, 0.05)).check().is_err());
        assert!(beats(comparison(0.02, 0.03, 0.05)).check().is_err());
        assert!(beats(comparison(f64::NAN, 0.0, 0.05)).check().is_err());
        let fewer_seconds = Comparison {
            measure: Measure::HumanSecs,
            ..comparison(-20.0, -30.0, -10.0)
        };
        assert!(beats(fewer_seconds).check().is_ok());
        let modelled = Comparison {
            evidence: Evidence::Simulated,
            ..comparison(0.02, 0.01, 0.03)
        };
        assert!(matches!(
            beats(modelled).check(),
            Err(ReportError::VerdictOnSimulation { .. })
        ));
    }

    #[test]
    fn both_languages_state_the_numbers() {
        for language in [Language::En, Language::Zh] {
            let view = beats(comparison(0.021, 0.012, 0.030))
                .view(Words::new(language))
                .unwrap();
            for fact in ["+0.021", "+0.012", "+0.030", "95\u{202f}%", "12\u{202f}345"] {
                assert!(view.evidence.contains(fact), "{fact}: {}", view.evidence);
            }
        }
    }

    #[test]
    fn small_differences_keep_their_digits() {
        let view = beats(comparison(0.000_42, 0.000_11, 0.000_73))
            .view(Words::new(Language::En))
            .unwrap();
        assert!(view.evidence.contains("+0.00011"), "{}", view.evidence);
    }

    #[test]
    fn json_round_trip() {
        let verdict = Verdict::Refused {
            reason: Reason::Stated(Sentence::new("no log", "没有日志")),
        };
        let json = serde_json::to_string(&verdict).unwrap();
        assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
    }
}
