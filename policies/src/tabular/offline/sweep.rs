//! A learner that sweeps a log, again and again if asked.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::logged::{LoggedTransitions, NARROW_ENTRIES, Row, Rows};
use super::loops::{self, Place};
use crate::tabular::schedule::in_range;
use crate::tabular::{LearnError, QTable};

/// The settings of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineConfig {
    /// Which update is made.
    pub rule: OfflineRule,
    /// Discount γ per step, in [0, 1].
    pub discount: f64,
    /// Step size α, in (0, 1].
    pub step_size: f64,
    /// Value of every pair before the first sweep.
    pub initial_value: f64,
}

/// The update a sweep makes for each row.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OfflineRule {
    /// Q(s, a) += α (r + γ max Q(s′, ·) − Q(s, a)).
    Q,
    /// Q(s, a) += α (r + γ ((1 − ε) max Q(s′, ·) + ε/n Σ Q(s′, ·)) − Q(s, a)), n the number of allowed actions.
    ExpectedSarsa {
        /// Exploration ε of the policy whose value is learned, in [0, 1].
        epsilon: f64,
    },
    /// Double Q-learning; a coin per row says which table learns.
    DoubleQ {
        /// Seed of the coins.
        seed: u64,
    },
}

impl OfflineConfig {
    fn validate(&self) -> Result<(), LearnError> {
        let (discount, step_size) = (self.discount, self.step_size);
        in_range(
            "discount",
            discount,
            "a number in [0, 1]",
            (0.0..=1.0).contains(&discount),
        )?;
        in_range(
            "step_size",
            step_size,
            "a number in (0, 1]",
            step_size > 0.0 && step_size <= 1.0,
        )?;
        in_range(
            "initial_value",
            self.initial_value,
            "a finite number",
            self.initial_value.is_finite(),
        )?;
        match self.rule {
            OfflineRule::ExpectedSarsa { epsilon } => in_range(
                "rule.expected_sarsa.epsilon",
                epsilon,
                "a number in [0, 1]",
                (0.0..=1.0).contains(&epsilon),
            ),
            OfflineRule::Q | OfflineRule::DoubleQ { .. } => Ok(()),
        }
    }
}

/// Learns from one log by sweeping it in order.
///
/// The working table has rows of a power of two of entries and one zero row after the last state. Padding and masked entries
/// are −∞: never learned, never a maximum. Double Q-learning keeps its two rows of a state side by side.
#[derive(Debug, Clone)]
pub struct SweepLearner<'a> {
    log: &'a LoggedTransitions,
    config: OfflineConfig,
    coins: Xoshiro256PlusPlus,
    stride: usize,
    /// Tables kept: two for double Q-learning, else one.
    copies: usize,
    entries: Vec<f64>,
    sweeps: u64,
}

impl<'a> SweepLearner<'a> {
    /// A learner for `log` that has made no sweep.
    ///
    /// # Errors
    /// [`LearnError::Config`] for settings out of range.
    pub fn new(config: OfflineConfig, log: &'a LoggedTransitions) -> Result<Self, LearnError> {
        config.validate()?;
        let stride = log.actions.next_power_of_two();
        let (copies, seed) = match config.rule {
            OfflineRule::DoubleQ { seed } => (2, seed),
            OfflineRule::Q | OfflineRule::ExpectedSarsa { .. } => (1, 0),
        };
        let rows = match log.rows {
            Rows::Narrow(_) => NARROW_ENTRIES / stride,
            Rows::Wide(_) => log.states + 1,
        };
        let mut entries = vec![0.0; rows * stride * copies];
        for (state, row) in entries
            .chunks_exact_mut(stride * copies)
            .take(log.states)
            .enumerate()
        {
            for (place, entry) in row.iter_mut().enumerate() {
                let action = place % stride;
                let allowed = log
                    .masks
                    .as_ref()
                    .is_none_or(|masks| masks[state] >> action & 1 == 1);
                *entry = if action < log.actions && allowed {
                    config.initial_value
                } else {
                    f64::NEG_INFINITY
                };
            }
        }
        let coins = Xoshiro256PlusPlus::seed_from_u64(seed);
        Ok(Self {
            log,
            config,
            coins,
            stride,
            copies,
            entries,
            sweeps: 0,
        })
    }

