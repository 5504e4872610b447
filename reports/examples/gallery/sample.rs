//! The sample page's values, invented for show. Shared with the test that
//! compares the committed sample with them.

use tierwise_reports::{
    AlternativeReward, BaselineValue, Claim, ClaimTopic, Comparison, CurvePoint, Estimate,
    EstimateOutcome, EstimatorForest, Evidence, Kpi, KpiTable, Kpis, Language, LearningCurve,
    LearningCurves, LogGap, LogSupport, MapAxis, MapCell, Measure, NamedValue, OfflinePage,
    OmittedSection, OverlapRow, PolicyEstimates, PolicyKpis, PolicyMap, PolicyRole, PropensityKind,
    Provenance, Reason, ReferenceLine, RewardDefinition, Section, Sentence, StepUnit, TierName,
    Verdict,
};

const CANDIDATE: &str = "double-q v7";
const BASELINE: &str = "rule v3";

/// The sample page with a verdict of the given kind.
pub(crate) fn page(verdict: &str, language: Language) -> OfflinePage {
    let mut page = OfflinePage::new(sample_verdict(verdict), kpis(verdict));
    page.sample = true;
    let (title, subtitle) = match language {
        Language::En => (
            "Aurora Beauty, sample shop",
            "Six weeks of invented chat conversations, judged on the last two",
        ),
        Language::Zh => ("极光美妆（示例店铺）", "六周虚构的聊天会话，以最后两周评判"),
    };
    page.title = Some(title.to_owned());
    page.subtitle = Some(subtitle.to_owned());
    page.learning_curves = Some(curves());
    page.policy_maps = vec![map()];
    page.log_support = Some(support(verdict));
    page.provenance = provenance();
    if verdict == "refused" {
        page.omitted = vec![
            OmittedSection {
                section: Section::Estimates,
                reason: Reason::OneTierOnly {
                    tier: TierName::Review,
                },
            },
            OmittedSection {
                section: Section::Sensitivity,
                reason: Reason::NoPropensities,
            },
        ];
    } else {
        page.estimates = Some(estimates(verdict));
        page.sensitivity = alternatives(evidence(verdict));
    }
    page
}

fn comparison(difference: f64, lower: f64, upper: f64, evidence: Evidence) -> Comparison {
    Comparison {
        measure: Measure::Reward,
        difference,
        lower,
        upper,
        level: 0.95,
        n: 14_208,
        baseline_value: Some(0.412),
        candidates_judged: Some(6),
        method: Some("bootstrap".to_owned()),
        evidence,
    }
}

fn sample_verdict(kind: &str) -> Verdict {
    let (policy, baseline) = (CANDIDATE.to_owned(), BASELINE.to_owned());
    match kind {
        "not_shown" => Verdict::NotShown {
            policy,
            baseline,
            comparison: comparison(0.0061, -0.0072, 0.0194, Evidence::EstimatedPropensity),
            more_conversations: Some(53_000),
        },
        "worse" => Verdict::Worse {
            policy,
            baseline,
            comparison: comparison(-0.018, -0.029, -0.007, Evidence::Logged),
        },
        "simulated" => Verdict::Simulated {
            policy,
            baseline,
            model: "replay-model v2".to_owned(),
            comparison: comparison(0.034, 0.027, 0.041, Evidence::Simulated),
        },
        "refused" => Verdict::Refused {
            reason: Reason::OneTierOnly {
                tier: TierName::Review,
            },
        },
        _ => Verdict::Beats {
            policy,
            baseline,
            comparison: comparison(0.0274, 0.0152, 0.0396, Evidence::Logged),
        },
    }
}

fn evidence(verdict: &str) -> Evidence {
    match verdict {
        "simulated" | "refused" => Evidence::Simulated,
        "not_shown" => Evidence::EstimatedPropensity,
        _ => Evidence::Logged,
    }
}

