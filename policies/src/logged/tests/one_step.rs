//! Learners of single decisions.

use std::fmt::Write;

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{learned, opened, probabilities, refusal, settings};
use crate::logged::features::FeatureKind;
use crate::logged::{Learner, LinearPolicy, LoggedPolicy, learn};
use crate::ope::table::Rows;

const DIRECT: Learner = Learner::Direct {
    features: FeatureKind::Linear,
    ridge: 0.0,
};
const IPS: Learner = Learner::Ips {
    features: FeatureKind::Linear,
    ridge: 0.0,
};
const DR: Learner = Learner::Dr {
    features: FeatureKind::Linear,
    ridge: 0.0,
};

fn linear(text: &str, learner: Learner) -> LinearPolicy {
    match learned(text, learner).unwrap().policy {
        LoggedPolicy::Linear { policy } => policy,
        LoggedPolicy::Finite { .. } => panic!("a policy of features"),
    }
}

/// Four rows at x = 0 and 1, two actions.
const FOUR: &str = "action,propensity,reward,x0
0,0.5,1,0
0,0.25,3,1
1,0.5,2,0
1,0.75,5,1
";

#[test]
fn scores_of_four_rows_are_those_worked_out_by_hand() {
    // Two values of x and two coefficients: each fit passes through the mean of its targets at 0 and at 1.
    let direct = linear(FOUR, DIRECT);
    // At x = 0 the targets of action 0 are 1/0.5 and 0, of action 1 they are 0 and 2/0.5; at 1, 3/0.25 and 0, 0 and 5/0.75.
    let ips = linear(FOUR, IPS);
    for (x, direct_scores, ips_scores) in [
        (0.0, [1.0, 2.0], [1.0, 2.0]),
        (1.0, [3.0, 5.0], [6.0, 10.0 / 3.0]),
    ] {
        for a in 0..2 {
            assert!((direct.scores(&[x])[a] - direct_scores[a]).abs() < 1e-9);
            assert!((ips.scores(&[x])[a] - ips_scores[a]).abs() < 1e-9);
        }
    }
}

#[test]
fn where_an_action_was_forbidden_its_target_is_not_zero() {
    // The second row at x = 0 could not have taken action 0: one target of action 0 is left there, 1/0.5.
    let text = "action,propensity,reward,x0,mask0,mask1
0,0.5,1,0,1,1
0,0.25,3,1,1,1
1,1,2,0,0,1
1,0.75,5,1,1,1
";
    let ips = linear(text, IPS);
    assert!((ips.scores(&[0.0])[0] - 2.0).abs() < 1e-9);
    assert!((ips.scores(&[0.0])[1] - 1.0).abs() < 1e-9);
    let dr = linear(text, DR);
    assert!(dr.scores(&[1.0]).iter().all(|score| score.is_finite()));
}

struct World {
    text: String,
    contexts: Vec<f64>,
    best: Vec<usize>,
}

/// Rewards r = mean(x, a) + noise, where a policy that prefers action 0 for large x wrote the log.
fn world(n: usize, seed: u64, mean: impl Fn(f64, f64, usize) -> f64) -> World {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut text = "action,propensity,reward,x0,x1\n".to_owned();
    for _ in 0..n {
        let (x, y) = (
            4.0 * rng.random::<f64>() - 2.0,
            4.0 * rng.random::<f64>() - 2.0,
        );
        let p = 0.1 + 0.8 / (1.0 + (-2.0 * x).exp());
        let action = usize::from(rng.random::<f64>() >= p);
        let propensity = if action == 0 { p } else { 1.0 - p };
        let reward = mean(x, y, action) + rng.random::<f64>() - 0.5;
        writeln!(text, "{action},{propensity},{reward},{x},{y}").unwrap();
    }
    let contexts: Vec<f64> = (0..400)
        .flat_map(|i| [f64::from(i % 20) / 5.0 - 1.9, f64::from(i / 20) / 5.0 - 1.9])
        .collect();
    let best = contexts
        .chunks_exact(2)
        .map(|c| usize::from(mean(c[0], c[1], 1) > mean(c[0], c[1], 0)))
        .collect();
    World {
        text,
        contexts,
        best,
    }
}

