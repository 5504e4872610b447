//! Diagnostics against closed forms and counting by hand.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::*;
use crate::ope::table::Table;
use crate::ope::{SequenceOptions, TableJudgement, TableOptions, judge_one_step, judge_sequential};

fn judged(text: &str, estimate_propensity: bool) -> TableDiagnostics {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    one_step(&path, estimate_propensity).diagnostics.unwrap()
}

fn one_step(path: &Path, estimate_propensity: bool) -> TableJudgement {
    let options = TableOptions {
        estimate_propensity,
        ..TableOptions::default()
    };
    judge_one_step(&Table::open(path).unwrap(), &options).unwrap()
}

#[test]
fn weights_fall_into_bins_that_double() {
    let weights = [0.0, 0.5, 0.75, 1.0, 4.0, 7.5, 0.0];
    let histogram = Histogram::of(weights.into_iter()).histogram().unwrap();
    assert_eq!(histogram.zero, 2);
    let bins: Vec<(f64, f64, u64, f64)> = histogram
        .bins
        .iter()
        .map(|b| (b.from, b.to, b.n, b.weight))
        .collect();
    assert_eq!(
        bins,
        [
            (0.5, 1.0, 2, 1.25),
            (1.0, 2.0, 1, 1.0),
            (2.0, 4.0, 0, 0.0),
            (4.0, 8.0, 2, 11.5)
        ]
    );
    assert_eq!(Histogram::of(std::iter::empty()).histogram(), None);
    // Weights of whole episodes leave the range of numbers; their counts stay right and sums finite.
    let wild = Histogram::of([f64::INFINITY, 1e-300, f64::NAN].into_iter());
    let wild = wild.histogram().unwrap();
    assert_eq!(wild.bins.iter().map(|b| b.n).sum::<u64>(), 2);
    assert!(wild.bins.iter().all(|b| b.weight.is_finite()));
}

#[test]
fn overlap_is_counted_by_class_and_names_are_kept() {
    let text = "\
class,action,propensity,reward,pi0,pi1,state
refund,0,0.5,1,0.25,0.75,9
refund,0,0.5,0,0.75,0.25,9
\"size, fit\",1,1.0,3,1,0,9
,0,0.5,0,0.5,0.5,9
7,1,0.5,1,0,1,9
";
    let found = judged(text, false);
    assert_eq!(found.overlap.by.as_deref(), Some("class"));
    assert_eq!(found.overlap.others, None);
    type Group<'a> = (&'a str, u64, Vec<(u64, f64)>);
    let groups: Vec<Group<'_>> = found
        .overlap
        .groups
        .iter()
        .map(|g| {
            let cells = g.cells.iter().map(|c| (c.taken, c.wanted)).collect();
            (g.name.as_str(), g.rows, cells)
        })
        .collect();
    assert_eq!(
        groups,
        [
            ("refund", 2, vec![(2, 0.5), (0, 0.5)]),
            ("size, fit", 1, vec![(0, 1.0), (1, 0.0)]),
            ("", 1, vec![(1, 0.5), (0, 0.5)]),
            ("7", 1, vec![(0, 0.0), (1, 1.0)]),
        ]
    );
    // Rewards 1, 0, 3, 0, 1: mean 1, variance 6/4.
    assert_eq!((found.as_logged.n, found.as_logged.value), (5, 1.0));
    let error = found.as_logged.standard_error.unwrap();
    assert!((error - (1.5_f64 / 5.0).sqrt()).abs() < 1e-12);
    // Weights 0.5, 1.5, 0, 1, 2.
    assert_eq!(found.weights.unwrap().zero, 1);
}

#[test]
fn without_a_column_to_group_by_all_rows_are_one_group() {
    let found = judged("action,propensity,reward,pi0\n0,1,2,1\n0,1,2,1\n", false);
    assert_eq!(found.overlap.by, None);
    assert_eq!(found.overlap.groups.len(), 1);
    assert_eq!(found.overlap.groups[0].name, "");
}

