//! The estimators against sums written out from their definitions, row by row, on random tables.

use std::fmt::Write;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tempfile::TempDir;

use super::*;
use crate::ope::table::Table;
use crate::ope::{BootstrapPlan, Method, SupportGate};

const ACTIONS: usize = 3;

/// A row as the definitions name it.
struct Row {
    w: f64,
    r: f64,
    q: f64,
    dm: f64,
}

struct Written {
    _folder: TempDir,
    path: PathBuf,
    rows: Vec<Row>,
}

fn vector(rng: &mut Xoshiro256PlusPlus) -> [f64; ACTIONS] {
    let raw: [f64; ACTIONS] = std::array::from_fn(|_| rng.random::<f64>() + 0.05);
    let sum: f64 = raw.iter().sum();
    raw.map(|p| p / sum)
}

/// A consistent log: actions drawn by the logging policy.
fn written(n: usize, seed: u64) -> Written {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "action,propensity,reward,pi0,pi1,pi2,q0,q1,q2\n".to_owned();
    let mut rows = Vec::new();
    for _ in 0..n {
        let (logging, target) = (vector(&mut rng), vector(&mut rng));
        let u: f64 = rng.random();
        let action = usize::from(u > logging[0]) + usize::from(u > logging[0] + logging[1]);
        let reward = rng.random::<f64>() * 2.0 - 0.5 + action as f64;
        let model: [f64; ACTIONS] = std::array::from_fn(|a| a as f64 + rng.random::<f64>());
        writeln!(
            text,
            "{action},{},{reward},{},{},{},{},{},{}",
            logging[action], target[0], target[1], target[2], model[0], model[1], model[2]
        )
        .unwrap();
        rows.push(Row {
            w: target[action] / logging[action],
            r: reward,
            q: model[action],
            dm: target.iter().zip(&model).map(|(p, q)| p * q).sum(),
        });
    }
    std::fs::write(&path, text).unwrap();
    Written {
        _folder: folder,
        path,
        rows,
    }
}

