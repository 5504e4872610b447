//! Fitted models on worlds whose truth is known.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tempfile::TempDir;

use crate::ope::model::ModelKind;
use crate::ope::table::Table;
use crate::ope::{Method, Propensity, TableJudgement, TableOptions, judge_one_step};

const ACTIONS: usize = 3;

/// Rewards 1 + xᵃ + noise for features x₀, x₁, x₂ in 0..4; the log prefers the action of its largest feature.
struct World {
    folder: TempDir,
    truth: f64,
}

fn world(n: usize, seed: u64) -> World {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let mut text = "action,propensity,reward,pi0,pi1,pi2,x0,x1,x2,state\n".to_owned();
    let mut truth = 0.0;
    for _ in 0..n {
        let x: [f64; ACTIONS] = std::array::from_fn(|_| f64::from(rng.random_range(0..4_u8)));
        let scores = x.map(|x| (0.4 * x).exp());
        let sum: f64 = scores.iter().sum();
        let logging = scores.map(|s| s / sum);
        let target = [0.1, 0.2, 0.7];
        let u: f64 = rng.random();
        let action = usize::from(u > logging[0]) + usize::from(u > logging[0] + logging[1]);
        let reward = 1.0 + x[action] + rng.random::<f64>() - 0.5;
        truth += (0..ACTIONS).map(|a| target[a] * (1.0 + x[a])).sum::<f64>() / n as f64;
        writeln!(
            text,
            "{action},{},{reward},0.1,0.2,0.7,{},{},{},{}",
            logging[action],
            x[0],
            x[1],
            x[2],
            x[0] * 16.0 + x[1] * 4.0 + x[2]
        )
        .unwrap();
    }
    std::fs::write(folder.path().join("t.csv"), text).unwrap();
    World { folder, truth }
}

impl World {
    fn path(&self) -> PathBuf {
        self.folder.path().join("t.csv")
    }

    fn without(&self, column: &str) -> PathBuf {
        let text = std::fs::read_to_string(self.path()).unwrap();
        let path = self.folder.path().join("less.csv");
        std::fs::write(&path, text.replacen(column, "unused", 1)).unwrap();
        path
    }

    fn judge(&self, path: &Path, names: &[&str], more: TableOptions) -> TableJudgement {
        let _ = self;
        let options = TableOptions {
            estimators: names.iter().map(|n| n.parse().unwrap()).collect(),
            interval: Method::Normal,
            ..more
        };
        judge_one_step(&Table::open(path).unwrap(), &options).unwrap()
    }
}

#[test]
fn models_that_hold_the_truth_find_it() {
    let world = world(4000, 1);
    for kind in [ModelKind::Ridge, ModelKind::Quadratic, ModelKind::Tabular] {
        let more = TableOptions {
            model: Some(kind),
            ..TableOptions::default()
        };
        let judgement = world.judge(&world.path(), &["dm", "dr", "ips", "mrdr"], more);
        let [dm, dr, ips, mrdr] = &judgement.estimates[..] else {
            panic!("{judgement:?}")
        };
        // The noise has sd 0.29; a model of the truth leaves 0.29/√1000 or so.
        for estimate in [dm, dr, mrdr] {
            assert!(
                (estimate.value.unwrap() - world.truth).abs() < 0.04,
                "{kind:?} {estimate:?} {}",
                world.truth
            );
        }
        // Of the residuals only noise is left, so doubly robust is far closer than weighting alone.
        assert!(dr.standard_error.unwrap() < 0.7 * ips.standard_error.unwrap());
        assert!(judgement.notes.iter().any(|n| n.contains("fitted here")));
    }
}

