//! What every update rule has in common: masks, ends, coupling, resumption, and known closed forms.

use std::sync::Arc;

use proptest::prelude::*;
use tierwise_envs::finite::{FiniteEnv, Resumable};
use tierwise_envs::mdp::{MdpBuilder, MdpEnv, TransitionRow};

use super::*;

pub(super) const ALGORITHMS: [&str; 9] = [
    "algorithm = 'q'",
    "algorithm = 'double_q'",
    "algorithm = 'sarsa'",
    "algorithm = 'expected_sarsa'",
    "algorithm = { n_step_sarsa = { n = 3 } }",
    "algorithm = { tree_backup = { n = 3 } }",
    "algorithm = { q_lambda = { lambda = 0.7 } }",
    "algorithm = { centered_q = { rate_step = 0.1 } }",
    "algorithm = { differential_q = { rate_step = 0.1 } }",
];

pub(super) fn config(text: &str) -> TabularConfig {
    toml::from_str(text).unwrap()
}

fn process(
    discount: f64,
    states: usize,
    actions: usize,
    terminal: &[usize],
    limit: Option<u64>,
    rows: Vec<TransitionRow>,
) -> MdpEnv {
    let mdp = MdpBuilder {
        discount,
        state_count: states,
        action_count: actions,
        initial: vec![(0, 1.0)],
        terminal: terminal.to_vec(),
        max_episode_steps: limit,
        transitions: rows,
        ..MdpBuilder::default()
    };
    MdpEnv::new(Arc::new(mdp.build().unwrap()))
}

/// Five states with masks, chance, an end, and a limit; `bits` says which pairs exist.
pub(super) fn patchwork(bits: u32, ends: bool, limit: Option<u64>) -> MdpEnv {
    let mut rows = Vec::new();
    for state in 0..5 {
        for action in 0..3 {
            if action == state % 3 || bits >> (state * 3 + action) & 1 == 1 {
                let (near, far) = ((state + action + 1) % 5, (state + 2 * action + 3) % 6);
                let far = if far == 5 && !ends { state } else { far };
                let next = if near == far {
                    vec![(near, 1.0)]
                } else {
                    vec![(near, 0.7), (far, 0.3)]
                };
                rows.push(TransitionRow::new(
                    state,
                    action,
                    (state * action) as f64 - 2.0,
                    next,
                ));
            }
        }
    }
    if ends {
        process(0.9, 6, 3, &[5], limit, rows)
    } else {
        process(0.9, 5, 3, &[], limit, rows)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// The process refuses masked actions, so training that succeeds never took one; nor may it have learned one.
    #[test]
    fn masked_pairs_are_neither_taken_nor_learned(
        bits: u32,
        ends: bool,
        limit in proptest::option::of(1_u64..9),
        which in 0..ALGORITHMS.len(),
        seed: u64,
    ) {
        let mut env = patchwork(bits, ends, limit);
        let config = TabularConfig { seed, exploration: Exploration::Constant { value: 0.5 }, initial_value: 3.0, ..config(ALGORITHMS[which]) };
        let mut learner = TabularState::new(config, &env).unwrap();
        train(&mut env, &mut learner, 400).unwrap();
        let mdp = Arc::clone(env.mdp());
        for state in (0..mdp.states()).filter(|&s| !mdp.is_terminal(s)) {
            for action in (0..3).filter(|&a| mdp.mask(state) >> a & 1 == 0) {
                prop_assert_eq!(learner.q_table().row(state)[action], 3.0);
                prop_assert_eq!(learner.q_table().visits()[state * 3 + action], 0);
            }
        }
    }

    #[test]
    fn training_in_saved_pieces_equals_training_at_once(
        bits: u32,
        ends: bool,
        limit in proptest::option::of(1_u64..9),
        which in 0..ALGORITHMS.len(),
        seed: u64,
        pieces in proptest::collection::vec(0_u64..150, 1..4),
    ) {
        let mut env = patchwork(bits, ends, limit);
        let config = TabularConfig { seed, exploration: Exploration::Linear { start: 1.0, end: 0.1, steps: 200 }, ..config(ALGORITHMS[which]) };
        let fresh = TabularState::new(config, &env).unwrap();
        let mut whole = fresh.clone();
        train(&mut env, &mut whole, pieces.iter().sum()).unwrap();

        let mut env = patchwork(bits, ends, limit);
        let mut saved = (serde_json::to_string(&fresh).unwrap(), serde_json::to_string(&env.position()).unwrap());
        for steps in pieces {
            let mut learner: TabularState = serde_json::from_str(&saved.0).unwrap();
            let mut again = patchwork(bits, ends, limit);
            again.restore(serde_json::from_str(&saved.1).unwrap()).unwrap();
            train(&mut again, &mut learner, steps).unwrap();
            saved = (serde_json::to_string(&learner).unwrap(), serde_json::to_string(&again.position()).unwrap());
            env = again;
        }
        prop_assert_eq!(&saved.0, &serde_json::to_string(&whole).unwrap());
        let restored: TabularState = serde_json::from_str(&saved.0).unwrap();
        prop_assert_eq!(&restored, &whole);
        prop_assert!(env.states() >= 5);
    }
}

#[test]
fn the_seed_decides_everything() {
    for text in ALGORITHMS {
        let run = |seed| {
            let mut env = patchwork(u32::MAX, true, Some(7));
            let mut learner = TabularState::new(
                TabularConfig {
                    seed,
                    ..config(text)
                },
                &env,
            )
            .unwrap();
            let progress = train(&mut env, &mut learner, 500).unwrap();
            (learner, progress)
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1).0.q_table(), run(2).0.q_table(), "{text}");
    }
}

