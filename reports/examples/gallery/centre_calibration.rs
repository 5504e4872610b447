//! The sample centre's calibration, invented for show.

use tierwise_reports::{
    BandCoverage, Calibration, FittedParameter, HourlyVolume, ParameterSource, PredictiveCheck,
    ProbabilityScore, QuantilePlot, QuantilePoint, QuantityUnit, ReliabilityBin, TierName,
    Uncertain, VolumeHour,
};

use super::centre::{around, stated};

/// A simulator that fits most of what was checked.
pub(crate) fn calibration() -> Calibration {
    let check = |quantity: &str, tier, unit, observed, observed_n, simulated| PredictiveCheck {
        quantity: quantity.to_owned(),
        class: None,
        tier,
        unit,
        observed,
        observed_n,
        simulated,
    };
    let (human, review) = (Some(TierName::Human), Some(TierName::Review));
    let (secs, portion) = (QuantityUnit::Seconds, QuantityUnit::Share);
    let checks = vec![
        check(
            "daily_volume",
            None,
            QuantityUnit::Count,
            1_502.0,
            7,
            Uncertain::new(1_488.0, 1_341.0, 1_652.0),
        ),
        check(
            "mean_wait",
            human,
            secs,
            58.2,
            2_804,
            Uncertain::new(61.4, 52.8, 71.9),
        ),
        check(
            "p90_wait",
            human,
            secs,
            171.0,
            2_804,
            Uncertain::new(166.2, 139.0, 198.4),
        ),
        check(
            "mean_wait",
            review,
            secs,
            66.9,
            2_190,
            Uncertain::new(64.1, 58.3, 70.7),
        ),
        check(
            "within_service_level",
            human,
            portion,
            0.842,
            2_804,
            Uncertain::new(0.831, 0.802, 0.857),
        ),
        check(
            "abandoned",
            None,
            portion,
            0.064,
            10_514,
            Uncertain::new(0.081, 0.069, 0.094),
        ),
        check(
            "satisfaction",
            None,
            QuantityUnit::Score,
            0.694,
            2_713,
            Uncertain::new(0.699, 0.683, 0.715),
        ),
        check(
            "click",
            None,
            portion,
            0.051,
            10_514,
            Uncertain::new(0.052, 0.047, 0.057),
        ),
    ];
    let plot = |quantity: &str, tier, scale: f64, bend: f64, distance, p, n| {
        let points = (1..=24_u32).map(|place| {
            let probability = f64::from(place) / 25.0;
            let observed = -scale * (1.0 - probability).ln();
            QuantilePoint {
                probability,
                observed,
                simulated: observed * (1.0 + bend * (probability - 0.5)),
            }
        });
        QuantilePlot {
            quantity: quantity.to_owned(),
            class: None,
            tier,
            unit: QuantityUnit::Seconds,
            points: points.collect(),
            ks_distance: distance,
            ks_p_value: Some(p),
            observed_n: n,
            simulated_n: 40 * n,
        }
    };
    let wobble = |place: u32, pace: f64| (f64::from(place) * pace).sin();
    let volume = (0..168_u32).map(|place| {
        let hour = f64::from(place % 24);
        let bump = |centre: f64, width: f64| (-((hour - centre) / width).powi(2)).exp();
        let weekend = if place / 24 >= 5 { 1.25 } else { 1.0 };
        let mean = weekend * (8.0 + 72.0 * bump(11.0, 2.8) + 128.0 * bump(20.0, 2.6));
        let half = 3.0 + 1.9 * mean.sqrt();
        let observed = mean + half * 0.78 * (wobble(place, 2.3) + 0.45 * wobble(place, 7.1));
        VolumeHour {
            observed: observed.max(0.0).round(),
            simulated: Uncertain::new(mean, (mean - half).max(0.0), mean + half),
        }
    });
    let coverage = |quantity: &str, covered, n| BandCoverage {
        quantity: quantity.to_owned(),
        nominal: 0.9,
        covered,
        n,
    };
    let score = |model: &str, brier, of_mean, error, n, bend: f64| ProbabilityScore {
        model: model.to_owned(),
        brier,
        brier_of_mean: Some(of_mean),
        calibration_error: error,
        n,
        bins: (0..10_u32)
            .map(|bin| {
                let promised = (f64::from(bin) + 0.5) / 10.0;
                ReliabilityBin {
                    promised,
                    observed: promised + bend * promised * (1.0 - promised),
                    n: n / 10,
                }
            })
            .collect(),
    };
    Calibration {
        fitted_days: 21,
        held_out_days: 7,
        held_out_span: Some("2026-03-22 – 2026-03-28".to_owned()),
        checks,
        distributions: vec![
            plot("handle_time", human, 240.0, 0.06, 0.021, 0.181, 2_804),
            plot("review_time", review, 48.0, -0.05, 0.028, 0.064, 2_190),
            plot("wait", human, 58.0, 0.34, 0.057, 0.0004, 2_804),
        ],
        hourly_volume: Some(HourlyVolume {
            first_hour: 0,
            hours: volume.collect(),
        }),
        coverage: vec![
            coverage("hourly_volume", around(0.893, 0.041), 168),
            coverage("wait", Uncertain::new(0.921, 0.872, 0.956), 168),
            coverage("abandoned", Uncertain::new(0.756, 0.684, 0.818), 168),
        ],
        scores: vec![
            score(
                "satisfaction",
                around(0.181, 0.006),
                0.214,
                around(0.019, 0.006),
                2_713,
                0.08,
            ),
            score(
                "click",
                around(0.0462, 0.0021),
                0.0489,
                around(0.008, 0.003),
                10_514,
                -0.2,
            ),
        ],
        parameters: parameters(),
    }
}