#[test]
fn a_model_does_not_see_the_rows_it_corrects() {
    // Rewards of pure noise by state: a model that sees its own rows predicts them, and its residuals shrink. Here every
    // state has two rows, so a model fitted on all would leave about half the variance.
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    let mut text = "action,propensity,reward,pi0,state\n".to_owned();
    let mut squares = 0.0;
    for i in 0..2000 {
        let r = f64::from(u8::from(rng.random::<bool>())) * 2.0 - 1.0;
        squares += r * r;
        writeln!(text, "0,1,{r},1,{}", i / 2).unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let options = TableOptions {
        estimators: vec!["dr".parse().unwrap()],
        interval: Method::Normal,
        model: Some(ModelKind::Tabular),
        ..TableOptions::default()
    };
    let judgement = judge_one_step(&Table::open(&path).unwrap(), &options).unwrap();
    let error = judgement.estimates[0].standard_error.unwrap();
    let alone = (squares / 2000.0_f64).sqrt() / 2000.0_f64.sqrt();
    // With one action of probability one, dm + (r − q) is r itself: the spread must be that of the rewards.
    assert!((error / alone - 1.0).abs() < 0.02, "{error} {alone}");
}

#[test]
fn estimated_propensities_are_close_marked_and_wider() {
    let world = world(6000, 3);
    let more = || TableOptions {
        estimate_propensity: true,
        model: Some(ModelKind::Ridge),
        ..TableOptions::default()
    };
    let logged = world.judge(&world.path(), &["snips", "dr"], more());
    assert_eq!(logged.propensities, Some(Propensity::Logged));
    let less = world.without("propensity");
    // By state, and by features alone: the log's choices are softmax in the features, so the model is right.
    for path in [less.clone(), {
        let text = std::fs::read_to_string(&less).unwrap();
        let path = world.folder.path().join("features.csv");
        std::fs::write(&path, text.replacen("state", "other", 1)).unwrap();
        path
    }] {
        let judgement = world.judge(&path, &["snips", "dr"], more());
        assert_eq!(judgement.propensities, Some(Propensity::Estimated));
        for (estimate, logged) in judgement.estimates.iter().zip(&logged.estimates) {
            let (value, error) = (estimate.value.unwrap(), logged.standard_error.unwrap());
            assert!(
                (value - world.truth).abs() < 4.0 * error,
                "{estimate:?} {}",
                world.truth
            );
        }
        let note = judgement
            .notes
            .iter()
            .find(|n| n.contains("ESTIMATED"))
            .unwrap();
        assert!(note.contains("nothing may be promoted"), "{note}");
        // Weights of right probabilities average one.
        assert!((judgement.weights.unwrap().mean - 1.0).abs() < 0.05);
    }
    // Without the wish they are missed by name.
    let judgement = world.judge(&less, &["ips", "dm"], TableOptions::default());
    let reason = judgement.estimates[0].refused.as_deref().unwrap();
    assert!(reason.contains("no `propensity`"), "{reason}");
    assert!(judgement.estimates[1].value.is_some());
}

#[test]
fn parameters_are_chosen_by_the_data() {
    let world = world(3000, 4);
    for (name, rule) in [("cips", "SLOPE"), ("dros:mse", "estimated squared error")] {
        let judgement = world.judge(&world.path(), &[name, "ips"], TableOptions::default());
        let tuned = &judgement.estimates[0];
        assert!(tuned.parameter.is_some() && tuned.value.is_some());
        assert!(
            judgement.notes.iter().any(|n| n.contains(rule)),
            "{:?}",
            judgement.notes
        );
        // Largest weights are about 5: nothing is gained by cutting them hard, and the value stays near.
        let error = judgement.estimates[1].standard_error.unwrap();
        assert!(
            (tuned.value.unwrap() - world.truth).abs() < 5.0 * error,
            "{tuned:?}"
        );
    }
}

#[test]
fn hidden_reasons_widen_the_value_as_far_as_they_may() {
    let world = world(500, 5);
    let mut before = (f64::INFINITY, f64::NEG_INFINITY);
    for gamma in [1.0, 1.5, 3.0] {
        let more = TableOptions {
            gamma: Some(gamma),
            ..TableOptions::default()
        };
        let judgement = world.judge(&world.path(), &["snips"], more);
        let bounds = judgement.sensitivity.unwrap();
        if gamma == 1.0 {
            let value = judgement.estimates[0].value.unwrap();
            assert!((bounds.lower - value).abs() < 1e-9 && (bounds.upper - value).abs() < 1e-9);
        } else {
            assert!(bounds.lower < before.0 && bounds.upper > before.1);
        }
        before = (bounds.lower, bounds.upper);
    }
}

#[test]
fn the_spread_of_a_fitted_mean_is_that_over_fresh_logs() {
    // 120 fresh logs: the reported standard error of `dm` is the standard deviation of its values, which 120 draws tell to
    // 6.5 % (1/√240).
    for (kind, rows) in [(ModelKind::Ridge, 400), (ModelKind::Tabular, 1200)] {
        let (mut values, mut errors) = (Vec::new(), 0.0);
        for log in 0..120 {
            let world = world(rows, 100 + log);
            let more = TableOptions {
                model: Some(kind),
                ..TableOptions::default()
            };
            let judged = world.judge(&world.path(), &["dm"], more);
            values.push(judged.estimates[0].value.unwrap());
            errors += judged.estimates[0].standard_error.unwrap() / 120.0;
        }
        let mean = values.iter().sum::<f64>() / 120.0;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let spread = (squares / 119.0).sqrt();
        assert!(
            (errors / spread - 1.0).abs() < 0.2,
            "{kind:?} {errors} {spread}"
        );
    }
}
