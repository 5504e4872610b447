use std::sync::Arc;

use super::*;
use crate::class::{Class, SatisfactionSource};
use crate::finite;
use crate::log::model::{Conversation, Decision};
use crate::log::samples::{START, decision, minimal};
use crate::mask::Mask;
use crate::observation::Feature;
use crate::replay::{AssumedCell, EpisodesBuilder, OutcomeModel, Replay, ReplayMode};
use crate::reward::RewardSpec;

/// 90 conversations of two messages, one allowed tier masked; the second message finds everybody busy.
fn replay(mode: impl Fn(&crate::replay::Episodes) -> ReplayMode) -> TabularView<Replay> {
    let spec = RewardSpec::default();
    let mut builder = EpisodesBuilder::new(spec.clone(), false);
    for n in 0..90 {
        let tier = Tier::ALL[n % 3];
        let decisions = (0..2)
            .map(|turn| {
                let mut row = Decision {
                    turn,
                    decided_at: START.plus_seconds(f64::from(turn)),
                    answer_s: Some(30.0),
                    human_s: Some(20.0),
                    mask: Mask::from_flags(
                        Tier::ALL.map(|t| t == tier || t == Tier::ALL[(n + 1) % 3]),
                    )
                    .unwrap(),
                    ..decision(tier)
                };
                row.observation.set(Feature::Class, 2.0);
                row.observation.set(Feature::Turn, turn as f32);
                row.observation.set(Feature::BusyHuman, turn as f32);
                row
            })
            .collect();
        builder.push(&Conversation {
            class: Some(Class::Complaint),
            satisfaction: Some(0.5),
            satisfaction_source: Some(SatisfactionSource::Questionnaire),
            decisions,
            ..minimal(&format!("c{n}"))
        });
    }
    let mut log = builder.finish();
    log.fill_satisfaction(&spec);
    let mode = mode(&log);
    let env = Replay::new(Arc::new(log), mode, spec).unwrap();
    TabularView::new(env, Discretizer::default())
}

fn on_model(log: &crate::replay::Episodes) -> ReplayMode {
    let model = OutcomeModel::fit(log, |_, _| None::<AssumedCell>).unwrap();
    ReplayMode::Model(Arc::new(model))
}

#[test]
fn a_replay_keeps_the_contract_of_finite_environments() {
    finite::check(&mut replay(on_model), 5, 2_000).unwrap();
}

#[test]
fn states_masks_and_seconds_pass_through() {
    let mut view = replay(on_model);
    assert_eq!((view.states(), view.actions()), (72, 3));
    assert_eq!(view.discount(), Some(1.0));
    // Complaint (2), not negative (0), load 0, first turn: ((2·2 + 0)·4 + 0)·3 + 0 = 48.
    assert_eq!(view.reset(1).unwrap(), 48);
    let allowed = view.mask();
    assert_eq!(allowed.count_ones(), 2);
    let masked = (0..3).find(|a| allowed >> a & 1 == 0).unwrap();
    assert!(view.step(masked).is_err());
    assert!(view.step(3).is_err());
    let action = allowed.trailing_zeros() as usize;
    // Load 3, second turn: (4·4 + 3)·3 + 1 = 58, one second later, twenty of a person's.
    let step = view.step(action).unwrap();
    assert_eq!((step.next_state, step.elapsed_s), (58, 1.0));
    assert_eq!((step.reward, step.human_seconds), (0.0, 20.0));
    assert!(!step.closes_conversation);
    let last = view.step(action).unwrap();
    assert!(last.terminated && last.closes_conversation && last.reward > 0.0);
    assert!(matches!(view.step(action), Err(FiniteEnvError::NotRunning)));
}

#[test]
fn a_rejected_step_is_not_taught() {
    let mut view = replay(|_| ReplayMode::Rejection);
    view.reset(1).unwrap();
    let log = view.env().log();
    let taken = log.action(view.env().decision());
    let other = log
        .mask(view.env().decision())
        .tiers()
        .find(|tier| *tier != taken)
        .unwrap();
    let error = view.step(other.index()).unwrap_err();
    assert!(error.to_string().contains("replay rejected"), "{error}");
    assert!(matches!(
        view.step(taken.index()),
        Err(FiniteEnvError::NotRunning)
    ));
}

#[test]
fn the_shop_looks_the_same_with_and_without_its_shortcut() {
    use crate::discretise::Cell;
    use crate::env::Env;
    use crate::shop::{Shop, ShopConfig, ShopRules, World};

    let world = World::new(ShopConfig::default(), ShopRules::default()).unwrap();
    // The shop's own cuts take the shortcut, others do not.
    let own = Discretizer::default();
    let others = Discretizer {
        turn_cuts: [2, 4],
        ..Discretizer::default()
    };
    let mut shop = Shop::new(world.clone());
    for seed in 0..300 {
        shop.reset(seed).unwrap();
        loop {
            let at = shop.decide();
            for cuts in [&own, &others] {
                assert_eq!(shop.tabular(cuts), (cuts.state(&at.observation), at.mask));
            }
            let turn = Cell::from_state(shop.tabular(&own).0).unwrap().turn;
            let tier = at
                .mask
                .nearest(if turn == 0 { Tier::Auto } else { Tier::Human });
            if shop.step(tier).unwrap().terminated {
                break;
            }
        }
    }
    for cuts in [own, others] {
        let mut view = TabularView::new(Shop::new(world.clone()), cuts);
        crate::finite::check(&mut view, 3, 2_000).unwrap();
    }
}
