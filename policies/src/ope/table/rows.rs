//! A run of rows as columns, each row checked as it enters.

use super::error::Fault;
use super::header::{Header, Role};

/// Which columns a computation reads; the others are passed over without being parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// `q0`, `q1`, ….
    pub model: bool,
    /// `x0`, `x1`, ….
    pub features: bool,
    /// `NAME:pi0`, ….
    pub candidates: bool,
    /// `episode`, `t`, `done`.
    pub sequence: bool,
    /// `state`, `next_state`.
    pub states: bool,
    /// `class`.
    pub classes: bool,
    /// `mask0`, `mask1`, ….
    pub masks: bool,
}

impl Wanted {
    /// What either reads.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            model: self.model || other.model,
            features: self.features || other.features,
            candidates: self.candidates || other.candidates,
            sequence: self.sequence || other.sequence,
            states: self.states || other.states,
            classes: self.classes || other.classes,
            masks: self.masks || other.masks,
        }
    }

    pub(crate) const fn takes(self, role: Role) -> bool {
        match role {
            Role::Action | Role::Propensity | Role::Reward | Role::Target(_) | Role::Unit => true,
            Role::Model(_) => self.model,
            Role::Feature(_) => self.features,
            Role::Candidate(..) => self.candidates,
            Role::Episode | Role::Time | Role::Done => self.sequence,
            Role::State | Role::NextState => self.states,
            Role::Class => self.classes,
            Role::Mask(_) => self.masks,
        }
    }
}

/// Key of a state, an episode or a unit that is not given.
pub const MISSING: u64 = u64::MAX;

/// Consecutive rows. Columns that were not wanted or are not in the table are empty.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Number of the run, which depends on the file alone.
    pub run: u64,
    /// Action taken, below the number of actions.
    pub action: Vec<u16>,
    /// Probability with which the logging policy took it, in (0, 1].
    pub propensity: Vec<f64>,
    /// Reward, finite.
    pub reward: Vec<f64>,
    /// Target policy's probabilities, row after row; they sum to one.
    pub target: Vec<f64>,
    /// The reward model's values, row after row; NaN where a cell is empty.
    pub model: Vec<f64>,
    /// Features, row after row.
    pub features: Vec<f64>,
    /// Probabilities of each candidate in turn, its rows one after the other.
    pub candidates: Vec<Vec<f64>>,
    /// Key of the episode.
    pub episode: Vec<u64>,
    /// Step in the episode.
    pub time: Vec<u32>,
    /// Whether the episode ended here for good.
    pub done: Vec<bool>,
    /// Key of the state.
    pub state: Vec<u64>,
    /// Key of the next state, [`MISSING`] where the cell is empty.
    pub next_state: Vec<u64>,
    /// Key of the unit.
    pub unit: Vec<u64>,
    /// Key of the class, [`MISSING`] where the cell is empty.
    pub class: Vec<u64>,
    /// Names of the first groups of the run whose keys do not show them.
    pub(crate) names: Vec<(u64, String)>,
    /// Whether each action was allowed, row after row; the action taken was.
    pub mask: Vec<bool>,
}

/// Names that a run of rows keeps; no overview shows more groups.
const MOST_NAMES: usize = 64;

/// How far target probabilities may sum away from one: tables round to three or more digits.
const SUM_TOLERANCE: f64 = 1e-3;

