use super::*;
use crate::class::{PropensityKind, RatingScale};
use crate::log::error::RowError;
use crate::log::samples::{START, decision, minimal, random};
use crate::observation::{Feature, Observation};
use crate::tier::{Propensity, Tier, TierProbs};

fn check(rows: Vec<Result<Conversation, LogError>>) -> LogCheck {
    LogCheck::of(rows, Path::new("march.jsonl"), &RewardSpec::default()).unwrap()
}

fn check_log(log: &[Conversation]) -> LogCheck {
    check(log.iter().cloned().map(Ok).collect())
}

fn allowed(check: &LogCheck, what: ClaimKind) -> bool {
    check.claim(what).expect("the claim is made").allowed
}

/// One conversation an hour, a rated answer each at a tier that goes round, with propensities.
fn supported(n: usize) -> Vec<Conversation> {
    (0..n)
        .map(|i| {
            let mut c = minimal(&i.to_string());
            c.created_at = START.plus_seconds(3_600.0 * i as f64);
            c.class = Class::from_index(i / 3 % 3);
            c.language = Some(if i % 4 == 0 { "zh-Hant" } else { "en" }.to_owned());
            c.rating_raw = Some(5);
            c.rating_scale = Some(RatingScale::FivePoint);
            c.outcomes_tracked = Some(true);
            c.clicked_at = (i % 10 == 0).then_some(c.created_at);
            let mut d = decision(Tier::ALL[i % 3]);
            d.decided_at = c.created_at;
            d.observation = Observation::from_features(&[(Feature::Sentiment, 0.5)]);
            d.probs = Some(TierProbs::new([0.25, 0.25, 0.5]).unwrap());
            d.propensity = d.probs.map(|p| Propensity::new(p.of(d.action)).unwrap());
            d.propensity_kind = Some(PropensityKind::Exact);
            d.pool_busy = Some(2);
            d.answer_s = Some(1.0);
            d.human_s = Some(100.0);
            c.decisions = vec![d];
            c
        })
        .collect()
}

/// As STAR: reviewed answers with ratings, no class, no propensities, no other tier.
fn reviewed_only(n: usize) -> Vec<Conversation> {
    supported(n)
        .into_iter()
        .map(|mut c| {
            c.class = None;
            c.outcomes_tracked = None;
            c.clicked_at = None;
            let d = &mut c.decisions[0];
            d.action = Tier::Review;
            d.probs = None;
            d.propensity = None;
            d.propensity_kind = None;
            d.pool_busy = None;
            c
        })
        .collect()
}

#[test]
fn counts_are_those_of_the_log() {
    let check = check_log(&supported(360));
    assert_eq!(
        (check.conversations, check.decisions, check.turns),
        (360, 360, 0)
    );
    assert_eq!(check.labels.class, 360);
    assert_eq!(
        check.labels.satisfaction,
        [(SatisfactionSource::Rating, 360)]
    );
    assert_eq!(check.labels.satisfaction_by_tier, [120; 3]);
    assert_eq!(
        (check.labels.outcomes_tracked, check.labels.clicked),
        (360, 36)
    );
    assert_eq!(check.rewards.computable, 360);
    // 100 s of a person at 18 an hour.
    assert_eq!(check.rewards.reference_cost, Some(0.5));
    assert_eq!(check.propensities.exact, 360);
    assert_eq!(check.propensities.max_weight, Some(4.0));
    for row in &check.overlap {
        assert_eq!(row.tiers.map(|cell| cell.count), [40; 3]);
        assert_eq!(row.tiers[2].min_propensity, Some(0.5));
    }
    // A quarter of each class speaks Chinese.
    let chinese: u64 = check
        .composition
        .iter()
        .filter(|row| row.language.as_deref() == Some("zh"))
        .flat_map(|row| row.by_tier)
        .sum();
    assert_eq!(chinese, 90);
    let sentiment = |m: &&Missing| m.feature == "sentiment";
    assert!(check.missing_features.iter().find(sentiment).is_none());
    assert_eq!(check.missing_features.len(), Feature::COUNT - 1);
}

#[test]
fn a_log_with_support_allows_everything_but_labels() {
    let check = check_log(&supported(360));
    for claim in &check.claims {
        let expected = claim.what != ClaimKind::LabelledTraining;
        assert_eq!(
            claim.allowed, expected,
            "{}: {}",
            claim.statement, claim.because
        );
    }
}

#[test]
fn a_log_of_one_tier_without_propensities_allows_no_value() {
    let check = check_log(&reviewed_only(300));
    let value = check.claim(ClaimKind::OffPolicyValue).unwrap();
    assert!(!value.allowed);
    assert_eq!(
        value.because,
        "no propensities were logged, tier 1 and tier 3 were never taken and 0 conversations have a reward, 100 are \
         needed"
    );
    let learning = check.claim(ClaimKind::Learning).unwrap();
    assert!(!learning.allowed && learning.because.contains("marked simulated"));
    assert!(allowed(&check, ClaimKind::SimulatedLearning));
    assert!(allowed(&check, ClaimKind::SatisfactionReview));
    assert!(!allowed(&check, ClaimKind::SatisfactionAuto));
    assert!(!allowed(&check, ClaimKind::Conversion));
    assert_eq!(check.rewards.refused, [(NoReward::ClassUnknown, 300)]);
}

