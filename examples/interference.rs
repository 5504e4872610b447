//! Two policies over one pool of people: a user split names the wrong winner, a switchback the right one.
//!
//! `cargo run --release --example interference [RUNS]`; docs/statistics.md holds the table.
//!
//! The world is a small queue. Contacts arrive, some of them hard. The champion sends only hard ones to a person, the
//! challenger everyone. A person resolves more than the AI, but whoever waits too long leaves unresolved. So the
//! challenger's customers do better side by side with the champion's, whose restraint keeps the queue short, and
//! everybody does worse when the challenger has the shop to itself.

#![expect(clippy::print_stdout, reason = "a study prints its tables")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use tierwise::stats::Alpha;
use tierwise::stats::eprocess::{Block, RateTest, TestLevels};
use tierwise::stats::switchback::{Blocks, PairTest, TimedUnit, pair_differences};

/// People, contacts a minute, minutes of work, minutes of patience.
const PEOPLE: usize = 10;
const ARRIVALS: f64 = 1.15;
const WORK: f64 = 12.0;
const PATIENCE: f64 = 6.0;
/// Share of hard contacts, and chances of resolution: AI on easy and hard ones, a person.
const HARD: f64 = 0.4;
const BY_AI: [f64; 2] = [0.75, 0.15];
const BY_PERSON: f64 = 0.9;
/// Minutes of a block, of its washout, and of a run.
const BLOCK: f64 = 240.0;
const WASHOUT: f64 = 60.0;
const RUN: f64 = 60.0 * 24.0 * 28.0;

fn main() {
    let runs: u64 = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(200);
    let truth: Vec<f64> = [false, true]
        .iter()
        .map(|challenger| {
            let means: Vec<f64> = (0..runs.min(100))
                .into_par_iter()
                .map(|seed| mean(&world(seed, &|_, _| *challenger)))
                .collect();
            means.iter().sum::<f64>() / means.len() as f64
        })
        .collect();
    println!(
        "Resolved when a policy has the shop to itself: champion {:.3}, challenger {:.3}\n",
        truth[0], truth[1]
    );
    println!("| design, {runs} runs of 28 days | challenger promoted | rolled back | no call |");
    println!("|---|---|---|---|");
    let split = |seed: u64| {
        let units = world(seed, &|_, coin| coin < 0.5);
        let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
        for chunk in units.chunks(20) {
            let mut block = Block {
                at: chunk[0].at,
                share: 0.5,
                ..Block::default()
            };
            for unit in chunk {
                let arm = if unit.is_treatment {
                    &mut block.treatment
                } else {
                    &mut block.control
                };
                arm.count(unit.outcome == 1.0);
            }
            test.fold(&block).expect("a sound block");
        }
        (test.promoted().is_some(), test.rolled_back().is_some())
    };
    let back = |seed: u64| {
        let mut coins = Xoshiro256PlusPlus::seed_from_u64(seed ^ 0x5eed);
        let pairs = (RUN / BLOCK) as usize / 2 + 1;
        let first: Vec<bool> = (0..pairs).map(|_| coins.random::<f64>() < 0.5).collect();
        let units = world(seed, &|minute, _| {
            let block = (minute / BLOCK) as usize;
            first[block / 2] == block.is_multiple_of(2)
        });
        let cut = Blocks {
            start: 0.0,
            length: BLOCK,
            washout: WASHOUT,
        };
        let found = pair_differences(&units, cut).expect("a switchback");
        let level = Alpha::FIVE_PERCENT.split(2);
        let mut test = PairTest::new(level, level);
        for difference in found.differences {
            test.observe(difference).expect("a number");
        }
        (
            test.promoted_at().is_some(),
            test.rolled_back_at().is_some(),
        )
    };
    let row = |name: &str, judge: &(dyn Fn(u64) -> (bool, bool) + Sync)| {
        let calls: Vec<(bool, bool)> = (0..runs).into_par_iter().map(judge).collect();
        let per_cent = |n: usize| format!("{:.0} %", n as f64 * 100.0 / runs as f64);
        let promoted = calls.iter().filter(|(better, _)| *better).count();
        let back = calls
            .iter()
            .filter(|(better, worse)| *worse && !*better)
            .count();
        println!(
            "| {name} | {} | {} | {} |",
            per_cent(promoted),
            per_cent(back),
            per_cent(calls.len() - promoted - back)
        );
    };
    row("user split over the shared pool", &split);
    row("switchback, pairs of 4-hour blocks", &back);
}

fn mean(units: &[TimedUnit]) -> f64 {
    units.iter().map(|unit| unit.outcome).sum::<f64>() / units.len() as f64
}

/// Contacts of a run in order of arrival; `challenger` decides whose policy answers, from the minute and a coin.
fn world(seed: u64, challenger: &dyn Fn(f64, f64) -> bool) -> Vec<TimedUnit> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    // When each person is free again.
    let mut free: BinaryHeap<Reverse<u64>> = (0..PEOPLE).map(|_| Reverse(0)).collect();
    let mut units = Vec::new();
    let mut minute = 0.0;
    loop {
        minute += -(1.0 - rng.random::<f64>()).ln() / ARRIVALS;
        if minute >= RUN {
            return units;
        }
        let hard = rng.random::<f64>() < HARD;
        let is_treatment = challenger(minute, rng.random());
        let work = -(1.0 - rng.random::<f64>()).ln() * WORK;
        let patience = -(1.0 - rng.random::<f64>()).ln() * PATIENCE;
        let luck: f64 = rng.random();
        let resolved = if is_treatment || hard {
            // First come, first served: whoever is free first takes the contact, unless its patience ends before.
            let next = free.peek().map_or(0.0, |Reverse(at)| *at as f64 / 1e6);
            let start = next.max(minute);
            if start - minute > patience {
                false
            } else {
                free.pop();
                free.push(Reverse(((start + work) * 1e6) as u64));
                luck < BY_PERSON
            }
        } else {
            luck < BY_AI[usize::from(hard)]
        };
        units.push(TimedUnit {
            at: minute,
            is_treatment,
            outcome: f64::from(u8::from(resolved)),
        });
    }
}
