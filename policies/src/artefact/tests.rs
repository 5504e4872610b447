use proptest::prelude::*;
use tierwise_envs::tier::Tier;

use super::*;

fn artefact(floor: f64) -> Artefact {
    Artefact {
        id: "always-review".into(),
        created_by: "tierwise test".into(),
        learner: "fixed".into(),
        seed: 7,
        config_hash: "c".into(),
        feature_schema: SchemaStamp::current(),
        reward_version: "r".into(),
        evidence: Evidence::Logged,
        serve_floor: floor,
        training: Some(TrainingStamp {
            log_hash: "l".into(),
            conversations: 3,
            first: UtcMicros(1),
            last: UtcMicros(2),
            seen_hash: String::new(),
        }),
        policy: PolicyKind::Fixed {
            tier: Fixed(Tier::Review),
        },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn save_then_load_is_identity(floor in 0.0..0.33f64, keys in proptest::collection::vec(any::<u64>(), 0..40)) {
        let dir = tempfile::tempdir().unwrap();
        let (mut saved, seen) = (artefact(floor), Seen::new(keys));
        let version = saved.save(dir.path(), &seen).unwrap();
        let loaded = Artefact::load(dir.path()).unwrap();
        prop_assert_eq!(&loaded.version, &version);
        prop_assert_eq!(loaded.artefact, saved);
        prop_assert_eq!(loaded.seen, seen);
    }
}

#[test]
fn any_changed_byte_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    artefact(0.02)
        .save(dir.path(), &Seen::new(vec![1, 2, 3]))
        .unwrap();
    for name in [POLICY_FILE, SEEN_FILE] {
        let path = dir.path().join(name);
        let good = fs::read(&path).unwrap();
        for position in 0..good.len() {
            let mut bad = good.clone();
            bad[position] ^= 1;
            fs::write(&path, &bad).unwrap();
            assert!(
                Artefact::load(dir.path()).is_err(),
                "{name}, byte {position}"
            );
        }
        fs::write(&path, &good).unwrap();
    }
    assert!(Artefact::load(dir.path()).is_ok());
}

#[test]
fn another_feature_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut other = artefact(0.02);
    other.feature_schema.version += 1;
    other.save(dir.path(), &Seen::default()).unwrap();
    let error = Artefact::load(dir.path()).unwrap_err();
    assert!(matches!(error, ArtefactError::Schema { .. }), "{error}");
}

#[test]
fn a_directory_without_a_policy_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let error = Artefact::load(dir.path()).unwrap_err();
    assert!(error.to_string().contains("policy.json"), "{error}");
}

#[test]
fn a_disk_that_refuses_leaves_the_old_version() {
    let dir = tempfile::tempdir().unwrap();
    artefact(0.02).save(dir.path(), &Seen::default()).unwrap();
    // A directory where the temporary file would go stands for a disk that refuses to write.
    fs::create_dir(dir.path().join("policy.tmp")).unwrap();
    let mut changed = artefact(0.1);
    // Other conversations too: a half-replaced version would be refused.
    assert!(changed.save(dir.path(), &Seen::new(vec![5])).is_err());
    assert_eq!(
        Artefact::load(dir.path()).unwrap().artefact.serve_floor,
        0.02
    );
    assert!(!dir.path().join("seen.tmp").exists());
}

#[test]
fn what_could_not_be_loaded_is_not_saved() {
    let dir = tempfile::tempdir().unwrap();
    let table = |value| TablePolicy {
        discretizer: Default::default(),
        values: vec![[value, 0.5, 0.5]; 72],
        visits: vec![[1; 3]; 72],
        min_visits: 1,
        view: Default::default(),
        fallback: RulePolicy::from_toml("default = \"review\"").unwrap(),
    };
    for (floor, value, fine) in [
        (0.02, 0.5, true),
        (0.02, f64::NAN, false),
        (f64::NAN, 0.5, false),
        (0.4, 0.5, false),
    ] {
        let path = dir.path().join(format!("{floor}-{value}"));
        let mut artefact = Artefact {
            policy: PolicyKind::Table {
                table: table(value),
            },
            ..artefact(floor)
        };
        let saved = artefact.save(&path, &Seen::default());
        assert_eq!(saved.is_ok(), fine, "{floor} {value}: {saved:?}");
        assert_eq!(path.exists(), fine, "nothing is left behind");
    }
}

#[test]
fn seen_conversations_are_found_and_others_are_not() {
    let seen = Seen::new(vec![9, 3, 9, 7]);
    assert_eq!(seen.len(), 3);
    for key in 0..12 {
        assert_eq!(seen.contains(key), [3, 7, 9].contains(&key), "{key}");
    }
    assert!(Seen::default().is_empty());
}
