//! Many candidates on one table: doubly robust differences to a baseline, and what the gate says of them.

use serde::{Deserialize, Serialize};

use super::judge::{Source, in_words};
use super::options::TableOptions;
use super::piece::Model;
use super::results::Propensity;
use crate::ope::model::{Fitted, Weighting, wanted};
use crate::ope::select::{Decision, SelectionPlan, TermSums, select};
use crate::ope::table::{Rows, Table, TableError, Wanted};
use crate::ope::weights::WeightTally;

/// Name of the policy that wrote the log.
const AS_LOGGED: &str = "as logged";

/// A candidate and what the gate says of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamedCandidate {
    /// Its name.
    pub name: String,
    /// Estimated difference to the baseline, in units of the reward.
    pub difference: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Lower bound, simultaneous over all candidates.
    pub lower: Option<f64>,
    /// Whether the bound is above zero.
    pub passes: bool,
    /// Why it is not judged.
    pub refused: Option<String>,
}

/// A ranking of candidates and a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableSelection {
    /// What they are compared with.
    pub baseline: String,
    /// From the largest lower bound to the smallest; refused ones last.
    pub candidates: Vec<NamedCandidate>,
    /// Promote, keep, or collect more, in words.
    pub decision: SelectionDecision,
    /// How many standard errors a bound lies below its estimate, and what Bonferroni's correction would take.
    pub critical_value: Option<f64>,
    /// See [`TableSelection::critical_value`].
    pub bonferroni: Option<f64>,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SelectionDecision {
    /// Promote this one.
    Promote {
        /// Its name.
        candidate: String,
    },
    /// Keep the baseline.
    Keep {
        /// Why.
        reason: String,
    },
    /// The best looks better and is not shown to be.
    CollectMore {
        /// Its name.
        candidate: String,
        /// Rows like these, beyond those at hand.
        rows: u64,
    },
}

/// Compares the policy of the columns `pi…` and every named candidate with a baseline: the log, or one of them.
///
/// Returns an error in words for a baseline that is none of them.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn select_on_table(
    table: &Table,
    options: &TableOptions,
    baseline: Option<&str>,
    judged_before: u32,
) -> Result<Result<TableSelection, String>, TableError> {
    let header = table.header();
    let source = Source::of(header, options);
    let names: Vec<String> = std::iter::once(header.target.clone())
        .chain(header.candidates.iter().cloned())
        .collect();
    let against = match baseline {
        None | Some(AS_LOGGED) => None,
        Some(name) => match names.iter().position(|known| known == name) {
            Some(at) => Some(at),
            None => {
                return Ok(Err(format!(
                    "no candidate `{name}`; there are {}",
                    names.join(", ")
                )));
            }
        },
    };
    if source.propensity() != Some(Propensity::Logged) {
        return Ok(Ok(kept(
            &names,
            against,
            "the log has no propensities, and on estimates of them alone nothing may be promoted",
        )));
    }
    let fitted: Option<Fitted> = source.fit(table, true, Weighting::Plain)?;
    let model = source.model(true, fitted.as_ref());
    let reads = match model {
        Model::None => Wanted::default(),
        Model::Given => wanted(crate::ope::model::ModelKind::Given),
        Model::Fitted(kind, _) => wanted(kind),
    }
    .and(Wanted {
        candidates: true,
        ..Wanted::default()
    });
    let count = names.len();
    let mut sums = TermSums::new(count);
    let mut weights = vec![WeightTally::default(); count];
    table.scan(
        reads,
        |rows| terms(&rows, header.actions, count, model),
        |(terms, tallies)| {
            let mut row = vec![0.0; count];
            for terms in terms.chunks_exact(count + 1) {
                let base = against.map_or(terms[count], |at| terms[at]);
                for (difference, term) in row.iter_mut().zip(terms) {
                    *difference = term - base;
                }
                sums.add(&row);
            }
            for (mine, theirs) in weights.iter_mut().zip(&tallies) {
                mine.merge(theirs);
            }
            Ok(())
        },
    )?;
    let plan = SelectionPlan {
        level: options.level,
        judged_before,
        bootstrap: options.bootstrap,
    };
    let refused: Vec<Option<String>> = weights
        .iter()
        .map(|tally| {
            let refusal = options.gate.refusal(&tally.diagnostics());
            refusal.map(|refusal| in_words(&refusal, "row"))
        })
        .collect();
    let judged: Vec<usize> = (0..count)
        .filter(|c| Some(*c) != against && refused[*c].is_none())
        .collect();
    if let Some(at) = against
        && let Some(reason) = &refused[at]
    {
        return Ok(Ok(kept(
            &names,
            against,
            &format!("the baseline cannot be judged: {reason}"),
        )));
    }
    let selection = match select(&sums.only(&judged), plan) {
        Ok(selection) => selection,
        Err(error) => {
            let mut all = kept(&names, against, &error.to_string());
            for candidate in &mut all.candidates {
                let at = names.iter().position(|name| *name == candidate.name);
                candidate.refused = at.and_then(|at| refused[at].clone());
            }
            return Ok(Ok(all));
        }
    };
    let name = |candidate: usize| names[judged[candidate]].clone();
    let mut candidates: Vec<NamedCandidate> = selection
        .ranking
        .iter()
        .map(|r| NamedCandidate {
            name: name(r.candidate),
            difference: Some(r.difference),
            standard_error: Some(r.standard_error),
            lower: Some(r.lower),
            passes: r.passes,
            refused: None,
        })
        .collect();
    candidates.extend(refused.into_iter().enumerate().filter_map(|(at, reason)| {
        Some(NamedCandidate {
            name: names[at].clone(),
            difference: None,
            standard_error: None,
            lower: None,
            passes: false,
            refused: Some(reason?),
        })
    }));
    Ok(Ok(TableSelection {
        baseline: against.map_or_else(|| AS_LOGGED.to_owned(), |at| names[at].clone()),
        candidates,
        decision: match selection.decision {
            Decision::Promote { candidate } => SelectionDecision::Promote {
                candidate: name(candidate),
            },
            Decision::CollectMore { candidate, rows } => SelectionDecision::CollectMore {
                candidate: name(candidate),
                rows,
            },
            Decision::Keep => SelectionDecision::Keep {
                reason: "no candidate has an estimate above the baseline's".to_owned(),
            },
        },
        critical_value: Some(selection.critical_value),
        bonferroni: Some(selection.bonferroni),
    }))
}

