//! The policy of learners of finite states: probabilities by state.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::ope::table::Rows;

/// Probabilities of actions in each state that the log knows; elsewhere the log's own shares of actions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinitePolicy {
    /// Keys of states, in rising order.
    states: Vec<u64>,
    /// Probabilities, state after state.
    probabilities: Vec<f64>,
    /// How often the log took each action, over all its rows: for states it never saw.
    elsewhere: Vec<f64>,
}

impl FinitePolicy {
    /// `probabilities` holds those of one state after the other, in the order of `keys`.
    pub(super) fn new(keys: &[u64], probabilities: &[f64], elsewhere: Vec<f64>) -> Self {
        let actions = elsewhere.len();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_unstable_by_key(|state| keys[*state]);
        Self {
            states: order.iter().map(|state| keys[*state]).collect(),
            probabilities: order
                .iter()
                .flat_map(|state| &probabilities[state * actions..(state + 1) * actions])
                .copied()
                .collect(),
            elsewhere,
        }
    }

    /// Number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.elsewhere.len()
    }

    /// Number of states that the log knows.
    #[must_use]
    pub fn states(&self) -> usize {
        self.states.len()
    }

    /// Probabilities in a state; of numbered states the key is the number.
    #[must_use]
    pub fn of(&self, state: u64) -> &[f64] {
        match self.states.binary_search(&state) {
            Ok(at) => &self.probabilities[at * self.actions()..(at + 1) * self.actions()],
            Err(_) => &self.elsewhere,
        }
    }

    pub(super) fn choose(&self, rows: &Rows, into: &mut Vec<f64>) {
        // Rows of few states: each is looked up once.
        let mut known: HashMap<u64, &[f64]> = HashMap::new();
        for state in &rows.state {
            into.extend_from_slice(known.entry(*state).or_insert_with(|| self.of(*state)));
        }
    }

    /// Whether its parts fit together.
    pub(super) fn is_sound(&self) -> bool {
        let actions = self.actions();
        let whole = |p: &[f64]| {
            p.iter().all(|p| (0.0..=1.0 + 1e-9).contains(p))
                && (p.iter().sum::<f64>() - 1.0).abs() < 1e-6
        };
        actions > 0
            && self.states.is_sorted()
            && self.probabilities.len() == self.states.len() * actions
            && self.probabilities.chunks_exact(actions).all(whole)
            && whole(&self.elsewhere)
    }
}
