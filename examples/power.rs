//! How many arrivals a true difference takes, rule by rule.
//!
//! `cargo run --release --example power [RUNS]`; docs/statistics.md holds the tables.

#![expect(clippy::print_stdout, reason = "a study prints its tables")]

#[expect(dead_code, reason = "the study of honesty uses the rest")]
mod studies;

use rand::RngExt;
use rayon::prelude::*;
use studies::{Call, LOOK, Rule, World, block, percent, run, stream};
use tierwise::stats::Alpha;
use tierwise::stats::eprocess::{Block, RateTest, TestLevels};
use tierwise::stats::growthbook::{DEFAULT_TUNING, growthbook_sequential};
use tierwise::stats::lift::delta;
use tierwise::stats::plan::{Effect, Stage, fixed_units_per_arm, sequential};
use tierwise::stats::tally::{Count, Moments};

/// Lifts of the targets: rates of control and treatment.
const LIFTS: [(f64, f64); 5] = [
    (0.10, 0.115),
    (0.10, 0.124),
    (0.10, 0.13),
    (0.02, 0.025),
    (0.30, 0.34),
];

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(2000);
    winners(runs);
    ramps(runs);
    losers(runs);
    satisfaction(runs.min(1000));
    plans();
}

/// Mean and median of arrivals until the right call, and how many runs made it; wrong calls are left out, and a run without
/// a call counts with all its arrivals.
fn summary(calls: &[Option<Call>], better: bool, most: u32) -> (f64, f64, usize) {
    let mut arrivals: Vec<u32> = calls
        .iter()
        .filter(|call| call.is_none_or(|call| call.better == better))
        .map(|call| call.map_or(most, |call| call.arrivals))
        .collect();
    arrivals.sort_unstable();
    let mean = arrivals.iter().map(|n| f64::from(*n)).sum::<f64>() / arrivals.len() as f64;
    let right = calls
        .iter()
        .flatten()
        .filter(|call| call.better == better)
        .count();
    (mean, f64::from(arrivals[arrivals.len() / 2]), right)
}

fn winners(runs: u64) {
    const MOST: u32 = 400_000;
    println!("Arrivals until a true winner is called at 50/50, a look every {LOOK}; {runs} runs\n");
    println!(
        "| rates | e-process: mean | median | right | GrowthBook: mean | median | right | mSPRT: mean | O'Brien–Fleming: mean | power | mean ratio | median ratio |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|");
    let (mut mean_ratio, mut median_ratio) = (0.0, 0.0);
    for (study, (control, treatment)) in LIFTS.into_iter().enumerate() {
        let world = World {
            share: &|_| 0.5,
            control: &|_| control,
            treatment: &|_| treatment,
        };
        let study = 1000 + study as u64;
        let of = |rule: Rule| {
            let calls: Vec<Option<Call>> = (0..runs)
                .into_par_iter()
                .map(|seed| run(rule, &world, &mut stream(study, seed), MOST))
                .collect();
            summary(&calls, true, MOST)
        };
        let (ours, theirs, msprt) = (of(Rule::EProcess), of(Rule::GrowthBook), of(Rule::Msprt));
        let (obf_mean, obf_right) = obrien_fleming(&world, (control, treatment), study, runs);
        mean_ratio += (ours.0 / theirs.0).ln() / LIFTS.len() as f64;
        median_ratio += (ours.1 / theirs.1).ln() / LIFTS.len() as f64;
        println!(
            "| {:.1} → {:.1} % | {:.0} | {:.0} | {} | {:.0} | {:.0} | {} | {:.0} | {obf_mean:.0} | {} | {:.2} | {:.2} |",
            control * 100.0,
            treatment * 100.0,
            ours.0,
            ours.1,
            percent(ours.2, runs as usize),
            theirs.0,
            theirs.1,
            percent(theirs.2, runs as usize),
            msprt.0,
            percent(obf_right, runs as usize),
            ours.0 / theirs.0,
            ours.1 / theirs.1
        );
    }
    println!(
        "| geometric mean | | | | | | | | | | {:.3} | {:.3} |\n",
        mean_ratio.exp(),
        median_ratio.exp()
    );
}

