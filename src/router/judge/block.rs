//! Closed blocks: what the units exposed in one minute, or in one block of a switchback, came to.
//!
//! A block is closed when every unit in it is mature; then it is written to the store and never changes. Tallies add, so
//! it does not matter in which order units were read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::router::experiment::{Definition, Design, Experiment, Metric};
use crate::stats::eprocess::Block;
use crate::stats::tally::Count;
use crate::store::{FirstExposure, MaturedUnit};

/// Microseconds of a minute.
pub(super) const MINUTE_US: i64 = 60_000_000;

/// Units of one revision and one stratum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The revision that assigned them.
    pub revision: u32,
    /// Their declared stratum, by position; `None` for units of no declared stratum.
    pub stratum: Option<u8>,
    /// Per arm: units with outcome 0 or 1, and those with outcome 1.
    pub arms: Vec<(u64, u64)>,
    /// Arm and outcome of units with an outcome in between, in order of exposure.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<(u8, f64)>,
}

/// A closed block.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedBlock {
    /// Its units, by revision and stratum.
    pub parts: Vec<Part>,
}

/// Units and summed outcomes of an arm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ArmTotal {
    /// Mature units.
    pub units: u64,
    /// Sum of their outcomes.
    pub sum: f64,
}

impl ArmTotal {
    /// The mean outcome; `None` without units.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.units > 0).then(|| self.sum / self.units as f64)
    }
}

impl ClosedBlock {
    /// Units and sums per arm.
    #[must_use]
    pub fn totals(&self, arms: usize) -> Vec<ArmTotal> {
        let mut totals = vec![ArmTotal::default(); arms];
        for part in &self.parts {
            for (total, (units, ones)) in totals.iter_mut().zip(&part.arms) {
                total.units += units;
                total.sum += *ones as f64;
            }
            for (arm, outcome) in &part.rows {
                let total = &mut totals[usize::from(*arm)];
                total.units += 1;
                total.sum += outcome;
            }
        }
        totals
    }

    /// The challenger's block of a revision, over all strata or over one; `None` where the revision gives one of the two
    /// arms no buckets, or nobody came.
    #[must_use]
    pub fn versus(
        &self,
        experiment: &Experiment,
        revision: u32,
        stratum: Option<u8>,
        challenger: usize,
        at_us: i64,
    ) -> Option<Block> {
        let share = pair_share(experiment, revision, challenger)?;
        let mut block = Block {
            at: at_us as f64 / 1e6,
            share,
            ..Block::default()
        };
        let parts = self.parts.iter().filter(|part| {
            part.revision == revision && (stratum.is_none() || part.stratum == stratum)
        });
        for part in parts {
            for (count, arm) in [(&mut block.control, 0), (&mut block.treatment, challenger)] {
                let (units, ones) = part.arms[arm];
                *count = Count {
                    units: count.units + units,
                    conversions: count.conversions + ones,
                };
            }
            block
                .rows
                .extend(part.rows.iter().filter_map(|(arm, outcome)| {
                    let arm = usize::from(*arm);
                    (arm == 0 || arm == challenger).then_some((arm == challenger, *outcome))
                }));
        }
        (block.units() > 0).then_some(block)
    }

    /// Revisions in the block, in order.
    pub fn revisions(&self) -> impl Iterator<Item = u32> {
        let mut revisions: Vec<u32> = self.parts.iter().map(|part| part.revision).collect();
        revisions.sort_unstable();
        revisions.dedup();
        revisions.into_iter()
    }
}

/// Probability of the challenger among the two, under a revision; `None` where one of them has no buckets.
fn pair_share(experiment: &Experiment, revision: u32, challenger: usize) -> Option<f64> {
    let revision = experiment.revision_numbered(revision)?;
    let champion = revision.allocation.share(0);
    let other = revision.allocation.share(challenger as u8);
    (champion > 0.0 && other > 0.0).then(|| other / (champion + other))
}

/// Gathers mature units into blocks.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    blocks: BTreeMap<i64, BTreeMap<(u32, Option<u8>), Part>>,
}

impl Gatherer {
    /// Takes in a unit with its outcome of one metric.
    pub(super) fn take(&mut self, definition: &Definition, metric: &Metric, unit: &MaturedUnit) {
        let Some(key) = block_key(definition, unit.first.at_us, unit.first.block) else {
            return;
        };
        let events = unit
            .outcomes
            .iter()
            .filter(|event| *event.kind == *metric.event);
        let outcome = metric.outcome.of(events.map(|event| event.value));
        let stratum = definition.strata.as_ref().and_then(|strata| {
            let text = unit.first.stratum.as_deref()?;
            strata
                .values
                .iter()
                .position(|value| value == text)
                .map(|at| at as u8)
        });
        let arms = definition.arms.len();
        let arm = usize::from(unit.first.arm);
        if arm >= arms {
            return;
        }
        let part = self
            .blocks
            .entry(key)
            .or_default()
            .entry((unit.first.revision, stratum))
            .or_insert_with(|| Part {
                revision: unit.first.revision,
                stratum,
                arms: vec![(0, 0); arms],
                rows: Vec::new(),
            });
        if outcome == 0.0 || outcome == 1.0 {
            part.arms[arm].0 += 1;
            part.arms[arm].1 += outcome as u64;
        } else {
            part.rows.push((arm as u8, outcome));
        }
    }

    /// Counts a unit that entered, without an outcome.
    pub(super) fn count(&mut self, arms: usize, minute: i64, first: &FirstExposure) {
        let arm = usize::from(first.arm);
        if arm >= arms {
            return;
        }
        let part = self
            .blocks
            .entry(minute)
            .or_default()
            .entry((first.revision, None))
            .or_insert_with(|| Part {
                revision: first.revision,
                stratum: None,
                arms: vec![(0, 0); arms],
                rows: Vec::new(),
            });
        part.arms[arm].0 += 1;
    }

    /// The blocks, in order.
    pub(super) fn finish(self) -> impl Iterator<Item = (i64, ClosedBlock)> {
        self.blocks.into_iter().map(|(key, parts)| {
            (
                key,
                ClosedBlock {
                    parts: parts.into_values().collect(),
                },
            )
        })
    }
}

/// Length of a block in microseconds: a minute, or a block of the design.
pub(super) fn block_length_us(definition: &Definition) -> i64 {
    match (definition.design, definition.switchback) {
        (Design::Switchback | Design::SplitPool, Some(blocks)) => {
            (blocks.block_minutes * MINUTE_US as f64).round() as i64
        }
        _ => MINUTE_US,
    }
}

/// The block of an exposure; `None` within the washout of a block.
///
/// In a switchback the recorded block is that of the conversation's begin; a conversation that began in an earlier block
/// than it was exposed in keeps that block's arm and counts there.
fn block_key(definition: &Definition, at_us: i64, recorded: Option<i64>) -> Option<i64> {
    let length = block_length_us(definition);
    let key = recorded.unwrap_or_else(|| at_us.div_euclid(length));
    if let (Design::Switchback | Design::SplitPool, Some(blocks)) =
        (definition.design, definition.switchback)
    {
        let washout = (blocks.washout_minutes * MINUTE_US as f64).round() as i64;
        if at_us - key * length < washout {
            return None;
        }
    }
    Some(key)
}