    /// Makes one update per row of the log, in order.
    ///
    /// # Errors
    /// [`LearnError::Diverged`] when a value is no longer finite afterwards.
    pub fn sweep(&mut self) -> Result<(), LearnError> {
        let log = self.log;
        match &log.rows {
            Rows::Narrow(rows) => self.narrow(rows),
            Rows::Wide(rows) => self.wide(rows),
        }
        self.sweeps += 1;
        let table = self.q_table();
        match table.values().iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(pair) => Err(LearnError::Diverged {
                state: pair / log.actions,
                action: pair % log.actions,
                value: table.values()[pair],
                steps: self.sweeps * log.len() as u64,
            }),
        }
    }

    /// The values learned so far (the mean of both tables for double Q-learning); masked pairs show the initial value.
    #[must_use]
    pub fn q_table(&self) -> QTable {
        let log = self.log;
        let mut table = QTable::new(log.states, log.actions, self.config.initial_value)
            .expect("the log's shape was checked when it was packed");
        for (pair, value) in table.values_mut().iter_mut().enumerate() {
            let first = pair / log.actions * self.stride * self.copies + pair % log.actions;
            let last = first + (self.copies - 1) * self.stride;
            if self.entries[first] != f64::NEG_INFINITY {
                *value = 0.5 * (self.entries[first] + self.entries[last]);
            }
        }
        table
    }

    /// Sweeps made so far.
    #[must_use]
    pub fn sweeps(&self) -> u64 {
        self.sweeps
    }

    fn narrow(&mut self, rows: &[Row<u16>]) {
        macro_rules! dispatch {
            ($($actions:literal => $kernel:ident $stride:literal,)*) => {
                match self.log.actions {
                    $($actions => self.$kernel::<u16, $actions, $stride, { NARROW_ENTRIES / $stride - 1 }, { NARROW_ENTRIES / $stride }>(rows),)*
                    5..=8 => self.padded::<u16, 8, { NARROW_ENTRIES / 8 - 1 }>(rows),
                    9..=16 => self.padded::<u16, 16, { NARROW_ENTRIES / 16 - 1 }>(rows),
                    _ => self.padded::<u16, 32, { NARROW_ENTRIES / 32 - 1 }>(rows),
                }
            };
        }
        dispatch! { 1 => exact 1, 2 => exact 2, 3 => exact 4, 4 => exact 4, }
    }

    fn wide(&mut self, rows: &[Row<u32>]) {
        match self.stride {
            1 => self.padded::<u32, 1, { usize::MAX }>(rows),
            2 => self.padded::<u32, 2, { usize::MAX }>(rows),
            4 => self.padded::<u32, 4, { usize::MAX }>(rows),
            8 => self.padded::<u32, 8, { usize::MAX }>(rows),
            16 => self.padded::<u32, 16, { usize::MAX }>(rows),
            _ => self.padded::<u32, 32, { usize::MAX }>(rows),
        }
    }

    /// Few actions, a table of known length: the fast case.
    fn exact<
        I: Place,
        const ACTIONS: usize,
        const STRIDE: usize,
        const MASK: usize,
        const ROWS: usize,
    >(
        &mut self,
        rows: &[Row<I>],
    ) {
        let OfflineConfig {
            rule,
            discount,
            step_size,
            ..
        } = self.config;
        let length = "a narrow table has NARROW_ENTRIES entries";
        match rule {
            OfflineRule::Q => {
                let table: &mut [[f64; STRIDE]; ROWS] =
                    self.entries.as_chunks_mut().0.try_into().expect(length);
                loops::q::<I, ACTIONS, STRIDE, MASK>(rows, table, step_size, discount);
            }
            OfflineRule::ExpectedSarsa { epsilon } => {
                let masked = self.log.masks.is_some();
                let table: &mut [[f64; STRIDE]; ROWS] =
                    self.entries.as_chunks_mut().0.try_into().expect(length);
                if masked {
                    loops::expected_sarsa_masked::<I, STRIDE, MASK>(
                        rows, table, step_size, discount, epsilon,
                    );
                } else {
                    loops::expected_sarsa::<I, ACTIONS, STRIDE, MASK>(
                        rows, table, step_size, discount, epsilon,
                    );
                }
            }
            OfflineRule::DoubleQ { .. } => {
                let coins = &mut self.coins;
                let tables: &mut [[[f64; STRIDE]; 2]; ROWS] = self
                    .entries
                    .as_chunks_mut()
                    .0
                    .as_chunks_mut()
                    .0
                    .try_into()
                    .expect(length);
                loops::double_q::<I, ACTIONS, STRIDE, MASK>(
                    rows,
                    tables,
                    step_size,
                    discount,
                    || coins.next_u64(),
                );
            }
        }
    }

    /// Any number of actions: padding counts as masked.
    fn padded<I: Place, const STRIDE: usize, const MASK: usize>(&mut self, rows: &[Row<I>]) {
        let OfflineConfig {
            rule,
            discount,
            step_size,
            ..
        } = self.config;
        match rule {
            OfflineRule::Q => {
                let table = self.entries.as_chunks_mut().0;
                loops::q::<I, STRIDE, STRIDE, MASK>(rows, table, step_size, discount);
            }
            OfflineRule::ExpectedSarsa { epsilon } => {
                let table = self.entries.as_chunks_mut().0;
                loops::expected_sarsa_masked::<I, STRIDE, MASK>(
                    rows, table, step_size, discount, epsilon,
                );
            }
            OfflineRule::DoubleQ { .. } => {
                let coins = &mut self.coins;
                let tables = self.entries.as_chunks_mut().0.as_chunks_mut().0;
                loops::double_q::<I, STRIDE, STRIDE, MASK>(
                    rows,
                    tables,
                    step_size,
                    discount,
                    || coins.next_u64(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::LoggedColumns;
    use super::*;

    struct Columns {
        state: Vec<u32>,
        action: Vec<u8>,
        reward: Vec<f32>,
        next_state: Vec<u32>,
        done: Vec<bool>,
    }

    impl Columns {
        /// A trajectory of allowed actions with an end now and then.
        fn random(states: usize, actions: usize, masks: &[u32], rows: usize, seed: u64) -> Self {
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            let mut columns = Self {
                state: vec![],
                action: vec![],
                reward: vec![],
                next_state: vec![],
                done: vec![],
            };
            let mut now = 0;
            for _ in 0..rows {
                let bits = random.next_u64();
                let allowed: Vec<u8> = (0..actions as u8)
                    .filter(|&a| masks[now] >> a & 1 == 1)
                    .collect();
                let next = (bits >> 8) as usize % states;
                columns.state.push(now as u32);
                columns
                    .action
                    .push(allowed[(bits >> 40) as usize % allowed.len()]);
                columns.reward.push((bits as u16) as f32 / 1000.0 - 30.0);
                columns.next_state.push(next as u32);
                columns.done.push(bits >> 60 == 0);
                now = next;
            }
            columns
        }

        fn log(&self, states: usize, actions: usize, masks: &[u32]) -> LoggedTransitions {
            let columns = LoggedColumns {
                state: &self.state,
                action: &self.action,
                reward: &self.reward,
                next_state: &self.next_state,
                done: &self.done,
            };
            LoggedTransitions::with_masks(states, actions, masks, columns).unwrap()
        }
    }

    /// The plain loop, written from the formulas over the columns.
    fn plain(
        columns: &Columns,
        states: usize,
        actions: usize,
        masks: &[u32],
        config: OfflineConfig,
        sweeps: usize,
    ) -> Vec<f64> {
        let mut tables = vec![vec![config.initial_value; states * actions]; 2];
        let seed = if let OfflineRule::DoubleQ { seed } = config.rule {
            seed
        } else {
            0
        };
        let mut coins = Xoshiro256PlusPlus::seed_from_u64(seed);
        for _ in 0..sweeps {
            let mut bits = 0;
            for row in 0..columns.state.len() {
                if row % 64 == 0 {
                    bits = coins.next_u64();
                }
                let which = match config.rule {
                    OfflineRule::DoubleQ { .. } => (bits >> (row % 64) & 1) as usize,
                    _ => 0,
                };
                let next = columns.next_state[row] as usize;
                let allowed: Vec<usize> = (0..actions)
                    .filter(|&a| masks[next] >> a & 1 == 1)
                    .collect();
                let value = |table: usize, action: usize| tables[table][next * actions + action];
                let mut best = allowed[0];
                for &action in &allowed {
                    if value(which, action) > value(which, best) {
                        best = action;
                    }
                }
                let ahead = match config.rule {
                    OfflineRule::Q => value(0, best),
                    OfflineRule::ExpectedSarsa { epsilon } => {
                        let mut sum = value(0, allowed[0]);
                        for &action in &allowed[1..] {
                            sum += value(0, action);
                        }
                        (1.0 - epsilon) * value(0, best) + epsilon / allowed.len() as f64 * sum
                    }
                    OfflineRule::DoubleQ { .. } => value(1 - which, best),
                };
                let ahead = if columns.done[row] { 0.0 } else { ahead };
                let target = f64::from(columns.reward[row]) + config.discount * ahead;
                let pair = columns.state[row] as usize * actions + usize::from(columns.action[row]);
                tables[which][pair] += config.step_size * (target - tables[which][pair]);
            }
        }
        match config.rule {
            OfflineRule::DoubleQ { .. } => tables[0]
                .iter()
                .zip(&tables[1])
                .map(|(a, b)| 0.5 * (a + b))
                .collect(),
            _ => tables.swap_remove(0),
        }
    }

    fn assert_same_bits(states: usize, actions: usize, masks: &[u32], rows: usize, seed: u64) {
        let columns = Columns::random(states, actions, masks, rows, seed);
        let log = columns.log(states, actions, masks);
        let rules = [
            OfflineRule::Q,
            OfflineRule::ExpectedSarsa { epsilon: 0.3 },
            OfflineRule::DoubleQ { seed: seed + 1 },
        ];
        for rule in rules {
            let config = OfflineConfig {
                rule,
                discount: 0.97,
                step_size: 0.1,
                initial_value: 0.5,
            };
            let mut learner = SweepLearner::new(config, &log).unwrap();
            learner.sweep().unwrap();
            learner.sweep().unwrap();
            let want = plain(&columns, states, actions, masks, config, 2);
            for (pair, (have, want)) in learner.q_table().values().iter().zip(want).enumerate() {
                assert_eq!(
                    have.to_bits(),
                    want.to_bits(),
                    "{rule:?}, {states} x {actions}, pair {pair}"
                );
            }
        }
    }

    #[test]
    fn every_layout_equals_the_plain_loop_bit_for_bit() {
        for (states, actions) in [
            (1, 1),
            (5, 2),
            (64, 3),
            (64, 4),
            (20, 5),
            (7, 8),
            (9, 13),
            (4, 32),
            (16_383, 4),
            (16_384, 4),
            (70_000, 1),
        ] {
            let masks = vec![tierwise_envs::finite::full_mask(actions); states];
            assert_same_bits(states, actions, &masks, 3000, (states + actions) as u64);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn masked_logs_equal_the_plain_loop_bit_for_bit(
            actions in 1_usize..=8,
            raw in proptest::collection::vec(1_u32..256, 12),
            seed: u32,
        ) {
            let full = tierwise_envs::finite::full_mask(actions);
            let masks: Vec<u32> = raw.iter().map(|mask| if mask & full == 0 { full } else { mask & full }).collect();
            assert_same_bits(12, actions, &masks, 400, u64::from(seed));
        }
    }

    #[test]
    fn a_two_armed_choice_with_an_end_has_its_closed_form() {
        // One state, action 1 pays 1 and ends, action 0 pays 0 and stays: Q(0, 1) → 1, Q(0, 0) → γ.
        let columns = Columns {
            state: vec![0; 2],
            action: vec![0, 1],
            reward: vec![0.0, 1.0],
            next_state: vec![0; 2],
            done: vec![false, true],
        };
        let log = columns.log(1, 2, &[0b11]);
        let config = OfflineConfig {
            rule: OfflineRule::Q,
            discount: 0.9,
            step_size: 0.5,
            initial_value: 0.0,
        };
        let mut learner = SweepLearner::new(config, &log).unwrap();
        (0..100).for_each(|_| learner.sweep().unwrap());
        let table = learner.q_table();
        assert!((table.row(0)[0] - 0.9).abs() < 1e-12 && (table.row(0)[1] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn faults_of_a_log_are_named() {
        type Fault = fn(&mut Columns);
        let cases: [(Fault, &str); 6] = [
            (|c| c.state[3] = 5, "row 3: `state` is 5; expected 0..=4"),
            (
                |c| c.next_state[2] = 9,
                "row 2: `next_state` is 9; expected 0..=4",
            ),
            (|c| c.action[1] = 3, "row 1: `action` is 3; expected 0..=2"),
            (
                |c| (c.state[1], c.action[1]) = (0, 2),
                "row 1: `action` is 2; expected a set bit of the mask 0b11 of state 0",
            ),
            (
                |c| c.reward[0] = f32::NAN,
                "row 0: `reward` is NaN; expected a finite number",
            ),
            (
                |c| c.done.truncate(2),
                "column `done` has 2 rows, `state` has 6; all columns must be equally long",
            ),
        ];
        let masks = [0b011, 0b111, 0b111, 0b111, 0b111];
        for (fault, message) in cases {
            let mut c = Columns::random(5, 3, &masks, 6, 1);
            fault(&mut c);
            let columns = LoggedColumns {
                state: &c.state,
                action: &c.action,
                reward: &c.reward,
                next_state: &c.next_state,
                done: &c.done,
            };
            let error = LoggedTransitions::with_masks(5, 3, &masks, columns).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let columns = Columns::random(2, 2, &[3, 3], 4, 1);
        let log = columns.log(2, 2, &[3, 3]);
        let config = OfflineConfig {
            rule: OfflineRule::Q,
            discount: 0.9,
            step_size: 0.0,
            initial_value: 0.0,
        };
        let error = SweepLearner::new(config, &log).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`step_size` is 0; expected a number in (0, 1]"
        );
    }
}
