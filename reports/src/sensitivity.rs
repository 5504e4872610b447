//! Whether the verdict survives other definitions of the reward: the same
//! conversations scored with other weights, and who wins under each.

use serde::{Deserialize, Serialize};

use crate::charts::strip::{Domain, Mark, Strip, Tone};
use crate::error::ReportError;
use crate::measure::Measure;
use crate::number::{self, Decimals};
use crate::reason::{Badge, Evidence, Sentence};
use crate::text::{Phrase, Words};

/// A way to combine satisfaction and efficiency into one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RewardDefinition {
    /// S · E_time · (1 − k · cost), the default form.
    Product {
        /// The largest share of the reward that human cost can take, k.
        cost_weight: f64,
    },
    /// Sᵃ · Eᵇ with E = E_time · E_cost.
    Power {
        /// Exponent of satisfaction, a.
        satisfaction: f64,
        /// Exponent of efficiency, b.
        efficiency: f64,
    },
    /// w · S + (1 − w) · E with E = E_time · E_cost.
    WeightedSum {
        /// Weight of satisfaction, w.
        weight: f64,
    },
    /// A definition in the caller's words.
    Stated(Sentence),
}

/// The comparison repeated under one definition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlternativeReward {
    /// The definition.
    pub definition: RewardDefinition,
    /// Whether it is the definition the verdict uses.
    #[serde(default)]
    pub is_default: bool,
    /// Where the numbers come from.
    pub evidence: Evidence,
    /// The policy with the higher value.
    pub winner: String,
    /// Candidate minus baseline under this definition.
    pub difference: f64,
    /// Lower bound of the difference.
    #[serde(default)]
    pub lower: Option<f64>,
    /// Upper bound of the difference.
    #[serde(default)]
    pub upper: Option<f64>,
}

/// The section as the template draws it.
pub(crate) struct SensitivityView {
    pub(crate) summary: String,
    pub(crate) rows: Vec<SensitivityRow>,
}

pub(crate) struct SensitivityRow {
    pub(crate) definition: String,
    pub(crate) is_default: bool,
    pub(crate) changes: bool,
    pub(crate) winner: String,
    pub(crate) difference: String,
    pub(crate) interval: String,
    pub(crate) strip: String,
    pub(crate) badge: Badge,
}

pub(crate) fn view(
    alternatives: &[AlternativeReward],
    words: Words,
) -> Result<Option<SensitivityView>, ReportError> {
    if alternatives.is_empty() {
        return Ok(None);
    }
    let usual = alternatives
        .iter()
        .find(|alternative| alternative.is_default)
        .or(alternatives.first())
        .map_or("", |alternative| alternative.winner.as_str());
    let mut numbers = vec![0.0];
    for alternative in alternatives {
        numbers.push(alternative.difference);
        numbers.extend(alternative.lower);
        numbers.extend(alternative.upper);
    }
    let domain = Domain::around(&numbers);
    let unit = Measure::Reward.unit([]);
    let mut rows = Vec::new();
    for alternative in alternatives {
        let decimals = unit.decimals(&[alternative.difference]);
        let bounds = alternative.lower.zip(alternative.upper);
        let tone = match bounds {
            _ if alternative.evidence == Evidence::Simulated => Tone::Simulated,
            Some((lower, upper)) if lower > 0.0 && upper > 0.0 => Tone::Better,
            Some((lower, upper)) if lower < 0.0 && upper < 0.0 => Tone::Worse,
            _ => Tone::Neutral,
        };
        let definition = alternative.definition.text(words);
        let difference = unit.difference(words, alternative.difference, decimals);
        let interval = bounds.map_or_else(
            || words.say(Phrase::NoInterval).to_owned(),
            |(lower, upper)| unit.signed_interval(lower, upper, decimals),
        );
        let strip = Strip {
            label: format!("{definition}: {difference} {interval}"),
            domain,
            mark: alternative.difference.is_finite().then_some(Mark {
                value: alternative.difference,
                lower: alternative.lower,
                upper: alternative.upper,
                tone,
            }),
            reference: Some(0.0),
            height: 28,
        };
        rows.push(SensitivityRow {
            definition,
            is_default: alternative.is_default,
            changes: alternative.winner != usual,
            winner: alternative.winner.clone(),
            difference,
            interval,
            strip: strip.draw()?,
            badge: alternative.evidence.badge(words),
        });
    }
    let changed = rows.iter().filter(|row| row.changes).count();
    let summary = if changed == 0 {
        words.fill(
            Phrase::SensitivityStable,
            &[
                ("count", &number::count(rows.len() as u64)),
                ("winner", usual),
            ],
        )
    } else {
        words.fill(
            Phrase::SensitivityChanges,
            &[
                ("changed", &number::count(changed as u64)),
                ("count", &number::count(rows.len() as u64)),
            ],
        )
    };
    Ok(Some(SensitivityView { summary, rows }))
}

impl RewardDefinition {
    fn text(&self, words: Words) -> String {
        let short = |number: f64| {
            let text = number::fixed(number, Decimals(2));
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        let power = |exponent: f64| {
            if exponent == 1.0 {
                String::new()
            } else {
                number::power(exponent)
            }
        };
        match self {
            Self::Product { cost_weight } => {
                format!("S · E_time · E_cost, k = {}", short(*cost_weight))
            }
            Self::Power {
                satisfaction,
                efficiency,
            } => format!(
                "S{} · (E_time · E_cost){}",
                power(*satisfaction),
                power(*efficiency)
            ),
            Self::WeightedSum { weight } => {
                format!(
                    "{} · S + {} · E_time · E_cost",
                    short(*weight),
                    short(1.0 - weight)
                )
            }
            Self::Stated(sentence) => sentence.in_language(words.language()).to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn alternative(weight: f64, winner: &str, difference: f64) -> AlternativeReward {
        AlternativeReward {
            definition: RewardDefinition::WeightedSum { weight },
            is_default: weight == 0.5,
            evidence: Evidence::Logged,
            winner: winner.to_owned(),
            difference,
            lower: Some(difference - 0.01),
            upper: Some(difference + 0.01),
        }
    }

    #[test]
    fn a_changed_winner_is_counted_and_marked() {
        let stable = [alternative(0.5, "q", 0.02), alternative(0.7, "q", 0.03)];
        let changing = [alternative(0.5, "q", 0.02), alternative(0.9, "rule", -0.03)];
        let words = Words::new(Language::En);
        let view = view(&stable, words).unwrap().unwrap();
        assert!(view.rows.iter().all(|row| !row.changes));
        let view = super::view(&changing, words).unwrap().unwrap();
        assert!(view.rows[1].changes);
        assert_eq!(view.rows[1].definition, "0.9 · S + 0.1 · E_time · E_cost");
        assert!(super::view(&[], words).unwrap().is_none());
    }
}
