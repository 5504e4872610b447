//! What lies behind the estimates of a table: how the weights spread, where the log and the policy overlap, whether the
//! propensities say what happened, and what the log itself earned.
//!
//! Owns tallies of runs of rows that add up to those of the whole, so that the pass that makes the estimates makes these
//! too. Judges nothing: the gate and the estimators decide what is refused.

mod calibration;
mod histogram;
mod overlap;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::calibration::CalibrationBin;
pub use self::histogram::{WeightBin, WeightHistogram};
pub use self::overlap::{GroupOverlap, Overlap, OverlapCell};

use self::calibration::Pairs;
use self::histogram::Histogram;
pub(crate) use self::overlap::Groups;
use super::model::Behaviour;
use super::moments::Moments;
use super::table::{Header, Rows};

/// What lies behind the estimates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TableDiagnostics {
    /// What the policy that wrote the log earned.
    pub as_logged: LoggedMean,
    /// The importance weights, by size; none without propensities.
    pub weights: Option<WeightHistogram>,
    /// What was taken and what the policy would take, group by group.
    pub overlap: Overlap,
    /// Propensities beside what happened; none without them.
    pub calibration: Option<Vec<CalibrationBin>>,
}

/// Mean outcome of the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LoggedMean {
    /// Rows, or episodes of a sequential table.
    pub n: u64,
    /// Mean reward of a row, or mean discounted return of an episode.
    pub value: f64,
    /// sd (n − 1) / √n; none for fewer than two, and where rows belong to units.
    pub standard_error: Option<f64>,
}

/// Sums over rows; those of parts merge into those of the whole.
#[derive(Debug, Clone)]
pub(crate) struct DiagnosticsTally {
    reward: Moments,
    histogram: Histogram,
    groups: Groups,
    /// Estimated probabilities of every action; empty where propensities were logged.
    pairs: Pairs,
}

impl DiagnosticsTally {
    /// No rows yet.
    pub(crate) fn new(header: &Header) -> Self {
        Self {
            reward: Moments::new(1),
            histogram: Histogram::default(),
            groups: Groups::new(header.actions),
            pairs: Pairs::default(),
        }
    }

    /// Of a run of rows and their weights, which are empty without propensities.
    pub(crate) fn of(
        rows: &Rows,
        weights: &[f64],
        header: &Header,
        behaviour: Option<&Behaviour>,
    ) -> Self {
        Self {
            reward: Moments::of(std::slice::from_ref(&rows.reward)),
            histogram: Histogram::of(weights.iter().copied()),
            groups: Groups::of(rows, header),
            pairs: behaviour.map_or_else(Pairs::default, |b| Pairs::of(rows, header.actions, b)),
        }
    }

    /// Adds the rows that follow.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.reward.merge(&other.reward);
        self.histogram.merge(&other.histogram);
        self.groups.merge(&other.groups);
        self.pairs.merge(&other.pairs);
    }

    /// The result for a table of single decisions.
    pub(crate) fn diagnostics(&self, header: &Header) -> TableDiagnostics {
        let mean = LoggedMean::of(&self.reward);
        TableDiagnostics {
            as_logged: LoggedMean {
                // Rows of a unit are not independent.
                standard_error: mean.standard_error.filter(|_| !header.has_units()),
                ..mean
            },
            weights: self.histogram.histogram(),
            overlap: self.groups.overlap(header),
            calibration: if header.has_propensity() {
                Some(self.groups.calibration())
            } else {
                self.pairs.bins()
            },
        }
    }

    /// The result for a table with episodes, whose weights and returns belong to whole episodes.
    pub(crate) fn of_episodes(
        &self,
        header: &Header,
        weights: impl Iterator<Item = f64>,
        returns: Vec<f64>,
    ) -> TableDiagnostics {
        TableDiagnostics {
            as_logged: LoggedMean::of(&Moments::of(&[returns])),
            weights: Histogram::of(weights).histogram(),
            ..self.diagnostics(header)
        }
    }
}

impl LoggedMean {
    fn of(reward: &Moments) -> Self {
        let n = reward.n();
        let error = (reward.variance(&[(0, 1.0)]) / n).sqrt();
        Self {
            n: n as u64,
            value: reward.means()[0],
            standard_error: (n >= 2.0).then_some(error),
        }
    }
}
