//! The first look at a table with features: how many actions, which were taken, how features lie.

use super::error::LoggedError;
use super::features::{Basis, FeatureKind};
use super::seen::{RowHasher, SeenRows};
use crate::ope::table::{Rows, Table, Wanted};

/// What one pass over a table tells.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survey {
    pub(crate) rows: u64,
    /// Rows of each action.
    pub(crate) taken: Vec<u64>,
    features: Vec<Spread>,
    pub(crate) seen: Vec<u64>,
}

/// Mean and sum of squared deviations of a feature.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Spread {
    n: f64,
    mean: f64,
    squares: f64,
}

impl Spread {
    fn of(column: impl Iterator<Item = f64> + Clone) -> Self {
        let n = column.clone().count() as f64;
        let mean = column.clone().sum::<f64>() / n;
        Self {
            n,
            mean,
            squares: column.map(|x| (x - mean).powi(2)).sum(),
        }
    }

    /// Both together (Chan, Golub & LeVeque 1983).
    fn merge(&mut self, other: Self) {
        if other.n == 0.0 {
            return;
        }
        let n = self.n + other.n;
        let step = other.mean - self.mean;
        self.squares += other.squares + step * step * self.n * other.n / n;
        self.mean += step * other.n / n;
        self.n = n;
    }

    /// 1/sd, or 0 for a feature whose differences are rounding.
    fn scale(&self) -> f64 {
        let deviation = (self.squares / self.n).sqrt();
        if deviation > 1e-12 * self.mean.abs().max(1e-288) {
            1.0 / deviation
        } else {
            0.0
        }
    }
}

impl Survey {
    /// Reads a table once.
    pub(crate) fn of(table: &Table) -> Result<Self, LoggedError> {
        let header = table.header();
        let features = header.features;
        let mut survey = Self {
            rows: 0,
            taken: vec![0; header.actions],
            features: vec![Spread::default(); features],
            seen: Vec::new(),
        };
        let mut seen = SeenRows::new(table.first_row());
        let hasher = RowHasher {
            features,
            states: false,
        };
        survey.rows = table.scan(
            Wanted {
                features: true,
                masks: true,
                ..Wanted::default()
            },
            |rows| {
                let spreads: Vec<Spread> = (0..features)
                    .map(|j| Spread::of(rows.features.iter().skip(j).step_by(features).copied()))
                    .collect();
                (counted(&rows), spreads, hasher.of(&rows))
            },
            |(taken, spreads, hashes)| {
                if survey.taken.len() < taken.len() {
                    survey.taken.resize(taken.len(), 0);
                }
                for (mine, theirs) in survey.taken.iter_mut().zip(taken) {
                    *mine += theirs;
                }
                for (mine, theirs) in survey.features.iter_mut().zip(spreads) {
                    mine.merge(theirs);
                }
                seen.take(&hashes);
                Ok(())
            },
        )?;
        survey.seen = seen.finish();
        Ok(survey)
    }

    pub(crate) fn actions(&self) -> usize {
        self.taken.len()
    }

    /// Names of features that never vary.
    pub(crate) fn constant(&self) -> Vec<String> {
        let silent = |(_, spread): &(usize, &Spread)| spread.scale() == 0.0;
        let constant = self.features.iter().enumerate().filter(silent);
        constant.map(|(j, _)| format!("x{j}")).collect()
    }

    pub(crate) fn basis(&self, kind: FeatureKind) -> Basis {
        Basis {
            kind,
            mean: self.features.iter().map(|spread| spread.mean).collect(),
            scale: self.features.iter().map(Spread::scale).collect(),
        }
    }
}

/// How often each action was taken, up to the last one.
fn counted(rows: &Rows) -> Vec<u64> {
    let mut taken = Vec::new();
    for action in &rows.action {
        let at = usize::from(*action);
        if taken.len() <= at {
            taken.resize(at + 1, 0);
        }
        taken[at] += 1;
    }
    taken
}