/// A log of a policy that takes action 0 with the given probability, whatever it writes down.
fn log(rows: usize, truth: f64, written: f64, seed: u64) -> String {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut text = "action,propensity,reward,pi0,pi1\n".to_owned();
    for _ in 0..rows {
        let action = usize::from(rng.random::<f64>() >= truth);
        let p = [written, 1.0 - written][action];
        writeln!(text, "{action},{p},1,0.5,0.5").unwrap();
    }
    text
}

#[test]
fn logged_propensities_stand_beside_the_share_that_was_taken() {
    // Thirty of a hundred rows, each with propensity 0.25; the standard error is that of a binomial share.
    let mut text = "action,propensity,reward,pi0,pi1\n".to_owned();
    for row in 0..100 {
        text.push_str(if row < 30 {
            "0,0.25,1,0.5,0.5\n"
        } else {
            "1,0.75,1,0.5,0.5\n"
        });
    }
    let bins = judged(&text, false).calibration.unwrap();
    assert_eq!(bins.len(), 2);
    let error = (0.3_f64 * 0.7 / 100.0).sqrt();
    for (bin, (predicted, observed, from)) in bins.iter().zip([(0.25, 0.3, 0.2), (0.75, 0.7, 0.7)])
    {
        assert!((bin.predicted - predicted).abs() < 1e-12, "{bin:?}");
        assert!((bin.observed - observed).abs() < 1e-12, "{bin:?}");
        assert!((bin.standard_error - error).abs() < 1e-12, "{bin:?}");
        assert_eq!((bin.n, bin.from), (100, from));
    }
}

#[test]
fn a_log_that_misstates_its_propensities_is_seen_and_an_honest_one_is_not() {
    let worst = |written: f64| {
        let bins = judged(&log(4000, 0.4, written, 3), false)
            .calibration
            .unwrap();
        bins.iter()
            .map(|b| (b.observed - b.predicted).abs() / b.standard_error)
            .fold(0.0, f64::max)
    };
    assert!(worst(0.4) < 4.0, "{}", worst(0.4));
    assert!(worst(0.3) > 8.0, "{}", worst(0.3));
}

#[test]
fn estimated_propensities_are_checked_on_every_action() {
    // A policy by state whose probabilities are known: estimates of unseen rows promise what happens.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
    let mut text = "state,action,reward,pi0,pi1,pi2\n".to_owned();
    for _ in 0..3000 {
        let state = usize::from(rng.random::<f64>() < 0.5);
        let u: f64 = rng.random();
        let (a, b) = [(0.2, 0.5), (0.7, 0.95)][state];
        let action = usize::from(u > a) + usize::from(u > b);
        writeln!(text, "s{state},{action},0,0.2,0.3,0.5").unwrap();
    }
    let found = judged(&text, true);
    let bins = found.calibration.unwrap();
    assert_eq!(bins.iter().map(|b| b.n).sum::<u64>(), 9000);
    let taken: f64 = bins.iter().map(|b| b.observed * b.n as f64).sum();
    let promised: f64 = bins.iter().map(|b| b.predicted * b.n as f64).sum();
    assert!((taken - 3000.0).abs() < 1e-6 && (promised - 3000.0).abs() < 1e-6);
    for bin in &bins {
        assert!(bin.from <= bin.predicted && bin.predicted <= bin.to);
        assert!((bin.observed - bin.predicted).abs() < 4.0 * bin.standard_error + 1e-9);
    }
    // Without propensities and without an estimate of them there is nothing to check and nothing to weigh.
    let without = judged(&text, false);
    assert_eq!((without.calibration, without.weights), (None, None));
}

