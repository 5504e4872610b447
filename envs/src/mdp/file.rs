//! The JSON format of a finite Markov decision process, and every check between a file and an [`Mdp`].

use std::collections::HashMap;
use std::path::Path;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Mdp, MdpError, Row};
use crate::finite::{MAX_ACTIONS, full_mask};

/// How far a distribution's sum may be from one.
const SUM_TOLERANCE: f64 = 1e-9;

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
    /// Number of actions, 1..=[`MAX_ACTIONS`].
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
        Self::from_json(&text)
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

impl MdpBuilder {
    /// Checks every part and builds the process.
    ///
    /// # Errors
    /// [`MdpError::Value`], [`MdpError::Duplicate`], [`MdpError::Sum`] or [`MdpError::DeadEnd`], naming the row and the value.
    pub fn build(self) -> Result<Mdp, MdpError> {
        let (states, actions) = (self.state_count, self.action_count);
        within("gamma", self.discount, "a number in [0, 1]", |g| {
            (0.0..=1.0).contains(&g)
        })?;
        count("n_states", states, u32::MAX as usize)?;
        count("n_actions", actions, MAX_ACTIONS)?;
        for (key, labels, expected) in [
            ("states", &self.states, states),
            ("actions", &self.actions, actions),
        ] {
            if let Some(labels) = labels
                && labels.len() != expected
            {
                return Err(value(
                    key,
                    format!("a list of {}", labels.len()),
                    format!("one label for each of {expected}"),
                ));
            }
        }
        if self.max_episode_steps == Some(0) {
            return Err(value("max_episode_steps", 0, "at least 1, or no such key"));
        }
        let mut terminal = vec![false; states];
        for (i, &state) in self.terminal.iter().enumerate() {
            let place = || format!("terminal[{i}]");
            known(place, state, states, "state")?;
            if std::mem::replace(&mut terminal[state], true) {
                let first = self.terminal.iter().position(|&s| s == state).unwrap_or(i);
                return Err(duplicate(
                    place(),
                    format!("state {state}"),
                    format!("terminal[{first}]"),
                ));
            }
        }
        distribution("initial", &self.initial, states)?;
        for (i, &(state, _)) in self.initial.iter().enumerate() {
            if terminal[state] {
                return Err(value(
                    format!("initial[{i}]"),
                    format!("terminal state {state}"),
                    "a state in which an episode can start",
                ));
            }
        }

        let empty = Row {
            reward: 0.0,
            elapsed_s: 1.0,
            human_seconds: 0.0,
            first: 0,
            len: 0,
        };
        let mut rows = vec![empty; states * actions];
        let mut masks = vec![0_u32; states];
        let mut seen: HashMap<(usize, usize), usize> = HashMap::new();
        let mut lists: Vec<&[(usize, f64)]> = vec![&[]; states * actions];
        for (i, row) in self.transitions.iter().enumerate() {
            let (s, a) = (row.state, row.action);
            let place = |part: &str| format!("transitions[{i}]{part}");
            known(|| place("[0]"), s, states, "state")?;
            known(|| place("[1]"), a, actions, "action")?;
            if let Some(first) = seen.insert((s, a), i) {
                return Err(duplicate(
                    place(""),
                    format!("state {s}, action {a}"),
                    format!("transitions[{first}]"),
                ));
            }
            if terminal[s] {
                return Err(value(
                    place("[0]"),
                    format!("terminal state {s}"),
                    "a state that is not terminal; drop the row or the entry in `terminal`",
                ));
            }
            within(&place("[2]"), row.reward, "a finite reward", f64::is_finite)?;
            within(&place("[4]"), row.elapsed_s, "positive seconds", |x| {
                x > 0.0 && x.is_finite()
            })?;
            within(
                &place("[5]"),
                row.human_seconds,
                "seconds, not negative",
                |x| x >= 0.0 && x.is_finite(),
            )?;
            distribution(&place("[3]"), &row.next, states)?;
            masks[s] |= 1 << a;
            lists[s * actions + a] = &row.next;
            rows[s * actions + a] = Row {
                reward: row.reward,
                elapsed_s: row.elapsed_s,
                human_seconds: row.human_seconds,
                ..empty
            };
        }
        let mut outcomes = Vec::new();
        for (row, list) in rows.iter_mut().zip(lists) {
            row.first = outcomes.len();
            row.len = list.len();
            outcomes.extend_from_slice(list);
        }
        for state in 0..states {
            if terminal[state] {
                masks[state] = full_mask(actions);
            } else if masks[state] == 0 {
                return Err(MdpError::DeadEnd { state });
            }
        }
        Ok(Mdp {
            states,
            actions,
            discount: self.discount,
            initial: self.initial,
            terminal,
            masks,
            rows,
            outcomes,
            max_episode_steps: self.max_episode_steps,
        })
    }
}

fn value(place: impl Into<String>, value: impl ToString, expected: impl Into<String>) -> MdpError {
    MdpError::Value {
        place: place.into(),
        value: value.to_string(),
        expected: expected.into(),
    }
}

fn duplicate(place: String, what: String, first: String) -> MdpError {
    MdpError::Duplicate { place, what, first }
}

fn within(
    place: &str,
    x: f64,
    expected: &str,
    holds: impl Fn(f64) -> bool,
) -> Result<(), MdpError> {
    if holds(x) {
        Ok(())
    } else {
        Err(value(place, x, expected))
    }
}

fn count(key: &str, n: usize, limit: usize) -> Result<(), MdpError> {
    if (1..=limit).contains(&n) {
        Ok(())
    } else {
        Err(value(key, n, format!("a whole number in 1..={limit}")))
    }
}