fn kpis(verdict: &str) -> KpiTable {
    let evidence = evidence(verdict);
    let n = 14_208;
    let kpi = |value: f64, half: f64, evidence: Evidence| {
        Kpi::estimated(value, value - half, value + half, n, evidence)
    };
    let rule = Kpis {
        reward: kpi(0.412, 0.006, Evidence::Logged),
        satisfaction: kpi(0.731, 0.008, Evidence::Logged),
        time_efficiency: kpi(0.792, 0.005, Evidence::Logged),
        cost_efficiency: kpi(0.704, 0.004, Evidence::Logged),
        human_secs: kpi(186.4, 4.1, Evidence::Logged),
        first_response_secs: kpi(48.2, 2.6, Evidence::Logged),
        escalation_rate: kpi(0.112, 0.005, Evidence::Logged),
        click_rate: Kpi {
            n: Some(9_871),
            ..kpi(0.046, 0.004, Evidence::Logged)
        },
        conversion_rate: Kpi::missing(Reason::NotLogged),
        queue: None,
    };
    let learned = Kpis {
        reward: kpi(0.4394, 0.011, evidence).against_baseline(0.0274, 0.0152, 0.0396),
        satisfaction: kpi(0.736, 0.013, evidence).against_baseline(0.005, -0.009, 0.019),
        time_efficiency: kpi(0.833, 0.009, evidence).against_baseline(0.041, 0.031, 0.051),
        cost_efficiency: kpi(0.751, 0.007, evidence).against_baseline(0.047, 0.038, 0.056),
        human_secs: kpi(131.7, 6.8, evidence).against_baseline(-54.7, -62.1, -47.3),
        first_response_secs: kpi(21.9, 3.3, evidence).against_baseline(-26.3, -30.2, -22.4),
        escalation_rate: kpi(0.123, 0.009, evidence).against_baseline(0.011, 0.001, 0.021),
        click_rate: kpi(0.049, 0.007, evidence).against_baseline(0.003, -0.005, 0.011),
        conversion_rate: Kpi::missing(Reason::NotLogged),
        queue: None,
    };
    let human = Kpis {
        reward: kpi(0.351, 0.004, Evidence::Simulated),
        satisfaction: kpi(0.794, 0.006, Evidence::Simulated),
        time_efficiency: kpi(0.742, 0.006, Evidence::Simulated),
        cost_efficiency: kpi(0.524, 0.003, Evidence::Simulated),
        human_secs: kpi(402.8, 5.2, Evidence::Simulated),
        first_response_secs: kpi(131.4, 5.5, Evidence::Simulated),
        escalation_rate: Kpi::missing(Reason::NotApplicable),
        click_rate: Kpi::missing(Reason::ModelOnly),
        conversion_rate: Kpi::missing(Reason::NotLogged),
        queue: None,
    };
    let row = |name: &str, role, kpis, shares| PolicyKpis {
        name: name.to_owned(),
        role,
        kpis,
        tier_shares: Some(shares),
    };
    KpiTable {
        level: 0.95,
        policies: vec![
            row(BASELINE, PolicyRole::Baseline, rule, [0.34, 0.38, 0.28]),
            row(
                CANDIDATE,
                PolicyRole::Candidate,
                learned,
                [0.51, 0.31, 0.18],
            ),
            row(
                "always human",
                PolicyRole::Reference,
                human,
                [0.0, 0.0, 1.0],
            ),
        ],
    }
}

fn curves() -> LearningCurves {
    let curve = |learner: &str, goal: f64, pace: f64, spread: f64| LearningCurve {
        learner: learner.to_owned(),
        seeds: 10,
        points: (0..=60)
            .map(|place: u32| {
                let step = place * 5_000;
                let gone = f64::from(step) / 300_000.0;
                let wobble = (f64::from(place) * 1.7).sin() * 0.004 * (1.0 - 0.7 * gone);
                let median = 0.31 + (goal - 0.31) * (1.0 - (-pace * gone).exp()) + wobble;
                let width = spread * (0.35 + 0.65 * (-3.0 * gone).exp());
                CurvePoint {
                    step: u64::from(step),
                    median,
                    lower: median - width,
                    upper: median + 0.9 * width,
                }
            })
            .collect(),
        per_seed: Vec::new(),
    };
    LearningCurves {
        measure: Measure::Reward,
        step_unit: StepUnit::Updates,
        band_lower_quantile: 0.1,
        band_upper_quantile: 0.9,
        curves: vec![
            curve(CANDIDATE, 0.441, 6.0, 0.030),
            curve("q-learning v7", 0.433, 4.5, 0.036),
            curve("expected-sarsa v7", 0.424, 3.6, 0.022),
        ],
        references: vec![ReferenceLine {
            name: BASELINE.to_owned(),
            value: 0.412,
        }],
        evidence: Evidence::Simulated,
    }
}

