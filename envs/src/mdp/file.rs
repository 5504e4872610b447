//! The JSON format of a finite Markov decision process.

use std::path::Path;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Mdp, MdpError};

/// One row of a decision process: what follows action `action` in state `state`.
///
/// In JSON `[state, action, reward, [[next_state, probability], ...]]`, optionally followed by the seconds until the next
/// decision and by the human seconds taken up.
#[derive(Debug, Clone, PartialEq)]
pub struct TransitionRow {
    /// State acted in.
    pub state: usize,
    /// Action taken.
    pub action: usize,
    /// Expected reward, in reward units.
    pub reward: f64,
    /// Next states and their probabilities.
    pub next: Vec<(usize, f64)>,
    /// Expected seconds until the next decision; positive.
    pub elapsed_s: f64,
    /// Expected human seconds; not negative.
    pub human_seconds: f64,
}

impl TransitionRow {
    /// A row of one second and no human time.
    #[must_use]
    pub fn new(state: usize, action: usize, reward: f64, next: Vec<(usize, f64)>) -> Self {
        Self {
            state,
            action,
            reward,
            next,
            elapsed_s: 1.0,
            human_seconds: 0.0,
        }
    }
}

impl<'de> Deserialize<'de> for TransitionRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RowVisitor;
        impl<'de> Visitor<'de> for RowVisitor {
            type Value = TransitionRow;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("[state, action, reward, [[next_state, probability], ...], elapsed_s?, human_seconds?]")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TransitionRow, A::Error> {
                let short = |len| A::Error::invalid_length(len, &self);
                let state = seq.next_element()?.ok_or_else(|| short(0))?;
                let action = seq.next_element()?.ok_or_else(|| short(1))?;
                let reward = seq.next_element()?.ok_or_else(|| short(2))?;
                let next = seq.next_element()?.ok_or_else(|| short(3))?;
                let mut row = TransitionRow::new(state, action, reward, next);
                if let Some(elapsed_s) = seq.next_element()? {
                    row.elapsed_s = elapsed_s;
                }
                if let Some(human_seconds) = seq.next_element()? {
                    row.human_seconds = human_seconds;
                }
                if seq.next_element::<serde::de::IgnoredAny>()?.is_some() {
                    return Err(short(7));
                }
                Ok(row)
            }
        }
        deserializer.deserialize_seq(RowVisitor)
    }
}

impl Serialize for TransitionRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (state, action) = (self.state, self.action);
        if self.elapsed_s == 1.0 && self.human_seconds == 0.0 {
            (state, action, self.reward, &self.next).serialize(serializer)
        } else {
            (
                state,
                action,
                self.reward,
                &self.next,
                self.elapsed_s,
                self.human_seconds,
            )
                .serialize(serializer)
        }
    }
}

/// The parts of a decision process before they are checked; the shape of its JSON file.
///
/// `states`, `state_meaning`, `actions`, `name`, `notes` and `transitions_format` are for the reader only and not used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MdpBuilder {
    /// Discount per step, in [0, 1].
    #[serde(rename = "gamma")]
    pub discount: f64,
    /// Number of states.
    #[serde(rename = "n_states")]
    pub state_count: usize,
    /// Number of actions, 1..=[`MAX_ACTIONS`](crate::finite::MAX_ACTIONS).
    #[serde(rename = "n_actions")]
    pub action_count: usize,
    /// Start states with their probabilities.
    pub initial: Vec<(usize, f64)>,
    /// States that end an episode.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub terminal: Vec<usize>,
    /// Steps after which an episode is truncated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_episode_steps: Option<u64>,
    /// A label per state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub states: Option<Vec<serde_json::Value>>,
    /// What the labels' parts mean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state_meaning: Option<serde_json::Value>,
    /// A label per action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions: Option<Vec<serde_json::Value>>,
    /// What the problem is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Anything worth knowing about the problem.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
    /// A reminder of the row format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transitions_format: Option<String>,
    /// One row per allowed pair; a pair without a row is masked.
    pub transitions: Vec<TransitionRow>,
}

