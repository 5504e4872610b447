//! How often intervals hold the truth: fresh logs of a world that is known exactly, judged as users judge theirs.
//!
//!     cargo run --release -p tierwise-policies --example coverage -- [LOGS] [ROWS]
//!
//! One step: eight contexts, four actions, rewards of 0 or 1; the reward model of the columns `q…` is the truth distorted by
//! a tenth. Sequences: the same contexts as states, one to four steps an episode. Then both once more with a model that is
//! fitted here, by state: `dm` and `dr` by it. Prints one row an estimator: the share of
//! 95 % intervals that hold the true value, by method, and the mean width in units of that of `dr`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example, run by hand"
)]

use std::fmt::Write;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use tierwise_policies::ope::model::ModelKind;
use tierwise_policies::ope::table::Table;
use tierwise_policies::ope::{
    BootstrapPlan, Method, SequenceOptions, TableJudgement, TableOptions, judge_one_step,
    judge_sequential,
};

const CONTEXTS: usize = 8;
const ACTIONS: usize = 4;

type Grid = [[f64; ACTIONS]; CONTEXTS];

struct World {
    truth: Grid,
    model: Grid,
    logging: Grid,
    target: Grid,
}

fn world() -> World {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    let mut grid = |f: &dyn Fn(f64) -> f64| -> Grid {
        std::array::from_fn(|_| std::array::from_fn(|_| f(rng.random())))
    };
    let truth = grid(&|u| 0.1 + 0.8 * u);
    let distortion = grid(&|u| 0.2 * (u - 0.5));
    let policy = |scores: Grid, floor: f64| -> Grid {
        scores.map(|row| {
            let sum: f64 = row.iter().map(|s| s.exp()).sum();
            row.map(|s| floor / ACTIONS as f64 + (1.0 - floor) * s.exp() / sum)
        })
    };
    let logging = policy(grid(&|u| 2.0 * u), 0.2);
    let better = std::array::from_fn(|x| std::array::from_fn(|a| 5.0 * truth[x][a]));
    World {
        model: std::array::from_fn(|x| std::array::from_fn(|a| truth[x][a] + distortion[x][a])),
        target: policy(better, 0.1),
        truth,
        logging,
    }
}

fn draw(rng: &mut Xoshiro256PlusPlus, p: &[f64]) -> usize {
    let mut u: f64 = rng.random();
    for (i, p) in p.iter().enumerate() {
        u -= p;
        if u < 0.0 {
            return i;
        }
    }
    p.len() - 1
}

fn listed(row: &[f64]) -> String {
    row.iter().map(|p| format!(",{p}")).collect()
}

fn head() -> String {
    (0..ACTIONS)
        .map(|a| format!(",pi{a}"))
        .chain((0..ACTIONS).map(|a| format!(",q{a}")))
        .collect::<String>()
        + "\n"
}

impl World {
    /// Value of the target policy of one step: contexts are equally likely.
    fn value(&self) -> f64 {
        (0..CONTEXTS).map(|x| self.mean(x)).sum::<f64>() / CONTEXTS as f64
    }

    fn mean(&self, x: usize) -> f64 {
        (0..ACTIONS)
            .map(|a| self.target[x][a] * self.truth[x][a])
            .sum()
    }

    fn log(&self, rng: &mut Xoshiro256PlusPlus, rows: usize) -> String {
        let mut text = format!("state,action,propensity,reward{}", head());
        for _ in 0..rows {
            let x = rng.random_range(0..CONTEXTS);
            let a = draw(rng, &self.logging[x]);
            let r = u8::from(rng.random::<f64>() < self.truth[x][a]);
            let rest = listed(&self.target[x]) + &listed(&self.model[x]);
            writeln!(text, "{x},{a},{},{r}{rest}", self.logging[x][a]).unwrap();
        }
        text
    }

    /// Episodes: after each step the next context is (context + action + 1) mod 8, an episode goes on with probability 2/3,
    /// and for four steps at most.
    fn episodes(&self, rng: &mut Xoshiro256PlusPlus, episodes: usize) -> String {
        let q = self.q();
        let mut text = format!("state,episode,t,action,propensity,reward,done{}", head());
        for episode in 0..episodes {
            let mut x = rng.random_range(0..CONTEXTS);
            for (t, q) in q.iter().enumerate() {
                let a = draw(rng, &self.logging[x]);
                let r = u8::from(rng.random::<f64>() < self.truth[x][a]);
                let done = t == 3 || rng.random::<f64>() > 2.0 / 3.0;
                let rest = listed(&self.target[x]) + &listed(&q[x]);
                writeln!(
                    text,
                    "{},{episode},{t},{a},{},{r},{}{rest}",
                    x + CONTEXTS * t,
                    self.logging[x][a],
                    u8::from(done)
                )
                .unwrap();
                x = (x + a + 1) % CONTEXTS;
                if done {
                    break;
                }
            }
        }
        text
    }

