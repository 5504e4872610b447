//! A Thompson-sampling policy judged on the random log of the Open Bandit Dataset (Saito et al. 2021).
//!
//!     cargo run --release -p tierwise --example open_bandit -- [FOLDER]
//!
//! FOLDER holds `random/women/women.csv.gz` and `bts/women/women.csv.gz` as published; default: `../shared/data/open_bandit`.
//! The first half of the random log, by time, teaches Beta posteriors of each item's click rate at each position; the second
//! half judges the policy that samples from them and shows the three best. Its probabilities are those of ranks of
//! independent Beta variables, by quadrature:
//!
//! P(item i has rank k) = ∫ fᵢ(x) P(k − 1 of the others exceed x) dx.
//!
//! The policy of the second log cannot be judged from the first: it was updated as it went, and no file holds its parameters.
//! Its clicks are printed beside, as what it earned.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "an example, run by hand on a published file"
)]

use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

use statrs::distribution::{Beta, Continuous, ContinuousCDF};
use tierwise_policies::ope::table::Table;
use tierwise_policies::ope::{Method, TableOptions, judge_one_step};

const ITEMS: usize = 46;
const RANKS: usize = 3;
/// Nodes of the quadrature, by the midpoint rule.
const NODES: usize = 4000;
/// Click rates are far below one: the posteriors end here but for 10⁻⁹.
const LARGEST_RATE: f64 = 0.12;

struct Impression {
    item: usize,
    position: usize,
    click: bool,
    propensity: f64,
}

fn read(path: &Path) -> Vec<Impression> {
    let mut text = String::new();
    let file = std::fs::File::open(path)
        .unwrap_or_else(|error| panic!("{}: {error}; name the dataset's folder", path.display()));
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("the file is compressed text");
    text.lines()
        .skip(1)
        .map(|line| {
            let mut cells = line.split(',').skip(2);
            let mut next = || cells.next().expect("every row has all columns");
            let (item, position) = (next().parse().unwrap(), next().parse::<usize>().unwrap());
            Impression {
                item,
                position: position - 1,
                click: next() == "1",
                propensity: next().parse().unwrap(),
            }
        })
        .collect()
}

/// Beta(1 + clicks, 99 + the rest) of each item: a prior of one click in a hundred.
fn posteriors(log: &[Impression]) -> Vec<Beta> {
    (0..ITEMS)
        .map(|item| {
            let shown = log.iter().filter(|row| row.item == item);
            let (n, clicks) = shown.fold((0.0, 0.0), |(n, c), row| {
                (n + 1.0, c + f64::from(u8::from(row.click)))
            });
            Beta::new(1.0 + clicks, 99.0 + n - clicks).expect("both shapes are above zero")
        })
        .collect()
}

/// Probability of each rank and item; each rank's sum to one, as far as the quadrature goes.
fn ranks(posteriors: &[Beta]) -> [Vec<f64>; RANKS] {
    let mut all: [Vec<f64>; RANKS] = std::array::from_fn(|_| vec![0.0; ITEMS]);
    let width = LARGEST_RATE / NODES as f64;
    for node in 0..NODES {
        let x = (node as f64 + 0.5) * width;
        let above: Vec<f64> = posteriors.iter().map(|p| 1.0 - p.cdf(x)).collect();
        for (item, posterior) in posteriors.iter().enumerate() {
            // P(so many of the others exceed x), by adding one after the other.
            let mut exceed = [1.0, 0.0, 0.0];
            for (other, p) in above.iter().enumerate() {
                if other != item {
                    exceed[2] = exceed[2] * (1.0 - p) + exceed[1] * p;
                    exceed[1] = exceed[1] * (1.0 - p) + exceed[0] * p;
                    exceed[0] *= 1.0 - p;
                }
            }
            let density = posterior.pdf(x) * width;
            for (rank, share) in all.iter_mut().zip(exceed) {
                rank[item] += density * share;
            }
        }
    }
    all
}

fn main() {
    let folder = std::env::args().nth(1).map_or_else(
        || PathBuf::from("../shared/data/open_bandit"),
        PathBuf::from,
    );
    let random = read(&folder.join("random/women/women.csv.gz"));
    let sampled = read(&folder.join("bts/women/women.csv.gz"));
    let rate = |log: &[Impression]| {
        let clicks = log.iter().filter(|row| row.click).count();
        (clicks, 100.0 * clicks as f64 / log.len() as f64)
    };
    for (name, log) in [("random", &random), ("Thompson sampling", &sampled)] {
        let (clicks, percent) = rate(log);
        println!(
            "{name} log: {} rows, {clicks} clicks, {percent:.3} %",
            log.len()
        );
    }
    let (past, future) = random.split_at(random.len() / 2);
    let ranks = ranks(&posteriors(past));
    for (rank, probabilities) in ranks.iter().enumerate() {
        let sum: f64 = probabilities.iter().sum();
        assert!((sum - 1.0).abs() < 1e-6, "rank {rank} sums to {sum}");
    }
    let mut text = "action,propensity,reward,state".to_owned();
    for item in 0..ITEMS {
        write!(text, ",pi{item}").unwrap();
    }
    text.push('\n');
    for row in future {
        write!(
            text,
            "{},{},{},{}",
            row.item,
            row.propensity,
            u8::from(row.click),
            row.position
        )
        .unwrap();
        let probabilities = &ranks[row.position];
        let sum: f64 = probabilities.iter().sum();
        for p in probabilities {
            write!(text, ",{}", p / sum).unwrap();
        }
        text.push('\n');
    }
    let written = tempfile::tempdir().expect("a folder for the table");
    let path = written.path().join("open_bandit.csv");
    std::fs::write(&path, text).expect("the table is written");
    let options = TableOptions {
        estimators: ["ips", "snips", "dm", "dr", "sndr"]
            .map(|name| name.parse().unwrap())
            .to_vec(),
        interval: Method::Bootstrap,
        ..TableOptions::default()
    };
    let judged = judge_one_step(&Table::open(&path).unwrap(), &options).unwrap();
    let weights = judged.weights.unwrap();
    let (clicks, percent) = rate(future);
    println!(
        "judged on {} random rows with {clicks} clicks ({percent:.3} %); effective sample size {:.0}\n",
        future.len(),
        weights.effective_sample_size
    );
    println!("| estimator | click rate % | 95 % interval |\n|---|---|---|");
    for e in &judged.estimates {
        match (e.value, e.interval) {
            (Some(value), Some(i)) => println!(
                "| `{}` | {:.3} | {:.3} to {:.3} |",
                e.estimator,
                100.0 * value,
                100.0 * i.lower,
                100.0 * i.upper
            ),
            _ => println!(
                "| `{}` | refused | {} |",
                e.estimator,
                e.refused.as_deref().unwrap_or("no interval")
            ),
        }
    }
}
