//! The estimator forest plot: a policy's value under each estimator with its
//! interval, one row each, refused estimators in place with their reason. A
//! table with a strip per row rather than one drawing, because reasons must
//! wrap and translate, and the numbers belong beside the marks.

use serde::{Deserialize, Serialize};

use super::strip::{Domain, Mark, Strip, Tick, Tone};
use crate::error::ReportError;
use crate::measure::Measure;
use crate::number::{self, Decimals};
use crate::reason::{Badge, Evidence, Reason};
use crate::text::{Phrase, Words};

/// Estimates of one or more policies' values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EstimatorForest {
    /// The measure estimated.
    pub measure: Measure,
    /// Confidence level of every interval, a fraction.
    pub level: f64,
    /// The baseline's value on the same conversations, drawn as a vertical line.
    #[serde(default)]
    pub baseline: Option<BaselineValue>,
    /// One group of rows per policy.
    pub policies: Vec<PolicyEstimates>,
}

/// The value the estimates are compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineValue {
    /// The baseline's name.
    pub name: String,
    /// Its value.
    pub value: f64,
}

/// One policy's value by every estimator asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyEstimates {
    /// The policy.
    pub policy: String,
    /// Its estimates, in the order to show them.
    pub estimates: Vec<Estimate>,
}

/// One estimator's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The estimator's key, such as `snips`, with a parameter after a colon
    /// where it has one (`cips:10`).
    pub estimator: String,
    /// The value, or why there is none.
    pub outcome: EstimateOutcome,
}

/// A value with its support, or a refusal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EstimateOutcome {
    /// The log supports a value.
    Estimated {
        /// The estimate, in the measure's base unit.
        value: f64,
        /// Lower bound.
        #[serde(default)]
        lower: Option<f64>,
        /// Upper bound.
        #[serde(default)]
        upper: Option<f64>,
        /// Conversations (or rounds) used.
        n: u64,
        /// Effective sample size of the importance weights, (Σw)² / Σw².
        #[serde(default)]
        effective_sample_size: Option<f64>,
        /// Whether the estimator is biased by construction.
        #[serde(default)]
        biased: bool,
        /// Where the number comes from.
        evidence: Evidence,
    },
    /// The log does not support a value.
    Refused {
        /// Why.
        reason: Reason,
    },
}

/// The section as the template draws it.
pub(crate) struct ForestView {
    pub(crate) caption: String,
    pub(crate) ticks: Vec<(Tick, String)>,
    pub(crate) groups: Vec<ForestGroup>,
}

pub(crate) struct ForestGroup {
    pub(crate) policy: String,
    pub(crate) rows: Vec<ForestRow>,
}

pub(crate) struct ForestRow {
    pub(crate) estimator: String,
    pub(crate) strip: String,
    pub(crate) value: String,
    pub(crate) interval: String,
    pub(crate) n: String,
    pub(crate) effective_sample_size: String,
    pub(crate) biased: bool,
    pub(crate) badge: Option<Badge>,
    pub(crate) refused: Option<String>,
}

impl EstimatorForest {
    pub(crate) fn check(&self) -> Result<(), ReportError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ReportError::NotALevel {
                place: "the forest plot's level".to_owned(),
                number: self.level,
            });
        }
        Ok(())
    }

    pub(crate) fn view(&self, words: Words) -> Result<ForestView, ReportError> {
        let (values, intervals) = self.numbers();
        let mut all = values.clone();
        all.extend(self.baseline.iter().map(|baseline| baseline.value));
        let unit = self.measure.unit(all.iter().copied());
        let decimals = unit.decimals(&[]);
        let domain = Domain::robust(&all, &intervals);
        let ticks = domain.ticks(4);
        let step = match ticks.as_slice() {
            [first, second, ..] => second.number - first.number,
            _ => domain.high() - domain.low(),
        };
        // The step of round ticks comes with rounding noise: 0.42 − 0.40 < 0.02.
        let tick_decimals = unit.tick_decimals(step * 1.000_001);
        let ticks = ticks
            .into_iter()
            .map(|tick| {
                let text = unit.value(words, tick.number, tick_decimals);
                (tick, text)
            })
            .collect();
        let mut groups = Vec::new();
        for policy in &self.policies {
            let mut rows = Vec::new();
            for estimate in &policy.estimates {
                rows.push(self.row(words, &policy.policy, estimate, domain, (unit, decimals))?);
            }
            groups.push(ForestGroup {
                policy: policy.policy.clone(),
                rows,
            });
        }
        let mut caption = words.fill(
            Phrase::ForestCaption,
            &[
                ("measure", words.say(self.measure.name())),
                ("level", &number::level(self.level)),
            ],
        );
        if let Some(baseline) = &self.baseline {
            caption.push_str(&words.fill(
                Phrase::ForestBaseline,
                &[
                    ("baseline", &baseline.name),
                    ("value", &unit.value(words, baseline.value, decimals)),
                ],
            ));
        }
        Ok(ForestView {
            caption,
            ticks,
            groups,
        })
    }

    fn numbers(&self) -> (Vec<f64>, Vec<(f64, f64)>) {
        let (mut values, mut intervals) = (Vec::new(), Vec::new());
        for estimate in self.policies.iter().flat_map(|policy| &policy.estimates) {
            if let EstimateOutcome::Estimated {
                value,
                lower,
                upper,
                ..
            } = &estimate.outcome
            {
                values.push(*value);
                intervals.extend(lower.zip(*upper));
            }
        }
        (values, intervals)
    }

    fn row(
        &self,
        words: Words,
        policy: &str,
        estimate: &Estimate,
        domain: Domain,
        (unit, decimals): (crate::measure::Unit, Decimals),
    ) -> Result<ForestRow, ReportError> {
        let estimator = estimator_name(words, &estimate.estimator);
        let reference = self.baseline.as_ref().map(|baseline| baseline.value);
        let row = match &estimate.outcome {
            EstimateOutcome::Refused { reason } => ForestRow {
                strip: String::new(),
                value: number::MISSING.to_owned(),
                interval: String::new(),
                n: number::MISSING.to_owned(),
                effective_sample_size: number::MISSING.to_owned(),
                biased: false,
                badge: None,
                refused: Some(reason.sentence(words)),
                estimator,
            },
            EstimateOutcome::Estimated {
                value,
                lower,
                upper,
                n,
                effective_sample_size,
                biased,
                evidence,
            } => {
                let text = unit.value(words, *value, decimals);
                let interval = lower.zip(*upper).map_or_else(
                    || words.say(Phrase::NoInterval).to_owned(),
                    |(lower, upper)| unit.interval(lower, upper, decimals),
                );
                let tone = tone(self.measure, reference, *lower, *upper, *evidence);
                let strip = Strip {
                    label: format!("{policy}, {estimator}: {text} {interval}"),
                    domain,
                    mark: value.is_finite().then_some(Mark {
                        value: *value,
                        lower: *lower,
                        upper: *upper,
                        tone,
                    }),
                    reference,
                    height: 30,
                };
                ForestRow {
                    strip: strip.draw()?,
                    value: text,
                    interval,
                    n: number::count(*n),
                    effective_sample_size: effective_sample_size.map_or_else(
                        || number::MISSING.to_owned(),
                        |size| number::fixed(size, Decimals(0)),
                    ),
                    biased: *biased,
                    badge: Some(evidence.badge(words)),
                    refused: None,
                    estimator,
                }
            }
        };
        Ok(row)
    }
}