/// Terms whose mean is the value; for self-normalised estimators value and terms of the delta method.
fn by_definition(name: &str, rows: &[Row]) -> (f64, f64) {
    let n = rows.len() as f64;
    let mean = |f: &dyn Fn(&Row) -> f64| rows.iter().map(f).sum::<f64>() / n;
    let spread = |f: &dyn Fn(&Row) -> f64| {
        let m = mean(f);
        (rows.iter().map(|row| (f(row) - m).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt()
    };
    let plain = |f: &dyn Fn(&Row) -> f64| (mean(f), spread(f));
    let l: f64 = name
        .split_once(':')
        .map_or(0.0, |(_, l)| l.parse().unwrap());
    match name.split(':').next().unwrap() {
        "ips" => plain(&|x| x.w * x.r),
        "dm" => plain(&|x| x.dm),
        "dr" => plain(&|x| x.dm + x.w * (x.r - x.q)),
        "cips" => plain(&|x| x.w.min(l) * x.r),
        "cdr" => plain(&|x| x.dm + x.w.min(l) * (x.r - x.q)),
        "switch" => plain(&|x| x.dm + if x.w <= l { x.w * (x.r - x.q) } else { 0.0 }),
        "dros" => plain(&|x| x.dm + l * x.w / (x.w * x.w + l) * (x.r - x.q)),
        "sgips" => plain(&|x| x.w / (1.0 - l + l * x.w) * x.r),
        "sgdr" => plain(&|x| x.dm + x.w / (1.0 - l + l * x.w) * (x.r - x.q)),
        "snips" => {
            let v = mean(&|x| x.w * x.r) / mean(&|x| x.w);
            let w = mean(&|x| x.w);
            (v, spread(&|x| v + x.w * (x.r - v) / w))
        }
        "sndr" => {
            let v = mean(&|x| x.w * (x.r - x.q)) / mean(&|x| x.w);
            let w = mean(&|x| x.w);
            (
                mean(&|x| x.dm) + v,
                spread(&|x| x.dm + x.w * (x.r - x.q - v) / w),
            )
        }
        other => panic!("{other}"),
    }
}

const ALL: [&str; 11] = [
    "ips",
    "snips",
    "dm",
    "dr",
    "sndr",
    "cips:1.5",
    "cdr:1.5",
    "switch:1.5",
    "dros:2",
    "sgips:0.3",
    "sgdr:0.3",
];

fn options(names: &[&str], interval: Method) -> TableOptions {
    TableOptions {
        estimators: names.iter().map(|n| n.parse().unwrap()).collect(),
        interval,
        bootstrap: BootstrapPlan {
            resamples: 200,
            seed: 7,
        },
        gate: SupportGate {
            min_effective_sample_size: 40.0,
            ..SupportGate::default()
        },
        ..TableOptions::default()
    }
}

fn judged(written: &Written, options: &TableOptions) -> TableJudgement {
    judge_one_step(&Table::open(&written.path).unwrap(), options).unwrap()
}

#[test]
fn values_and_errors_are_those_of_the_definitions() {
    // 10,000 rows are two full blocks and a part.
    for n in [150, 10_000] {
        let written = written(n, 3);
        let judgement = judged(&written, &options(&ALL, Method::Normal));
        for (name, estimate) in ALL.iter().zip(&judgement.estimates) {
            let (value, error) = by_definition(name, &written.rows);
            let (have, have_error) = (estimate.value.unwrap(), estimate.standard_error.unwrap());
            assert!((have / value - 1.0).abs() < 1e-9, "{name}: {have} {value}");
            assert!(
                (have_error / error - 1.0).abs() < 1e-9,
                "{name}: {have_error} {error}"
            );
        }
        let weights = judgement.weights.unwrap();
        let (sum, squares) = written
            .rows
            .iter()
            .fold((0.0, 0.0), |(s, q), x| (s + x.w, q + x.w * x.w));
        assert!((weights.effective_sample_size / (sum * sum / squares) - 1.0).abs() < 1e-9);
        assert!((weights.mean / (sum / n as f64) - 1.0).abs() < 1e-9);
    }
}

#[test]
fn intervals_of_shrunk_estimators_carry_the_bound_of_their_bias() {
    let written = written(400, 5);
    let rows = &written.rows;
    let judgement = judged(
        &written,
        &options(&["cdr:1.5", "cips:1.5", "dr"], Method::Normal),
    );
    let n = rows.len() as f64;
    let lost = |f: &dyn Fn(&Row) -> f64| {
        let m = rows.iter().map(f).sum::<f64>() / n;
        let v = rows.iter().map(|x| (f(x) - m).powi(2)).sum::<f64>() / (n - 1.0);
        m.abs() + 1.959_963_984_540_054 * (v / n).sqrt()
    };
    let expected = [
        lost(&|x| (x.w - x.w.min(1.5)) * (x.r - x.q)),
        lost(&|x| (x.w - x.w.min(1.5)) * x.r),
        0.0,
    ];
    for (estimate, lost) in judgement.estimates.iter().zip(expected) {
        let interval = estimate.interval.unwrap();
        let half = 1.959_963_984_540_054 * estimate.standard_error.unwrap() + lost;
        let value = estimate.value.unwrap();
        assert!(((interval.upper - value) / half - 1.0).abs() < 1e-9);
        assert!(((value - interval.lower) / half - 1.0).abs() < 1e-9);
        assert_eq!(estimate.biased, lost > 0.0);
    }
}

#[test]
fn the_interval_of_snips_is_not_wider_than_it_should_be() {
    // A peer normalises every resample by the full sample, and its interval is three times too wide. Rewards far from zero
    // show it best: the width must be that of the delta method, 2 · 1.96 · se.
    let mut written = written(3000, 11);
    let text = std::fs::read_to_string(&written.path).unwrap();
    let shifted: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if i > 0 {
                cells[2] = (cells[2].parse::<f64>().unwrap() + 10.0).to_string();
            }
            cells.join(",") + "\n"
        })
        .collect();
    std::fs::write(&written.path, shifted).unwrap();
    for row in &mut written.rows {
        row.r += 10.0;
    }
    let (_, error) = by_definition("snips", &written.rows);
    let mut options = options(&["snips", "ips"], Method::Bootstrap);
    options.bootstrap.resamples = 2000;
    let judgement = judged(&written, &options);
    let width = |i: usize| {
        let interval = judgement.estimates[i].interval.unwrap();
        interval.upper - interval.lower
    };
    let ratio = width(0) / (2.0 * 1.96 * error);
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
    assert!(width(0) < width(1) / 5.0);
}

