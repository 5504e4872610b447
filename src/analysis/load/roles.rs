//! Several metrics in one table, as columns or as rows of a column `metric`, and the roles a rule gives them.

use std::path::Path;

use super::{AnalysisError, AnalyzeOptions, Cell, Columns, Format, Input, Names, Table, moved};
use crate::analysis::input::Role;
use crate::stats::verdict::MetricRule;

/// Where one metric stands.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The column of its outcomes.
    pub(super) column: String,
    /// The value of the column `metric` in its rows.
    pub(super) filter: Option<String>,
    /// Its name in results.
    pub(super) shown: Option<String>,
    /// Bounds declared for its outcomes.
    pub(super) bounds: Option<(f64, f64)>,
}

impl Wanted {
    /// Whether a row is about this metric.
    pub(super) fn takes(&self, cells: &[Cell], column: Option<usize>) -> bool {
        let Some(name) = &self.filter else {
            return true;
        };
        let cell = column.and_then(|place| cells.get(place));
        cell.and_then(Cell::text).as_ref() == Some(name)
    }
}

/// A metric's part in the verdict, beside the primary one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Secondary,
    Guardrail,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Secondary => "secondary metric",
            Self::Guardrail => "guardrail",
        }
    }
}

/// Metrics with results of their own, and those that take part in the primary's verdict.
pub(super) struct AllWanted {
    pub(super) own: Vec<Wanted>,
    pub(super) roles: Vec<(Kind, MetricRule, Wanted)>,
}

/// What to read, from the rule, the options and the table.
pub(super) fn wanted(
    path: &Path,
    columns: &Columns<'_>,
    format: Format,
    options: &AnalyzeOptions,
) -> Result<AllWanted, AnalysisError> {
    let rule = &options.rule;
    let names = match columns.optional("metric") {
        Some(place) => Some(names_in_file(path, place)?),
        None => None,
    };
    let fail = |what: String, fix: &str| AnalysisError::Experiment {
        file: path.to_owned(),
        what,
        fix: fix.to_owned(),
    };
    let primary = match (&rule.primary, &options.metric) {
        (Some(primary), Some(asked)) if primary != asked => {
            return Err(fail(
                format!(
                    "the rule's primary metric is `{primary}`, and `--metric` asks for `{asked}`"
                ),
                "leave `--metric` out, or take `primary` out of the rule",
            ));
        }
        (primary, asked) => primary.as_ref().or(asked.as_ref()),
    };
    let place = |what: &str, name: &str, bounds| -> Result<Wanted, AnalysisError> {
        let (held, kind) = match &names {
            Some(names) => (names.as_slice(), "metrics"),
            None => (columns.names.as_slice(), "columns"),
        };
        if !held.iter().any(|other| other == name) {
            return Err(fail(
                format!(
                    "it holds no {what} `{name}` (its {kind}: {})",
                    held.join(", ")
                ),
                "name what the file holds: a column, or a value of its column `metric`",
            ));
        }
        Ok(Wanted {
            column: if names.is_some() {
                format.outcome()
            } else {
                name
            }
            .to_owned(),
            filter: names.as_ref().map(|_| name.to_owned()),
            shown: Some(name.to_owned()),
            bounds,
        })
    };
    let own = match (primary, &names) {
        (Some(name), _) => {
            let what = if rule.has_roles() {
                "primary metric"
            } else {
                "metric"
            };
            vec![place(what, name, options.bounds)?]
        }
        (None, Some(names)) if !rule.has_roles() => names
            .iter()
            .map(|name| place("metric", name, options.bounds))
            .collect::<Result<_, _>>()?,
        (None, Some(_)) => {
            return Err(fail(
                "it holds several metrics, and the rule names no primary one".to_owned(),
                "add `primary = \"NAME\"` to the rule, or `--metric NAME`",
            ));
        }
        (None, None) => vec![Wanted {
            column: format.outcome().to_owned(),
            filter: None,
            shown: None,
            bounds: options.bounds,
        }],
    };
    let named = rule
        .secondary
        .iter()
        .map(|metric| (Kind::Secondary, metric))
        .chain(
            rule.guardrail
                .iter()
                .map(|metric| (Kind::Guardrail, metric)),
        );
    let roles = named
        .map(|(kind, metric)| {
            if own
                .iter()
                .any(|own| own.column == metric.metric && own.filter.is_none())
            {
                return Err(fail(
                    format!(
                        "`{}` is the primary metric and a {} at once",
                        metric.metric,
                        kind.word()
                    ),
                    "give every metric one role",
                ));
            }
            let wanted = place(kind.word(), &metric.metric, metric.bounds)?;
            Ok((kind, metric.clone(), wanted))
        })
        .collect::<Result<_, _>>()?;
    Ok(AllWanted { own, roles })
}

