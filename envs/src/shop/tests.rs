//! The shop against closed forms, its contract, and its log's promises.

use std::sync::Arc;

use super::{
    LogIdentity, LoggedSatisfaction, MaskedChoice, Outcomes, Shop, ShopConfig, ShopRules, World,
};
use crate::check;
use crate::class::{ActionSource, Class};
use crate::discretise::Discretizer;
use crate::env::{Env, Situation};
use crate::log::model::Conversation;
use crate::log::outcome::ConversationOutcome;
use crate::log::validate::validate;
use crate::mask::MaskRules;
use crate::tier::{Tier, TierProbs};

fn world(config: ShopConfig) -> Arc<World> {
    World::new(config, ShopRules::default()).unwrap()
}

fn uniform(at: &Situation<'_>) -> TierProbs {
    at.mask.uniform()
}

fn always(tier: Tier) -> impl Fn(&Situation<'_>) -> TierProbs + Sync {
    move |at| TierProbs::certain(at.mask.nearest(tier))
}

/// One class, one language, nobody waits, everything constant.
fn still_life(class: Class) -> ShopConfig {
    let mut config = ShopConfig {
        days: 7,
        max_turns: 1,
        ..ShopConfig::default()
    };
    let mut shares = [0.0; 3];
    shares[class.index()] = 1.0;
    config.class_shares_day = shares;
    config.class_shares_night = shares;
    config.language.truncate(1);
    config.language[0].human_share = 1.0;
    config.load.human_pressure = 0.0;
    config.load.review_pressure = 0.0;
    config.perception.sentiment_noise = 0.0;
    config.perception.sentiment_fall = 0.0;
    config.auto.coverage_weight = 0.0;
    config.human.spread = 0.0;
    config.satisfaction.leniency = 0.0;
    config.satisfaction.per_minute = 0.0;
    config
}

#[test]
fn it_keeps_the_contract() {
    check::env(&mut Shop::new(world(ShopConfig::default())), 1).unwrap();
}

#[test]
fn the_documented_file_states_the_defaults() {
    let text = include_str!("../../../configs/shop.toml");
    assert_eq!(ShopConfig::from_toml(text).unwrap(), ShopConfig::default());
    assert_eq!(ShopConfig::from_toml("").unwrap(), ShopConfig::default());
}

#[test]
fn bad_values_are_named() {
    let cases = [
        ("days = 0", "`days` is 0; it lies in 1 to 3660"),
        ("dayz = 3", "unknown field `dayz`"),
        ("start = \"tomorrow\"", "TOML parse error at line 1"),
        ("max_turns = 17", "`max_turns` is 17; it lies in 1 to 16"),
        ("utc_offset_hours = nan", "`utc_offset_hours` is NaN"),
        ("daily_contacts = -1.0", "`daily_contacts` is -1.0"),
        ("class_shares_day = [0.0, 0.0, 0.0]", "`class_shares_day`"),
        ("night_hours = [24, 3]", "hours lie in 0 to 23"),
        ("language = []", "there are 1 to 64 languages"),
        (
            "[[language]]\ntag = \"e1\"\nshare = 1.0\nai_support = 1.0\nhuman_share = 1.0\nregions = [\"US\"]",
            "a tag is two or three letters",
        ),
        (
            "[[language]]\ntag = \"en\"\nshare = 1.0\nai_support = 1.5\nhuman_share = 1.0\nregions = [\"US\"]",
            "`language.en.ai_support` is 1.5; it lies in [0, 1]",
        ),
        (
            "[perception]\nconfusion = [[0.5, 0.4, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]",
            "`perception.confusion.simple`",
        ),
        (
            "[load]\nbusy_max = 1.0",
            "`load.busy_max` is 1.0; it lies in (0, 0.99]",
        ),
        ("[load]\nhumans = inf", "`load.humans` is inf"),
        (
            "[human]\nspread = 0.6",
            "`human.spread` is 0.6; it lies in [0, 0.45]",
        ),
        (
            "[customer]\npatience_s = [1.0, 0.0, 1.0]",
            "`customer.patience_s` is 0.0",
        ),
        (
            "[aftermath]\nsurvey_base = 0.9",
            "survey_base + survey_extreme is at most 1",
        ),
        ("[aftermath]\ncurrency = \"usd\"", "three capital letters"),
        ("logged_satisfaction = \"all\"", "unknown variant `all`"),
    ];
    for (text, expected) in cases {
        let message = ShopConfig::from_toml(text).unwrap_err().to_string();
        assert!(message.contains(expected), "{text}\n{message}");
    }
    let rules = ShopRules {
        reward: crate::reward::RewardSpec {
            cost_weight: 1.0,
            ..Default::default()
        },
        ..ShopRules::default()
    };
    let message = World::new(ShopConfig::default(), rules)
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("reward: `cost_weight` is 1"),
        "{message}"
    );
}

