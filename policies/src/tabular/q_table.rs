//! Action values by number of state and action, with how often each was learned from.

use serde::{Deserialize, Serialize};

use super::error::LearnError;

/// Q(s, a) for every pair, in f64, row by row: the value of pair (s, a) lies at `s * actions + a`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "RawTable")]
pub struct QTable {
    states: usize,
    actions: usize,
    values: Vec<f64>,
    visits: Vec<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    states: usize,
    actions: usize,
    values: Vec<f64>,
    visits: Vec<u64>,
}

impl TryFrom<RawTable> for QTable {
    type Error = LearnError;

    fn try_from(raw: RawTable) -> Result<Self, LearnError> {
        let mut table = Self::new(raw.states, raw.actions, 0.0)?;
        for (part, have) in [("values", raw.values.len()), ("visits", raw.visits.len())] {
            if have != table.values.len() {
                return Err(LearnError::TableSize {
                    part,
                    have,
                    states: raw.states,
                    actions: raw.actions,
                });
            }
        }
        (table.values, table.visits) = (raw.values, raw.visits);
        Ok(table)
    }
}

impl QTable {
    /// A table with one value everywhere; high values make a greedy learner try everything (optimistic initialisation).
    ///
    /// # Errors
    /// [`LearnError::Shape`] unless there is a state and 1..=32 actions.
    pub fn new(states: usize, actions: usize, initial_value: f64) -> Result<Self, LearnError> {
        let entries = states
            .checked_mul(actions)
            .filter(|_| actions <= tierwise_envs::finite::MAX_ACTIONS);
        match entries {
            Some(entries) if entries > 0 && u32::try_from(entries).is_ok() => Ok(Self {
                states,
                actions,
                values: vec![initial_value; entries],
                visits: vec![0; entries],
            }),
            _ => Err(LearnError::Shape { states, actions }),
        }
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

    /// Q(s, ·).
    #[must_use]
    #[inline]
    pub fn row(&self, state: usize) -> &[f64] {
        let first = state * self.actions;
        &self.values[first..first + self.actions]
    }

    /// All values, row by row.
    #[must_use]
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All values, to be changed in place.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// How many updates each pair has had, row by row.
    #[must_use]
    pub fn visits(&self) -> &[u64] {
        &self.visits
    }

    /// The allowed action of highest value in `state`; ties go to the lowest. `mask` has a bit per allowed action, at least one.
    #[must_use]
    #[inline]
    pub fn greedy_action(&self, state: usize, mask: u32) -> usize {
        self.best(state, mask).0
    }

    /// max Q(s, a) over the allowed actions.
    #[must_use]
    #[inline]
    pub fn max(&self, state: usize, mask: u32) -> f64 {
        self.best(state, mask).1
    }

    /// The greedy action of each state under `masks`, one mask per state.
    ///
    /// # Errors
    /// [`LearnError::Masks`] when there are not as many masks as states, or one allows nothing.
    pub fn greedy(&self, masks: &[u32]) -> Result<Vec<usize>, LearnError> {
        let full = tierwise_envs::finite::full_mask(self.actions);
        if masks.len() != self.states {
            return Err(LearnError::Masks {
                have: masks.len(),
                states: self.states,
            });
        }
        masks
            .iter()
            .enumerate()
            .map(|(state, mask)| match mask & full {
                0 => Err(LearnError::NothingAllowed { state }),
                mask => Ok(self.greedy_action(state, mask)),
            })
            .collect()
    }

    #[inline]
    pub(super) fn best(&self, state: usize, mask: u32) -> (usize, f64) {
        let row = self.row(state);
        let mut best = (mask.trailing_zeros() as usize, f64::NEG_INFINITY);
        for (action, &value) in row.iter().enumerate() {
            if mask >> action & 1 == 1 && value > best.1 {
                best = (action, value);
            }
        }
        best
    }

    #[inline]
    pub(super) fn value(&self, state: usize, action: usize) -> f64 {
        self.values[state * self.actions + action]
    }

    #[inline]
    pub(super) fn entry(&mut self, state: usize, action: usize) -> &mut f64 {
        &mut self.values[state * self.actions + action]
    }

    /// Counts a visit and returns how many there have been, this one included.
    #[inline]
    pub(super) fn visit(&mut self, state: usize, action: usize) -> u64 {
        let count = &mut self.visits[state * self.actions + action];
        *count += 1;
        *count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greedy_respects_the_mask_and_prefers_low_numbers() {
        let mut table = QTable::new(2, 3, 0.0).unwrap();
        table
            .values_mut()
            .copy_from_slice(&[1.0, 3.0, 2.0, 5.0, 5.0, -1.0]);
        assert_eq!(table.greedy(&[0b111, 0b111]).unwrap(), [1, 0]);
        assert_eq!(table.greedy(&[0b101, 0b110]).unwrap(), [2, 1]);
        assert_eq!(table.max(1, 0b100), -1.0);
        assert!(matches!(
            table.greedy(&[0b111]),
            Err(LearnError::Masks { have: 1, states: 2 })
        ));
        assert!(matches!(
            table.greedy(&[0b111, 0b1000]),
            Err(LearnError::NothingAllowed { state: 1 })
        ));
    }

    #[test]
    fn shapes_are_checked_when_made_and_when_read() {
        for (states, actions) in [(0, 3), (3, 0), (3, 33), (usize::MAX, 2)] {
            assert!(matches!(
                QTable::new(states, actions, 0.0),
                Err(LearnError::Shape { .. })
            ));
        }
        let text = r#"{"states":2,"actions":2,"values":[1,2,3],"visits":[0,0,0,0]}"#;
        let error = serde_json::from_str::<QTable>(text)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("`values` has 3 entries; 2 states x 2 actions need 4"),
            "{error}"
        );
    }
}