impl Rows {
    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.action.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.action.is_empty()
    }

    /// Takes a number that is not empty.
    #[inline]
    pub(crate) fn number(&mut self, role: Role, value: f64) -> Result<(), Fault> {
        match role {
            Role::Action => {
                let action = whole(value).filter(|a| *a <= u64::from(u16::MAX));
                let Some(action) = action else {
                    return Err(Fault::new(
                        "action",
                        format!("is {value}"),
                        "actions are whole numbers from 0",
                    ));
                };
                self.action.push(action as u16);
            }
            Role::Propensity => {
                if !(value > 0.0 && value <= 1.0) {
                    return Err(Fault::new(
                        "propensity",
                        format!("is {value}; a propensity lies above 0 and at most at 1"),
                        "log the probability with which the action was taken; rows of unknown probability cannot be weighted",
                    ));
                }
                self.propensity.push(value);
            }
            Role::Reward => {
                if !value.is_finite() {
                    return Err(Fault::new(
                        "reward",
                        format!("is {value}"),
                        "a reward is a finite number; leave out rows whose outcome is unknown",
                    ));
                }
                self.reward.push(value);
            }
            Role::Target(k) => {
                // A rounding error of a softmax is no mistake.
                if !(-1e-9..=1.0 + 1e-9).contains(&value) {
                    return Err(Fault::new(
                        format!("pi{k}"),
                        format!("is {value}; a probability lies in 0 to 1"),
                        "give the target policy's probabilities",
                    ));
                }
                self.target.push(value.max(0.0));
            }
            Role::Candidate(at, k) => {
                if !(-1e-9..=1.0 + 1e-9).contains(&value) {
                    return Err(Fault::new(
                        format!("candidate {at}:pi{k}"),
                        format!("is {value}; a probability lies in 0 to 1"),
                        "give each candidate's probabilities",
                    ));
                }
                if self.candidates.len() <= at {
                    self.candidates.resize(at + 1, Vec::new());
                }
                self.candidates[at].push(value.max(0.0));
            }
            Role::Model(k) => {
                if value.is_infinite() {
                    return Err(Fault::new(
                        format!("q{k}"),
                        format!("is {value}"),
                        "a reward model gives finite values",
                    ));
                }
                self.model.push(value);
            }
            Role::Feature(k) => {
                if !value.is_finite() {
                    return Err(Fault::new(
                        format!("x{k}"),
                        format!("is {value}"),
                        "features are finite numbers",
                    ));
                }
                self.features.push(value);
            }
            Role::Time => {
                let time = whole(value).and_then(|t| u32::try_from(t).ok());
                let Some(time) = time else {
                    return Err(Fault::new(
                        "t",
                        format!("is {value}"),
                        "steps are whole numbers from 0",
                    ));
                };
                self.time.push(time);
            }
            Role::Done => self.done.push(value != 0.0),
            Role::Mask(k) => {
                if value != 0.0 && value != 1.0 {
                    return Err(Fault::new(
                        format!("mask{k}"),
                        format!("is {value}"),
                        "a mask is 1 for an allowed action and 0 for a forbidden one",
                    ));
                }
                self.mask.push(value == 1.0);
            }
            Role::Episode | Role::State | Role::NextState | Role::Unit | Role::Class => {
                self.key(role, number_key(value))?;
            }
        }
        Ok(())
    }

    /// Takes a key.
    pub(crate) fn key(&mut self, role: Role, key: u64) -> Result<(), Fault> {
        let (column, name) = match role {
            Role::Episode => (&mut self.episode, "episode"),
            Role::State => (&mut self.state, "state"),
            Role::Unit => (&mut self.unit, "unit"),
            // A row without a class belongs to a group of its own.
            Role::Class => {
                self.class.push(key);
                return Ok(());
            }
            _ => {
                self.next_state.push(key);
                return Ok(());
            }
        };
        if key == MISSING {
            return Err(Fault::new(
                name,
                "is empty".to_owned(),
                "fill it in, or leave out the row",
            ));
        }
        column.push(key);
        Ok(())
    }

    /// Keeps the name behind a key, if the column groups rows and there is room.
    pub(crate) fn name(&mut self, role: Role, key: u64, text: &[u8], header: &Header) {
        if header.group == Some(role)
            && self.names.len() < MOST_NAMES
            && !self.names.iter().any(|(known, _)| *known == key)
        {
            self.names
                .push((key, String::from_utf8_lossy(text).into_owned()));
        }
    }

    /// Keys of the groups that rows belong to; empty where all are one group.
    pub(crate) fn group_keys(&self, header: &Header) -> &[u64] {
        match header.group {
            Some(Role::Class) => &self.class,
            Some(_) => &self.state,
            None => &[],
        }
    }

    /// Takes an empty cell: allowed where a reward model has no value, and after the last state.
    pub(crate) fn empty(&mut self, role: Role, header: &Header) -> Result<(), Fault> {
        match role {
            Role::Model(_) => self.model.push(f64::NAN),
            Role::NextState => self.next_state.push(MISSING),
            Role::Class => self.class.push(MISSING),
            Role::Propensity => {
                return Err(Fault::new(
                    "propensity",
                    "is empty".to_owned(),
                    "leave out the row; or leave out the whole column, and propensities are estimated and marked so",
                ));
            }
            _ => {
                return Err(Fault::new(
                    header.name(role),
                    "is empty".to_owned(),
                    "fill it in, or leave out the row",
                ));
            }
        }
        Ok(())
    }

    /// Checks the row that was just completed.
    pub(crate) fn complete(&mut self, actions: usize) -> Result<(), Fault> {
        let row = self.len() - 1;
        let action = usize::from(self.action[row]);
        // A table to learn from may leave the number of actions open.
        if actions > 0 && action >= actions {
            let columns = if self.target.is_empty() { "mask" } else { "pi" };
            return Err(Fault::new(
                "action",
                format!(
                    "is {action}, and the columns `{columns}…` end at `{columns}{}`",
                    actions - 1
                ),
                "actions are numbered from 0, as the columns are",
            ));
        }
        for (at, candidate) in self.candidates.iter().enumerate() {
            let sum: f64 = candidate[row * actions..].iter().sum();
            if (sum - 1.0).abs() > SUM_TOLERANCE {
                return Err(Fault::new(
                    "",
                    format!("the probabilities of candidate {at} (from 0) sum to {sum:.6}"),
                    "they are the whole policy and sum to one",
                ));
            }
        }
        if !self.mask.is_empty() && !self.mask[row * actions + action] {
            return Err(Fault::new(
                format!("mask{action}"),
                "forbids the action that was taken".to_owned(),
                "a mask is 1 for each action that could be taken, the one that was among them",
            ));
        }
        if self.target.is_empty() {
            return Ok(());
        }
        let sum: f64 = self.target[row * actions..].iter().sum();
        if (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(Fault::new(
                "",
                format!(
                    "the target probabilities `pi0` to `pi{}` sum to {sum:.6}",
                    actions - 1
                ),
                "they are the whole policy and sum to one",
            ));
        }
        Ok(())
    }
}