#[test]
fn the_fast_path_sees_what_the_observation_says() {
    let rules = [
        ShopRules::default(),
        ShopRules {
            mask: MaskRules::permissive(),
            discretizer: Discretizer {
                sentiment_cut: 0.1,
                load_cuts: [0.3, 0.6, 0.97],
                turn_cuts: [2, 4],
            },
            ..ShopRules::default()
        },
    ];
    for rules in rules {
        let mut shop = Shop::new(World::new(ShopConfig::default(), rules.clone()).unwrap());
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..3_000 {
            shop.reset(number).unwrap();
            loop {
                let situation = shop.decide();
                let state = rules.discretizer.state(&situation.observation);
                assert_eq!(shop.state(), state);
                assert_eq!(shop.mask(), rules.mask.apply(&situation.observation).mask);
                assert_eq!(shop.mask(), situation.mask);
                seen.insert(state);
                let tier = uniform(&situation).pick(shop.choice());
                if shop.step(tier).unwrap().terminated {
                    break;
                }
            }
        }
        assert!(seen.len() > Discretizer::STATES / 2, "{}", seen.len());
    }
}

#[test]
fn threads_change_nothing() {
    let world = world(ShopConfig::default());
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| {
                (
                    world.simulate(&uniform, 9_000, 3).unwrap(),
                    world.true_value(&uniform, 9_000, 3).unwrap(),
                )
            })
    };
    let (outcomes, value) = run(1);
    let (again, value_again) = run(3);
    // NaN marks the conversations without a first response, so columns are compared bit by bit.
    let bits = |column: &[f32]| column.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
    assert_eq!(
        bits(&outcomes.first_response_s),
        bits(&again.first_response_s)
    );
    assert_eq!(outcomes.reward, again.reward);
    assert_eq!(outcomes.tiers, again.tiers);
    assert_eq!(value, value_again);
    let mean = outcomes.reward.iter().sum::<f64>() / outcomes.len() as f64;
    assert!((mean - value.mean).abs() < 1e-12);
}

/// A complaint, answered once by a person: 600 s of work, answered after 0.3 · 600 = 180 s.
///
/// E_time = 120/(120 + 60) = 2/3. C = 600 · 18/3600 = 3 > C_ref, so E_cost = 0.5. S = 0.86 − 0.08 · 0.5 = 0.82 solved
/// and 0.08 − 0.04 = 0.04 unsolved; reopening (0.1, 0.3) halves S.
#[test]
fn a_single_answer_by_a_person_is_worth_what_the_formula_says() {
    let mut config = still_life(Class::Complaint);
    config.human.handle_s[2] = 600.0;
    config.human.solve[2] = 0.8;
    config.aftermath.reopen_solved[2] = 0.1;
    config.aftermath.reopen_unsolved = 0.3;
    let efficiency = 2.0 / 3.0 * 0.5;
    let expected = efficiency * (0.8 * 0.82 * 0.95 + 0.2 * 0.04 * 0.85);
    let value = world(config)
        .true_value(&always(Tier::Human), 100_000, 5)
        .unwrap();
    assert!(value.standard_error < 5e-4);
    assert!(
        (value.mean - expected).abs() < 4.0 * value.standard_error,
        "{value:?} {expected}"
    );
}

