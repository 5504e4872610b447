//! What choosing among candidates costs and brings: over many small logs, how often each way of choosing leaves the logging
//! policy for one that is truly worse (harm), and what it gains on average.
//!
//!     cargo run --release -p tierwise-policies --example harm_and_gain -- [TRIALS]
//!
//! Worlds: four normal features, three actions, rewards of 0 or 1 with logistic means of a strength; the logging policy is
//! naive, decent or good. Twenty candidates: softmax policies whose scores are the world's, more or less, and noise. The
//! reward model is a ridge regression an action, cross-fitted in five folds.

#![expect(clippy::print_stdout, reason = "an example, run by hand")]

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use tierwise_policies::ope::select::{Decision, SelectionPlan, TermSums, select};
use tierwise_policies::ope::{BootstrapPlan, normal_quantile};

const FEATURES: usize = 5;
const ACTIONS: usize = 3;
const CANDIDATES: usize = 20;

type Scores = [[f64; FEATURES]; ACTIONS];

fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
    let (u, v): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn scores(rng: &mut Xoshiro256PlusPlus, scale: f64) -> Scores {
    std::array::from_fn(|_| std::array::from_fn(|_| scale * normal(rng)))
}

/// a · x + b · y, entry by entry.
fn mixed(a: f64, x: &Scores, b: f64, y: &Scores) -> Scores {
    std::array::from_fn(|i| std::array::from_fn(|j| a * x[i][j] + b * y[i][j]))
}

fn context(rng: &mut Xoshiro256PlusPlus) -> [f64; FEATURES] {
    std::array::from_fn(|j| if j == 0 { 1.0 } else { normal(rng) })
}

