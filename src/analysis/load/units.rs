//! Unit rows: `experiment?, metric?, stratum?, unit, arm, value, pre?, denominator?`.

use std::collections::HashMap;
use std::path::Path;

use tierwise_reports::TestNote;

use super::strata::StrataColumn;
use super::{AnalysisError, AnalyzeOptions, Cell, Columns, Data, Input, Names, Table, Wanted};
use super::{plain, within};
use crate::analysis::input::UnitRow;
use crate::stats::exact_sum::ExactSum;

/// Names kept of units in two arms.
pub(super) const EXAMPLES: usize = 5;

#[derive(Default)]
struct Building {
    arms: Names,
    strata: Names,
    rows: Vec<Vec<UnitRow>>,
    units: HashMap<String, usize>,
    repeated: u64,
    conflicts: u64,
    examples: Vec<String>,
}

pub(super) fn load(
    path: &Path,
    table: Table<'_>,
    metric: &Wanted,
    options: &AnalyzeOptions,
) -> Result<Vec<Input>, AnalysisError> {
    let columns = Columns::of(path, &table);
    let experiment = columns.optional("experiment");
    let unit = columns.required("unit")?;
    let arm = columns.required("arm")?;
    let value = columns.required(&metric.column)?;
    let metric_column = columns.optional("metric");
    let strata = StrataColumn::of(&columns, &options.rule.strata);
    let pre = columns.optional("pre");
    let denominator = columns.optional("denominator");
    let mut names = Names::default();
    let mut building: Vec<Building> = Vec::new();
    let mut no_pre = 0_u64;
    table.rows(&mut |line, cells| {
        if !metric.takes(cells, metric_column) {
            return Ok(());
        }
        let place = names.place(&columns.experiment(line, cells, experiment)?);
        if place == building.len() {
            building.push(Building {
                strata: strata.names(),
                ..Building::default()
            });
        }
        let entry = &mut building[place];
        let arm = entry.arms.place(&columns.name(line, cells, arm)?);
        if arm == entry.rows.len() {
            entry.rows.push(Vec::new());
        }
        let unit = columns.name(line, cells, unit)?;
        match entry.units.get(&unit) {
            Some(first) if *first == arm => {
                entry.repeated += 1;
                return Ok(());
            }
            Some(_) => {
                entry.conflicts += 1;
                if entry.examples.len() < EXAMPLES {
                    entry.examples.push(unit);
                }
                return Ok(());
            }
            None => entry.units.insert(unit, arm),
        };
        let number = |place: Option<usize>, absent: f64| match place {
            Some(place) => columns.number(line, cells, place),
            None => Ok(absent),
        };
        let value = columns.number(line, cells, value)?;
        within(&columns, line, value, metric.bounds)?;
        // A customer without a past has spent nothing before.
        let pre = match pre {
            Some(place) if cells.get(place) == Some(&Cell::Empty) => {
                no_pre += 1;
                0.0
            }
            other => number(other, f64::NAN)?,
        };
        let row = UnitRow {
            value,
            pre,
            denominator: number(denominator, f64::NAN)?,
            stratum: strata.place(&columns, line, cells, &mut entry.strata)?,
        };
        for number in [row.value, row.pre, row.denominator] {
            if number.abs() > ExactSum::LARGEST {
                let fix = "outcomes are at most 1e100 in magnitude";
                return Err(columns.row_error(line, format!("{number} is too large"), fix));
            }
        }
        entry.rows[arm].push(row);
        Ok(())
    })?;
    let inputs = names.names().iter().zip(building).map(|(name, entry)| {
        let mut input = plain(
            name.clone(),
            entry.arms.names().to_vec(),
            Data::Units(entry.rows),
        );
        input.conflicts = entry.conflicts;
        input.conflict_examples = entry.examples;
        input.strata = entry.strata.names().to_vec();
        if entry.repeated > 0 {
            input.notes.push(TestNote::RepeatedRows {
                count: entry.repeated,
            });
        }
        if no_pre > 0 {
            input.notes.push(TestNote::EmptyPre { count: no_pre });
        }
        input
    });
    Ok(inputs.collect())
}
