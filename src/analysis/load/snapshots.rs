//! Cumulative snapshots of two arms: `experiment_id?, variant_id?, metric_id?, time_since_start, count_c, count_t, mean_c,
//! mean_t, variance_c, variance_t`.

use std::path::Path;

use tierwise_reports::TestNote;

use super::plain;
use super::{AnalysisError, AnalyzeOptions, Cell, Columns, Data, Input, Names, Table};
use crate::analysis::input::Snapshot;
use crate::stats::tally::Sample;

#[derive(Default)]
struct Building {
    experiment: String,
    metric: Option<String>,
    treatment: String,
    snapshots: Vec<Snapshot>,
    last_line: u64,
    empty: u64,
    shrunk: u64,
}

pub(super) fn load(
    path: &Path,
    table: Table<'_>,
    options: &AnalyzeOptions,
) -> Result<Vec<Input>, AnalysisError> {
    let columns = Columns::of(path, &table);
    let experiment = columns
        .optional("experiment_id")
        .or_else(|| columns.optional("experiment"));
    let variant = columns.optional("variant_id");
    let metric = columns
        .optional("metric_id")
        .or_else(|| columns.optional("metric"));
    let at = columns.required("time_since_start")?;
    let places = [
        "count_c",
        "mean_c",
        "variance_c",
        "count_t",
        "mean_t",
        "variance_t",
    ]
    .map(|name| columns.required(name));
    let mut numbers_at = [0; 6];
    for (at, place) in numbers_at.iter_mut().zip(places) {
        *at = place?;
    }
    let mut names = Names::default();
    let mut building: Vec<Building> = Vec::new();
    table.rows(&mut |line, cells| {
        let text = |place: Option<usize>| place.and_then(|p| cells.get(p)).and_then(Cell::text);
        let metric = text(metric);
        if options.metric.is_some() && options.metric != metric {
            return Ok(());
        }
        let experiment = columns.experiment(line, cells, experiment)?;
        let treatment = text(variant).unwrap_or_else(|| "treatment".to_owned());
        let key = format!("{experiment}\u{1f}{treatment}\u{1f}{metric:?}");
        let place = names.place(&key);
        if place == building.len() {
            building.push(Building {
                experiment,
                metric,
                treatment,
                ..Building::default()
            });
        }
        let entry = &mut building[place];
        let when = columns.number(line, cells, at)?;
        if let Some(last) = entry.snapshots.last().filter(|last| when < last.at) {
            return Err(columns.row_error(
                line,
                format!(
                    "time goes backwards: {when} after {} in line {}",
                    last.at, entry.last_line
                ),
                "sort the snapshots of each experiment by time",
            ));
        }
        if numbers_at
            .iter()
            .any(|place| cells.get(*place) == Some(&Cell::Empty))
        {
            entry.empty += 1;
            return Ok(());
        }
        let mut numbers = [0.0; 6];
        for (number, place) in numbers.iter_mut().zip(numbers_at) {
            *number = columns.number(line, cells, place)?;
        }
        for (count, variance) in [(numbers[0], numbers[2]), (numbers[3], numbers[5])] {
            if count < 0.0 || variance < 0.0 {
                let fix = "counts and variances are 0 or more";
                return Err(columns.row_error(line, "a negative count or variance", fix));
            }
        }
        let sample = |at: usize| Sample {
            units: numbers[at],
            mean: numbers[at + 1],
            variance: numbers[at + 2],
        };
        let snapshot = Snapshot {
            at: when,
            control: sample(0),
            treatment: sample(3),
        };
        if entry.snapshots.last().is_some_and(|last| {
            snapshot.control.units < last.control.units
                || snapshot.treatment.units < last.treatment.units
        }) {
            entry.shrunk += 1;
            return Ok(());
        }
        entry.last_line = line;
        entry.snapshots.push(snapshot);
        Ok(())
    })?;
    let several = |entry: &Building| {
        building
            .iter()
            .any(|other| other.experiment == entry.experiment && other.treatment != entry.treatment)
    };
    let labels: Vec<String> = building
        .iter()
        .map(|entry| {
            if several(entry) {
                format!("{}/{}", entry.experiment, entry.treatment)
            } else {
                entry.experiment.clone()
            }
        })
        .collect();
    let inputs = building
        .into_iter()
        .zip(labels)
        .filter(|(entry, _)| !entry.snapshots.is_empty());
    let inputs = inputs.map(|(entry, name)| {
        let arms = vec!["control".to_owned(), entry.treatment];
        let mut input = plain(name, arms, Data::Snapshots(entry.snapshots));
        input.metric = entry.metric;
        if entry.empty > 0 {
            input
                .notes
                .push(TestNote::EmptySnapshots { count: entry.empty });
        }
        if entry.shrunk > 0 {
            input.notes.push(TestNote::ShrunkSnapshots {
                count: entry.shrunk,
            });
        }
        input
    });
    Ok(inputs.collect())
}
