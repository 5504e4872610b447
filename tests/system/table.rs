//! `tierwise evaluate --table`: what a user of another system's logs meets.

use std::fmt::Write;

use serde_json::Value;

use crate::desk::Desk;

const HEAD: &str = "action,propensity,reward,pi0,pi1,q0,q1";

/// Rows of a log whose policy took action 1 in one of four rows; `pi` takes it always but for a tenth.
fn rows(n: usize) -> String {
    let mut text = format!("{HEAD}\n");
    for i in 0..n {
        let action = usize::from(i % 4 == 0);
        let propensity = if action == 1 { 0.25 } else { 0.75 };
        let reward = usize::from(i % 3 == 0);
        writeln!(text, "{action},{propensity},{reward},0.1,0.9,0.3,0.4").unwrap();
    }
    text
}

fn judged(desk: &Desk, arguments: &str) -> Value {
    serde_json::from_str(&desk.done(&format!("evaluate --json --table {arguments}"))).unwrap()
}

#[test]
fn results_have_the_fields_that_other_programs_rely_on() {
    let desk = Desk::new();
    desk.write("t.csv", rows(2000));
    let result = judged(
        &desk,
        "t.csv --estimators ips,snips,cips:2 --resamples 100 --seed 5",
    );
    assert_eq!(result["rows"], 2000);
    assert_eq!(result["episodes"], Value::Null);
    assert_eq!(result["level"], 0.95);
    assert_eq!(result["seed"], 5);
    // Weights 0.9/0.25 = 3.6 in 500 rows and 0.1/0.75 in 1500: mean (1800 + 200)/2000.
    let weights = &result["weights"];
    assert!((weights["mean"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(weights["max"], 3.6);
    let ess = 2000.0_f64.powi(2) / (500.0 * 3.6_f64.powi(2) + 1500.0 * (0.1 / 0.75_f64).powi(2));
    assert!((weights["effective_sample_size"].as_f64().unwrap() - ess).abs() < 1e-6);
    assert!((weights["max_share"].as_f64().unwrap() - 3.6 / 2000.0).abs() < 1e-12);
    let names: Vec<&str> = result["estimates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["estimator"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ips", "snips", "cips"]);
    let clipped = &result["estimates"][2];
    assert_eq!(clipped["parameter"], 2.0);
    assert_eq!(clipped["biased"], true);
    assert_eq!(clipped["refused"], Value::Null);
    let interval = &clipped["interval"];
    assert_eq!(
        (&interval["method"], &interval["resamples"]),
        (&"bootstrap".into(), &100.into())
    );
    assert!(interval["lower"].as_f64() < clipped["value"].as_f64());
}

#[test]
fn columns_that_are_absent_silence_only_what_needs_them() {
    let desk = Desk::new();
    let text: String = rows(400)
        .lines()
        .map(|line| line.rsplitn(3, ',').last().unwrap().to_owned() + "\n")
        .collect();
    desk.write("t.csv", text);
    let result = judged(&desk, "t.csv --estimators ips,dr,dm --interval normal");
    let estimates = result["estimates"].as_array().unwrap();
    assert!(estimates[0]["value"].is_f64());
    for refused in &estimates[1..] {
        assert!(refused["value"].is_null() && refused["interval"].is_null());
        assert!(
            refused["refused"]
                .as_str()
                .unwrap()
                .contains("no `q0` to `q1`")
        );
    }
    // Without a list, what the columns allow.
    let result = judged(&desk, "t.csv");
    assert_eq!(result["estimates"].as_array().unwrap().len(), 2);
}

#[test]
fn what_cannot_be_judged_ends_with_where_what_and_how_to_fix_it() {
    let desk = Desk::new();
    let good = rows(3);
    for (name, text, arguments, expected) in [
        (
            "zero",
            format!("{good}0,0,1,0.5,0.5,0,0\n"),
            "",
            "t.csv:5: `propensity` is 0;",
        ),
        (
            "nan",
            format!("{good}0,nan,1,0.5,0.5,0,0\n"),
            "",
            "t.csv:5: `propensity` is NaN;",
        ),
        (
            "above",
            format!("{good}0,1.01,1,0.5,0.5,0,0\n"),
            "",
            "t.csv:5: `propensity` is 1.01;",
        ),
        (
            "sum",
            format!("{good}0,0.5,1,0.5,0.4,0,0\n"),
            "",
            "sum to 0.900000",
        ),
        (
            "action",
            format!("{good}2,0.5,1,0.5,0.5,0,0\n"),
            "",
            "`action` is 2, and the columns",
        ),
        (
            "text",
            format!("{good}0,0.5,yes,0.5,0.5,0,0\n"),
            "",
            "`reward` is `yes`",
        ),
        ("short", format!("{good}0,0.5\n"), "", "only 2 cells for 7"),
        ("none", format!("{HEAD}\n"), "", "it has no rows"),
        ("empty", String::new(), "", "the file is empty"),
        ("head", "a,b\n1,2\n".to_owned(), "", "no column `action`"),
        (
            "bound",
            good.clone(),
            "--interval hoeffding",
            "needs the range",
        ),
        (
            "range",
            good.clone(),
            "--range 0,0.5",
            "t.csv:2: `reward` is 1, outside the declared range 0 to 0.5",
        ),
        (
            "backwards",
            good.clone(),
            "--range 1,0",
            "the range 1 to 0 is empty",
        ),
        (
            "words",
            good.clone(),
            "--range low,high",
            "`--range` is `low,high`",
        ),
        (
            "level",
            good.clone(),
            "--level 1.5",
            "level 1.5 does not lie between 0 and 1",
        ),
        (
            "estimator",
            good.clone(),
            "--estimators ips,ipw",
            "`ipw`: no such estimator",
        ),
        ("parameter", good, "--estimators cips:-1", "above 0"),
    ] {
        desk.write("t.csv", text);
        let ran = desk.run(format!("evaluate --table t.csv {arguments}").trim_end());
        assert_eq!(ran.code, 2, "{name}: {ran:?}");
        assert!(ran.stderr.contains(expected), "{name}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{name}");
    }
    let ran = desk.run("evaluate --table absent.csv");
    assert!(
        ran.code == 2 && ran.stderr.contains("no such table"),
        "{ran:?}"
    );
    let ran = desk.run("evaluate");
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn tables_with_episodes_are_judged_as_sequences() {
    let desk = Desk::new();
    // On policy, of one and of two steps: the mean return is (1 + 0.5 · 2 + 5)/2 at discount 0.5.
    let mut text = "episode,t,action,propensity,reward,done,state,pi0,pi1\n".to_owned();
    for i in 0..300 {
        let action = i % 2;
        writeln!(text, "a{i},0,{action},0.5,1,0,s,0.5,0.5").unwrap();
        writeln!(text, "a{i},1,{action},0.5,2,1,e,0.5,0.5").unwrap();
        writeln!(text, "b{i},0,{action},0.5,5,1,f,0.5,0.5").unwrap();
    }
    desk.write("t.csv", text);
    let result = judged(
        &desk,
        "t.csv --estimators tis,pdis,sntis,snpdis,fqe,mis,dr --discount 0.5 --resamples 50",
    );
    assert_eq!(
        (&result["rows"], &result["episodes"]),
        (&900.into(), &600.into())
    );
    for estimate in &result["estimates"].as_array().unwrap()[..6] {
        let value = estimate["value"].as_f64().unwrap();
        assert!((value - 3.5).abs() < 1e-9, "{estimate}");
    }
    // The model is fitted here, by state; on policy its errors cancel but for the draw of actions.
    let robust = result["estimates"][6]["value"].as_f64().unwrap();
    assert!((robust - 3.5).abs() < 0.05, "{robust}");
    assert_eq!(result["returns"]["quantiles"][0]["value"], 2.0);
    let text = desk.done("evaluate --table t.csv --discount 0.5 --resamples 50");
    assert!(
        text.contains("600 episodes") && text.contains("mean of the worst 5 % 2.0000"),
        "{text}"
    );
    let error = desk.refused("evaluate --table t.csv --discount 1.5");
    assert!(error.contains("`--discount` is 1.5"), "{error}");
    let error = desk.refused("evaluate --table t.csv --estimators ips");
    assert!(
        error.contains("tables with episodes have tis, pdis"),
        "{error}"
    );
}

fn page(desk: &Desk, name: &str) -> String {
    String::from_utf8(desk.read(name)).unwrap()
}

/// A log in which a class never saw the action that the policy wants there, with candidates or without.
fn classes(candidates: bool) -> String {
    let (more, good) = if candidates {
        (",good:pi0,good:pi1", ",0.2,0.8")
    } else {
        ("", "")
    };
    let mut text = format!("class,action,propensity,reward,pi0,pi1{more}\n");
    for i in 0..600 {
        let action = i % 2;
        writeln!(text, "sizing,{action},0.5,{action},0.3,0.7{good}").unwrap();
        writeln!(text, "refund,0,1,0.5,0.6,0.4{good}").unwrap();
    }
    text
}

#[test]
fn a_page_is_drawn_directly_and_from_its_run_directory() {
    let desk = Desk::new();
    desk.write("t.csv", classes(true));
    for lang in ["en", "zh"] {
        let text = desk.done(&format!(
            "evaluate --table t.csv --resamples 100 --out run --report first.html --lang {lang}"
        ));
        assert!(text.contains("written to run/table.json"), "{text}");
        assert!(text.contains("report: first.html"), "{text}");
        desk.done(&format!("report run --out again.html --lang {lang}"));
        let first = page(&desk, "first.html");
        assert_eq!(first, page(&desk, "again.html"));
        assert!(first.contains("<section class=\"verdict"), "{lang}");
        assert!(first.contains("refund") && first.contains("class=\"hole\""));
        assert!(!first.contains("<script"));
    }
    // Results name what the page draws.
    let result = judged(&desk, "t.csv --resamples 100");
    let refund = &result["diagnostics"]["overlap"]["groups"][1];
    assert_eq!(refund["name"], "refund");
    assert_eq!(refund["cells"][1]["taken"], 0);
    // A file where a directory is to be written is refused before any work.
    desk.write("file", "x");
    let error = desk.refused("evaluate --table t.csv --out file");
    assert!(error.contains("a file, where a directory"), "{error}");
}

#[test]
fn a_table_without_candidates_gets_a_verdict_on_its_page_and_a_thin_one_a_refusal() {
    let desk = Desk::new();
    desk.write("t.csv", rows(2000));
    desk.done("evaluate --table t.csv --resamples 100 --report page.html");
    let drawn = page(&desk, "page.html");
    // Reward does not hang on the action: nothing is shown to be better.
    assert!(drawn.contains("<section class=\"verdict open\""), "{drawn}");
    desk.write("thin.csv", rows(40));
    desk.done("evaluate --table thin.csv --resamples 100 --report page.html --lang zh");
    let drawn = page(&desk, "page.html");
    assert!(drawn.contains("<section class=\"verdict refused\""));
    assert!(
        drawn.contains("需要 100 行"),
        "the reason is worded in Chinese"
    );
    desk.write("none.csv", "action,reward,pi0,pi1\n0,1,1,0\n1,0,1,0\n");
    desk.done("evaluate --table none.csv --report page.html");
    assert!(page(&desk, "page.html").contains("The log holds no propensities"));
}

#[test]
fn candidates_are_ranked_and_the_gate_decides() {
    let desk = Desk::new();
    // Action 1 earns 1, action 0 nothing; the log takes each half of the time.
    let mut text =
        "action,propensity,reward,pi0,pi1,good:pi0,good:pi1,bad:pi0,bad:pi1\n".to_owned();
    for i in 0..600 {
        let action = i % 2;
        writeln!(text, "{action},0.5,{action},0.5,0.5,0.2,0.8,0.9,0.1").unwrap();
    }
    desk.write("t.csv", text);
    let result = judged(&desk, "t.csv --gate");
    let selection = &result["selection"];
    assert_eq!(selection["decision"]["kind"], "promote");
    assert_eq!(selection["decision"]["candidate"], "good");
    assert_eq!(selection["baseline"], "as logged");
    // Weights 1.6 and 0.4 on rewards 1 and 0: 0.8 − 0.5.
    let best = &selection["candidates"][0];
    assert!(
        (best["difference"].as_f64().unwrap() - 0.3).abs() < 1e-12,
        "{best}"
    );
    assert_eq!(selection["candidates"][2]["name"], "bad");
    let text = desk.done("evaluate --table t.csv");
    assert!(text.contains("decision: promote good"), "{text}");
    // Nothing beats the best.
    let ran = desk.run("evaluate --table t.csv --baseline good --gate");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stdout.contains("decision: keep good"), "{}", ran.stdout);
    let error = desk.refused("evaluate --table t.csv --baseline best");
    assert!(
        error.contains("no candidate `best`; there are pi, good, bad"),
        "{error}"
    );
}

#[test]
fn candidates_judged_on_the_same_rows_before_are_counted_once() {
    let desk = Desk::new();
    let table = |bad: &str| {
        let mut text = "action,propensity,reward,pi0,pi1,new:pi0,new:pi1\n".to_owned();
        for i in 0..600 {
            let action = i % 2;
            let reward = usize::from(i % 3 == 0);
            writeln!(text, "{action},0.5,{reward},0.5,0.5,{bad}").unwrap();
        }
        text
    };
    desk.write("t.csv", table("0.2,0.8"));
    let before = |result: &Value| result["selection"]["judged_before"].as_u64().unwrap();
    let first = judged(&desk, "t.csv");
    assert_eq!(before(&first), 0);
    // The same again is no new candidate, whatever it is called; others are.
    assert_eq!(before(&judged(&desk, "t.csv")), 0);
    desk.write("u.csv", table("0.9,0.1"));
    let other = judged(&desk, "u.csv --ledger t.csv.judged.jsonl");
    assert_eq!(before(&other), 1);
    let bar = |result: &Value| result["selection"]["bonferroni"].as_f64().unwrap();
    assert!(bar(&other) > bar(&first));
    assert_eq!(
        before(&judged(
            &desk,
            "u.csv --ledger t.csv.judged.jsonl --judged-before 7"
        )),
        7
    );
    assert_eq!(before(&judged(&desk, "u.csv --no-ledger")), 0);
    assert_eq!(desk.text("t.csv.judged.jsonl").lines().count(), 3);
    // A broken ledger is named, and left as it is.
    desk.write("l", "nonsense\n");
    let error = desk.refused("evaluate --table t.csv --ledger l");
    assert!(
        error.contains("l:1: ") && error.contains("--no-ledger"),
        "{error}"
    );
    assert_eq!(desk.text("l"), "nonsense\n");
}

#[test]
fn a_lead_that_changes_within_the_log_promotes_nothing() {
    let desk = Desk::new();
    let mut text = "action,propensity,reward,pi0,pi1,new:pi0,new:pi1\n".to_owned();
    for i in 0..2000 {
        let action = i % 2;
        // Action 1 earns more at first, and less later; over the whole log it is ahead.
        let reward = if i < 1000 {
            usize::from(action == 1)
        } else {
            usize::from(i % 20 < 7)
        };
        writeln!(text, "{action},0.5,{reward},0.5,0.5,0.1,0.9").unwrap();
    }
    desk.write("t.csv", text);
    let ran = desk.run("evaluate --table t.csv --gate");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.stdout.contains("the lead of new is") && ran.stdout.contains("note: drift:"),
        "{}",
        ran.stdout
    );
}

#[test]
fn sequences_choose_among_candidates_too() {
    let desk = Desk::new();
    let mut text = "episode,t,done,action,propensity,reward,pi0,pi1,good:pi0,good:pi1\n".to_owned();
    for episode in 0..600 {
        for t in 0..2 {
            let action = (episode + t * (episode / 2)) % 2;
            writeln!(
                text,
                "{episode},{t},{t},{action},0.5,{action},0.5,0.5,0.2,0.8"
            )
            .unwrap();
        }
    }
    desk.write("t.csv", text);
    let result = judged(&desk, "t.csv --estimators pdis --baseline pi --gate");
    let selection = &result["selection"];
    assert_eq!(selection["decision"]["candidate"], "good", "{selection}");
    // Without a model DR is PDIS: first steps earn 0.8 against 0.5. Second steps by hand: pairs of actions are equally
    // frequent, so it is the same again.
    let lead = selection["candidates"][0]["difference"].as_f64().unwrap();
    assert!((lead - 0.6).abs() < 1e-9, "{selection}");
}
