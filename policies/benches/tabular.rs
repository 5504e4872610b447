//! Throughput of tabular learning: sweeps over a log in memory, and a learner living in a finite decision process.
//!
//! `benches/numba/run.sh` runs this beside the same loops in numba and prints the ratios. The log is made by the same
//! generator in both, so that the learned tables can be compared too.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use tierwise_envs::mdp::{MdpBuilder, MdpEnv, TransitionRow};
use tierwise_policies::tabular::offline::{
    LoggedColumns, LoggedTransitions, OfflineConfig, OfflineRule, SweepLearner,
};
use tierwise_policies::tabular::{TabularConfig, TabularState, train};

const STATES: usize = 64;
const ROWS: usize = 1_000_000;

fn main() {
    divan::main();
}

/// The generator both sides share: the mixing function of SplitMix64 applied to a counter.
fn mixed(counter: u64) -> u64 {
    let mut z = counter.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// One long trajectory of uniform actions and successors, an end every hundred rows or so.
fn log(actions: usize) -> LoggedTransitions {
    let (mut state, mut action, mut reward, mut next_state, mut done) =
        (vec![], vec![], vec![], vec![], vec![]);
    let mut now = 0;
    for row in 0..ROWS as u64 {
        let bits = mixed(row + 1);
        let next = ((bits >> 8) % STATES as u64) as u32;
        state.push(now);
        action.push(((bits >> 24) % actions as u64) as u8);
        reward.push(((bits >> 40) & 0xFFFF) as f32 / 65536.0);
        next_state.push(next);
        done.push((bits >> 56).is_multiple_of(100));
        now = next;
    }
    let columns = LoggedColumns {
        state: &state,
        action: &action,
        reward: &reward,
        next_state: &next_state,
        done: &done,
    };
    LoggedTransitions::new(STATES, actions, columns).expect("the generator stays in range")
}

fn sweep(bencher: Bencher, actions: usize, rule: OfflineRule) {
    let log = log(actions);
    let config = OfflineConfig {
        rule,
        discount: 0.98,
        step_size: 0.05,
        initial_value: 0.0,
    };
    let mut learner = SweepLearner::new(config, &log).expect("the settings are in range");
    bencher
        .counter(ItemsCount::new(ROWS))
        .bench_local(|| learner.sweep().expect("rewards are bounded"));
}

#[divan::bench(args = [3, 4], sample_count = 50)]
fn q(bencher: Bencher, actions: usize) {
    sweep(bencher, actions, OfflineRule::Q);
}

#[divan::bench(args = [3, 4], sample_count = 50)]
fn expected_sarsa(bencher: Bencher, actions: usize) {
    sweep(
        bencher,
        actions,
        OfflineRule::ExpectedSarsa { epsilon: 0.1 },
    );
}

#[divan::bench(args = [3, 4], sample_count = 50)]
fn double_q(bencher: Bencher, actions: usize) {
    sweep(bencher, actions, OfflineRule::DoubleQ { seed: 7 });
}

/// Acting, stepping and learning in a random process of 64 states, 4 actions and 8 successors each.
#[divan::bench(args = ["q", "expected_sarsa", "double_q", "sarsa"], sample_count = 20)]
fn environment(bencher: Bencher, algorithm: &str) {
    let transitions = (0..STATES * 4).map(|pair| {
        let next = (0..8).map(|k| ((pair * 7 + k * 8 + k) % STATES, 0.125));
        TransitionRow::new(
            pair / 4,
            pair % 4,
            (pair % 11) as f64 / 11.0,
            next.collect(),
        )
    });
    let mdp = MdpBuilder {
        discount: 0.98,
        state_count: STATES,
        action_count: 4,
        initial: vec![(0, 1.0)],
        transitions: transitions.collect(),
        ..MdpBuilder::default()
    };
    let mut env = MdpEnv::new(Arc::new(mdp.build().expect("each row sums to one")));
    let config: TabularConfig = toml::from_str(&format!("algorithm = '{algorithm}'"))
        .expect("the name is one of the algorithms");
    let mut learner = TabularState::new(config, &env).expect("the settings are in range");
    const STEPS: u64 = 200_000;
    bencher
        .counter(ItemsCount::new(STEPS as usize))
        .bench_local(|| train(&mut env, &mut learner, STEPS).expect("the process never ends"));
}
