use proptest::prelude::*;

use super::super::samples::{SECONDS, conversation, episodes, fitted, masked, mixed};
use super::super::{AssumedCell, OutcomeModel};
use super::*;
use crate::check;
use crate::log::model::Conversation;

const B: [f64; 3] = [0.25, 0.5, 1.0];

fn spec() -> RewardSpec {
    RewardSpec::default()
}

fn model_replay(conversations: &[Conversation]) -> Replay {
    let log = Arc::new(episodes(conversations, &spec()));
    let model = fitted(&log);
    Replay::new(log, ReplayMode::Model(model), spec()).unwrap()
}

/// Replays a conversation on tiers given one after the other; the reward, and the key figures at the end.
fn play(replay: &mut Replay, row: usize, tiers: &[Tier]) -> (f64, KpiRow) {
    replay.start(row, 7);
    let mut reward = 0.0;
    for (i, tier) in tiers.iter().enumerate() {
        let step = replay.step(*tier).unwrap();
        assert_eq!(step.terminated, i + 1 == tiers.len());
        reward += step.reward;
    }
    (reward, replay.kpis())
}

fn logged_tiers(replay: &Replay, row: usize) -> Vec<Tier> {
    let log = replay.log();
    log.range(row).map(|d| log.action(d)).collect()
}

#[test]
fn both_modes_keep_the_contract() {
    let mut log = mixed(Class::Complex, B, 40);
    for (n, row) in log.iter_mut().enumerate() {
        // Contracts are about masks too: one in five conversations forbids a tier that it did not use.
        if n % 5 == 0 {
            for decision in &mut row.decisions {
                decision.mask = crate::mask::Mask::from_flags(
                    Tier::ALL.map(|t| t == decision.action || t == Tier::Human),
                )
                .unwrap();
            }
        }
    }
    let mut on_model = model_replay(&log);
    check::env(&mut on_model, 3).unwrap();
    let log = Arc::new(episodes(&log, &spec()));
    let mut by_rejection = Replay::new(log, ReplayMode::Rejection, spec()).unwrap();
    check::env(&mut by_rejection, 3).unwrap();
}

#[test]
fn nothing_moves_where_policy_and_log_agree() {
    let spec = spec();
    let mut log = mixed(Class::Complaint, B, 40);
    for (n, row) in log.iter_mut().enumerate() {
        // Everything that a helpdesk's totals may hold beside its answers.
        row.abandoned = Some(n % 11 == 0);
        row.escalated_7d = Some(n % 3 == 0);
        row.first_response_s = Some(17.0);
        row.human_handle_s = (n % 2 == 0).then_some(321.0);
        if n % 4 == 0 {
            row.satisfaction = None;
            row.satisfaction_source = None;
        }
        if n % 11 == 0 {
            row.decisions.last_mut().unwrap().answer_s = None;
        }
        if n % 13 == 0 {
            row.decisions[0].human_s = None;
            row.decisions[0].ai_calls = None;
        }
    }
    let mut replay = model_replay(&log);
    assert_eq!(replay.usable().len(), log.len());
    for row in 0..log.len() {
        let tiers = logged_tiers(&replay, row);
        let (reward, kpis) = play(&mut replay, row, &tiers);
        let logged = replay.log().learning_reward(row, &spec).unwrap();
        assert_eq!(reward, logged, "{row}");
        let original = *replay.log().kpis(row);
        for kpi in [
            Kpi::TimeEfficiency,
            Kpi::CostEfficiency,
            Kpi::HumanS,
            Kpi::FirstResponseS,
            Kpi::Escalation,
        ] {
            assert_eq!(kpis.get(kpi), original.get(kpi), "{row} {kpi}");
        }
    }
}

#[test]
fn another_tier_changes_what_its_cells_say() {
    // A review that said 0.5, in a log where S is exactly b: at tier 3 the mean is 1, at tier 1 it is 0.25.
    let mut replay = model_replay(&mixed(Class::Complex, B, 40));
    let spec = spec();
    let row = (0..replay.log().len())
        .find(|row| logged_tiers(&replay, *row) == [Tier::Review])
        .unwrap();
    for tier in Tier::ALL {
        let (reward, kpis) = play(&mut replay, row, &[tier]);
        let (answer_s, human_s) = SECONDS[tier.index()];
        let satisfaction = B[tier.index()];
        let late_s = (answer_s - 120.0).max(0.0);
        let time = 120.0 / (120.0 + late_s);
        let cost = spec.cost_efficiency(human_s, u32::from(tier != Tier::Human));
        let close = |kpi, wanted: f64| {
            let have = kpis.get(kpi).unwrap();
            assert!(
                (have - wanted).abs() < 1e-4,
                "{tier} {kpi}: {have} {wanted}"
            );
        };
        close(Kpi::Satisfaction, satisfaction);
        close(Kpi::TimeEfficiency, time);
        close(Kpi::CostEfficiency, cost);
        close(Kpi::HumanS, human_s);
        close(Kpi::FirstResponseS, answer_s);
        close(Kpi::Reward, satisfaction * time * cost);
        assert_eq!(kpis.get(Kpi::Reward), Some(reward));
        assert_eq!(kpis.get(Kpi::Click), None, "never tracked");
    }
}

