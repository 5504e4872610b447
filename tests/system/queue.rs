//! Plain queues: `simulate` and `staff` from outside.

use serde_json::Value;

use crate::desk::{Desk, keys};

/// The published example of 50 agents, with few customers.
const EXAMPLE: &str = "[queue]\nservers = 50\narrival_rate_per_s = 0.8\nservice = { kind = \"exponential\", mean_s = 60 }\n\
    patience = { kind = \"exponential\", mean_s = 120 }\ncustomers = 200_000\n";

fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("no number: {value}"))
}

/// Every measure with an exact value lies near it.
fn assert_near(simulated: &Value, exact: &Value) {
    let mut compared = 0;
    for (key, exact) in exact.as_object().unwrap() {
        if key == "p_served_within" {
            assert_near(&simulated[key], exact);
        } else if let Some(exact) = exact.as_f64() {
            let (value, error) = (&simulated[key]["value"], &simulated[key]["standard_error"]);
            let off = number(value) - exact;
            assert!(
                off.abs() <= 4.0 * number(error),
                "{key}: {value} {error} {exact}"
            );
            compared += 1;
        }
    }
    assert!(compared >= 5, "{compared}");
}

#[test]
fn a_run_has_exactly_these_keys_and_agrees_with_theory() {
    let desk = Desk::new();
    desk.write("queue.toml", EXAMPLE);
    let mut printed = desk.done_json("simulate queue.toml --json --seed 3");
    assert_near(&printed, &printed["theory"]);
    let measures = [
        "p_wait",
        "mean_wait_s",
        "mean_wait_served_s",
        "mean_wait_given_wait_s",
        "mean_queue",
        "occupancy",
        "p_abandon",
        "p_served_within",
    ];
    for key in measures {
        assert!(
            printed.as_object_mut().unwrap().remove(key).is_some(),
            "{key}"
        );
    }
    let mut rest = keys(&printed);
    rest.sort_unstable();
    assert_eq!(rest, ["customers", "seed", "theory"]);
    assert_eq!(
        (&printed["customers"], &printed["seed"]),
        (&200_000.into(), &3.into())
    );
    assert!((number(&printed["theory"]["mean_wait_s"]) - 3.709).abs() < 1e-3);
    let within = "{\"5\",\"20\",\"30\",\"60\",\"120\"}";
    let text = desk.done("simulate queue.toml --json");
    let printed: Value = serde_json::from_str(&text).unwrap();
    for seconds in keys(&printed["p_served_within"]) {
        assert!(within.contains(&format!("\"{seconds}\"")), "{seconds}");
    }
    assert_eq!(keys(&printed["p_served_within"]).len(), 5);
}

#[test]
fn classes_are_measured_apart_beside_their_theory() {
    let desk = Desk::new();
    let classes = "classes = [{ share = 0.3, priority = 1 }, { share = 0.7, priority = 2 }]";
    let text = EXAMPLE.replace("patience", "# patience") + classes;
    desk.write("queue.toml", &text);
    let printed = desk.done_json("simulate queue.toml --json");
    for k in 0..2 {
        assert_near(&printed["classes"][k], &printed["theory"]["classes"][k]);
        assert_eq!(printed["classes"][k]["priority"], k + 1);
    }
}

#[test]
fn threads_and_repeats_do_not_change_a_byte() {
    let desk = Desk::new();
    desk.write("plain.toml", EXAMPLE);
    desk.write(
        "days.toml",
        EXAMPLE.replace("customers", "horizon_s = 3600\ncustomers"),
    );
    for file in ["plain.toml", "days.toml"] {
        let run = |threads| desk.done(&format!("--threads {threads} simulate {file} --json"));
        let one = run(1);
        assert!(one == run(2) && one == run(8) && one == run(1), "{file}");
        assert_ne!(one, desk.done(&format!("simulate {file} --json --seed 2")));
    }
}

#[test]
fn people_read_a_table() {
    let desk = Desk::new();
    desk.write("queue.toml", EXAMPLE);
    let table = desk.done("simulate queue.toml");
    for part in [
        "50 servers",
        "exact values of M/M/n+M",
        "share who leave",
        "± error",
    ] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
    let table = desk.done("staff queue.toml");
    for part in [
        "Erlang A",
        "20.8337",
        "3.70947",
        "fewest people for the target",
    ] {
        assert!(table.contains(part), "no {part:?} in {table}");
    }
}

