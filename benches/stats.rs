//! Speed of the statistics. Run with `cargo bench -p tierwise --bench stats`.

use divan::Bencher;
use divan::counter::ItemsCount;
use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use tierwise::stats::Alpha;
use tierwise::stats::beta_binomial::{BetaPrior, posterior};
use tierwise::stats::eprocess::{Block, HypergeometricTest, RateTest, TestLevels, rate_interval};
use tierwise::stats::lift::{LiftReference, relative_lift};
use tierwise::stats::proportion::{newcombe, pooled_z};
use tierwise::stats::tally::{Count, Moments};
use tierwise::stats::welch::welch;

fn main() {
    divan::main();
}

/// Units of a stream: whether the treatment answered, and whether it converted.
fn stream(units: usize) -> Vec<(bool, bool)> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
    (0..units)
        .map(|_| (rng.random::<f64>() < 0.5, rng.random::<f64>() < 0.1))
        .collect()
}

fn block_of(at: usize, units: &[(bool, bool)]) -> Block {
    let mut block = Block {
        at: at as f64,
        share: 0.5,
        ..Block::default()
    };
    for (treatment, converted) in units {
        let arm = if *treatment {
            &mut block.treatment
        } else {
            &mut block.control
        };
        arm.count(*converted);
    }
    block
}

/// Events of a stream, counted into blocks and folded through both sides of the e-process; events a second.
#[divan::bench(args = [100, 1000])]
fn events_through_the_e_process(bencher: Bencher, block: usize) {
    let units = stream(1_000_000);
    bencher
        .counter(ItemsCount::new(units.len()))
        .bench_local(|| {
            let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
            for (at, chunk) in units.chunks(block).enumerate() {
                test.fold(&block_of(at, chunk)).expect("a sound block");
            }
            test.wealth()
        });
}

/// Outcomes between zero and one, row by row; events a second.
#[divan::bench]
fn rows_through_the_e_process(bencher: Bencher) {
    let rows: Vec<(bool, f64)> = stream(100_000)
        .iter()
        .enumerate()
        .map(|(i, (treatment, _))| (*treatment, 0.5 + 0.1 * (i % 5) as f64))
        .collect();
    bencher
        .counter(ItemsCount::new(rows.len()))
        .bench_local(|| {
            let mut test = RateTest::new(TestLevels::halves(Alpha::FIVE_PERCENT));
            for (at, chunk) in rows.chunks(100).enumerate() {
                let block = Block {
                    at: at as f64,
                    share: 0.5,
                    rows: chunk.to_vec(),
                    ..Block::default()
                };
                test.fold(&block).expect("a sound block");
            }
            test.wealth()
        });
}

/// 5,000 experiments of 10,000 unit rows in memory, tallied and compared by four methods, on all threads.
#[divan::bench(sample_count = 5, sample_size = 1)]
fn five_thousand_experiments(bencher: Bencher) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
    let rows: Vec<(bool, f64)> = (0..10_000)
        .map(|_| {
            let value = if rng.random::<f64>() < 0.3 {
                rng.random::<f64>() * 100.0
            } else {
                0.0
            };
            (rng.random::<f64>() < 0.5, value)
        })
        .collect();
    bencher.counter(ItemsCount::new(5000_u32)).bench_local(|| {
        (0..5000_usize)
            .into_par_iter()
            .map(|experiment| {
                let mut arms = [Moments::default(), Moments::default()];
                let mut counts = [Count::default(); 2];
                // Each experiment starts at another row, so that no two are the same.
                let (head, tail) = rows.split_at(experiment * 2);
                for (treatment, value) in tail.iter().chain(head) {
                    arms[usize::from(*treatment)].count(*value);
                    counts[usize::from(*treatment)].count(*value > 0.0);
                }
                let [a, b] = [arms[0].sample(), arms[1].sample()];
                let alpha = Alpha::FIVE_PERCENT;
                let found = [
                    welch(a, b, alpha),
                    relative_lift(a, b, alpha, LiftReference::Student),
                    pooled_z(counts[0], counts[1], alpha),
                    newcombe(counts[0], counts[1], alpha),
                ];
                found.into_iter().flatten().map(|c| c.estimate).sum::<f64>()
            })
            .sum::<f64>()
    });
}

/// A tally update: one unit into exact moments.
#[divan::bench]
fn tally_updates(bencher: Bencher) {
    let values: Vec<f64> = stream(100_000)
        .iter()
        .enumerate()
        .map(|(i, _)| i as f64 * 0.37)
        .collect();
    bencher
        .counter(ItemsCount::new(values.len()))
        .bench_local(|| {
            let mut moments = Moments::default();
            for value in &values {
                moments.count(*value);
            }
            moments.units
        });
}

/// The interval by inversion over 1,000 blocks.
#[divan::bench]
fn interval_of_a_thousand_blocks(bencher: Bencher) {
    let units = stream(100_000);
    let blocks: Vec<Block> = units
        .chunks(100)
        .enumerate()
        .map(|(at, chunk)| block_of(at, chunk))
        .collect();
    let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
    bencher.bench_local(|| rate_interval(&blocks, &levels));
}

/// One snapshot of a million units through the hypergeometric form.
#[divan::bench]
fn hypergeometric_block(bencher: Bencher) {
    let levels = TestLevels::halves(Alpha::FIVE_PERCENT);
    let count = |units, conversions| Count { units, conversions };
    bencher.bench_local(|| {
        let mut test = HypergeometricTest::new(&levels);
        test.fold(0.0, count(500_000, 20_000), count(500_000, 20_100))
            .expect("a sound block");
        test.wealth()
    });
}

/// Chance to win and expected loss of six arms.
#[divan::bench]
fn six_arms(bencher: Bencher) {
    let arms: Vec<Count> = (0..6)
        .map(|i| Count {
            units: 1000 * (i + 1),
            conversions: 100 * (i + 1) + 3 * i,
        })
        .collect();
    bencher.bench_local(|| posterior(&arms, BetaPrior::default()));
}
