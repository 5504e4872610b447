//! How the KPI table reads: what a row says once, what a cell says, and when a
//! difference may be called better or worse.

use super::{Kpi, KpiTable, PolicyKpis, PolicyRole};
use crate::measure::{Measure, Unit};
use crate::number::{self, Decimals};
use crate::reason::{Badge, Reason, TierName};
use crate::text::{Phrase, Words};

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
    /// The offline page's table.
    pub(crate) fn view(&self, words: Words) -> KpiTableView {
        self.view_of(words, &Measure::OFFLINE)
    }

    /// A table of some measures, in the order given.
    pub(crate) fn view_of(&self, words: Words, measures: &[Measure]) -> KpiTableView {
        let baseline = self.baseline();
        // A column nobody has a value for is one remark, not a column of dashes.
        let (shown, empty): (Vec<Measure>, Vec<Measure>) =
            measures.iter().copied().partition(|measure| {
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
                if !measure.has_direction() {
                    let spoken = match (known.lower > 0.0, known.upper < 0.0) {
                        (true, _) => Phrase::Higher,
                        (_, true) => Phrase::Lower,
                        _ => Phrase::DifferenceOpen,
                    };
                    ("open", spoken, Some(interval))
                } else if bounds.iter().all(|bound| *bound > 0.0) {
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
mod tests {
    use super::*;
    use crate::Language;
    use crate::kpi::tests::table;

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
    fn numbers_that_are_not_numbers_become_dashes() {
        let mut broken = table();
        broken.policies[1].kpis.reward.value = Some(f64::NAN);
        broken.policies[1].kpis.satisfaction.upper = Some(f64::INFINITY);
        let view = broken.view(Words::new(Language::En));
        assert_eq!(view.rows[1].cells[0].value, number::MISSING);
        assert_eq!(view.rows[1].cells[1].interval, None);
    }
}
