//! A policy over numbered states, for exact questions about a process.

use super::{Mdp, MdpError};

/// Probabilities of each action in each state.
#[derive(Debug, Clone, PartialEq)]
pub struct FinitePolicy {
    actions: usize,
    /// Row-major, states × actions.
    probabilities: Vec<f64>,
}

impl FinitePolicy {
    /// The policy that takes `chosen[s]` in state s.
    ///
    /// # Errors
    /// [`MdpError::Policy`] when there is not one allowed action for each state.
    pub fn deterministic(mdp: &Mdp, chosen: &[usize]) -> Result<Self, MdpError> {
        if chosen.len() != mdp.states() {
            return Err(misfit(format!(
                "{} actions for {} states",
                chosen.len(),
                mdp.states()
            )));
        }
        let mut probabilities = vec![0.0; mdp.states() * mdp.actions()];
        for (state, &action) in chosen.iter().enumerate() {
            if action >= mdp.actions() {
                return Err(misfit(format!(
                    "state {state} has action {action}; there are {}",
                    mdp.actions()
                )));
            }
            probabilities[state * mdp.actions() + action] = 1.0;
        }
        Self::stochastic(mdp, probabilities)
    }

    /// The policy with the given probabilities, states × actions row by row.
    ///
    /// Rows of terminal states are not looked at.
    ///
    /// # Errors
    /// [`MdpError::Policy`] when a row is no distribution over the allowed actions of its state (sum within 1e-9).
    pub fn stochastic(mdp: &Mdp, probabilities: Vec<f64>) -> Result<Self, MdpError> {
        let actions = mdp.actions();
        if probabilities.len() != mdp.states() * actions {
            return Err(misfit(format!(
                "{} probabilities for {} states x {actions} actions",
                probabilities.len(),
                mdp.states()
            )));
        }
        for (state, row) in probabilities.chunks_exact(actions).enumerate() {
            if mdp.is_terminal(state) {
                continue;
            }
            for (action, &p) in row.iter().enumerate() {
                if !(0.0..=1.0 + 1e-9).contains(&p) {
                    return Err(misfit(format!(
                        "state {state}, action {action} has probability {p}"
                    )));
                }
                if p > 0.0 && mdp.mask(state) >> action & 1 == 0 {
                    return Err(misfit(format!(
                        "state {state} takes action {action}, which is masked (allowed: {:#b})",
                        mdp.mask(state)
                    )));
                }
            }
            let sum: f64 = row.iter().sum();
            if (sum - 1.0).abs() > 1e-9 {
                return Err(misfit(format!(
                    "the probabilities of state {state} sum to {sum}"
                )));
            }
        }
        Ok(Self {
            actions,
            probabilities,
        })
    }

    /// The policy that takes each allowed action equally often.
    #[must_use]
    pub fn uniform(mdp: &Mdp) -> Self {
        let mut probabilities = vec![0.0; mdp.states() * mdp.actions()];
        for state in 0..mdp.states() {
            for action in mdp.allowed(state) {
                probabilities[state * mdp.actions() + action] =
                    1.0 / f64::from(mdp.mask(state).count_ones());
            }
        }
        Self {
            actions: mdp.actions(),
            probabilities,
        }
    }

    /// Probabilities of the actions in `state`.
    #[must_use]
    pub fn row(&self, state: usize) -> &[f64] {
        &self.probabilities[state * self.actions..(state + 1) * self.actions]
    }

    pub(super) fn fits(&self, mdp: &Mdp) -> Result<(), MdpError> {
        let states = self.probabilities.len() / self.actions;
        if (states, self.actions) == (mdp.states(), mdp.actions()) {
            return Ok(());
        }
        Err(misfit(format!(
            "it is for {states} states x {} actions, the process has {} x {}",
            self.actions,
            mdp.states(),
            mdp.actions()
        )))
    }
}

fn misfit(reason: String) -> MdpError {
    MdpError::Policy { reason }
}
