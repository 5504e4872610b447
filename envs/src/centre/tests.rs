//! The centre as a whole: what goes in comes out, what theory knows is met, what breaks is mended.

use std::sync::Arc;

use super::*;
use crate::env::Situation;
use crate::forecast::Autoscaler;
use crate::shop::{LanguageConfig, ShopConfig, ShopRules, World};
use crate::tier::{Tier, TierProbs};

fn always(tier: Tier) -> impl Fn(&Situation<'_>) -> TierProbs + Sync {
    move |at| TierProbs::certain(at.mask.nearest(tier))
}

fn shop(days: u32, daily: f64) -> ShopConfig {
    ShopConfig {
        days,
        daily_contacts: daily,
        ..ShopConfig::default()
    }
}

fn stage(shop: ShopConfig, config: CentreConfig) -> Arc<Stage> {
    let world = World::new(shop, ShopRules::default()).unwrap();
    Stage::new(config, world).unwrap()
}

/// A shop of one class and one language with constant rates, whose people always solve.
fn plain(days: u32, daily: f64) -> ShopConfig {
    let mut shop = shop(days, daily);
    shop.hourly_profile = [1.0; 24];
    shop.weekday_profile = [1.0; 7];
    shop.class_shares_day = [1.0, 0.0, 0.0];
    shop.class_shares_night = [1.0, 0.0, 0.0];
    shop.language = vec![LanguageConfig {
        tag: "en".to_owned(),
        share: 1.0,
        ai_support: 1.0,
        human_share: 1.0,
        regions: vec!["US".to_owned()],
    }];
    shop.human.solve = [1.0; 3];
    shop.human.first_word = 1.0;
    shop.human.handle_s = [300.0; 3];
    shop.aftermath.reopen_solved = [0.0; 3];
    shop.aftermath.reopen_unsolved = 0.0;
    shop
}

fn crew(people: u32) -> CentreConfig {
    CentreConfig {
        overdispersion: 0.0,
        pool: vec![PoolConfig {
            name: "crew".to_owned(),
            zone: "UTC".to_owned(),
            tiers: vec![Tier::Review, Tier::Human],
            human_first: true,
            concurrency: 1,
            slowdown: 0.15,
            review_any_language: true,
            team: vec![TeamConfig {
                people,
                languages: Vec::new(),
                days: Vec::new(),
                from: "00:00".to_owned(),
                to: "00:00".to_owned(),
                breaks: Vec::new(),
            }],
        }],
        ..CentreConfig::default()
    }
}