    /// The given model of each step: the distorted reward and what the target policy earns after it.
    fn q(&self) -> [Grid; 4] {
        let mut q = [self.model; 4];
        for t in (0..3).rev() {
            let v = self.values(&q[t + 1]);
            q[t] = std::array::from_fn(|x| {
                std::array::from_fn(|a| self.model[x][a] + 2.0 / 3.0 * v[(x + a + 1) % CONTEXTS])
            });
        }
        q
    }

    fn values(&self, q: &Grid) -> [f64; CONTEXTS] {
        std::array::from_fn(|x| (0..ACTIONS).map(|a| self.target[x][a] * q[x][a]).sum())
    }

    fn sequential_value(&self) -> f64 {
        let mut v = [0.0; CONTEXTS];
        for _ in 0..4 {
            let q: Grid = std::array::from_fn(|x| {
                std::array::from_fn(|a| self.truth[x][a] + 2.0 / 3.0 * v[(x + a + 1) % CONTEXTS])
            });
            v = self.values(&q);
        }
        v.iter().sum::<f64>() / CONTEXTS as f64
    }
}

const ONE_STEP: [&str; 9] = [
    "ips", "snips", "dr", "sndr", "switch:2", "dros:10", "cdr:2", "cips:2", "mrdr",
];
const SEQUENTIAL: [&str; 7] = ["dr", "tis", "pdis", "sntis", "snpdis", "wdr", "dm"];

/// With the model fitted here.
const FITTED: [&str; 2] = ["dr", "dm"];

fn judge(path: &Path, sequential: bool, fitted: bool, interval: Method) -> TableJudgement {
    let table = Table::open(path).unwrap();
    let bootstrap = BootstrapPlan {
        resamples: 400,
        seed: 1,
    };
    let model = fitted.then_some(ModelKind::Tabular);
    let names = names(sequential, fitted);
    if sequential {
        let options = TableOptions {
            estimators: names.iter().map(|n| n.parse().unwrap()).collect(),
            interval,
            bootstrap,
            model,
            ..TableOptions::default()
        };
        judge_sequential(&table, &options, SequenceOptions::default()).unwrap()
    } else {
        let options = TableOptions {
            estimators: names.iter().map(|n| n.parse().unwrap()).collect(),
            interval,
            bootstrap,
            model,
            ..TableOptions::default()
        };
        judge_one_step(&table, &options).unwrap()
    }
}

const fn names(sequential: bool, fitted: bool) -> &'static [&'static str] {
    match (sequential, fitted) {
        (_, true) => &FITTED,
        (true, false) => &SEQUENTIAL,
        (false, false) => &ONE_STEP,
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|n| n.parse().unwrap());
    let logs: u64 = arguments.next().unwrap_or(1000);
    let rows: usize = arguments.next().map_or(2000, |n| n as usize);
    let world = world();
    let folder = tempfile::tempdir().unwrap();
    for (sequential, fitted) in [(false, false), (true, false), (false, true), (true, true)] {
        let truth = if sequential {
            world.sequential_value()
        } else {
            world.value()
        };
        let names = names(sequential, fitted);
        println!(
            "{logs} logs of {rows} {}{}; true value {truth:.6}\n",
            if sequential { "episodes" } else { "rows" },
            if fitted { ", model fitted here" } else { "" }
        );
        println!(
            "| estimator | normal | bootstrap | width / `dr`'s | mean error |\n|---|---|---|---|---|"
        );
        // For each log: hit by normal, hit by bootstrap, width, error, of each estimator.
        let results: Vec<Vec<[f64; 4]>> = (0..logs)
            .into_par_iter()
            .map(|log| {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(1000 + log);
                let path = folder.path().join(format!("{log}.csv"));
                let text = if sequential {
                    world.episodes(&mut rng, rows)
                } else {
                    world.log(&mut rng, rows)
                };
                std::fs::write(&path, text).unwrap();
                let normal = judge(&path, sequential, fitted, Method::Normal);
                let resampled = judge(&path, sequential, fitted, Method::Bootstrap);
                std::fs::remove_file(&path).unwrap();
                normal
                    .estimates
                    .iter()
                    .zip(&resampled.estimates)
                    .map(|(n, b)| {
                        let (i, j) = (n.interval.unwrap(), b.interval.unwrap());
                        let holds = |low, high| f64::from(u8::from(low <= truth && truth <= high));
                        [
                            holds(i.lower, i.upper),
                            holds(j.lower, j.upper),
                            i.upper - i.lower,
                            n.value.unwrap() - truth,
                        ]
                    })
                    .collect()
            })
            .collect();
        let mean = |estimator: usize, what: usize| {
            results.iter().map(|r| r[estimator][what]).sum::<f64>() / logs as f64
        };
        let dr = names.iter().position(|n| *n == "dr").unwrap();
        for (i, name) in names.iter().enumerate() {
            println!(
                "| `{name}` | {:.1} % | {:.1} % | {:.2} | {:+.4} |",
                100.0 * mean(i, 0),
                100.0 * mean(i, 1),
                mean(i, 2) / mean(dr, 2),
                mean(i, 3)
            );
        }
        println!();
    }
}
