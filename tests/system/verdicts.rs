//! The whole rule of promotion on one file: primary and secondary metrics, guardrails, strata, and what is refused.

use serde_json::Value;

use crate::desk::Desk;

const RULE: &str = "minimum_days = 0\npromote_share = 0.5\nprimary = \"resolved\"\n\
    [[secondary]]\nmetric = \"satisfied\"\nmargin = 0.05\n\
    [[guardrail]]\nmetric = \"reopened\"\nharm = \"higher\"\n";

/// Uniform numbers in [0, 1) from a counter (splitmix64).
fn uniform(counter: u64) -> f64 {
    let mut z = counter.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// What the units of a test are like.
struct World {
    units: u64,
    /// Share of `b` in the strata en and zh, and the share that is logged there.
    shares: [(f64, f64); 2],
    /// Rates of resolved, satisfied and reopened: control, and `b` in en, and `b` in zh.
    rates: [[f64; 3]; 3],
}

/// A winner that harms nothing.
const GOOD: World = World {
    units: 8000,
    shares: [(0.5, 0.5); 2],
    rates: [[0.30, 0.38, 0.38], [0.8, 0.82, 0.82], [0.1, 0.09, 0.09]],
};

/// One row per unit: arm, share of it, stratum and the three outcomes.
fn units(world: &World) -> Vec<(bool, f64, usize, [u8; 3])> {
    (0..world.units)
        .map(|unit| {
            let stratum = usize::from(uniform(10 * unit) < 0.3);
            let (share, logged) = world.shares[stratum];
            let treatment = uniform(10 * unit + 1) < share;
            let outcomes = [0, 1, 2].map(|metric| {
                let [control, en, zh] = world.rates[metric as usize];
                let rate = if treatment {
                    [en, zh][stratum]
                } else {
                    control
                };
                u8::from(uniform(10 * unit + 2 + metric) < rate)
            });
            let own = if treatment { logged } else { 1.0 - logged };
            (treatment, own, stratum, outcomes)
        })
        .collect()
}

fn arm(treatment: bool) -> &'static str {
    if treatment { "b" } else { "control" }
}

const STRATA: [&str; 2] = ["en", "zh"];

fn stream(world: &World) -> String {
    let mut text = "at,unit,arm,share,stratum,resolved,satisfied,reopened\n".to_owned();
    for (i, (treatment, share, stratum, [a, b, c])) in units(world).into_iter().enumerate() {
        text.push_str(&format!(
            "{},u{i},{},{share},{},{a},{b},{c}\n",
            20 * i,
            arm(treatment),
            STRATA[stratum]
        ));
    }
    text
}

fn unit_rows(world: &World) -> String {
    let mut text = "unit,arm,stratum,resolved,satisfied,reopened\n".to_owned();
    for (i, (treatment, _, stratum, [a, b, c])) in units(world).into_iter().enumerate() {
        text.push_str(&format!(
            "u{i},{},{},{a},{b},{c}\n",
            arm(treatment),
            STRATA[stratum]
        ));
    }
    text
}

/// Counts of every arm and stratum, a row per metric.
fn counts(world: &World) -> String {
    let mut text = "metric,arm,stratum,units,conversions,share\n".to_owned();
    let units = units(world);
    for (metric, name) in ["resolved", "satisfied", "reopened"]
        .into_iter()
        .enumerate()
    {
        for treatment in [false, true] {
            for (stratum, stratum_name) in STRATA.into_iter().enumerate() {
                let rows = units.iter().filter(|u| u.0 == treatment && u.2 == stratum);
                let (n, ones) = rows.fold((0, 0), |(n, ones), u| {
                    (n + 1, ones + u32::from(u.3[metric]))
                });
                let logged = world.shares[stratum].1;
                let share = if treatment { logged } else { 1.0 - logged };
                text.push_str(&format!(
                    "{name},{},{stratum_name},{n},{ones},{share}\n",
                    arm(treatment)
                ));
            }
        }
    }
    text
}

fn only(desk: &Desk, command: &str) -> Value {
    let result = desk.done_json(command);
    let experiments = result["experiments"].as_array().unwrap();
    assert_eq!(experiments.len(), 1, "{command}");
    experiments[0].clone()
}

/// A check of a result.
fn check<'a>(experiment: &'a Value, name: &str) -> &'a Value {
    let checks = experiment["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()
}