#[test]
fn whoever_arrives_in_the_counted_period_ends_and_is_counted_once() {
    let stage = stage(shop(4, 3_000.0), CentreConfig::default());
    let mut centre = Centre::new(Arc::clone(&stage), 7, 1);
    let (mut arrived, mut ended) = (Vec::new(), Vec::new());
    run(
        &mut centre,
        |centre, slot| {
            if centre.is_first(slot) && centre.is_counted(slot) {
                arrived.push(centre.number(slot));
            }
            centre.mask(slot).nearest(Tier::Review)
        },
        |_, _, closed| {
            if closed.counted {
                ended.push(closed.number);
            }
        },
    );
    assert!(arrived.len() > 7_000);
    ended.sort_unstable();
    assert!(
        arrived == ended,
        "{} arrived, {} ended",
        arrived.len(),
        ended.len()
    );
    let tally = &centre.tallies()[0];
    assert_eq!(tally.conversations as usize, arrived.len());
    let answers: u64 = tally
        .hours
        .iter()
        .flatten()
        .map(|t| t.answers + t.abandoned)
        .sum();
    assert_eq!(answers, tally.decisions);
    assert_eq!(
        tally.map.iter().flatten().flatten().sum::<u64>(),
        tally.decisions
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let stage = stage(shop(2, 2_000.0), CentreConfig::default());
    let policy = always(Tier::Review);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let replicas = pool.install(|| replicate(&stage, 3, 4, &policy, Some(3_600.0)));
        serde_json::to_string(&replicas).unwrap()
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
    let other = serde_json::to_string(&replicate(&stage, 4, 4, &policy, Some(3_600.0))).unwrap();
    assert_ne!(one, other);
}

#[test]
fn customers_without_patience_are_lost_as_erlang_b_says() {
    // M/G/n/n: the share lost depends on the mean service time only (Sevast'yanov 1957). Load a = 8 on n = 8 slots:
    // B(8, 8) = (8⁸/8!) / Σ 8ᵏ/k! = 0.235570.
    let mut shop = plain(40, 86_400.0 / 300.0 * 8.0);
    shop.customer.patience_s = [1e-6; 3];
    let stage = stage(shop, crew(8));
    let replicas = replicate(&stage, 1, 8, &always(Tier::Human), None);
    let shares: Vec<f64> = replicas
        .iter()
        .map(|r| r.tally.kpi(CentreKpi::Abandoned).mean().unwrap())
        .collect();
    let n = shares.len() as f64;
    let mean = shares.iter().sum::<f64>() / n;
    let se = (shares.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    assert!((mean - 0.235_570).abs() < 4.0 * se + 5e-4, "{mean} ± {se}");
    // Busy slots: a (1 − B).
    let (busy, slots) = replicas
        .iter()
        .flat_map(|r| &r.pools[0])
        .fold((0.0, 0.0), |(b, s), hour| (b + hour.busy, s + hour.slots));
    assert!(
        (busy / slots - (1.0 - 0.235_570)).abs() < 0.01,
        "{}",
        busy / slots
    );
}

#[test]
fn queue_length_and_waits_obey_littles_law() {
    let mut shop = plain(20, 86_400.0 / 300.0 * 9.0);
    shop.customer.patience_s = [600.0; 3];
    let stage = stage(shop, crew(10));
    let replica = simulate(&stage, 5, &always(Tier::Human), None);
    let waits = replica.tally.kpi(CentreKpi::QueueS).sum;
    let area: f64 = replica.queues[1].iter().sum();
    // The same customer-seconds, but for those who wait across the edges of the counted period.
    assert!((waits / area - 1.0).abs() < 0.01, "{waits} {area}");
}

#[test]
fn people_are_shared_so_more_work_for_them_means_longer_waits() {
    let stage = stage(shop(3, 4_000.0), CentreConfig::default());
    let wait = |tier| {
        let replica = simulate(&stage, 2, &always(tier), None);
        replica.tally.kpi(CentreKpi::QueueS).mean().unwrap()
    };
    let (auto, review, human) = (wait(Tier::Auto), wait(Tier::Review), wait(Tier::Human));
    assert!(auto < review && review < human, "{auto} {review} {human}");
}

#[test]
fn whole_conversations_go_before_reviews_where_the_pool_says_so() {
    let waits = |human_first| {
        let mut config = crew(3);
        config.pool[0].human_first = human_first;
        let stage = stage(shop(4, 2_500.0), config);
        let half = |at: &Situation<'_>| {
            let even = at
                .observation
                .get(crate::observation::Feature::LengthChars)
                .unwrap_or(0.0) as u32
                % 2;
            TierProbs::certain(
                at.mask
                    .nearest(if even == 0 { Tier::Review } else { Tier::Human }),
            )
        };
        let tally = simulate(&stage, 4, &half, None).tally;
        let mean = |tier: Tier| {
            let of = tally.hours.iter().map(|h| &h[tier.index()]);
            let (seconds, n) = of.fold((0.0, 0), |(s, n), t| {
                (s + t.queue_s, n + t.answers + t.abandoned)
            });
            seconds / n as f64
        };
        (mean(Tier::Review), mean(Tier::Human))
    };
    let (first, fair) = (waits(true), waits(false));
    assert!(first.1 < 0.8 * first.0, "{first:?}");
    assert!(first.1 < fair.1 && first.0 > fair.0, "{first:?} {fair:?}");
}

#[test]
fn one_decision_a_conversation_settles_the_later_ones() {
    let config = CentreConfig {
        decision: DecisionPoint::Conversation,
        ..CentreConfig::default()
    };
    let stage = stage(shop(2, 1_500.0), config);
    let mut centre = Centre::new(stage, 1, 1);
    let mut chosen = std::collections::BTreeMap::new();
    run(
        &mut centre,
        |centre, slot| {
            assert!(
                chosen.insert(centre.number(slot), ()).is_none(),
                "asked twice"
            );
            centre.mask(slot).nearest(Tier::Auto)
        },
        |_, _, _| {},
    );
    assert!(chosen.len() > 1_000);
}

#[test]
fn an_outage_loses_conversations_and_the_queue_recovers() {
    let mut config = crew(14);
    config.outage = vec![OutageConfig {
        start_h: 44.0,
        duration_h: 1.0,
        pools: vec!["crew".to_owned()],
        languages: Vec::new(),
        people_lost: 0.8,
        ai_lost: 0.0,
        reroute_delay_s: 60.0,
        dropped: 0.5,
    }];
    let calm = CentreConfig {
        outage: Vec::new(),
        ..config.clone()
    };
    let run = |config| {
        simulate(
            &stage(shop(4, 4_000.0), config),
            9,
            &always(Tier::Human),
            Some(900.0),
        )
    };
    let (hit, calm) = (run(config), run(calm));
    assert!(hit.lost > 0 && calm.lost == 0);
    let queue = |r: &Replica, h: f64| {
        r.timeline
            .iter()
            .find(|p| p.at_s >= h * 3_600.0)
            .unwrap()
            .queue
    };
    assert!(queue(&hit, 44.75) > queue(&calm, 44.75) + 10);
    assert!(queue(&hit, 52.0) <= queue(&calm, 52.0) + 5);
    assert_eq!(
        hit.tally.conversations, calm.tally.conversations,
        "the same customers come either way"
    );
}

#[test]
fn replicas_follow_the_load_and_limited_ones_make_customers_wait() {
    let mut shop = shop(2, 60_000.0);
    shop.auto.latency_s = 20.0;
    let fixed = |replicas| CentreConfig {
        ai: AiConfig {
            replicas,
            autoscale: None,
        },
        ..CentreConfig::default()
    };
    let scaled = CentreConfig {
        ai: AiConfig {
            replicas: Some(4),
            autoscale: Some(Autoscaler {
                target: 0.7,
                tolerance: 0.1,
                min: 2,
                max: 60,
                interval_s: 15.0,
                startup_s: 60.0,
            }),
        },
        ..CentreConfig::default()
    };
    let run = |config| {
        simulate(
            &stage(shop.clone(), config),
            1,
            &always(Tier::Auto),
            Some(3_600.0),
        )
    };
    let (free, few, scaled) = (run(fixed(None)), run(fixed(Some(8))), run(scaled));
    let wait = |r: &Replica| r.tally.hours.iter().map(|h| h[0].queue_s).sum::<f64>();
    assert_eq!(wait(&free), 0.0);
    assert!(
        wait(&few) > 10.0 * wait(&scaled),
        "{} {}",
        wait(&few),
        wait(&scaled)
    );
    let at = |hour: f64| {
        scaled
            .timeline
            .iter()
            .find(|p| p.at_s >= hour * 3_600.0)
            .unwrap()
            .replicas
            .unwrap()
    };
    assert!(
        at(44.0) > 2 * at(28.0),
        "busy evening {}, quiet night {}",
        at(44.0),
        at(28.0)
    );
}

#[test]
fn the_fast_state_is_that_of_the_observation_and_masks_hold() {
    let stage = stage(shop(2, 2_000.0), CentreConfig::default());
    let cuts = stage.world().rules().discretizer.clone();
    let mut centre = Centre::new(stage, 1, 1);
    run(
        &mut centre,
        |centre, slot| {
            let at = centre.situation(slot);
            assert_eq!(centre.state(slot), cuts.state(&at.observation));
            let wants = at.observation.get(crate::observation::Feature::WantsHuman) == Some(1.0);
            assert!(!(wants && at.mask.allows(Tier::Auto)));
            at.mask.nearest(Tier::Auto)
        },
        |_, _, _| {},
    );
}

#[test]
fn chats_at_once_take_longer_each_and_less_of_a_person() {
    let run = |people, concurrency, slowdown| {
        let mut config = crew(people);
        config.pool[0].concurrency = concurrency;
        config.pool[0].slowdown = slowdown;
        simulate(
            &stage(plain(4, 2_000.0), config),
            1,
            &always(Tier::Human),
            None,
        )
        .tally
    };
    let one = run(12, 1, 0.15);
    let three = run(4, 3, 0.0);
    let slowed = run(4, 3, 0.3);
    let mean = |tally: &Tally, kpi| tally.kpi(kpi).mean().unwrap();
    assert!(mean(&three, CentreKpi::HumanS) < mean(&one, CentreKpi::HumanS));
    assert!(mean(&slowed, CentreKpi::QueueS) > mean(&three, CentreKpi::QueueS));
}

#[test]
fn what_cannot_be_is_refused_with_its_key() {
    type Change = Box<dyn Fn(&mut CentreConfig, &mut ShopConfig)>;
    let bad: [(&str, Change); 14] = [
        ("pool", Box::new(|c, _| c.pool.clear())),
        ("pool.team", Box::new(|c, _| c.pool[0].team.clear())),
        (
            "pool.team.people",
            Box::new(|c, _| c.pool[0].team[0].people = 0),
        ),
        (
            "pool.zone",
            Box::new(|c, _| c.pool[0].zone = "Mars/Base".to_owned()),
        ),
        (
            "pool.tiers",
            Box::new(|c, _| c.pool[0].tiers = vec![Tier::Auto]),
        ),
        (
            "pool.team.from",
            Box::new(|c, _| c.pool[0].team[0].from = "25:00".to_owned()),
        ),
        (
            "pool.team.languages",
            Box::new(|c, _| c.pool[0].team[0].languages = vec!["xx".to_owned()]),
        ),
        (
            "pool.team.languages",
            Box::new(|c, _| {
                c.pool[0].review_any_language = false;
                c.pool[0].team.truncate(1);
            }),
        ),
        (
            "overdispersion",
            Box::new(|c, _| c.overdispersion = f64::NAN),
        ),
        (
            "warmup_h",
            Box::new(|c, s| (c.warmup_h, s.days) = (48.0, 2)),
        ),
        (
            "patience.samples_s",
            Box::new(|c, _| {
                c.patience = Spread::Empirical {
                    samples_s: vec![5.0; 9],
                }
            }),
        ),
        (
            "ai.autoscale",
            Box::new(|c, _| {
                c.ai.autoscale = Some(Autoscaler {
                    target: 0.5,
                    tolerance: 0.1,
                    min: 1,
                    max: 2,
                    interval_s: 15.0,
                    startup_s: 0.0,
                })
            }),
        ),
        (
            "outage.start_h",
            Box::new(|c, s| {
                s.days = 2;
                c.outage = vec![outage(60.0, 1.0)];
            }),
        ),
        (
            "outage.duration_h",
            Box::new(|c, s| {
                s.days = 2;
                c.outage = vec![outage(40.0, 30.0)];
            }),
        ),
    ];
    for (key, change) in bad {
        let (mut config, mut shop) = (CentreConfig::default(), shop(3, 1_000.0));
        change(&mut config, &mut shop);
        let world = World::new(shop, ShopRules::default()).unwrap();
        match Stage::new(config, world) {
            Err(CentreError::Config(error)) => assert_eq!(error.key, key, "{error}"),
            other => panic!("{key}: {:?}", other.map(|_| ())),
        }
    }
}

fn outage(start_h: f64, duration_h: f64) -> OutageConfig {
    OutageConfig {
        start_h,
        duration_h,
        pools: Vec::new(),
        languages: Vec::new(),
        people_lost: 0.5,
        ai_lost: 0.0,
        reroute_delay_s: 0.0,
        dropped: 0.0,
    }
}