#[test]
fn a_large_table_is_counted_as_by_brute_force_on_any_number_of_threads() {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut text = "x0,action,propensity,reward,pi0,pi1,state\n".to_owned();
    let mut expected: Vec<(String, [u64; 2], f64)> = Vec::new();
    let mut places = HashMap::new();
    for _ in 0..40_000 {
        let state = format!("s{}", rng.random_range(0..80));
        let action = rng.random_range(0..2_usize);
        let wanted = f64::from(rng.random_range(0..=4_u8)) / 4.0;
        writeln!(
            text,
            "{},{action},0.5,{},{wanted},{},{state}",
            rng.random::<f64>(),
            rng.random::<f64>(),
            1.0 - wanted
        )
        .unwrap();
        let place = *places.entry(state.clone()).or_insert_with(|| {
            expected.push((state, [0; 2], 0.0));
            expected.len() - 1
        });
        expected[place].1[action] += 1;
        expected[place].2 += wanted;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        pool.unwrap()
            .install(|| one_step(&path, false).diagnostics.unwrap())
    };
    let found = on(1);
    for threads in [2, 8] {
        assert_eq!(
            serde_json::to_string(&on(threads)).unwrap(),
            serde_json::to_string(&found).unwrap()
        );
    }
    assert_eq!(found.overlap.groups.len(), 64);
    for (group, (name, taken, wanted)) in found.overlap.groups.iter().zip(&expected) {
        assert_eq!(&group.name, name);
        let rows = taken[0] + taken[1];
        assert_eq!(group.rows, rows);
        assert_eq!([group.cells[0].taken, group.cells[1].taken], *taken);
        assert!((group.cells[0].wanted - wanted / rows as f64).abs() < 1e-12);
    }
    let others: u64 = expected[64..].iter().map(|(_, t, _)| t[0] + t[1]).sum();
    assert_eq!(found.overlap.others.unwrap().rows, others);
}

#[test]
fn weights_and_returns_of_a_sequence_are_those_of_whole_episodes() {
    let text = "\
episode,t,action,propensity,reward,pi0,pi1
a,0,0,0.5,1,1,0
a,1,1,0.5,2,0,1
b,0,0,0.5,4,0.5,0.5
c,0,1,0.5,1,1,0
";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let sequence = SequenceOptions {
        discount: 0.5,
        ..SequenceOptions::default()
    };
    let table = Table::open(&path).unwrap();
    let judged = judge_sequential(&table, &TableOptions::default(), sequence).unwrap();
    let found = judged.diagnostics.unwrap();
    // Returns 1 + 0.5 · 2, 4 and 1; weights (1/0.5)², 1 and 0.
    assert_eq!((found.as_logged.n, found.as_logged.value), (3, 7.0 / 3.0));
    let weights = found.weights.unwrap();
    assert_eq!(weights.zero, 1);
    assert_eq!(weights.bins.first().map(|b| (b.from, b.n)), Some((1.0, 1)));
    assert_eq!(weights.bins.last().map(|b| (b.from, b.n)), Some((4.0, 1)));
    let cells = &found.overlap.groups[0].cells;
    assert_eq!((cells[0].taken, cells[1].taken), (2, 2));
    assert!((cells[0].wanted - 2.5 / 4.0).abs() < 1e-12);
}

/// Rows of two classes, half each; in `b` the log never takes action 1.
fn two_classes(rows: usize, wanted_in_b: f64) -> String {
    let mut text = "class,action,propensity,reward,pi0,pi1\n".to_owned();
    for row in 0..rows / 2 {
        text += &format!("a,{},0.5,1,0.5,0.5\n", row % 2);
        text += &format!("b,0,1.0,1,{},{}\n", 1.0 - wanted_in_b, wanted_in_b);
    }
    text
}

#[test]
fn a_cell_that_the_log_never_saw_is_named_with_a_way_out() {
    assert_eq!(
        judged(&two_classes(400, 0.0), false).overlap.unsupported(),
        None
    );
    assert_eq!(
        judged(&two_classes(400, 0.005), false)
            .overlap
            .unsupported(),
        None
    );
    assert_eq!(
        judged(&two_classes(400, 0.25), false)
            .overlap
            .unsupported()
            .unwrap(),
        "action 1 was never taken in class b (200 rows), and the policy takes it in 25 % of them; collect such rows, or mask the action there"
    );
    // In fewer rows a rare action may just have been missed.
    assert_eq!(
        judged(&two_classes(398, 0.25), false).overlap.unsupported(),
        None
    );
    // Without groups there is nothing to look at apart.
    let text = two_classes(400, 0.25).replace("class", "segment");
    assert_eq!(judged(&text, false).overlap.unsupported(), None);
}