/// The published values, and the fewest people by the definition: enough with them, too few with one less.
#[test]
fn staff_prints_the_three_formulas_and_the_fewest_people() {
    let desk = Desk::new();
    let staff =
        |more: &str| desk.done_json(&format!("staff --rate 0.8 --service-s 60 --json {more}"));
    let printed = staff("--servers 50 --patience-s 120");
    let near = |have: &Value, want: f64| {
        assert!((number(have) / want - 1.0).abs() < 1e-3, "{have} {want}");
    };
    near(&printed["erlang_c"]["mean_wait_s"], 20.83);
    near(&printed["erlang_c"]["occupancy"], 0.96);
    near(&printed["erlang_a"]["p_abandon"], 0.0309);
    near(&printed["erlang_a"]["mean_wait_s"], 3.709);
    near(&printed["erlang_a"]["occupancy"], 0.930);
    for formula in ["erlang_c", "erlang_a"] {
        let fewest = printed["fewest"][formula].as_u64().unwrap();
        let within = |n| {
            let at = staff(&format!("--servers {n} --patience-s 120"));
            at[formula]["p_served_within"]["20"].as_f64().unwrap_or(0.0)
        };
        assert!(
            within(fewest) >= 0.8 && within(fewest - 1) < 0.8,
            "{formula} {fewest}"
        );
    }
    let stricter = staff("--servers 50 --patience-s 120 --max-abandon 0.001");
    assert!(stricter["fewest"]["erlang_a"].as_u64() > printed["fewest"]["erlang_a"].as_u64());
    let unstable = staff("--servers 48");
    assert!(unstable["erlang_c"].is_null() && unstable["erlang_a"].is_null());
    assert!(
        unstable["erlang_c_reason"]
            .as_str()
            .unwrap()
            .contains("without end")
    );
    assert!(
        unstable["erlang_a_reason"]
            .as_str()
            .unwrap()
            .contains("patience")
    );
}

#[test]
fn staff_takes_a_file_with_other_laws() {
    let desk = Desk::new();
    let text = EXAMPLE.replace(
        "\"exponential\", mean_s = 120",
        "\"deterministic\", mean_s = 120",
    );
    desk.write("queue.toml", text);
    let printed = desk.done_json("staff queue.toml --json");
    assert!(printed["erlang_a"].is_null());
    assert_eq!(printed["erlang_a_reason"], "patience is not exponential");
    assert!(number(&printed["general_patience"]["p_abandon"]) > 0.0);
}

#[test]
fn shipped_queues_run() {
    let desk = Desk::new();
    let text = std::fs::read_to_string(crate::shared::config("queue.toml")).unwrap();
    desk.write("queue.toml", text.replace("1_000_000", "20_000"));
    desk.done("simulate queue.toml");
    desk.done("staff queue.toml");
}

/// Key, value, key as named, part of the message.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    ("servers", "0", "servers` is 0", "1 to 1,000,000"),
    ("servers", "-3", "servers`", "invalid value"),
    ("servers", "2.5", "servers`", "invalid type"),
    ("servers", "1", "servers` is 1", "grows without end"),
    (
        "arrival_rate_per_s",
        "0",
        "arrival_rate_per_s` is 0",
        "above 0",
    ),
    (
        "arrival_rate_per_s",
        "-0.1",
        "arrival_rate_per_s` is -0.1",
        "above 0",
    ),
    (
        "arrival_rate_per_s",
        "nan",
        "arrival_rate_per_s` is NaN",
        "above 0",
    ),
    (
        "arrival_rate_per_s",
        "inf",
        "arrival_rate_per_s` is inf",
        "above 0",
    ),
    (
        "arrival_rate_per_s",
        "1e6",
        "arrival_rate_per_s` is 1000000",
        "10000000 people",
    ),
    (
        "service",
        "{ kind = \"exponential\" }",
        "service.mean_s` is missing",
        "takes mean_s",
    ),
    (
        "service",
        "{ kind = \"exponential\", mean_s = 0 }",
        "service.mean_s` is 0",
        "above 0",
    ),
    (
        "service",
        "{ kind = \"deterministic\", mean_s = 0 }",
        "service.mean_s` is 0",
        "above 0",
    ),
    (
        "service",
        "{ kind = \"exponential\", mean_s = 3, sd_s = 1 }",
        "service.sd_s` is given",
        "takes mean_s",
    ),
    (
        "service",
        "{ kind = \"weibull\", mean_s = 3 }",
        "service.kind`",
        "unknown variant",
    ),
    (
        "service",
        "{ kind = \"exponential\", mean = 3 }",
        "service.mean`",
        "unknown field",
    ),
    (
        "service",
        "{ kind = \"lognormal\", mean_s = 3, sd_s = 0 }",
        "service.sd_s` is 0",
        "above 0",
    ),
    (
        "service",
        "{ kind = \"lognormal\", mean_s = 3, sd_s = -1 }",
        "service.sd_s` is -1",
        "above 0",
    ),
    (
        "service",
        "{ kind = \"empirical\", samples_s = [] }",
        "service.samples_s` is empty",
        "two or more",
    ),
    (
        "service",
        "{ kind = \"empirical\", samples_s = [3] }",
        "service.samples_s` is the one sample 3",
        "deterministic",
    ),
    (
        "service",
        "{ kind = \"empirical\", samples_s = [3, 3] }",
        "service.samples_s` is 2 samples of 3",
        "deterministic",
    ),
    (
        "service",
        "{ kind = \"empirical\", samples_s = [3, 0] }",
        "service.samples_s` is 0",
        "above 0",
    ),
    (
        "service",
        "{ kind = \"empirical\", samples_s = [3, nan] }",
        "service.samples_s` is NaN",
        "above 0",
    ),
    (
        "patience",
        "{ kind = \"exponential\", mean_s = 0 }",
        "patience.mean_s` is 0",
        "above 0",
    ),
    (
        "patience",
        "{ kind = \"deterministic\", mean_s = -1 }",
        "patience.mean_s` is -1",
        "loss system",
    ),
    (
        "customers",
        "1000",
        "customers` is 1000",
        "at least 1000 customers after the warm-up",
    ),
    (
        "customers",
        "100_000_000_000",
        "customers` is 100000000000",
        "at most",
    ),
    ("warmup_share", "0.95", "warmup_share` is 0.95", "[0, 0.9]"),
    ("warmup_share", "nan", "warmup_share` is NaN", "[0, 0.9]"),
    ("seed", "-1", "seed`", "invalid value"),
    ("horizon_s", "0", "horizon_s` is 0", "above 0"),
    ("horizon_s", "1e9", "horizon_s` is 1000000000", "40 days"),
    (
        "classes",
        "[{ share = 0.5, priority = 1 }]",
        "classes` is of shares 0.5",
        "sum to 1",
    ),
    (
        "classes",
        "[{ share = 1.0, priority = 0 }]",
        "classes.0.priority` is 0",
        "at least 1",
    ),
    (
        "classes",
        "[{ share = nan, priority = 1 }]",
        "classes.0.share` is NaN",
        "above 0",
    ),
    (
        "classes",
        "[{ share = 1.0, prio = 1 }]",
        "classes`",
        "unknown field `prio`",
    ),
    ("nonsense", "1", "nonsense`", "unknown field"),
];

