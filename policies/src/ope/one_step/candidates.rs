//! Many candidates on one table: doubly robust differences to a baseline.

use super::judge::{Source, in_words};
use super::options::TableOptions;
use super::piece::Model;
use super::results::Propensity;
use crate::ope::diagnostics::Groups;
use crate::ope::model::{Fitted, Weighting, wanted};
use crate::ope::prints::Prints;
use crate::ope::select::{Comparison, TermSums};
use crate::ope::table::{Header, Rows, Table, TableError, Wanted};
use crate::ope::weights::WeightTally;

/// Names of the policies of a table.
pub(crate) fn names(header: &Header) -> Vec<String> {
    std::iter::once(header.target.clone())
        .chain(header.candidates.iter().cloned())
        .collect()
}

/// Compares the policy of the columns `pi…` and every named candidate with a baseline: the log, or one of them.
///
/// Returns an error in words for a baseline that is none of them.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn compare_on_table(
    table: &Table,
    options: &TableOptions,
    baseline: Option<&str>,
) -> Result<Result<Comparison, String>, TableError> {
    let header = table.header();
    let source = Source::of(header, options);
    let names = names(header);
    let against = match Comparison::baseline(&names, baseline) {
        Ok(against) => against,
        Err(reason) => return Ok(Err(reason)),
    };
    if source.propensity() != Some(Propensity::Logged) {
        return Ok(Ok(Comparison::nothing(
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
    })
    .and(header.grouping());
    let count = names.len();
    let mut sums = TermSums::new(count);
    let mut weights = vec![WeightTally::default(); count];
    let mut prints = Prints::new(count);
    let mut groups: Vec<Groups> = (0..count).map(|_| Groups::new(header.actions)).collect();
    table.scan(
        reads,
        |rows| {
            let prints = Prints::of(&rows, header.actions);
            let groups: Vec<Groups> = (0..count)
                .map(|candidate| Groups::of_policy(&rows, policy_of(&rows, candidate), header))
                .collect();
            (terms(&rows, header.actions, count, model), prints, groups)
        },
        |((terms, tallies), part, their_groups)| {
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
            prints.merge(&part);
            for (mine, theirs) in groups.iter_mut().zip(&their_groups) {
                mine.merge(theirs);
            }
            Ok(())
        },
    )?;
    let refused = weights
        .iter()
        .zip(&groups)
        .map(|(tally, groups)| {
            let refusal = options.gate.refusal(&tally.diagnostics());
            let unsupported = groups.overlap(header).unsupported();
            unsupported.or_else(|| refusal.map(|refusal| in_words(&refusal, "row")))
        })
        .collect();
    Ok(Ok(Comparison {
        names,
        against,
        sums,
        refused,
        fingerprint: Some(prints.fingerprint()),
        nothing: None,
    }))
}

/// Probabilities of a candidate, row after row; the first is the policy of the columns `pi…`.
fn policy_of(rows: &Rows, candidate: usize) -> &[f64] {
    match candidate {
        0 => &rows.target,
        named => &rows.candidates[named - 1],
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
            let target = &policy_of(rows, candidate)[cells.clone()];
            let direct: f64 = target.iter().zip(&predicted).map(|(p, q)| p * q).sum();
            let weight = target[taken] / rows.propensity[row];
            weights.push(weight);
            terms.push(direct + weight * residual);
        }
        terms.push(rows.reward[row]);
    }
    (terms, weights.iter().map(|w| WeightTally::of(w)).collect())
}
