use std::path::PathBuf;

use super::*;

fn shipped(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("configs")
        .join(name)
}

fn minimal() -> TrainConfig {
    TrainConfig::from_file(&TomlFile::new("minimal.toml", "name = \"reference\"")).unwrap()
}

#[test]
fn the_reference_states_the_defaults() {
    assert_eq!(
        TrainConfig::load(&shipped("reference.toml")).unwrap(),
        minimal()
    );
}

#[test]
fn the_reference_names_every_key() {
    let reference = std::fs::read_to_string(shipped("reference.toml")).unwrap();
    let resolved: toml::Table = toml::from_str(&minimal().to_toml()).unwrap();
    for (section, value) in &resolved {
        // The shop's own file explains its keys, and resolving fills in the text of the rules.
        if section == "shop" || section == "baseline" {
            continue;
        }
        let keys: Vec<&String> = value
            .as_table()
            .map_or(vec![section], |t| t.keys().collect());
        for key in keys {
            let stated = reference.lines().any(|line| {
                line.trim_start_matches("# ")
                    .starts_with(&format!("{key} ="))
            });
            assert!(
                stated,
                "configs/reference.toml does not explain `{section}.{key}`"
            );
        }
    }
}

#[test]
fn every_shipped_configuration_loads_and_survives_resolving() {
    for name in [
        "demo.toml",
        "centre.toml",
        "centre_scarce.toml",
        "centre_slack.toml",
        "article.toml",
        "article_before.toml",
        "star.toml",
        "tier_mdp.toml",
        "sweep.toml",
        "shop_training.toml",
        "gymnasium_cliff_walking.toml",
        "gymnasium_frozen_lake.toml",
        "gymnasium_taxi.toml",
        "reference.toml",
    ] {
        let config = TrainConfig::load(&shipped(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        let again = TrainConfig::from_file(&TomlFile::new(name, config.to_toml())).unwrap();
        assert_eq!(again, config, "{name}");
        assert_eq!(again.hash(), config.hash());
    }
}

#[test]
fn values_out_of_range_are_named_with_their_line() {
    let cases = [
        ("[learner]\ndiscount = 1.2", "learner.discount", 3),
        ("[training]\nsteps = 0", "training.steps", 3),
        ("[training]\nseeds = 0", "training.seeds", 3),
        ("[split]\ntrain = 0.8\ntune = 0.2", "split", 2),
        ("[split]\ntrain = nan", "split.train", 3),
        ("[reward]\ncost_weight = 1.0", "reward.cost_weight", 3),
        ("[reward]\nreference_cost = 0", "reward.reference_cost", 3),
        ("[shop]\ndays = 0", "shop.days", 3),
        (
            "[table]\nload_cuts = [0.9, 0.5, 0.95]",
            "table.load_cuts",
            3,
        ),
        ("[serve]\nfloor = 0.5", "serve.floor", 3),
        (
            "[serve]\nview = { kind = \"softmax\", temperature = 0.0 }",
            "serve.view.temperature",
            3,
        ),
        ("[gate]\nmax_weight_share = 0.0", "gate.max_weight_share", 3),
        (
            "[assumed.auto]\nsatisfaction = [1.5, 0, 0]\nanswer_s = [1, 1, 1]\nhuman_s = [0, 0, 0]\nsource = \"x\"",
            "assumed.auto.satisfaction",
            3,
        ),
        (
            "[sweep]\nmethod = \"random\"\n[sweep.parameters]\n\"learner.seed\" = [1]",
            "sweep.trials",
            2,
        ),
    ];
    for (text, expected_key, expected_line) in cases {
        let file = TomlFile::new("bad.toml", format!("name = \"bad\"\n{text}\n"));
        match TrainConfig::from_file(&file) {
            Err(ConfigError::Value { key, line, .. }) => {
                assert_eq!(
                    (key.as_str(), line),
                    (expected_key, Some(expected_line)),
                    "{text}"
                );
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn a_rules_file_is_read_beside_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("c.toml");
    std::fs::write(&path, "name = \"x\"\n[baseline]\nrules = \"mine.toml\"\n").unwrap();
    assert!(matches!(
        TrainConfig::load(&path),
        Err(ConfigError::Unreadable { .. })
    ));
    std::fs::write(dir.path().join("mine.toml"), "default = \"review\"\n").unwrap();
    let config = TrainConfig::load(&path).unwrap();
    assert_eq!(
        config.rules(),
        RulePolicy::from_toml("default = \"review\"\n").unwrap()
    );
}
