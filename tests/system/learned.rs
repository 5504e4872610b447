//! `tierwise train --table` and the judging of what it made: the loop on anybody's log.

use std::fmt::Write;

use crate::desk::Desk;

/// A log in which action 1 pays for positive x0 and action 0 for negative, and which tossed a coin.
fn decisions(n: u32) -> String {
    let mut text = "action,propensity,reward,x0,x1\n".to_owned();
    // A low-discrepancy sequence instead of a generator: x is spread evenly, actions and noise go their own ways.
    let part = |i: u32, step: f64| (f64::from(i) * step).fract();
    for i in 0..n {
        let x = 2.0 * part(i, 0.618_033_988_749_895) - 1.0;
        let action = u8::from(part(i, 0.414_213_562_373_095) < 0.5);
        let pays = if action == 1 {
            0.5 + 0.4 * x
        } else {
            0.5 - 0.4 * x
        };
        let reward = u8::from(part(i, 0.732_050_807_568_877) < pays);
        let y = part(i, 0.645_751_311_064_59);
        writeln!(text, "{action},0.5,{reward},{x:.6},{y:.6}").unwrap();
    }
    text
}

fn episodes(n: u32) -> String {
    let mut text = "episode,t,state,action,propensity,reward,done\n".to_owned();
    for e in 0..n {
        // Action 1 in `new` leads to `warm`, which pays; action 0 to `cold`, which does not.
        // Not periodic: a log that repeats itself exactly looks like rows that were seen.
        let coin = |step: f64| u32::from((f64::from(e) * step).fract() < 0.5);
        let first = coin(0.618_033_988_749_895);
        let state = if first == 1 { "warm" } else { "cold" };
        let second = coin(0.414_213_562_373_095);
        let reward = if first == 1 { 1 } else { 0 };
        writeln!(
            text,
            "{e},0,new,{first},0.5,0,0\n{e},1,{state},{second},0.5,{reward},1"
        )
        .unwrap();
    }
    text
}

#[test]
fn what_is_learned_from_half_a_log_is_promoted_on_the_other() {
    let desk = Desk::new();
    desk.write("log.csv", decisions(6000));
    for learner in ["direct", "ips", "dr"] {
        let train =
            format!("train --table log.csv --learner {learner} --rows ..50% --out {learner}");
        let said = desk.done(&train);
        assert!(
            said.ends_with(&format!(
                "tierwise evaluate --table log.csv --rows 3000.. --policy {learner}\n"
            )),
            "{said}"
        );
    }
    let judged = desk.done_json("evaluate --json --gate --table log.csv --rows 3000.. --policy direct ips dr --estimators ips,dr",
    );
    assert_eq!(judged["rows"], 3000);
    assert_eq!(judged["notes"][0], "the estimates are those of `direct`");
    // The best policy earns 0.5 + 0.4 E|x| = 0.7, the coin 0.5.
    let value = judged["estimates"][1]["value"].as_f64().unwrap();
    assert!((value - 0.7).abs() < 0.03, "{value}");
    let candidates = judged["selection"]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 3);
    assert!(candidates.iter().all(|c| c["passes"] == true));
}

#[test]
fn rows_that_a_policy_has_seen_do_not_judge_it() {
    let desk = Desk::new();
    let text = decisions(2000);
    desk.write("log.csv", &text);
    desk.done("train --table log.csv --learner dr --rows ..1000 --out v");
    let error = desk.refused("evaluate --table log.csv --policy v");
    // Of 32 runs of 64 rows it has seen 15 wholly.
    assert!(
        error.starts_with("error: log.csv: v (v) has learned from 47 % of these rows"),
        "{error}"
    );
    assert!(
        error.contains("fix: judge on the others: `--rows 1000..`"),
        "{error}"
    );
    // The same rows under another name, with more below and another column.
    let longer: String = decisions(3000)
        .lines()
        .map(|line| {
            format!(
                "{line},{}\n",
                if line.starts_with("action") {
                    "note"
                } else {
                    "7"
                }
            )
        })
        .collect();
    desk.write("longer.csv", longer);
    let error = desk.refused("evaluate --table longer.csv --policy v");
    assert!(
        error.contains("has learned from 32 % of these rows"),
        "{error}"
    );
    desk.done("evaluate --table longer.csv --rows 2000.. --policy v --resamples 20");
    desk.done("train --table log.csv --learner dr --out all");
    let error = desk.refused("evaluate --table log.csv --policy all");
    assert!(
        error.contains("all (all) has learned from these rows"),
        "{error}"
    );
    assert!(
        error.contains("learn from one part and judge on the other"),
        "{error}"
    );
}

