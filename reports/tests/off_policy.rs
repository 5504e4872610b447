//! The page of a logged table from outside: both languages, every verdict, hostile names, missing numbers, values that
//! contradict each other.

use tierwise_reports::{
    CandidateRanking, Language, LoggedValue, MoreData, OffPolicyPage, OverlapGroup, PropensityBin,
    PropensityKind, Provenance, RankedCandidate, ReportError, Sentence, TableEstimateRow,
    TableOverlap, TableReason, TableVerdict, WeightSpread, WeightsOfSize,
};

const LANGUAGES: [Language; 2] = [Language::En, Language::Zh];

/// A page in which every section has values; `text` stands for every name, `number` for every number.
fn page(text: &str, number: f64, verdict: TableVerdict) -> OffPolicyPage {
    let ranked = |name: &str, lower: f64| RankedCandidate {
        name: name.to_owned(),
        difference: Some(lower + 0.1),
        standard_error: Some(0.05),
        lower: Some(lower),
        passes: lower > 0.0,
        refused: None,
    };
    OffPolicyPage {
        title: Some(text.to_owned()),
        subtitle: None,
        sample: false,
        rows: 1200,
        episodes: None,
        level: 0.95,
        method: "bootstrap".to_owned(),
        propensity: PropensityKind::Exact,
        verdict,
        as_logged: LoggedValue {
            value: 0.4,
            interval: Some((0.38, 0.42)),
        },
        estimates: vec![
            estimate("dr", Some(number), None),
            estimate(text, None, Some(stated(text))),
        ],
        sensitivity: Some((1.5, number, 0.6)),
        returns: Some((number, 0.1, 0.2)),
        weights: Some(WeightSpread {
            n: 1200,
            mean: number,
            largest: 6.0,
            largest_share: 0.01,
            effective: 60.0,
            needed: 100.0,
            limit: 0.1,
            zero: 10,
            bins: vec![WeightsOfSize {
                from: 1.0,
                n: 1190,
                weight: number,
            }],
        }),
        overlap: Some(TableOverlap {
            by: Some(text.to_owned()),
            groups: vec![OverlapGroup {
                name: text.to_owned(),
                others: false,
                rows: 1200,
                cells: vec![(1200, 0.7), (0, 0.3)],
            }],
        }),
        ranking: Some(CandidateRanking {
            baseline: Some(text.to_owned()),
            candidates: vec![ranked("b", 0.05), ranked(text, -0.02)],
            judged_before: 7,
            critical: Some((2.1, number)),
        }),
        calibration: vec![PropensityBin {
            from: 0.1,
            to: 0.2,
            n: 300,
            predicted: 0.15,
            observed: number,
            standard_error: 0.01,
        }],
        more: Some(MoreData {
            estimator: "dr".to_owned(),
            value: number,
            half_width: 0.04,
        }),
        notes: vec![text.to_owned()],
        provenance: Provenance::default(),
    }
}

fn estimate(estimator: &str, value: Option<f64>, refused: Option<TableReason>) -> TableEstimateRow {
    TableEstimateRow {
        estimator: estimator.to_owned(),
        value,
        interval: value.map(|value| (value - 0.1, value + 0.1)),
        biased: false,
        model_only: false,
        refused,
    }
}

fn stated(text: &str) -> TableReason {
    TableReason::Stated(Sentence::new(text, text))
}

fn reasons() -> Vec<TableReason> {
    vec![
        TableReason::NoPropensities,
        TableReason::EstimatedPropensities,
        TableReason::NeverTaken {
            action: 2,
            share: 0.12,
        },
        TableReason::NeverTakenIn {
            action: 2,
            group: "refund".to_owned(),
        },
        TableReason::LowEffective {
            have: 61.0,
            needed: 100.0,
        },
        TableReason::LargeShare {
            share: 0.3,
            limit: 0.1,
        },
        TableReason::NoOverlap,
        TableReason::NoModel,
        TableReason::TooFew,
        TableReason::NothingBetter,
        TableReason::BaselineRefused,
    ]
}

/// What stands between two texts, the first time.
fn between<'a>(html: &'a str, before: &str, after: &str) -> &'a str {
    let rest = html
        .split_once(before)
        .expect("the page holds what stands before")
        .1;
    rest.split_once(after)
        .expect("the page holds what stands after")
        .0
}

#[test]
fn every_verdict_and_every_reason_is_said_in_both_languages() {
    let candidate = || "b".to_owned();
    let mut verdicts = vec![
        TableVerdict::Promote {
            candidate: candidate(),
        },
        TableVerdict::CollectMore {
            candidate: candidate(),
            rows: 7_310,
        },
        TableVerdict::Valued,
    ];
    for reason in reasons() {
        verdicts.push(TableVerdict::Keep {
            reason: reason.clone(),
        });
        verdicts.push(TableVerdict::Refused { reason });
    }
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    for language in LANGUAGES {
        let mut said = Vec::new();
        for verdict in &verdicts {
            let html = page("b", 0.45, verdict.clone()).render(language).unwrap();
            let head = between(&html, "<h2 id=\"verdict-headline\">", "</h2>");
            let meaning = between(&html, "<p class=\"meaning\">", "</p>");
            let action = between(&html, "<p class=\"action\">", "</p>");
            for text in [head, meaning, action] {
                assert!(!text.contains(['{', '}']), "a blank is left: {text}");
                assert_eq!(chinese(text), language == Language::Zh, "{text}");
            }
            said.push(format!("{head} {meaning}"));
        }
        said.sort();
        said.dedup();
        assert_eq!(said.len(), verdicts.len());
    }
}