fn parameters() -> Vec<FittedParameter> {
    let fitted =
        |name: &str, class: Option<&str>, tier, unit, estimate, error, n| FittedParameter {
            name: name.to_owned(),
            class: class.map(str::to_owned),
            tier,
            unit,
            estimate,
            standard_error: Some(error),
            n: Some(n),
            source: ParameterSource::Fitted,
        };
    let assumed = |name: &str, unit, estimate, en: &str, zh: &str| FittedParameter {
        name: name.to_owned(),
        class: None,
        tier: None,
        unit,
        estimate,
        standard_error: None,
        n: None,
        source: ParameterSource::Assumed {
            reason: stated(en, zh),
        },
    };
    let (human, review) = (Some(TierName::Human), Some(TierName::Review));
    let (secs, portion) = (QuantityUnit::Seconds, QuantityUnit::Share);
    let (simple, complex) = (Some("simple"), Some("complex"));
    vec![
        fitted(
            "arrival_rate",
            None,
            None,
            QuantityUnit::PerHour,
            62.1,
            0.4,
            31_290,
        ),
        fitted(
            "overdispersion",
            None,
            None,
            QuantityUnit::Score,
            0.071,
            0.019,
            21,
        ),
        fitted("service_mean", simple, human, secs, 198.0, 3.1, 4_902),
        fitted("service_mean", complex, human, secs, 287.0, 5.8, 2_940),
        FittedParameter {
            source: ParameterSource::Pooled {
                reason: stated(
                    "19 events of its own, fewer than 30: pooled with “complex”",
                    "自身仅 19 个事件，少于 30：与“复杂”合并",
                ),
            },
            ..fitted(
                "service_mean",
                Some("complaint"),
                human,
                secs,
                291.0,
                5.6,
                2_959,
            )
        },
        fitted("review_time", None, review, secs, 47.6, 0.6, 6_571),
        fitted("patience_mean", None, human, secs, 322.0, 14.9, 702),
        fitted(
            "review_accepted",
            None,
            review,
            portion,
            0.711,
            0.006,
            6_571,
        ),
        assumed(
            "slowdown",
            QuantityUnit::Score,
            0.15,
            "the log does not say how many chats a person holds at once; the default",
            "日志未记录一人同时处理的会话数；取默认值",
        ),
        assumed(
            "reopen_share",
            portion,
            0.06,
            "conversations of one customer cannot be linked in this log; literature",
            "此日志无法关联同一顾客的会话；取自文献",
        ),
    ]
}
