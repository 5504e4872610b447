//! The data of an experiment, as loaded from a table.

use std::collections::HashMap;

use crate::stats::tally::{Count, Sample};

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
    pub(super) notes: Vec<String>,
}

/// Data in one of four shapes.
#[derive(Debug, Clone)]
pub(super) enum Data {
    /// A count per arm, and the arms' shares where given.
    Counts(Vec<(Count, Option<f64>)>),
    /// Rows of units, arm by arm.
    Units(Vec<Vec<UnitRow>>),
    /// Rows in order of exposure.
    Stream(Stream),
    /// Cumulative snapshots of two arms.
    Snapshots(Vec<Snapshot>),
}

/// One unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct UnitRow {
    pub(super) value: f64,
    pub(super) pre: f64,
    pub(super) denominator: f64,
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