#[test]
fn each_claim_falls_with_its_ground() {
    type Change = fn(&mut Conversation);
    let cases: [(ClaimKind, Change); 8] = [
        (ClaimKind::LoggedValue, |c| c.class = None),
        (ClaimKind::OffPolicyValue, |c| {
            let d = &mut c.decisions[0];
            (d.probs, d.propensity, d.propensity_kind) = (None, None, None);
        }),
        (ClaimKind::ChoicesUnconfounded, |c| {
            c.decisions[0].action_source = ActionSource::Agent;
        }),
        (ClaimKind::Capacity, |c| c.decisions[0].pool_busy = None),
        (ClaimKind::Clicks, |c| c.outcomes_tracked = None),
        (ClaimKind::Conversion, |c| c.outcomes_tracked = Some(false)),
        (ClaimKind::Seasonality, |c| c.created_at = START),
        (ClaimKind::RealCustomers, |c| {
            c.rating_raw = None;
            c.satisfaction = Some(0.5);
            c.satisfaction_source = Some(SatisfactionSource::Simulated);
        }),
    ];
    for (what, change) in cases {
        let mut log = supported(360);
        assert!(allowed(&check_log(&log), what), "{what:?}");
        log.iter_mut().for_each(change);
        assert!(!allowed(&check_log(&log), what), "{what:?}");
    }
    let mut log = supported(900);
    assert!(allowed(&check_log(&log), ClaimKind::Completeness));
    log.drain(500..540);
    assert!(!allowed(&check_log(&log), ClaimKind::Completeness));
}

#[test]
fn an_untried_combination_is_named() {
    let mut log = supported(360);
    log.retain(|c| c.class != Some(Class::Complaint) || c.decisions[0].action != Tier::Auto);
    let check = check_log(&log);
    let value = check.claim(ClaimKind::OffPolicyValue).unwrap();
    assert!(value.allowed);
    assert!(
        value
            .because
            .ends_with("outside support: complaint at auto"),
        "{}",
        value.because
    );
}

#[test]
fn estimated_propensities_are_marked() {
    let mut log = supported(360);
    for c in &mut log {
        c.decisions[0].propensity_kind = Some(PropensityKind::Estimated);
    }
    let value = check_log(&log);
    let value = value.claim(ClaimKind::OffPolicyValue).unwrap();
    assert!(value.allowed && value.because.contains("never promote alone"));
}

fn row_error(line: u64, column: &str, kind: RowErrorKind) -> LogError {
    LogError::Row(RowError {
        file: "march.jsonl".into(),
        line,
        column: column.to_owned(),
        reason: "is wrong".to_owned(),
        kind,
    })
}

#[test]
fn broken_rows_are_counted_by_fault_and_column() {
    let rows = vec![
        Ok(minimal("a")),
        Err(row_error(
            2,
            "decisions[3].propensity",
            RowErrorKind::Invalid,
        )),
        Err(row_error(
            3,
            "decisions[0].propensity",
            RowErrorKind::Invalid,
        )),
        Err(row_error(4, "conversation_id", RowErrorKind::Duplicate)),
    ];
    let check = check(rows);
    assert_eq!((check.conversations, check.broken_rows()), (1, 3));
    assert_eq!(check.propensities.mismatches, 2);
    assert_eq!(check.row_errors[0].column, "decisions[].propensity");
    assert_eq!(check.row_errors[0].count, 2);
    assert!(check.row_errors[0].example.contains("decisions[3]"));
}

#[test]
fn nothing_at_all_is_an_error_and_a_fatal_error_ends_it() {
    let spec = RewardSpec::default();
    let error = LogCheck::of([], Path::new("x.jsonl"), &spec).unwrap_err();
    assert!(matches!(error, LogError::Empty { .. }));
    let damage = LogError::Damaged {
        file: "x.jsonl".into(),
        after_rows: 1,
        reason: "cut off".to_owned(),
    };
    let error = LogCheck::of([Ok(minimal("a")), Err(damage)], Path::new("x"), &spec);
    assert!(matches!(error, Err(LogError::Damaged { .. })));
}

#[test]
fn the_text_fits_the_terminal() {
    let mut rows: Vec<_> = reviewed_only(400).into_iter().map(Ok).collect();
    rows.push(Err(row_error(401, "turns[2].at", RowErrorKind::Invalid)));
    let mut log: Vec<_> = supported(400);
    log.extend((0..200).map(random));
    for check in [check(rows), check_log(&log), check_log(&[minimal("a")])] {
        let text = check.render();
        for line in text.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
        for claim in &check.claims {
            assert!(text.contains(&claim.statement));
        }
    }
}

#[test]
fn the_text_reads_well() {
    let mut rows: Vec<_> = supported(400).into_iter().map(Ok).collect();
    rows.push(Err(row_error(401, "turns[2].at", RowErrorKind::Invalid)));
    insta::assert_snapshot!("supported", check(rows).render());
    insta::assert_snapshot!("reviewed_only", check_log(&reviewed_only(400)).render());
}

#[test]
fn the_json_holds_the_claims() {
    let json = serde_json::to_value(check_log(&supported(12))).unwrap();
    assert_eq!(json["conversations"], 12);
    assert_eq!(json["claims"][0]["what"], "logged_value");
    assert_eq!(json["overlap"][2]["class"], "complaint");
    assert_eq!(json["labels"]["satisfaction"][0][0], "rating");
}
