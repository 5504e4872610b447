//! The KPI table: every policy beside the baseline, each number with its
//! interval, count and evidence. Owns the values and how a cell reads; leaves
//! estimates and differences to whoever fills them in.

use serde::{Deserialize, Serialize};

use crate::charts::policy_map::check_shares;
use crate::error::ReportError;
use crate::measure::{Measure, Unit};
use crate::number::{self, Decimals};
use crate::reason::{Badge, Evidence, Reason, TierName};
use crate::text::{Phrase, Words};

/// One number of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kpi {
    /// The value in the measure's base unit; `None` where there is none.
    #[serde(default)]
    pub value: Option<f64>,
    /// Lower bound at the table's level.
    #[serde(default)]
    pub lower: Option<f64>,
    /// Upper bound at the table's level.
    #[serde(default)]
    pub upper: Option<f64>,
    /// Conversations behind the value.
    #[serde(default)]
    pub n: Option<u64>,
    /// Where the value comes from.
    pub evidence: Evidence,
    /// Why there is no value.
    #[serde(default)]
    pub missing: Option<Reason>,
    /// The difference to the baseline with its own interval; without it the
    /// page shows the bare difference and claims nothing about its sign.
    #[serde(default)]
    pub difference: Option<KpiDifference>,
}

/// A policy's value minus the baseline's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpiDifference {
    /// The difference.
    pub value: f64,
    /// Lower bound at the table's level.
    pub lower: f64,
    /// Upper bound at the table's level.
    pub upper: f64,
}

impl Kpi {
    /// A value with its interval and count.
    pub fn estimated(value: f64, lower: f64, upper: f64, n: u64, evidence: Evidence) -> Self {
        Self {
            value: Some(value),
            lower: Some(lower),
            upper: Some(upper),
            n: Some(n),
            evidence,
            missing: None,
            difference: None,
        }
    }

    /// No value, and why.
    pub fn missing(reason: Reason) -> Self {
        Self {
            value: None,
            lower: None,
            upper: None,
            n: None,
            evidence: Evidence::Logged,
            missing: Some(reason),
            difference: None,
        }
    }

    /// The same number with its difference to the baseline.
    #[must_use]
    pub fn against_baseline(mut self, value: f64, lower: f64, upper: f64) -> Self {
        self.difference = Some(KpiDifference {
            value,
            lower,
            upper,
        });
        self
    }

    pub(crate) fn finite(&self) -> Option<f64> {
        self.value.filter(|value| value.is_finite())
    }

    pub(crate) fn finite_interval(&self) -> Option<(f64, f64)> {
        self.lower
            .zip(self.upper)
            .filter(|(lower, upper)| lower.is_finite() && upper.is_finite())
    }

    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let finite = self.finite();
        finite.into_iter().chain(
            self.finite_interval()
                .filter(|_| finite.is_some())
                .map(|(_, upper)| upper),
        )
    }
}

/// All numbers of one policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kpis {
    /// Reward R per conversation, in \[0, 1\].
    pub reward: Kpi,
    /// Satisfaction S, in \[0, 1\].
    pub satisfaction: Kpi,
    /// Time efficiency E_time, in \[0, 1\].
    pub time_efficiency: Kpi,
    /// Cost efficiency E_cost, in \[0, 1\].
    pub cost_efficiency: Kpi,
    /// Seconds of human work per conversation.
    pub human_secs: Kpi,
    /// Seconds to the first response.
    pub first_response_secs: Kpi,
    /// Escalated conversations, a fraction.
    pub escalation_rate: Kpi,
    /// Clicked offers, a fraction of exposed conversations.
    pub click_rate: Kpi,
    /// Conversations followed by a purchase, a fraction.
    pub conversion_rate: Kpi,
}

impl Kpis {
    /// Every number missing for the same reason; fill in what is known.
    pub fn all_missing(reason: &Reason) -> Self {
        let missing = || Kpi::missing(reason.clone());
        Self {
            reward: missing(),
            satisfaction: missing(),
            time_efficiency: missing(),
            cost_efficiency: missing(),
            human_secs: missing(),
            first_response_secs: missing(),
            escalation_rate: missing(),
            click_rate: missing(),
            conversion_rate: missing(),
        }
    }

