//! The rule, condition by condition.

use super::*;

fn good() -> Evidence {
    Evidence {
        arm: "b".to_owned(),
        units: [5000, 5000],
        share: 0.5,
        days_at_share: 8.0,
        log_promote: 4.0,
        superior: true,
        ..Evidence::default()
    }
}

fn kind(evidence: &Evidence) -> String {
    let value = serde_json::to_value(decide(&PromotionRule::default(), evidence)).unwrap();
    value["kind"].as_str().unwrap().to_owned()
}

#[test]
fn each_condition_alone_stands_in_the_way() {
    assert_eq!(kind(&good()), "promote");
    let named = |reached| NamedWealth {
        name: "satisfaction".to_owned(),
        log_e: 5.0,
        reached,
    };
    type Change = fn(&mut Evidence);
    let cases: [(&str, Change); 6] = [
        ("not_enough_data", |e| e.units = [5000, 199]),
        ("keep_going", |e| e.superior = false),
        ("keep_going", |e| e.share = 0.25),
        ("keep_going", |e| e.days_at_share = 6.9),
        ("keep_going", |e| e.vetoes.push("zh".to_owned())),
        ("roll_back", |e| (e.superior, e.inferior) = (false, true)),
    ];
    for (expected, change) in cases {
        let mut evidence = good();
        change(&mut evidence);
        assert_eq!(kind(&evidence), expected);
    }
    let mut evidence = good();
    evidence.secondary = vec![named(true)];
    assert_eq!(kind(&evidence), "promote");
    evidence.secondary = vec![named(false)];
    assert_eq!(kind(&evidence), "keep_going");
    evidence.guardrails = vec![named(true)];
    assert_eq!(kind(&evidence), "roll_back");
    evidence.broken = Some(Broken::SampleRatio { log_e: 9.0 });
    assert_eq!(kind(&evidence), "broken");
}

#[test]
fn interference_may_roll_back_and_not_promote() {
    let broken = Some(Broken::Interference {
        lower: 0.01,
        bias: None,
    });
    let mut evidence = Evidence { broken, ..good() };
    assert_eq!(kind(&evidence), "broken");
    (evidence.superior, evidence.inferior) = (false, true);
    assert_eq!(kind(&evidence), "roll_back");
    evidence.inferior = false;
    assert_eq!(kind(&evidence), "keep_going");
}

#[test]
fn levels_add_up_to_the_budget() {
    let rule = PromotionRule {
        challengers: 3,
        ..PromotionRule::default()
    };
    let promote = rule.promote_level().unwrap().get();
    let roll_back = rule.roll_back_level(4).unwrap().get();
    assert!((3.0 * (promote + 5.0 * roll_back) - 0.05).abs() < 1e-15);
    assert!(rule.may_advance(24.0, 200, &[4.9]));
    assert!(!rule.may_advance(24.0, 200, &[5.0]));
    assert!(!rule.may_advance(23.9, 200, &[]));
}

#[test]
fn values_out_of_range_are_named() {
    type Change = fn(&mut PromotionRule);
    let cases: [(&str, Change); 6] = [
        ("error_budget", |r| r.error_budget = 0.0),
        ("challengers", |r| r.challengers = 0),
        ("stratum_margin", |r| r.stratum_margin = 1.0),
        ("minimum_days", |r| r.minimum_days = f64::NAN),
        ("ramp", |r| r.ramp = vec![0.5, 0.25]),
        ("sample_ratio_level", |r| r.sample_ratio_level = 1.0),
    ];
    for (key, change) in cases {
        let mut rule = PromotionRule::default();
        change(&mut rule);
        assert_eq!(rule.check().unwrap_err().key, key);
    }
    let metric = |metric: &str, margin| MetricRule {
        metric: metric.to_owned(),
        harm: Harm::Lower,
        margin,
        bounds: None,
    };
    let base = PromotionRule {
        primary: Some("resolved".to_owned()),
        ..PromotionRule::default()
    };
    for (key, rule) in [
        (
            "guardrail",
            PromotionRule {
                guardrail: vec![metric("resolved", None)],
                ..base.clone()
            },
        ),
        (
            "guardrail",
            PromotionRule {
                guardrail: vec![metric("", None)],
                ..base.clone()
            },
        ),
        (
            "secondary",
            PromotionRule {
                secondary: vec![metric("csat", Some(1.0))],
                ..base.clone()
            },
        ),
        (
            "strata",
            PromotionRule {
                strata: vec!["en".to_owned(); 2],
                ..base.clone()
            },
        ),
        (
            "strata",
            PromotionRule {
                strata: (0..13).map(|i| i.to_string()).collect(),
                ..base
            },
        ),
    ] {
        assert_eq!(rule.check().unwrap_err().key, key);
    }
    assert_eq!(PromotionRule::default().check(), Ok(()));
}