#[test]
fn the_mean_under_another_tier_is_the_cells_mean() {
    // Ratings of 0 and 1 with mean 0.8 at review and 0.9 at human: adding 0.1 and clamping would give 0.82.
    let log: Vec<_> = (0..100)
        .map(|n| {
            let tier = if n % 2 == 0 {
                Tier::Review
            } else {
                Tier::Human
            };
            let bad = n / 2 % 10 < if n % 2 == 0 { 2 } else { 1 };
            let satisfaction = f64::from(u8::from(!bad));
            let row = conversation(n, Class::Complex, &[tier], Some(satisfaction));
            masked(row, [false, true, true])
        })
        .collect();
    let mut replay = model_replay(&log);
    for (from, to, wanted) in [(0, Tier::Human, 0.9), (1, Tier::Review, 0.8)] {
        let mut sum = 0.0;
        for row in (from..100).step_by(2) {
            let (_, kpis) = play(&mut replay, row, &[to]);
            sum += kpis.get(Kpi::Satisfaction).unwrap();
        }
        assert!((sum / 50.0 - wanted).abs() < 1e-4, "{to}: {}", sum / 50.0);
    }
}

proptest! {
    #[test]
    fn moving_a_group_keeps_its_range_and_meets_its_new_mean(
        values in proptest::collection::vec(0.0..=1.0f64, 1..20),
        to in 0.0..=1.0f64,
    ) {
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let from = mean(&values);
        let there: Vec<f64> = values.iter().map(|v| moved(*v, from, to)).collect();
        prop_assert!(there.iter().all(|v| (-1e-12..=1.0 + 1e-12).contains(v)));
        prop_assert!((mean(&there) - to).abs() < 1e-9);
        for v in values {
            prop_assert_eq!(moved(v, from, from), v);
        }
    }
}

#[test]
fn human_seconds_that_nobody_logged_are_charged_as_in_the_reward() {
    let spec = spec();
    let mut row = conversation(0, Class::Complex, &[Tier::Human], Some(0.5));
    row.decisions[0].human_s = None;
    let log = Arc::new(episodes(&[row], &spec));
    let mut replay = Replay::new(log, ReplayMode::Rejection, spec.clone()).unwrap();
    replay.start(0, 1);
    let step = replay.step(Tier::Human).unwrap();
    assert_eq!(step.human_s, spec.default_human_s[2]);
}

#[test]
fn rejection_ends_where_policy_and_log_part() {
    let spec = spec();
    let tiers = [Tier::Review, Tier::Human];
    let rows = [masked(
        conversation(0, Class::Complex, &tiers, Some(0.5)),
        [false, true, true],
    )];
    let log = Arc::new(episodes(&rows, &spec));
    let mut replay = Replay::new(log, ReplayMode::Rejection, spec.clone()).unwrap();
    replay.start(0, 1);
    let masked = replay.step(Tier::Auto).unwrap_err();
    assert_eq!(
        masked.to_string(),
        "tier auto is masked here; allowed: review, human"
    );
    let agreed = replay.step(Tier::Review).unwrap();
    assert_eq!((agreed.reward, agreed.rejected), (0.0, false));
    assert_eq!(agreed.elapsed_s, 60.0);
    let before = replay.decide().observation;
    let parted = replay.step(Tier::Review).unwrap();
    assert!(parted.rejected && parted.truncated && !parted.terminated);
    assert_eq!((parted.reward, parted.human_s), (0.0, 0.0));
    assert_eq!(replay.decide().observation, before);
    assert_eq!(replay.step(Tier::Human), Err(EnvError::EpisodeOver));
    // Agreeing to the end earns the logged reward: S = 0.5, 200 − 120 s late, 40 + 150 human seconds, one AI call.
    let (reward, _) = play(&mut replay, 0, &tiers);
    let wanted = 0.5 * (120.0 / 200.0) * spec.cost_efficiency(190.0, 1);
    assert!((reward - wanted).abs() < 1e-12, "{reward} {wanted}");
}

