//! Configurations that cannot be used: file, line, key, value and range are named, and nothing is written.

use crate::desk::Desk;

/// Section, line in it, key as named, part of the message.
const FAULTS: &[(&str, &str, &str, &str)] = &[
    (
        "environment",
        "kind = \"nope\"",
        "environment.kind",
        "unknown variant `nope`",
    ),
    (
        "environment",
        "kind = \"replay\"\nmodel = 1",
        "environment",
        "",
    ),
    ("learner", "discount = 1.2", "learner.discount", "[0, 1]"),
    ("learner", "discount = -0.1", "learner.discount", "[0, 1]"),
    ("learner", "discount = nan", "learner.discount", "[0, 1]"),
    (
        "learner",
        "discount = \"high\"",
        "learner.discount",
        "invalid type: string",
    ),
    (
        "learner",
        "discont = 0.9",
        "learner.discont",
        "unknown field `discont`",
    ),
    (
        "learner",
        "discount_half_life_s = 0.0",
        "learner.discount_half_life_s",
        "positive seconds",
    ),
    (
        "learner",
        "algorithm = \"sarsaparilla\"",
        "learner.algorithm",
        "unknown variant",
    ),
    (
        "learner",
        "algorithm = { n_step_sarsa = { n = 0 } }",
        "learner.algorithm.n_step_sarsa.n",
        "1..=1024",
    ),
    (
        "learner",
        "algorithm = { q_lambda = { lambda = 2.0 } }",
        "learner.algorithm.q_lambda.lambda",
        "[0, 1]",
    ),
    (
        "learner",
        "step_size = { constant = { value = 0.0 } }",
        "learner.step_size.constant.value",
        "(0, 1]",
    ),
    (
        "learner",
        "exploration = { constant = { value = 1.5 } }",
        "learner.exploration.constant.value",
        "[0, 1]",
    ),
    (
        "learner",
        "coupling = \"loose\"",
        "learner.coupling",
        "unknown variant `loose`",
    ),
    (
        "learner",
        "toll_per_human_s = -1.0",
        "learner.toll_per_human_s",
        "at least 0",
    ),
    (
        "learner",
        "initial_value = inf",
        "learner.initial_value",
        "finite",
    ),
    (
        "learner",
        "seed = -1",
        "learner.seed",
        "invalid value: integer `-1`",
    ),
    (
        "learner",
        "seed = 1.5",
        "learner.seed",
        "invalid type: floating point",
    ),
    ("training", "steps = 0", "training.steps", "at least 1"),
    (
        "training",
        "steps = \"many\"",
        "training.steps",
        "invalid type: string",
    ),
    ("training", "seeds = 0", "training.seeds", "1 to 1000"),
    ("training", "seeds = 1001", "training.seeds", "1 to 1000"),
    (
        "training",
        "evaluate_every = 0",
        "training.evaluate_every",
        "at least 1",
    ),
    (
        "training",
        "evaluate_conversations = 0",
        "training.evaluate_conversations",
        "at least 1",
    ),
    ("split", "train = 0.0", "split.train", "between 0 and 1"),
    ("split", "tune = 1.0", "split.tune", "between 0 and 1"),
    ("split", "train = nan", "split.train", "between 0 and 1"),
    (
        "reward",
        "cost_weight = 1.0",
        "reward.cost_weight",
        "[0, 1)",
    ),
    (
        "reward",
        "reference_cost = 0.0",
        "reward.reference_cost",
        "above 0",
    ),
    (
        "reward",
        "sla_limit_s = [5.0, 0.0, 120.0]",
        "reward.sla_limit_s",
        "above 0",
    ),
    (
        "reward",
        "sla_limit_s = [5.0, 120.0]",
        "reward.sla_limit_s",
        "length 3",
    ),
    ("reward", "wage_per_hour = -1.0", "reward.wage_per_hour", ""),
    (
        "reward",
        "shape = { kind = \"powers\", a = 0.0, b = 1.0 }",
        "reward.shape.a",
        "above 0",
    ),
    (
        "mask",
        "auto_off_classes = [\"rude\"]",
        "mask.auto_off_classes",
        "unknown variant `rude`",
    ),
    ("table", "sentiment_cut = 7.0", "table.sentiment_cut", ""),
    ("serve", "floor = 0.34", "serve.floor", "[0, 1/3]"),
    ("serve", "min_visits = 0", "serve.min_visits", "at least 1"),
    (
        "gate",
        "min_effective_sample_size = 0.0",
        "gate.min_effective_sample_size",
        "at least 1",
    ),
    (
        "gate",
        "max_weight_share = 1.5",
        "gate.max_weight_share",
        "(0, 1]",
    ),
    (
        "assumed.auto",
        "satisfaction = [0.5, 1.5, 0.5]\nanswer_s = [1.0, 1.0, 1.0]\nhuman_s = [0.0, 0.0, 0.0]\nsource = \"x\"",
        "assumed.auto.satisfaction",
        "[0, 1]",
    ),
    (
        "sweep",
        "method = \"guess\"\nparameters = {}",
        "sweep.method",
        "unknown variant `guess`",
    ),
    (
        "sweep",
        "method = \"random\"\nparameters = {}",
        "sweep.trials",
        "at least 1 trial",
    ),
];

