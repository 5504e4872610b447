//! The whole page from outside: escaping, languages, missing numbers,
//! determinism, and that the document stands alone.

use tierwise_reports::{
    AlternativeReward, Comparison, CurvePoint, Estimate, EstimateOutcome, EstimatorForest,
    Evidence, Kpi, KpiTable, Kpis, Language, LearningCurve, LearningCurves, LogSupport, MapAxis,
    MapCell, Measure, OfflinePage, OmittedSection, OverlapRow, PolicyEstimates, PolicyKpis,
    PolicyMap, PolicyRole, PropensityKind, Reason, ReferenceLine, ReportError, RewardDefinition,
    Section, StepUnit, Verdict,
};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

fn small_page(policy: &str) -> OfflinePage {
    let kpi =
        |value: f64| Kpi::estimated(value, value - 0.01, value + 0.01, 2_000, Evidence::Logged);
    let row = |name: &str, role, reward: f64| PolicyKpis {
        name: name.to_owned(),
        role,
        kpis: Kpis {
            reward: kpi(reward),
            satisfaction: kpi(0.7),
            ..Kpis::all_missing(&Reason::NotLogged)
        },
        tier_shares: Some([0.25, 0.5, 0.25]),
    };
    OfflinePage::new(
        Verdict::NotShown {
            policy: policy.to_owned(),
            baseline: "rule".to_owned(),
            comparison: Comparison {
                measure: Measure::Reward,
                difference: 0.01,
                lower: -0.01,
                upper: 0.03,
                level: 0.95,
                n: 2_000,
                baseline_value: Some(0.4),
                candidates_judged: None,
                method: None,
                evidence: Evidence::Logged,
            },
            more_conversations: None,
        },
        KpiTable {
            level: 0.95,
            policies: vec![
                row("rule", PolicyRole::Baseline, 0.40),
                row(policy, PolicyRole::Candidate, 0.41),
            ],
        },
    )
}

/// Every section filled, every free text and number from the caller.
fn full_page(text: &str, number: f64) -> OfflinePage {
    let mut page = small_page(text);
    page.title = Some(text.to_owned());
    page.subtitle = Some(text.to_owned());
    let kpis = &mut page.kpis.policies[1].kpis;
    kpis.human_secs = Kpi {
        value: Some(number),
        ..Kpi::missing(Reason::NotLogged)
    };
    kpis.click_rate = Kpi::estimated(number, number, number, 7, Evidence::Simulated)
        .against_baseline(number, number, number);
    page.learning_curves = Some(LearningCurves {
        measure: Measure::HumanSecs,
        step_unit: StepUnit::Updates,
        band_lower_quantile: 0.1,
        band_upper_quantile: 0.9,
        curves: vec![LearningCurve {
            learner: text.to_owned(),
            seeds: 3,
            points: [0, 10, 20]
                .map(|step| CurvePoint {
                    step,
                    median: if step == 10 { number } else { 1.0 },
                    lower: 0.5,
                    upper: number,
                })
                .to_vec(),
            per_seed: vec![vec![number, 1.0, 2.0]],
        }],
        references: vec![ReferenceLine {
            name: text.to_owned(),
            value: number,
        }],
        evidence: Evidence::Simulated,
    });
    page.estimates = Some(EstimatorForest {
        measure: Measure::Reward,
        level: 0.95,
        baseline: None,
        policies: vec![PolicyEstimates {
            policy: text.to_owned(),
            estimates: vec![Estimate {
                estimator: format!("{text}:{text}"),
                outcome: EstimateOutcome::Estimated {
                    value: number,
                    lower: Some(number),
                    upper: Some(number),
                    n: u64::MAX,
                    effective_sample_size: Some(number),
                    biased: true,
                    evidence: Evidence::EstimatedPropensity,
                },
            }],
        }],
    });
    page.policy_maps = vec![PolicyMap {
        policy: text.to_owned(),
        axes: vec![MapAxis {
            key: text.to_owned(),
            levels: vec![text.to_owned()],
        }],
        cells: vec![MapCell {
            index: vec![0],
            probabilities: [1.0, 0.0, 0.0],
            allowed: [true, false, true],
            visits: Some(u64::MAX),
        }],
        evidence: Evidence::Logged,
    }];
    page.sensitivity = vec![AlternativeReward {
        definition: RewardDefinition::WeightedSum { weight: number },
        is_default: false,
        evidence: Evidence::Logged,
        winner: text.to_owned(),
        difference: number,
        lower: Some(number),
        upper: Some(number),
    }];
    page.log_support = Some(LogSupport {
        conversations: u64::MAX,
        decisions: 0,
        first_at: Some(text.to_owned()),
        last_at: Some(text.to_owned()),
        span_days: Some(number),
        gaps: Vec::new(),
        propensity: PropensityKind::Exact,
        effective_sample_size: Some(number),
        largest_weight_share: Some(number),
        overlap: vec![OverlapRow {
            class: text.to_owned(),
            counts: [u64::MAX, u64::MAX, 0],
        }],
        claims: Vec::new(),
    });
    page.provenance.command = Some(text.to_owned());
    page.provenance.config_hash = Some(text.to_owned());
    page
}