    /// The number for one measure.
    pub fn of(&self, measure: Measure) -> &Kpi {
        match measure {
            Measure::Reward => &self.reward,
            Measure::Satisfaction => &self.satisfaction,
            Measure::TimeEfficiency => &self.time_efficiency,
            Measure::CostEfficiency => &self.cost_efficiency,
            Measure::HumanSecs => &self.human_secs,
            Measure::FirstResponseSecs => &self.first_response_secs,
            Measure::EscalationRate => &self.escalation_rate,
            Measure::ClickRate => &self.click_rate,
            Measure::ConversionRate => &self.conversion_rate,
        }
    }
}

/// What a policy is in this comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyRole {
    /// What all others are compared with.
    Baseline,
    /// A learned policy that may go on.
    Candidate,
    /// A policy shown for orientation, such as always-human.
    Reference,
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolicyKpis {
    /// The policy's name, with its version.
    pub name: String,
    /// What it is in this comparison.
    pub role: PolicyRole,
    /// Its numbers.
    pub kpis: Kpis,
    /// Shares of auto, review and human among its decisions; they sum to 1.
    #[serde(default)]
    pub tier_shares: Option<[f64; 3]>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KpiTable {
    /// Confidence level of every interval in the table, a fraction.
    pub level: f64,
    /// The policies, the baseline among them.
    pub policies: Vec<PolicyKpis>,
}

/// The section as the template draws it.
pub(crate) struct KpiTableView {
    pub(crate) caption: String,
    pub(crate) columns: Vec<ColumnView>,
    pub(crate) rows: Vec<RowView>,
    pub(crate) badges: Vec<Badge>,
    pub(crate) empty_columns: Vec<String>,
}

pub(crate) struct ColumnView {
    pub(crate) name: &'static str,
    pub(crate) gloss: &'static str,
}

pub(crate) struct RowView {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) is_baseline: bool,
    pub(crate) n: Option<String>,
    pub(crate) badge: Option<Badge>,
    pub(crate) tiers: Option<TierBar>,
    pub(crate) cells: Vec<CellView>,
}

pub(crate) struct TierBar {
    pub(crate) label: String,
    pub(crate) segments: Vec<TierSegment>,
}

pub(crate) struct TierSegment {
    pub(crate) class: &'static str,
    pub(crate) name: &'static str,
    pub(crate) start: String,
    pub(crate) width: String,
    pub(crate) share: String,
}

pub(crate) struct CellView {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) interval: Option<String>,
    pub(crate) difference: Option<DifferenceView>,
    pub(crate) n: Option<String>,
    pub(crate) badge: Option<Badge>,
    pub(crate) missing: Option<String>,
}

pub(crate) struct DifferenceView {
    pub(crate) class: &'static str,
    pub(crate) arrow: &'static str,
    pub(crate) spoken: &'static str,
    pub(crate) number: String,
    pub(crate) interval: Option<String>,
}

impl KpiTable {
    /// The baseline's row, where there is one.
    pub fn baseline(&self) -> Option<&PolicyKpis> {
        self.policies
            .iter()
            .find(|policy| policy.role == PolicyRole::Baseline)
    }

    pub(crate) fn check(&self) -> Result<(), ReportError> {
        if !(self.level > 0.0 && self.level < 1.0) {
            return Err(ReportError::NotALevel {
                place: "the KPI table's level".to_owned(),
                number: self.level,
            });
        }
        let baselines = self
            .policies
            .iter()
            .filter(|policy| policy.role == PolicyRole::Baseline)
            .count();
        if baselines > 1 {
            return Err(ReportError::SeveralBaselines { count: baselines });
        }
        for policy in &self.policies {
            if let Some(shares) = policy.tier_shares {
                check_shares(|| format!("the tier shares of `{}`", policy.name), shares)?;
            }
            for measure in Measure::ALL {
                let kpi = policy.kpis.of(measure);
                let (Some(value), Some((lower, upper))) = (kpi.finite(), kpi.finite_interval())
                else {
                    continue;
                };
                if value < lower || value > upper {
                    return Err(ReportError::IntervalMissesValue {
                        place: format!("policy `{}`, {measure:?}", policy.name),
                        value,
                        lower,
                        upper,
                    });
                }
            }
        }
        Ok(())
    }