#[test]
fn conversations_that_no_policy_could_finish_are_left_out() {
    let spec = spec();
    let mut rows = mixed(Class::Complex, B, 40);
    let n = rows.len();
    // No class, no reward; a class that the model never saw.
    let mut unclassed = conversation(n, Class::Complex, &[Tier::Auto], Some(0.5));
    unclassed.class = None;
    rows.push(unclassed);
    let known = fitted(&episodes(&rows, &spec));
    rows.push(conversation(n + 1, Class::Simple, &[Tier::Auto], Some(0.5)));
    let log = Arc::new(episodes(&rows, &spec));
    let replay = Replay::new(log.clone(), ReplayMode::Model(known), spec.clone()).unwrap();
    assert_eq!(replay.usable(), (0..n).collect::<Vec<_>>());
    let nothing = Arc::new(log.select(&[n]));
    let refused = Replay::new(nothing, ReplayMode::Rejection, spec);
    assert!(matches!(refused, Err(EnvError::Empty)));
}

#[test]
fn a_log_without_seconds_runs_on_assumptions_alone() {
    let spec = spec();
    let mut row = conversation(0, Class::Complex, &[Tier::Review], Some(0.5));
    row.decisions[0].answer_s = None;
    let log = Arc::new(episodes(&[row], &spec));
    assert_eq!(log.no_reward(0), Some(NoReward::AnswerTimeUnknown));
    let assumed = |_, tier: Tier| {
        Some(AssumedCell {
            satisfaction: B[tier.index()],
            answer_s: SECONDS[tier.index()].0,
            human_s: SECONDS[tier.index()].1,
            source: "guess".to_owned(),
        })
    };
    let model = Arc::new(OutcomeModel::fit(&log, assumed).unwrap());
    let mut replay = Replay::new(log, ReplayMode::Model(model), spec.clone()).unwrap();
    let (reward, _) = play(&mut replay, 0, &[Tier::Human]);
    // S = 0.5 at a mean of 0.5 becomes 1 at a mean of 1.
    let wanted = 120.0 / 200.0 * spec.cost_efficiency(150.0, 0);
    assert!((reward - wanted).abs() < 1e-12, "{reward} {wanted}");
}

#[test]
fn luck_belongs_to_the_conversation_not_to_its_row() {
    let mut rows = mixed(Class::Complex, B, 60);
    for (n, row) in rows.iter_mut().enumerate() {
        for decision in &mut row.decisions {
            decision.answer_s = Some(n as f64);
        }
    }
    let whole = Arc::new(episodes(&rows, &spec()));
    let model = fitted(&whole);
    let half: Vec<usize> = (whole.len() / 2..whole.len()).collect();
    let mut part = whole.select(&half);
    part.fill_satisfaction(&spec());
    let mode = ReplayMode::Model(model);
    let mut all = Replay::new(whole, mode.clone(), spec()).unwrap();
    let mut late = Replay::new(Arc::new(part), mode, spec()).unwrap();
    let mut different = 0;
    for (row, in_whole) in half.iter().enumerate() {
        let other: Vec<Tier> = logged_tiers(&late, row)
            .iter()
            .map(|tier| {
                if *tier == Tier::Auto {
                    Tier::Human
                } else {
                    Tier::Auto
                }
            })
            .collect();
        let (_, in_part) = play(&mut late, row, &other);
        let (_, in_whole) = play(&mut all, *in_whole, &other);
        let seconds = |kpis: KpiRow| kpis.get(Kpi::FirstResponseS).unwrap();
        assert_eq!(seconds(in_part), seconds(in_whole), "{row}");
        late.start(row, 8);
        for tier in other {
            late.step(tier).unwrap();
        }
        different += u32::from(seconds(late.kpis()) != seconds(in_part));
    }
    assert!(different > 100, "another seed is other luck: {different}");
}

#[test]
fn threads_do_not_matter() {
    use rayon::prelude::*;
    let replay = model_replay(&mixed(Class::Complex, B, 40));
    let run = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
            .install(|| -> Vec<f64> {
                (0..500_u64)
                    .into_par_iter()
                    .map_init(
                        || replay.clone(),
                        |replay, seed| {
                            replay.reset(seed).unwrap();
                            loop {
                                let step = replay.step(Tier::Review).unwrap();
                                if step.terminated {
                                    return step.reward;
                                }
                            }
                        },
                    )
                    .collect()
            })
    };
    assert_eq!(run(1), run(8));
}
