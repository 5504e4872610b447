//! Real conversations: what may be learned from the STAR corpus, and what may not be claimed from it.

use crate::desk::{Desk, keys};
use crate::shared;

#[test]
fn star_is_simulated_from_import_to_verdict() {
    let Some(corpus) = shared::data("star") else {
        return;
    };
    let config = shared::config("star.toml");
    if !config.exists() {
        eprintln!("skipped: {} is absent", config.display());
        return;
    }
    let desk = Desk::new();
    let imported = desk.done_json(&format!(
        "import star {} --out star.parquet --json",
        corpus.display()
    ));
    // The published count of dialogues.
    assert_eq!(imported["read"], 5329);
    assert_eq!(imported["rejected"], 0);

    let check = desk.done_json("log check star.parquet --json");
    assert_eq!(check["conversations"], imported["written"]);
    for row in check["overlap"].as_array().unwrap() {
        let count = |tier: usize| row["tiers"][tier]["count"].as_u64().unwrap();
        assert_eq!((count(0), count(2)), (0, 0), "no tier 1 and no tier 3");
        assert!(count(1) > 0);
    }
    assert_eq!(check["propensities"]["exact"], 0);
    assert_eq!(check["propensities"]["estimated"], 0);
    assert_eq!(check["propensities"]["absent"], check["decisions"]);
    for (claim, allowed) in [("off_policy_value", false), ("simulated_learning", true)] {
        let found = check["claims"]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["what"] == claim)
            .unwrap_or_else(|| panic!("no claim {claim}"));
        assert_eq!(found["allowed"], allowed, "{found}");
    }

    // The published configuration, shorter.
    let text = std::fs::read_to_string(&config).unwrap();
    let short: Vec<&str> = text
        .lines()
        .filter(|line| {
            !["steps", "seeds", "evaluate_every"]
                .iter()
                .any(|key| line.starts_with(key))
        })
        .collect();
    let short = short.join("\n").replace(
        "[training]",
        "[training]\nsteps = 20_000\nseeds = 1\nevaluate_every = 10_000",
    );
    desk.write("star.toml", &short);
    let trained = desk.done_json("train star.toml --log star.parquet --out run --json");
    assert_eq!(trained["evidence"], "simulated");
    assert!(!trained["log"]["assumed"].as_array().unwrap().is_empty());

    let judged = desk.done_json("evaluate --log star.parquet --policy run --resamples 50 --json");
    assert_eq!(judged["basis"], "simulated");
    assert_eq!(judged["propensities"], "absent");
    assert_eq!(judged["verdict"]["kind"], "simulated");
    for policy in judged["policies"].as_array().unwrap() {
        for estimate in policy["estimates"].as_array().unwrap() {
            let estimator = estimate["estimator"].as_str().unwrap();
            assert!(["model", "mean"].contains(&estimator), "{estimator}");
        }
    }
    assert!(keys(&judged).contains(&"assumed"));
    let gate = desk.run("evaluate --log star.parquet --policy run --resamples 50 --gate");
    assert_eq!(gate.code, 1, "a simulated verdict promotes nothing");
    assert!(gate.stdout.contains("simulated only"), "{}", gate.stdout);
    desk.done("report run --out star.html");
}

#[test]
fn star_explains_what_it_derives_without_the_corpus() {
    let desk = Desk::new();
    let explained = desk.done("import star --explain");
    for word in ["tier", "class", "satisfaction", "propensit"] {
        assert!(explained.contains(word), "{word}: {explained}");
    }
}