#[test]
fn bootstrapping_keeps_to_allowed_actions() {
    // One state that stays; the masked action keeps its optimistic 100, the allowed one is worth nothing.
    for text in &ALGORITHMS[..7] {
        let rows = vec![TransitionRow::new(0, 0, 0.0, vec![(0, 1.0)])];
        let mut env = process(0.5, 1, 2, &[], None, rows);
        let settings = TabularConfig {
            initial_value: 100.0,
            step_size: StepSize::Constant { value: 0.5 },
            ..config(text)
        };
        let mut learner = TabularState::new(settings, &env).unwrap();
        train(&mut env, &mut learner, 2000).unwrap();
        assert!(
            learner.q_table().row(0)[0].abs() < 1e-6,
            "{text}: {:?}",
            learner.q_table()
        );
        assert_eq!(learner.q_table().row(0)[1], 100.0);
    }
}

#[test]
fn truncation_bootstraps_and_termination_does_not() {
    // Each step pays 1. Cut after every step it is worth 1 / (1 − γ) = 10; ended after every step, 1.
    for text in &ALGORITHMS[..7] {
        let settings = TabularConfig {
            step_size: StepSize::Constant { value: 0.5 },
            ..config(text)
        };
        let cut = vec![TransitionRow::new(0, 0, 1.0, vec![(0, 1.0)])];
        let end = vec![TransitionRow::new(0, 0, 1.0, vec![(1, 1.0)])];
        let cases = [
            (process(0.9, 2, 1, &[1], Some(1), end), 1.0),
            (process(0.9, 1, 1, &[], Some(1), cut.clone()), 10.0),
            (process(0.9, 1, 1, &[], Some(5), cut.clone()), 10.0),
            (process(0.9, 1, 1, &[], None, cut), 10.0),
        ];
        for (mut env, want) in cases {
            let mut learner = TabularState::new(settings.clone(), &env).unwrap();
            train(&mut env, &mut learner, 3000).unwrap();
            let have = learner.q_table().row(0)[0];
            assert!((have - want).abs() < 1e-6, "{text}: {have} is not {want}");
        }
    }
}