    pub(crate) fn view(&self, words: Words) -> KpiTableView {
        let baseline = self.baseline();
        // A column nobody has a value for is one remark, not a column of dashes.
        let (shown, empty): (Vec<Measure>, Vec<Measure>) =
            Measure::ALL.into_iter().partition(|measure| {
                self.policies
                    .iter()
                    .any(|policy| policy.kpis.of(*measure).finite().is_some())
            });
        let units: Vec<Unit> = shown
            .iter()
            .map(|measure| {
                measure.unit(
                    self.policies
                        .iter()
                        .flat_map(|policy| policy.kpis.of(*measure).numbers()),
                )
            })
            .collect();
        let rows: Vec<RowView> = self
            .policies
            .iter()
            .map(|policy| policy.view(words, baseline, &shown, &units))
            .collect();
        let mut badges: Vec<Badge> = Vec::new();
        for badge in rows.iter().flat_map(|row| {
            row.badge
                .into_iter()
                .chain(row.cells.iter().filter_map(|cell| cell.badge))
        }) {
            if !badges.contains(&badge) {
                badges.push(badge);
            }
        }
        KpiTableView {
            caption: match baseline {
                Some(baseline) => words.fill(
                    Phrase::KpiCaption,
                    &[
                        ("level", &number::level(self.level)),
                        ("baseline", &baseline.name),
                    ],
                ),
                None => words.fill(
                    Phrase::KpiCaptionWithoutBaseline,
                    &[("level", &number::level(self.level))],
                ),
            },
            columns: shown
                .iter()
                .map(|measure| ColumnView {
                    name: words.say(measure.name()),
                    gloss: words.say(measure.gloss()),
                })
                .collect(),
            rows,
            badges,
            empty_columns: empty
                .iter()
                .map(|measure| self.empty_column(words, *measure))
                .collect(),
        }
    }

    fn empty_column(&self, words: Words, measure: Measure) -> String {
        let reason = self
            .policies
            .iter()
            .find_map(|policy| policy.kpis.of(measure).missing.as_ref())
            .unwrap_or(&Reason::NotComputed)
            .sentence(words);
        words.fill(
            Phrase::KpiEmptyColumn,
            &[("measure", words.say(measure.name())), ("reason", &reason)],
        )
    }
}

impl PolicyKpis {
    fn view(
        &self,
        words: Words,
        baseline: Option<&Self>,
        shown: &[Measure],
        units: &[Unit],
    ) -> RowView {
        let valued: Vec<&Kpi> = shown
            .iter()
            .map(|measure| self.kpis.of(*measure))
            .filter(|kpi| kpi.finite().is_some())
            .collect();
        // What most of a row's numbers share is said once, at its head; cells
        // name only their exceptions.
        let n = most_common(valued.iter().map(|kpi| kpi.n)).flatten();
        let evidence = most_common(valued.iter().map(|kpi| kpi.evidence));
        let is_baseline = self.role == PolicyRole::Baseline;
        let cells = shown
            .iter()
            .zip(units)
            .map(|(measure, unit)| {
                let compared = baseline
                    .filter(|_| !is_baseline)
                    .and_then(|baseline| baseline.kpis.of(*measure).finite());
                let mut cell = self
                    .kpis
                    .of(*measure)
                    .view(words, *measure, *unit, compared);
                let kpi = self.kpis.of(*measure);
                cell.n = cell.n.filter(|_| kpi.n != n);
                cell.badge = cell.badge.filter(|_| Some(kpi.evidence) != evidence);
                cell
            })
            .collect();
        RowView {
            name: self.name.clone(),
            role: words.say(match self.role {
                PolicyRole::Baseline => Phrase::RoleBaseline,
                PolicyRole::Candidate => Phrase::RoleCandidate,
                PolicyRole::Reference => Phrase::RoleReference,
            }),
            is_baseline,
            n: n.map(|n| words.fill(Phrase::ConversationsWithCount, &[("n", &number::count(n))])),
            badge: evidence.map(|evidence| evidence.badge(words)),
            tiers: self.tier_shares.map(|shares| tier_bar(words, shares)),
            cells,
        }
    }
}

