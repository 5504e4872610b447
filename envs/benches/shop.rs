//! Steps per second of the generated shop: `cargo bench -p tierwise-envs --bench shop`.
//!
//! One iteration is 100,000 decisions on one thread, conversations started as needed; divan prints items (decisions)
//! per second.

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use tierwise_envs::env::Env;
use tierwise_envs::shop::{Shop, ShopConfig, ShopRules, World};
use tierwise_envs::tier::Tier;

const DECISIONS: u64 = 100_000;

fn main() {
    divan::main();
}

fn shop() -> Shop {
    let world = World::new(ShopConfig::default(), ShopRules::default());
    Shop::new(Arc::clone(&world.expect("the defaults are in range")))
}

/// A cheap generator for the learner's own choices.
struct Choices(u64);

impl Choices {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }
}

/// The allowed tiers by mask bits, repeated to 12 places so that a uniform pick needs no loop.
fn tiers_by_mask() -> [[Tier; 12]; 8] {
    let mut table = [[Tier::Review; 12]; 8];
    for (bits, row) in table.iter_mut().enumerate() {
        let allowed: Vec<Tier> = Tier::ALL
            .into_iter()
            .filter(|tier| bits >> tier.index() & 1 == 1)
            .collect();
        for (place, tier) in row.iter_mut().enumerate() {
            if !allowed.is_empty() {
                *tier = allowed[place % allowed.len()];
            }
        }
    }
    table
}

/// Uniformly random tiers on the tabular view, without a learner.
#[divan::bench]
fn tabular_view(bencher: Bencher) {
    let (mut shop, table) = (shop(), tiers_by_mask());
    let mut choices = Choices(7);
    let mut number = 0;
    bencher.counter(ItemsCount::new(DECISIONS)).bench_local(|| {
        let mut sum = 0;
        shop.begin(1, number);
        for _ in 0..DECISIONS {
            sum += shop.state();
            let tier = table[usize::from(shop.mask().bits())][(choices.next() % 12) as usize];
            if shop.step(tier).is_ok_and(|step| step.terminated) {
                number += 1;
                shop.begin(1, number);
            }
        }
        sum
    });
}

/// The same with a Q-table learning from every step.
#[divan::bench]
fn tabular_view_with_q_learning(bencher: Bencher) {
    let (mut shop, table) = (shop(), tiers_by_mask());
    let mut choices = Choices(7);
    let mut number = 0;
    let mut q = [[0.0_f64; 3]; 72];
    bencher.counter(ItemsCount::new(DECISIONS)).bench_local(|| {
        shop.begin(1, number);
        for _ in 0..DECISIONS {
            let state = shop.state();
            let tier = table[usize::from(shop.mask().bits())][(choices.next() % 12) as usize];
            let Ok(step) = shop.step(tier) else { continue };
            let target = if step.terminated {
                step.reward
            } else {
                let flags = shop.mask().bits();
                let next = &q[shop.state()];
                (0..3)
                    .filter(|t| flags >> t & 1 == 1)
                    .map(|t| next[t])
                    .fold(0.0, f64::max)
            };
            let entry = &mut q[state][tier.index()];
            *entry += 0.01 * (target - *entry);
            if step.terminated {
                number += 1;
                shop.begin(1, number);
            }
        }
        q[0][0]
    });
}

/// Through the `Env` trait with the full observation built at each decision.
#[divan::bench]
fn full_observation(bencher: Bencher) {
    let (mut shop, table) = (shop(), tiers_by_mask());
    let mut choices = Choices(7);
    let mut number = 0;
    bencher.counter(ItemsCount::new(DECISIONS)).bench_local(|| {
        let env: &mut dyn Env = &mut shop;
        let mut sum = 0.0;
        env.reset(number)
            .expect("a shop always has a next conversation");
        for _ in 0..DECISIONS {
            let situation = env.decide();
            sum += situation.observation.row()[6];
            let tier = table[usize::from(situation.mask.bits())][(choices.next() % 12) as usize];
            if env.step(tier).is_ok_and(|step| step.terminated) {
                number += 1;
                env.reset(number)
                    .expect("a shop always has a next conversation");
            }
        }
        sum
    });
}
