//! The sample centre's evidence, invented for show: both queues, sensitivity,
//! test designs, learning, and the article's figures.

use tierwise_reports::{
    ArticleComparison, ArticleFigure, ArticleRow, CentrePage, Counterpart, Coupling,
    CouplingComparison, CouplingResult, CurvePoint, DesignComparison, DesignResult,
    EstimateOutcome, Evidence, LearningCurve, LearningCurves, Measure, NamedValue,
    ParameterSamples, ParameterSensitivity, ParameterSwing, PolicyQueueEffect, Provenance,
    QuantityUnit, QueueEffect, RankCount, RankFlip, Reason, ReferenceLine, Sentence, StepUnit,
    TestDesign, TierName,
};

use super::centre::{BASELINE, CANDIDATE, GREEDY, around};
use super::centre_calibration::calibration;

/// Fills the page's sections of evidence.
pub(crate) fn fill(page: &mut CentrePage) {
    page.queue_effect = Some(queue_effect());
    page.calibration = Some(calibration());
    page.sensitivity = Some(sensitivity());
    page.designs = designs();
    page.article = Some(article());
    page.couplings = couplings();
    page.provenance = provenance();
}

fn queue_effect() -> QueueEffect {
    let logged = |value: f64, half: f64| EstimateOutcome::Estimated {
        value,
        lower: Some(value - half),
        upper: Some(value + half),
        n: 16_800,
        effective_sample_size: Some(3_583.0),
        biased: false,
        evidence: Evidence::Logged,
    };
    let policy = |policy: &str, from_log, centre, difference| PolicyQueueEffect {
        policy: policy.to_owned(),
        from_log,
        in_centre: centre,
        centre_n: 1_204_000,
        difference,
    };
    let refused = EstimateOutcome::Refused {
        reason: Reason::LowEffectiveSampleSize {
            have: 61.0,
            needed: 100.0,
        },
    };
    QueueEffect {
        measure: Measure::Reward,
        level: 0.95,
        policies: vec![
            policy(
                BASELINE,
                logged(0.5291, 0.0112),
                around(0.5230, 0.0041),
                Some(around(-0.0061, 0.0119)),
            ),
            policy(
                CANDIDATE,
                logged(0.5214, 0.0131),
                around(0.5546, 0.0033),
                Some(around(0.0332, 0.0135)),
            ),
            policy(GREEDY, refused, around(0.4860, 0.0058), None),
        ],
    }
}

fn sensitivity() -> ParameterSensitivity {
    let swing = |name: &str, tier, unit, value, low: f64, high: f64| ParameterSwing {
        name: name.to_owned(),
        class: None,
        tier,
        unit,
        value,
        lower_by_change: around(low, 0.0049),
        higher_by_change: around(high, 0.0049),
    };
    let human = Some(TierName::Human);
    let (secs, portion) = (QuantityUnit::Seconds, QuantityUnit::Share);
    let flip = |sample, winner: &str, difference, settings: [(&str, &str); 3]| RankFlip {
        sample,
        winner: winner.to_owned(),
        difference: around(difference, 0.0049),
        settings: settings
            .map(|(name, value)| NamedValue::new(name, value))
            .into(),
    };
    ParameterSensitivity {
        measure: Measure::Reward,
        candidate: CANDIDATE.to_owned(),
        baseline: BASELINE.to_owned(),
        level: 0.95,
        change: 0.2,
        as_fitted: around(0.0316, 0.0045),
        n: 240_800,
        parameters: vec![
            swing(
                "solve_share",
                Some(TierName::Auto),
                portion,
                0.64,
                -0.0082,
                0.0571,
            ),
            swing("service_mean", human, secs, 231.0, 0.0121, 0.0548),
            swing(
                "arrival_rate",
                None,
                QuantityUnit::PerHour,
                62.1,
                0.0038,
                0.0529,
            ),
            swing("patience_mean", human, secs, 322.0, 0.0362, 0.0287),
            swing("slowdown", None, QuantityUnit::Score, 0.15, 0.0271, 0.0359),
            swing(
                "review_time",
                Some(TierName::Review),
                secs,
                47.6,
                0.0341,
                0.0294,
            ),
            swing("rating_share", None, portion, 0.26, 0.0314, 0.0319),
        ],
        samples: Some(ParameterSamples {
            samples: 128,
            ranks_first: [(CANDIDATE, 119), (BASELINE, 8), (GREEDY, 1)]
                .map(|(policy, samples)| RankCount {
                    policy: policy.to_owned(),
                    samples,
                })
                .into(),
            flips: vec![
                flip(
                    17,
                    BASELINE,
                    -0.0131,
                    [
                        ("solve_share", "−19\u{202f}%"),
                        ("arrival_rate", "−14\u{202f}%"),
                        ("slowdown", "+6\u{202f}%"),
                    ],
                ),
                flip(
                    64,
                    BASELINE,
                    -0.0068,
                    [
                        ("solve_share", "−17\u{202f}%"),
                        ("service_mean", "−18\u{202f}%"),
                        ("patience_mean", "+9\u{202f}%"),
                    ],
                ),
                flip(
                    101,
                    GREEDY,
                    -0.0022,
                    [
                        ("arrival_rate", "−20\u{202f}%"),
                        ("service_mean", "−19\u{202f}%"),
                        ("solve_share", "−15\u{202f}%"),
                    ],
                ),
            ],
        }),
    }
}

