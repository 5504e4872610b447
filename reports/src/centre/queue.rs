//! A policy's value in the queue as the log had it, beside its value in the
//! queue as it would become, and which of the two to believe.

use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use super::cast::{Cast, items};
use crate::block::{Block, SectionView};
use crate::charts::forest::EstimateOutcome;
use crate::charts::strip::{self, Domain, Strip, Tone};
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number;
use crate::reason::{Badge, Evidence};
use crate::table::{Cell, Column, Mark, Row, Table};
use crate::text::{CentrePhrase, Phrase, Words};
use crate::uncertain::{Uncertain, check_level};

/// Estimates from the log beside the centre's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QueueEffect {
    /// The measure compared.
    pub measure: Measure,
    /// Confidence level of every interval, a fraction.
    pub level: f64,
    /// One entry per policy, each in the KPI table.
    pub policies: Vec<PolicyQueueEffect>,
}

/// One policy in both queues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyQueueEffect {
    /// The policy.
    pub policy: String,
    /// Its value from the log, in the measure's base unit, or why there is none.
    pub from_log: EstimateOutcome,
    /// Its value in the centre when everyone uses it, in the measure's base unit.
    pub in_centre: Uncertain,
    /// Simulated conversations behind that value.
    pub centre_n: u64,
    /// Centre minus log, with an interval that holds both sources of chance.
    #[serde(default)]
    pub difference: Option<Uncertain>,
}

impl QueueEffect {
    pub(super) fn check(&self, cast: &Cast) -> Result<(), ReportError> {
        check_level(|| "the queue effect's level".to_owned(), self.level)?;
        for policy in &self.policies {
            cast.check("queue effect", &policy.policy)?;
            let place = |what: &str| format!("{what} of `{}`", policy.policy);
            policy.in_centre.check(|| place("the centre's value"))?;
            if let Some(log) = policy.logged() {
                log.check(|| place("the log's value"))?;
            }
            if let Some(difference) = policy.difference {
                difference.check(|| place("the effect of the queue"))?;
            }
        }
        Ok(())
    }

    pub(super) fn view(
        &self,
        words: Words,
        calibration: Option<&Calibration>,
    ) -> Result<SectionView, ReportError> {
        let found: Vec<String> = self
            .policies
            .iter()
            .map(|policy| self.item(words, policy))
            .collect();
        let level = number::level(self.level);
        let mut blocks = vec![
            Block::Caption(words.fill(CentrePhrase::QueueCaption, &[("level", &level)])),
            Block::Table(self.table(words)?),
        ];
        let beliefs = self.policies.iter();
        let beliefs = beliefs.map(|policy| self.belief(words, policy));
        blocks.push(Block::Points(beliefs.collect()));
        blocks.push(Block::Note(match calibration.and_then(Calibration::fit) {
            Some((inside, count)) => words.fill(
                CentrePhrase::QueueFit,
                &[
                    ("inside", &number::count(inside)),
                    ("count", &number::count(count)),
                ],
            ),
            None => words.say(CentrePhrase::QueueNoFit).to_owned(),
        }));
        Ok(SectionView {
            id: "queue",
            title: words.say(CentrePhrase::QueueTitle),
            badge: None,
            lead: words.fill(
                CentrePhrase::QueueLead,
                &[
                    ("measure", words.say(self.measure.name())),
                    ("items", &items(words, &found)),
                ],
            ),
            blocks,
        })
    }

    fn unit(&self) -> Unit {
        let values = self.policies.iter().map(|policy| policy.in_centre.value);
        self.measure.unit(values)
    }

    fn item(&self, words: Words, policy: &PolicyQueueEffect) -> String {
        let name = ("policy", policy.policy.as_str());
        match policy.shown_difference(words, self.unit()) {
            Some(difference) => words.fill(
                CentrePhrase::QueueItem,
                &[name, ("difference", &difference)],
            ),
            None => words.fill(CentrePhrase::QueueItemUnknown, &[name]),
        }
    }

    fn belief(&self, words: Words, policy: &PolicyQueueEffect) -> String {
        let name = ("policy", policy.policy.as_str());
        if let EstimateOutcome::Refused { reason } = &policy.from_log {
            let reason = reason.sentence(words);
            return words.fill(CentrePhrase::QueueOnlyCentre, &[name, ("reason", &reason)]);
        }
        let Some(difference) = policy.difference else {
            return words.fill(CentrePhrase::QueueBelieveNeither, &[name]);
        };
        let phrase = match difference.sign() {
            Some(_) => CentrePhrase::QueueBelieveCentre,
            None => CentrePhrase::QueueBelieveLog,
        };
        let text = difference.signed_text(words, self.unit());
        words.fill(phrase, &[name, ("difference", &text)])
    }

