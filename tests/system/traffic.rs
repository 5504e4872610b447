//! Customers of the centre against a router in a process of its own, and the log that comes of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tierwise_envs::log::file::LogReader;
use tierwise_envs::log::model::Conversation;
use tierwise_envs::log::outcome::reward;
use tierwise_envs::reward::RewardSpec;

use crate::desk::{Desk, ended, training};

/// A day of a small centre in which everybody is counted; four people who can be halved.
const CENTRE: &str = "name = \"small\"\n[shop]\ndays = 1\ndaily_contacts = 300.0\n[shop.aftermath]\nsurvey_base = 0.6\n\
    [centre]\nwarmup_h = 0.0\ncooldown_h = 0.0\n[[centre.pool]]\nname = \"service\"\nzone = \"Asia/Shanghai\"\n\
    tiers = [\"review\", \"human\"]\nteam = [{ people = 4, from = \"00:00\", to = \"00:00\" }]\n";

/// Two arms with the same rules.
const EXPERIMENT: &str = "key = \"alike\"\n[[arm]]\nname = \"a\"\npolicy = \"rule\"\n[[arm]]\nname = \"b\"\n\
    policy = \"rule\"\n[primary]\nname = \"reward\"\nevent = \"tierwise.reward.v1\"\nwindow_hours = 2.0\n\
    outcome = { kind = \"value\", low = 0.0, high = 1.0, missing = 0.0 }\n";

/// A router that ends with the test.
struct Router {
    child: Child,
    url: String,
}

