//! Log, check, train, judge, report: every environment, and the demonstration.

use serde_json::Value;

use crate::desk::{Desk, keys, training};

/// Assumptions for replay on a model, in case a tiny log lacks a tier.
pub(crate) const ASSUMED: &str = "[assumed.auto]\nsatisfaction = [0.8, 0.5, 0.3]\nanswer_s = [3.0, 3.0, 3.0]\n\
    human_s = [0.0, 0.0, 0.0]\nsource = \"a test\"\n[assumed.review]\nsatisfaction = [0.8, 0.7, 0.5]\n\
    answer_s = [60.0, 90.0, 90.0]\nhuman_s = [30.0, 60.0, 60.0]\nsource = \"a test\"\n[assumed.human]\n\
    satisfaction = [0.9, 0.9, 0.8]\nanswer_s = [90.0, 120.0, 120.0]\nhuman_s = [120.0, 200.0, 200.0]\n\
    source = \"a test\"\n";

/// A shop of 2,400 conversations: enough for effective sample sizes above the gate.
const BIG_SHOP: &str =
    "days = 6\ndaily_contacts = 400.0\n[aftermath]\nsurvey_base = 0.6\nsurvey_extreme = 0.0\n";

fn holds(value: &Value, wanted: &[&str]) {
    let have = keys(value);
    for key in wanted {
        assert!(have.contains(key), "no `{key}` in {have:?}");
    }
}

/// A page that needs nothing beside itself.
fn self_contained(page: &str, language: &str) {
    assert!(page.to_lowercase().starts_with("<!doctype html>"));
    assert!(
        page.contains(&format!("<html lang=\"{language}")),
        "{language}"
    );
    assert!(page.trim_end().ends_with("</html>"));
    // The name of the SVG vocabulary is no address: nothing is fetched from it.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for fetched in [
        "http:", "https:", "<script", "<link", "<iframe", "@import", " src=",
    ] {
        assert!(!page.contains(fetched), "{fetched}");
    }
    assert!(
        !page.replace("url(#", "").contains("url("),
        "only marks within the page"
    );
}

#[test]
fn a_log_becomes_a_verdict_and_a_page_in_two_languages() {
    let desk = Desk::new();
    desk.write("shop.toml", BIG_SHOP);
    let generated =
        desk.done_json("log generate shop.toml --out log.parquet --explore 0.5 --seed 5 --json");
    let check = desk.done_json("log check log.parquet --json");
    holds(
        &check,
        &[
            "file",
            "hash",
            "conversations",
            "decisions",
            "span",
            "composition",
            "labels",
            "rewards",
            "propensities",
            "overlap",
            "row_errors",
            "claims",
        ],
    );
    assert_eq!(check["hash"], generated["hash"]);
    assert_eq!(check["conversations"], generated["conversations"]);
    assert_eq!(check["propensities"]["exact"], check["decisions"]);

    for (kind, environment, more, evidence) in [
        ("log", "kind = \"log\"", "", "logged"),
        (
            "rejection",
            "kind = \"replay\"\nmode = \"rejection\"",
            "",
            "logged",
        ),
        (
            "model",
            "kind = \"replay\"\nmode = \"model\"",
            ASSUMED,
            "simulated",
        ),
        (
            "shop",
            "kind = \"shop\"",
            "[shop]\ndays = 2\ndaily_contacts = 150.0",
            "simulated",
        ),
    ] {
        desk.write(&format!("{kind}.toml"), training(environment, more));
        let input = if kind == "shop" {
            ""
        } else {
            " --log log.parquet"
        };
        let trained = desk.done_json(&format!("train {kind}.toml{input} --out {kind} --json"));
        assert_eq!(
            trained,
            desk.json(&format!("{kind}/training.json")),
            "{kind}"
        );
        holds(
            &trained,
            &[
                "name",
                "created_by",
                "learner",
                "config_hash",
                "reward_version",
                "evidence",
                "version",
                "chosen_seed",
                "chosen_steps",
                "score",
                "baseline",
                "seeds",
                "log",
                "mdp",
                "average_reward",
                "optimal_average_reward",
                "warnings",
            ],
        );
        assert_eq!(trained["evidence"], evidence, "{kind}");
        assert_eq!(trained["log"].is_null(), kind == "shop");
        let seeds = trained["seeds"].as_array().unwrap();
        assert_eq!(seeds.len(), 2);
        for seed in seeds {
            let steps: Vec<u64> = seed["curve"]
                .as_array()
                .unwrap()
                .iter()
                .map(|point| point["steps"].as_u64().unwrap())
                .collect();
            assert_eq!(steps, [0, 500, 1000, 1500, 2000], "{kind}");
        }
        assert!(!desk.path(&format!("{kind}/checkpoint")).exists());
        // The resolved configuration is a configuration, and the same one.
        let again = desk.done_json(&format!(
            "train {kind}/config.toml{input} --out {kind}-again --json"
        ));
        assert_eq!(again["version"], trained["version"], "{kind}");
    }

    let judged = desk.done_json(
        "evaluate --log log.parquet --policy log rejection model shop --resamples 100 --out judged --json",
    );
    assert_eq!(judged, desk.json("judged/evaluation.json"));
    holds(
        &judged,
        &[
            "created_by",
            "log",
            "log_hash",
            "config_hash",
            "reward_version",
            "part",
            "rows",
            "decisions",
            "propensities",
            "basis",
            "level",
            "candidates",
            "resamples",
            "seed",
            "policies",
            "verdict",
            "sensitivity",
            "assumed",
            "survey",
            "warnings",
        ],
    );
    assert_eq!(judged["basis"], "logged");
    assert_eq!(judged["part"], "judge");
    assert_eq!(judged["candidates"], 4);
    let policies = judged["policies"].as_array().unwrap();
    assert_eq!(
        policies.len(),
        6,
        "the rule, the log as it was, and four candidates"
    );
    assert_eq!(policies[0]["name"], "rule");
    for policy in policies {
        for estimate in policy["estimates"].as_array().unwrap() {
            let Some(value) = estimate["value"].as_f64() else {
                assert!(!estimate["refused"].is_null(), "{estimate}");
                continue;
            };
            let end = |key: &str| estimate["interval"][key].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&value), "{estimate}");
            assert!(end("lower") <= end("upper"), "{estimate}");
            assert!(estimate["n"].as_u64().unwrap() > 0);
        }
    }

    let printed = desk.done("report judged log --lang en --out en.html");
    assert_eq!(printed.trim(), "report: en.html");
    desk.done("report judged log --lang zh --out zh.html");
    let (english, chinese) = (desk.text("en.html"), desk.text("zh.html"));
    self_contained(&english, "en");
    self_contained(&chinese, "zh");
    let han = |page: &str| {
        page.chars()
            .filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c))
            .count()
    };
    assert!(han(&chinese) > 300, "{}", han(&chinese));
    assert!(han(&english) < 20, "{}", han(&english));
    // Drawn again from the same directory, the page is the same.
    desk.done("report judged log --lang en --out again.html");
    assert!(english == desk.text("again.html"));
}

