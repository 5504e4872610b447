use proptest::prelude::*;

use super::*;
use crate::log::error::LogError;
use crate::log::file::LogWriter;
use crate::log::model::Conversation;
use crate::log::outcome;
use crate::log::samples::{decision, minimal, random};
use crate::log::validate::id_hash;

fn write(path: &std::path::Path, log: &[Conversation]) {
    let mut writer = LogWriter::create(path).unwrap();
    for conversation in log {
        writer.write(conversation).unwrap();
    }
    writer.finish().unwrap();
}

/// Columns compared as text, for NaN is not equal to itself.
fn text(columns: &DecisionColumns) -> String {
    format!("{columns:?}")
}

#[test]
fn both_formats_give_the_columns_of_the_conversations() {
    let folder = tempfile::tempdir().unwrap();
    let log: Vec<_> = (0..500).map(random).collect();
    let (jsonl, parquet) = (
        folder.path().join("l.jsonl.gz"),
        folder.path().join("l.parquet"),
    );
    write(&jsonl, &log);
    write(&parquet, &log);
    for needed in [Needed::everything(), Needed::tabular(), Needed::default()] {
        let expected = text(&DecisionColumns::from_conversations(&log, &needed).unwrap());
        assert_eq!(
            text(&DecisionColumns::load(&jsonl, &needed).unwrap()),
            expected
        );
        assert_eq!(
            text(&DecisionColumns::load(&parquet, &needed).unwrap()),
            expected
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn columns_hold_what_the_conversations_hold(seeds in prop::collection::vec(any::<u64>(), 1..8)) {
        let log: Vec<_> = seeds.into_iter().map(random).collect();
        let columns = DecisionColumns::from_conversations(&log, &Needed::everything()).unwrap();
        let spec = RewardSpec::default();
        for (index, c) in log.iter().enumerate() {
            let own = columns.decisions_of(index);
            prop_assert_eq!(own.len(), c.decisions.len());
            prop_assert_eq!(columns.conversations.id_hash[index], id_hash(&c.conversation_id));
            for (at, d) in own.clone().zip(&c.decisions) {
                prop_assert_eq!(columns.conversation[at] as usize, index);
                prop_assert_eq!((columns.action[at], columns.mask[at]), (d.action, d.mask));
                prop_assert_eq!(columns.observation(at), d.observation);
                let propensity = columns.propensity[at];
                prop_assert_eq!((!propensity.is_nan()).then_some(propensity), d.propensity.map(|p| p.value()));
            }
            if own.is_empty() {
                continue;
            }
            match (columns.reward(index, &spec, None), outcome::reward(c, &spec, None)) {
                (Ok(here), Ok(there)) => {
                    // Single precision durations.
                    prop_assert!((here.total - there.total).abs() < 1e-6);
                    prop_assert_eq!(here.cost_assumed, there.cost_assumed);
                }
                (here, there) => prop_assert_eq!(here, there),
            }
        }
    }
}

#[test]
fn what_was_not_asked_for_is_not_there() {
    let log: Vec<_> = (0..20).map(random).collect();
    let columns = DecisionColumns::from_conversations(&log, &Needed::tabular()).unwrap();
    assert!(columns.feature(Feature::Turn).is_some());
    assert!(columns.feature(Feature::Intent).is_none());
    assert!(columns.probs.is_empty() && columns.decided_at.is_empty());
    let bare = DecisionColumns::from_conversations(&log, &Needed::default()).unwrap();
    assert_eq!(bare.outcome(0), None);
}

#[test]
fn an_empty_or_broken_log_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    for name in ["log.jsonl", "log.parquet"] {
        let path = folder.path().join(name);
        write(&path, &[]);
        let error = DecisionColumns::load(&path, &Needed::default()).unwrap_err();
        assert!(matches!(error, LogError::Empty { .. }), "{error}");
        let mut quiet = minimal("a");
        write(&path, &[quiet.clone()]);
        assert!(
            DecisionColumns::load(&path, &Needed::default())
                .unwrap()
                .is_empty()
        );
        quiet.decisions = vec![decision(Tier::Auto)];
        write(&path, &[quiet]);
        assert_eq!(
            DecisionColumns::load(&path, &Needed::default())
                .unwrap()
                .len(),
            1
        );
    }
    std::fs::write(&path, "{}\n").unwrap();
    let error = DecisionColumns::load(&path, &Needed::default()).unwrap_err();
    assert!(error.as_row().is_some(), "{error}");
}
