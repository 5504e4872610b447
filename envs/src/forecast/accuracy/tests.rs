use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::forecast::{Clock, WEEK, forecasters};

/// Written by `scripts/forecast-expected.py` with numpy and statsmodels.
#[derive(Deserialize)]
struct Expected {
    first_hour_of_week: i64,
    horizon: usize,
    quantile: f64,
    counts: Vec<f64>,
    scale: f64,
    scores: BTreeMap<String, Score>,
    next: BTreeMap<String, Next>,
}

#[derive(Deserialize)]
struct Score {
    mase: f64,
    mae: f64,
    rmse: f64,
    pinball: f64,
    coverage: f64,
    origins: usize,
}

#[derive(Deserialize)]
struct Next {
    mean: Vec<f64>,
    quantile: Vec<f64>,
}

fn near(have: f64, want: f64, what: &str) {
    let off = (have - want).abs() / want.abs().max(1.0);
    assert!(off < 1e-8, "{what}: {have}, expected {want}");
}

#[test]
fn scores_and_forecasts_are_those_of_an_independent_computation() {
    let expected: Expected = serde_json::from_str(include_str!("expected.json")).unwrap();
    let series = HourlySeries::new(Clock::Count, expected.first_hour_of_week, expected.counts);
    let known = forecasters();
    let judged = evaluate(&series, &known, expected.horizon, expected.quantile).unwrap();
    near(judged.scale, expected.scale, "scale");
    assert_eq!(judged.models.len(), expected.scores.len());
    for model in &judged.models {
        let have = &model.accuracy;
        let want = &expected.scores[have.name];
        near(have.mase.unwrap(), want.mase, have.name);
        near(have.mae, want.mae, have.name);
        near(have.rmse, want.rmse, have.name);
        near(have.pinball, want.pinball, have.name);
        near(have.coverage, want.coverage, have.name);
        assert_eq!(have.origins, want.origins, "{}", have.name);
        let hours = judged.next_hours(&series, &known, have.name).unwrap();
        let want = &expected.next[have.name];
        for (step, hour) in hours.iter().enumerate() {
            near(hour.mean, want.mean[step], have.name);
            near(hour.quantile, want.quantile[step], have.name);
        }
    }
}

/// Every hour of day d counts d.
fn rising(days: usize) -> HourlySeries {
    let counts = (0..days * DAY).map(|hour| (hour / DAY) as f64).collect();
    HourlySeries::new(Clock::Count, 0, counts)
}

#[test]
fn a_steady_rise_has_its_closed_form() {
    let judged = evaluate(&rising(60), &forecasters(), DAY, 0.9).unwrap();
    assert_eq!(judged.scale, 1.0);
    let of = |name: &str| {
        let model = judged.models.iter().find(|m| m.accuracy.name == name);
        model.unwrap().accuracy.clone()
    };
    // Always one day's rise too low; the margin is that rise, so the quantile is met exactly.
    let daily = of("naive-24");
    assert_eq!((daily.mase, daily.rmse), (Some(1.0), 1.0));
    assert_eq!((daily.pinball, daily.coverage), (0.0, 1.0));
    // 60 days: from hour 1080, origins up to 1440 − 24.
    assert_eq!((judged.first_origin, daily.origins), (1080, 337));
    assert_eq!(of("naive-168").mase, Some(7.0));
    // Seven days times the mean of 1, 2, 3, 4 weeks.
    assert_eq!(of("same-hour-mean").mase, Some(17.5));
}

#[test]
fn a_weekly_pattern_is_met_by_the_weekly_naive_forecast() {
    let counts: Vec<f64> = (0..6 * WEEK)
        .map(|hour| ((hour % WEEK * 31) % 97) as f64)
        .collect();
    let series = HourlySeries::new(Clock::Count, 0, counts);
    let known = forecasters();
    let judged = evaluate(&series, &known, DAY, 0.9).unwrap();
    let best = judged.best().unwrap();
    // The mean of equal weeks is as good; the simpler one comes first.
    assert_eq!(best.accuracy.name, "naive-168");
    assert_eq!(best.accuracy.mase, Some(0.0));
    let next = judged.next_hours(&series, &known, "naive-168").unwrap();
    assert_eq!((next[1].mean, next[1].quantile), (31.0, 31.0));
    assert_eq!(next[1].at, "1009");
}