/// A simple question, at most two AI answers: q = 0.9, then 0.45 after a failure; nobody leaves or asks for a person.
///
/// One or two calls at 0.004 cost E_cost = 1 − 0.5 · n · 0.004/1.5; answers stay below 5 s, so E_time = 1.
#[test]
fn two_attempts_of_the_ai_are_worth_what_the_formula_says() {
    let mut config = still_life(Class::Simple);
    config.max_turns = 2;
    config.auto.right[0] = 0.9;
    config.auto.retry = 0.5;
    config.customer.leave = [0.0; 3];
    config.customer.ask_human = [0.0; 3];
    config.perception.confusion[0] = [1.0, 0.0, 0.0];
    let sentiment = 0.08 * 0.15;
    let once = 1.0 - 0.5 * 0.004 / 1.5;
    let twice = 1.0 - 0.5 * 0.008 / 1.5;
    let kept = |reopen: f64| 1.0 - 0.5 * reopen;
    let expected = 0.9 * (0.88 + sentiment) * kept(0.06) * once
        + 0.1 * 0.45 * (0.88 - 0.08 + sentiment) * kept(0.06) * twice
        + 0.1 * 0.55 * (0.22 - 0.08 + sentiment) * kept(0.25) * twice;
    let value = world(config)
        .true_value(&always(Tier::Auto), 100_000, 5)
        .unwrap();
    assert!(
        (value.mean - expected).abs() < 4.0 * value.standard_error,
        "{value:?} {expected}"
    );
}

#[test]
fn answers_help_and_customers_leave_as_often_as_stated() {
    let mut shop = Shop::new(world(ShopConfig::default()));
    for tier in Tier::ALL {
        // Sums of (event − its stated chance): a martingale, so its mean is 0 within four standard errors.
        let (mut solved, mut left, mut variance) = (0.0, 0.0, [0.0; 2]);
        for number in 0..60_000 {
            shop.reset(number).unwrap();
            if !shop.mask().allows(tier) {
                continue;
            }
            let leaves = shop.abandon_probability(tier);
            let solves = (1.0 - leaves) * shop.solve_probability(tier);
            shop.step(tier).unwrap();
            let gone = shop.ending().is_some_and(|ending| ending.abandoned);
            left += f64::from(u8::from(gone)) - leaves;
            solved += f64::from(u8::from(shop.taken().solved)) - solves;
            variance[0] += leaves * (1.0 - leaves);
            variance[1] += solves * (1.0 - solves);
        }
        assert!(
            left.abs() <= 4.0 * variance[0].sqrt() + 1e-9,
            "{tier}: {left}"
        );
        assert!(solved.abs() <= 4.0 * variance[1].sqrt(), "{tier}: {solved}");
    }
}

#[test]
fn each_tier_is_best_somewhere() {
    let world = world(ShopConfig::default());
    let runs: Vec<Outcomes> = Tier::ALL
        .iter()
        .map(|tier| world.simulate(&always(*tier), 40_000, 11).unwrap())
        .collect();
    // Mean R by true class, in calm and in busy hours (the evening peak).
    let mean = |run: &Outcomes, class: Class, evening: bool| {
        let (mut sum, mut n) = (0.0, 0.0);
        for i in 0..run.len() {
            let peak = (19..=22).contains(&run.hour[i]);
            if run.class[i] == class && peak == evening {
                sum += run.reward[i];
                n += 1.0;
            }
        }
        sum / n
    };
    let best = |class, evening| {
        let means = [0, 1, 2].map(|t| mean(&runs[t], class, evening));
        (0..3)
            .max_by(|a, b| means[*a].total_cmp(&means[*b]))
            .unwrap()
    };
    assert_eq!(best(Class::Simple, false), 0);
    assert_eq!(best(Class::Simple, true), 0);
    assert_eq!(best(Class::Complex, false), 1);
    assert_eq!(best(Class::Complaint, false), 2);
    // A person is worth less in the evening, when people are scarce.
    let fall = mean(&runs[2], Class::Complaint, false) - mean(&runs[2], Class::Complaint, true);
    assert!(fall > 0.05, "{fall}");
}

#[test]
fn a_masked_choice_is_refused() {
    let world = world(ShopConfig::default());
    let stubborn = |_: &Situation<'_>| TierProbs::certain(Tier::Auto);
    let error = world.true_value(&stubborn, 1_000, 1).unwrap_err();
    assert_eq!(error.tier, Tier::Auto);
}

fn small_log(config: ShopConfig) -> Vec<Conversation> {
    let identity = LogIdentity {
        seed: 9,
        policy_id: "uniform".to_owned(),
        policy_version: "1".to_owned(),
        action_source: ActionSource::Policy,
    };
    let mut rows = Vec::new();
    let count = world(config)
        .generate_log(&identity, &uniform, |row| -> Result<(), LogStopped> {
            rows.push(row);
            Ok(())
        })
        .unwrap();
    assert_eq!(count, rows.len() as u64);
    rows
}