#[test]
fn sequences_are_learned_and_judged_one_policy_at_a_time() {
    let desk = Desk::new();
    desk.write("log.csv", episodes(800));
    for learner in ["cql", "bcq", "pessimistic", "spibb"] {
        desk.done(&format!(
            "train --table log.csv --learner {learner} --rows ..801 --floor 0.05 --out {learner}"
        ));
        // 801 rows end within an episode: the part goes on to its end.
        let judged = desk.done_json(&format!(
            "evaluate --json --table log.csv --rows 801.. --policy {learner} --estimators pdis,fqe"
        ));
        assert_eq!(judged["episodes"], 399);
        // `warm` pays 1 and is reached by action 1, which keeps 0.95 beside a floor of 0.05.
        let fqe = judged["estimates"][1]["value"].as_f64().unwrap();
        assert!((fqe - 0.95).abs() < 1e-9, "{learner}: {fqe}");
    }
    let error = desk.refused("evaluate --table log.csv --rows 801.. --policy cql bcq");
    assert!(error.contains("one policy at a time"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let desk = Desk::new();
    desk.write("log.csv", decisions(500));
    desk.write("sequences.csv", episodes(100));
    desk.write(
        "other.csv",
        "action,propensity,reward,x0\n0,0.5,1,2\n1,0.5,0,3\n",
    );
    for (arguments, reason) in [
        ("--table log.csv --learner cql", "no column `state`"),
        ("--table sequences.csv --learner dr", "no columns `x0`"),
        (
            "--table log.csv --learner dr --alpha 1",
            "`--alpha` says nothing to `--learner dr`",
        ),
        (
            "--table sequences.csv --learner bcq --threshold 2",
            "`--threshold` is 2; it lies in 0 to 1",
        ),
        (
            "--table log.csv --learner dr --floor 0.6",
            "each keeps at most 0.5",
        ),
        (
            "--table log.csv --learner dr --rows 7",
            "`--rows`: `7` is no range",
        ),
        (
            "--table log.csv --learner dr --rows 600..",
            "no rows in 600..; it has 500",
        ),
        ("--table none.csv --learner dr", "no such table"),
    ] {
        let error = desk.refused(&format!("train {arguments} --out v"));
        assert!(error.contains(reason), "{arguments}: {error}");
        assert!(!desk.path("v").exists(), "{arguments}");
    }
    desk.done("train --table log.csv --learner dr --rows ..300 --out v");
    let error = desk.refused("evaluate --table other.csv --policy v");
    assert!(
        error.contains("reads 2 features, `x0` to `x1`, and the table has 1"),
        "{error}"
    );
    let error = desk.refused("evaluate --table sequences.csv --policy v");
    assert!(error.contains("reads 2 features"), "{error}");
    // One changed byte, and the policy is no longer what was saved.
    let mut policy = desk.read("v/policy.json");
    let place = policy.len() - 20;
    policy[place] ^= 1;
    desk.write("v/policy.json", policy);
    let error = desk.refused("evaluate --table log.csv --rows 300.. --policy v");
    assert!(error.contains("content hash is"), "{error}");
}

#[test]
fn the_same_table_makes_the_same_version_on_any_number_of_threads() {
    let desk = Desk::new();
    desk.write("log.csv", decisions(3000));
    let version = |threads: u32| {
        let said = desk.done_json(&format!(
                "train --json --table log.csv --learner dr --features quadratic --name p --out v{threads} --threads {threads}"
            ),
        );
        said["version"].as_str().unwrap().to_owned()
    };
    assert_eq!(version(1), version(2));
    assert_eq!(desk.read("v1/seen.bin"), desk.read("v2/seen.bin"));
}
