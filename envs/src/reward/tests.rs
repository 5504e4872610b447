//! Every line of mdp.md §1.6, with numbers worked out by hand.

use super::*;
use crate::class::RatingScale;
use crate::time::UtcMicros;

fn spec() -> RewardSpec {
    RewardSpec {
        wage_per_hour: 36.0, // 0.01 a second
        price_per_ai_call: 0.1,
        reference_cost: 2.0,
        default_human_s: [0.0, 40.0, 150.0],
        ..RewardSpec::default()
    }
}

fn rated(raw: i64) -> SatisfactionEvidence {
    SatisfactionEvidence {
        rating: Some(Rating {
            raw,
            scale: RatingScale::FivePoint,
            at: None,
        }),
        ..SatisfactionEvidence::default()
    }
}

fn outcome<'a>(
    satisfaction: SatisfactionEvidence,
    answers: &'a [AnswerTime],
    cost: Cost,
) -> Outcome<'a> {
    Outcome {
        class: Some(Class::Complex),
        satisfaction,
        answers,
        cost,
    }
}

#[test]
fn ratings_become_satisfaction() {
    let cases = [
        (RatingScale::FivePoint, 1, Some(0.0)),
        (RatingScale::FivePoint, 4, Some(0.75)),
        (RatingScale::FivePoint, 5, Some(1.0)),
        (RatingScale::FivePoint, 0, None),
        (RatingScale::FivePoint, 6, None),
        (RatingScale::ThreePoint, 2, Some(0.5)),
        (RatingScale::ThreePoint, 4, None),
        (RatingScale::GoodBad, 0, Some(0.0)),
        (RatingScale::GoodBad, 1, Some(1.0)),
        (RatingScale::GoodBad, 2, None),
    ];
    for (scale, raw, expected) in cases {
        let rating = Rating {
            raw,
            scale,
            at: None,
        };
        assert_eq!(rating.satisfaction().ok(), expected, "{scale} {raw}");
    }
}

#[test]
fn a_two_point_scale_is_coarse() {
    let evidence = SatisfactionEvidence {
        rating: Some(Rating {
            raw: 1,
            scale: RatingScale::GoodBad,
            at: None,
        }),
        ..SatisfactionEvidence::default()
    };
    assert!(evidence.resolve().unwrap().coarse);
    assert!(!rated(5).resolve().unwrap().coarse);
}

#[test]
fn the_last_rating_wins() {
    let at = |s| Some(UtcMicros(s));
    let mark = |raw, at| Rating {
        raw,
        scale: RatingScale::FivePoint,
        at,
    };
    assert_eq!(
        last_rating(&[mark(5, at(10)), mark(1, at(20)), mark(3, at(15))])
            .unwrap()
            .raw,
        1
    );
    assert_eq!(
        last_rating(&[mark(5, at(10)), mark(2, None)]).unwrap().raw,
        5
    );
    assert_eq!(last_rating(&[mark(5, None), mark(2, None)]).unwrap().raw, 2);
    assert_eq!(last_rating(&[]), None);
}

#[test]
fn sources_of_satisfaction_in_order() {
    let mut evidence = SatisfactionEvidence::default();
    assert_eq!(evidence.resolve(), Err(NoReward::SatisfactionUnknown));
    evidence.modelled = Some(0.4);
    assert_eq!(
        evidence.resolve().unwrap().source,
        SatisfactionSource::Model
    );
    evidence.derived = Some((0.6, SatisfactionSource::Questionnaire));
    assert_eq!(evidence.resolve().unwrap().value, 0.6);
    evidence.rating = Some(Rating {
        raw: 4,
        scale: RatingScale::FivePoint,
        at: None,
    });
    assert_eq!(evidence.resolve().unwrap().value, 0.75);
    evidence.came_back = true;
    assert_eq!(evidence.resolve().unwrap().value, 0.375);
    evidence.abandoned = true;
    assert_eq!(evidence.resolve().unwrap().value, 0.0);
}

