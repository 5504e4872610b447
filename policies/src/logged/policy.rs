//! What learners make: probabilities for every row of a table, masks obeyed, a floor kept.

use serde::{Deserialize, Serialize};

use super::finite::FinitePolicy;
use super::linear::LinearPolicy;
use crate::ope::table::{RowPolicy, Rows, Wanted};

/// The kinds of policy that can be learned from a table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LoggedPolicy {
    /// The highest fitted reward.
    Linear {
        /// The policy.
        policy: LinearPolicy,
    },
    /// Probabilities by state.
    Finite {
        /// The policy.
        policy: FinitePolicy,
    },
}

impl LoggedPolicy {
    /// Number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        match self {
            Self::Linear { policy } => policy.actions(),
            Self::Finite { policy } => policy.actions(),
        }
    }

    /// Number of columns `x…` it reads.
    #[must_use]
    pub fn features(&self) -> usize {
        match self {
            Self::Linear { policy } => policy.basis().features(),
            Self::Finite { .. } => 0,
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Linear { policy } => policy.is_sound(),
            Self::Finite { policy } => policy.is_sound(),
        }
    }
}

impl RowPolicy for LoggedPolicy {
    fn wanted(&self) -> Wanted {
        Wanted {
            features: matches!(self, Self::Linear { .. }),
            states: matches!(self, Self::Finite { .. }),
            masks: true,
            ..Wanted::default()
        }
    }

    fn actions(&self) -> usize {
        Self::actions(self)
    }

    fn probabilities(&self, rows: &Rows, into: &mut Vec<f64>) {
        let actions = Self::actions(self);
        let start = into.len();
        match self {
            Self::Linear { policy } => policy.choose(rows, into),
            Self::Finite { policy } => policy.choose(rows, into),
        }
        for (row, own) in into[start..].chunks_exact_mut(actions).enumerate() {
            let mask = rows.mask.get(row * actions..(row + 1) * actions);
            restricted(own, |a| mask.is_none_or(|mask| mask[a]));
        }
    }
}

/// Leaves probability to allowed actions alone; where none had any, all allowed ones get the same.
fn restricted(own: &mut [f64], allowed: impl Fn(usize) -> bool) {
    let mut sum = 0.0;
    for (a, p) in own.iter_mut().enumerate() {
        if !allowed(a) {
            *p = 0.0;
        }
        sum += *p;
    }
    if sum == 1.0 {
        return;
    }
    let count = (0..own.len()).filter(|a| allowed(*a)).count() as f64;
    for (a, p) in own.iter_mut().enumerate() {
        if sum > 0.0 {
            *p /= sum;
        } else if allowed(a) {
            *p = 1.0 / count;
        }
    }
}

/// A policy as it is served and judged: every allowed action keeps at least the floor.
///
/// π′(a) = ε + (1 − mε) π(a) for the m allowed actions, as [`crate::policy::WithFloor`] does for tiers.
#[derive(Debug, Clone, PartialEq)]
pub struct ServedPolicy {
    pub(super) policy: LoggedPolicy,
    pub(super) floor: f64,
}

impl RowPolicy for ServedPolicy {
    fn wanted(&self) -> Wanted {
        self.policy.wanted()
    }

    fn actions(&self) -> usize {
        self.policy.actions()
    }

    fn probabilities(&self, rows: &Rows, into: &mut Vec<f64>) {
        let actions = self.policy.actions();
        let start = into.len();
        self.policy.probabilities(rows, into);
        if self.floor == 0.0 {
            return;
        }
        for (row, own) in into[start..].chunks_exact_mut(actions).enumerate() {
            let mask = rows.mask.get(row * actions..(row + 1) * actions);
            let allowed = |a: usize| mask.is_none_or(|mask| mask[a]);
            let room = 1.0 - self.floor * (0..actions).filter(|a| allowed(*a)).count() as f64;
            for (a, p) in own.iter_mut().enumerate() {
                if allowed(a) {
                    *p = self.floor + room * *p;
                }
            }
        }
    }
}