fn estimates(verdict: &str) -> EstimatorForest {
    let judged = evidence(verdict);
    let estimated = |estimator: &str, value: f64, half: f64, biased, evidence| Estimate {
        estimator: estimator.to_owned(),
        outcome: EstimateOutcome::Estimated {
            value,
            lower: Some(value - half),
            upper: Some(value + half),
            n: 14_208,
            effective_sample_size: (evidence != Evidence::Simulated).then_some(3_941.6),
            biased,
            evidence,
        },
    };
    let refused = |estimator: &str| Estimate {
        estimator: estimator.to_owned(),
        outcome: EstimateOutcome::Refused {
            reason: Reason::NoPropensities,
        },
    };
    let model = estimated("model", 0.446, 0.005, true, Evidence::Simulated);
    if judged == Evidence::Simulated {
        return forest(vec![model, refused("dr"), refused("snips"), refused("ips")]);
    }
    forest(vec![
        model,
        estimated("dr", 0.4394, 0.011, false, judged),
        estimated("sndr", 0.4389, 0.011, false, judged),
        estimated("snips", 0.437, 0.016, false, judged),
        estimated("ips", 0.431, 0.029, false, judged),
        estimated("cips:10", 0.426, 0.013, true, judged),
        Estimate {
            estimator: "switch:5".to_owned(),
            outcome: EstimateOutcome::Refused {
                reason: Reason::LowEffectiveSampleSize {
                    have: 37.0,
                    needed: 100.0,
                },
            },
        },
        Estimate {
            estimator: "mrdr".to_owned(),
            outcome: EstimateOutcome::Refused {
                reason: Reason::LargeWeightShare {
                    share: 0.184,
                    limit: 0.10,
                },
            },
        },
    ])
}

fn forest(estimates: Vec<Estimate>) -> EstimatorForest {
    EstimatorForest {
        measure: Measure::Reward,
        level: 0.95,
        baseline: Some(BaselineValue {
            name: BASELINE.to_owned(),
            value: 0.412,
        }),
        policies: vec![PolicyEstimates {
            policy: CANDIDATE.to_owned(),
            estimates,
        }],
    }
}

fn map() -> PolicyMap {
    let axis = |key: &str, levels: &[&str]| MapAxis {
        key: key.to_owned(),
        levels: levels.iter().map(|level| (*level).to_owned()).collect(),
    };
    let mut cells = Vec::new();
    for complexity in 0..3_u32 {
        for sentiment in 0..2_u32 {
            for load in 0..4_u32 {
                for turn in 0..3_u32 {
                    cells.push(cell(complexity, sentiment, load, turn));
                }
            }
        }
    }
    PolicyMap {
        policy: CANDIDATE.to_owned(),
        axes: vec![
            axis("complexity", &["simple", "complex", "complaint"]),
            axis("sentiment", &["not_negative", "negative"]),
            axis("load", &["low", "medium", "high", "full"]),
            axis("turn", &["1", "2–3", "4+"]),
        ],
        cells,
        evidence: Evidence::Logged,
    }
}

fn cell(complexity: u32, sentiment: u32, load: u32, turn: u32) -> MapCell {
    let need = f64::from(complexity) * 1.1 + f64::from(sentiment) * 0.6 + f64::from(turn) * 0.45
        - f64::from(load) * 0.5;
    let allowed = [complexity < 2, true, !(load == 3 && complexity < 2)];
    let mut probabilities = [0.8 - need, 0.9 - (need - 1.1).abs() * 0.7, need - 1.2]
        .map(|score: f64| (score * 4.0).exp());
    for (probability, allowed) in probabilities.iter_mut().zip(allowed) {
        if !allowed {
            *probability = 0.0;
        }
    }
    let total: f64 = probabilities.iter().sum();
    let probabilities = probabilities.map(|probability| probability / total);
    let volume = 3_200.0
        * [1.0, 0.42, 0.12][complexity as usize]
        * [1.0, 0.35][sentiment as usize]
        * [0.5, 1.0, 0.6, 0.06][load as usize]
        * [1.0, 0.5, 0.12][turn as usize];
    MapCell {
        index: [complexity, sentiment, load, turn]
            .map(|level| level as usize)
            .to_vec(),
        probabilities,
        allowed,
        visits: Some(if volume < 4.0 { 0 } else { volume as u64 }),
    }
}