    fn table(&self, words: Words) -> Result<Table, ReportError> {
        let unit = self.unit();
        let mut numbers = Vec::new();
        for policy in &self.policies {
            for number in policy.logged().into_iter().chain([policy.in_centre]) {
                numbers.extend([number.value, number.lower, number.upper]);
            }
        }
        let domain = Domain::around(&numbers);
        let mut rows = Vec::new();
        for policy in &self.policies {
            rows.push(Row::group(policy.policy.clone()));
            let logged = words.say(CentrePhrase::QueueLogged);
            rows.push(match (&policy.from_log, policy.logged()) {
                (EstimateOutcome::Estimated { n, evidence, .. }, Some(value)) => {
                    let cells = cells(words, &policy.policy, logged, domain, value, unit, *n)?;
                    Row::new(logged, cells).with_mark(Some(mark(evidence.badge(words))))
                }
                (
                    EstimateOutcome::Estimated {
                        value, n, evidence, ..
                    },
                    None,
                ) => {
                    let text = unit.value(words, *value, unit.coarse_decimals(&[*value]));
                    let without = Cell {
                        below: Some(words.say(Phrase::NoInterval).to_owned()),
                        ..Cell::text(text)
                    };
                    let count = Cell::text(number::count(*n));
                    Row::new(logged, vec![Cell::default(), without, count])
                        .with_mark(Some(mark(evidence.badge(words))))
                }
                (EstimateOutcome::Refused { reason }, _) => {
                    let refused = Mark {
                        class: "refused",
                        icon: "✕",
                        text: words.say(Phrase::Refused),
                    };
                    let missing = Cell::text(number::MISSING);
                    Row::new(
                        logged,
                        vec![Cell::default(), missing, Cell::text(number::MISSING)],
                    )
                    .with_mark(Some(refused))
                    .with_note(Some(reason.sentence(words)))
                }
            });
            let become_text = words.say(CentrePhrase::QueueBecome);
            let (value, n) = (policy.in_centre, policy.centre_n);
            let centre = cells(words, &policy.policy, become_text, domain, value, unit, n)?;
            let badge = mark(Evidence::Simulated.badge(words));
            rows.push(Row::new(become_text, centre).with_mark(Some(badge)));
            if policy.logged_value().is_some() {
                let cell = match policy.difference {
                    Some(difference) => Cell::difference(words, difference, unit),
                    None => Cell {
                        below: Some(words.say(Phrase::NoInterval).to_owned()),
                        ..Cell::text(policy.shown_difference(words, unit).unwrap_or_default())
                    },
                };
                rows.push(Row::new(
                    words.say(CentrePhrase::QueueDifference),
                    vec![Cell::default(), cell, Cell::default()],
                ));
            }
        }
        Ok(Table {
            class: "forest",
            head: words.say(Phrase::Policy),
            columns: vec![
                Column::strips(words, domain, unit, false),
                Column::number(words.say(self.measure.name())),
                Column::number(words.say(CentrePhrase::Count)),
            ],
            rows,
        })
    }
}

impl PolicyQueueEffect {
    fn logged_value(&self) -> Option<f64> {
        match &self.from_log {
            EstimateOutcome::Estimated { value, .. } => Some(*value),
            EstimateOutcome::Refused { .. } => None,
        }
    }

    /// The log's value, where it has an interval.
    fn logged(&self) -> Option<Uncertain> {
        match &self.from_log {
            EstimateOutcome::Estimated {
                value,
                lower,
                upper,
                ..
            } => Some(Uncertain::new(*value, (*lower)?, (*upper)?)),
            EstimateOutcome::Refused { .. } => None,
        }
    }

    /// Centre minus log, with its interval where there is one.
    fn shown_difference(&self, words: Words, unit: Unit) -> Option<String> {
        let logged = self.logged_value()?;
        Some(match self.difference {
            Some(difference) => difference.signed_text(words, unit),
            None => {
                let bare = self.in_centre.value - logged;
                unit.difference(words, bare, unit.coarse_decimals(&[bare]))
            }
        })
    }
}

fn cells(
    words: Words,
    policy: &str,
    what: &str,
    domain: Domain,
    value: Uncertain,
    unit: Unit,
    n: u64,
) -> Result<Vec<Cell>, ReportError> {
    let simulated = what == words.say(CentrePhrase::QueueBecome);
    let strip = Strip {
        label: format!("{policy}, {what}: {}", value.text(words, unit)),
        domain,
        mark: value.value.is_finite().then_some(strip::Mark {
            value: value.value,
            lower: Some(value.lower),
            upper: Some(value.upper),
            tone: if simulated {
                Tone::Simulated
            } else {
                Tone::Neutral
            },
        }),
        reference: None,
        height: 28,
    };
    Ok(vec![
        Cell::plot(strip.draw()?),
        Cell::uncertain(words, value, unit),
        Cell::text(number::count(n)),
    ])
}

fn mark(badge: Badge) -> Mark {
    Mark {
        class: badge.class,
        icon: "",
        text: badge.label,
    }
}
