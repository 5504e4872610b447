//! Logged steps that are in memory already: conversations of a log, and whatever else is no table.

use super::episodes::{Episodes, Kept, NO_STATE};
use crate::ope::prints::{Fingerprint, Prints};

/// Logged episodes of any length, from which those of any policy are made. The reward may come at the end alone.
///
/// Columns hold one entry a step, in the order of time, episode after episode.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoggedSteps {
    /// Number of actions.
    pub actions: usize,
    /// First step of each episode, and the number of steps: one entry more than there are episodes.
    pub starts: Vec<usize>,
    /// Key of each episode, by which it falls into a fold of cross-fitting.
    pub key: Vec<u64>,
    /// The action taken, below `actions`.
    pub action: Vec<u16>,
    /// The probability with which it was taken, in (0, 1].
    pub propensity: Vec<f64>,
    /// What the step earned, finite.
    pub reward: Vec<f64>,
    /// State of each step, below `states`.
    pub state: Vec<u32>,
    /// Number of states.
    pub states: usize,
}

impl LoggedSteps {
    /// Number of episodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Whether there is no episode.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fingerprint of the steps and of what policies would do at them.
    #[must_use]
    pub fn fingerprint(&self, targets: &[&[f64]]) -> Fingerprint {
        self.prints(targets).fingerprint()
    }

    /// Hashes of the steps and of what policies would do at them.
    pub(crate) fn prints(&self, targets: &[&[f64]]) -> Prints {
        let mut prints = Prints::new(targets.len());
        for (step, action) in self.action.iter().enumerate() {
            let cells = step * self.actions..(step + 1) * self.actions;
            prints.add(
                u64::from(*action),
                self.propensity[step],
                self.reward[step],
                targets.iter().map(|target| &target[cells.clone()]),
            );
        }
        prints
    }

    /// The episodes under a policy whose probabilities are given step after step.
    pub(crate) fn under(&self, target: &[f64]) -> Episodes {
        let steps = self.reward.len();
        let mut logged = vec![0; self.actions];
        for action in &self.action {
            logged[usize::from(*action)] += 1;
        }
        let mut done = vec![false; steps];
        let mut next = vec![NO_STATE; steps];
        for range in self.starts.windows(2) {
            done[range[1] - 1] = true;
            next[range[0]..range[1] - 1].copy_from_slice(&self.state[range[0] + 1..range[1]]);
        }
        let bare = Episodes {
            starts: self.starts.clone(),
            actions: self.actions,
            reward: self.reward.clone(),
            action: self.action.clone(),
            state: self.state.clone(),
            next,
            done,
            states: self.states,
            logged,
            key: self.key.clone(),
            kept: Kept {
                propensity: self.propensity.clone(),
                ..Kept::default()
            },
            ..Episodes::default()
        };
        bare.under(target)
    }
}