#[test]
fn resolved_by_a_bot_without_an_answer_is_not_one() {
    let answers = [AnswerTime::elapsed(2.0)];
    let cost = Cost {
        ai_calls: 1,
        ..Cost::default()
    };
    let silent = outcome(SatisfactionEvidence::default(), &answers, cost);
    assert_eq!(spec().reward(&silent), Err(NoReward::SatisfactionUnknown));
}

#[test]
fn time_efficiency_counts_total_excess() {
    // Complex: L = 120 s.
    let cases: [(&[f64], f64); 7] = [
        (&[], 1.0),
        (&[0.0], 1.0),
        (&[120.0, 119.0, 5.0], 1.0),
        (&[240.0], 0.5),
        (&[180.0, 180.0], 0.5),         // total excess of L
        (&[1.0, 1.0, 1.0, 240.0], 0.5), // extra fast turns earn nothing
        (&[360.0], 1.0 / 3.0),
    ];
    for (seconds, expected) in cases {
        let answers: Vec<_> = seconds.iter().map(|s| AnswerTime::elapsed(*s)).collect();
        let reward = spec()
            .reward(&outcome(rated(5), &answers, Cost::default()))
            .unwrap();
        assert!((reward.time - expected).abs() < 1e-15, "{seconds:?}");
    }
}

#[test]
fn the_limit_is_that_of_the_class_and_not_of_the_tier() {
    let answers = [AnswerTime::elapsed(10.0)];
    // A person answered a simple request in 10 s: the limit stays 5 s, so E_time = 5/(5 + 5).
    let simple = Outcome {
        class: Some(Class::Simple),
        ..outcome(
            rated(5),
            &answers,
            Cost {
                human_s: 8.0,
                ..Cost::default()
            },
        )
    };
    assert_eq!(spec().reward(&simple).unwrap().time, 0.5);
    let unknown = Outcome {
        class: None,
        ..simple
    };
    assert_eq!(spec().reward(&unknown), Err(NoReward::ClassUnknown));
}

#[test]
fn broken_durations_have_no_reward() {
    for seconds in [-1.0, 7.0 * 86_400.0 + 1.0, f64::NAN, f64::INFINITY] {
        let answers = [AnswerTime::elapsed(seconds)];
        let result = spec().reward(&outcome(rated(5), &answers, Cost::default()));
        assert_eq!(result, Err(NoReward::Invalid), "{seconds}");
    }
    let answers = [AnswerTime::default()];
    let result = spec().reward(&outcome(rated(5), &answers, Cost::default()));
    assert_eq!(result, Err(NoReward::AnswerTimeUnknown));
    for human_s in [-1.0, f64::NAN, f64::INFINITY] {
        let result = spec().reward(&outcome(
            rated(5),
            &[],
            Cost {
                human_s,
                ..Cost::default()
            },
        ));
        assert_eq!(result, Err(NoReward::Invalid), "{human_s}");
    }
}

#[test]
fn the_business_clock_forgives_the_night() {
    let answers = [AnswerTime {
        elapsed_s: Some(36_000.0),
        business_s: Some(60.0),
    }];
    let business = RewardSpec {
        sla_clock: SlaClock::Business,
        ..spec()
    };
    let night = outcome(rated(5), &answers, Cost::default());
    assert_eq!(business.reward(&night).unwrap().time, 1.0);
    assert_eq!(spec().reward(&night).unwrap().time, 120.0 / 36_000.0);
    let answers = [AnswerTime::elapsed(60.0)];
    let calendar_only = outcome(rated(5), &answers, Cost::default());
    assert_eq!(
        business.reward(&calendar_only),
        Err(NoReward::AnswerTimeUnknown)
    );
}

