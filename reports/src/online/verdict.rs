//! What a reader sees first: the phase where it says everything, else the verdict of the challenger nearest to a decision.

use super::instant::moment;
use super::values::{OnlineChallenger, OnlinePage, OnlinePhase};
use crate::number::{self, Decimals};
use crate::test_page::view::ExperimentView;
use crate::test_page::{TestBreak, TestVerdict};
use crate::text::{OnlinePhrase as P, Words};

/// Headline, meaning and next step.
pub(super) struct Headline {
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) headline: String,
    pub(super) meaning: String,
    pub(super) reason: Option<String>,
    pub(super) action: String,
}

/// The challenger that a reader should know of first.
pub(super) fn foremost(challengers: &[OnlineChallenger]) -> Option<&OnlineChallenger> {
    challengers
        .iter()
        .min_by_key(|challenger| challenger.verdict.rank())
}

pub(super) fn phase_name(phase: &OnlinePhase, words: Words) -> &'static str {
    words.say(match phase {
        OnlinePhase::Draft => P::PhaseDraft,
        OnlinePhase::Running => P::PhaseRunning,
        OnlinePhase::Paused => P::PhasePaused,
        OnlinePhase::Promoted { .. } => P::PhasePromoted,
        OnlinePhase::Completed { .. } => P::PhaseCompleted,
        OnlinePhase::RolledBack => P::PhaseRolledBack,
        OnlinePhase::Stopped => P::PhaseStopped,
        OnlinePhase::Killed => P::PhaseKilled,
    })
}

/// The class of a phase's badge.
pub(super) fn phase_class(phase: &OnlinePhase) -> &'static str {
    match phase {
        OnlinePhase::Running => "logged",
        OnlinePhase::Promoted { .. } | OnlinePhase::Completed { .. } => "good",
        OnlinePhase::RolledBack | OnlinePhase::Killed => "refused",
        OnlinePhase::Paused => "estimated",
        OnlinePhase::Draft | OnlinePhase::Stopped => "plain",
    }
}

/// The verdict; `tested` holds the words of a test that still runs.
pub(super) fn headline(page: &OnlinePage, tested: &ExperimentView, words: Words) -> Headline {
    let control = page.arms.first().map_or("", |arm| arm.name.as_str());
    let say = |phrase: P, arm: &str| {
        words.fill(
            phrase,
            &[
                ("arm", arm),
                ("control", control),
                ("key", page.key.as_str()),
            ],
        )
    };
    let reason = page
        .audit
        .last()
        .filter(|step| !step.reason.is_empty())
        .map(|step| words.fill(P::Reason, &[("reason", step.reason.as_str())]));
    let made = |class, icon, phrases: [P; 3], arm: &str| Headline {
        class,
        icon,
        headline: say(phrases[0], arm),
        meaning: say(phrases[1], arm),
        reason: reason.clone(),
        action: say(phrases[2], arm),
    };
    match &page.phase {
        OnlinePhase::Draft => Headline {
            reason: None,
            ..made(
                "open",
                "○",
                [P::DraftHeadline, P::DraftMeaning, P::DraftAction],
                "",
            )
        },
        OnlinePhase::Running => running(page, tested, words),
        OnlinePhase::Paused => made(
            "open",
            "‖",
            [P::PausedHeadline, P::PausedMeaning, P::PausedAction],
            "",
        ),
        OnlinePhase::Promoted {
            arm,
            holdback_until_us,
        } => {
            let champion = page.arms.first().map_or(0.0, |arm| arm.share);
            let meaning = words.fill(
                P::PromotedMeaning,
                &[
                    ("share", &number::percent(champion, Decimals(1))),
                    ("control", control),
                    ("until", &moment(*holdback_until_us)),
                ],
            );
            Headline {
                meaning,
                ..made(
                    "beats",
                    "✓",
                    [P::PromotedHeadline, P::PromotedMeaning, P::PromotedAction],
                    arm,
                )
            }
        }
        OnlinePhase::Completed { arm } => made(
            "beats",
            "✓",
            [
                P::CompletedHeadline,
                P::CompletedMeaning,
                P::CompletedAction,
            ],
            arm,
        ),
        OnlinePhase::RolledBack => made(
            "worse",
            "✕",
            [
                P::RolledBackHeadline,
                P::RolledBackMeaning,
                P::RolledBackAction,
            ],
            "",
        ),
        OnlinePhase::Stopped => made(
            "open",
            "■",
            [P::StoppedHeadline, P::EndedMeaning, P::EndedAction],
            "",
        ),
        OnlinePhase::Killed => made(
            "worse",
            "■",
            [P::KilledHeadline, P::EndedMeaning, P::EndedAction],
            "",
        ),
    }
}

/// A test that runs: what the rule says of it.
fn running(page: &OnlinePage, tested: &ExperimentView, words: Words) -> Headline {
    let verdict = foremost(&page.challengers).map(|challenger| &challenger.verdict);
    let interference = matches!(
        verdict,
        Some(TestVerdict::Broken {
            broken: TestBreak::Interference
        })
    );
    Headline {
        class: if interference { "open" } else { tested.class },
        icon: tested.icon,
        headline: if interference {
            words.say(P::InterferenceHeadline).to_owned()
        } else {
            tested.headline.clone()
        },
        meaning: tested.meaning.clone(),
        reason: None,
        action: match verdict {
            _ if interference => words.say(P::InterferenceAction).to_owned(),
            Some(TestVerdict::Promote { .. }) => words.say(P::RunningPromoteAction).to_owned(),
            Some(TestVerdict::RollBack { .. }) => words.say(P::RunningRollBackAction).to_owned(),
            _ => tested.action.clone(),
        },
    }
}