#[test]
fn the_verdict_comes_first_and_every_section_follows() {
    let promote = TableVerdict::Promote {
        candidate: "b".to_owned(),
    };
    for language in LANGUAGES {
        let html = page("b", 0.45, promote.clone()).render(language).unwrap();
        let mut at = html.find("<section class=\"verdict beats\"").unwrap();
        for id in [
            "estimates",
            "weights",
            "overlap",
            "candidates",
            "propensities",
            "more",
            "notes",
        ] {
            let next = html.find(&format!("<section id=\"{id}\"")).unwrap();
            assert!(next > at, "{id}");
            at = next;
        }
        // Nothing but the page itself: no script, no address but XML namespaces.
        assert!(!html.contains("<script") && !html.contains("<link") && !html.contains("src="));
        let plain = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!plain.contains("http:") && !plain.contains("https:") && !plain.contains("//www"));
    }
}

#[test]
fn names_are_escaped_and_missing_numbers_are_no_words() {
    for number in [0.45, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e300] {
        for language in LANGUAGES {
            let html = page("<script>\"&", number, TableVerdict::Valued)
                .render(language)
                .unwrap();
            assert!(!html.contains("<script"), "{number}");
            assert!(!html.contains("NaN") && !html.contains(">inf"), "{number}");
        }
    }
}

#[test]
fn a_hole_is_named_with_its_share() {
    let mut holed = page("b", 0.45, TableVerdict::Valued);
    holed.overlap.as_mut().unwrap().groups[0].name = "refund".to_owned();
    let html = holed.render(Language::En).unwrap();
    let section = between(&html, "<section id=\"overlap\"", "</section>");
    assert!(
        section.contains("refund, action 1 (policy 30.0\u{202f}%)"),
        "{section}"
    );
    assert_eq!(
        section.matches("class=\"hole\"").count(),
        2,
        "wide and narrow"
    );
}

#[test]
fn more_rows_shrink_the_interval_by_the_square_root() {
    let html = page("b", 0.45, TableVerdict::Valued)
        .render(Language::En)
        .unwrap();
    let section = between(&html, "<section id=\"more\"", "</section>");
    // 0.04 / √1, √2, √4, √10.
    for half in ["± 0.040", "± 0.028", "± 0.020", "± 0.013"] {
        assert!(section.contains(half), "{half}: {section}");
    }
    // The bound of the best: 0.15 − 2.1 · 0.05 / √k.
    for bound in ["+0.045", "+0.076", "+0.098", "+0.117"] {
        assert!(section.contains(bound), "{bound}: {section}");
    }
    // Sixty of 1200 count: a hundred take two thousand rows.
    assert!(section.contains("About 2000 rows"), "{section}");
}

#[test]
fn a_table_of_little_leaves_sections_out() {
    let mut bare = page("b", 0.45, TableVerdict::Valued);
    bare.weights = None;
    bare.overlap = None;
    bare.ranking = None;
    bare.calibration = Vec::new();
    bare.more = None;
    bare.notes = Vec::new();
    bare.estimates = Vec::new();
    bare.propensity = PropensityKind::Absent;
    for language in LANGUAGES {
        let html = bare.render(language).unwrap();
        assert_eq!(html.matches("<section").count(), 2, "verdict and estimates");
    }
}

#[test]
fn values_that_contradict_each_other_are_errors() {
    let promote = |candidate: &str| TableVerdict::Promote {
        candidate: candidate.to_owned(),
    };
    // Neither one that does not pass nor one that nobody judged.
    for candidate in ["worse", "unknown"] {
        let error = page("worse", 0.45, promote(candidate)).render(Language::En);
        assert!(matches!(
            error,
            Err(ReportError::PromotedWithoutPassing { .. })
        ));
    }
    let mut groups = page("b", 0.45, TableVerdict::Valued);
    let overlap = groups.overlap.as_mut().unwrap();
    let mut second = overlap.groups[0].clone();
    second.cells.pop();
    overlap.groups.push(second);
    assert!(matches!(
        groups.render(Language::En),
        Err(ReportError::GroupActions {
            have: 1,
            actions: 2,
            ..
        })
    ));
    let mut level = page("b", 0.45, TableVerdict::Valued);
    level.level = 95.0;
    assert!(matches!(
        level.render(Language::En),
        Err(ReportError::NotALevel { .. })
    ));
}

#[test]
fn the_same_values_give_the_same_bytes() {
    let drawn = page("b", 0.45, TableVerdict::Valued);
    let text = serde_json::to_string(&drawn).unwrap();
    let again: OffPolicyPage = serde_json::from_str(&text).unwrap();
    for language in LANGUAGES {
        assert_eq!(
            drawn.render(language).unwrap(),
            again.render(language).unwrap()
        );
    }
}