#[test]
fn cost_efficiency_keeps_half_for_people() {
    // 0.01 a human second, 0.1 an AI call, C_ref = 2, k = 0.5.
    let cases = [
        (0.0, 0, 1.0),
        (0.0, 2, 0.95),   // C = 0.2
        (100.0, 0, 0.75), // C = 1
        (200.0, 0, 0.5),  // C = C_ref
        (9_999.0, 0, 0.5),
    ];
    for (human_s, ai_calls, expected) in cases {
        let cost = Cost {
            human_s,
            ai_calls,
            ..Cost::default()
        };
        let reward = spec().reward(&outcome(rated(5), &[], cost)).unwrap();
        assert!(
            (reward.cost - expected).abs() < 1e-15,
            "{human_s} {ai_calls}"
        );
        assert!(!reward.cost_assumed);
    }
    let pure_service = RewardSpec {
        cost_weight: 0.0,
        ..spec()
    };
    let cost = Cost {
        human_s: 9_999.0,
        ..Cost::default()
    };
    assert_eq!(
        pure_service
            .reward(&outcome(rated(5), &[], cost))
            .unwrap()
            .cost,
        1.0
    );
}

#[test]
fn missing_cost_takes_the_tiers_default_and_says_so() {
    let cost = Cost {
        human_s: 10.0,
        answers_without_human_s: [3, 1, 1],
        ai_calls: 0,
    };
    let reward = spec().reward(&outcome(rated(5), &[], cost)).unwrap();
    assert_eq!(reward.human_s, 10.0 + 40.0 + 150.0);
    assert!(reward.cost_assumed);
}

#[test]
fn an_abandoned_conversation_still_shows_its_cost() {
    let evidence = SatisfactionEvidence {
        abandoned: true,
        ..rated(5)
    };
    let cost = Cost {
        human_s: 77.0,
        ..Cost::default()
    };
    let reward = spec().reward(&outcome(evidence, &[], cost)).unwrap();
    assert_eq!((reward.total, reward.human_s), (0.0, 77.0));
}

#[test]
fn products_are_averaged_not_multiplied() {
    // Two conversations, S = (1, 0), E = (1, 0.5): E[S E] = 0.5, E[S] E[E] = 0.375.
    let slow = [AnswerTime::elapsed(240.0)];
    let first = spec()
        .reward(&outcome(rated(5), &[], Cost::default()))
        .unwrap();
    let second = spec()
        .reward(&outcome(rated(1), &slow, Cost::default()))
        .unwrap();
    assert_eq!((first.total + second.total) / 2.0, 0.5);
}

#[test]
fn shapes_combine_as_written() {
    let cases = [
        (RewardShape::Product, 0.5 * 0.8 * 0.5),
        (RewardShape::Powers { a: 2.0, b: 1.0 }, 0.25 * 0.4),
        (RewardShape::Weighted { w: 0.25 }, 0.25 * 0.5 + 0.75 * 0.4),
    ];
    for (shape, expected) in cases {
        let spec = RewardSpec { shape, ..spec() };
        assert!(
            (spec.combine(0.5, 0.8, 0.5) - expected).abs() < 1e-15,
            "{shape:?}"
        );
    }
}

#[test]
fn parameters_out_of_range_are_named() {
    let cases: [(&str, RewardSpec); 6] = [
        (
            "cost_weight",
            RewardSpec {
                cost_weight: 1.0,
                ..spec()
            },
        ),
        (
            "reference_cost",
            RewardSpec {
                reference_cost: 0.0,
                ..spec()
            },
        ),
        (
            "wage_per_hour",
            RewardSpec {
                wage_per_hour: f64::NAN,
                ..spec()
            },
        ),
        (
            "sla_limit_s",
            RewardSpec {
                sla_limit_s: [5.0, 0.0, 1.0],
                ..spec()
            },
        ),
        (
            "shape.w",
            RewardSpec {
                shape: RewardShape::Weighted { w: 1.5 },
                ..spec()
            },
        ),
        (
            "default_human_s",
            RewardSpec {
                default_human_s: [0.0, -1.0, 0.0],
                ..spec()
            },
        ),
    ];
    for (key, spec) in cases {
        assert_eq!(spec.validate().unwrap_err().key, key);
    }
    assert!(RewardSpec::default().validate().is_ok());
    assert_ne!(spec().version(), RewardSpec::default().version());
}
