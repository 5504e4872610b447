//! The page of a live test from outside: both languages, hostile names, missing numbers, every verdict.

use tierwise_reports::{
    Language, Provenance, TestBreak, TestNote, TestPage, TestVerdict, TestWaiting, TestedArm,
    TestedCheck, TestedExperiment, TestedGuarantee, TestedLook, TestedMethod, TestedRatio,
    TestedRole, TestedScale, TestedSequence, TestedTimes,
};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

fn experiment(text: &str, number: f64, verdict: TestVerdict) -> TestedExperiment {
    let arm = |name: &str, mean| TestedArm {
        name: name.to_owned(),
        units: 1000,
        conversions: Some(100),
        mean,
        share: Some(0.5),
    };
    let method = |key: &str, relative| TestedMethod {
        arm: text.to_owned(),
        method: key.to_owned(),
        relative,
        estimate: Some(number),
        interval: Some((number - 0.1, number + 0.1)),
        p_value: Some(0.03),
        chance_to_win: Some(0.98),
        any_look: relative,
    };
    let look = |at: f64| TestedLook {
        at,
        units: at as u64 * 100,
        share: Some(0.5),
        log_wealth: (at * number, -at),
        interval: Some((Some(-0.5 / (1.0 + at)), (at > 1.0).then_some(0.9))),
    };
    TestedExperiment {
        name: text.to_owned(),
        metric: Some(text.to_owned()),
        arms: vec![arm("control", 0.1), arm(text, number)],
        methods: vec![
            method("welch", false),
            method("gaussian", true),
            method(text, true),
        ],
        sample_ratio: Some(TestedRatio {
            p_value: 0.4,
            sound: true,
        }),
        sequence: Some(TestedSequence {
            arm: text.to_owned(),
            scale: TestedScale::Rate,
            times: TestedTimes::Days,
            log_wealth: (number, 1e5),
            thresholds: (40.0, 40.0),
            promoted: Some((text.to_owned(), 900)),
            rolled_back: None,
            interval: Some((Some(number), None)),
            looks: (0..10).map(|i| look(f64::from(i))).collect(),
        }),
        verdict,
        checks: [
            TestedRole::Secondary,
            TestedRole::Guardrail,
            TestedRole::Stratum,
        ]
        .map(|role| TestedCheck {
            role,
            name: text.to_owned(),
            arm: text.to_owned(),
            higher_is_worse: role == TestedRole::Guardrail,
            margin: 0.02,
            units: (1000, 1000),
            means: (0.1, number),
            log_wealth: number,
            threshold: 40.0,
            reached: number > 0.0,
        })
        .to_vec(),
        guarantee: TestedGuarantee::AnyLook,
        notes: vec![
            TestNote::LateConversions,
            TestNote::Scaled {
                lower: number,
                upper: 1.0,
            },
        ],
    }
}

fn page(experiments: Vec<TestedExperiment>) -> TestPage {
    TestPage {
        title: None,
        subtitle: None,
        sample: false,
        alpha: 0.05,
        experiments,
        provenance: Provenance::default(),
    }
}

fn verdicts() -> Vec<TestVerdict> {
    let arm = "b".to_owned();
    let broken = |broken| TestVerdict::Broken { broken };
    vec![
        TestVerdict::Promote { arm: arm.clone() },
        TestVerdict::RollBack {
            arm: arm.clone(),
            guardrail: None,
        },
        TestVerdict::RollBack {
            arm,
            guardrail: Some("reopened".to_owned()),
        },
        TestVerdict::KeepGoing {
            waiting_for: vec![
                TestWaiting::Superiority,
                TestWaiting::Share {
                    have: 0.25,
                    needed: 0.5,
                },
                TestWaiting::Days {
                    have: 2.0,
                    needed: 7.0,
                },
                TestWaiting::LoggedShares,
            ],
        },
        TestVerdict::NotEnoughData {
            needed: 200,
            have: 12,
        },
        broken(TestBreak::SampleRatio),
        broken(TestBreak::Interference),
        broken(TestBreak::Maturity),
        broken(TestBreak::Assignment),
        broken(TestBreak::UnitsInTwoArms {
            units: 3,
            examples: vec!["u1".to_owned()],
        }),
    ]
}

#[test]
fn every_verdict_is_said_in_both_languages() {
    for language in LANGUAGES {
        let mut headlines = Vec::new();
        for verdict in verdicts() {
            let html = page(vec![experiment("b", 0.2, verdict)])
                .render(language)
                .unwrap();
            let meaning = html.split("<p class=\"meaning\">").nth(1).unwrap();
            headlines.push(meaning.split("</p>").next().unwrap().to_owned());
            assert!(
                !html.contains('{') || !meaning.contains('{'),
                "a blank is left"
            );
        }
        headlines.sort();
        headlines.dedup();
        // The two ways to roll back mean the same.
        assert_eq!(headlines.len(), verdicts().len() - 1);
    }
}

#[test]
fn names_are_escaped_and_missing_numbers_are_no_words() {
    for number in [0.2, f64::NAN, f64::INFINITY, -1e300] {
        for language in LANGUAGES {
            let text = "<script>\"&";
            let verdict = TestVerdict::Promote {
                arm: text.to_owned(),
            };
            let html = page(vec![experiment(text, number, verdict)])
                .render(language)
                .unwrap();
            assert!(!html.contains("<script"), "{number}");
            assert!(!html.contains("NaN") && !html.contains(">inf"), "{number}");
        }
    }
}

#[test]
fn many_tests_are_listed_and_few_are_drawn() {
    let keep = TestVerdict::KeepGoing {
        waiting_for: vec![TestWaiting::Superiority],
    };
    let mut tests: Vec<TestedExperiment> = (0..20)
        .map(|i| experiment(&format!("test {i}"), 0.1, keep.clone()))
        .collect();
    tests[13].verdict = TestVerdict::Promote {
        arm: "b".to_owned(),
    };
    let html = page(tests).render(Language::En).unwrap();
    assert_eq!(html.matches("<section class=\"verdict").count(), 6);
    // Decided ones come first.
    let first = html.split("<section class=\"verdict").nth(1).unwrap();
    assert!(first.contains("test 13"), "{first}");
    for i in 0..20 {
        assert!(html.contains(&format!("<th scope=\"row\">test {i} · test {i}</th>")));
    }
}

#[test]
fn the_same_values_give_the_same_bytes() {
    let page = page(
        verdicts()
            .into_iter()
            .map(|v| experiment("b", 0.2, v))
            .collect(),
    );
    let text = serde_json::to_string(&page).unwrap();
    let again: TestPage = serde_json::from_str(&text).unwrap();
    for language in LANGUAGES {
        assert_eq!(
            page.render(language).unwrap(),
            again.render(language).unwrap()
        );
    }
}
