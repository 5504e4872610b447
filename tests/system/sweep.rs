//! Sweeps: every combination, ranked, and kept by `--resume`.

use serde_json::Value;

use crate::desk::{Desk, training};

fn sweep(method: &str) -> String {
    training(
        "kind = \"log\"",
        &format!(
            "[sweep]\n{method}\n[sweep.parameters]\n\"learner.algorithm\" = [\"q\", \"double_q\"]\n\
             \"learner.exploration.constant.value\" = [0.1, 0.2, 0.3]\n"
        ),
    )
}

fn scores(result: &Value) -> Vec<Option<f64>> {
    let trials = result["trials"].as_array().unwrap();
    trials.iter().map(|trial| trial["score"].as_f64()).collect()
}

/// Best first, those without a score last.
fn ranked(scores: &[Option<f64>]) -> bool {
    scores.windows(2).all(|pair| match pair {
        [Some(first), Some(second)] => first >= second,
        [first, second] => first.is_some() || second.is_none(),
        _ => unreachable!("windows of two"),
    })
}

#[test]
fn a_grid_tries_every_combination_and_ranks_them() {
    let desk = Desk::with_log();
    desk.write("sweep.toml", sweep("method = \"grid\""));
    let result = desk.done_json("sweep sweep.toml --log log.jsonl --out out --json");
    assert_eq!(result, desk.json("out/sweep.json"));
    let mut settings: Vec<String> = result["trials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trial| trial["settings"].to_string())
        .collect();
    settings.sort();
    settings.dedup();
    assert_eq!(settings.len(), 6);
    assert!(ranked(&scores(&result)), "{:?}", scores(&result));
    for trial in result["trials"].as_array().unwrap() {
        let run = trial["directory"].as_str().unwrap();
        let training = desk.json(&format!("{run}/training.json"));
        assert_eq!(training["score"]["value"], trial["score"]);
        assert_eq!(training["version"], trial["version"]);
    }
}

#[test]
fn a_random_sweep_draws_some_and_repeats_itself() {
    let desk = Desk::with_log();
    desk.write("sweep.toml", sweep("method = \"random\"\ntrials = 4"));
    let settings = |result: &Value| -> Vec<String> {
        let trials = result["trials"].as_array().unwrap();
        trials.iter().map(|t| t["settings"].to_string()).collect()
    };
    let first = desk.done_json("sweep sweep.toml --log log.jsonl --out one --json");
    let second = desk.done_json("sweep sweep.toml --log log.jsonl --out two --json");
    assert_eq!(settings(&first), settings(&second));
    assert!(ranked(&scores(&first)));
    let mut distinct = settings(&first);
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 4, "drawn without replacement");
}

/// Replaces the score of a finished trial by one that no training gives.
fn mark(desk: &Desk, run: &str) {
    let mut training = desk.json(&format!("{run}/training.json"));
    training["score"]["value"] = Value::from(7.0);
    desk.write(&format!("{run}/training.json"), training.to_string());
}

#[test]
fn resume_keeps_finished_trials_of_the_same_log_only() {
    let desk = Desk::with_log();
    desk.write("sweep.toml", sweep("method = \"grid\""));
    let command = "sweep sweep.toml --log log.jsonl --out out --json";
    desk.done(command);
    mark(&desk, "out/trial-002");
    std::fs::remove_dir_all(desk.path("out/trial-004")).unwrap();
    let resumed = desk.done_json(&format!("{command} --resume"));
    assert_eq!(resumed["trials"][0]["directory"], "out/trial-002");
    assert_eq!(scores(&resumed)[0], Some(7.0), "kept, not trained again");
    assert!(
        desk.path("out/trial-004/policy.json").exists(),
        "missing ones are trained"
    );

    desk.done("log generate shop.toml --explore 0.5 --seed 9 --out other.jsonl");
    let other = desk.done_json("sweep sweep.toml --log other.jsonl --out out --resume --json");
    assert!(
        !scores(&other).contains(&Some(7.0)),
        "another log, another trial"
    );

    mark(&desk, "out/trial-002");
    let again = desk.done_json("sweep sweep.toml --log other.jsonl --out out --json");
    assert!(
        !scores(&again).contains(&Some(7.0)),
        "without --resume all are trained"
    );
}

#[test]
fn a_combination_that_is_no_configuration_stops_the_sweep_before_it_starts() {
    let desk = Desk::with_log();
    for (parameters, message) in [
        (
            "\"learner.discount\" = [0.9, 7.0]",
            "sweep.toml with learner.discount = 7.0: `learner.discount` is 7",
        ),
        ("\"learner.nope\" = [1]", "unknown field `nope`"),
        ("\"name.x\" = [1]", "`name` is a value, not a section"),
        (
            "\"learner.seed\" = [-1]",
            "`learner.seed`: invalid value: integer `-1`",
        ),
        ("\"learner.discount\" = []", "at least one value to try"),
        ("\"\" = [1]", "unknown field ``"),
    ] {
        let more = format!("[sweep]\nmethod = \"grid\"\n[sweep.parameters]\n{parameters}\n");
        desk.write("sweep.toml", training("kind = \"log\"", &more));
        let error = desk.refused("sweep sweep.toml --log log.jsonl --out out");
        assert!(error.contains(message), "{error}");
        assert!(!desk.path("out").exists());
    }
    let no_section = desk.refused("sweep train.toml --log log.jsonl --out out");
    assert!(
        no_section.contains("train.toml: no `[sweep]` section"),
        "{no_section}"
    );
    let values: Vec<String> = (0..200).map(|i| format!("{}.0", i)).collect();
    let many = format!(
        "[sweep]\nmethod = \"grid\"\n[sweep.parameters]\n\"learner.seed\" = [{0}]\n\"training.steps\" = [{0}]\n",
        values.join(", ")
    );
    desk.write("sweep.toml", training("kind = \"log\"", &many));
    let error = desk.refused("sweep sweep.toml --log log.jsonl --out out");
    assert!(error.contains("more than 10000 combinations"), "{error}");
}
