//! The data of an experiment, as loaded from a table.

use std::collections::HashMap;

use tierwise_reports::TestNote;

use crate::stats::tally::{Count, Sample};
use crate::stats::verdict::MetricRule;

/// Everything loaded from a file: experiments in order of their first rows.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) experiments: Vec<Input>,
}

/// One experiment.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) metric: Option<String>,
    pub(super) data: Data,
    /// Arms, the control first. Data refer to them by place.
    pub(super) arms: Vec<String>,
    /// Units seen in two arms, and some of them.
    pub(super) conflicts: u64,
    pub(super) conflict_examples: Vec<String>,
    /// Strata, in the order in which data number them; empty when there is no column of strata.
    pub(super) strata: Vec<String>,
    /// Secondary metrics with their rules, for the same arms.
    pub(super) secondary: Vec<Role>,
    /// Guardrails.
    pub(super) guardrails: Vec<Role>,
    pub(super) notes: Vec<TestNote>,
}

/// A metric beside the primary one.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) rule: MetricRule,
    pub(super) data: Data,
}

/// Data in one of four shapes.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// Counts of every arm.
    Counts(Vec<CountArm>),
    /// Rows of units, arm by arm.
    Units(Vec<Vec<UnitRow>>),
    /// Rows in order of exposure.
    Stream(Stream),
    /// Cumulative snapshots of two arms.
    Snapshots(Vec<Snapshot>),
}

impl Data {
    /// Units of every arm; nothing for snapshots.
    pub(super) fn units(&self, arms: usize) -> Vec<u64> {
        match self {
            Self::Counts(counts) => counts.iter().map(|arm| arm.total().units).collect(),
            Self::Units(rows) => rows.iter().map(|rows| rows.len() as u64).collect(),
            Self::Stream(stream) => {
                let mut units = vec![0; arms];
                for row in &stream.rows {
                    units[usize::from(row.arm)] += 1;
                }
                units
            }
            Self::Snapshots(_) => Vec::new(),
        }
    }

    /// Gives every arm another place: arm i moves to `places[i]`.
    pub(super) fn reorder(&mut self, places: &[usize]) {
        match self {
            Self::Counts(counts) => moved(counts, places),
            Self::Units(rows) => moved(rows, places),
            Self::Stream(stream) => {
                for row in &mut stream.rows {
                    row.arm = places[usize::from(row.arm)] as u16;
                }
            }
            Self::Snapshots(_) => {}
        }
    }
}

/// Moves item i to `places[i]`.
pub(super) fn moved<T>(items: &mut Vec<T>, places: &[usize]) {
    let mut placed: Vec<(usize, T)> = places.iter().copied().zip(items.drain(..)).collect();
    placed.sort_by_key(|(place, _)| *place);
    items.extend(placed.into_iter().map(|(_, item)| item));
}

/// One arm of counts: a count and a share for every stratum, or a single one without strata.
#[derive(Debug, Clone, Default)]
pub(super) struct CountArm {
    pub(super) strata: Vec<Option<(Count, Option<f64>)>>,
}

impl CountArm {
    /// Its count over all strata.
    pub(super) fn total(&self) -> Count {
        let mut total = Count::default();
        for (count, _) in self.strata.iter().flatten() {
            total += *count;
        }
        total
    }

    /// Its count in a stratum.
    pub(super) fn count(&self, stratum: usize) -> Count {
        let found = self.strata.get(stratum).copied().flatten();
        found.map_or_else(Count::default, |(count, _)| count)
    }

    /// Its share in a stratum.
    pub(super) fn share_in(&self, stratum: usize) -> Option<f64> {
        self.strata.get(stratum).copied().flatten()?.1
    }

    /// Its share, where it is the same in all strata.
    pub(super) fn share(&self) -> Option<f64> {
        let mut shares = self.strata.iter().flatten().map(|(_, share)| *share);
        let first = shares.next()??;
        shares.all(|share| share == Some(first)).then_some(first)
    }
}

/// One unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct UnitRow {
    pub(super) value: f64,
    pub(super) pre: f64,
    pub(super) denominator: f64,
    pub(super) stratum: u16,
}

/// A stream of exposures.
#[derive(Debug, Clone, Default)]
pub(super) struct Stream {
    pub(super) rows: Vec<StreamRow>,
    /// Whether times were written as timestamps; `at` is in seconds then.
    pub(super) timestamps: bool,
}

/// One exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct StreamRow {
    pub(super) at: f64,
    pub(super) arm: u16,
    /// The share of this row's arm.
    pub(super) share: f64,
    pub(super) value: f64,
    pub(super) stratum: u16,
}

/// Cumulative state of control and treatment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Snapshot {
    pub(super) at: f64,
    pub(super) control: Sample,
    pub(super) treatment: Sample,
}

/// Names to small numbers, in order of appearance.
#[derive(Debug, Default)]
pub(super) struct Names {
    places: HashMap<String, usize>,
    names: Vec<String>,
}

impl Names {
    pub(super) fn place(&mut self, name: &str) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.names.len();
        self.names.push(name.to_owned());
        self.places.insert(name.to_owned(), place);
        place
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}
