//! The tabular view: 72 states that a manager can read.
//!
//! Complexity 3 × sentiment 2 × load 4 × turn 3, the same cuts offline and online. A table sees nothing else; what it
//! loses is measured by comparing it with the rule and with richer learners.

use serde::{Deserialize, Serialize};

use crate::class::Class;
use crate::observation::{Feature, Observation};

/// Cuts of the tabular view. Every cut is the lowest value of the higher level.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Discretizer {
    /// Sentiment below this is the negative level, in [-1, 1].
    pub sentiment_cut: f32,
    /// Busy shares at which load rises a level: three increasing numbers in (0, 1].
    pub load_cuts: [f32; 3],
    /// Turns at which the turn level rises: two increasing numbers.
    pub turn_cuts: [u32; 2],
}

impl Default for Discretizer {
    fn default() -> Self {
        Self {
            sentiment_cut: -0.2,
            load_cuts: [0.5, 0.75, 0.9],
            turn_cuts: [1, 3],
        }
    }
}

/// Cuts that are not in order or out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct DiscretizerError {
    /// The key in the configuration.
    pub key: &'static str,
    /// The value given.
    pub value: String,
    /// What would be right.
    pub expected: &'static str,
}

/// A state of the table, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    /// Complexity: the class guessed live.
    pub class: Class,
    /// Whether sentiment is at the negative level.
    pub negative: bool,
    /// Load level, 0 to 3.
    pub load: u8,
    /// Turn level, 0 to 2.
    pub turn: u8,
}

impl Discretizer {
    /// States of the table.
    pub const STATES: usize = 3 * 2 * 4 * 3;

    /// Checks the cuts.
    ///
    /// # Errors
    /// [`DiscretizerError`] names the key and what it should be.
    pub fn validate(&self) -> Result<(), DiscretizerError> {
        if !(-1.0..=1.0).contains(&self.sentiment_cut) {
            return Err(DiscretizerError {
                key: "sentiment_cut",
                value: self.sentiment_cut.to_string(),
                expected: "it lies in [-1, 1]",
            });
        }
        let [a, b, c] = self.load_cuts;
        if !(0.0 < a && a < b && b < c && c <= 1.0) {
            return Err(DiscretizerError {
                key: "load_cuts",
                value: format!("{:?}", self.load_cuts),
                expected: "three increasing busy shares in (0, 1]",
            });
        }
        if !(0 < self.turn_cuts[0] && self.turn_cuts[0] < self.turn_cuts[1]) {
            return Err(DiscretizerError {
                key: "turn_cuts",
                value: format!("{:?}", self.turn_cuts),
                expected: "two increasing turn numbers above 0",
            });
        }
        Ok(())
    }

    /// The cell of an observation.
    ///
    /// A table has no column for "unknown", so a missing class counts as complex (neither the cheap nor the alarming
    /// choice), missing sentiment as not negative, missing load as the lowest level and a missing turn as the first.
    /// Load is the larger busy share of the two pools.
    #[must_use]
    pub fn cell(&self, observation: &Observation) -> Cell {
        let busy = [Feature::BusyReview, Feature::BusyHuman]
            .into_iter()
            .filter_map(|feature| observation.get(feature))
            .fold(0.0, f32::max);
        let turn = observation.get(Feature::Turn).unwrap_or(0.0) as u32;
        Cell {
            class: observation.class().unwrap_or(Class::Complex),
            negative: observation
                .get(Feature::Sentiment)
                .is_some_and(|sentiment| sentiment < self.sentiment_cut),
            load: self
                .load_cuts
                .iter()
                .map(|cut| u8::from(busy >= *cut))
                .sum(),
            turn: self
                .turn_cuts
                .iter()
                .map(|cut| u8::from(turn >= *cut))
                .sum(),
        }
    }

    /// Number of an observation's state, below [`Self::STATES`].
    #[must_use]
    pub fn state(&self, observation: &Observation) -> usize {
        self.cell(observation).state()
    }
}

impl Cell {
    /// Number of the state: turn varies fastest, then load, sentiment, complexity.
    #[must_use]
    pub const fn state(self) -> usize {
        ((self.class as usize * 2 + self.negative as usize) * 4 + self.load as usize) * 3
            + self.turn as usize
    }

    /// The cell of a state number below [`Discretizer::STATES`].
    #[must_use]
    pub fn from_state(state: usize) -> Option<Self> {
        Some(Self {
            class: Class::from_index(state / 24)?,
            negative: state / 12 % 2 == 1,
            load: (state / 3 % 4) as u8,
            turn: (state % 3) as u8,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_cells_invert() {
        for state in 0..Discretizer::STATES {
            assert_eq!(Cell::from_state(state).unwrap().state(), state);
        }
        assert_eq!(Cell::from_state(Discretizer::STATES), None);
    }

    #[test]
    fn cuts_belong_to_the_higher_level() {
        let cuts = Discretizer::default();
        let cases = [
            (Feature::BusyHuman, 0.499, 0),
            (Feature::BusyHuman, 0.5, 1),
            (Feature::BusyReview, 0.75, 2),
            (Feature::BusyHuman, 1.0, 3),
        ];
        for (feature, busy, load) in cases {
            let observation = Observation::from_features(&[(feature, busy)]);
            assert_eq!(cuts.cell(&observation).load, load, "{busy}");
        }
        for (turn, level) in [(0.0, 0), (1.0, 1), (2.0, 1), (3.0, 2), (40.0, 2)] {
            let observation = Observation::from_features(&[(Feature::Turn, turn)]);
            assert_eq!(cuts.cell(&observation).turn, level, "{turn}");
        }
    }

    #[test]
    fn unknown_is_placed_as_documented() {
        let cell = Discretizer::default().cell(&Observation::unknown());
        assert_eq!(
            cell,
            Cell {
                class: Class::Complex,
                negative: false,
                load: 0,
                turn: 0
            }
        );
    }

    #[test]
    fn disordered_cuts_are_refused() {
        let bad = [
            Discretizer {
                load_cuts: [0.9, 0.5, 0.95],
                ..Discretizer::default()
            },
            Discretizer {
                turn_cuts: [3, 3],
                ..Discretizer::default()
            },
            Discretizer {
                sentiment_cut: f32::NAN,
                ..Discretizer::default()
            },
        ];
        for cuts in bad {
            assert!(cuts.validate().is_err(), "{cuts:?}");
        }
        assert!(Discretizer::default().validate().is_ok());
    }
}
