//! Conditions of the verdict beside the primary metric, as rows of a table.

use super::values::{TestedCheck, TestedExperiment, TestedRole, TestedScale};
use super::view::{change, wealth_text};
use crate::number::{self, Decimals};
use crate::text::{Phrase, Words};

/// One condition.
pub(crate) struct CheckRow {
    pub(crate) name: String,
    pub(crate) role: &'static str,
    pub(crate) means: String,
    pub(crate) change: String,
    pub(crate) margin: String,
    pub(crate) evidence: String,
    pub(crate) result: &'static str,
    pub(crate) class: &'static str,
}

pub(crate) fn rows(experiment: &TestedExperiment, words: Words) -> Vec<CheckRow> {
    let several = experiment.arms.len() > 2;
    experiment
        .checks
        .iter()
        .map(|check| row(check, several, words))
        .collect()
}

fn row(check: &TestedCheck, several: bool, words: Words) -> CheckRow {
    let (role, reached, open, class) = match check.role {
        TestedRole::Secondary => (
            Phrase::TestSecondaryRole,
            Phrase::TestShown,
            Phrase::TestNotShown,
            "beats",
        ),
        TestedRole::Guardrail => (
            Phrase::TestGuardrailRole,
            Phrase::TestHarmed,
            Phrase::TestUnharmed,
            "worse",
        ),
        TestedRole::Stratum => (
            Phrase::TestStratumRole,
            Phrase::TestVetoes,
            Phrase::TestAcceptable,
            "worse",
        ),
    };
    let (control, arm) = check.means;
    let lift = Some(arm / control - 1.0).filter(|lift| lift.is_finite());
    let decimals = Decimals::for_all(3, 4, &[control, arm]);
    let sign = if check.higher_is_worse { "+" } else { "−" };
    CheckRow {
        name: if several {
            format!("{} · {}", check.name, check.arm)
        } else {
            check.name.clone()
        },
        role: words.say(role),
        means: format!(
            "{} → {}",
            number::fixed(control, decimals),
            number::fixed(arm, decimals)
        ),
        change: lift.map_or(number::MISSING.to_owned(), |lift| {
            change(TestedScale::Rate, Some(lift))
        }),
        margin: if check.margin == 0.0 {
            number::percent(0.0, Decimals(0))
        } else {
            format!("{sign}{}", number::percent(check.margin, Decimals(1)))
        },
        evidence: format!(
            "{} ({})",
            wealth_text(check.log_wealth),
            number::fixed(check.threshold, Decimals(0))
        ),
        result: words.say(if check.reached { reached } else { open }),
        class: if check.reached { class } else { "open" },
    }
}