#[test]
fn the_scale_is_the_error_of_the_day_before() {
    // By hand: |3| and |-1| over two pairs.
    let mut training = vec![5.0; 26];
    training[24] = 8.0;
    training[25] = 4.0;
    assert_eq!(seasonal_scale(&training), 2.0);
}

#[test]
fn without_a_scale_there_is_no_mase() {
    let series = HourlySeries::new(Clock::Count, 0, vec![4.0; 6 * WEEK]);
    let judged = evaluate(&series, &forecasters(), 3, 0.5).unwrap();
    assert!(judged.models.iter().all(|m| m.accuracy.mase.is_none()));
    assert_eq!(judged.best().unwrap().accuracy.name, "naive-24");
    assert!(judged.models.iter().all(|m| m.accuracy.mae < 1e-9));
}

#[test]
fn hours_that_nobody_counted_are_not_judged_on() {
    let mut counts = rising(60).counts().to_vec();
    let mut drawn = vec![false; counts.len()];
    // The last hour is in no history; counted, it would make an error of a million.
    *counts.last_mut().unwrap() = 1e6;
    *drawn.last_mut().unwrap() = true;
    let series = HourlySeries::with_drawn(Clock::Count, 0, counts, drawn);
    let naive = &forecasters()[..1];
    let judged = evaluate(&series, naive, DAY, 0.9).unwrap();
    assert_eq!(judged.models[0].accuracy.mae, 1.0);
    let unknown = vec![true; 1440];
    let series = HourlySeries::with_drawn(Clock::Count, 0, vec![1.0; 1440], unknown);
    assert!(matches!(
        evaluate(&series, naive, DAY, 0.9),
        Err(ForecastError::NothingCounted { .. })
    ));
}

#[test]
fn forecasts_are_not_below_zero() {
    // Falling to 0, then 0: lines and levels would go on below.
    let counts: Vec<f64> = (0..1440).map(|h| (800.0 - f64::from(h)).max(0.0)).collect();
    let series = HourlySeries::new(Clock::Count, 0, counts);
    let known = forecasters();
    let judged = evaluate(&series, &known, DAY, 0.1).unwrap();
    for model in &judged.models {
        let next = judged
            .next_hours(&series, &known, model.accuracy.name)
            .unwrap();
        assert!(
            next.iter()
                .all(|hour| hour.mean >= 0.0 && hour.quantile >= 0.0)
        );
    }
}

#[test]
fn options_out_of_range_and_short_series_are_refused() {
    let known = forecasters();
    let message = |days: usize, horizon: usize, quantile: f64| {
        let error = evaluate(&rising(days), &known, horizon, quantile).unwrap_err();
        error.to_string()
    };
    assert!(message(60, 0, 0.9).starts_with("`--horizon` is 0;"));
    assert!(message(60, 169, 0.9).starts_with("`--horizon` is 169;"));
    assert!(message(60, 24, 1.0).starts_with("`--quantile` is 1;"));
    assert!(message(60, 24, f64::NAN).starts_with("`--quantile` is NaN;"));
    // Twice the 2 · 168 + 24 hours that a fit needs, 30 days.
    let short = message(29, 24, 0.9);
    assert!(
        short.starts_with("the series has 696 whole hours; 720 are needed"),
        "{short}"
    );
    for horizon in [1, 168] {
        let ForecastError::TooShort { need, .. } =
            evaluate(&rising(1), &known, horizon, 0.9).unwrap_err()
        else {
            panic!("a day was enough");
        };
        let counts = (0..need).map(|h| (h % 50) as f64).collect();
        let enough = HourlySeries::new(Clock::Count, 0, counts);
        assert!(evaluate(&enough, &known, horizon, 0.9).is_ok(), "{horizon}");
    }
    let judged = evaluate(&rising(60), &known[..2], DAY, 0.9).unwrap();
    let error = judged
        .next_hours(&rising(60), &known, "linear-168")
        .unwrap_err();
    assert!(error.to_string().contains("naive-168"), "{error}");
}

#[test]
fn threads_do_not_change_a_bit() {
    let counts = (0..720).map(|h| ((h * h) % 83) as f64).collect();
    let series = HourlySeries::new(Clock::Count, 5, counts);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| evaluate(&series, &forecasters(), 24, 0.9).unwrap())
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}