/// No candidate judged, and why.
fn kept(names: &[String], against: Option<usize>, reason: &str) -> TableSelection {
    TableSelection {
        baseline: against.map_or_else(|| AS_LOGGED.to_owned(), |at| names[at].clone()),
        candidates: names
            .iter()
            .enumerate()
            .filter(|(at, _)| Some(*at) != against)
            .map(|(_, name)| NamedCandidate {
                name: name.clone(),
                difference: None,
                standard_error: None,
                lower: None,
                passes: false,
                refused: Some(reason.to_owned()),
            })
            .collect(),
        decision: SelectionDecision::Keep {
            reason: reason.to_owned(),
        },
        critical_value: None,
        bonferroni: None,
    }
}

/// For each row the term dm + w (r − q) of every candidate, then the reward; and their weights.
fn terms(
    rows: &Rows,
    actions: usize,
    count: usize,
    model: Model<'_>,
) -> (Vec<f64>, Vec<WeightTally>) {
    let n = rows.len();
    let mut terms = Vec::with_capacity(n * (count + 1));
    let mut weights = vec![Vec::with_capacity(n); count];
    let mut predicted = vec![0.0; actions];
    for row in 0..n {
        let cells = row * actions..(row + 1) * actions;
        match model {
            Model::None => {}
            Model::Given => predicted.copy_from_slice(&rows.model[cells.clone()]),
            Model::Fitted(_, fitted) => fitted.predict(rows, row, &mut predicted),
        }
        let taken = usize::from(rows.action[row]);
        let residual = rows.reward[row] - predicted[taken];
        for (candidate, weights) in weights.iter_mut().enumerate() {
            let target = match candidate {
                0 => &rows.target[cells.clone()],
                named => &rows.candidates[named - 1][cells.clone()],
            };
            let direct: f64 = target.iter().zip(&predicted).map(|(p, q)| p * q).sum();
            let weight = target[taken] / rows.propensity[row];
            weights.push(weight);
            terms.push(direct + weight * residual);
        }
        terms.push(rows.reward[row]);
    }
    (terms, weights.iter().map(|w| WeightTally::of(w)).collect())
}
