//! A log of transitions, checked once and packed for sweeping.

use tierwise_envs::finite::{MAX_ACTIONS, full_mask};

use crate::tabular::LearnError;

/// The columns of a logged table, one entry per transition, in the order in which they happened.
#[derive(Debug, Clone, Copy)]
pub struct LoggedColumns<'a> {
    /// State acted in.
    pub state: &'a [u32],
    /// Action taken, from 0.
    pub action: &'a [u8],
    /// Reward, in reward units.
    pub reward: &'a [f32],
    /// State that followed; any known one where `done`.
    pub next_state: &'a [u32],
    /// Whether the process ended with this transition, so that nothing is bootstrapped.
    pub done: &'a [bool],
}

/// A checked log, ready for [`sweep`](super::sweep).
///
/// Rows take 8 bytes (16 where states × actions, rounded up to a power of two, exceeds 65,536): the reward, the place of
/// Q(s, a) and the row of s′ in a table whose row of the state after the last is zero. Done transitions point to that row, so
/// they bootstrap from 0 without a branch.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedTransitions {
    pub(super) states: usize,
    pub(super) actions: usize,
    pub(super) masks: Option<Vec<u32>>,
    pub(super) rows: Rows,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rows {
    Narrow(Vec<Row<u16>>),
    Wide(Vec<Row<u32>>),
}

/// One packed transition; `pair` = state × stride + action, `next` a row number.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C)]
pub(super) struct Row<I> {
    pub(super) reward: f32,
    pub(super) pair: I,
    pub(super) next: I,
}

/// Table entries that a u16 can address.
pub(super) const NARROW_ENTRIES: usize = 1 << 16;

impl LoggedTransitions {
    /// Checks and packs the columns of a log over `states` states and `actions` actions.
    ///
    /// # Errors
    /// [`LearnError::Shape`], [`LearnError::Columns`] for columns of different length, [`LearnError::Transition`] naming row and
    /// column of a value out of range.
    pub fn new(states: usize, actions: usize, columns: LoggedColumns) -> Result<Self, LearnError> {
        Self::build(states, actions, None, columns)
    }

    /// As [`LoggedTransitions::new`], with the allowed actions of each state as bits; bootstrapping keeps to them.
    ///
    /// # Errors
    /// Also [`LearnError::Masks`], [`LearnError::NothingAllowed`], and [`LearnError::Transition`] for a logged action that is masked.
    pub fn with_masks(
        states: usize,
        actions: usize,
        masks: &[u32],
        columns: LoggedColumns,
    ) -> Result<Self, LearnError> {
        if masks.len() != states {
            return Err(LearnError::Masks {
                have: masks.len(),
                states,
            });
        }
        if actions == 0 || actions > MAX_ACTIONS {
            return Err(LearnError::Shape { states, actions });
        }
        let full = full_mask(actions);
        if let Some(state) = masks.iter().position(|mask| mask & full == 0) {
            return Err(LearnError::NothingAllowed { state });
        }
        let masks: Vec<u32> = masks.iter().map(|mask| mask & full).collect();
        let restricts = masks.iter().any(|&mask| mask != full);
        Self::build(states, actions, restricts.then_some(masks), columns)
    }

    fn build(
        states: usize,
        actions: usize,
        masks: Option<Vec<u32>>,
        columns: LoggedColumns,
    ) -> Result<Self, LearnError> {
        if states == 0 || actions == 0 || actions > MAX_ACTIONS || states >= 1 << 26 {
            return Err(LearnError::Shape { states, actions });
        }
        let LoggedColumns {
            state,
            action,
            reward,
            next_state,
            done,
        } = columns;
        let lengths = [
            ("action", action.len()),
            ("reward", reward.len()),
            ("next_state", next_state.len()),
            ("done", done.len()),
        ];
        for (column, have) in lengths {
            if have != state.len() {
                return Err(LearnError::Columns {
                    column,
                    have,
                    want: state.len(),
                });
            }
        }
        let stride = actions.next_power_of_two();
        let mut rows = Vec::with_capacity(state.len());
        for row in 0..state.len() {
            let (s, a, next) = (
                state[row] as usize,
                usize::from(action[row]),
                next_state[row] as usize,
            );
            let fail = |column, value: String, expected: String| {
                Err(LearnError::Transition {
                    row,
                    column,
                    value,
                    expected,
                })
            };
            for (column, s) in [("state", s), ("next_state", next)] {
                if s >= states {
                    return fail(column, s.to_string(), format!("0..={}", states - 1));
                }
            }
            if a >= actions {
                return fail("action", a.to_string(), format!("0..={}", actions - 1));
            }
            if let Some(masks) = &masks
                && masks[s] >> a & 1 == 0
            {
                return fail(
                    "action",
                    a.to_string(),
                    format!("a set bit of the mask {:#b} of state {s}", masks[s]),
                );
            }
            if !reward[row].is_finite() {
                return fail(
                    "reward",
                    reward[row].to_string(),
                    "a finite number".to_owned(),
                );
            }
            let next = if done[row] { states } else { next };
            rows.push(Row {
                reward: reward[row],
                pair: (s * stride + a) as u32,
                next: next as u32,
            });
        }
        let rows = if (states + 1) * stride <= NARROW_ENTRIES {
            let narrow = |row: Row<u32>| Row {
                reward: row.reward,
                pair: row.pair as u16,
                next: row.next as u16,
            };
            Rows::Narrow(rows.into_iter().map(narrow).collect())
        } else {
            Rows::Wide(rows)
        };
        Ok(Self {
            states,
            actions,
            masks,
            rows,
        })
    }

    /// Number of transitions.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Narrow(rows) => rows.len(),
            Rows::Wide(rows) => rows.len(),
        }
    }

    /// Whether there is no transition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

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
}