#[test]
fn bootstrap_agrees_with_the_standard_error_for_every_estimator() {
    let written = written(9000, 2);
    let plain = ["ips", "snips", "dm", "dr", "sndr"];
    let mut options = options(&plain, Method::Bootstrap);
    options.bootstrap.resamples = 1000;
    for estimate in judged(&written, &options).estimates {
        let interval = estimate.interval.unwrap();
        // The width has a Monte Carlo error of 3 %, and the grouping one of 1 %.
        let ratio = (interval.upper - interval.lower) / (3.92 * estimate.standard_error.unwrap());
        assert!(
            (0.88..1.12).contains(&ratio),
            "{}: {ratio}",
            estimate.estimator
        );
    }
}

#[test]
fn the_same_bytes_on_any_number_of_threads() {
    let written = written(30_000, 4);
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                serde_json::to_string(&judged(&written, &options(&ALL, Method::Bootstrap))).unwrap()
            })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(8));
}

#[test]
fn student_intervals_use_the_two_sided_quantile() {
    // A peer takes the one-sided quantile and covers 89.3 %. scipy.stats.t.ppf(0.975, 149) = 1.976013.
    let written = written(150, 9);
    let estimate = &judged(&written, &options(&["dr"], Method::T)).estimates[0];
    let interval = estimate.interval.unwrap();
    let quantile = (interval.upper - interval.lower) / 2.0 / estimate.standard_error.unwrap();
    assert!((quantile - 1.976_013_178).abs() < 1e-6, "{quantile}");
}

#[test]
fn hoeffding_and_bernstein_are_the_bounds_of_the_papers() {
    // A peer multiplies Hoeffding's half-width by √n, another takes the range from the sample.
    let written = written(500, 6);
    let mut options = options(&["ips", "dm", "cips:1.5"], Method::Hoeffding);
    options.range = Some((-1.0, 4.0));
    options.max_weight = Some(20.0);
    let log = (2.0f64 / 0.05).ln();
    let judgement = judged(&written, &options);
    // Ranges of the terms: 20 · 5, 5, 1.5 · 5.
    for (estimate, range) in judgement.estimates.iter().zip([100.0, 5.0, 7.5]) {
        let interval = estimate.interval.unwrap();
        let mut half = (interval.upper - interval.lower) / 2.0;
        if estimate.biased && estimate.estimator == "cips" {
            let rows = &written.rows;
            let lost = |x: &Row| (x.w - x.w.min(1.5)) * x.r;
            let m = rows.iter().map(lost).sum::<f64>() / 500.0;
            let v = rows.iter().map(|x| (lost(x) - m).powi(2)).sum::<f64>() / 499.0;
            half -= m.abs() + 1.959_963_984_540_054 * (v / 500.0).sqrt();
        }
        let expected = range * (log / 1000.0).sqrt();
        assert!(
            (half / expected - 1.0).abs() < 1e-9,
            "{}",
            estimate.estimator
        );
    }
    options.interval = Method::Bernstein;
    let judgement = judged(&written, &options);
    let interval = judgement.estimates[1].interval.unwrap();
    let (_, error) = by_definition("dm", &written.rows);
    let log = (4.0f64 / 0.05).ln();
    let expected = error * (2.0 * log).sqrt() + 7.0 * 5.0 * log / (3.0 * 499.0);
    assert!(((interval.upper - interval.lower) / 2.0 / expected - 1.0).abs() < 1e-9);
    options.range = None;
    assert!(matches!(options.check(), Err(OptionError::NoRange { .. })));
}