impl Mdp {
    /// Reads a decision process from a JSON file.
    ///
    /// # Errors
    /// [`MdpError::Read`] when the file cannot be read, else as [`Mdp::from_json`].
    pub fn from_path(path: &Path) -> Result<Self, MdpError> {
        let text = std::fs::read_to_string(path).map_err(|source| MdpError::Read {
            path: path.display().to_string(),
            source,
        })?;
        Self::from_json(&text).map_err(|source| MdpError::InFile {
            path: path.display().to_string(),
            source: Box::new(source),
        })
    }

    /// Reads a decision process from JSON text; the keys are those of [`MdpBuilder`].
    ///
    /// # Errors
    /// [`MdpError::Format`] with line and column for text that is not of this shape, else as [`MdpBuilder::build`].
    pub fn from_json(text: &str) -> Result<Self, MdpError> {
        serde_json::from_str::<MdpBuilder>(text)
            .map_err(|source| MdpError::Format { source })?
            .build()
    }

    /// Writes the process as JSON that [`Mdp::from_json`] reads back as an equal value; labels are not kept.
    #[must_use]
    pub fn to_json(&self) -> String {
        let pairs = (0..self.states).flat_map(|s| (0..self.actions).map(move |a| (s, a)));
        let builder = MdpBuilder {
            discount: self.discount,
            state_count: self.states,
            action_count: self.actions,
            initial: self.initial.clone(),
            terminal: (0..self.states).filter(|&s| self.terminal[s]).collect(),
            max_episode_steps: self.max_episode_steps,
            transitions: pairs
                .filter(|&(s, a)| !self.outcomes(s, a).is_empty())
                .map(|(state, action)| TransitionRow {
                    state,
                    action,
                    reward: self.reward(state, action),
                    next: self.outcomes(state, action).to_vec(),
                    elapsed_s: self.elapsed_s(state, action),
                    human_seconds: self.human_seconds(state, action),
                })
                .collect(),
            ..MdpBuilder::default()
        };
        serde_json::to_string(&builder).expect("numbers, strings and lists always serialise")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_of_another_shape_is_refused_with_line_and_column() {
        let cases = [
            ("{\"gamma\": 0.9}", "missing field `n_states` at line 1"),
            ("{\"gama\": 0.9}", "unknown field `gama`"),
            (
                "{\"gamma\": 0.9, \"n_states\": -1}",
                "invalid value: integer `-1`, expected usize at line 1",
            ),
            (
                "{\"transitions\": [\n[0, 0, 1.0]]}",
                "invalid length 3, expected [state, action, reward, [[next_state",
            ),
        ];
        for (text, message) in cases {
            let error = Mdp::from_json(text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_semi_markov_row_keeps_its_seconds() {
        let text = r#"{"gamma": 1, "n_states": 1, "n_actions": 2, "initial": [[0, 1]],
            "transitions": [[0, 0, 1, [[0, 1]], 2.5], [0, 1, 1, [[0, 1]], 2.5, 30]]}"#;
        let mdp = Mdp::from_json(text).unwrap();
        assert_eq!((mdp.elapsed_s(0, 0), mdp.human_seconds(0, 0)), (2.5, 0.0));
        assert_eq!((mdp.elapsed_s(0, 1), mdp.human_seconds(0, 1)), (2.5, 30.0));
    }

    proptest! {
        #[test]
        fn save_then_load_is_identity(
            weights in proptest::collection::vec((0.01_f64..1.0, -5.0_f64..5.0, 0.1_f64..9.0), 12),
            discount in 0.0_f64..=1.0,
            steps in proptest::option::of(1_u64..500),
        ) {
            let rows = weights.iter().enumerate().map(|(i, &(p, reward, seconds))| TransitionRow {
                elapsed_s: seconds,
                human_seconds: seconds * p,
                ..TransitionRow::new(i / 3, i % 3, reward, vec![(i % 5, p), ((i + 1) % 5, 1.0 - p)])
            });
            let mdp = MdpBuilder {
                discount,
                state_count: 5,
                action_count: 3,
                initial: vec![(1, 1.0)],
                terminal: vec![4],
                max_episode_steps: steps,
                transitions: rows.collect(),
                ..MdpBuilder::default()
            }.build().unwrap();
            prop_assert_eq!(Mdp::from_json(&mdp.to_json()).unwrap(), mdp);
        }
    }
}