/// The page without its style sheet, in which words like `infinity` may occur.
fn body(html: &str) -> &str {
    html.split_once("</style>")
        .expect("every page has a style sheet")
        .1
}

#[test]
fn a_small_page() {
    for (language, name) in [
        (Language::En, "small_page_en"),
        (Language::Zh, "small_page_zh"),
    ] {
        let html = small_page("q v2").render(language).unwrap();
        insta::assert_snapshot!(name, body(&html));
    }
}

#[test]
fn markup_in_names_is_escaped_everywhere() {
    let hostile = "<script>alert('1')</script>\"&";
    for language in LANGUAGES {
        let html = full_page(hostile, 0.4).render(language).unwrap();
        assert!(!html.contains("<script"), "{language:?}");
        assert!(!html.contains("\"&\""), "{language:?}");
        // At least once in each of the sections that name a policy.
        assert!(html.matches("script").count() > 20, "{language:?}");
    }
}

#[test]
fn numbers_that_cannot_be_read_are_never_printed() {
    for number in [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN,
        1e300,
        5e-324,
        -0.0,
    ] {
        for language in LANGUAGES {
            let html = full_page("q", number).render(language).unwrap();
            let body = body(&html);
            for word in [
                "NaN", "inf,", "inf<", "inf ", "inf%", ">inf", "None", "Some(",
            ] {
                assert!(!body.contains(word), "{number} printed {word}");
            }
            let longest = body
                .split(|character: char| !character.is_ascii_digit())
                .map(str::len)
                .max();
            // u64::MAX with separators, hashes and coordinates stay short.
            assert!(longest < Some(20), "{number}: {longest:?} digits in a row");
        }
    }
}

#[test]
fn the_same_values_give_the_same_bytes_also_through_json() {
    let page = full_page("q", 0.4);
    let json = serde_json::to_string(&page).unwrap();
    let again: OfflinePage = serde_json::from_str(&json).unwrap();
    assert_eq!(page, again);
    for language in LANGUAGES {
        let first = page.render(language).unwrap();
        assert_eq!(first, again.render(language).unwrap());
    }
}

#[test]
fn the_page_stands_alone_and_names_its_language() {
    for (language, tag) in [
        (Language::En, "<html lang=\"en\">"),
        (Language::Zh, "<html lang=\"zh-Hans\">"),
    ] {
        let html = full_page("q", 0.4).render(language).unwrap();
        assert!(html.contains(tag));
        for loader in [
            "<script",
            "<link",
            "<img",
            "@import",
            " src=",
            "@font-face",
            "fetch(",
        ] {
            assert!(!html.contains(loader), "{loader}");
        }
        let addresses = html.matches("http").count();
        assert_eq!(
            addresses,
            html.matches("http://www.w3.org/2000/svg").count()
        );
    }
}

#[test]
fn every_drawing_is_labelled_and_headings_descend_in_order() {
    let html = full_page("q", 0.4).render(Language::En).unwrap();
    for drawing in html.split("<svg").skip(1) {
        let tag = drawing.split('>').next().unwrap();
        let labelled = tag.contains("role=\"img\"") && tag.contains("aria-label=\"");
        let hidden = tag.contains("aria-hidden") || tag.contains("class=\"cut\"");
        assert!(labelled || hidden, "{tag}");
    }
    let mut last = 0;
    for heading in body(&html).split("<h").skip(1) {
        let Some(level) = heading.chars().next().and_then(|digit| digit.to_digit(10)) else {
            continue;
        };
        assert!(level <= last + 1, "h{level} after h{last}");
        last = level;
    }
}

#[test]
fn absent_sections_are_left_out_or_say_why() {
    let mut page = small_page("q");
    let html = page.render(Language::En).unwrap();
    assert!(!html.contains("id=\"estimates\"") && !html.contains("#estimates"));
    page.omitted = vec![OmittedSection {
        section: Section::Estimates,
        reason: Reason::NoPropensities,
    }];
    let html = page.render(Language::En).unwrap();
    assert!(html.contains("id=\"estimates\"") && html.contains("holds no propensities"));
}

#[test]
fn evidence_is_visible() {
    let html = full_page("q", 0.4).render(Language::En).unwrap();
    for badge in ["badge logged", "badge simulated", "badge estimated"] {
        assert!(body(&html).contains(badge), "{badge}");
    }
}

#[test]
fn contradictions_are_refused() {
    let mut page = small_page("q");
    let Verdict::NotShown { comparison, .. } = page.verdict.clone() else {
        unreachable!("small pages show no improvement");
    };
    page.verdict = Verdict::Beats {
        policy: "q".to_owned(),
        baseline: "rule".to_owned(),
        comparison,
    };
    let error = page.render(Language::En).unwrap_err();
    assert!(matches!(
        error,
        ReportError::VerdictContradictsInterval { .. }
    ));
    assert!(error.to_string().contains("[-0.01, 0.03]"), "{error}");
}
