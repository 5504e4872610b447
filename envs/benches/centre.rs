//! Decisions per second of the contact centre: `cargo bench -p tierwise-envs --bench centre`.
//!
//! One iteration is a period of the default centre with ten times its customers and people, on one thread; divan prints
//! items (decisions) per second.

use std::hint::black_box;
use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use tierwise_envs::centre::{Centre, CentreConfig, Stage, run};
use tierwise_envs::observation::Observation;
use tierwise_envs::shop::{ShopConfig, ShopRules, World};
use tierwise_envs::tier::Tier;

fn main() {
    divan::main();
}

fn stage() -> Arc<Stage> {
    let shop = ShopConfig {
        days: 3,
        daily_contacts: 20_000.0,
        ..ShopConfig::default()
    };
    let mut config = CentreConfig::default();
    for team in &mut config.pool[0].team {
        team.people *= 10;
    }
    let world = World::new(shop, ShopRules::default()).expect("the defaults are in range");
    Stage::new(config, world).expect("the defaults are in range")
}

/// A fixed mixture of tiers that needs no table: by the state's number.
fn mixture(centre: &Centre, slot: u32) -> Tier {
    let wanted = Tier::ALL[centre.state(slot) % 3];
    centre.mask(slot).nearest(wanted)
}

fn decisions(stage: &Arc<Stage>) -> u64 {
    let mut centre = Centre::new(Arc::clone(stage), 1, 1);
    let mut n = 0;
    run(
        &mut centre,
        |centre, slot| {
            n += 1;
            mixture(centre, slot)
        },
        |_, _, _| {},
    );
    n
}

/// The engine with masks and the table's state.
#[divan::bench]
fn table_state(bencher: Bencher) {
    let stage = stage();
    let n = decisions(&stage);
    bencher
        .counter(ItemsCount::new(n))
        .bench_local(|| black_box(decisions(&stage)));
}

/// The same with every feature observed and kept in an in-memory log of rows.
#[divan::bench]
fn features_and_log(bencher: Bencher) {
    let stage = stage();
    let n = decisions(&stage);
    let mut rows: Vec<(u32, Tier, Observation)> = Vec::with_capacity(1 << 16);
    bencher.counter(ItemsCount::new(n)).bench_local(|| {
        let mut centre = Centre::new(Arc::clone(&stage), 1, 1);
        run(
            &mut centre,
            |centre, slot| {
                let at = centre.situation(slot);
                let tier = mixture(centre, slot);
                if rows.len() == rows.capacity() {
                    rows.clear();
                }
                rows.push((slot, tier, at.observation));
                tier
            },
            |_, _, _| {},
        );
        black_box(rows.len())
    });
}
