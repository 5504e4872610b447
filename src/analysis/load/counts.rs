//! Counts: `experiment?, arm, units, conversions, share?`.

use std::path::Path;

use super::plain;
use super::{AnalysisError, Columns, Data, Input, Names, Table};
use crate::stats::tally::Count;

#[derive(Default)]
struct Building {
    arms: Names,
    counts: Vec<(Count, Option<f64>)>,
}

pub(super) fn load(path: &Path, table: Table<'_>) -> Result<Vec<Input>, AnalysisError> {
    let columns = Columns::of(path, &table);
    let experiment = columns.optional("experiment");
    let arm = columns.required("arm")?;
    let units = columns.required("units")?;
    let conversions = columns.required("conversions")?;
    let share = columns.optional("share");
    let mut names = Names::default();
    let mut building: Vec<Building> = Vec::new();
    table.rows(&mut |line, cells| {
        let name = columns.experiment(line, cells, experiment)?;
        let place = names.place(&name);
        if place == building.len() {
            building.push(Building::default());
        }
        let entry = &mut building[place];
        let arm_name = columns.name(line, cells, arm)?;
        if entry.arms.place(&arm_name) < entry.counts.len() {
            return Err(columns.row_error(
                line,
                format!("arm `{arm_name}` of experiment `{name}` appears a second time"),
                "write one row per arm; days or strata belong in a stream or in snapshots",
            ));
        }
        let (units, conversions) = (
            columns.whole(line, cells, units)?,
            columns.whole(line, cells, conversions)?,
        );
        let count = Count::new(units, conversions).map_err(|error| {
            columns.row_error(
                line,
                format!("arm `{arm_name}`: {error}"),
                "count each unit once",
            )
        })?;
        let share =
            match share.filter(|place| cells.get(*place).is_some_and(|c| c.text().is_some())) {
                Some(place) => Some(columns.number(line, cells, place)?),
                None => None,
            };
        if let Some(share) = share.filter(|share| !(0.0..=1.0).contains(share)) {
            return Err(columns.row_error(
                line,
                format!("the share of arm `{arm_name}` is {share}"),
                "shares are fractions from 0 to 1, such as 0.5",
            ));
        }
        entry.counts.push((count, share));
        Ok(())
    })?;
    for (name, entry) in names.names().iter().zip(&building) {
        check_shares(path, name, entry)?;
    }
    let inputs = names.names().iter().zip(building);
    inputs
        .map(|(name, entry)| {
            let arms = entry.arms.names().to_vec();
            Ok(plain(name.clone(), arms, Data::Counts(entry.counts)))
        })
        .collect()
}

fn check_shares(path: &Path, name: &str, entry: &Building) -> Result<(), AnalysisError> {
    let shares: Vec<f64> = entry
        .counts
        .iter()
        .filter_map(|(_, share)| *share)
        .collect();
    if shares.is_empty() {
        return Ok(());
    }
    let fail = |what: String| {
        Err(AnalysisError::Experiment {
            file: path.to_owned(),
            what: format!("experiment `{name}`: {what}"),
            fix: "give the share of every arm, so that they sum to 1, or of none".to_owned(),
        })
    };
    if shares.len() < entry.counts.len() {
        return fail("some arms have a share and some have none".to_owned());
    }
    let sum: f64 = shares.iter().sum();
    if (sum - 1.0).abs() > 1e-6 {
        return fail(format!("the shares of its arms sum to {sum:.4}, not to 1"));
    }
    Ok(())
}
