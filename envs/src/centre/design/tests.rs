//! Designs against the truth: they agree where theory says that they must, and are refused where they would mislead.

use std::sync::Arc;

use super::super::config::{CentreConfig, PoolConfig, TeamConfig};
use super::super::stage::Stage;
use super::*;
use crate::env::Situation;
use crate::shop::{LanguageConfig, ShopConfig, ShopRules, World};
use crate::tier::{Tier, TierProbs};

fn always(tier: Tier) -> impl Fn(&Situation<'_>) -> TierProbs + Sync {
    move |at| TierProbs::certain(at.mask.nearest(tier))
}

/// Hard requests at a constant rate; customers who do not come back.
fn shop(daily: f64) -> ShopConfig {
    let mut shop = ShopConfig {
        days: 1,
        daily_contacts: daily,
        hourly_profile: [1.0; 24],
        weekday_profile: [1.0; 7],
        class_shares_day: [0.0, 1.0, 0.0],
        class_shares_night: [0.0, 1.0, 0.0],
        language: vec![LanguageConfig {
            tag: "en".to_owned(),
            share: 1.0,
            ai_support: 1.0,
            human_share: 1.0,
            regions: vec!["US".to_owned()],
        }],
        ..ShopConfig::default()
    };
    shop.aftermath.reopen_solved = [0.0; 3];
    shop.aftermath.reopen_unsolved = 0.0;
    shop
}

fn stage(shop: ShopConfig, people: u32) -> Arc<Stage> {
    let config = CentreConfig {
        overdispersion: 0.0,
        warmup_h: 3.0,
        cooldown_h: 2.0,
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
    };
    Stage::new(config, World::new(shop, ShopRules::default()).unwrap()).unwrap()
}

type Chooser = dyn Fn(&Situation<'_>) -> TierProbs + Sync;

fn contest<'a>(stage: &'a Arc<Stage>, a: &'a Chooser, b: &'a Chooser) -> Contest<'a> {
    Contest {
        stage,
        a,
        b,
        replicas: 6,
        seed: 1,
        salt: 1,
        level: 0.95,
    }
}

/// The three designs as they should be run.
fn played(contest: &Contest<'_>) -> Vec<DesignResult> {
    let truth = contest.truth().unwrap();
    vec![
        contest.user(&truth, 0.5).unwrap(),
        contest.split_pool(&truth, 0.5, false).unwrap(),
        contest.switchback(&truth, Some(300.0), None, None).unwrap(),
    ]
}

#[test]
fn the_same_policy_twice_differs_from_itself_in_no_design() {
    let stage = stage(shop(3_000.0), 12);
    let human = always(Tier::Human);
    for result in played(&contest(&stage, &human, &human)) {
        assert!(result.measured.holds(0.0), "{result:?}");
        assert!(result.measured.standard_error > 0.0);
        assert_eq!(
            (result.truth.value, result.truth.standard_error),
            (0.0, 0.0)
        );
        assert_eq!(result.winner, Winner::Undecided);
        assert_eq!(result.right, None);
    }
}

#[test]
fn with_people_for_everyone_all_designs_agree_with_the_truth() {
    // Nobody waits, so no conversation touches another, and every design is a fair sample of the same difference.
    let stage = stage(shop(2_000.0), 400);
    let (auto, human) = (always(Tier::Auto), always(Tier::Human));
    for result in played(&contest(&stage, &auto, &human)) {
        let off = result.bias.value.abs() / result.bias.standard_error;
        assert!(off < 4.0, "{off} standard errors: {result:?}");
        assert_eq!(result.winner, result.true_winner);
        assert_eq!(result.right, Some(true));
    }
}

#[test]
fn in_a_split_pool_of_unlimited_people_an_arm_is_the_whole_worlds_arm() {
    // The same customers have the same luck, so an arm's mean is that of its customers under its policy.
    let stage = stage(shop(2_000.0), 400);
    let (auto, human) = (always(Tier::Auto), always(Tier::Human));
    let contest = contest(&stage, &auto, &human);
    let truth = contest.truth().unwrap();
    let user = contest.user(&truth, 0.3).unwrap();
    let split = contest.split_pool(&truth, 0.3, true).unwrap();
    assert!((user.measured.value - split.measured.value).abs() < 1e-12);
    assert_eq!(user.conversations, split.conversations);
    let [a, b] = user.conversations.map(|n| n as f64);
    let share = b / (a + b);
    // Binomial: the share's standard deviation is √(0.21/n).
    assert!(
        (share - 0.3).abs() < 4.0 * (0.21 / (a + b)).sqrt(),
        "{share}"
    );
}

#[test]
fn an_uneven_split_is_refused_and_finds_a_difference_between_equals() {
    let stage = stage(shop(3_000.0), 10);
    let human = always(Tier::Human);
    let contest = contest(&stage, &human, &human);
    let truth = contest.truth().unwrap();
    assert!(matches!(
        contest.split_pool(&truth, 0.1, false),
        Err(DesignError::UnevenPools { .. })
    ));
    let result = contest.split_pool(&truth, 0.1, true).unwrap();
    // One person for a tenth of the customers waits far longer than nine for the others.
    assert_eq!(result.winner, Winner::A, "{result:?}");
    assert_eq!(result.right, Some(false));
    assert!(result.bias.upper < 0.0);
    assert!(matches!(
        result.cautions[..],
        [Caution::UnevenPools { share, people_share }] if share == 0.1 && people_share == 0.1
    ));
}

