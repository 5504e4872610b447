//! Counts: `experiment?, metric?, stratum?, arm, units, conversions, share?`.

use std::path::Path;

use super::strata::StrataColumn;
use super::{AnalysisError, AnalyzeOptions, Columns, Data, Input, Names, Table, Wanted, plain};
use crate::analysis::input::CountArm;
use crate::stats::tally::Count;

struct Building {
    arms: Names,
    strata: Names,
    counts: Vec<CountArm>,
}

pub(super) fn load(
    path: &Path,
    table: Table<'_>,
    metric: &Wanted,
    options: &AnalyzeOptions,
) -> Result<Vec<Input>, AnalysisError> {
    let columns = Columns::of(path, &table);
    let experiment = columns.optional("experiment");
    let metric_column = columns.optional("metric");
    let arm = columns.required("arm")?;
    let units = columns.required("units")?;
    let conversions = columns.required(&metric.column)?;
    let share = columns.optional("share");
    let strata = StrataColumn::of(&columns, &options.rule.strata);
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
                arms: Names::default(),
                strata: strata.names(),
                counts: Vec::new(),
            });
        }
        let entry = &mut building[place];
        let arm_name = columns.name(line, cells, arm)?;
        let arm = entry.arms.place(&arm_name);
        if arm == entry.counts.len() {
            entry.counts.push(CountArm::default());
        }
        let stratum = usize::from(strata.place(&columns, line, cells, &mut entry.strata)?);
        let held = &mut entry.counts[arm].strata;
        if held.len() <= stratum {
            held.resize(stratum + 1, None);
        }
        if held[stratum].is_some() {
            return Err(columns.row_error(
                line,
                format!("arm `{arm_name}` of experiment `{name}` appears a second time"),
                "write one row per arm, or per arm and stratum; days belong in a stream or in snapshots",
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
        held[stratum] = Some((count, share));
        Ok(())
    })?;
    for (name, entry) in names.names().iter().zip(&building) {
        check_shares(path, name, metric, entry)?;
    }
    let inputs = names.names().iter().zip(building).map(|(name, entry)| {
        let arms = entry.arms.names().to_vec();
        let mut input = plain(name.clone(), arms, Data::Counts(entry.counts));
        input.strata = entry.strata.names().to_vec();
        input
    });
    Ok(inputs.collect())
}

fn check_shares(
    path: &Path,
    name: &str,
    metric: &Wanted,
    entry: &Building,
) -> Result<(), AnalysisError> {
    let strata = entry.strata.names();
    for stratum in 0..strata.len().max(1) {
        let mut place = strata
            .get(stratum)
            .map_or_else(String::new, |stratum| format!(" in stratum `{stratum}`"));
        if let Some(metric) = &metric.filter {
            place.push_str(&format!(" of metric `{metric}`"));
        }
        let fail = |what: String| {
            Err(AnalysisError::Experiment {
                file: path.to_owned(),
                what: format!("experiment `{name}`: {what}{place}"),
                fix: "give the row and the share of every arm, so that they sum to 1, or no share at all".to_owned(),
            })
        };
        let rows = entry
            .counts
            .iter()
            .filter(|arm| arm.strata.get(stratum).is_some_and(Option::is_some));
        let shares: Vec<Option<f64>> = rows.map(|arm| arm.share_in(stratum)).collect();
        let known: Vec<f64> = shares.iter().copied().flatten().collect();
        if known.is_empty() {
            continue;
        }
        if known.len() < shares.len() {
            return fail("some arms have a share and some have none".to_owned());
        }
        let sum: f64 = known.iter().sum();
        if (sum - 1.0).abs() > 1e-6 {
            return fail(format!("the shares of its arms sum to {sum:.4}, not to 1"));
        }
    }
    Ok(())
}