#[test]
fn a_bad_queue_is_named_by_file_line_and_key_before_it_runs() {
    let desk = Desk::new();
    for (key, value, named, message) in FAULTS {
        let mut lines = vec!["# The third line has the fault.", "[queue]"];
        let fault = format!("{key} = {value}");
        lines.push(&fault);
        let rest = [
            "servers = 2",
            "arrival_rate_per_s = 0.11",
            "service = { kind = \"exponential\", mean_s = 10 }",
            "customers = 5000",
        ];
        lines.extend(
            rest.iter()
                .filter(|line| !line.starts_with(&format!("{key} "))),
        );
        desk.write("queue.toml", lines.join("\n"));
        let error = desk.refused("simulate queue.toml --json");
        let start = format!("error: queue.toml:3: `queue.{named}");
        assert!(error.starts_with(&start), "{fault}: {error}");
        assert!(error.contains(message), "{fault}: {error}");
        assert!(
            error.contains("fix: configs/queue.toml"),
            "{fault}: {error}"
        );
    }
}

#[test]
fn an_overloaded_queue_runs_by_days() {
    let desk = Desk::new();
    let text = EXAMPLE
        .replace("patience", "# patience")
        .replace("= 0.8", "= 1.0");
    desk.write("queue.toml", &text);
    assert!(desk.refused("simulate queue.toml").contains("`horizon_s`"));
    desk.write("queue.toml", format!("{text}horizon_s = 7200\n"));
    let printed = desk.done_json("simulate queue.toml --json");
    assert!(printed.get("theory").is_none());
    // 10 erlangs too many for two hours: the line grows by one customer in six seconds.
    let queue = number(&printed["mean_queue"]["value"]);
    assert!((400.0..700.0).contains(&queue), "{queue}");
}

#[test]
fn other_files_and_flags_are_refused_with_a_way_out() {
    let desk = Desk::new();
    desk.write("other.toml", "name = \"x\"\n");
    desk.write("both.toml", format!("{EXAMPLE}[centre]\nx = 1\n"));
    desk.write("broken.toml", "[queue\n");
    for (arguments, message) in [
        (
            "simulate other.toml",
            "other.toml: there is no `[queue]` and no `[centre]` section",
        ),
        ("simulate both.toml", "both.toml:7: `centre`: unknown field"),
        ("simulate broken.toml", "broken.toml:1: "),
        ("simulate missing.toml", "missing.toml: no such file"),
        ("staff other.toml", "other.toml:1: `name`: unknown field"),
        (
            "staff --servers 0 --rate 1 --service-s 1",
            "`--servers` is 0",
        ),
        (
            "staff --servers 1 --rate=-1 --service-s 1",
            "`--rate` is -1",
        ),
        (
            "staff --servers 1 --rate 1 --service-s nan",
            "`--service-s` is NaN",
        ),
        (
            "staff --servers 1 --rate 1 --service-s 1 --patience-s 0",
            "`--patience-s` is 0",
        ),
        (
            "staff --servers 1 --rate 1 --service-s 1 --target 1",
            "above 0 and below 1",
        ),
        (
            "staff --servers 1 --rate 1 --service-s 1 --within=-1",
            "at least 0",
        ),
        (
            "staff --servers 1 --rate 1 --service-s 1 --max-abandon 0",
            "above 0 and below 1",
        ),
        (
            "staff --servers 1 --rate 1 --service-s 1 --max-wait nan",
            "above 0 seconds",
        ),
    ] {
        let error = desk.refused(arguments);
        assert!(error.contains(message), "{arguments}: {error}");
    }
}