fn tone(
    measure: Measure,
    reference: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    evidence: Evidence,
) -> Tone {
    if evidence == Evidence::Simulated {
        return Tone::Simulated;
    }
    match (reference, lower, upper) {
        (Some(reference), Some(lower), Some(upper)) => {
            let (one, other) = (
                measure.benefit(lower - reference),
                measure.benefit(upper - reference),
            );
            if one.min(other) > 0.0 {
                Tone::Better
            } else if one.max(other) < 0.0 {
                Tone::Worse
            } else {
                Tone::Neutral
            }
        }
        _ => Tone::Neutral,
    }
}

/// The estimator's name in full, its parameter kept: `cips:10` becomes
/// "Clipped IPS (10)".
fn estimator_name(words: Words, key: &str) -> String {
    match key.split_once(':') {
        Some((name, parameter)) => format!("{} ({parameter})", words.key(name)),
        None => words.key(key).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    fn forest(value: f64) -> EstimatorForest {
        let estimated = |value: f64, evidence| EstimateOutcome::Estimated {
            value,
            lower: Some(value - 0.02),
            upper: Some(value + 0.02),
            n: 2000,
            effective_sample_size: Some(397.5),
            biased: false,
            evidence,
        };
        let estimate = |estimator: &str, outcome| Estimate {
            estimator: estimator.to_owned(),
            outcome,
        };
        EstimatorForest {
            measure: Measure::Reward,
            level: 0.95,
            baseline: Some(BaselineValue {
                name: "rule".to_owned(),
                value: 0.40,
            }),
            policies: vec![PolicyEstimates {
                policy: "q".to_owned(),
                estimates: vec![
                    estimate("model", estimated(0.45, Evidence::Simulated)),
                    estimate("cips:10", estimated(value, Evidence::Logged)),
                    estimate(
                        "ips",
                        EstimateOutcome::Refused {
                            reason: Reason::LowEffectiveSampleSize {
                                have: 37.0,
                                needed: 100.0,
                            },
                        },
                    ),
                ],
            }],
        }
    }

    #[test]
    fn rows_say_value_support_or_refusal() {
        let view = forest(0.43).view(Words::new(Language::En)).unwrap();
        let rows = &view.groups[0].rows;
        assert_eq!(rows[1].estimator, "Clipped IPS (10)");
        assert_eq!(rows[1].interval, "[0.410, 0.450]");
        assert_eq!(rows[1].effective_sample_size, "398");
        assert!(rows[0].strip.contains("strip simulated"));
        assert!(rows[1].strip.contains("strip better"));
        assert!(rows[2].refused.as_ref().unwrap().contains("37"));
        insta::assert_snapshot!(rows[1].strip);
    }

    #[test]
    fn numbers_that_are_not_numbers_leave_a_dash() {
        let view = forest(f64::NAN).view(Words::new(Language::En)).unwrap();
        let row = &view.groups[0].rows[1];
        assert_eq!(row.value, number::MISSING);
        assert!(!row.strip.contains("NaN"), "{}", row.strip);
    }
}