fn designs() -> Vec<DesignComparison> {
    let result = |truth: f64, design, measured: f64, half: f64| DesignResult {
        design,
        measured: around(measured, half),
        bias: around(measured - truth, half * 1.1),
        n: 210_000,
    };
    let switchback = TestDesign::Switchback {
        block_secs: 7_200.0,
        washout_secs: 900.0,
    };
    let uneven = TestDesign::UnevenSplitPool {
        candidate_share: 0.35,
    };
    let scenario = |scenario: &str, truth: f64, half: f64, measured: [f64; 4]| DesignComparison {
        scenario: scenario.to_owned(),
        measure: Measure::Reward,
        candidate: CANDIDATE.to_owned(),
        baseline: BASELINE.to_owned(),
        level: 0.95,
        truth: around(truth, half),
        truth_n: 1_204_000,
        designs: [TestDesign::User, TestDesign::SplitPool, uneven, switchback]
            .into_iter()
            .zip(measured)
            .map(|(design, measured)| result(truth, design, measured, 0.0058))
            .collect(),
    };
    vec![
        scenario("scarce", 0.0316, 0.0045, [-0.0104, 0.0307, -0.0211, 0.0291]),
        scenario(
            "slack",
            -0.0121,
            0.0028,
            [-0.0118, -0.0124, -0.0129, -0.0115],
        ),
    ]
}

fn article() -> ArticleComparison {
    let both = |before, after, change, n| Counterpart {
        before: Some(before),
        after: Some(after),
        change: Some(change),
        n: Some(n),
        missing: None,
    };
    let row = |figure, simulated, yours, assumed: &[(&str, &str)]| ArticleRow {
        figure,
        simulated,
        yours,
        assumed: assumed
            .iter()
            .map(|(en, zh)| Sentence::new(*en, *zh))
            .collect(),
    };
    let not_logged = || Counterpart::missing(Reason::NotLogged);
    let languages = |count| Counterpart {
        after: Some(around(count, 0.0)),
        ..Counterpart::default()
    };
    let (n, mine) = (402_000, 31_290);
    ArticleComparison {
        rows: vec![
            row(
                ArticleFigure::FirstResponse,
                both(
                    around(476.0, 31.0),
                    around(4.1, 0.2),
                    around(-0.991, 0.001),
                    n,
                ),
                Counterpart {
                    before: Some(around(48.2, 2.6)),
                    n: Some(mine),
                    ..Counterpart::default()
                },
                &[
                    ("people only before", "之前仅有人工"),
                    ("AI answers in 2.6 s", "AI 答复需 2.6 秒"),
                ],
            ),
            row(
                ArticleFigure::HumanWorkload,
                both(
                    around(241.0, 3.2),
                    around(88.0, 2.1),
                    around(-0.635, 0.012),
                    n,
                ),
                Counterpart {
                    before: Some(around(71.5, 0.9)),
                    n: Some(mine),
                    ..Counterpart::default()
                },
                &[(
                    "workload means human seconds per conversation",
                    "工作量指每个会话的人工秒数",
                )],
            ),
            row(
                ArticleFigure::ClickThrough,
                both(
                    around(0.038, 0.001),
                    around(0.051, 0.001),
                    around(0.342, 0.041),
                    n,
                ),
                Counterpart {
                    before: Some(around(0.051, 0.004)),
                    n: Some(mine),
                    ..Counterpart::default()
                },
                &[(
                    "a solved conversation doubles the chance of a click",
                    "会话获得解决使点击概率加倍",
                )],
            ),
            row(
                ArticleFigure::Escalations,
                both(
                    around(0.102, 0.002),
                    around(0.083, 0.002),
                    around(-0.186, 0.027),
                    n,
                ),
                not_logged(),
                &[(
                    "escalations follow waits and sentiment",
                    "升级取决于等待与情绪",
                )],
            ),
            row(
                ArticleFigure::NonEnglishConversion,
                Counterpart::missing(Reason::NotComputed),
                not_logged(),
                &[],
            ),
            row(
                ArticleFigure::Languages,
                languages(12.0),
                languages(2.0),
                &[(
                    "every language has its own people",
                    "每种语言都有自己的人员",
                )],
            ),
        ],
    }
}

