//! `tierwise forecast` from outside.

use std::fmt::Write as _;

use crate::desk::{Desk, keys};
use crate::shared;

const WEEK: usize = 168;

/// A weekly pattern in which neighbouring days differ.
fn pattern(hour: usize) -> usize {
    hour % WEEK * 31 % 97 + 4
}

/// Weeks of the pattern by the hour, counted from 0.
fn weeks(count: usize) -> String {
    (0..count * WEEK).fold("hour,contacts\n".to_owned(), |mut text, hour| {
        let _ = writeln!(text, "{hour},{}", pattern(hour));
        text
    })
}

#[test]
fn a_weekly_pattern_is_found_and_continued() {
    let desk = Desk::new();
    desk.write("calls.csv", weeks(6));
    let found = desk.done_json("forecast calls.csv --horizon 30 --json");
    let top = [
        "best",
        "forecast",
        "horizon",
        "judged_from",
        "mase_unit",
        "model",
        "models",
        "quantile",
        "series",
    ];
    assert_eq!(keys(&found), top);
    assert_eq!(found["series"]["hours"], 6 * WEEK);
    assert_eq!(found["series"]["gaps"], 0);
    assert_eq!(found["best"], "naive-168");
    assert_eq!(found["models"][0]["mase"], 0.0);
    // The last quarter of 1008 hours: 252, less the 29 that end beyond the series.
    assert_eq!(found["models"][0]["origins"], 223);
    assert_eq!(found["judged_from"], "756");
    let next = found["forecast"].as_array().unwrap();
    assert_eq!(next.len(), 30);
    for (step, hour) in next.iter().enumerate() {
        let at = 6 * WEEK + step;
        assert_eq!(hour["at"], at.to_string());
        assert_eq!(hour["mean"], pattern(at) as f64);
        assert_eq!(hour["quantile"], pattern(at) as f64);
    }
    let daily = desk.done_json("forecast calls.csv --model naive-24 --json");
    assert_eq!(daily["best"], "naive-168");
    assert_eq!(daily["model"], "naive-24");
    assert_eq!(daily["forecast"][0]["mean"], pattern(6 * WEEK - 24) as f64);
    let table = desk.done("forecast calls.csv");
    assert!(table.contains("\n* naive-168          0.000"), "{table}");
    assert!(table.contains("the next 24 hours by naive-168"), "{table}");
}

#[test]
fn half_hours_give_what_their_sums_give_on_any_number_of_threads() {
    let desk = Desk::new();
    let (mut hours, mut halves) = ("at;n\n".to_owned(), "n,at\n".to_owned());
    for hour in 0..5 * WEEK {
        let (count, seconds) = (
            pattern(hour) + hour * hour % 13,
            1_772_323_200 + 3600 * hour,
        );
        let _ = writeln!(hours, "{seconds};{count}");
        let _ = writeln!(halves, "{},{seconds}", count / 3);
        let _ = writeln!(halves, "{},{}", count - count / 3, seconds + 1800);
    }
    desk.write("hours.csv", hours);
    desk.write("halves.csv", halves);
    let whole = desk.done_json("forecast hours.csv --json");
    let summed = desk.done_json("forecast halves.csv --time at --value n --json");
    assert_eq!(summed["series"]["step_s"], 1800);
    assert_eq!(summed["series"]["from"], "2026-03-01T00:00:00Z");
    for key in ["models", "forecast", "best"] {
        assert_eq!(whole[key], summed[key], "{key}");
    }
    let one = desk.done("--threads 1 forecast hours.csv --json");
    assert_eq!(one, desk.done("--threads 8 forecast hours.csv --json"));
}

#[test]
fn gaps_are_an_error_until_told_what_they_are() {
    let desk = Desk::new();
    let text = weeks(6).replace(&format!("\n500,{}\n", pattern(500)), "\n");
    desk.write("calls.csv", text);
    let error = desk.refused("forecast calls.csv");
    assert!(
        error.starts_with(
            "error: calls.csv: 1 count missing in 1 gap; nothing was computed\n  \
             line 501: 1 count missing after 499\n  fix: `--fill zero`"
        ),
        "{error}"
    );
    for (fill, drawn) in [("zero", 0), ("interpolate", 1)] {
        let found = desk.done_json(&format!("forecast calls.csv --fill {fill} --json"));
        assert_eq!(found["series"]["filled"], 1, "{fill}");
        assert_eq!(found["series"]["drawn_hours"], drawn, "{fill}");
    }
}

#[test]
fn what_cannot_be_forecast_is_refused_with_the_way_out() {
    let desk = Desk::new();
    desk.write("calls.csv", weeks(6));
    desk.write("short.csv", weeks(4));
    desk.write("bad.csv", "t,n\n2,1\n1,1\n2,-1\n");
    for (arguments, message) in [
        ("forecast none.csv", "error: none.csv: no such table"),
        (
            "forecast short.csv",
            "error: the series has 672 whole hours; 720 are needed",
        ),
        (
            "forecast bad.csv",
            "error: bad.csv: 2 of 3 rows cannot be used; nothing was computed\n  line 3: 1 comes after 2 of line 2",
        ),
        (
            "forecast calls.csv --horizon 0",
            "error: `--horizon` is 0; it lies in 1 to 168 hours",
        ),
        (
            "forecast calls.csv --quantile 1",
            "error: `--quantile` is 1; it lies in 0.01 to 0.99",
        ),
        (
            "forecast calls.csv --model lstm",
            "error: `--model` is lstm; no forecaster is called so\n  fix: use one of naive-24, naive-168,",
        ),
        (
            "forecast calls.csv --value n",
            "error: calls.csv: no column `n`",
        ),
        (
            "forecast calls.csv --every 7m",
            "error: calls.csv: rows are 420 s apart, which does not divide an hour\n  fix: name a step",
        ),
    ] {
        let error = desk.refused(arguments);
        assert!(error.starts_with(message), "{arguments}\n{error}");
    }
}

#[test]
fn on_generated_contacts_a_fitted_model_beats_both_naive_ones() {
    let Some(path) = shared::fixture("arrivals_hourly.csv") else {
        return;
    };
    let counts: Vec<f64> = std::fs::read_to_string(&path)
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(1).unwrap().parse().unwrap())
        .collect();
    let desk = Desk::new();
    let path = path.display();
    let found = desk.done_json(&format!("forecast {path} --json"));
    let mase = |name: &str| {
        let models = found["models"].as_array().unwrap();
        let model = models.iter().find(|m| m["name"] == name).unwrap();
        model["mase"].as_f64().unwrap()
    };
    // The definition once more, in its plainest form: every origin of the last quarter, 24 hours each.
    let first = counts.len() * 3 / 4;
    let unit = (24..first)
        .map(|t| (counts[t] - counts[t - 24]).abs())
        .sum::<f64>();
    let unit = unit / (first - 24) as f64;
    for season in [24, 168] {
        let errors: Vec<f64> = (first..=counts.len() - 24)
            .flat_map(|origin| origin..origin + 24)
            .map(|t| (counts[t] - counts[t - season]).abs())
            .collect();
        let want = errors.iter().sum::<f64>() / errors.len() as f64 / unit;
        assert!((mase(&format!("naive-{season}")) - want).abs() < 1e-9);
    }
    let fitted = mase("linear-168").min(mase("mstl-ets"));
    assert!(fitted < mase("naive-24").min(mase("naive-168")), "{found}");
}
