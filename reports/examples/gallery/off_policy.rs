//! The sample page of a logged table, invented for show. Shared with the test
//! that compares the committed sample with it.

use tierwise_reports::{
    CandidateRanking, Language, LoggedValue, MoreData, NamedValue, OffPolicyPage, OverlapGroup,
    PropensityBin, PropensityKind, Provenance, RankedCandidate, TableEstimateRow, TableOverlap,
    TableReason, TableVerdict, WeightSpread, WeightsOfSize,
};

const ROWS: u64 = 48_000;

/// The sample page with a verdict of the given kind.
pub(crate) fn page(verdict: &str, language: Language) -> OffPolicyPage {
    let (title, subtitle) = match language {
        Language::En => (
            "Aurora Beauty, reply suggestions",
            "Six invented weeks of logged suggestions; four ranking policies judged",
        ),
        Language::Zh => (
            "极光美妆（示例店铺）：回复推荐",
            "六周虚构的推荐日志，评估四个排序策略",
        ),
    };
    let refused = verdict == "refused";
    let estimated = verdict == "estimated";
    OffPolicyPage {
        title: Some(title.to_owned()),
        subtitle: Some(subtitle.to_owned()),
        sample: true,
        rows: ROWS,
        episodes: None,
        level: 0.95,
        method: "bootstrap".to_owned(),
        propensity: if estimated {
            PropensityKind::Estimated
        } else {
            PropensityKind::Exact
        },
        verdict: sample_verdict(verdict),
        as_logged: LoggedValue {
            value: 0.4182,
            interval: Some((0.4138, 0.4226)),
        },
        estimates: estimates(refused),
        sensitivity: estimated.then_some((1.5, 0.3911, 0.4893)),
        returns: None,
        weights: Some(weights(refused)),
        overlap: Some(overlap(refused)),
        ranking: (!refused).then(|| ranking(verdict)),
        calibration: calibration(),
        more: (!refused).then(|| MoreData {
            estimator: "dr".to_owned(),
            value: 0.4391,
            half_width: 0.0098,
        }),
        notes: vec![
            "dm rests on the reward model (the columns `q…`) alone; the model's own error is not in its interval"
                .to_owned(),
        ],
        provenance: Provenance {
            versions: vec![NamedValue::new("tierwise", "sample")],
            seeds: vec![1],
            log_hash: Some("98135e141d8bdafecfbd400c3e25f3dabccff7a2beddf7366d2f6b72185e9b27".to_owned()),
            command: Some("tierwise evaluate --table suggestions.parquet --out runs/suggestions".to_owned()),
            ..Provenance::default()
        },
    }
}

fn sample_verdict(kind: &str) -> TableVerdict {
    match kind {
        "keep" => TableVerdict::Keep {
            reason: TableReason::NothingBetter,
        },
        "collect" => TableVerdict::CollectMore {
            candidate: "bolder".to_owned(),
            rows: 61_300,
        },
        "estimated" => TableVerdict::Keep {
            reason: TableReason::EstimatedPropensities,
        },
        "refused" => TableVerdict::Refused {
            reason: TableReason::LowEffective {
                have: 61.0,
                needed: 100.0,
            },
        },
        _ => TableVerdict::Promote {
            candidate: "gentle".to_owned(),
        },
    }
}

fn estimates(refused: bool) -> Vec<TableEstimateRow> {
    let row = |estimator: &str, value: f64, half: f64, biased: bool| TableEstimateRow {
        estimator: estimator.to_owned(),
        value: Some(value),
        interval: Some((value - half, value + half)),
        biased,
        model_only: estimator == "dm",
        refused: None,
    };
    let without = |estimator: &str| TableEstimateRow {
        value: None,
        interval: None,
        refused: Some(TableReason::LowEffective {
            have: 61.0,
            needed: 100.0,
        }),
        ..row(estimator, 0.0, 0.0, false)
    };
    if refused {
        return vec![
            without("ips"),
            without("snips"),
            row("dm", 0.4466, 0.0021, true),
            without("dr"),
        ];
    }
    vec![
        row("ips", 0.4433, 0.0213, false),
        row("snips", 0.4402, 0.0121, false),
        row("dm", 0.4466, 0.0021, true),
        row("dr", 0.4391, 0.0098, false),
        row("switch:5", 0.4372, 0.0164, true),
        TableEstimateRow {
            value: None,
            interval: None,
            refused: Some(TableReason::NoModel),
            ..row("mrdr", 0.0, 0.0, false)
        },
    ]
}

