//! The contact centre from outside: simulate, learn, log, report, and what it refuses.

use serde_json::Value;

use crate::desk::Desk;

/// A small centre.
const CENTRE: &str = r#"
name = "small"

[shop]
days = 3
daily_contacts = 800.0

[simulation]
replicas = 3
policies = ["rule", "human"]

[[centre.pool]]
name = "service"
zone = "Asia/Shanghai"
tiers = ["review", "human"]

[[centre.pool.team]]
people = 3
from = "08:00"
to = "00:00"

[[centre.pool.team]]
people = 1
from = "00:00"
to = "08:00"
"#;

fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("centre.toml", CENTRE);
    desk
}

/// Training in the same centre.
fn training(coupling: &str, more: &str) -> String {
    format!(
        "{}\n[environment]\nkind = \"centre\"\n[learner]\ncoupling = \"{coupling}\"\n[training]\nsteps = 4000\n\
         seeds = 2\nevaluate_every = 2000\nevaluate_conversations = 500\nprice_samples = 40\n{more}\n",
        CENTRE.replace(
            "[simulation]\nreplicas = 3\npolicies = [\"rule\", \"human\"]\n",
            ""
        )
    )
}

#[test]
fn policies_meet_the_same_customers_and_the_page_stands_alone() {
    let desk = desk();
    let result = desk.done_json("simulate centre.toml --out run --json");
    assert_eq!(result, desk.json("run/simulation.json"));
    let policies = result["policies"].as_array().unwrap();
    assert_eq!(policies.len(), 2);
    assert_eq!(policies[0]["conversations"], policies[1]["conversations"]);
    let human_s = |i: usize| policies[i]["kpis"]["human_s"]["value"].as_f64().unwrap();
    assert!(human_s(1) > human_s(0));
    let difference = policies[1]["differences"]["human_s"]["value"]
        .as_f64()
        .unwrap();
    assert!((difference - (human_s(1) - human_s(0))).abs() < 1e-9);
    desk.done("report run");
    let page = desk.text("run/report.html");
    assert!(page.contains("when everyone uses it"));
    assert!(!page.contains("<script"));
    // The saved configuration repeats the run.
    assert_eq!(desk.done_json("simulate run/config.toml --json"), result);
}

#[test]
fn threads_do_not_change_a_simulation_and_seeds_do() {
    let desk = desk();
    let one = desk.done("--threads 1 simulate centre.toml --json");
    assert_eq!(one, desk.done("--threads 2 simulate centre.toml --json"));
    assert_ne!(one, desk.done("simulate centre.toml --json --seed 9"));
}

#[test]
fn every_coupling_trains_resumes_and_can_be_simulated() {
    let desk = desk();
    for (coupling, more) in [("none", ""), ("toll", "toll_tries = 2"), ("continuing", "")] {
        desk.write("train.toml", training(coupling, more));
        let result = desk.done_json(&format!("train train.toml --out {coupling} --json"));
        assert!(result["version"].is_string(), "{coupling}");
        let tolls = result["tolls"].as_array().unwrap().len();
        assert_eq!(tolls > 1, coupling == "toll", "{coupling}: {tolls}");
        let again = desk.done_json(&format!(
            "--threads 1 train train.toml --out again-{coupling} --json"
        ));
        assert_eq!(again["version"], result["version"], "{coupling}");
    }
    let simulated = desk.done_json("simulate centre.toml --json --policy rule --policy toll");
    assert!(simulated["policies"][1]["version"].is_string());
    let one_each = training("continuing", "").replace(
        "[[centre.pool]]",
        "[centre]\ndecision = \"conversation\"\n[[centre.pool]]",
    );
    desk.write("chain.toml", one_each);
    desk.done("train chain.toml --set learner.discount_half_life_s=1800.0 --out chain");
    desk.done("train chain.toml --set learner.algorithm.differential_q.rate_step=0.01 --out rate");
}