/// Ten looks at a size planned for 90 % power at the very lift that is true; z at look k against 2.087·√(10/k)
/// (Jennison & Turnbull 2000, table 2.3, two-sided 5 %).
fn obrien_fleming(world: &World<'_>, rates: (f64, f64), study: u64, runs: u64) -> (f64, usize) {
    let effect = Effect {
        rate: rates.0,
        lift: rates.1 / rates.0 - 1.0,
    };
    let power = Alpha::new(0.9).expect("a level");
    let arm = fixed_units_per_arm(effect, Alpha::FIVE_PERCENT, power).expect("possible rates");
    // Ten looks need 1.033 times the fixed size for the same power (table 2.4).
    let step = (2.0 * arm * 1.033 / 10.0 / f64::from(LOOK)).ceil() as u32 * LOOK;
    let calls: Vec<Option<Call>> = (0..runs)
        .into_par_iter()
        .map(|seed| {
            let mut rng = stream(study, seed);
            let mut totals = [Count::default(); 2];
            for look in 1..=10 {
                for start in (0..step).step_by(LOOK as usize) {
                    let block = block(&mut rng, world, start);
                    totals[0] += block.control;
                    totals[1] += block.treatment;
                }
                let [a, b] = totals.map(|count| count.sample());
                let z = (b.mean - a.mean) / (a.error_squared() + b.error_squared()).sqrt();
                if z.abs() >= 2.087 * (10.0 / f64::from(look)).sqrt() {
                    return Some(Call {
                        arrivals: step * look,
                        better: z > 0.0,
                    });
                }
            }
            None
        })
        .collect();
    let (mean, _, right) = summary(&calls, true, 10 * step);
    (mean, right)
}

/// A +15 % winner through a ramp while the base rate drifts from 6 to 10 %.
fn ramps(runs: u64) {
    println!("A +15 % winner, ramp 1 → 5 → 25 → 50 %, base rate drifting 6 → 10 %; {runs} runs\n");
    println!(
        "| arrivals in all | at 50 % | e-process finds it | wrongly rolled back | GrowthBook calls it better |"
    );
    println!("|---|---|---|---|---|");
    for most in [20_000_u32, 40_000, 60_000] {
        let drift = move |arrival: u32| 0.06 + 0.04 * f64::from(arrival) / f64::from(most);
        let better = move |arrival: u32| 1.15 * drift(arrival);
        // A tenth of the arrivals each at 1, 5 and 25 %, the rest at 50 %.
        let ramp = move |arrival: u32| match arrival / (most / 10) {
            0 => 0.01,
            1 => 0.05,
            2 => 0.25,
            _ => 0.5,
        };
        let world = World {
            share: &ramp,
            control: &drift,
            treatment: &better,
        };
        let of = |rule: Rule| -> Vec<Call> {
            (0..runs)
                .into_par_iter()
                .filter_map(|seed| run(rule, &world, &mut stream(1100, seed), most))
                .collect()
        };
        let (ours, theirs) = (of(Rule::EProcess), of(Rule::GrowthBook));
        let found = |calls: &[Call], better: bool| {
            percent(
                calls.iter().filter(|call| call.better == better).count(),
                runs as usize,
            )
        };
        println!(
            "| {most} | {} | {} | {} | {} (and {} of A/A runs) |",
            most - 3 * (most / 10),
            found(&ours, true),
            found(&ours, false),
            found(&theirs, true),
            {
                let alike = World {
                    treatment: &drift,
                    ..world
                };
                let calls = (0..runs)
                    .into_par_iter()
                    .filter(|seed| {
                        run(Rule::GrowthBook, &alike, &mut stream(1101, *seed), most).is_some()
                    })
                    .count();
                percent(calls, runs as usize)
            }
        );
    }
    println!();
}