#[test]
fn one_rule_judges_streams_units_and_counts() {
    let desk = Desk::new();
    desk.write("rule.toml", RULE);
    let with = |change: fn(&mut World)| {
        let mut world = World { ..GOOD };
        change(&mut world);
        world
    };
    // What each change does to a winner.
    let worlds = [
        ("promote", "", with(|_| ())),
        (
            "keep_going",
            "secondary",
            with(|w| w.rates[1] = [0.8, 0.76, 0.76]),
        ),
        (
            "roll_back",
            "reopened",
            with(|w| w.rates[2] = [0.1, 0.16, 0.16]),
        ),
        (
            "keep_going",
            "stratum",
            with(|w| w.rates[0] = [0.30, 0.46, 0.15]),
        ),
        (
            "keep_going",
            "superiority",
            with(|w| w.rates[0] = [0.30; 3]),
        ),
    ];
    for (kind, why, world) in &worlds {
        for (file, text, guarantee) in [
            ("s.csv", stream(world), "any_look"),
            ("u.csv", unit_rows(world), "one_look_large_samples"),
            ("c.csv", counts(world), "one_look_large_samples"),
        ] {
            desk.write(file, text);
            let found = only(&desk, &format!("analyze {file} --rule rule.toml --json"));
            let verdict = &found["verdict"];
            assert_eq!(verdict["kind"], *kind, "{file} {why}: {verdict}");
            match *kind {
                "roll_back" => assert_eq!(verdict["guardrail"], *why),
                "keep_going" => assert_eq!(verdict["waiting_for"][0]["condition"], *why, "{file}"),
                _ => {}
            }
            assert_eq!(found["guarantee"], guarantee);
            assert_eq!(found["metric"], "resolved");
            assert_eq!(found["checks"].as_array().unwrap().len(), 4, "{file}");
            assert_eq!(check(&found, "zh")["reached"], *why == "stratum", "{file}");
            assert_eq!(check(&found, "reopened")["harm"], "higher");
        }
    }
}

#[test]
fn tables_and_pages_show_every_condition() {
    let desk = Desk::new();
    desk.write("rule.toml", RULE);
    let mut world = World { ..GOOD };
    world.rates[0] = [0.30, 0.46, 0.15];
    desk.write("s.csv", stream(&world));
    let table = desk.done("analyze s.csv --rule rule.toml --report p.html --lang zh --out run");
    for part in [
        "secondary  satisfied",
        "guardrail  reopened",
        "VETOES",
        "holds: at any look",
    ] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    let page = desk.text("p.html");
    for part in ["次要指标", "护栏", "否决", "分层取自文件"] {
        assert!(page.contains(part), "{part}");
    }
    // What was computed is said in Chinese throughout; notes too.
    assert!(!page.contains("strata are those of the file"));
    desk.done("report run --out again.html --lang zh");
    assert_eq!(page, desk.text("again.html"));
    let declared = format!("strata = [\"en\", \"zh\"]\n{RULE}");
    desk.write("declared.toml", declared);
    let found = only(&desk, "analyze s.csv --rule declared.toml --json");
    assert_eq!(found["notes"], Value::Null);
}

#[test]
fn shares_that_depend_on_a_stratum_need_it() {
    let desk = Desk::new();
    // Alike arms: zh converts less, and more of it goes to b.
    let alike = |logged: [f64; 2]| World {
        units: 12_000,
        shares: [(0.2, logged[0]), (0.8, logged[1])],
        rates: [[0.30; 3]; 3],
    };
    let mut biased = stream(&alike([0.2, 0.8]));
    // Rates by stratum: zh never resolves on every second unit.
    biased = biased
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let zh = line.contains(",zh,") && i % 2 == 0;
            format!(
                "{}\n",
                if zh {
                    line.replace(",zh,1,", ",zh,0,")
                } else {
                    line.to_owned()
                }
            )
        })
        .collect();
    desk.write("own.csv", &biased);
    let own = only(&desk, "analyze own.csv --metric resolved --json");
    assert_eq!(own["verdict"]["kind"], "keep_going", "{}", own["verdict"]);
    assert_eq!(own["sample_ratio"]["sound"], true);
    // The same rows with one common share: the strata betray it.
    let common = biased
        .replace(",0.2,en", ",0.38,en")
        .replace(",0.8,zh", ",0.38,zh");
    let common = common
        .replace(",0.8,en", ",0.62,en")
        .replace(",0.19999999999999996,zh", ",0.62,zh");
    desk.write("common.csv", common);
    let common = only(&desk, "analyze common.csv --metric resolved --json");
    assert_eq!(common["verdict"]["reason"], "sample_ratio");
    // Totals of strata with shares of their own are compared stratum by stratum.
    desk.write(
        "totals.csv",
        "arm,stratum,units,conversions\ncontrol,en,8000,2400\nb,en,2000,600\ncontrol,zh,2000,200\nb,zh,8000,800\n",
    );
    let totals = only(&desk, "analyze totals.csv --json");
    assert_eq!(
        totals["verdict"]["kind"], "keep_going",
        "{}",
        totals["verdict"]
    );
}

