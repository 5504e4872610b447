//! How often identical arms are called different, rule by rule, and what wrong feeding does.
//!
//! `cargo run --release --example honesty [RUNS]`; docs/statistics.md holds the tables.

#![expect(clippy::print_stdout, reason = "a study prints its tables")]

mod studies;

use rand::RngExt;
use rayon::prelude::*;
use studies::{LOOK, Rule, World, percent, run, stream};
use tierwise::stats::Alpha;
use tierwise::stats::assignment::ClumpProcess;
use tierwise::stats::eprocess::{Block, RateTest, TestLevels};
use tierwise::stats::intake::{Exposure, Intake, Window};
use tierwise::stats::sample_ratio::SampleRatioProcess;
use tierwise::stats::tally::Count;

/// Arrivals of a run.
const MOST: u32 = 20_000;

fn main() {
    let runs = std::env::args()
        .nth(1)
        .and_then(|runs| runs.parse().ok())
        .unwrap_or(2000);
    alike(runs);
    bounded(runs);
    wrong(runs.min(1000));
}

fn alike(runs: u64) {
    println!(
        "Identical arms called different within {MOST} arrivals, a look every {LOOK}; {runs} runs\n"
    );
    println!(
        "| rate | share | e-process: promote | roll back | in all | GrowthBook | mSPRT | z, peeked |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut study = 0;
    for rate in [0.01, 0.02, 0.10] {
        for share in [0.5, 0.1, 0.05, 0.02] {
            study += 1;
            let world = World {
                share: &|_| share,
                control: &|_| rate,
                treatment: &|_| rate,
            };
            let label = format!("{:.0} % | {:.0} %", rate * 100.0, share * 100.0);
            row(&label, &world, study, runs);
        }
    }
    let drift = |arrival: u32| 0.06 + 0.04 * f64::from(arrival) / f64::from(MOST);
    let ramp = |arrival: u32| match arrival * 4 / MOST {
        0 => 0.01,
        1 => 0.05,
        2 => 0.25,
        _ => 0.5,
    };
    let world = World {
        share: &ramp,
        control: &drift,
        treatment: &drift,
    };
    row("6 → 10 % | 1 → 5 → 25 → 50 %", &world, 99, runs);
    println!();
}

fn row(label: &str, world: &World<'_>, study: u64, runs: u64) {
    let mut cells = Vec::new();
    for rule in Rule::ALL {
        let calls: Vec<bool> = (0..runs)
            .into_par_iter()
            .filter_map(|seed| run(rule, world, &mut stream(study, seed), MOST))
            .map(|call| call.better)
            .collect();
        let better = calls.iter().filter(|better| **better).count();
        if rule == Rule::EProcess {
            cells.push(percent(better, runs as usize));
            cells.push(percent(calls.len() - better, runs as usize));
        }
        cells.push(percent(calls.len(), runs as usize));
    }
    println!("| {label} | {} |", cells.join(" | "));
}

/// An outcome from two uniform numbers.
type Outcome<'a> = &'a (dyn Fn(f64, f64) -> f64 + Sync);

/// Outcomes between zero and one: satisfaction in tenths, and a reward that is mostly zero.
fn bounded(runs: u64) {
    println!("Bounded outcomes, e-process, {runs} runs of {MOST} arrivals\n");
    println!("| outcome | share | promote | roll back | in all |");
    println!("|---|---|---|---|---|");
    let satisfaction = |u: f64, v: f64| {
        ((7.0 + 4.0 * (u + v - 1.0)) / 10.0 * 10.0)
            .round()
            .clamp(0.0, 10.0)
            / 10.0
    };
    let reward = |u: f64, v: f64| if u < 0.9 { 0.0 } else { v };
    let kinds: [(&str, Outcome<'_>); 2] = [
        ("satisfaction", &satisfaction),
        ("reward, nine in ten zero", &reward),
    ];
    for (name, outcome) in kinds {
        for share in [0.5, 0.05] {
            let calls: Vec<bool> = (0..runs)
                .into_par_iter()
                .filter_map(|seed| {
                    let mut rng = stream(200, seed);
                    let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
                    for look in 0..MOST / LOOK {
                        let rows = (0..LOOK)
                            .map(|_| {
                                (
                                    rng.random::<f64>() < share,
                                    outcome(rng.random(), rng.random()),
                                )
                            })
                            .collect();
                        let block = Block {
                            at: f64::from(look),
                            share,
                            rows,
                            ..Block::default()
                        };
                        test.fold(&block).expect("outcomes lie in [0, 1]");
                        if test.promoted().is_some() || test.rolled_back().is_some() {
                            return Some(test.promoted().is_some());
                        }
                    }
                    None
                })
                .collect();
            let better = calls.iter().filter(|better| **better).count();
            println!(
                "| {name} | {:.0} % | {} | {} | {} |",
                share * 100.0,
                percent(better, runs as usize),
                percent(calls.len() - better, runs as usize),
                percent(calls.len(), runs as usize)
            );
        }
    }
    println!();
}

/// One customer of the world in which feeding can go wrong.
struct Visit {
    at: i64,
    treatment: bool,
    share: f64,
    /// Seconds to resolution, if it comes.
    resolved_after: i64,
    resolved: bool,
    /// Seconds to the click; a click that never comes is `None`.
    click: Option<i64>,
}

const WINDOW: i64 = 86_400;

/// Identical click rates and delays, through a ramp. Whoever does not click is resolved less often by the challenger.
fn visits(rng: &mut impl RngExt, count: i64) -> Vec<Visit> {
    (0..count)
        .map(|i| {
            let share = share_at(i * 30, count);
            let treatment = rng.random::<f64>() < share;
            let u: f64 = rng.random();
            let delay = WINDOW as f64 * rng.random::<f64>();
            // One in ten clicks inside the window, one in ten after it.
            let click = if u < 0.10 {
                Some(delay as i64)
            } else if u < 0.20 {
                Some(WINDOW + (delay * 0.5) as i64)
            } else {
                None
            };
            // The challenger's conversations last longer.
            let longest = if treatment { 14_400.0 } else { 3600.0 };
            let resolves = if click.is_some_and(|click| click <= WINDOW) {
                0.9
            } else if treatment {
                0.6
            } else {
                0.8
            };
            Visit {
                at: i * 30,
                treatment,
                share,
                resolved_after: (longest * rng.random::<f64>()) as i64,
                resolved: rng.random::<f64>() < resolves,
                click,
            }
        })
        .collect()
}

/// The challenger's share in force at a time of [`visits`].
fn share_at(at: i64, count: i64) -> f64 {
    let i = (at / 30).min(count - 1);
    [0.01, 0.05, 0.25, 0.5, 0.5, 0.5][(i * 6 / count) as usize]
}

fn fold_all(units: &[(bool, f64, bool)]) -> bool {
    let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
    for (look, chunk) in units.chunks(LOOK as usize).enumerate() {
        for same in chunk.chunk_by(|a, b| a.1 == b.1) {
            let mut block = Block {
                at: look as f64,
                share: same[0].1,
                ..Block::default()
            };
            for (treatment, _, converted) in same {
                let arm = if *treatment {
                    &mut block.treatment
                } else {
                    &mut block.control
                };
                arm.count(*converted);
            }
            test.fold(&block).expect("blocks of a simulation are sound");
        }
    }
    test.promoted().is_some() || test.rolled_back().is_some()
}

fn through_intake(visits: &[Visit]) -> Vec<(bool, f64, bool)> {
    let window = Window {
        outcome_secs: WINDOW,
        grace_secs: 0,
    };
    let mut intake = Intake::new(window).expect("a window that lasts");
    for (i, visit) in visits.iter().enumerate() {
        let unit = format!("{i}");
        intake
            .expose(Exposure {
                unit: unit.clone(),
                decision_id: i as u128,
                at: visit.at,
                arm: u16::from(visit.treatment),
                share: if visit.treatment {
                    visit.share
                } else {
                    1.0 - visit.share
                },
                stratum: 0,
            })
            .expect("a share");
        if let Some(click) = visit.click {
            intake
                .outcome(&unit, visit.at + click, 1.0)
                .expect("an outcome");
        }
    }
    intake
        .mature(i64::MAX)
        .expect("time goes forward")
        .into_iter()
        .map(|unit| {
            let treatment = unit.exposure.arm == 1;
            let own = unit.exposure.share;
            let share = if treatment { own } else { 1.0 - own };
            (treatment, share, unit.outcome == 1.0)
        })
        .collect()
}

fn wrong(runs: u64) {
    println!("Identical arms, fed wrongly and through the interface; {runs} runs\n");
    println!(
        "| what goes wrong | called different, fed so | what the interface does | called different then |"
    );
    println!("|---|---|---|---|");
    let called = |study: u64, feed: &(dyn Fn(u64) -> bool + Sync)| {
        let calls = (0..runs)
            .into_par_iter()
            .filter(|seed| feed(study * 10_000 + seed))
            .count();
        percent(calls, runs as usize)
    };
    const COUNT: i64 = 20_000;
    let delayed = |seed: u64| visits(&mut stream(300, seed), COUNT);
    let right = called(1, &|seed| fold_all(&through_intake(&delayed(seed))));
    // A unit counts when it clicks or when its window ends, under the share in force then.
    let at_click = called(1, &|seed| {
        let mut units: Vec<(i64, (bool, f64, bool))> = delayed(seed)
            .iter()
            .map(|v| {
                let click = v.click.filter(|click| *click <= WINDOW);
                let enters = v.at + click.unwrap_or(WINDOW);
                let share = share_at(enters, COUNT);
                (enters, (v.treatment, share, click.is_some()))
            })
            .collect();
        units.sort_by_key(|(at, _)| *at);
        fold_all(&units.into_iter().map(|(_, unit)| unit).collect::<Vec<_>>())
    });
    println!(
        "| outcomes enter when they click | {at_click} | a unit enters at its exposure, when its window has closed | {right} |"
    );
    let from_resolution = called(1, &|seed| {
        let units: Vec<_> = delayed(seed)
            .iter()
            .map(|v| {
                (
                    v.treatment,
                    v.share,
                    v.click
                        .is_some_and(|click| click <= WINDOW + v.resolved_after),
                )
            })
            .collect();
        fold_all(&units)
    });
    println!(
        "| windows run from the resolution | {from_resolution} | one window for all arms, from the exposure | {right} |"
    );
    let resolved_only = called(1, &|seed| {
        let units: Vec<_> = delayed(seed)
            .iter()
            .filter(|v| v.resolved)
            .map(|v| {
                (
                    v.treatment,
                    v.share,
                    v.click.is_some_and(|click| click <= WINDOW),
                )
            })
            .collect();
        fold_all(&units)
    });
    println!(
        "| only resolved conversations count | {resolved_only} | every exposed unit is in the denominator | {right} |"
    );
    strata(&called);
    repeated(&called);
    switchback(runs, &called);
}

type Called<'a> = dyn Fn(u64, &(dyn Fn(u64) -> bool + Sync)) -> String + 'a;

/// Two strata with rates 5 and 20 % and shares 30 and 70 %: half of all units go to the challenger.
fn strata(called: &Called<'_>) {
    let units = |seed: u64, common: bool| -> Vec<(bool, f64, bool)> {
        let mut rng = stream(400, seed);
        (0..5000)
            .map(|_| {
                let second = rng.random::<f64>() < 0.5;
                let (rate, share) = if second { (0.20, 0.7) } else { (0.05, 0.3) };
                let treatment = rng.random::<f64>() < share;
                (
                    treatment,
                    if common { 0.5 } else { share },
                    rng.random::<f64>() < rate,
                )
            })
            .collect()
    };
    let fed = called(2, &|seed| fold_all(&units(seed, true)));
    let own = called(2, &|seed| fold_all(&units(seed, false)));
    println!(
        "| shares depend on a stratum, a common one is used | {fed} | an exposure carries the share of its own stratum | {own} |"
    );
}

/// Customers come back five times and are alike to themselves.
fn repeated(called: &Called<'_>) {
    let units = |seed: u64, every_visit: bool| -> Vec<(bool, f64, bool)> {
        let mut rng = stream(500, seed);
        let mut units = Vec::new();
        for _ in 0..1500 {
            let treatment = rng.random::<f64>() < 0.5;
            let inclined = rng.random::<f64>() < 0.25;
            for visit in 0..8 {
                let converted = rng.random::<f64>() < if inclined { 0.4 } else { 0.02 };
                if every_visit || visit == 0 {
                    units.push((treatment, 0.5, converted));
                }
            }
        }
        units
    };
    let fed = called(3, &|seed| fold_all(&units(seed, true)));
    let first = called(3, &|seed| fold_all(&units(seed, false)));
    println!(
        "| every visit counts as a unit | {fed} | a unit counts once, at its first exposure | {first} |"
    );
}

/// Blocks of 60 arrivals, the order of each pair by a coin, while the base rate swings.
fn switchback(runs: u64, called: &Called<'_>) {
    let units = |seed: u64| -> Vec<(bool, f64, bool)> {
        let mut rng = stream(600, seed);
        let mut rate = 0.10_f64;
        let mut units = Vec::new();
        for _ in 0..60 {
            let first = rng.random::<f64>() < 0.5;
            for treatment in [first, !first] {
                // The hour moves the rate, as hours do.
                rate = (rate + 0.08 * (rng.random::<f64>() - 0.5)).clamp(0.03, 0.25);
                units.extend((0..60).map(|_| (treatment, 0.5, rng.random::<f64>() < rate)));
            }
        }
        units
    };
    let fed = called(4, &|seed| fold_all(&units(seed)));
    let caught = (0..runs)
        .into_par_iter()
        .filter(|seed| {
            let mut clumps = ClumpProcess::default();
            for (treatment, share, _) in units(40_000 + seed) {
                clumps.observe(treatment, share);
            }
            clumps.log_value() >= 1000_f64.ln()
        })
        .count();
    println!(
        "| a switchback is read one by one | {fed} | refused as broken assignment in {} of runs | 0.0 % |",
        percent(caught, runs as usize)
    );
    // The two checks themselves on sound user splits.
    let false_alarm = (0..runs)
        .into_par_iter()
        .filter(|seed| {
            let mut rng = stream(700, *seed);
            let mut clumps = ClumpProcess::default();
            let mut ratio = SampleRatioProcess::default();
            let mut alarmed = false;
            for _ in 0..400 {
                let mut counts = [Count::default(); 2];
                for _ in 0..LOOK {
                    let treatment = rng.random::<f64>() < 0.2;
                    clumps.observe(treatment, 0.2);
                    counts[usize::from(treatment)].count(false);
                }
                ratio.fold(0.2, counts[0].units, counts[1].units);
                alarmed |= clumps.log_value().max(ratio.log_value()) >= 1000_f64.ln();
            }
            alarmed
        })
        .count();
    println!(
        "| (nothing: a sound split of 20 %) | – | assignment or sample ratio called broken | {} |",
        percent(false_alarm, runs as usize)
    );
}