#[test]
fn a_bad_key_is_named_with_file_line_and_range() {
    let desk = Desk::with_log();
    for (section, text, key, message) in FAULTS {
        // The faulty line is the sixth.
        desk.write(
            "bad.toml",
            format!("# A comment.\nname = \"bad\"\n\n\n[{section}]\n{text}\n"),
        );
        let error = desk.refused("train bad.toml --log log.jsonl --out run");
        let line = if error.contains("`environment`: ") || error.contains("sweep.trials") {
            5
        } else {
            6
        };
        assert!(
            error.starts_with(&format!("error: bad.toml:{line}: `{key}`")),
            "{text}: {error}"
        );
        assert!(error.contains(message), "{text}: {error}");
        assert!(
            error.contains("fix: configs/reference.toml"),
            "{text}: {error}"
        );
        assert!(!desk.path("run").exists(), "{text}");
    }
}

#[test]
fn files_that_are_no_configuration() {
    let desk = Desk::with_log();
    for (content, message) in [
        (&b""[..], "bad.toml:1: missing field `name`"),
        (b"name = \"\"", "bad.toml:1: `name` is \"\""),
        (b"name = \"a\"\nname = \"b\"", "bad.toml:2: "),
        (b"name = \"a\"\n[learner", "bad.toml:2: "),
        (
            b"name = \"a\"\n[nonsense]\nx = 1",
            "bad.toml:2: `nonsense`: unknown field `nonsense`",
        ),
        (
            b"name = \"a\"\n[baseline]\nrules = \"missing.toml\"",
            "missing.toml: ",
        ),
        (b"\xff\xfe\x00", "bad.toml: "),
        (b"{\"name\": \"json\"}", "bad.toml:1: "),
    ] {
        desk.write("bad.toml", content);
        let error = desk.refused("train bad.toml --log log.jsonl --out run");
        assert!(error.contains(message), "{error}");
        assert!(!desk.path("run").exists());
    }
}

#[test]
fn a_bad_shop_is_named_and_no_log_is_written() {
    let desk = Desk::new();
    for (text, key) in [
        ("days = 0", "days"),
        ("days = \"two\"", "days"),
        ("dayz = 2", "dayz"),
        ("daily_contacts = -1.0", "daily_contacts"),
        ("daily_contacts = inf", "daily_contacts"),
        ("utc_offset_hours = 99.0", "utc_offset_hours"),
        ("max_turns = 17", "max_turns"),
        ("night_hours = [19, 24]", "night_hours"),
        ("class_shares_day = [0.0, 0.0, 0.0]", "class_shares_day"),
        ("start = \"soon\"", "start"),
        ("[load]\nhumans = 0.0", "load.humans"),
        (
            "[perception]\nconfusion = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.4, 0.0]]",
            "perception.confusion",
        ),
    ] {
        let line = text.lines().count();
        desk.write("shop.toml", text);
        let error = desk.refused("log generate shop.toml --out log.jsonl");
        assert!(
            error.starts_with(&format!("error: shop.toml:{line}: `{key}")),
            "{error}"
        );
        assert!(error.contains("fix: configs/shop.toml"), "{error}");
        assert_eq!(desk.names(""), ["shop.toml"], "{text}");
    }
}

#[test]
fn a_configuration_and_its_input_must_fit() {
    let desk = Desk::with_log();
    for (text, arguments, message) in [
        ("kind = \"log\"", "", "add `--log LOG`"),
        ("kind = \"mdp\"", "", "add `--env FILE.json`"),
        (
            "kind = \"log\"\n[learner]\ncoupling = \"continuing\"",
            " --log log.jsonl",
            "use `coupling = \"toll\"` or `\"none\"`",
        ),
        (
            "kind = \"shop\"\n[learner]\ncoupling = \"continuing\"",
            "",
            "use `coupling = \"toll\"` or `\"none\"`",
        ),
    ] {
        desk.write(
            "odd.toml",
            format!("name = \"odd\"\n[environment]\n{text}\n"),
        );
        let error = desk.refused(&format!("train odd.toml{arguments} --out run"));
        assert!(error.contains(message), "{error}");
        assert!(!desk.path("run").exists());
    }
}