fn couplings() -> Vec<CouplingComparison> {
    let result = |coupling, value: f64, half: f64, seeds| CouplingResult {
        coupling,
        value: around(value, half),
        n: 602_000,
        seeds,
    };
    let scenario = |scenario: &str, values: [f64; 5], toll, curves| CouplingComparison {
        scenario: scenario.to_owned(),
        measure: Measure::Reward,
        level: 0.95,
        results: vec![
            result(Coupling::Continuing, values[0], 0.0036, Some(10)),
            result(
                Coupling::Toll { toll: Some(toll) },
                values[1],
                0.0033,
                Some(10),
            ),
            result(Coupling::None, values[2], 0.0052, Some(10)),
            result(Coupling::Rule, values[3], 0.0041, None),
            result(Coupling::Greedy, values[4], 0.0058, None),
        ],
        learning_curves: curves,
    };
    vec![
        scenario(
            "scarce",
            [0.5561, 0.5546, 0.4981, 0.5230, 0.4860],
            0.00042,
            Some(curves()),
        ),
        scenario(
            "slack",
            [0.6123, 0.6126, 0.6119, 0.6004, 0.6121],
            0.000_011,
            None,
        ),
    ]
}

fn curves() -> LearningCurves {
    let curve = |learner: &str, goal: f64, pace: f64| LearningCurve {
        learner: learner.to_owned(),
        seeds: 10,
        points: (0..=40_u32)
            .map(|place| {
                let gone = f64::from(place) / 40.0;
                let wobble = (f64::from(place) * 1.9).sin() * 0.003 * (1.0 - 0.7 * gone);
                let median = 0.41 + (goal - 0.41) * (1.0 - (-pace * gone).exp()) + wobble;
                let width = 0.020 * (0.35 + 0.65 * (-3.0 * gone).exp());
                CurvePoint {
                    step: u64::from(place) * 10_000,
                    median,
                    lower: median - width,
                    upper: median + width,
                }
            })
            .collect(),
        per_seed: Vec::new(),
    };
    LearningCurves {
        measure: Measure::Reward,
        step_unit: StepUnit::Decisions,
        band_lower_quantile: 0.1,
        band_upper_quantile: 0.9,
        curves: vec![
            curve("continuing", 0.557, 4.2),
            curve("toll", 0.555, 5.5),
            curve("none", 0.498, 6.5),
        ],
        references: vec![ReferenceLine {
            name: BASELINE.to_owned(),
            value: 0.523,
        }],
        evidence: Evidence::Simulated,
    }
}

fn provenance() -> Provenance {
    Provenance {
        versions: vec![
            NamedValue::new("tierwise", "0.1.0"),
            NamedValue::new("environment centre", "v1"),
            NamedValue::new("policy toll-q", "v4"),
        ],
        seeds: (1..=40).collect(),
        config_hash: Some("blake3:2222222222222222-sample".to_owned()),
        log_hash: Some("blake3:1111111111111111-sample".to_owned()),
        reward_version: Some("r1 (k = 0.5, L = 5 / 120 / 120 s)".to_owned()),
        settings: vec![NamedValue::new("toll", "0.00042 reward per human second")],
        made_at: Some("2026-04-02 09:00 UTC".to_owned()),
        command: Some("tierwise simulate centre.toml --out runs/centre".to_owned()),
    }
}
