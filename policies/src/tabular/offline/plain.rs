//! Sweeps against the plain loop over the columns, written from the formulas alone.

use proptest::prelude::*;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

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