fn weights(refused: bool) -> WeightSpread {
    let bins = [
        (0.125, 3_100, 560.0),
        (0.25, 7_400, 2_700.0),
        (0.5, 12_300, 9_100.0),
        (1.0, 9_800, 13_900.0),
        (2.0, 4_200, 11_600.0),
        (4.0, 1_150, 6_200.0),
        (8.0, 210, 2_300.0),
        (16.0, 40, 900.0),
    ];
    let heavy = [
        (32.0, 0, 0.0),
        (64.0, 0, 0.0),
        (128.0, 0, 0.0),
        (256.0, 0, 0.0),
        (512.0, 0, 0.0),
        (1024.0, 3, 3_900.0),
    ];
    let bins = bins
        .into_iter()
        .chain(heavy.into_iter().filter(|_| refused));
    WeightSpread {
        n: ROWS,
        mean: 0.985,
        largest: if refused { 1_411.0 } else { 24.7 },
        largest_share: if refused { 0.0287 } else { 0.0005 },
        effective: if refused { 61.0 } else { 15_482.0 },
        needed: 100.0,
        limit: 0.1,
        zero: 9_800,
        bins: bins
            .map(|(from, n, weight)| WeightsOfSize { from, n, weight })
            .collect(),
    }
}

fn overlap(refused: bool) -> TableOverlap {
    let group = |name: &str, rows: u64, cells: [(u64, f64); 4]| OverlapGroup {
        name: name.to_owned(),
        others: false,
        rows,
        cells: cells.to_vec(),
    };
    let hole = if refused { 0.31 } else { 0.0 };
    TableOverlap {
        by: Some("class".to_owned()),
        groups: vec![
            group(
                "order status",
                18_200,
                [(9_100, 0.62), (5_460, 0.21), (1_820, 0.12), (1_820, 0.05)],
            ),
            group(
                "sizing",
                12_900,
                [(3_870, 0.12), (5_160, 0.55), (2_580, 0.28), (1_290, 0.05)],
            ),
            group(
                "refund",
                9_600,
                [(960, 0.02), (2_880, 0.14), (5_760, 0.84 - hole), (0, hole)],
            ),
            group(
                "complaint",
                7_300,
                [(0, 0.0), (1_460, 0.06), (3_650, 0.44), (2_190, 0.5)],
            ),
        ],
    }
}

fn ranking(kind: &str) -> CandidateRanking {
    let candidate = |name: &str, difference: f64, error: f64| {
        let lower = difference - 2.11 * error;
        RankedCandidate {
            name: name.to_owned(),
            difference: Some(difference),
            standard_error: Some(error),
            lower: Some(lower),
            passes: lower > 0.0,
            refused: None,
        }
    };
    let refused = |name: &str, reason: TableReason| RankedCandidate {
        name: name.to_owned(),
        difference: None,
        standard_error: None,
        lower: None,
        passes: false,
        refused: Some(reason),
    };
    if kind == "estimated" {
        return CandidateRanking {
            baseline: None,
            candidates: ["pi", "gentle", "bolder", "greedy"]
                .map(|name| refused(name, TableReason::EstimatedPropensities))
                .into(),
            judged_before: 0,
            critical: None,
        };
    }
    // Whether anything passes is the verdict's difference.
    let (gentle, bolder) = match kind {
        "keep" => (-0.0041, -0.0119),
        "collect" => (0.0038, 0.0097),
        _ => (0.0209, 0.0097),
    };
    let mut judged = vec![
        candidate("gentle", gentle, 0.0049),
        candidate("bolder", bolder, 0.0068),
        candidate("pi", -0.0133, 0.0052),
    ];
    judged.sort_by(|one, other| other.lower.partial_cmp(&one.lower).expect("finite"));
    judged.push(refused(
        "greedy",
        TableReason::NeverTakenIn {
            action: 3,
            group: "refund".to_owned(),
        },
    ));
    CandidateRanking {
        baseline: None,
        candidates: judged,
        judged_before: 3,
        critical: Some((2.11, 2.39)),
    }
}

fn calibration() -> Vec<PropensityBin> {
    [
        (0.1, 46_800, 0.143, 0.139, 0.0017),
        (0.2, 26_000, 0.241, 0.244, 0.0028),
        (0.3, 21_300, 0.317, 0.322, 0.0033),
        (0.4, 18_900, 0.466, 0.461, 0.0037),
        (0.5, 9_600, 0.588, 0.6, 0.0052),
    ]
    .map(
        |(from, n, predicted, observed, standard_error)| PropensityBin {
            from,
            to: from + 0.1,
            n,
            predicted,
            observed,
            standard_error,
        },
    )
    .to_vec()
}