fn dot(a: &[f64; FEATURES], b: &[f64; FEATURES]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn policy(weights: &Scores, x: &[f64; FEATURES], floor: f64) -> [f64; ACTIONS] {
    let raw: [f64; ACTIONS] = std::array::from_fn(|a| dot(&weights[a], x).exp());
    let sum: f64 = raw.iter().sum();
    raw.map(|p| floor / ACTIONS as f64 + (1.0 - floor) * p / sum)
}

struct Row {
    x: [f64; FEATURES],
    action: usize,
    propensity: f64,
    reward: f64,
}

/// Ridge regression with a penalty of one, by Gaussian elimination.
fn ridge(rows: &[&Row]) -> [f64; FEATURES] {
    let mut system = [[0.0; FEATURES + 1]; FEATURES];
    for (i, equation) in system.iter_mut().enumerate() {
        equation[i] = 1.0;
        for row in rows {
            for (j, cell) in equation.iter_mut().enumerate() {
                *cell += row.x[i] * row.x.get(j).copied().unwrap_or(row.reward);
            }
        }
    }
    for i in 0..FEATURES {
        let lead = system[i];
        for (j, equation) in system.iter_mut().enumerate() {
            if j != i {
                let factor = equation[i] / lead[i];
                for (cell, top) in equation.iter_mut().zip(&lead) {
                    *cell -= factor * top;
                }
            }
        }
    }
    std::array::from_fn(|i| system[i][FEATURES] / system[i][i])
}

/// True gain of the choice of each method, none where the logging policy stays.
fn trial(seed: u64, rows: usize, strength: f64, skill: f64) -> [Option<f64>; 5] {
    let rng = &mut Xoshiro256PlusPlus::seed_from_u64(seed);
    let world = scores(rng, strength);
    let mean = |x: &[f64; FEATURES], a: usize| 1.0 / (1.0 + (-dot(&world[a], x)).exp());
    let noise = scores(rng, 0.4);
    let logging = mixed(skill, &world, 1.0, &noise);
    let candidates: Vec<Scores> = (0..CANDIDATES)
        .map(|_| {
            let likeness = 1.2 / strength * (2.0 * rng.random::<f64>() - 0.5);
            let distortion = 0.4 + 2.6 * rng.random::<f64>();
            let noise = scores(rng, distortion);
            mixed(likeness, &world, 1.0, &noise)
        })
        .collect();
    let mut truth = [0.0; CANDIDATES];
    const FRESH: usize = 4000;
    for _ in 0..FRESH {
        let x = context(rng);
        let value = |p: [f64; ACTIONS]| (0..ACTIONS).map(|a| p[a] * mean(&x, a)).sum::<f64>();
        let base = value(policy(&logging, &x, 0.2));
        for (sum, candidate) in truth.iter_mut().zip(&candidates) {
            *sum += (value(policy(candidate, &x, 0.1)) - base) / FRESH as f64;
        }
    }
    let log: Vec<Row> = (0..rows)
        .map(|_| {
            let x = context(rng);
            let p = policy(&logging, &x, 0.2);
            let u: f64 = rng.random();
            let action = usize::from(u > p[0]) + usize::from(u > p[0] + p[1]);
            let reward = f64::from(u8::from(rng.random::<f64>() < mean(&x, action)));
            Row {
                x,
                action,
                propensity: p[action],
                reward,
            }
        })
        .collect();
    let models: Vec<Scores> = (0..5)
        .map(|fold| {
            std::array::from_fn(|a| {
                let others = log.iter().enumerate().filter(|(i, _)| i % 5 != fold);
                let own: Vec<&Row> = others.map(|(_, r)| r).filter(|r| r.action == a).collect();
                ridge(&own)
            })
        })
        .collect();
    let mut sums = TermSums::new(CANDIDATES);
    let (mut ips, mut dr, mut squares) = ([0.0; CANDIDATES], [0.0; CANDIDATES], [0.0; CANDIDATES]);
    for (i, row) in log.iter().enumerate() {
        let model = &models[i % 5];
        let q: [f64; ACTIONS] = std::array::from_fn(|a| dot(&model[a], &row.x));
        let residual = row.reward - q[row.action];
        let base = {
            let p = policy(&logging, &row.x, 0.2);
            (0..ACTIONS).map(|a| p[a] * q[a]).sum::<f64>() + residual
        };
        let differences: [f64; CANDIDATES] = std::array::from_fn(|c| {
            let p = policy(&candidates[c], &row.x, 0.1);
            let w = p[row.action] / row.propensity;
            ips[c] += w * row.reward - row.reward;
            let direct: f64 = (0..ACTIONS).map(|a| p[a] * q[a]).sum();
            direct + w * residual - base
        });
        for c in 0..CANDIDATES {
            dr[c] += differences[c];
            squares[c] += differences[c].powi(2);
        }
        sums.add(&differences);
    }
    let n = rows as f64;
    let highest = |values: &[f64; CANDIDATES]| {
        let best = (0..CANDIDATES).max_by(|a, b| values[*a].total_cmp(&values[*b]));
        best.filter(|c| values[*c] > 0.0).map(|c| truth[c])
    };
    // The plain gate: two-sided 95 % intervals, corrected by Bonferroni.
    let plain = |error: f64| {
        let z = normal_quantile(1.0 - 2.0 * error / CANDIDATES as f64);
        let bound: [f64; CANDIDATES] = std::array::from_fn(|c| {
            let mean = dr[c] / n;
            mean - z * ((squares[c] / n - mean * mean) / (n - 1.0)).sqrt()
        });
        highest(&bound)
    };
    let gate = |level: f64| {
        let plan = SelectionPlan {
            level,
            judged_before: 0,
            bootstrap: BootstrapPlan {
                resamples: 1000,
                seed: 1,
            },
        };
        match select(&sums, plan).map(|s| s.decision) {
            Ok(Decision::Promote { candidate }) => Some(truth[candidate]),
            _ => None,
        }
    };
    [
        highest(&ips),
        highest(&dr),
        plain(0.025),
        gate(0.975),
        gate(0.95),
    ]
}

fn main() {
    let trials = std::env::args()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(400_u64);
    println!("{trials} logs a row; harm % / mean gain, in thousandths of reward\n");
    println!(
        "| rows | rewards | logging | highest IPS | highest DR | plain gate | gate, 97.5 % | gate, 95 % | gain / plain |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    let mut totals = [[0.0; 2]; 5];
    for rows in [300, 1000] {
        for (rewards, strength) in [("weak", 0.1), ("strong", 0.25)] {
            for (logging, skill) in [("naive", 0.0), ("decent", 1.0), ("good", 3.0)] {
                let results: Vec<[Option<f64>; 5]> = (0..trials)
                    .into_par_iter()
                    .map(|t| trial(t * 7919 + rows as u64, rows, strength, skill))
                    .collect();
                let cell = |method: usize| {
                    let gains = results.iter().filter_map(|r| r[method]);
                    let gain = 1000.0 * gains.clone().sum::<f64>() / trials as f64;
                    let harm = 100.0 * gains.filter(|g| *g < 0.0).count() as f64 / trials as f64;
                    [harm, gain]
                };
                let cells: [[f64; 2]; 5] = std::array::from_fn(cell);
                if rows == 300 {
                    for (total, cell) in totals.iter_mut().zip(&cells) {
                        total[0] += cell[0] / 6.0;
                        total[1] += cell[1] / 6.0;
                    }
                }
                print(&format!("{rows} | {rewards} | {logging}"), &cells);
            }
        }
    }
    print("300 | all | all", &totals);
}

fn print(name: &str, cells: &[[f64; 2]; 5]) {
    let shown: Vec<String> = cells
        .iter()
        .map(|[harm, gain]| format!("{harm:.1} / {gain:+.1}"))
        .collect();
    println!(
        "| {name} | {} | {:.2} |",
        shown.join(" | "),
        cells[4][1] / cells[2][1]
    );
}