#[test]
fn a_log_of_the_centre_supports_other_policies() {
    let desk = desk();
    desk.write(
        "survey.toml",
        CENTRE.replace(
            "daily_contacts = 800.0",
            "daily_contacts = 800.0\n[shop.aftermath]\nsurvey_base = 0.6\nsurvey_extreme = 0.0",
        ),
    );
    desk.done("log generate survey.toml --explore 0.5 --out log.parquet");
    let check = desk.done_json("log check log.parquet --json");
    assert_eq!(
        check["row_errors"].as_array().unwrap().len(),
        0,
        "{}",
        check["row_errors"]
    );
    let evaluation =
        desk.done_json("evaluate --log log.parquet --policy auto --config survey.toml --json");
    assert_eq!(evaluation["basis"], Value::from("logged"));
}

#[test]
fn outages_and_claims_are_part_of_the_result() {
    let desk = desk();
    let outage =
        "\n[[centre.outage]]\nstart_h = 40.0\nduration_h = 2.0\npeople_lost = 1.0\ndropped = 0.5\n";
    desk.write("broken.toml", format!("{CENTRE}{outage}"));
    let result = desk.done_json("simulate broken.toml --out run --json");
    let outages = result["outages"].as_array().unwrap();
    assert_eq!(outages.len(), 2);
    let left = |key: &str| outages[1][key]["value"].as_f64().unwrap();
    assert!(left("abandoned_during") > left("abandoned_during_without"));
    desk.done("report run --lang zh");
    let claim = "\n[simulation.before]\nconfig = \"centre.toml\"\npolicy = \"human\"\n[[simulation.claim]]\n\
                 measure = \"human_work\"\nsaid = \"−65 %\"\nassumed = \"nothing\"\n";
    desk.write("claims.toml", format!("{CENTRE}{claim}"));
    let result = desk.done_json("simulate claims.toml --json --policy rule");
    let claims = result["claims"].as_array().unwrap();
    assert!(
        claims[0]["change"]["value"].as_f64().unwrap() < 0.0,
        "{claims:?}"
    );
}

#[test]
fn what_cannot_be_simulated_is_refused_with_its_line() {
    let desk = desk();
    let cases = [
        ("people = 3", "people = 0", "`centre.pool.team.people` is 0"),
        (
            "zone = \"Asia/Shanghai\"",
            "zone = \"Moon\"",
            "`centre.pool.zone` is \"Moon\"",
        ),
        ("replicas = 3", "replicas = 1", "`simulation.replicas` is 1"),
        (
            "from = \"08:00\"",
            "from = \"8\"",
            "`centre.pool.team.from` is \"8\"",
        ),
        (
            "people = 3",
            "people = 3\nlanguages = [\"xx\"]",
            "`centre.pool.team.languages` is xx",
        ),
        (
            "daily_contacts = 800.0",
            "daily_contacts = 0.0",
            "`shop.daily_contacts`",
        ),
    ];
    for (from, to, expected) in cases {
        desk.write("bad.toml", CENTRE.replacen(from, to, 1));
        let error = desk.refused("simulate bad.toml --out run");
        assert!(error.contains(expected), "{to}: {error}");
        assert!(error.contains("bad.toml:"), "{error}");
        assert!(!desk.path("run").exists(), "{to}");
    }
    let long = "\n[[centre.outage]]\nstart_h = 60.0\nduration_h = 20.0\npeople_lost = 0.5\n";
    desk.write("long.toml", format!("{CENTRE}{long}"));
    assert!(
        desk.refused("simulate long.toml")
            .contains("end 8 h after the run does"),
        "{}",
        desk.refused("simulate long.toml")
    );
    let error = desk.refused("simulate centre.toml --policy nobody");
    assert!(error.contains("no policy is called `nobody`"), "{error}");
    desk.write("empty.toml", "name = \"x\"\n");
    assert!(
        desk.refused("simulate empty.toml")
            .contains("no `[queue]` and no `[centre]`")
    );
}