#[test]
fn metrics_without_roles_are_judged_one_by_one() {
    let desk = Desk::new();
    desk.write("c.csv", counts(&GOOD));
    let found = desk.done_json("analyze c.csv --json");
    let metrics: Vec<&str> = found["experiments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|experiment| experiment["metric"].as_str().unwrap())
        .collect();
    assert_eq!(metrics, ["resolved", "satisfied", "reopened"]);
    assert_eq!(
        only(&desk, "analyze c.csv --metric satisfied --json")["metric"],
        "satisfied"
    );
}

#[test]
fn repeated_visits_and_units_in_two_arms_of_a_stream() {
    let desk = Desk::new();
    let text = stream(&World {
        units: 3000,
        ..GOOD
    });
    desk.write("s.csv", &text);
    let before = only(&desk, "analyze s.csv --metric resolved --json");
    let last = text.lines().last().unwrap().to_owned();
    desk.write("again.csv", format!("{text}{last}\n{last}\n"));
    let again = only(&desk, "analyze again.csv --metric resolved --json");
    assert_eq!(again["arms"], before["arms"]);
    assert_eq!(again["sequential"], before["sequential"]);
    let notes = again["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note["note"] == "repeated_exposures" && note["count"] == 2),
        "{notes:?}"
    );
    let other = if last.contains(",b,") {
        last.replace(",b,", ",control,")
    } else {
        last.replace(",control,", ",b,")
    };
    desk.write("torn.csv", format!("{text}{other}\n"));
    let torn = &only(&desk, "analyze torn.csv --metric resolved --json")["verdict"];
    assert_eq!(torn["reason"], "units_in_two_arms");
    assert_eq!(
        (torn["units"].as_u64(), &torn["examples"][0]),
        (Some(1), &"u2999".into())
    );
}

#[test]
fn snapshots_say_what_late_conversions_do() {
    let desk = Desk::new();
    desk.write(
        "snap.csv",
        "time_since_start,count_c,count_t,mean_c,mean_t,variance_c,variance_t\n\
         1,1000,1000,0.1,0.1,0.09,0.09\n2,2000,2000,0.1,0.11,0.09,0.0979\n",
    );
    let found = only(&desk, "analyze snap.csv --json");
    let notes = found["notes"].as_array().unwrap();
    assert!(
        notes.iter().any(|note| note["note"] == "late_conversions"),
        "{notes:?}"
    );
    assert!(desk.done("analyze snap.csv").contains("slightly too sure"));
    desk.done("analyze snap.csv --report snap.html --lang zh");
    assert!(desk.text("snap.html").contains("略微偏高"));
}

#[test]
fn bad_roles_and_strata_say_where_what_and_how_to_fix_it() {
    let desk = Desk::new();
    let good = counts(&GOOD);
    let wide = unit_rows(&World { units: 400, ..GOOD });
    desk.write("good.csv", &good);
    desk.write("wide.csv", &wide);
    desk.write("rule.toml", RULE);
    let mut texts = Vec::new();
    let mut refuse = |command: &str| {
        texts.push(format!("$ tierwise {command}\n{}\n", desk.refused(command)));
    };
    // Rules.
    for (name, rule) in [
        ("unknown.toml", RULE.replace("reopened", "escalated")),
        ("twice.toml", RULE.replace("reopened", "resolved")),
        ("margin.toml", RULE.replace("0.05", "1.5")),
        ("harm.toml", RULE.replace("higher", "sideways")),
        ("unnamed.toml", RULE.replace("primary = \"resolved\"\n", "")),
        ("strata.toml", format!("strata = [\"en\", \"fr\"]\n{RULE}")),
    ] {
        desk.write(name, rule);
        refuse(&format!("analyze good.csv --rule {name}"));
    }
    refuse("analyze wide.csv --rule unknown.toml");
    refuse("analyze good.csv --rule rule.toml --metric satisfied");
    refuse("analyze good.csv --metric revenue");
    // Rows.
    let without = |part: &str| -> String {
        let kept = good.lines().filter(|line| !line.starts_with(part));
        kept.map(|line| format!("{line}\n")).collect()
    };
    let without_shares = |text: &str| -> String {
        let columns = text.lines().filter_map(|line| line.rsplit_once(','));
        columns.map(|(kept, _)| format!("{kept}\n")).collect()
    };
    let thirteen: String = (0..13)
        .map(|k| format!("control,s{k},10,1\nb,s{k},10,1\n"))
        .collect();
    for (name, text) in [
        ("absent.csv", without("reopened,b")),
        ("absent_plain.csv", without_shares(&without("reopened,b"))),
        (
            "resolved_only.csv",
            good.replace("satisfied,b,zh,", "satisfied,b,zh,1"),
        ),
        ("empty_stratum.csv", good.replacen(",zh,", ",,", 1)),
        ("repeated.csv", format!("{good}resolved,b,zh,10,1,0.5\n")),
        (
            "thirteen.csv",
            format!("arm,stratum,units,conversions\n{thirteen}"),
        ),
        (
            "no_strata.csv",
            "arm,units,conversions\ncontrol,10,1\nb,10,1\n".to_owned(),
        ),
        (
            "back.csv",
            "time_since_start,count_c,count_t,mean_c,mean_t,variance_c,variance_t\n\
             2,10,10,0.1,0.1,0.09,0.09\n1,20,20,0.1,0.1,0.09,0.09\n"
                .to_owned(),
        ),
    ] {
        desk.write(name, text);
        let rule = match name {
            "thirteen.csv" | "back.csv" => "",
            "no_strata.csv" => " --rule declared.toml",
            _ => " --rule rule.toml",
        };
        desk.write("declared.toml", "strata = [\"en\"]\n");
        refuse(&format!("analyze {name}{rule}"));
    }
    refuse("analyze back.csv --rule rule.toml");
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_plan_says_what_the_ramp_adds() {
    let desk = Desk::new();
    let plan = desk.done_json("plan --base-rate 0.10 --lift 0.2 --units-per-day 2000 --json");
    // Fleiss, Levin & Paik with scipy's quantiles: 3,841 units an arm at two-sided 5 % and 80 % power.
    assert_eq!(plan["fixed_horizon"]["units"], 7682.0);
    assert!((plan["fixed_horizon"]["days"].as_f64().unwrap() - 3.841).abs() < 1e-9);
    let straight = plan["e_process"]["days"].as_f64().unwrap();
    let ramp = plan["ramp"]["days"].as_f64().unwrap();
    // Three days below 50 % carry s(1 − s) of the information: 0.04, 0.19 and 0.75 days of it.
    assert!((ramp - straight - 2.02).abs() < 0.2, "{ramp} {straight}");
    assert_eq!(
        plan["ramp"]["promoted_after_days"].as_f64().unwrap(),
        10.0_f64.max(ramp)
    );
    assert_eq!(plan["ramp"]["steps"].as_array().unwrap().len(), 4);
    let loser = desk.done("plan --base-rate 0.10 --lift -0.3 --units-per-day 500");
    assert!(loser.contains("rolled back after about"), "{loser}");
    let short = desk.done("plan --base-rate 0.10 --lift 0.2");
    assert!(short.contains("--units-per-day"), "{short}");
    let mut texts = Vec::new();
    desk.write("bad.toml", "ramp = []\n");
    for options in [
        "--base-rate 1.2 --lift 0.1",
        "--base-rate 0.6 --lift 0.9",
        "--base-rate 0.1 --lift 0",
        "--base-rate 0.1 --lift 0.1 --units-per-day 0",
        "--base-rate 0.1 --lift 0.1 --power 1",
        "--base-rate 0.1 --lift 0.1 --rule bad.toml",
    ] {
        texts.push(format!(
            "$ tierwise plan {options}\n{}\n",
            desk.refused(&format!("plan {options}"))
        ));
    }
    insta::assert_snapshot!(texts.join("\n"));
}
