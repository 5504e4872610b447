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
