use super::*;
use crate::class::{PropensityKind, RatingScale};
use crate::log::samples::{START, decision, minimal, random};
use crate::mask::Mask;
use crate::tier::Propensity;

fn turn(role: Role, at: Option<i64>) -> Turn {
    Turn {
        role,
        at: at.map(UtcMicros),
        text: None,
        text_hash: None,
        intent: None,
        sentiment: None,
        draft_edited: None,
    }
}

#[test]
fn random_conversations_are_valid() {
    for seed in 0..200 {
        assert_eq!(validate(&random(seed)), Ok(()), "seed {seed}");
    }
}

#[test]
fn every_broken_promise_is_named() {
    type Break = fn(&mut Conversation);
    let cases: &[(&str, &str, Break)] = &[
        ("schema_version", "2", |c| c.schema_version = 2),
        ("conversation_id", "empty", |c| c.conversation_id.clear()),
        ("source_system", "empty", |c| c.source_system.clear()),
        ("created_at", "1969-12-31T23:59:59.999999Z", |c| {
            c.created_at = UtcMicros(-1);
        }),
        ("closed_at", "2026-03-02T08:59:59Z", |c| {
            c.closed_at = Some(START.plus_seconds(-1.0));
        }),
        ("clicked_at", "2026-03-02T08:59:59Z", |c| {
            c.clicked_at = Some(START.plus_seconds(-1.0));
        }),
        ("first_response_s", "-1", |c| {
            c.first_response_s = Some(-1.0)
        }),
        ("queue_wait_s", "604800.5", |c| {
            c.queue_wait_s = Some(604_800.5)
        }),
        ("human_handle_s", "NaN", |c| {
            c.human_handle_s = Some(f64::NAN)
        }),
        ("resolution_s", "-0.5", |c| c.resolution_s = Some(-0.5)),
        ("resolution_s", "inf", |c| {
            c.resolution_s = Some(f64::INFINITY)
        }),
        ("reopens", "-2", |c| c.reopens = Some(-2)),
        ("order_value", "NaN", |c| c.order_value = Some(f64::NAN)),
        ("currency", "yuan", |c| c.currency = Some("yuan".to_owned())),
        ("rating_scale", "missing", |c| c.rating_raw = Some(4)),
        ("rating_raw", "0", |c| {
            c.rating_raw = Some(0);
            c.rating_scale = Some(RatingScale::FivePoint);
        }),
        ("satisfaction", "1.5", |c| c.satisfaction = Some(1.5)),
        ("satisfaction_source", "missing", |c| {
            c.satisfaction = Some(0.5)
        }),
        ("turns[2].at", "2026-03-02T09:00:01Z", |c| {
            c.turns = vec![
                turn(Role::Customer, Some(START.0 + 2_000_000)),
                turn(Role::Ai, None),
                turn(Role::Agent, Some(START.0 + 1_000_000)),
            ];
        }),
        ("turns[0].sentiment", "-1.25", |c| {
            c.turns = vec![turn(Role::Customer, None)];
            c.turns[0].sentiment = Some(-1.25);
        }),
        ("decisions[0].feature_schema", "7", |c| {
            c.decisions[0].feature_schema = 7
        }),
        ("decisions[1].decided_at", "2026-03-02T09:00:00Z", |c| {
            c.decisions[0].decided_at = START.plus_seconds(5.0);
            c.decisions.push(decision(Tier::Auto));
        }),
        ("decisions[0].decided_at", "2026-03-02T08:59:00Z", |c| {
            c.decisions[0].decided_at = START.plus_seconds(-60.0);
        }),
        ("decisions[0].turn", "-1", |c| c.decisions[0].turn = -1),
        ("decisions[0].turn", "1", |c| {
            c.turns = vec![turn(Role::Customer, None)];
            c.decisions[0].turn = 1;
        }),
        ("decisions[0].turn", "0", |c| {
            c.turns = vec![turn(Role::Agent, None)]
        }),
        ("decisions[0].action", "1", |c| {
            c.decisions[0].mask = Mask::from_flags([false, true, true]).unwrap();
        }),
        ("decisions[0].probs", "[0.0, 0.5, 0.5]", |c| {
            c.decisions[0].probs = Some(TierProbs::new([0.0, 0.5, 0.5]).unwrap());
        }),
        ("decisions[0].probs", "[0.5, 0.5, 0.0]", |c| {
            c.decisions[0].mask = Mask::from_flags([true, false, true]).unwrap();
            c.decisions[0].probs = Some(TierProbs::new([0.5, 0.5, 0.0]).unwrap());
        }),
        ("decisions[0].propensity", "0.4", |c| {
            c.decisions[0].probs = Some(TierProbs::new([0.5, 0.5, 0.0]).unwrap());
            c.decisions[0].propensity = Some(Propensity::new(0.4).unwrap());
            c.decisions[0].propensity_kind = Some(PropensityKind::Exact);
        }),
        ("decisions[0].propensity_kind", "missing", |c| {
            c.decisions[0].propensity = Some(Propensity::new(0.4).unwrap());
        }),
        ("decisions[0].propensity_kind", "exact", |c| {
            c.decisions[0].propensity_kind = Some(PropensityKind::Exact);
        }),
        ("decisions[0].answer_s", "-3", |c| {
            c.decisions[0].answer_s = Some(-3.0)
        }),
        ("decisions[0].human_s", "700000", |c| {
            c.decisions[0].human_s = Some(7e5)
        }),
        ("decisions[0].expected_wait_s", "-1", |c| {
            c.decisions[0].expected_wait_s = Some(-1.0);
        }),
        ("decisions[0].queue_len", "-1", |c| {
            c.decisions[0].queue_len = Some(-1)
        }),
    ];
    for (column, value, change) in cases {
        let mut conversation = minimal("a");
        conversation.decisions = vec![decision(Tier::Auto)];
        assert_eq!(validate(&conversation), Ok(()));
        change(&mut conversation);
        let invalid = validate(&conversation).expect_err(column);
        assert_eq!(
            (&*invalid.column, &*invalid.value),
            (*column, *value),
            "{invalid}"
        );
    }
}

#[test]
fn a_propensity_may_be_rounded_text() {
    let mut conversation = minimal("a");
    conversation.decisions = vec![decision(Tier::Auto)];
    let d = &mut conversation.decisions[0];
    d.probs = Some(TierProbs::new([1.0 / 3.0, 2.0 / 3.0, 0.0]).unwrap());
    d.propensity = Some(Propensity::new(0.333_333_3).unwrap());
    d.propensity_kind = Some(PropensityKind::Exact);
    assert_eq!(validate(&conversation), Ok(()));
}

#[test]
fn another_schema_is_its_own_kind() {
    let mut conversation = minimal("a");
    conversation.schema_version = 9;
    assert_eq!(
        validate(&conversation).unwrap_err().kind,
        RowErrorKind::Version
    );
}

#[test]
fn ids_are_counted_once() {
    let mut ids = UniqueIds::default();
    assert!(ids.is_empty());
    assert!(ids.insert("a"));
    assert!(ids.insert("b"));
    assert!(!ids.insert("a"));
    assert_eq!(ids.len(), 2);
}
