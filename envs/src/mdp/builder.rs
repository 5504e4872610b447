//! Every check between the parts of a decision process and an [`Mdp`].

use std::collections::HashMap;

use super::{Mdp, MdpBuilder, MdpError, Row};
use crate::finite::{MAX_ACTIONS, full_mask};

/// How far a distribution's sum may be from one.
const SUM_TOLERANCE: f64 = 1e-9;

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
    use super::super::TransitionRow;
    use super::*;

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
}