impl Drop for Router {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Router {
    fn start(desk: &Desk, listen: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tierwise"))
            .current_dir(desk.path(""))
            .args(["serve", "router.toml", "--follow-traffic=2026-03-01"])
            .args([
                "--listen",
                listen,
                "--store",
                "sqlite:live.db",
                "--data",
                "data",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let url = line
            .split_whitespace()
            .find(|word| word.starts_with("http"))
            .unwrap();
        Self {
            url: url.to_owned(),
            child,
        }
    }
}

/// A folder with a router whose experiment has this floor and design.
fn live(durability: &str, floor: &str, more: &str) -> (Desk, Router) {
    let desk = Desk::new();
    desk.write("centre.toml", CENTRE);
    // However busy the machine is, policies answer in time.
    let router = format!("durability = \"{durability}\"\npolicy_budget_ms = 10000.0\n");
    desk.write("router.toml", router);
    let top = format!("floor = {floor}\n{more}");
    desk.write("experiment.toml", format!("{top}{EXPERIMENT}"));
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/configs/rules.toml");
    desk.done(&format!("policy register {rules} --store sqlite:live.db"));
    let router = Router::start(&desk, "127.0.0.1:0");
    let url = &router.url;
    desk.done(&format!("experiment create experiment.toml --url {url}"));
    (desk, router)
}

fn log(desk: &Desk, name: &str) -> Vec<Conversation> {
    let mut rows: Vec<Conversation> = LogReader::open(desk.path(name))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    rows.sort_by_key(|row| row.created_at);
    rows
}

#[test]
fn what_a_router_recorded_is_the_log_of_the_same_centre() {
    let (desk, router) = live("async", "0.0", "");
    let url = &router.url;
    let result = desk.done_json(&format!(
        "traffic centre.toml --url {url} --experiment alike --seed 4 --json"
    ));
    assert_eq!(result["events"]["rejected"], 0);
    assert_eq!(result["outcomes_to_come"], 0);
    assert_eq!(result["experiment"]["phase"], "running");
    drop(router);

    // The same customers under the same rules, written down by the simulator itself.
    desk.done("log generate centre.toml --seed 4 --explore 0 --out truth.jsonl");
    let said = desk.done("store export --log live.jsonl sqlite:live.db");
    assert!(!said.contains("left out"), "{said}");
    let (have, want) = (log(&desk, "live.jsonl"), log(&desk, "truth.jsonl"));
    assert_eq!(have.len(), want.len());
    assert!(have.len() > 100, "{}", have.len());
    let spec = RewardSpec::default();
    let mut rewards = 0;
    for (have, want) in have.iter().zip(&want) {
        let id = &want.conversation_id;
        assert_eq!(have.created_at, want.created_at, "{id}");
        assert_eq!(have.channel, want.channel, "{id}");
        assert_eq!(have.class, want.class, "{id}");
        assert_eq!(have.language, want.language, "{id}");
        assert_eq!(have.rating_raw, want.rating_raw, "{id}");
        assert_eq!(have.abandoned, want.abandoned, "{id}");
        assert_eq!(have.reopened_7d, want.reopened_7d, "{id}");
        assert_eq!(have.escalated_7d, want.escalated_7d, "{id}");
        assert_eq!(have.clicked_at.is_some(), want.clicked_at.is_some(), "{id}");
        assert_eq!(have.order_value, want.order_value, "{id}");
        assert_eq!(have.decisions.len(), want.decisions.len(), "{id}");
        for (have, want) in have.decisions.iter().zip(&want.decisions) {
            assert_eq!(have.action, want.action, "{id}");
            assert_eq!(have.observation, want.observation, "{id}");
            assert_eq!(have.answer_s, want.answer_s, "{id}");
            assert_eq!(have.human_s, want.human_s, "{id}");
            assert_eq!(have.propensity.map(|p| p.value()), Some(1.0), "{id}");
        }
        match (reward(have, &spec, None), reward(want, &spec, None)) {
            (Ok(have), Ok(want)) => {
                assert!((have.total - want.total).abs() < 1e-12, "{id}");
                rewards += 1;
            }
            (have, want) => assert_eq!(have.is_ok(), want.is_ok(), "{id}"),
        }
    }
    assert!(rewards > 50, "{rewards}");
}

#[test]
fn a_log_of_a_router_can_be_judged_on_and_the_same_traffic_finds_the_same_answers() {
    let run = || {
        let (desk, router) = live(
            "async",
            "0.1",
            "design = \"split_pool\"\nswitchback = { block_minutes = 60.0, washout_minutes = 0.0 }\n\
             pool = { shared = false }\n",
        );
        let url = &router.url;
        let mut result = desk.done_json(&format!(
            "traffic centre.toml --url {url} --experiment alike --json"
        ));
        for measured in ["seconds", "decisions_per_second", "retried"] {
            result[measured] = 0.into();
        }
        result["experiment"]["definition"] = 0.into();
        (desk, result)
    };
    let ((desk, first), (_, second)) = (run(), run());
    assert_eq!(first, second);
    let arms = first["arms"].as_array().unwrap();
    assert_eq!(arms.len(), 2);
    assert!(
        arms.iter()
            .all(|arm| arm["conversations"].as_u64().unwrap() > 50)
    );

    desk.done("store export --log live.parquet sqlite:live.db");
    let rows = log(&desk, "live.parquet");
    let decisions: Vec<_> = rows.iter().flat_map(|row| &row.decisions).collect();
    assert_eq!(Some(decisions.len() as u64), first["decisions"].as_u64());
    for decision in &decisions {
        let (probs, allowed) = (decision.probs.unwrap(), decision.mask.count());
        // A rule is certain of one tier, and the floor leaves a tenth to every other that is allowed.
        let best = 1.0 - 0.1 * f64::from(allowed - 1);
        let propensity = decision.propensity.unwrap().value();
        assert_eq!(propensity, probs.of(decision.action));
        assert!(
            (propensity - 0.1).abs() < 1e-12 || (propensity - best).abs() < 1e-12,
            "{propensity}"
        );
    }
    // Some decisions explored.
    assert!(
        decisions
            .iter()
            .any(|decision| decision.propensity.unwrap().value() < 0.2)
    );

    let check = ended(desk.tierwise().args(["log", "check", "live.parquet"]));
    assert_eq!(check.code, 0, "{}", check.stderr);
    assert!(check.stdout.contains("exact"), "{}", check.stdout);
    desk.write("train.toml", training("kind = \"log\"", ""));
    desk.done("train train.toml --log live.parquet --out run");
    let judged = desk.done("evaluate --log live.parquet --policy run --resamples 50");
    assert!(judged.contains("exact propensities"), "{judged}");
}

#[test]
fn a_router_that_is_killed_in_the_midst_of_traffic_loses_nothing() {
    let (desk, router) = live("sync", "0.1", "");
    let url = router.url.clone();
    let mut traffic = Command::new(env!("CARGO_BIN_EXE_tierwise"))
        .current_dir(desk.path(""))
        .args([
            "traffic",
            "centre.toml",
            "--experiment",
            "alike",
            "--json",
            "--url",
            &url,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // The spool grows with the first decisions: then the router dies without a word.
    let spool = desk.path("data/spool");
    let bytes = || -> u64 {
        std::fs::read_dir(&spool)
            .map(|files| {
                files
                    .filter_map(|file| Some(file.ok()?.metadata().ok()?.len()))
                    .sum()
            })
            .unwrap_or(0)
    };
    while bytes() < 10_000 {
        assert!(traffic.try_wait().unwrap().is_none());
        std::thread::yield_now();
    }
    drop(router);
    let _again = Router::start(&desk, url.strip_prefix("http://").unwrap());
    let output = traffic.wait_with_output().unwrap();
    assert!(output.status.success());
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(result["retried"].as_u64().unwrap() > 0);
    let stored = desk.done_json("store check sqlite:live.db --json");
    let events = &result["events"];
    let sent = events["accepted"].as_u64().unwrap() + events["duplicates"].as_u64().unwrap();
    assert_eq!(stored["events"].as_u64(), Some(sent));
    assert_eq!(stored["orphans"], 0);
    assert_eq!(stored["exposures"], result["decisions"]);
}

#[test]
fn traffic_and_router_agree_on_the_clock_or_say_so() {
    let desk = Desk::new();
    desk.write("centre.toml", CENTRE);
    let said = desk.refused("traffic centre.toml --speed 0.5");
    assert!(said.contains("1 to 1,000,000"), "{said}");
    let said = desk.refused("serve --follow-traffic --listen 0.0.0.0:0 --store sqlite:live.db");
    assert!(said.contains("listen"), "{said}");
    let mut child = Command::new(env!("CARGO_BIN_EXE_tierwise"))
        .current_dir(desk.path(""))
        .args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--store",
            "sqlite:live.db",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let url = line
        .split_whitespace()
        .find(|word| word.starts_with("http"))
        .unwrap()
        .to_owned();
    let router = Router { child, url };
    let said = desk.refused(&format!("traffic centre.toml --url {}", router.url));
    assert!(said.contains("--follow-traffic"), "{said}");
}