fn known(place: impl Fn() -> String, id: usize, count: usize, kind: &str) -> Result<(), MdpError> {
    if id < count {
        Ok(())
    } else {
        Err(value(
            place(),
            id,
            format!("a known {kind}, 0..={}", count - 1),
        ))
    }
}

/// Checks a list of (state, probability): not empty, known states, none twice, each probability in (0, 1], sum 1.
fn distribution(place: &str, list: &[(usize, f64)], states: usize) -> Result<(), MdpError> {
    if list.is_empty() {
        return Err(value(place, "empty", "at least one [state, probability]"));
    }
    let mut first_at: HashMap<usize, usize> = HashMap::with_capacity(list.len());
    for (j, &(state, probability)) in list.iter().enumerate() {
        known(|| format!("{place}[{j}][0]"), state, states, "state")?;
        within(
            &format!("{place}[{j}][1]"),
            probability,
            "a probability in (0, 1]; leave impossible states out",
            |p| p > 0.0 && p <= 1.0,
        )?;
        if let Some(first) = first_at.insert(state, j) {
            return Err(duplicate(
                format!("{place}[{j}]"),
                format!("state {state}"),
                format!("{place}[{first}]"),
            ));
        }
    }
    let sum: f64 = list.iter().map(|&(_, p)| p).sum();
    if (sum - 1.0).abs() > SUM_TOLERANCE {
        return Err(MdpError::Sum {
            place: place.to_owned(),
            sum,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn two_states() -> MdpBuilder {
        MdpBuilder {
            discount: 0.9,
            state_count: 2,
            action_count: 2,
            initial: vec![(0, 1.0)],
            transitions: vec![
                TransitionRow::new(0, 0, 1.0, vec![(0, 0.5), (1, 0.5)]),
                TransitionRow::new(0, 1, 0.0, vec![(1, 1.0)]),
                TransitionRow::new(1, 0, 0.0, vec![(0, 1.0)]),
            ],
            ..MdpBuilder::default()
        }
    }

    #[test]
    fn absent_rows_are_masked() {
        let mdp = two_states().build().unwrap();
        assert_eq!(mdp.masks(), [0b11, 0b01]);
        assert_eq!(mdp.outcomes(0, 0), [(0, 0.5), (1, 0.5)]);
        assert!(mdp.outcomes(1, 1).is_empty());
    }

    #[test]
    fn each_fault_is_named_with_its_place_and_value() {
        type Fault = fn(&mut MdpBuilder);
        let cases: [(Fault, &str); 20] = [
            (
                |m| m.discount = 1.2,
                "`gamma` is 1.2; expected a number in [0, 1]",
            ),
            (
                |m| m.discount = f64::NAN,
                "`gamma` is NaN; expected a number in [0, 1]",
            ),
            (
                |m| m.state_count = 0,
                "`n_states` is 0; expected a whole number in 1..=4294967295",
            ),
            (
                |m| m.action_count = 33,
                "`n_actions` is 33; expected a whole number in 1..=32",
            ),
            (
                |m| m.initial.clear(),
                "`initial` is empty; expected at least one [state, probability]",
            ),
            (
                |m| m.initial = vec![(2, 1.0)],
                "`initial[0][0]` is 2; expected a known state, 0..=1",
            ),
            (
                |m| m.initial = vec![(0, 0.4)],
                "`initial`: the probabilities sum to 0.4; they must sum to 1 within 1e-9",
            ),
            (
                |m| m.terminal = vec![5],
                "`terminal[0]` is 5; expected a known state, 0..=1",
            ),
            (
                |m| m.terminal = vec![0],
                "`initial[0]` is terminal state 0; expected a state in which an episode can start",
            ),
            (
                |m| m.terminal = vec![1, 1],
                "`terminal[1]` repeats state 1, first given by `terminal[0]`; keep one of them",
            ),
            (
                |m| m.terminal = vec![1],
                "`transitions[2][0]` is terminal state 1; expected a state that is not terminal; drop the row or the entry in `terminal`",
            ),
            (
                |m| m.transitions[2].action = 2,
                "`transitions[2][1]` is 2; expected a known action, 0..=1",
            ),
            (
                |m| m.transitions[1].action = 0,
                "`transitions[1]` repeats state 0, action 0, first given by `transitions[0]`; keep one of them",
            ),
            (
                |m| m.transitions[0].reward = f64::INFINITY,
                "`transitions[0][2]` is inf; expected a finite reward",
            ),
            (
                |m| m.transitions[0].next[1].1 = 0.5 + 1e-8,
                "`transitions[0][3]`: the probabilities sum to 1.00000001; they must sum to 1 within 1e-9",
            ),
            (
                |m| m.transitions[0].next[1].0 = 0,
                "`transitions[0][3][1]` repeats state 0, first given by `transitions[0][3][0]`; keep one of them",
            ),
            (
                |m| m.transitions[0].next[0].1 = -0.5,
                "`transitions[0][3][0][1]` is -0.5; expected a probability in (0, 1]; leave impossible states out",
            ),
            (
                |m| m.transitions[0].elapsed_s = 0.0,
                "`transitions[0][4]` is 0; expected positive seconds",
            ),
            (
                |m| m.max_episode_steps = Some(0),
                "`max_episode_steps` is 0; expected at least 1, or no such key",
            ),
            (
                |m| drop(m.transitions.pop()),
                "state 1 has no transition and is not terminal; add a row [1, action, reward, [[next, probability]]] or list it under `terminal`",
            ),
        ];
        for (fault, message) in cases {
            let mut builder = two_states();
            fault(&mut builder);
            assert_eq!(builder.build().unwrap_err().to_string(), message);
        }
    }

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