/// Share of contexts in which the learner takes the better action.
fn agreement(world: &World, learner: Learner) -> f64 {
    let policy = learned(&world.text, learner).unwrap().policy;
    let rows = Rows {
        action: vec![0; world.best.len()],
        features: world.contexts.clone(),
        ..Rows::default()
    };
    let p = probabilities(&policy, &rows);
    let right = world
        .best
        .iter()
        .enumerate()
        .filter(|(i, a)| p[2 * i + **a] == 1.0);
    right.count() as f64 / world.best.len() as f64
}

#[test]
fn a_linear_world_is_recovered_by_all_three() {
    let linear = world(
        4000,
        3,
        |x, y, a| if a == 0 { 0.4 * x } else { 0.5 * y - 0.2 },
    );
    for learner in [DIRECT, IPS, DR] {
        let share = agreement(&linear, learner);
        assert!(share > 0.93, "{}: {share}", learner.name());
    }
}

#[test]
fn a_quadratic_world_needs_products() {
    let curved = world(4000, 4, |x, y, a| {
        if a == 0 {
            0.5 * x * y
        } else {
            0.3 * x * x - 0.4
        }
    });
    let quadratic = Learner::Dr {
        features: FeatureKind::Quadratic,
        ridge: 1.0,
    };
    assert!(agreement(&curved, quadratic) > 0.93);
    assert!(agreement(&curved, DR) < 0.75);
}

/// Outside the model the target of cost-sensitive learners is the best fit over all contexts, whoever logged them; the
/// direct method's is the best fit where the log took the action.
#[test]
fn a_wrong_model_is_fitted_where_customers_are_not_where_the_log_went() {
    let mean = |x: f64, _: f64, a: usize| if a == 0 { x * x } else { 0.0 };
    // The least squares line of x² over [−2, 2] uniform: slope 0, height 4/3.
    let text = world(40_000, 5, mean).text;
    let height = |learner| linear(&text, learner).scores(&[0.0, 0.0])[0];
    let slope = |learner| {
        let policy = linear(&text, learner);
        policy.scores(&[1.0, 0.0])[0] - policy.scores(&[0.0, 0.0])[0]
    };
    assert!((height(DR) - 4.0 / 3.0).abs() < 0.05, "{}", height(DR));
    assert!((height(IPS) - 4.0 / 3.0).abs() < 0.05, "{}", height(IPS));
    assert!(slope(DR).abs() < 0.05, "{}", slope(DR));
    // Action 0 was taken mostly at large x, where x² rises.
    assert!(slope(DIRECT) > 0.5, "{}", slope(DIRECT));
}