#[derive(Debug)]
struct LogStopped(#[expect(dead_code, reason = "shown by unwrap")] MaskedChoice);

impl From<MaskedChoice> for LogStopped {
    fn from(masked: MaskedChoice) -> Self {
        Self(masked)
    }
}

#[test]
fn the_log_is_ordered_exact_and_repeatable() {
    let config = ShopConfig {
        days: 3,
        daily_contacts: 500.0,
        ..ShopConfig::default()
    };
    let rows = small_log(config.clone());
    assert_eq!(rows, small_log(config.clone()));
    // Poisson with mean 500 · 3 days (Monday to Wednesday) within five standard deviations.
    let weekdays = (1.0 + 0.97 + 0.96) / (7.18 / 7.0);
    let mean = 500.0 * weekdays;
    assert!(
        (rows.len() as f64 - mean).abs() < 5.0 * f64::sqrt(mean),
        "{}",
        rows.len()
    );
    assert!(rows.is_sorted_by_key(|row| row.created_at));
    let languages: std::collections::BTreeSet<_> = rows.iter().map(|r| &r.language).collect();
    assert!(languages.len() >= 12, "{languages:?}");
    for row in &rows {
        validate(row).unwrap();
        assert_eq!(row.decisions[0].decided_at, row.created_at);
        assert!(row.turns.is_sorted_by_key(|turn| turn.at));
        assert!(row.closed_at >= row.turns.last().unwrap().at);
        let after = row
            .rating_at
            .into_iter()
            .chain(row.clicked_at)
            .chain(row.converted_at);
        assert!(after.into_iter().all(|at| Some(at) >= row.closed_at));
        assert_eq!(row.satisfaction, None);
        for decision in &row.decisions {
            let probs = decision.probs.unwrap();
            assert_eq!(
                decision.propensity.unwrap().value(),
                probs.of(decision.action)
            );
            assert!(decision.mask.allows(decision.action));
            let message = &row.turns[decision.turn as usize];
            assert_eq!(message.role, crate::class::Role::Customer);
            assert_eq!(message.at, Some(decision.decided_at));
            let seconds = [decision.answer_s, decision.human_s];
            assert!(
                seconds
                    .into_iter()
                    .flatten()
                    .all(|s| (0.0..=604_800.0).contains(&s))
            );
        }
        let text = serde_json::to_string(row).unwrap();
        assert_eq!(serde_json::from_str::<Conversation>(&text).unwrap(), *row);
    }
}

#[test]
fn rewards_can_be_read_back_from_the_log() {
    let config = ShopConfig {
        days: 14,
        daily_contacts: 400.0,
        logged_satisfaction: LoggedSatisfaction::True,
        ..ShopConfig::default()
    };
    let rules = ShopRules::default();
    let rows = small_log(config.clone());
    let rewards: Vec<f64> = rows
        .iter()
        .map(|row| {
            // A mark, where there is one, counts before the simulator's S; its mean is that S.
            let outcome = ConversationOutcome::of(row);
            outcome.reward(&rules.reward, None).unwrap().total
        })
        .collect();
    let n = rewards.len() as f64;
    let mean = rewards.iter().sum::<f64>() / n;
    let spread = rewards.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let truth = world(config).true_value(&uniform, 100_000, 77).unwrap();
    let tolerance = 4.0 * (spread / n + truth.standard_error.powi(2)).sqrt();
    assert!((mean - truth.mean).abs() < tolerance, "{mean} {truth:?}");
}

#[test]
fn a_sink_can_stop_the_log() {
    let identity = LogIdentity {
        seed: 1,
        policy_id: "uniform".to_owned(),
        policy_version: "1".to_owned(),
        action_source: ActionSource::Policy,
    };
    #[derive(Debug, PartialEq)]
    enum Stop {
        Full,
        Masked,
    }
    impl From<MaskedChoice> for Stop {
        fn from(_: MaskedChoice) -> Self {
            Self::Masked
        }
    }
    let mut left = 5;
    let result = world(ShopConfig::default()).generate_log(&identity, &uniform, |_| {
        left -= 1;
        if left == 0 { Err(Stop::Full) } else { Ok(()) }
    });
    assert_eq!(result, Err(Stop::Full));
    let stubborn = |_: &Situation<'_>| TierProbs::certain(Tier::Auto);
    let result =
        world(ShopConfig::default()).generate_log(&identity, &stubborn, |_| Ok::<_, Stop>(()));
    assert_eq!(result, Err(Stop::Masked));
}
