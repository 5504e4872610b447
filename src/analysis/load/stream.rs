//! Streams of exposures: `experiment?, metric?, stratum?, at, unit, arm, share, value`, in order of time.

use std::collections::HashMap;
use std::path::Path;

use tierwise_reports::TestNote;

use super::strata::StrataColumn;
use super::units::EXAMPLES;
use super::{AnalysisError, AnalyzeOptions, Cell, Columns, Data, Input, Names, Table, Wanted};
use super::{plain, time, within};
use crate::analysis::input::{Stream, StreamRow};

#[derive(Default)]
struct Building {
    arms: Names,
    strata: Names,
    stream: Stream,
    units: HashMap<String, u16>,
    last: Option<(f64, u64)>,
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
    let at = columns.required("at")?;
    let unit = columns.required("unit")?;
    let arm = columns.required("arm")?;
    let share = columns.required("share")?;
    let value = columns.required(&metric.column)?;
    let metric_column = columns.optional("metric");
    let strata = StrataColumn::of(&columns, &options.rule.strata);
    let bounds = metric.bounds.unwrap_or((0.0, 1.0));
    let width = bounds.1 - bounds.0;
    let mut names = Names::default();
    let mut building: Vec<Building> = Vec::new();
    table.rows(&mut |line, cells| {
        if !metric.takes(cells, metric_column) {
            return Ok(());
        }
        let name = columns.experiment(line, cells, experiment)?;
        let place = names.place(&name);
        if place == building.len() {
            building.push(Building {
                strata: strata.names(),
                ..Building::default()
            });
        }
        let entry = &mut building[place];
        let (when, timestamp) = moment(&columns, line, cells, at)?;
        if entry.last.is_some() && timestamp != entry.stream.timestamps {
            let what = "`at` is a number in some rows and a timestamp in others";
            return Err(columns.row_error(line, what, "write all times in one way"));
        }
        entry.stream.timestamps = timestamp;
        if let Some((before, line_before)) = entry.last.filter(|(before, _)| when < *before) {
            return Err(columns.row_error(
                line,
                format!(
                    "time goes backwards in experiment `{name}`: {} lies {} before line {line_before}",
                    cells[at].shown(),
                    before - when
                ),
                "sort the rows by `at`: units enter in order of their exposure",
            ));
        }
        entry.last = Some((when, line));
        let arm_name = columns.name(line, cells, arm)?;
        let arm = entry.arms.place(&arm_name);
        let arm = u16::try_from(arm).map_err(|_| {
            columns.row_error(line, "more than 65,535 arms", "check the column `arm`")
        })?;
        let share = columns.number(line, cells, share)?;
        if !(share > 0.0 && share <= 1.0) {
            return Err(columns.row_error(
                line,
                format!("the share of arm `{arm_name}` is {share}"),
                "log the probability of the arm that was chosen, above 0 and at most 1",
            ));
        }
        let value = columns.number(line, cells, value)?;
        within(&columns, line, value, Some(bounds))?;
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
        entry.stream.rows.push(StreamRow {
            at: when,
            arm,
            share,
            value: (value - bounds.0) / width,
            stratum: strata.place(&columns, line, cells, &mut entry.strata)?,
        });
        Ok(())
    })?;
    let inputs = names.names().iter().zip(building).map(|(name, entry)| {
        let mut input = plain(
            name.clone(),
            entry.arms.names().to_vec(),
            Data::Stream(entry.stream),
        );
        input.conflicts = entry.conflicts;
        input.conflict_examples = entry.examples;
        input.strata = entry.strata.names().to_vec();
        if entry.repeated > 0 {
            input.notes.push(TestNote::RepeatedExposures {
                count: entry.repeated,
            });
        }
        if bounds != (0.0, 1.0) {
            let (lower, upper) = bounds;
            input.notes.push(TestNote::Scaled { lower, upper });
        }
        input
    });
    Ok(inputs.collect())
}

/// The time of a row, and whether it was written as a timestamp.
fn moment(
    columns: &Columns<'_>,
    line: u64,
    cells: &[Cell],
    place: usize,
) -> Result<(f64, bool), AnalysisError> {
    let cell = cells.get(place).unwrap_or(&Cell::Empty);
    if let Some(number) = cell.number() {
        return Ok((number, false));
    }
    cell.text()
        .and_then(|text| time::seconds(&text))
        .map(|seconds| (seconds, true))
        .ok_or_else(|| {
            columns.row_error(
                line,
                format!("`at` is {}, which is no time", cell.shown()),
                "write seconds, or timestamps such as 2026-03-01T08:00:00Z",
            )
        })
}