#[test]
fn busy_people_are_forgotten_as_fast_as_their_work_ends() {
    // People without limit and work of exactly S = 600 s: t after the switch, those who began before are the fraction
    // 1 − t/S, so the difference is below 5 % after 0.95 S. Nobody waits.
    let mut shop = shop(4_000.0);
    shop.max_turns = 1;
    shop.human.spread = 0.0;
    shop.human.handle_s = [600.0; 3];
    shop.human.first_word = 1.0;
    let stage = stage(shop, 400);
    let (auto, human) = (always(Tier::Auto), always(Tier::Human));
    let contest = contest(&stage, &auto, &human);
    let watch = Watch {
        spacing_s: 1_800.0,
        horizon_s: 1_800.0,
        bin_s: 60.0,
    };
    let relaxation = contest.relaxation(&watch).unwrap();
    let seconds = relaxation.seconds.unwrap();
    assert!((seconds - 570.0).abs() < 20.0, "{seconds}");
    for curve in &relaxation.curves {
        match curve.measure {
            Measure::Waiting => assert_eq!((curve.at_switch.value, curve.seconds), (0.0, None)),
            Measure::Busy => {
                // Offered load of M/G/∞: 4,000 a day · 600 s.
                let load = 4_000.0 / 86_400.0 * 600.0;
                let off = (curve.at_switch.value - load).abs();
                assert!(off < 4.0 * curve.at_switch.standard_error, "{curve:?}");
                let quarter = curve.differences[2] / curve.at_switch.value;
                assert!((quarter - 0.75).abs() < 0.05, "{quarter}");
            }
        }
    }
    let same = contest_of_equals(&stage, &human)
        .relaxation(&watch)
        .unwrap();
    assert_eq!(same.seconds, None);
}

fn contest_of_equals<'a>(stage: &'a Arc<Stage>, policy: &'a Chooser) -> Contest<'a> {
    contest(stage, policy, policy)
}

#[test]
fn results_are_the_same_bytes_on_any_number_of_threads() {
    let stage = stage(shop(1_500.0), 6);
    let (auto, human) = (always(Tier::Auto), always(Tier::Human));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let contest = contest(&stage, &auto, &human);
        pool.install(|| {
            let watch = Watch::default();
            let results = (played(&contest), contest.watch(&watch).unwrap());
            serde_json::to_string(&results).unwrap()
        })
    };
    let one = on(1);
    assert_eq!(one, on(2));
    assert_eq!(one, on(8));
}

#[test]
fn what_would_measure_nothing_is_refused_with_what_would_be_right() {
    let stage = stage(shop(1_000.0), 7);
    let (auto, human) = (always(Tier::Auto), always(Tier::Human));
    let mut contest = contest(&stage, &auto, &human);
    contest.replicas = 2;
    let truth = contest.truth().unwrap();
    for share in [0.0, 1.0, -0.2, 1.5, f64::NAN] {
        for refused in [
            contest.user(&truth, share),
            contest.split_pool(&truth, share, true),
        ] {
            assert!(matches!(refused, Err(DesignError::Share { .. })), "{share}");
        }
    }
    let says = |result: Result<DesignResult, DesignError>| result.unwrap_err().to_string();
    let odd = says(contest.split_pool(&truth, 0.5, false));
    assert!(
        odd.contains("team 1 of pool \"crew\" has 7: 3 for A and 4 for B"),
        "{odd}"
    );
    let handle_s = truth.handle_s;
    assert!(handle_s > 60.0 && handle_s < 400.0, "{handle_s}");
    let short = says(contest.switchback(&truth, Some(1_500.0), Some(1_200.0), None));
    assert!(short.contains("at least 1500 s"), "{short}");
    let short = says(contest.switchback(&truth, None, Some(2.9 * handle_s), None));
    assert!(short.contains("three handle times"), "{short}");
    let short = says(contest.switchback(&truth, None, Some(900.0), Some(3_599.0)));
    assert!(short.contains("at least 3600 s"), "{short}");
    let long = says(contest.switchback(&truth, None, Some(9_000.0), None));
    assert!(long.contains("pairs of blocks"), "{long}");
    let negative = says(contest.switchback(&truth, None, Some(-1.0), None));
    assert!(negative.contains("`washout_s` is -1"), "{negative}");
    // Nobody comes into B when its share is one in a billion.
    assert!(matches!(
        contest.user(&truth, 1e-9),
        Err(DesignError::EmptyArm {
            arm: 'B',
            replica: 0
        })
    ));
    let watch = Watch {
        horizon_s: 1e6,
        ..Watch::default()
    };
    assert!(matches!(
        contest.watch(&watch),
        Err(DesignError::NoSwitch { .. })
    ));
    contest.level = 1.0;
    assert!(matches!(contest.truth(), Err(DesignError::Level { .. })));
    contest.replicas = 1;
    assert!(matches!(contest.truth(), Err(DesignError::Replicas { .. })));
}