#[test]
fn coupling_decides_what_a_decision_answers_for() {
    // The same state again and again, each decision closing its conversation: reward 1, 20 human seconds, γ = 0.9.
    for text in &ALGORITHMS[..7] {
        for (coupling, toll_per_human_s, want) in [
            (Coupling::Continuing, 0.0, 10.0),
            (Coupling::None, 0.0, 1.0),
            (Coupling::Toll, 0.02, 0.6),
        ] {
            let row = TransitionRow {
                human_seconds: 20.0,
                ..TransitionRow::new(0, 0, 1.0, vec![(0, 1.0)])
            };
            let mut env = process(0.9, 1, 1, &[], None, vec![row]);
            let settings = TabularConfig {
                coupling,
                toll_per_human_s,
                step_size: StepSize::Constant { value: 0.5 },
                ..config(text)
            };
            let mut learner = TabularState::new(settings, &env).unwrap();
            let progress = train(&mut env, &mut learner, 3000).unwrap();
            let have = learner.q_table().row(0)[0];
            assert!(
                (have - want).abs() < 1e-6,
                "{text}, {coupling:?}: {have} is not {want}"
            );
            assert_eq!(
                (progress.mean_reward(), progress.human_seconds),
                (Some(1.0), 60_000.0)
            );
        }
    }
}

#[test]
fn seconds_discount_by_half_life() {
    // Steps of 600 s under a half-life of 600 s: 1 + 1/2 + 1/4 + … = 2.
    let row = TransitionRow {
        elapsed_s: 600.0,
        ..TransitionRow::new(0, 0, 1.0, vec![(0, 1.0)])
    };
    let mut env = process(0.9, 1, 1, &[], None, vec![row]);
    let settings = TabularConfig {
        discount_half_life_s: Some(600.0),
        step_size: StepSize::Constant { value: 0.5 },
        ..TabularConfig::default()
    };
    let mut learner = TabularState::new(settings, &env).unwrap();
    let progress = train(&mut env, &mut learner, 5000).unwrap();
    assert!((learner.q_table().row(0)[0] - 2.0).abs() < 1e-9);
    assert_eq!(progress.elapsed_s, 3_000_000.0);
}

#[test]
fn differential_values_find_the_best_reward_per_second() {
    // As in the exact solver's test: 0 → 1 in 3 s for 1; back in 1 s for 3 (rate 1) or in 7 s for 5 (rate 0.6).
    let timed = |s, a, reward, to, elapsed_s| TransitionRow {
        elapsed_s,
        ..TransitionRow::new(s, a, reward, vec![(to, 1.0)])
    };
    let rows = vec![
        timed(0, 0, 1.0, 1, 3.0),
        timed(1, 0, 3.0, 0, 1.0),
        timed(1, 1, 5.0, 0, 7.0),
    ];
    let mut env = process(0.9, 2, 2, &[], None, rows);
    let mut learner = TabularState::new(config(ALGORITHMS[8]), &env).unwrap();
    train(&mut env, &mut learner, 20_000).unwrap();
    assert!(
        (learner.reward_per_s().unwrap() - 1.0).abs() < 1e-3,
        "{:?}",
        learner.reward_per_s()
    );
    assert_eq!(learner.q_table().greedy(env.mdp().masks()).unwrap(), [0, 0]);
}

#[test]
fn an_end_is_a_renewal_for_average_reward() {
    // Episodes of two steps, 0 then 4: two per second-pair, so 2 per step; the end leads back to the start.
    let rows = vec![
        TransitionRow::new(0, 0, 0.0, vec![(1, 1.0)]),
        TransitionRow::new(1, 0, 4.0, vec![(2, 1.0)]),
    ];
    let mut env = process(1.0, 3, 1, &[2], None, rows);
    let mut learner = TabularState::new(config(ALGORITHMS[8]), &env).unwrap();
    let progress = train(&mut env, &mut learner, 20_000).unwrap();
    assert!((learner.reward_per_s().unwrap() - 2.0).abs() < 1e-3);
    assert_eq!(
        (progress.episodes, progress.mean_return()),
        (10_000, Some(4.0))
    );
}

/// A corridor of three steps whose last pays 1; one action, γ = 0.9.
fn corridor() -> MdpEnv {
    let rows = (0..3).map(|s| TransitionRow::new(s, 0, f64::from(s == 2), vec![(s + 1, 1.0)]));
    process(0.9, 4, 1, &[3], None, rows.collect())
}

