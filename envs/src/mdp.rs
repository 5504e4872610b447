//! Finite Markov decision processes: read from a file, sampled as an environment, solved exactly.
//!
//! This module owns the numbers of a finite (semi-)Markov decision process and every exact answer about it: values, optimal
//! and myopic policies, stationary distributions, average rewards. Learned policies are checked against these answers; the
//! learners live in the policies crate.

mod alias;
mod average;
mod builder;
mod chain;
mod environment;
mod error;
mod file;
#[cfg(test)]
mod fixture;
pub(crate) mod linear;
mod policy;
pub mod textbook;
mod value;

pub use average::AverageOptimum;
pub use environment::{MdpEnv, MdpPosition};
pub use error::MdpError;
pub use file::{MdpBuilder, TransitionRow};
pub use policy::FinitePolicy;
pub use value::Optimum;

/// A finite Markov decision process: for each allowed pair (s, a) an expected reward and a distribution of next states.
///
/// Rows may also carry the expected seconds until the next decision (1 when absent), which makes it a semi-Markov process
/// whose average reward is per second, and expected human seconds (0 when absent). A pair without a row is masked. A
/// terminal state has no rows; its value is 0.
///
/// Built by [`Mdp::from_json`] or [`MdpBuilder`], both of which check everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Mdp {
    states: usize,
    actions: usize,
    discount: f64,
    initial: Vec<(usize, f64)>,
    terminal: Vec<bool>,
    masks: Vec<u32>,
    /// Row of pair (s, a) at `s * actions + a`; masked pairs keep zeros and an empty range.
    rows: Vec<Row>,
    outcomes: Vec<(usize, f64)>,
    max_episode_steps: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Row {
    reward: f64,
    elapsed_s: f64,
    human_seconds: f64,
    first: usize,
    len: usize,
}

impl Mdp {
    /// Number of states.
    #[must_use]
    pub fn states(&self) -> usize {
        self.states
    }

    /// Number of actions.
    #[must_use]
    pub fn actions(&self) -> usize {
        self.actions
    }

    /// The file's own discount per step, in [0, 1].
    #[must_use]
    pub fn discount(&self) -> f64 {
        self.discount
    }

    /// Start states with their probabilities, which sum to one.
    #[must_use]
    pub fn initial(&self) -> &[(usize, f64)] {
        &self.initial
    }

    /// Whether an episode ends on entering `state`.
    #[must_use]
    pub fn is_terminal(&self, state: usize) -> bool {
        self.terminal[state]
    }

    /// Whether the process has any terminal state.
    #[must_use]
    pub fn is_episodic(&self) -> bool {
        self.terminal.iter().any(|&terminal| terminal)
    }

    /// Allowed actions of `state` as bits; a terminal state shows all, as nothing is chosen there.
    #[must_use]
    pub fn mask(&self, state: usize) -> u32 {
        self.masks[state]
    }

    /// [`mask`](Self::mask) of every state.
    #[must_use]
    pub fn masks(&self) -> &[u32] {
        &self.masks
    }

    /// Expected reward of an allowed pair.
    #[must_use]
    pub fn reward(&self, state: usize, action: usize) -> f64 {
        self.row(state, action).reward
    }

    /// Expected seconds until the next decision after an allowed pair.
    #[must_use]
    pub fn elapsed_s(&self, state: usize, action: usize) -> f64 {
        self.row(state, action).elapsed_s
    }

    /// Expected human seconds an allowed pair takes up.
    #[must_use]
    pub fn human_seconds(&self, state: usize, action: usize) -> f64 {
        self.row(state, action).human_seconds
    }

    /// Next states of an allowed pair with their probabilities; empty for a masked pair.
    #[must_use]
    pub fn outcomes(&self, state: usize, action: usize) -> &[(usize, f64)] {
        let row = self.row(state, action);
        &self.outcomes[row.first..row.first + row.len]
    }

    /// Steps after which an episode is truncated, when the problem has such a limit. Exact solutions ignore it.
    #[must_use]
    pub fn max_episode_steps(&self) -> Option<u64> {
        self.max_episode_steps
    }

    /// The allowed actions of `state`, in rising order.
    pub fn allowed(&self, state: usize) -> impl Iterator<Item = usize> + use<> {
        let mask = self.masks[state];
        (0..self.actions).filter(move |&action| mask >> action & 1 == 1)
    }

    /// The policy that takes the highest immediate reward in each state; ties go to the lowest action.
    ///
    /// This is what a learner arrives at that ends the episode with each decision.
    #[must_use]
    pub fn myopic_policy(&self) -> Vec<usize> {
        (0..self.states)
            .map(|state| {
                let mut best = (
                    self.mask(state).trailing_zeros() as usize,
                    f64::NEG_INFINITY,
                );
                for action in self.allowed(state) {
                    if self.reward(state, action) > best.1 {
                        best = (action, self.reward(state, action));
                    }
                }
                best.0
            })
            .collect()
    }

    fn row(&self, state: usize, action: usize) -> &Row {
        &self.rows[state * self.actions + action]
    }
}