fn alternatives(evidence: Evidence) -> Vec<AlternativeReward> {
    let alternative = |definition, is_default, winner: &str, difference: f64| AlternativeReward {
        definition,
        is_default,
        evidence,
        winner: winner.to_owned(),
        difference,
        lower: Some(difference - 0.0122),
        upper: Some(difference + 0.0122),
    };
    let product = |cost_weight| RewardDefinition::Product { cost_weight };
    vec![
        alternative(product(0.5), true, CANDIDATE, 0.0274),
        alternative(product(0.0), false, CANDIDATE, 0.0181),
        alternative(product(0.8), false, CANDIDATE, 0.0409),
        alternative(
            RewardDefinition::Power {
                satisfaction: 2.0,
                efficiency: 1.0,
            },
            false,
            CANDIDATE,
            0.0143,
        ),
        alternative(
            RewardDefinition::WeightedSum { weight: 0.95 },
            false,
            BASELINE,
            -0.0027,
        ),
    ]
}

fn support(verdict: &str) -> LogSupport {
    let refused = matches!(verdict, "refused" | "simulated");
    let claim = |topic, reason: Option<Reason>, allowed| Claim {
        topic,
        allowed,
        reason,
    };
    let overlap = |class: &str, counts| OverlapRow {
        class: class.to_owned(),
        counts: if refused {
            [0, counts, 0]
        } else {
            [counts / 2, counts / 3, counts / 6]
        },
    };
    let mut rows = vec![
        overlap("simple", 18_204),
        overlap("complex", 7_911),
        overlap("complaint", 2_306),
    ];
    if !refused {
        rows[2].counts = [0, 714, 1_592];
    }
    LogSupport {
        conversations: 41_530,
        decisions: 63_117,
        first_at: Some("2026-01-05".to_owned()),
        last_at: Some("2026-02-15".to_owned()),
        span_days: Some(41.6),
        gaps: vec![LogGap {
            from: "2026-01-28 02:10".to_owned(),
            to: "2026-01-28 07:40".to_owned(),
            hours: 5.5,
        }],
        propensity: match verdict {
            "refused" | "simulated" => PropensityKind::Absent,
            "not_shown" => PropensityKind::Estimated,
            _ => PropensityKind::Exact,
        },
        effective_sample_size: (!refused).then_some(3_941.6),
        largest_weight_share: (!refused).then_some(0.0041),
        overlap: rows,
        claims: vec![
            claim(
                ClaimTopic::PolicyValue,
                refused.then_some(Reason::NoPropensities),
                !refused,
            ),
            claim(ClaimTopic::ResponseTimes, None, true),
            claim(
                ClaimTopic::Satisfaction,
                Some(Reason::Stated(Sentence::new(
                    "27 % of customers answered; assumes answers are missing at random",
                    "27 % 的顾客作答；假定缺失是随机的",
                ))),
                true,
            ),
            claim(
                ClaimTopic::QueueEffect,
                Some(Reason::Stated(Sentence::new(
                    "the log's queues were shaped by the logged policy; see the simulator or a switchback test",
                    "日志中的队列由日志策略形成；请参考模拟器或轮换测试",
                ))),
                false,
            ),
            claim(
                ClaimTopic::Stated(Sentence::new(
                    "answering complaints without a person",
                    "不经人工答复投诉",
                )),
                Some(Reason::OutsideSupport),
                false,
            ),
            claim(
                ClaimTopic::ClicksAndConversions,
                Some(Reason::NotLogged),
                false,
            ),
        ],
    }
}

fn provenance() -> Provenance {
    Provenance {
        versions: vec![
            NamedValue::new("tierwise", "0.1.0"),
            NamedValue::new("policy double-q", "v7"),
            NamedValue::new("environment replay", "v2"),
        ],
        seeds: (1..=10).collect(),
        config_hash: Some("blake3:0000000000000000-sample".to_owned()),
        log_hash: Some("blake3:1111111111111111-sample".to_owned()),
        reward_version: Some("r1 (k = 0.5, L = 5 / 120 / 120 s)".to_owned()),
        settings: vec![NamedValue::new("toll", "0.00031 reward per human second")],
        made_at: Some("2026-02-16 09:00 UTC".to_owned()),
        command: Some(
            "tierwise evaluate --log sample.parquet --policy versions/double-q-v7 --seed 1"
                .to_owned(),
        ),
    }
}
