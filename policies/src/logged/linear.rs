//! The policy of one-step learners: the action with the highest fitted reward.

use serde::{Deserialize, Serialize};

use super::features::Basis;
use crate::ope::table::Rows;

/// Takes the action with the highest θₐ′φ(x) among those that are allowed and were ever taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinearPolicy {
    pub(super) basis: Basis,
    /// θₐ, one an action.
    pub(super) coefficients: Vec<Vec<f64>>,
    /// Whether the log ever took an action; of others nothing is known.
    pub(super) known: Vec<bool>,
}

impl LinearPolicy {
    /// Number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.coefficients.len()
    }

    /// Its regressors.
    #[must_use]
    pub const fn basis(&self) -> &Basis {
        &self.basis
    }

    /// Fitted rewards of all actions for features x; minus infinity for an action of which nothing is known.
    #[must_use]
    pub fn scores(&self, x: &[f64]) -> Vec<f64> {
        let mut phi = vec![0.0; self.basis.width()];
        let mut scores = vec![0.0; self.actions()];
        self.score(x, &mut phi, &mut scores);
        scores
    }

    fn score(&self, x: &[f64], phi: &mut [f64], scores: &mut [f64]) {
        self.basis.fill(x, phi);
        let actions = self.coefficients.iter().zip(&self.known);
        for (score, (theta, known)) in scores.iter_mut().zip(actions) {
            *score = if *known {
                theta.iter().zip(&*phi).map(|(t, x)| t * x).sum()
            } else {
                f64::NEG_INFINITY
            };
        }
    }

    /// Appends the policy's probabilities, before any mask, as 1 for the best allowed action.
    pub(super) fn choose(&self, rows: &Rows, into: &mut Vec<f64>) {
        let (features, actions) = (self.basis.features(), self.actions());
        let mut phi = vec![0.0; self.basis.width()];
        let mut scores = vec![0.0; actions];
        for row in 0..rows.len() {
            let x = &rows.features[row * features..(row + 1) * features];
            self.score(x, &mut phi, &mut scores);
            let allowed = |a: usize| rows.mask.is_empty() || rows.mask[row * actions + a];
            let mut best = None;
            for (a, score) in scores.iter().enumerate() {
                if self.known[a] && allowed(a) && best.is_none_or(|b: usize| *score > scores[b]) {
                    best = Some(a);
                }
            }
            into.extend((0..actions).map(|a| f64::from(u8::from(Some(a) == best))));
        }
    }

    /// Whether its parts fit together.
    pub(super) fn is_sound(&self) -> bool {
        let width = self.basis.width();
        self.basis.is_sound()
            && self.known.len() == self.coefficients.len()
            && self
                .coefficients
                .iter()
                .all(|theta| theta.len() == width && theta.iter().all(|t| t.is_finite()))
    }
}
