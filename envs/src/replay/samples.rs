//! Conversations for the tests of replay, built piece by piece.

use std::sync::Arc;

use super::{AssumedCell, Episodes, EpisodesBuilder, OutcomeModel};
use crate::class::{Class, PropensityKind, SatisfactionSource};
use crate::log::model::{Conversation, Decision, Turn};
use crate::log::samples::{START, decision, minimal};
use crate::mask::Mask;
use crate::observation::Feature;
use crate::reward::RewardSpec;
use crate::tier::{Propensity, Tier};

/// What a tier's answers take in [`mixed`]: seconds to the answer and human seconds.
pub(super) const SECONDS: [(f64, f64); 3] = [(3.0, 0.0), (60.0, 40.0), (200.0, 150.0)];

/// The n-th conversation to arrive, one decision a minute at the tiers given, S as given where somebody answered.
pub(super) fn conversation(
    n: usize,
    class: Class,
    tiers: &[Tier],
    satisfaction: Option<f64>,
) -> Conversation {
    let created_at = START.plus_seconds(n as f64);
    let answered = |(i, tier): (usize, &Tier)| {
        let (answer_s, human_s) = SECONDS[tier.index()];
        let mut row = Decision {
            turn: i as i32,
            decided_at: created_at.plus_seconds(60.0 * i as f64),
            answer_s: Some(answer_s),
            human_s: Some(human_s),
            ai_calls: Some(i32::from(*tier != Tier::Human)),
            propensity: Propensity::new(0.5).ok(),
            propensity_kind: Some(PropensityKind::Exact),
            ..decision(*tier)
        };
        row.observation.set(Feature::Class, class.index() as f32);
        row.observation.set(Feature::Turn, i as f32);
        row
    };
    Conversation {
        class: Some(class),
        created_at,
        satisfaction,
        satisfaction_source: satisfaction.map(|_| SatisfactionSource::Questionnaire),
        decisions: tiers.iter().enumerate().map(answered).collect(),
        ..minimal(&format!("c{n}"))
    }
}

/// A customer's message for each decision.
pub(super) fn with_texts(mut conversation: Conversation, texts: &[Option<&str>]) -> Conversation {
    conversation.turns = texts
        .iter()
        .map(|text| Turn {
            role: crate::class::Role::Customer,
            at: None,
            text: text.map(str::to_owned),
            text_hash: None,
            intent: None,
            sentiment: None,
            draft_edited: None,
        })
        .collect();
    conversation
}

/// The same mask at every decision.
pub(super) fn masked(mut conversation: Conversation, flags: [bool; 3]) -> Conversation {
    for decision in &mut conversation.decisions {
        decision.mask = Mask::from_flags(flags).unwrap();
    }
    conversation
}

/// Columns with satisfaction filled in.
pub(super) fn episodes(conversations: &[Conversation], spec: &RewardSpec) -> Episodes {
    let mut builder = EpisodesBuilder::new(spec.clone(), true);
    for conversation in conversations {
        builder.push(conversation);
    }
    let mut episodes = builder.finish();
    episodes.fill_satisfaction(spec);
    episodes
}

/// Conversations of one class with one, two and three answers in every mixture of tiers, `rounds` times; everybody says
/// that S = Σₜ shareₜ bₜ.
pub(super) fn mixed(class: Class, b: [f64; 3], rounds: usize) -> Vec<Conversation> {
    let [auto, review, human] = Tier::ALL;
    let mixtures: [&[Tier]; 7] = [
        &[auto],
        &[review],
        &[human],
        &[auto, review],
        &[review, human, human],
        &[auto, human],
        &[human, auto, review],
    ];
    (0..rounds * mixtures.len())
        .map(|n| {
            let tiers = mixtures[n % mixtures.len()];
            let satisfaction: f64 =
                tiers.iter().map(|t| b[t.index()]).sum::<f64>() / tiers.len() as f64;
            conversation(n, class, tiers, Some(satisfaction))
        })
        .collect()
}

/// A model of a log that needs no assumptions.
pub(super) fn fitted(log: &Episodes) -> Arc<OutcomeModel> {
    Arc::new(OutcomeModel::fit(log, |_, _| None::<AssumedCell>).unwrap())
}
