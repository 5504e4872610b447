//! A desk of 64 states whose truth is known: what is learned from many logs, and what from few.

#[path = "../../../examples/logged_learners/world.rs"]
mod desk;

use desk::{ACTIONS, DISCOUNT, STATES};

use super::{in_state, opened};
use crate::logged::{Learner, LearnerSettings, learn};

/// True value of what a learner makes of a log.
fn reached(mdp: &tierwise_envs::mdp::Mdp, text: &str, learner: Learner) -> f64 {
    let (_folder, table) = opened(text);
    let settings = LearnerSettings {
        learner,
        discount: DISCOUNT,
        seed: 1,
    };
    let learned = learn(&table, &settings).unwrap();
    let rows = (0..STATES as u64).flat_map(|s| in_state(&learned, s));
    desk::value(mdp, rows.collect())
}

fn optimum(mdp: &tierwise_envs::mdp::Mdp) -> f64 {
    let best = mdp.optimum(DISCOUNT).unwrap().policy;
    let certain = (0..STATES).flat_map(|s| (0..ACTIONS).map(move |a| (s, a)));
    let rows = certain.map(|(s, a)| f64::from(u8::from(best[s] == a)));
    desk::value(mdp, rows.collect())
}

#[test]
fn five_thousand_episodes_are_enough_for_nearly_all_of_the_gain() {
    let mdp = desk::desk();
    let policy = desk::logging(&mdp, 0.0);
    let (logged, best) = (desk::value(&mdp, policy.clone()), optimum(&mdp));
    for seed in 0..2 {
        let text = desk::log(&mdp, &policy, 5000, seed);
        for learner in [
            Learner::Bcq { threshold: 0.0 },
            Learner::Pessimistic { penalty: 1.0 },
            Learner::Cql { alpha: 0.1 },
        ] {
            let gain = (reached(&mdp, &text, learner) - logged) / (best - logged);
            assert!(
                (0.95..=1.0 + 1e-9).contains(&gain),
                "{} {seed}: {gain}",
                learner.name()
            );
        }
    }
}

#[test]
fn two_hundred_episodes_do_no_harm() {
    let mdp = desk::desk();
    let policy = desk::logging(&mdp, 0.0);
    let logged = desk::value(&mdp, policy.clone());
    for seed in 0..25 {
        let text = desk::log(&mdp, &policy, 200, seed);
        for learner in [
            Learner::Pessimistic { penalty: 1.0 },
            Learner::Spibb { min_count: 10.0 },
            Learner::Cql { alpha: 0.1 },
        ] {
            let value = reached(&mdp, &text, learner);
            assert!(
                value >= logged,
                "{} {seed}: {value} < {logged}",
                learner.name()
            );
        }
    }
}