/// A −30 % challenger, at two shares.
fn losers(runs: u64) {
    const MOST: u32 = 400_000;
    println!("Arrivals until a −30 % challenger (10 → 7 %) is called worse; {runs} runs\n");
    println!("| share | e-process: mean | GrowthBook: mean | ratio |");
    println!("|---|---|---|---|");
    for share in [0.5, 0.05] {
        let world = World {
            share: &|_| share,
            control: &|_| 0.10,
            treatment: &|_| 0.07,
        };
        let of = |rule: Rule| {
            let calls: Vec<Option<Call>> = (0..runs)
                .into_par_iter()
                .map(|seed| run(rule, &world, &mut stream(1200, seed), MOST))
                .collect();
            summary(&calls, false, MOST).0
        };
        let (ours, theirs) = (of(Rule::EProcess), of(Rule::GrowthBook));
        println!(
            "| {:.0} % | {ours:.0} | {theirs:.0} | {:.2} |",
            share * 100.0,
            ours / theirs
        );
    }
    println!();
}

/// Satisfaction in tenths, the challenger better by 0.02 and 0.04.
fn satisfaction(runs: u64) {
    const MOST: u32 = 100_000;
    println!(
        "Bounded outcome: satisfaction in tenths, mean 0.7, standard deviation 0.16; {runs} runs at 50/50\n"
    );
    println!("| means | e-process: mean | GrowthBook: mean | ratio |");
    println!("|---|---|---|---|");
    for gain in [0.02, 0.04] {
        let calls = |theirs: bool| -> f64 {
            let arrivals: Vec<f64> = (0..runs)
                .into_par_iter()
                .map(|seed| {
                    let mut rng = stream(1300, seed);
                    let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
                    let mut moments = [Moments::default(), Moments::default()];
                    for look in 0..MOST / LOOK {
                        let rows: Vec<(bool, f64)> = (0..LOOK)
                            .map(|_| {
                                let treatment = rng.random::<f64>() < 0.5;
                                let noise = rng.random::<f64>() + rng.random::<f64>() - 1.0;
                                let mean = 0.7 + if treatment { gain } else { 0.0 };
                                // Rounded at random to a tenth, so that means stay exact.
                                let tenths =
                                    10.0 * (mean + 0.3 * noise) + rng.random::<f64>() - 0.5;
                                (treatment, tenths.round().clamp(0.0, 10.0) / 10.0)
                            })
                            .collect();
                        let called = if theirs {
                            for (treatment, y) in &rows {
                                moments[usize::from(*treatment)].count(*y);
                            }
                            let [a, b] = [moments[0].sample(), moments[1].sample()];
                            delta(a, b).is_ok_and(|(effect, variance)| {
                                let units = a.units + b.units;
                                growthbook_sequential(
                                    effect,
                                    variance,
                                    units,
                                    Alpha::FIVE_PERCENT,
                                    DEFAULT_TUNING,
                                )
                                .is_ok_and(|found| found.lower > 0.0)
                            })
                        } else {
                            let block = Block {
                                at: f64::from(look),
                                share: 0.5,
                                rows,
                                ..Block::default()
                            };
                            test.fold(&block).expect("outcomes lie in [0, 1]");
                            test.promoted().is_some()
                        };
                        if called {
                            return f64::from((look + 1) * LOOK);
                        }
                    }
                    f64::from(MOST)
                })
                .collect();
            arrivals.iter().sum::<f64>() / runs as f64
        };
        let (ours, theirs) = (calls(false), calls(true));
        println!(
            "| 0.70 → {:.2} | {ours:.0} | {theirs:.0} | {:.2} |",
            0.7 + gain,
            ours / theirs
        );
    }
    println!();
}

/// The planner beside the simulated means above.
fn plans() {
    println!("Planned arrivals (stats::plan), 50/50 from the start\n");
    println!("| rates | fixed horizon, 80 % power, both arms | e-process, expected |");
    println!("|---|---|---|");
    for (control, treatment) in LIFTS {
        let effect = Effect {
            rate: control,
            lift: treatment / control - 1.0,
        };
        let power = Alpha::new(0.8).expect("a level");
        let fixed =
            fixed_units_per_arm(effect, Alpha::FIVE_PERCENT, power).expect("possible rates");
        let level = Alpha::FIVE_PERCENT.split(2);
        let stage = Stage {
            share: 0.5,
            days: f64::INFINITY,
        };
        let expected = sequential(effect, 1000.0, &[stage], level).expect("possible rates");
        println!(
            "| {:.1} → {:.1} % | {:.0} | {:.0} |",
            control * 100.0,
            treatment * 100.0,
            2.0 * fixed,
            expected.units
        );
    }
}