/// Every metric of a table with a column `metric`, in order of their first rows.
fn names_in_file(path: &Path, place: usize) -> Result<Vec<String>, AnalysisError> {
    let table = Table::open(path)?;
    let columns = Columns::of(path, &table);
    let mut names = Names::default();
    table.rows(&mut |line, cells| {
        names.place(&columns.name(line, cells, place)?);
        Ok(())
    })?;
    Ok(names.names().to_vec())
}

/// Joins a metric to the experiments whose verdict it takes part in.
///
/// Every exposed unit is in the denominator of every metric: other arms, or other numbers of units, are refused.
pub(super) fn attach(
    path: &Path,
    experiments: &mut [Input],
    kind: Kind,
    rule: &MetricRule,
    others: Vec<Input>,
) -> Result<(), AnalysisError> {
    let mut others: Vec<Option<Input>> = others.into_iter().map(Some).collect();
    for input in experiments {
        let fail = |what: String, fix: &str| AnalysisError::Experiment {
            file: path.to_owned(),
            what: format!("experiment `{}`: {what}", input.name),
            fix: fix.to_owned(),
        };
        let found = others
            .iter_mut()
            .find(|other| other.as_ref().is_some_and(|other| other.name == input.name))
            .and_then(Option::take);
        let Some(mut other) = found else {
            return Err(fail(
                format!("the {} `{}` has no rows", kind.word(), rule.metric),
                "give its rows, or take it out of the rule",
            ));
        };
        let absent =
            |from: &[String], of: &[String]| from.iter().find(|arm| !of.contains(arm)).cloned();
        if let Some(arm) = absent(&input.arms, &other.arms) {
            return Err(fail(
                format!(
                    "the {} `{}` is missing for arm `{arm}`",
                    kind.word(),
                    rule.metric
                ),
                "give every metric for every arm: an exposed unit without an outcome has the outcome 0",
            ));
        }
        if let Some(arm) = absent(&other.arms, &input.arms) {
            return Err(fail(
                format!(
                    "arm `{arm}` has the {} `{}` and no primary metric",
                    kind.word(),
                    rule.metric
                ),
                "give every metric for every arm",
            ));
        }
        let places: Vec<usize> = other
            .arms
            .iter()
            .filter_map(|arm| input.arms.iter().position(|own| own == arm))
            .collect();
        moved(&mut other.arms, &places);
        other.data.reorder(&places);
        let (own, theirs) = (
            input.data.units(input.arms.len()),
            other.data.units(other.arms.len()),
        );
        if let Some(arm) = (0..own.len()).find(|arm| own[*arm] != theirs[*arm]) {
            return Err(fail(
                format!(
                    "arm `{}` has {} units, and {} in the {} `{}`",
                    input.arms[arm],
                    own[arm],
                    theirs[arm],
                    kind.word(),
                    rule.metric
                ),
                "every exposed unit is in the denominator of every metric; one without an outcome has the outcome 0",
            ));
        }
        let role = Role {
            rule: rule.clone(),
            data: other.data,
        };
        match kind {
            Kind::Secondary => input.secondary.push(role),
            Kind::Guardrail => input.guardrails.push(role),
        }
        for note in other.notes {
            if !input.notes.contains(&note) {
                input.notes.push(note);
            }
        }
    }
    Ok(())
}