#[test]
fn bounds_without_a_largest_weight_still_hold_the_value() {
    let written = written(2000, 8);
    for method in [Method::Hoeffding, Method::Bernstein, Method::Betting] {
        let mut options = options(&["ips", "dr", "snips"], method);
        options.range = Some((-0.5, 3.5));
        let judgement = judged(&written, &options);
        let ips = &judgement.estimates[0];
        let interval = ips.interval.unwrap();
        let value = ips.value.unwrap();
        assert!(interval.lower < value && value < interval.upper);
        // The two sides are bounds for w (r − low) and w (high − r), and no bound is closer than their normal intervals.
        let far = |f: &dyn Fn(&Row) -> f64| {
            let mean = written.rows.iter().map(f).sum::<f64>() / 2000.0;
            let squares = written.rows.iter().map(|x| (f(x) - mean).powi(2));
            mean - 1.96 * (squares.sum::<f64>() / 2000.0 / 2000.0).sqrt()
        };
        assert!(
            interval.lower < far(&|x| x.w * (x.r + 0.5)) - 0.5,
            "{method}"
        );
        assert!(
            interval.upper > 3.5 - far(&|x| x.w * (3.5 - x.r)),
            "{method}"
        );
        let width = interval.upper - interval.lower;
        assert!(width < 1.5, "{method}: {width}");
        // Without a bound on the weights nothing bounds dr, and nothing ever bounds a ratio.
        assert!(
            judgement.estimates[1..]
                .iter()
                .all(|e| e.interval.is_none() && e.value.is_some())
        );
        assert_eq!(
            judgement.notes.iter().filter(|n| n.contains("no")).count(),
            2
        );
    }
}

#[test]
fn the_target_that_wrote_the_log_earns_its_mean() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "action,propensity,reward,pi0,pi1\n".to_owned();
    let mut sum = 0.0;
    for i in 0..400_u32 {
        let reward = f64::from(i % 7);
        sum += reward;
        let action = u32::from(i % 4 == 0);
        let p = if action == 1 { 0.25 } else { 0.75 };
        writeln!(text, "{action},{p},{reward},0.75,0.25").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let table = Table::open(&path).unwrap();
    for method in [Method::Normal, Method::Hoeffding] {
        let mut options = options(&["ips", "snips"], method);
        options.range = Some((0.0, 6.0));
        options.max_weight = Some(1.0);
        let judgement = judge_one_step(&table, &options).unwrap();
        for estimate in &judgement.estimates {
            assert!((estimate.value.unwrap() - sum / 400.0).abs() < 1e-12);
        }
        assert_eq!(judgement.weights.unwrap().effective_sample_size, 400.0);
    }
}

#[test]
fn rows_of_a_unit_stay_together() {
    // Every row twice, under one unit: the standard error must be that of the single rows, not 1/√2 of it.
    let single = written(600, 12);
    let text = std::fs::read_to_string(&single.path).unwrap();
    let mut doubled = String::new();
    for (i, line) in text.lines().enumerate() {
        if i == 0 {
            writeln!(doubled, "{line},unit").unwrap();
        } else {
            writeln!(doubled, "{line},u{i}\n{line},u{i}").unwrap();
        }
    }
    let path = single.path.with_file_name("doubled.csv");
    std::fs::write(&path, doubled).unwrap();
    for method in [Method::Normal, Method::Bootstrap] {
        let mut options = options(&["ips", "snips", "dr"], method);
        options.bootstrap.resamples = 2000;
        let alone = judged(&single, &options);
        let pairs = judge_one_step(&Table::open(&path).unwrap(), &options).unwrap();
        for (a, b) in alone.estimates.iter().zip(&pairs.estimates) {
            let ratio = b.standard_error.unwrap() / a.standard_error.unwrap();
            assert!((ratio - 1.0).abs() < 0.01, "{}: {ratio}", a.estimator);
            let width = |e: &TableEstimate| e.interval.map(|i| i.upper - i.lower).unwrap();
            assert!((width(b) / width(a) - 1.0).abs() < 0.1, "{}", a.estimator);
        }
    }
}

