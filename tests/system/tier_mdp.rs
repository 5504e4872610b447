//! The exact model of shared people: what is learned is compared with its independent solution.

use crate::desk::Desk;
use crate::shared;

/// Average reward of the policy that maximises the next reward, and of the best one. Both from policy evaluation and
/// iteration by Gauss elimination in a script of its own, which read the same file.
const MYOPIC: f64 = 0.696_553_610_574_878_1;
const OPTIMUM: f64 = 0.714_095_868_628_176_6;

#[test]
fn continuing_reaches_the_optimum_and_none_stays_myopic_for_five_seeds() {
    let Some(fixture) = shared::fixture("tier_mdp.json") else {
        return;
    };
    let desk = Desk::new();
    let config = std::fs::read_to_string(shared::config("tier_mdp.toml")).unwrap();
    let line = "coupling = \"continuing\"";
    assert_eq!(config.matches(line).count(), 1);
    desk.write("continuing.toml", &config);
    desk.write("none.toml", config.replace(line, "coupling = \"none\""));
    for (coupling, expected) in [("continuing", OPTIMUM), ("none", MYOPIC)] {
        for seed in 1..=5 {
            let result = desk.done_json(&format!(
                "train {coupling}.toml --env {} --seed {seed} --out {coupling}-{seed} --json",
                fixture.display()
            ));
            let number = |key: &str| result[key].as_f64().unwrap();
            let learned = number("average_reward");
            assert!(
                (learned - expected).abs() < 1e-9,
                "{coupling}, seed {seed}: {learned}"
            );
            assert!((number("optimal_average_reward") - OPTIMUM).abs() < 1e-9);
            assert!((result["mdp"]["myopic"].as_f64().unwrap() - MYOPIC).abs() < 1e-9);
            assert!(result["version"].is_null(), "no router could serve it");
        }
    }
}

#[test]
fn a_file_that_is_no_decision_process_is_named() {
    let desk = Desk::new();
    let config = shared::config("tier_mdp.toml");
    let head = r#""gamma": 0.9, "n_states": 1, "n_actions": 1, "initial": [[0, 1.0]]"#;
    for (content, message) in [
        (String::new(), "EOF while parsing"),
        ("{\"gamma\": 0.9}".to_owned(), "missing field"),
        ("{\"discount\": 0.9}".to_owned(), "unknown field `discount`"),
        (
            format!("{{{head}, \"transitions\": [[0, 0, 1.0, [[0, 0.4]]]]}}"),
            "sum to 0.4",
        ),
        (
            format!("{{{head}, \"transitions\": [[0, 0, 1.0, [[7, 1.0]]]]}}"),
            "is 7",
        ),
        (
            format!("{{{head}, \"transitions\": [[0, 0, 1e999, [[0, 1.0]]]]}}"),
            "number out of range",
        ),
        (format!("{{{head}, \"transitions\": []}}"), "state 0"),
    ] {
        desk.write("process.json", &content);
        let error = desk.refused(&format!(
            "train {} --env process.json --out run",
            config.display()
        ));
        assert!(
            error.starts_with("error: process.json: "),
            "{content}: {error}"
        );
        assert!(error.contains(message), "{content}: {error}");
        assert!(!desk.path("run").exists());
    }
}