#[test]
fn the_gate_lets_only_a_proven_policy_through() {
    let desk = Desk::with_version();
    let judged = desk.run("evaluate --log log.jsonl --policy run --resamples 40 --gate --json");
    let result: Value = serde_json::from_str(&judged.stdout).unwrap();
    let proven = result["verdict"]["kind"] == "beats";
    assert_eq!(judged.code, i32::from(!proven), "{}", result["verdict"]);
    assert_eq!(
        desk.run("evaluate --log log.jsonl --policy run --resamples 40")
            .code,
        0
    );
}

#[test]
fn the_demonstration_ends_with_a_page_and_a_verdict() {
    let desk = Desk::new();
    let printed = desk.done("demo --quick --out out");
    let last: Vec<&str> = printed.trim_end().lines().rev().take(5).collect();
    assert_eq!(last[0], "live: out/live.html");
    assert!(
        last[1].starts_with("used for every customer, "),
        "{printed}"
    );
    assert_eq!(last[2], "in the centre: out/centre.html");
    assert!(last[3].starts_with("verdict: "), "{printed}");
    assert_eq!(last[4], "report: out/report.html");
    self_contained(&desk.text("out/report.html"), "en");
    self_contained(&desk.text("out/centre.html"), "en");
    self_contained(&desk.text("out/live.html"), "en");
    // Its router was killed once and lost nothing.
    assert!(printed.contains("killed after "), "{printed}");
    assert!(printed.contains(" in the store, 0 lost"), "{printed}");
    for run in ["q", "double-q", "expected-sarsa"] {
        let training = desk.json(&format!("out/{run}/training.json"));
        assert_eq!(training["evidence"], "logged");
    }
    let judged = desk.json("out/judged/evaluation.json");
    assert_ne!(
        judged["verdict"]["kind"], "refused",
        "{}",
        judged["verdict"]
    );
}

/// A directory that is trained again forgets the verdict on the version before, so that no page shows one beside the other.
#[test]
fn training_again_forgets_the_old_verdict() {
    let desk = Desk::with_version();
    desk.done("evaluate --log log.jsonl --policy run --resamples 50");
    assert!(desk.path("run/evaluation.json").exists());
    desk.done("train train.toml --log log.jsonl --out run --seed 9");
    assert!(!desk.path("run/evaluation.json").exists());
    assert!(!desk.path("run/log-check.json").exists());
}