impl Kpi {
    fn view(&self, words: Words, measure: Measure, unit: Unit, baseline: Option<f64>) -> CellView {
        let label = words.say(measure.name());
        let Some(value) = self.finite() else {
            let reason = self.missing.as_ref().unwrap_or(&Reason::NotComputed);
            return CellView {
                label,
                value: number::MISSING.to_owned(),
                interval: None,
                difference: None,
                n: None,
                badge: None,
                missing: Some(reason.sentence(words)),
            };
        };
        let decimals = unit.coarse_decimals(&[value]);
        let decimals = Decimals(decimals.0.min(4));
        CellView {
            label,
            value: unit.value(words, value, decimals),
            interval: self
                .finite_interval()
                .map(|(lower, upper)| unit.interval(lower, upper, decimals)),
            difference: self.difference_view(words, measure, unit, value, baseline),
            n: self.n.map(number::count),
            badge: Some(self.evidence.badge(words)),
            missing: None,
        }
    }

    fn difference_view(
        &self,
        words: Words,
        measure: Measure,
        unit: Unit,
        value: f64,
        baseline: Option<f64>,
    ) -> Option<DifferenceView> {
        let known = self.difference.filter(|difference| {
            [difference.value, difference.lower, difference.upper]
                .iter()
                .all(|number| number.is_finite())
        });
        let bare = baseline.map(|baseline| value - baseline);
        let difference = known.map(|known| known.value).or(bare)?;
        let arrow = if difference > 0.0 {
            "▲"
        } else if difference < 0.0 {
            "▼"
        } else {
            "="
        };
        let decimals = unit.coarse_decimals(&[difference]);
        let (class, spoken, interval) = match known {
            Some(known) => {
                let bounds = [measure.benefit(known.lower), measure.benefit(known.upper)];
                let interval = unit.interval(known.lower, known.upper, decimals);
                if bounds.iter().all(|bound| *bound > 0.0) {
                    ("better", Phrase::Better, Some(interval))
                } else if bounds.iter().all(|bound| *bound < 0.0) {
                    ("worse", Phrase::Worse, Some(interval))
                } else {
                    ("open", Phrase::DifferenceOpen, Some(interval))
                }
            }
            None => ("open", Phrase::DifferenceWithoutInterval, None),
        };
        Some(DifferenceView {
            class,
            arrow,
            spoken: words.say(spoken),
            number: unit.difference(words, difference, decimals),
            interval,
        })
    }
}

/// The value that occurs most often, the earliest of equals.
fn most_common<T: PartialEq + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let values: Vec<T> = values.collect();
    let count = |value: &T| values.iter().filter(|other| *other == value).count();
    values
        .iter()
        .rev()
        .max_by_key(|value| count(value))
        .copied()
}

