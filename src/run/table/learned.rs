//! Learned policies as candidates on a table, never on rows that they have seen.

use std::path::Path;

use tierwise_policies::logged::{TableArtefact, TableVersion, overlap};
use tierwise_policies::ope::TableJudgement;
use tierwise_policies::ope::table::Table;

use super::TableQuestion;
use crate::failure::{Failure, failure_of};
use crate::run::train::table_failure;

/// Opens the table of a question: the part that is asked for, with the learned policies beside those of its columns.
///
/// # Errors
/// A [`Failure`] for files that cannot be read, for a policy that does not fit the table, and for one that has learned from
/// rows it is to be judged on.
pub(super) fn opened(path: &Path, question: &TableQuestion) -> Result<Table, Failure> {
    let open = if question.policies.is_empty() {
        Table::open(path)
    } else {
        Table::open_log(path)
    };
    let mut table = open.map_err(table_failure)?;
    if let Some(rows) = question.rows {
        table = table.part(rows).map_err(table_failure)?.0;
    }
    if question.policies.is_empty() {
        return Ok(table);
    }
    let mut versions = Vec::with_capacity(question.policies.len());
    for path in &question.policies {
        let version = TableArtefact::load(path).map_err(|error| {
            failure_of(&error).fix("name a directory that `tierwise train --table` wrote")
        })?;
        fits(path, &version, &table)?;
        unseen(path, &version, &table)?;
        versions.push(version);
    }
    if table.header().has_episodes() && versions.len() > 1 {
        return Err(Failure::new(format!(
            "{} policies for a table with episodes",
            versions.len()
        ))
        .detail("sequences are judged one policy at a time")
        .fix("name one `--policy`, and repeat the command for the others"));
    }
    let candidates = versions.iter().map(TableVersion::candidate).collect();
    table.with_policies(candidates).map_err(table_failure)
}

/// Names the policy that estimates are of, where it is not that of the table's columns.
pub(super) fn say(table: &Table, question: &TableQuestion, judgement: &mut TableJudgement) {
    if !question.policies.is_empty() {
        let target = &table.header().target;
        judgement
            .notes
            .insert(0, format!("the estimates are those of `{target}`"));
    }
}

/// Whether the table has the columns that the policy reads.
fn fits(path: &Path, version: &TableVersion, table: &Table) -> Result<(), Failure> {
    let (reads, header) = (version.artefact.policy.features(), table.header());
    if reads == 0 && !header.has_states() {
        return Err(
            Failure::at(path, "the policy reads `state`, which the table has not")
                .fix("judge it on a table with the states it learned from"),
        );
    }
    if reads > 0 && reads != header.features {
        return Err(Failure::at(
            path,
            format!(
                "the policy reads {reads} features, `x0` to `x{}`, and the table has {}",
                reads - 1,
                header.features
            ),
        )
        .fix("judge it on a table with the features it learned from, in the same order"));
    }
    Ok(())
}

/// Refuses a policy that has learned from any of the rows.
fn unseen(path: &Path, version: &TableVersion, table: &Table) -> Result<(), Failure> {
    let (known, all) =
        overlap(table, &version.artefact.policy, &version.seen).map_err(table_failure)?;
    if known == 0 {
        return Ok(());
    }
    let training = &version.artefact.training;
    let from = training.part.map_or_else(
        || format!("all {} rows of its table", training.rows),
        |(from, to)| format!("rows {from}..{to} of its table"),
    );
    let share = if known == all {
        "these rows".to_owned()
    } else {
        format!(
            "{:.0} % of these rows",
            (100.0 * known as f64 / all as f64).max(1.0)
        )
    };
    Err(Failure::at(
        table.path(),
        format!("{} ({}) has learned from {share}", version.artefact.id, path.display()),
    )
    .detail(format!(
        "a policy looks better than it is on rows that it was fitted to; it saw {from}"
    ))
    .fix(match training.part {
        Some((0, to)) => format!("judge on the others: `--rows {to}..`"),
        _ => "learn from one part and judge on the other: `train --rows ..50%`, then `evaluate --rows 50%..`".to_owned(),
    }))
}
