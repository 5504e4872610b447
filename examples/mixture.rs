//! Which weights over the bets serve which differences: every mixture is read off the same runs.
//!
//! `cargo run --release --example mixture [RUNS]`; docs/statistics.md says what was chosen and why.

#![expect(clippy::print_stdout, reason = "a study prints its tables")]

#[expect(dead_code, reason = "the studies of honesty and power use the rest")]
mod studies;

use rayon::prelude::*;
use studies::{LOOK, World, block, percent, stream};
use tierwise::stats::Alpha;
use tierwise::stats::eprocess::{BETS, Mixture, RateWealth, RunningOutlook, Side, log_mixture};

/// Lifts of the targets, and the mean arrivals of GrowthBook's rule in the study of power with 2,000 runs.
const LIFTS: [(f64, f64, f64); 5] = [
    (0.10, 0.115, 18_042.0),
    (0.10, 0.124, 7607.0),
    (0.10, 0.13, 5325.0),
    (0.02, 0.025, 43_589.0),
    (0.30, 0.34, 5456.0),
];
const MOST: u32 = 400_000;
const RAMP: u32 = 20_000;

/// Centre κ, its spread on the log scale, and the part spread evenly.
const MIXTURES: [(f64, f64, f64); 12] = [
    (0.12, 0.4, 0.1),
    (0.12, 0.4, 0.05),
    (0.12, 0.3, 0.1),
    (0.12, 0.3, 0.05),
    (0.11, 0.4, 0.05),
    (0.11, 0.3, 0.1),
    (0.11, 0.3, 0.05),
    (0.11, 0.2, 0.05),
    (0.10, 0.4, 0.05),
    (0.10, 0.3, 0.1),
    (0.10, 0.3, 0.05),
    (0.10, 0.2, 0.05),
];

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(2000);
    let mixtures: Vec<Mixture> = MIXTURES
        .iter()
        .map(|(centre, spread, even)| Mixture::new(*centre, *spread, *even))
        .chain(oracle())
        .collect();
    let mut ratios = vec![0.0; mixtures.len()];
    for (study, (control, treatment, theirs)) in LIFTS.into_iter().enumerate() {
        let world = World {
            share: &|_| 0.5,
            control: &|_| control,
            treatment: &|_| treatment,
        };
        let study = 1000 + study as u64;
        let calls: Vec<Vec<Option<u32>>> = (0..runs)
            .into_par_iter()
            .map(|seed| calls(&mixtures, &world, study, seed, MOST))
            .collect();
        for (place, ratio) in ratios.iter_mut().enumerate() {
            let sum: f64 = calls
                .iter()
                .map(|call| f64::from(call[place].unwrap_or(MOST)))
                .sum();
            *ratio += (sum / runs as f64 / theirs).ln() / LIFTS.len() as f64;
        }
    }
    let drift = |arrival: u32| 0.06 + 0.04 * f64::from(arrival) / f64::from(RAMP);
    let ramp = |arrival: u32| match arrival / (RAMP / 10) {
        0 => 0.01,
        1 => 0.05,
        2 => 0.25,
        _ => 0.5,
    };
    let found = |lift: f64, study: u64| -> Vec<usize> {
        let better = move |arrival: u32| lift * drift(arrival);
        let world = World {
            share: &ramp,
            control: &drift,
            treatment: &better,
        };
        let calls: Vec<Vec<Option<u32>>> = (0..runs)
            .into_par_iter()
            .map(|seed| calls(&mixtures, &world, study, seed, RAMP))
            .collect();
        (0..mixtures.len())
            .map(|place| calls.iter().filter(|call| call[place].is_some()).count())
            .collect()
    };
    let (winners, alike) = (found(1.15, 1100), found(1.0, 1101));
    let small = {
        let world = World {
            share: &|_| 0.5,
            control: &|_| 0.10,
            treatment: &|_| 0.105,
        };
        let runs = runs.min(200);
        let calls: Vec<Vec<Option<u32>>> = (0..runs)
            .into_par_iter()
            .map(|seed| calls(&mixtures, &world, 1400, seed, MOST))
            .collect();
        move |place: usize| {
            let sum: f64 = calls
                .iter()
                .map(|call| f64::from(call[place].unwrap_or(MOST)))
                .sum();
            sum / runs as f64
        }
    };
    println!("Promotion by mixture; {runs} runs\n");
    println!(
        "| κ | spread | even | arrivals against GrowthBook, geometric mean | +15 % found in the ramp of {RAMP} | A/A promoted in it | arrivals at 10.0 → 10.5 % |"
    );
    println!("|---|---|---|---|---|---|---|");
    for place in 0..mixtures.len() {
        let label = MIXTURES.get(place).map_or_else(
            || format!("single bet κ = {:.3} | |", ORACLES[place - MIXTURES.len()]),
            |(centre, spread, even)| format!("{centre} | {spread} | {even}"),
        );
        println!(
            "| {label} | {:.3} | {} | {} | {:.0} |",
            ratios[place].exp(),
            percent(winners[place], runs as usize),
            percent(alike[place], runs as usize),
            small(place)
        );
    }
}

/// κ of single bets: what no mixture can be expected to beat by much.
const ORACLES: [f64; 5] = [0.07, 0.083, 0.10, 0.12, 0.14];

/// Mixtures with all their weight on the bet nearest to κ.
fn oracle() -> impl Iterator<Item = Mixture> {
    ORACLES.into_iter().map(|kappa| {
        let mut mixture = Mixture::new(kappa, 0.4, 0.0);
        let distance = |k: f64| (k / kappa).ln().abs();
        let nearest = (0..BETS)
            .min_by(|a, b| distance(mixture.kappa[*a]).total_cmp(&distance(mixture.kappa[*b])))
            .unwrap_or(0);
        mixture.log_weight = [f64::NEG_INFINITY; BETS];
        mixture.log_weight[nearest] = 0.0;
        mixture
    })
}

/// When each mixture promotes: all share the bets, and differ in their weights alone.
fn calls(
    mixtures: &[Mixture],
    world: &World<'_>,
    study: u64,
    seed: u64,
    most: u32,
) -> Vec<Option<u32>> {
    let mut rng = stream(study, seed);
    let threshold = Alpha::FIVE_PERCENT.split(2).log_threshold();
    let mut outlook = RunningOutlook::default();
    let mut wealth = RateWealth::new(Side::Promote, 1.0);
    let mut called = vec![None; mixtures.len()];
    let mut start = 0;
    while start < most && called.iter().any(Option::is_none) {
        let block = block(&mut rng, world, start);
        start += LOOK;
        wealth.place(block.share, outlook.current(), Mixture::standard());
        wealth.fold_counts(block.control, block.treatment);
        let bets = wealth.log_wealth();
        if bets.iter().copied().fold(f64::MIN, f64::max) >= threshold {
            for (called, mixture) in called.iter_mut().zip(mixtures) {
                if called.is_none() && log_mixture(&mixture.log_weight, bets) >= threshold {
                    *called = Some(start);
                }
            }
        }
        let ones = (block.control.conversions + block.treatment.conversions) as f64;
        outlook.observe(block.units() as f64, ones, ones);
    }
    called
}
