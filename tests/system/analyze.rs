//! `tierwise analyze` on every format, on bad input, and on public data where it is at hand.

use serde_json::Value;

use crate::desk::{Desk, keys};
use crate::shared;

/// A stream of two arms in which every unit's outcome follows a fixed pattern: `b` converts in `wins` of 20 units.
fn stream(units: usize, wins: usize, row: impl Fn(usize, bool) -> String) -> String {
    let mut text = "experiment,at,unit,arm,share,value\n".to_owned();
    // Arms by the bits of a fixed-point golden ratio: balanced, and neither alternating nor clumped.
    for i in 0..units {
        let treatment = (i as u64)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(17)
            .count_ones()
            % 2
            == 1;
        let converted = (i * 7) % 20 < if treatment { wins } else { 2 };
        text.push_str(&row(i, treatment));
        text.push_str(if converted { ",1\n" } else { ",0\n" });
    }
    text
}

fn half(i: usize, treatment: bool) -> String {
    format!(
        "x,{},u{i},{},0.5",
        i * 60,
        if treatment { "b" } else { "control" }
    )
}

fn only(value: &Value) -> &Value {
    let experiments = value["experiments"].as_array().unwrap();
    assert_eq!(experiments.len(), 1);
    &experiments[0]
}

#[test]
fn counts_are_compared_by_every_method_that_fits() {
    let desk = Desk::new();
    desk.write(
        "c.csv",
        "arm,units,conversions,share\ncontrol,10000,1000,0.5\nb,10050,1180,0.5\n",
    );
    let result = desk.done_json("analyze c.csv --json");
    let experiment = only(&result);
    assert_eq!(experiment["experiment"], "c");
    assert_eq!(experiment["design"], "user");
    assert_eq!(experiment["verdict"]["kind"], "promote");
    assert_eq!(experiment["sample_ratio"]["sound"], true);
    let methods = experiment["methods"].as_array().unwrap();
    let find = |key: &str| methods.iter().find(|m| m["method"] == key).unwrap();
    // statsmodels 0.15: proportions_ztest([1180, 1000], [10050, 10000]).
    let p = find("z_pooled")["p_value"].as_f64().unwrap();
    assert!((p / 7.487_396_814_16e-5 - 1.0).abs() < 1e-9, "{p}");
    for key in [
        "newcombe",
        "welch",
        "lift_t",
        "beta_binomial",
        "gaussian",
        "growthbook",
        "msprt",
    ] {
        assert!(find(key)["estimate"].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(keys(&experiment["sequential"]).contains(&"promote_e"));
    let some = desk.done_json("analyze c.csv --json --method z-pooled,welch");
    assert_eq!(only(&some)["methods"].as_array().unwrap().len(), 2);
    let table = desk.done("analyze c.csv");
    assert!(
        table.contains("verdict: promote b; it is better than control"),
        "{table}"
    );
}

#[test]
fn extreme_counts_give_no_nan() {
    let desk = Desk::new();
    for rows in [
        "control,10,0\nb,10,0",
        "control,10,10\nb,10,10",
        "control,1,0\nb,1,1",
        "control,0,0\nb,5,1",
        "control,1000000000000,100000000000\nb,1000000000000,100000900000",
    ] {
        desk.write("c.csv", format!("arm,units,conversions\n{rows}\n"));
        let text = desk.done("analyze c.csv --json");
        assert!(
            !text.contains("null,\n        \"estimate\"") && !text.contains("NaN"),
            "{text}"
        );
        assert!(!desk.done("analyze c.csv").contains("NaN"));
    }
}

#[test]
fn a_stream_says_when_it_was_decided() {
    let desk = Desk::new();
    desk.write("s.csv", stream(6000, 5, half));
    let result = desk.done_json("analyze s.csv --json --control control");
    let sequential = &only(&result)["sequential"];
    assert_eq!(only(&result)["verdict"]["kind"], "promote");
    let at = sequential["when_promoted"]["at"].as_f64().unwrap();
    assert!(at > 0.0 && at < 6000.0 * 60.0, "{at}");
    assert_eq!(sequential["when_rolled_back"], Value::Null);
    assert!(sequential["interval"]["lower"].as_f64().unwrap() >= 1.0);
    // The same as timestamps and through Parquet's sibling, gzip, decide at the same unit.
    let units = sequential["when_promoted"]["units"].as_u64();
    let stamped = stream(6000, 5, |i, t| {
        half(i, t).replacen(
            &format!("x,{}", i * 60),
            &format!(
                "x,2026-03-{:02}T{:02}:{:02}:00Z",
                1 + i / 1440,
                i / 60 % 24,
                i % 60
            ),
            1,
        )
    });
    desk.write("t.csv", stamped);
    let stamped = desk.done_json("analyze t.csv --json");
    let when = &only(&stamped)["sequential"]["when_promoted"];
    assert_eq!(when["units"].as_u64(), units);
    assert!(
        when["at"].as_str().unwrap().starts_with("2026-03-0"),
        "{when}"
    );
}

#[test]
fn results_do_not_depend_on_threads() {
    let desk = Desk::new();
    let mut text = "experiment,arm,units,conversions\n".to_owned();
    for i in 0..6 {
        text.push_str(&format!(
            "e{i},control,1000,{}\ne{i},b,1000,{}\n",
            100 + i,
            130 - i
        ));
    }
    desk.write("many.csv", text);
    let one = desk.done("analyze many.csv --json --threads 1");
    for threads in [2, 8] {
        assert_eq!(
            desk.done(&format!("analyze many.csv --json --threads {threads}")),
            one
        );
    }
    assert!(desk.done("analyze many.csv").contains("6 experiments: "));
}

#[test]
fn unit_rows_use_what_is_known_of_each_unit() {
    let desk = Desk::new();
    let mut text = "unit,arm,value,pre,denominator\n".to_owned();
    for i in 0..400_u32 {
        let pre = f64::from(i * 37 % 101) / 10.0;
        let value = pre + f64::from(i * 53 % 17) / 10.0 + if i % 2 == 1 { 0.5 } else { 0.0 };
        text.push_str(&format!(
            "{i},{},{value},{pre},{}\n",
            ["a", "b"][(i % 2) as usize],
            1 + i % 3
        ));
    }
    desk.write("u.csv", &text);
    let result = desk.done_json("analyze u.csv --json");
    let methods = only(&result)["methods"].as_array().unwrap();
    let width = |key: &str| {
        let m = methods.iter().find(|m| m["method"] == key).unwrap();
        m["upper"].as_f64().unwrap() - m["lower"].as_f64().unwrap()
    };
    // The outcome is the past and a little noise: CUPED must cut most of the width.
    assert!(width("cuped") < 0.4 * width("welch"));
    assert!(width("ratio") > 0.0 && width("winsorized") > 0.0);
    // A unit twice in its arm counts once; a unit in two arms breaks the comparison and is named.
    desk.write("twice.csv", format!("{text}3,b,9,1,1\n"));
    assert_eq!(
        only(&desk.done_json("analyze twice.csv --json"))["arms"],
        only(&result)["arms"]
    );
    desk.write("torn.csv", format!("{text}3,a,9,1,1\n"));
    let torn = desk.done_json("analyze torn.csv --json");
    let verdict = &only(&torn)["verdict"];
    assert_eq!(verdict["kind"], "broken");
    assert_eq!(verdict["reason"], "units_in_two_arms");
    assert_eq!(
        (verdict["units"].as_u64(), &verdict["examples"][0]),
        (Some(1), &"3".into())
    );
}

#[test]
fn a_switchback_is_judged_by_pairs_and_refused_one_by_one() {
    let desk = Desk::new();
    let mut text = "at,unit,arm,share,value\n".to_owned();
    for i in 0..4800_usize {
        let (block, pair) = (i / 60, i / 120);
        let treatment = (pair * 5 % 7 < 3) == (block % 2 == 0);
        let wins = if treatment { 6 } else { 3 } + pair % 3;
        text.push_str(&format!(
            "{},u{i},{},0.5,{}\n",
            i * 60,
            if treatment { "b" } else { "a" },
            u8::from((i * 7) % 20 < wins)
        ));
    }
    desk.write("sb.csv", text);
    let pairs =
        desk.done_json("analyze sb.csv --json --design switchback --block 3600 --washout 600");
    assert_eq!(only(&pairs)["verdict"]["kind"], "promote");
    assert_eq!(only(&pairs)["sequential"]["form"], "pairs");
    let one_by_one = desk.done_json("analyze sb.csv --json");
    assert_eq!(only(&one_by_one)["verdict"]["reason"], "assignment");
    let refused = desk.refused("analyze sb.csv --design switchback --block 2000");
    assert!(
        refused.contains("no switchback") || refused.contains("both"),
        "{refused}"
    );
    assert!(
        desk.refused("analyze sb.csv --design switchback")
            .contains("--block")
    );
}

#[test]
fn a_shared_pool_promotes_only_beyond_its_bias() {
    let desk = Desk::new();
    desk.write("s.csv", stream(6000, 5, half));
    let kind = |options: &str| {
        let result = desk.done_json(&format!("analyze s.csv --json {options}"));
        only(&result)["verdict"].clone()
    };
    assert_eq!(kind("--shared-pool")["reason"], "interference");
    assert_eq!(
        kind("--shared-pool --interference-bound 0.5")["reason"],
        "interference"
    );
    assert_eq!(
        kind("--shared-pool --interference-bound 0.0001")["kind"],
        "promote"
    );
}

#[test]
fn a_rule_may_ask_for_days_and_share() {
    let desk = Desk::new();
    desk.write("s.csv", stream(6000, 5, half));
    desk.write("rule.toml", "minimum_days = 5\n");
    let result = desk.done_json("analyze s.csv --json --rule rule.toml");
    let verdict = &only(&result)["verdict"];
    assert_eq!(verdict["kind"], "keep_going");
    assert_eq!(verdict["waiting_for"][0]["condition"], "days");
    desk.write("bad.toml", "minimum_days = -1\n");
    let error = desk.refused("analyze s.csv --rule bad.toml");
    assert!(
        error.contains("bad.toml:1: `minimum_days` is -1"),
        "{error}"
    );
    assert!(error.contains("configs/promotion.toml"), "{error}");
}

#[test]
fn pages_are_drawn_and_drawn_again() {
    let desk = Desk::new();
    desk.write("s.csv", stream(4000, 5, half));
    desk.done("analyze s.csv --out run --report first.html --lang zh");
    desk.done("report run --out again.html --lang zh");
    assert_eq!(desk.text("first.html"), desk.text("again.html"));
    let page = desk.text("first.html");
    assert!(page.contains("zh-Hans") && !page.contains("NaN") && !page.contains("<script"));
    assert!(
        page.matches("<svg class=\"chart\"").count() >= 8,
        "charts are missing"
    );
    assert_eq!(
        desk.json("run/analysis.json")["analysis"]["experiments"][0]["experiment"],
        "x"
    );
}

#[test]
fn the_gate_needs_a_promotion() {
    let desk = Desk::new();
    desk.write(
        "no.csv",
        "arm,units,conversions\ncontrol,1000,100\nb,1000,101\n",
    );
    assert_eq!(desk.run("analyze no.csv").code, 0);
    assert_eq!(desk.run("analyze no.csv --gate").code, 1);
}

#[test]
fn bad_input_says_where_what_and_how_to_fix_it() {
    let desk = Desk::new();
    let good = stream(3000, 2, half);
    let edit = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replacen(from, to, 1)
    };
    let arm = |i: usize| {
        if good.contains(&format!("u{i},b")) {
            "b"
        } else {
            "control"
        }
    };
    let without = |arm: &str, keep: &dyn Fn(usize) -> bool| {
        good.lines()
            .enumerate()
            .filter(|(line, text)| !text.contains(&format!(",{arm},")) || keep(*line))
            .map(|(_, text)| format!("{text}\n"))
            .collect::<String>()
    };
    let cases = [
        (
            "above.csv",
            "arm,units,conversions\ncontrol,10,11\nb,10,1\n".to_owned(),
        ),
        (
            "half.csv",
            "arm,units,conversions\ncontrol,10,1.5\nb,10,1\n".to_owned(),
        ),
        (
            "shares.csv",
            "arm,units,conversions,share\ncontrol,10,1,0.5\nb,10,1,0.6\n".to_owned(),
        ),
        (
            "twice.csv",
            "arm,units,conversions\ncontrol,10,1\ncontrol,10,1\n".to_owned(),
        ),
        (
            "single.csv",
            "arm,units,conversions\ncontrol,10,1\n".to_owned(),
        ),
        (
            "uncontrolled.csv",
            "arm,units,conversions\nx,10,1\ny,10,1\n".to_owned(),
        ),
        ("columns.csv", "name,number\nx,1\n".to_owned()),
        ("empty.csv", "arm,units,conversions\n".to_owned()),
        ("midway.csv", without("b", &|line| line > 1200)),
        ("vanishes.csv", without("b", &|line| line < 1800)),
        ("whole.csv", good.replace(",0.5,", ",0.6,")),
        ("backwards.csv", edit("x,60000,", "x,6000,")),
        (
            "bounds.csv",
            edit(
                &format!("u70,{},0.5,0", arm(70)),
                &format!("u70,{},0.5,3", arm(70)),
            ),
        ),
        (
            "hole.csv",
            edit(
                &format!("u71,{},0.5,0", arm(71)),
                &format!("u71,{},0.5,", arm(71)),
            ),
        ),
        (
            "probability.csv",
            edit(
                &format!("u72,{},0.5", arm(72)),
                &format!("u72,{},1.5", arm(72)),
            ),
        ),
        ("time.csv", edit("x,600,", "x,noon,")),
        ("data.txt", "arm,units,conversions\n".to_owned()),
    ];
    let mut texts = Vec::new();
    for (name, text) in &cases {
        desk.write(name, text);
        texts.push(format!(
            "$ tierwise analyze {name}\n{}\n",
            desk.refused(&format!("analyze {name}"))
        ));
    }
    for options in [
        "--alpha 1",
        "--method guess",
        "--bounds 3,1",
        "--control z",
        "--metric revenue",
    ] {
        let command = format!("analyze bounds.csv {options}");
        texts.push(format!(
            "$ tierwise {command}\n{}\n",
            desk.refused(&command)
        ));
    }
    insta::assert_snapshot!(texts.join("\n"));
    // A broken sample ratio is a verdict, not an error.
    desk.write(
        "ratio.csv",
        "arm,units,conversions,share\ncontrol,9000,900,0.5\nb,10000,1000,0.5\n",
    );
    let result = desk.done_json("analyze ratio.csv --json");
    assert_eq!(only(&result)["verdict"]["reason"], "sample_ratio");
}

#[test]
fn real_snapshots_are_judged_one_by_one() {
    let Some(folder) = shared::data("asos_ab") else {
        return;
    };
    let desk = Desk::new();
    let file = folder.join("experiments.csv.gz");
    let ran = crate::desk::ended(desk.tierwise().arg("analyze").arg(&file).args([
        "--metric",
        "2",
        "--json",
        "--method",
        "welch,e-process",
    ]));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    let experiments = result["experiments"].as_array().unwrap();
    // Pairs of experiment and variant with at least one complete snapshot of the metric.
    assert_eq!(experiments.len(), 75);
    for experiment in experiments {
        assert_eq!(experiment["metric"], "2");
        assert!(experiment["sequential"]["promote_e"].as_f64().unwrap() >= 0.0);
    }
}

/// Clicks of the two policies of a real test, which each had its own shop window: rows become a stream of two arms.
#[test]
fn real_clicks_are_judged_as_a_stream() {
    let Some(folder) = shared::data("open_bandit") else {
        return;
    };
    let desk = Desk::new();
    let mut rows = Vec::new();
    for (arm, path) in [
        ("control", "random/women/women.csv.gz"),
        ("b", "bts/women/women.csv.gz"),
    ] {
        let file = std::fs::File::open(folder.join(path)).unwrap();
        let mut reader = csv::Reader::from_reader(flate2::read::MultiGzDecoder::new(file));
        for (i, record) in reader.records().enumerate() {
            let record = record.unwrap();
            rows.push((
                record[1].to_owned(),
                format!("{arm}{i}"),
                arm,
                record[4].to_owned(),
            ));
        }
    }
    rows.sort();
    let mut text = "at,unit,arm,share,value\n".to_owned();
    for (at, unit, arm, click) in &rows {
        text.push_str(&format!("{},{unit},{arm},0.5,{click}\n", &at[..19]));
    }
    desk.write("clicks.csv", text);
    let result = desk.done_json("analyze clicks.csv --json");
    let experiment = only(&result);
    assert_eq!(experiment["arms"][0]["units"], 10_000);
    // 10,000 impressions each at half a per cent cannot decide, whatever else the samples were drawn like.
    let kind = experiment["verdict"]["kind"].as_str().unwrap();
    assert!(["keep_going", "broken"].contains(&kind), "{kind}");
    assert!(experiment["sequential"]["promote_e"].as_f64().unwrap() < 40.0);
}