#[test]
fn long_returns_reach_back_in_one_episode() {
    // With α = 1 one episode teaches γ², γ, 1 to rules that look far enough, and only the last pair to one-step rules.
    let cases = [
        ("algorithm = 'q'", [0.0, 0.0, 1.0]),
        ("algorithm = { n_step_sarsa = { n = 2 } }", [0.0, 0.9, 1.0]),
        ("algorithm = { n_step_sarsa = { n = 8 } }", [0.81, 0.9, 1.0]),
        ("algorithm = { tree_backup = { n = 3 } }", [0.81, 0.9, 1.0]),
        (
            "algorithm = { q_lambda = { lambda = 1.0 } }",
            [0.81, 0.9, 1.0],
        ),
        (
            "algorithm = { q_lambda = { lambda = 0.5 } }",
            [0.2025, 0.45, 1.0],
        ),
    ];
    for (text, want) in cases {
        let mut env = corridor();
        let settings = TabularConfig {
            step_size: StepSize::Constant { value: 1.0 },
            ..config(text)
        };
        let mut learner = TabularState::new(settings, &env).unwrap();
        let progress = train(&mut env, &mut learner, 3).unwrap();
        assert_eq!((progress.episodes, progress.mean_return()), (1, Some(1.0)));
        for (have, want) in learner.q_table().values().iter().zip(want) {
            assert!(
                (have - want).abs() < 1e-12,
                "{text}: {:?}",
                learner.q_table()
            );
        }
    }
}

#[test]
fn limits_of_longer_rules_are_the_one_step_rules() {
    let table = |text: &str, epsilon: f64| {
        let mut env = patchwork(0x5A5A, true, Some(11));
        let settings = TabularConfig {
            exploration: Exploration::Constant { value: epsilon },
            seed: 4,
            ..config(text)
        };
        let mut learner = TabularState::new(settings, &env).unwrap();
        train(&mut env, &mut learner, 2000).unwrap();
        learner.q_table().clone()
    };
    let q = table("algorithm = 'q'", 0.3);
    assert_eq!(table("algorithm = { tree_backup = { n = 1 } }", 0.3), q);
    assert_eq!(table("algorithm = { q_lambda = { lambda = 0.0 } }", 0.3), q);
    assert_eq!(
        table("algorithm = { n_step_sarsa = { n = 1 } }", 0.3),
        table("algorithm = 'sarsa'", 0.3)
    );
    assert_eq!(
        table("algorithm = 'expected_sarsa'", 0.0),
        table("algorithm = 'q'", 0.0)
    );
    assert_ne!(table("algorithm = 'expected_sarsa'", 0.3), q);
}

#[test]
fn misuse_and_broken_saves_are_named() {
    let mut env = patchwork(0, false, None);
    let mut other = TabularState::new(TabularConfig::default(), &corridor()).unwrap();
    let error = train(&mut env, &mut other, 1).unwrap_err().to_string();
    assert!(
        error.contains("5 states x 3 actions, the learner 4 x 1"),
        "{error}"
    );

    let learner = TabularState::new(config(ALGORITHMS[1]), &env).unwrap();
    let text = serde_json::to_string(&learner).unwrap();
    let cases = [
        (
            text.replace("\"algorithm\":\"double_q\"", "\"algorithm\":\"q\""),
            "`rule` belongs to another `algorithm`",
        ),
        (
            text.replace("\"first\":[0.0,", "\"first\":["),
            "`rule` does not fit the table",
        ),
        (
            text.replace(
                "\"current\":null",
                "\"current\":{\"state\":7,\"mask\":1,\"decided\":null}",
            ),
            "`current` does not fit",
        ),
        (
            text.replace("\"seed\":0", "\"seed\":0,\"sead\":1"),
            "unknown field `sead`",
        ),
    ];
    for (broken, message) in cases {
        assert_ne!(broken, text);
        let error = serde_json::from_str::<TabularState>(&broken)
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }
}

#[test]
fn a_learner_can_leave_its_episode_and_start_anew_elsewhere() {
    for text in ALGORITHMS {
        let mut env = patchwork(0x7FFF, true, None);
        let mut learner = TabularState::new(config(text), &env).unwrap();
        train(&mut env, &mut learner, 57).unwrap();
        let table = learner.q_table().clone();
        learner.leave_episode();
        assert_eq!(learner.q_table(), &table);
        let mut fresh = patchwork(0x7FFF, true, None);
        train(&mut fresh, &mut learner, 57).unwrap();
        assert_eq!(learner.steps(), 114);
    }
}
