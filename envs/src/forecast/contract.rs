//! What every forecaster must do.

use super::*;

/// Five weeks with a day, a week and some noise of their own.
fn history() -> Vec<f64> {
    (0..5 * WEEK)
        .map(|hour| {
            let (day, week) = ((hour % DAY) as f64, (hour % WEEK / DAY) as f64);
            100.0 + 5.0 * day + 3.0 * week + ((hour * 37) % 11) as f64
        })
        .collect()
}

#[test]
fn a_forecaster_is_fitted_on_what_it_needs_and_forecasts_every_horizon() {
    let counts = history();
    let history = History {
        counts: &counts,
        first_hour_of_week: 30,
    };
    for forecaster in forecasters() {
        for horizon in [1, DAY, MAX_HORIZON] {
            let name = forecaster.name();
            let known = history.last(forecaster.needs(horizon));
            assert_eq!(known.counts.len(), forecaster.needs(horizon));
            let fitted = forecaster.fit(known, horizon).unwrap();
            let mut hours = vec![f64::NAN; horizon];
            fitted.forecast(known, &mut hours).unwrap();
            assert!(
                hours.iter().all(|hour| hour.is_finite()),
                "{name} {horizon}"
            );
            // Counts lie between 100 and 243.
            let far = |hour: &f64| !(50.0..300.0).contains(hour);
            assert!(!hours.iter().any(far), "{name} {horizon}: {hours:?}");
            // Fewer hours asked: the first of them.
            let mut first = [0.0];
            fitted.forecast(known, &mut first).unwrap();
            assert_eq!(first[0], hours[0], "{name}");
        }
    }
}

#[test]
fn a_pure_pattern_of_day_and_week_is_continued() {
    // A weekly pattern that day and weekday add up to, so that every seasonal model can hold it.
    let pattern = |hour: usize| {
        let day = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0][hour % 8];
        50.0 + day + 7.0 * ((hour / DAY) % 7) as f64
    };
    let counts: Vec<f64> = (0..8 * WEEK).map(pattern).collect();
    let history = History {
        counts: &counts,
        first_hour_of_week: 0,
    };
    for forecaster in forecasters() {
        if forecaster.name() == "naive-24" {
            continue;
        }
        let fitted = forecaster.fit(history, DAY).unwrap();
        // An origin in the middle of a day, with a known week behind it.
        let known = history.until(7 * WEEK + 13);
        let mut hours = [0.0; DAY];
        fitted.forecast(known, &mut hours).unwrap();
        for (step, hour) in hours.iter().enumerate() {
            let want = pattern(7 * WEEK + 13 + step);
            let name = forecaster.name();
            // Smoothers leave a little of the weekly steps in the trend: 1 % of the pattern's range of 50 is allowed.
            assert!(
                (hour - want).abs() < 0.5,
                "{name} {step}: {hour} for {want}"
            );
        }
    }
}

#[test]
fn names_differ() {
    let mut names: Vec<&str> = forecasters().iter().map(|f| f.name()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
