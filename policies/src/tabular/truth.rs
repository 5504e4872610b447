//! Learners against solved problems: they must reach optima that exact solutions and publications agree on.

use std::sync::Arc;

use tierwise_envs::mdp::{FinitePolicy, Mdp, MdpEnv, textbook};

use super::*;

fn learned(mdp: &Arc<Mdp>, config: TabularConfig, steps: u64) -> FinitePolicy {
    let mut env = MdpEnv::new(Arc::clone(mdp));
    let mut learner = TabularState::new(config, &env).unwrap();
    train(&mut env, &mut learner, steps).unwrap();
    FinitePolicy::deterministic(mdp, &learner.q_table().greedy(mdp.masks()).unwrap()).unwrap()
}

fn algorithm(text: &str) -> TabularConfig {
    toml::from_str(text).unwrap()
}

/// Mean return of a learned policy from the start states, solved exactly; a policy that loops for ever has none.
fn exact_return(mdp: &Arc<Mdp>, config: TabularConfig, steps: u64) -> f64 {
    let policy = learned(mdp, config, steps);
    mdp.start_value(&policy, 1.0).unwrap_or(f64::NEG_INFINITY)
}

#[test]
fn off_policy_learners_walk_along_the_cliff() {
    // The optimum, −13, is Sutton & Barto's; 100,000 steps are thousands of episodes.
    let mdp = Arc::new(textbook::cliff_walking());
    for name in [
        "algorithm = 'q'",
        "algorithm = 'double_q'",
        "algorithm = { tree_backup = { n = 4 } }",
        "algorithm = { q_lambda = { lambda = 0.8 } }",
    ] {
        for seed in 0..3 {
            let config = TabularConfig {
                seed,
                step_size: StepSize::Constant { value: 0.5 },
                exploration: Exploration::Constant { value: 0.6 },
                ..algorithm(name)
            };
            assert_eq!(
                exact_return(&mdp, config, 100_000),
                -13.0,
                "{name}, seed {seed}"
            );
        }
    }
}

#[test]
fn on_policy_learners_keep_away_from_the_cliff_while_they_explore() {
    // Sutton & Barto, example 6.6: with ε = 0.1 SARSA learns the roundabout way, −17 by the top row; with optimism (0) alone to explore,
    // one-step learners
    // reach −13.
    let mdp = Arc::new(textbook::cliff_walking());
    for name in [
        "algorithm = 'sarsa'",
        "algorithm = 'expected_sarsa'",
        "algorithm = { n_step_sarsa = { n = 3 } }",
    ] {
        let config = TabularConfig {
            step_size: StepSize::Linear {
                start: 0.5,
                end: 0.01,
                steps: 200_000,
            },
            ..algorithm(name)
        };
        let careful = exact_return(&mdp, config.clone(), 200_000);
        assert!((-17.0..=-15.0).contains(&careful), "{name}: {careful}");
        if name.contains("n_step") {
            // Several steps of a policy that does not explore can settle short of the optimum; one step cannot.
            continue;
        }
        let greedy = TabularConfig {
            exploration: Exploration::Constant { value: 0.0 },
            ..config
        };
        assert_eq!(exact_return(&mdp, greedy, 200_000), -13.0, "{name}");
    }
}
