//! `tierwise evaluate --log --estimators`: the estimators of tables on conversations.

use crate::desk::Desk;

const SHOP: &str =
    "days = 6\ndaily_contacts = 400.0\n[aftermath]\nsurvey_base = 0.6\nsurvey_extreme = 0.0\n";

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("shop.toml", SHOP);
    desk.done("log generate shop.toml --out log.parquet --explore 0.5 --seed 5");
    desk.write("judge.toml", crate::desk::training("kind = \"log\"", ""));
    desk
}

#[test]
fn conversations_are_episodes_with_their_reward_at_the_end() {
    let desk = desk();
    let command = "evaluate --log log.parquet --config judge.toml --part all --policy uniform auto \
                   --resamples 50 --out run --json";
    let result = desk.done_json(&format!(
        "{command} --estimators ips,snips,dm,dr,tis,pdis,wdr"
    ));
    let policies = result["off_policy"]["policies"].as_array().unwrap();
    let uniform = policies
        .iter()
        .find(|p| p["policy"] == "always uniform")
        .unwrap();
    let value = |name: &str| {
        let estimates = uniform["estimates"].as_array().unwrap();
        let estimate = estimates.iter().find(|e| e["estimator"] == name).unwrap();
        estimate["value"].as_f64().unwrap()
    };
    // All of the reward comes at the end: per-decision weights are those of whole conversations.
    assert!((value("ips") - value("pdis")).abs() < 1e-9);
    assert_eq!(value("ips"), value("tis"));
    // The same conversations and weights as in the usual judging, whose snips is computed by other code.
    let judged = result["policies"].as_array().unwrap();
    let usual = judged
        .iter()
        .find(|p| p["name"] == "always uniform")
        .unwrap();
    let snips = usual["estimates"][0]["value"].as_f64().unwrap();
    assert!(
        (value("snips") - snips).abs() < 1e-9,
        "{} {snips}",
        value("snips")
    );
    // `auto` is masked for some conversations, and always where it can be.
    let selection = &result["off_policy"]["selection"];
    assert_eq!(selection["baseline"], "rule");
    assert_eq!(selection["candidates"].as_array().unwrap().len(), 2);
    // Two candidates were judged: a third one is not the first.
    let third = desk.done_json(&format!(
        "{} --estimators dr",
        command.replace("uniform auto", "review")
    ));
    assert_eq!(third["judged_before"], 2);
    let alone = desk.done_json(&format!(
        "{} --no-ledger",
        command.replace("uniform auto", "review")
    ));
    assert_eq!(alone["judged_before"], 0);
    let text = desk.done(&format!("{command} --estimators snips,dr").replace(" --json", ""));
    assert!(
        text.contains("decision: ") && text.contains("against rule"),
        "{text}"
    );
}

#[test]
fn what_logs_have_no_estimator_for_is_said() {
    let desk = desk();
    let error = desk.refused(
        "evaluate --log log.parquet --config judge.toml --policy uniform --out run --estimators cips:10",
    );
    assert!(error.contains("nothing is clipped"), "{error}");
    let error = desk.refused(
        "evaluate --log log.parquet --config judge.toml --policy uniform --out run --estimators dr --interval betting",
    );
    assert!(
        error.contains("take `normal`, `t` or `bootstrap`"),
        "{error}"
    );
}