fn tier_bar(words: Words, shares: [f64; 3]) -> TierBar {
    let mut start = 0.0;
    let mut segments = Vec::new();
    let mut label = Vec::new();
    for (tier, share) in TierName::ALL.into_iter().zip(shares) {
        let name = words.say(tier.phrase());
        let text = number::percent(share, Decimals(0));
        label.push(format!("{name} {text}"));
        segments.push(TierSegment {
            class: tier.class(),
            name,
            start: format!("{:.2}%", start * 100.0),
            width: format!("{:.2}%", share * 100.0),
            share: text,
        });
        start += share;
    }
    TierBar {
        label: label.join(words.say(Phrase::ListSeparator)),
        segments,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::Language;

    pub(crate) fn table() -> KpiTable {
        let estimated = |value: f64, half: f64| {
            Kpi::estimated(value, value - half, value + half, 2000, Evidence::Logged)
        };
        let rule = Kpis {
            reward: estimated(0.40, 0.01),
            satisfaction: estimated(0.70, 0.02),
            time_efficiency: estimated(0.80, 0.01),
            cost_efficiency: estimated(0.70, 0.01),
            human_secs: estimated(180.0, 9.0),
            escalation_rate: estimated(0.12, 0.01),
            ..Kpis::all_missing(&Reason::NotLogged)
        };
        let learned = Kpis {
            reward: estimated(0.43, 0.01).against_baseline(0.03, 0.01, 0.05),
            satisfaction: estimated(0.69, 0.02).against_baseline(-0.01, -0.03, 0.01),
            time_efficiency: estimated(0.85, 0.01),
            cost_efficiency: estimated(0.78, 0.01),
            human_secs: estimated(120.0, 9.0).against_baseline(-60.0, -72.0, -48.0),
            escalation_rate: Kpi {
                n: Some(900),
                ..estimated(0.15, 0.01).against_baseline(0.03, 0.01, 0.05)
            },
            ..Kpis::all_missing(&Reason::NotLogged)
        };
        KpiTable {
            level: 0.95,
            policies: vec![
                PolicyKpis {
                    name: "rule".to_owned(),
                    role: PolicyRole::Baseline,
                    kpis: rule,
                    tier_shares: Some([0.3, 0.4, 0.3]),
                },
                PolicyKpis {
                    name: "<script>alert(1)</script>".to_owned(),
                    role: PolicyRole::Candidate,
                    kpis: learned,
                    tier_shares: Some([0.5, 0.3, 0.2]),
                },
            ],
        }
    }

    #[test]
    fn differences_say_better_worse_or_open() {
        let view = table().view(Words::new(Language::En));
        let classes: Vec<&str> = view.rows[1]
            .cells
            .iter()
            .map(|cell| cell.difference.as_ref().map_or("none", |found| found.class))
            .collect();
        // Reward up, satisfaction open, two bare differences, fewer human
        // seconds (better although the arrow points down), more escalations.
        assert_eq!(
            classes,
            ["better", "open", "open", "open", "better", "worse"]
        );
        assert_eq!(
            view.rows[1].cells[4].difference.as_ref().unwrap().arrow,
            "▼"
        );
        assert!(
            view.rows[0]
                .cells
                .iter()
                .all(|cell| cell.difference.is_none())
        );
    }

    #[test]
    fn what_a_row_shares_is_said_once() {
        let view = table().view(Words::new(Language::En));
        assert_eq!(view.rows[0].n.as_deref(), Some("n = 2000 conversations"));
        assert!(view.rows[0].cells.iter().all(|cell| cell.n.is_none()));
        assert_eq!(view.rows[1].n, view.rows[0].n);
        let exceptions: Vec<_> = view.rows[1]
            .cells
            .iter()
            .map(|cell| cell.n.as_deref())
            .collect();
        assert_eq!(exceptions, [None, None, None, None, None, Some("900")]);
    }

    #[test]
    fn empty_columns_become_remarks_with_their_reason() {
        let view = table().view(Words::new(Language::En));
        assert_eq!(view.columns.len(), 6);
        assert_eq!(view.empty_columns.len(), 3);
        assert!(view.empty_columns[0].contains("First response"));
    }

    #[test]
    fn wrong_tables_are_refused() {
        assert!(table().check().is_ok());
        let mut two = table();
        two.policies[1].role = PolicyRole::Baseline;
        assert!(matches!(
            two.check(),
            Err(ReportError::SeveralBaselines { count: 2 })
        ));
        let mut shares = table();
        shares.policies[0].tier_shares = Some([0.5, 0.4, 0.3]);
        assert!(shares.check().is_err());
        let mut outside = table();
        outside.policies[0].kpis.reward.upper = Some(0.1);
        assert!(outside.check().is_err());
    }

    #[test]
    fn numbers_that_are_not_numbers_become_dashes() {
        let mut broken = table();
        broken.policies[1].kpis.reward.value = Some(f64::NAN);
        broken.policies[1].kpis.satisfaction.upper = Some(f64::INFINITY);
        let view = broken.view(Words::new(Language::En));
        assert_eq!(view.rows[1].cells[0].value, number::MISSING);
        assert_eq!(view.rows[1].cells[1].interval, None);
    }
}