impl Rows {
    /// Keeps a range of the rows and forgets the others.
    pub(crate) fn keep(&mut self, range: std::ops::Range<usize>) {
        fn cut<T>(column: &mut Vec<T>, rows: usize, range: &std::ops::Range<usize>) {
            let width = column.len() / rows.max(1);
            column.truncate(range.end * width);
            column.drain(..range.start * width);
        }
        let n = self.len();
        if range == (0..n) {
            return;
        }
        cut(&mut self.propensity, n, &range);
        cut(&mut self.reward, n, &range);
        cut(&mut self.target, n, &range);
        cut(&mut self.model, n, &range);
        cut(&mut self.features, n, &range);
        for candidate in &mut self.candidates {
            cut(candidate, n, &range);
        }
        cut(&mut self.episode, n, &range);
        cut(&mut self.time, n, &range);
        cut(&mut self.done, n, &range);
        cut(&mut self.state, n, &range);
        cut(&mut self.next_state, n, &range);
        cut(&mut self.unit, n, &range);
        cut(&mut self.mask, n, &range);
        cut(&mut self.action, n, &range);
    }
}

fn whole(value: f64) -> Option<u64> {
    ((0.0..9e15).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}

/// Key of a number: the number itself where it is whole, so that `3` and `3.0` are one state.
pub(crate) fn number_key(value: f64) -> u64 {
    if value.is_nan() {
        return MISSING;
    }
    whole(value).unwrap_or_else(|| mixed(value.to_bits()))
}

/// Key of a text.
pub(crate) fn text_key(text: &[u8]) -> u64 {
    if text.is_empty() {
        return MISSING;
    }
    if let Ok(value) = fast_float2::parse::<f64, _>(text) {
        return number_key(value);
    }
    let hash = blake3::hash(text);
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash.as_bytes()[..8]);
    mixed(u64::from_le_bytes(bytes))
}

/// Mixes bits (the finaliser of `splitmix64`), away from the keys of whole numbers and from [`MISSING`].
const fn mixed(bits: u64) -> u64 {
    let mut x = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((x ^ (x >> 31)) | 1 << 63) & !1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_equal_values_are_equal() {
        assert_eq!(text_key(b"3"), text_key(b"3.0"));
        assert_eq!(text_key(b"3"), number_key(3.0));
        assert_eq!(text_key(b""), MISSING);
        assert_eq!(number_key(f64::NAN), MISSING);
        assert_ne!(text_key(b"a"), text_key(b"b"));
        assert_ne!(text_key(b"-1"), text_key(b"1"));
        assert_ne!(text_key(b"0.5"), text_key(b"0.25"));
        assert_ne!(text_key(b"0.5"), text_key(b"-0.5"));
    }
}
