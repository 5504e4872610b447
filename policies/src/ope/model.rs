//! Reward models fitted to the table that they help to judge, without seeing the rows on which they are used.
//!
//! Rows fall into folds; the model of a fold is fitted to all the others (cross-fitting), so that its errors are independent
//! of the rewards that correct it. Fitting is a pass over the table that adds up normal equations: memory does not grow
//! with the rows.
//!
//! # Source
//! Chernozhukov et al. 2018 (cross-fitting); Farajtabar, Chow & Ghavamzadeh, ICML 2018 (MRDR).

mod behaviour;
pub(in crate::ope) mod linear;
mod tabular;

use serde::{Deserialize, Serialize};

pub use self::behaviour::Behaviour;
use self::linear::Linear;
pub(crate) use self::linear::{cholesky, substituted};
use self::tabular::Tabular;
use super::table::{Header, Rows, Table, TableError, Wanted};

/// Folds of cross-fitting.
pub const FOLDS: usize = 5;

/// Where the reward model q(x, a) comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// The columns `q0`, `q1`, ….
    Given,
    /// Ridge regression an action, on `x0`, `x1`, ….
    Ridge,
    /// Ridge regression an action, on these and their products.
    Quadratic,
    /// Mean reward of each `state` and action, drawn to the action's mean.
    Tabular,
}

impl ModelKind {
    /// What a table allows when nothing is asked for: given columns before features before states.
    #[must_use]
    pub fn usual(header: &Header) -> Option<Self> {
        if header.has_model() {
            Some(Self::Given)
        } else if header.features > 0 {
            Some(Self::Ridge)
        } else if header.has_states() {
            Some(Self::Tabular)
        } else {
            None
        }
    }

    /// Why a table does not allow it.
    #[must_use]
    pub fn lacking(self, header: &Header) -> Option<String> {
        let absent = match self {
            Self::Given => {
                (!header.has_model()).then(|| format!("`q0` to `q{}`", header.actions - 1))
            }
            Self::Ridge | Self::Quadratic => {
                (header.features == 0).then(|| "`x0`, `x1`, …".to_owned())
            }
            Self::Tabular => (!header.has_states()).then(|| "`state`".to_owned()),
        };
        absent.map(|columns| format!("the table has no {columns}"))
    }

    /// In words, for notes.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Given => "the columns `q…`",
            Self::Ridge => "ridge regression on the columns `x…`",
            Self::Quadratic => "ridge regression on the columns `x…` and their products",
            Self::Tabular => "means by state and action",
        }
    }
}

/// How rows count when a model is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weighting {
    /// All alike.
    Plain,
    /// w² (1 − p): the variance that the row's residual adds to DR.
    Mrdr,
}

/// A fitted model, one a fold.
#[derive(Debug, Clone)]
pub(crate) enum Fitted {
    Linear(Linear),
    Tabular(Tabular),
}

impl Fitted {
    /// Fits a model in one pass.
    pub(crate) fn fit(
        table: &Table,
        kind: ModelKind,
        weighting: Weighting,
    ) -> Result<Self, TableError> {
        Ok(match kind {
            ModelKind::Tabular => Self::Tabular(Tabular::fit(table, weighting)?),
            _ => Self::Linear(Linear::fit(table, kind, weighting)?),
        })
    }

    /// q(x, a) of every action in a row, by the model that has not seen the row.
    pub(crate) fn predict(&self, rows: &Rows, row: usize, into: &mut [f64]) {
        match self {
            Self::Linear(model) => model.predict(rows, row, into),
            Self::Tabular(model) => model.predict(rows, row, into),
        }
    }
}

impl Fitted {
    /// How much a row moves the mean of Σ π q through the fit, n times, with q of the action taken: the derivative by its
    /// reward, times its residual.
    pub(crate) fn moved(&self, rows: &Rows, row: usize, q: f64) -> f64 {
        match self {
            Self::Linear(model) => model.moved(rows, row, q),
            Self::Tabular(model) => model.moved(rows, row, q),
        }
    }
}

/// Columns that a model reads.
pub(crate) const fn wanted(kind: ModelKind) -> Wanted {
    Wanted {
        model: matches!(kind, ModelKind::Given),
        features: matches!(kind, ModelKind::Ridge | ModelKind::Quadratic),
        states: matches!(kind, ModelKind::Tabular),
        sequence: false,
        candidates: false,
        classes: false,
        masks: false,
    }
}

/// The fold of a row: one for all rows of a unit or an episode, else by its place in the file.
pub(crate) fn fold(rows: &Rows, row: usize) -> usize {
    let of_unit = rows.unit.get(row).or_else(|| rows.episode.get(row));
    fold_of_key(of_unit.copied().unwrap_or((rows.run << 32) + row as u64))
}

/// The fold of whatever has a key.
pub(crate) fn fold_of_key(key: u64) -> usize {
    let mut x = key.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) % FOLDS as u64) as usize
}

/// How much a row counts; rows without propensity count once.
pub(crate) fn importance(rows: &Rows, row: usize, actions: usize, weighting: Weighting) -> f64 {
    match (weighting, rows.propensity.get(row)) {
        (Weighting::Mrdr, Some(p)) => {
            let w = rows.target[row * actions + usize::from(rows.action[row])] / p;
            w * w * (1.0 - p)
        }
        _ => 1.0,
    }
}

#[cfg(test)]
mod tests;