#[test]
fn a_feature_far_from_zero_costs_no_digits() {
    let near = world(500, 6, |x, y, a| if a == 0 { x } else { y });
    let far: String = near
        .text
        .lines()
        .enumerate()
        .map(|(i, line)| match line.rsplit_once(',') {
            Some((rest, y)) if i > 0 => {
                format!("{rest},{}\n", 1.0e9 + y.parse::<f64>().unwrap() * 64.0)
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let (near, far) = (linear(&near.text, DR), linear(&far, DR));
    for (x, y) in [(0.5, -1.0), (-1.5, 0.25)] {
        let (a, b) = (near.scores(&[x, y]), far.scores(&[x, 1.0e9 + 64.0 * y]));
        // What is left is the rounding of the column itself, 1e-7 of 64.
        assert!(
            (a[0] - b[0]).abs() < 1e-7 && (a[1] - b[1]).abs() < 1e-7,
            "{a:?} {b:?}"
        );
    }
}

#[test]
fn bad_tables_are_refused_in_words() {
    let head = "action,propensity,reward,x0\n";
    for (text, learner, reason) in [
        (
            "action,reward,x0\n0,1,2\n1,0,3\n",
            IPS,
            "no column `propensity`",
        ),
        (
            "action,reward,x0\n0,1,2\n1,0,3\n",
            DR,
            "`--learner direct`, which needs none",
        ),
        (
            "action,propensity,reward\n0,0.5,1\n1,0.5,0\n",
            DR,
            "no columns `x0`",
        ),
        (
            &format!("{head}0,0.5,1,2\n0,0.5,0,3\n"),
            DR,
            "every row took action 0",
        ),
        (
            &format!("{head}0,0.5,1,2\n1,0.5,0,2\n"),
            DR,
            "every feature (x0) has the same value",
        ),
        (
            &format!("{head}0,0.5,1,2\n1,0,0,3\n"),
            DR,
            "t.csv:3: `propensity` is 0;",
        ),
        (
            &format!("{head}0,0.5,1,2\n1,0.5,nan,3\n"),
            DR,
            "t.csv:3: `reward` is NaN",
        ),
        (
            &format!("{head}0,0.5,1,2\n1,0.5,1,\n"),
            DR,
            "t.csv:3: `x0` is empty",
        ),
        (
            &format!("{head}0,0.5,1,2\n1,0.5,1\n"),
            DR,
            "only 3 cells for 4 columns",
        ),
        (head, DR, "it has no rows"),
        (
            "action,propensity,reward,x0,mask0,mask1\n0,0.5,1,2,0,1\n",
            DR,
            "t.csv:2: `mask0` forbids the action that was taken",
        ),
        (
            "action,propensity,reward,x0,mask0,mask1\n0,0.5,1,2,0.5,1\n",
            DR,
            "`mask0` is 0.5",
        ),
        (
            "action,propensity,reward,x0,mask0,mask1\n2,0.5,1,2,1,1\n",
            DR,
            "the columns `mask…` end at `mask1`",
        ),
        (
            FOUR,
            Learner::Dr {
                features: FeatureKind::Linear,
                ridge: -1.0,
            },
            "`--ridge` is -1",
        ),
    ] {
        let error = refusal(text, learner);
        assert!(error.contains(reason), "{error}\nwants: {reason}");
    }
}

#[test]
fn more_regressors_than_can_be_solved_are_refused() {
    let columns: Vec<String> = (0..60).map(|j| format!("x{j}")).collect();
    let text = format!(
        "action,reward,{}\n0,1{}\n",
        columns.join(","),
        ",0.5".repeat(60)
    );
    let quadratic = Learner::Direct {
        features: FeatureKind::Quadratic,
        ridge: 1.0,
    };
    let error = refusal(&text, quadratic);
    assert!(
        error.contains("60 features make 1891 regressors"),
        "{error}"
    );
}

#[test]
fn the_same_bytes_come_out_on_any_number_of_threads() {
    let text = world(60_000, 8, |x, y, a| if a == 0 { x } else { y }).text;
    let (_folder, table) = opened(&text);
    let on = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| learn(&table, &settings(DR)).unwrap())
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

proptest! {
    #[test]
    fn forbidden_and_unknown_actions_get_nothing(
        mask in proptest::collection::vec(any::<bool>(), 4),
        x in -5.0..5.0_f64,
        theta in proptest::collection::vec(-1.0..1.0_f64, 8),
        known in proptest::collection::vec(any::<bool>(), 4),
    ) {
        prop_assume!(mask.iter().any(|m| *m));
        let policy = LoggedPolicy::Linear {
            policy: LinearPolicy {
                basis: crate::logged::Basis {
                    kind: FeatureKind::Linear,
                    mean: vec![0.0],
                    scale: vec![1.0],
                },
                coefficients: theta.chunks_exact(2).map(<[f64]>::to_vec).collect(),
                known: known.clone(),
            },
        };
        let rows = Rows {
            action: vec![0],
            features: vec![x],
            mask: mask.clone(),
            ..Rows::default()
        };
        let p = probabilities(&policy, &rows);
        prop_assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let any_known = (0..4).any(|a| mask[a] && known[a]);
        for a in 0..4 {
            prop_assert!(mask[a] || p[a] == 0.0);
            prop_assert!(known[a] || !any_known || p[a] == 0.0);
        }
    }
}