#[test]
fn missing_models_silence_only_what_needs_them() {
    let written = written(300, 13);
    let text = std::fs::read_to_string(&written.path).unwrap();
    let holes: String = text
        .lines()
        .enumerate()
        .map(|(i, line)| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if i > 0 && i % 10 == 0 {
                cells[7] = "";
            }
            cells.join(",") + "\n"
        })
        .collect();
    std::fs::write(&written.path, holes).unwrap();
    let judgement = judged(&written, &options(&ALL, Method::Bootstrap));
    for (name, estimate) in ALL.iter().zip(&judgement.estimates) {
        let model = !name.contains("ips");
        assert_eq!(estimate.value.is_none(), model, "{name}");
        if model {
            let reason = estimate.refused.as_deref().unwrap();
            assert!(reason.contains("30 of 300 rows (10.0 %)"), "{reason}");
        }
    }
}

#[test]
fn thin_overlap_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let write = |rows: &dyn Fn(usize) -> String, n: usize| {
        let text: String = (0..n).map(rows).collect();
        std::fs::write(&path, format!("action,propensity,reward,pi0,pi1\n{text}")).unwrap();
        let table = Table::open(&path).unwrap();
        judge_one_step(&table, &options(&["ips"], Method::Normal)).unwrap()
    };
    let reason = |judgement: &TableJudgement| {
        assert_eq!(judgement.estimates[0].value, None);
        judgement.estimates[0].refused.clone().unwrap()
    };
    let never = write(&|_| "0,1,1,0.5,0.5\n".to_owned(), 500);
    assert!(reason(&never).contains("action 1 was never taken, and the policy takes it in 50.0 %"));
    let few = write(&|i| format!("{},0.5,1,0.5,0.5\n", i % 2), 38);
    assert!(reason(&few).contains("effective sample of 38.0 rows"));
    let heavy = write(
        &|i| {
            if i == 0 {
                "1,0.001,1,0,1\n".to_owned()
            } else {
                format!("{},0.5,1,0.5,0.5\n", i % 2)
            }
        },
        3000,
    );
    assert!(reason(&heavy).contains("effective sample") || reason(&heavy).contains("one row"));
    let one = write(&|_| "0,1,1,1,0\n".to_owned(), 1);
    assert!(reason(&one).contains("one row has no spread"));
}

#[test]
fn a_table_without_variance_has_an_interval_of_one_point() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let text = "0,0.5,0.3,0.5,0.5\n1,0.5,0.3,0.5,0.5\n".repeat(200);
    std::fs::write(&path, format!("action,propensity,reward,pi0,pi1\n{text}")).unwrap();
    let table = Table::open(&path).unwrap();
    for method in [Method::Normal, Method::T, Method::Bootstrap] {
        for estimate in judge_one_step(&table, &options(&["ips", "snips"], method))
            .unwrap()
            .estimates
        {
            let interval = estimate.interval.unwrap();
            assert_eq!(estimate.standard_error, Some(0.0));
            assert!((interval.lower - 0.3).abs() < 1e-12 && (interval.upper - 0.3).abs() < 1e-12);
        }
    }
}

#[test]
fn propensities_that_do_not_add_up_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let judge = |propensity: &dyn Fn(usize) -> f64| {
        let mut text = "action,propensity,reward,pi0,pi1\n".to_owned();
        for i in 0..1000 {
            let action = usize::from(i % 4 == 0);
            writeln!(text, "{action},{},1,0.5,0.5", propensity(action)).unwrap();
        }
        std::fs::write(&path, text).unwrap();
        let table = Table::open(&path).unwrap();
        judge_one_step(&table, &options(&["ips"], Method::Normal)).unwrap()
    };
    let right = judge(&|a| [0.75, 0.25][a]);
    assert!(right.notes.is_empty(), "{:?}", right.notes);
    assert!((right.actions[1].calibration.unwrap() - 1.0).abs() < 1e-12);
    // Twice too small for action 1: its rows make 2 of the log.
    let wrong = judge(&|a| [0.75, 0.125][a]);
    assert!((wrong.actions[1].calibration.unwrap() - 2.0).abs() < 1e-12);
    assert!(
        wrong
            .notes
            .iter()
            .any(|n| n.contains("propensities of action 1")),
        "{:?}",
        wrong.notes
    );
}
