//! What may be said from a log, and why not otherwise.

use serde::{Deserialize, Serialize};

use super::LogCheck;
use crate::class::{ActionSource, SatisfactionSource};
use crate::tier::Tier;

/// Fewest observations behind a stated mean: the floor mdp.md §1.9 sets for the effective sample size.
const LEAST_OBSERVATIONS: u64 = 100;
/// Fewest labelled conversations for training a model on the log's own labels.
const LEAST_LABELS: u64 = 10_000;
/// Shortest span, in days, in which each weekday is seen twice.
const SEASON_DAYS: f64 = 14.0;
/// Arrivals expected in a gap above which it is missing data rather than chance, for a log of one gap: e⁻¹⁰ = 5e-5. A log of
/// n conversations has n gaps, so ln n is added.
const STRANGE_ARRIVALS: f64 = 10.0;

/// Sources of satisfaction that are the customer's own doing.
pub(super) const SATISFACTION_GIVEN: [SatisfactionSource; 3] = [
    SatisfactionSource::Rating,
    SatisfactionSource::Questionnaire,
    SatisfactionSource::Abandoned,
];

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ClaimKind {
    /// The mean reward of the policy that wrote the log.
    LoggedValue,
    /// Satisfaction at tier 1.
    SatisfactionAuto,
    /// Satisfaction at tier 2.
    SatisfactionReview,
    /// Satisfaction at tier 3.
    SatisfactionHuman,
    /// The value of another policy, from this log alone.
    OffPolicyValue,
    /// Learning a policy from the logged rewards.
    Learning,
    /// Learning on a simulator fitted to the log.
    SimulatedLearning,
    /// That tiers were chosen by policies and rules alone.
    ChoicesUnconfounded,
    /// Effects of load and queues.
    Capacity,
    /// Click rate.
    Clicks,
    /// Conversion rate.
    Conversion,
    /// Weekly patterns.
    Seasonality,
    /// That no stretch of time is missing.
    Completeness,
    /// Training a class or intent model on the log's labels.
    LabelledTraining,
    /// That satisfaction was given by people.
    SatisfactionFromPeople,
}

/// One statement about the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What it is about.
    pub what: ClaimKind,
    /// The same in plain words.
    pub statement: String,
    /// Whether it may be made.
    pub allowed: bool,
    /// Why, or why not.
    pub because: String,
}

fn claim(what: ClaimKind, statement: &str, allowed: bool, because: String) -> Claim {
    Claim {
        what,
        statement: statement.to_owned(),
        allowed,
        because,
    }
}

/// A number with its thousands set apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in per cent.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if part == 0 {
        return "0 %".to_owned();
    }
    if part == whole {
        return "100 %".to_owned();
    }
    let share = 100.0 * part as f64 / whole as f64;
    match share {
        s if s < 0.1 => "< 0.1 %".to_owned(),
        s if s > 99.9 => "> 99.9 %".to_owned(),
        s => format!("{s:.1} %"),
    }
}

/// Words joined as people do: `a, b and c`.
fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

/// Every claim about a log whose counts are complete.
pub(super) fn of(check: &LogCheck) -> Vec<Claim> {
    let mut claims = vec![logged_value(check)];
    claims.extend(satisfaction(check));
    claims.extend(off_policy(check));
    claims.push(unconfounded(check));
    claims.push(capacity(check));
    claims.extend(outcomes(check));
    claims.extend(time(check));
    claims.push(labelled_training(check));
    claims.push(from_people(check));
    claims
}

fn logged_value(check: &LogCheck) -> Claim {
    let rewards = &check.rewards;
    let mut because = format!(
        "{} of {} conversations have a reward",
        grouped(rewards.computable),
        grouped(check.conversations)
    );
    if rewards.computable > 0 && rewards.computable < LEAST_OBSERVATIONS {
        because.push_str(&format!(", fewer than {LEAST_OBSERVATIONS}"));
    }
    if rewards.cost_assumed > 0 {
        because.push_str(&format!(
            "; in {} of them human seconds are the tier's default",
            grouped(rewards.cost_assumed)
        ));
    }
    claim(
        ClaimKind::LoggedValue,
        "mean reward of the policy that wrote this log",
        rewards.computable >= LEAST_OBSERVATIONS,
        because,
    )
}

fn satisfaction(check: &LogCheck) -> impl Iterator<Item = Claim> {
    let kinds = [
        ClaimKind::SatisfactionAuto,
        ClaimKind::SatisfactionReview,
        ClaimKind::SatisfactionHuman,
    ];
    let by_tier = check.labels.satisfaction_by_tier;
    let taken = taken(check);
    Tier::ALL.into_iter().zip(kinds).map(move |(tier, what)| {
        let n = by_tier[tier.index()];
        let because = if taken[tier.index()] == 0 {
            format!("tier {} was never taken", tier.number())
        } else {
            format!(
                "{} conversations answered only at tier {} have satisfaction from the customer{}",
                grouped(n),
                tier.number(),
                if n < LEAST_OBSERVATIONS {
                    format!("; {LEAST_OBSERVATIONS} are needed")
                } else {
                    String::new()
                }
            )
        };
        claim(
            what,
            &format!("satisfaction at tier {} ({tier})", tier.number()),
            n >= LEAST_OBSERVATIONS,
            because,
        )
    })
}

/// Actions by tier.
fn taken(check: &LogCheck) -> [u64; 3] {
    let mut taken = [0; 3];
    for row in &check.overlap {
        for (sum, cell) in taken.iter_mut().zip(&row.tiers) {
            *sum += cell.count;
        }
    }
    taken
}

fn off_policy(check: &LogCheck) -> [Claim; 3] {
    let p = &check.propensities;
    let actions = check.actions();
    let taken = taken(check);
    let mut obstacles = Vec::new();
    if actions == 0 {
        obstacles.push("there is no decision of a policy or rule".to_owned());
    } else {
        if p.exact + p.estimated == 0 {
            obstacles.push("no propensities were logged".to_owned());
        } else if p.absent > 0 {
            obstacles.push(format!(
                "{} of the actions have no propensity",
                percent(p.absent, actions)
            ));
        }
        let never: Vec<_> = Tier::ALL
            .into_iter()
            .filter(|tier| taken[tier.index()] == 0)
            .map(|tier| format!("tier {}", tier.number()))
            .collect();
        if !never.is_empty() {
            let were = if never.len() == 1 { "was" } else { "were" };
            obstacles.push(format!("{} {were} never taken", listed(&never)));
        }
    }
    if check.rewards.computable < LEAST_OBSERVATIONS {
        obstacles.push(format!(
            "{} conversations have a reward, {LEAST_OBSERVATIONS} are needed",
            grouped(check.rewards.computable)
        ));
    }
    let allowed = obstacles.is_empty();
    let mut because = if allowed {
        "propensities are logged, every tier was taken and rewards are known".to_owned()
    } else {
        listed(&obstacles)
    };
    if allowed {
        if p.estimated > 0 {
            because.push_str("; estimated propensities never promote alone");
        }
        let empty = empty_cells(check);
        if !empty.is_empty() {
            because.push_str(&format!("; outside support: {}", listed(&empty)));
        }
    }
    let learning = if allowed {
        "the log supports values of other policies".to_owned()
    } else {
        format!(
            "{}; only on a counterfactual model, marked simulated",
            listed(&obstacles)
        )
    };
    let replayable = check.decisions > 0 && check.conversations > 0;
    let simulated = if replayable {
        "arrivals and decisions are there; results are marked simulated and promote nothing"
            .to_owned()
    } else {
        "there is no conversation with a decision".to_owned()
    };
    [
        claim(
            ClaimKind::OffPolicyValue,
            "value of another policy on this log (off-policy)",
            allowed,
            because,
        ),
        claim(
            ClaimKind::Learning,
            "learning a policy from this log's rewards",
            allowed,
            learning,
        ),
        claim(
            ClaimKind::SimulatedLearning,
            "learning on a simulator fitted to this log",
            replayable,
            simulated,
        ),
    ]
}

/// Names of the combinations of class and tier that were never tried, among classes that occur.
pub(super) fn empty_cells(check: &LogCheck) -> Vec<String> {
    let mut names = Vec::new();
    for row in &check.overlap {
        let occurs = row.tiers.iter().any(|cell| cell.count > 0);
        let class = row.class.map_or("unknown class", |class| class.name());
        for tier in Tier::ALL {
            if occurs && row.tiers[tier.index()].count == 0 {
                names.push(format!("{class} at {tier}"));
            }
        }
    }
    names
}

fn unconfounded(check: &LogCheck) -> Claim {
    let events: u64 = check
        .action_sources
        .iter()
        .filter(|(source, _)| matches!(source, ActionSource::Customer | ActionSource::Agent))
        .map(|(_, count)| count)
        .sum();
    let because = if events == 0 {
        "no decision was overridden by an agent or a customer".to_owned()
    } else {
        format!(
            "{} of the decisions are overrides by agents or customers; they are events, not actions",
            percent(events, check.decisions)
        )
    };
    claim(
        ClaimKind::ChoicesUnconfounded,
        "tiers were chosen by policies and rules alone",
        events == 0 && check.decisions > 0,
        because,
    )
}

fn capacity(check: &LogCheck) -> Claim {
    let known = check.with_pool_state;
    claim(
        ClaimKind::Capacity,
        "effects of load and queues on waits",
        check.decisions > 0 && known * 2 >= check.decisions,
        format!(
            "{} of the decisions say how many people were busy{}",
            percent(known, check.decisions),
            if known * 2 >= check.decisions {
                ""
            } else {
                "; half are needed"
            }
        ),
    )
}

fn outcomes(check: &LogCheck) -> [Claim; 2] {
    let labels = &check.labels;
    [
        (ClaimKind::Clicks, "click rate", labels.clicked, "clicks"),
        (
            ClaimKind::Conversion,
            "conversion rate",
            labels.converted,
            "purchases",
        ),
    ]
    .map(|(what, statement, seen, name)| {
        let because = if labels.outcomes_tracked == 0 {
            format!("no conversation says that {name} were tracked; none seen is not none")
        } else {
            format!(
                "{} of {} tracked conversations have {name}",
                grouped(seen),
                grouped(labels.outcomes_tracked)
            )
        };
        claim(
            what,
            statement,
            labels.outcomes_tracked >= LEAST_OBSERVATIONS,
            because,
        )
    })
}

fn time(check: &LogCheck) -> Vec<Claim> {
    let Some(span) = &check.span else {
        return Vec::new();
    };
    let long = span.days >= SEASON_DAYS;
    let mut claims = vec![claim(
        ClaimKind::Seasonality,
        "weekly patterns",
        long,
        format!(
            "the log spans {:.1} days{}",
            span.days,
            if long {
                ""
            } else {
                "; 14 are needed to see each weekday twice"
            }
        ),
    )];
    if let Some(gap) = &span.strangest_gap {
        let chance = (check.conversations.max(1) as f64).ln();
        let strange = gap.expected_arrivals > STRANGE_ARRIVALS + chance;
        claims.push(claim(
            ClaimKind::Completeness,
            "no stretch of time is missing",
            !strange,
            format!(
                "the least likely gap, {:.1} h from {}, would have held {:.1} conversations at that time of \
                 week's mean",
                gap.seconds / 3_600.0,
                minute(gap.from.to_string()),
                gap.expected_arrivals
            ),
        ));
    }
    claims
}

/// RFC 3339 text cut to the minute.
pub(super) fn minute(text: String) -> String {
    text.get(..16)
        .map_or(text.clone(), |start| start.replace('T', " "))
}

fn labelled_training(check: &LogCheck) -> Claim {
    let n = check.labels.class.max(check.labels.intent);
    claim(
        ClaimKind::LabelledTraining,
        "a class or intent model trained on this log's own labels",
        n >= LEAST_LABELS,
        format!(
            "{} conversations have a class, {} an intent; {} are needed",
            grouped(check.labels.class),
            grouped(check.labels.intent),
            grouped(LEAST_LABELS)
        ),
    )
}

fn from_people(check: &LogCheck) -> Claim {
    let count = |wanted: &[SatisfactionSource]| -> u64 {
        let sources = check.labels.satisfaction.iter();
        sources
            .filter(|(source, _)| wanted.contains(source))
            .map(|(_, count)| count)
            .sum()
    };
    let simulated = count(&[SatisfactionSource::Simulated]);
    let given = count(&SATISFACTION_GIVEN);
    claim(
        ClaimKind::SatisfactionFromPeople,
        "satisfaction was given by people",
        simulated == 0 && given > 0,
        format!(
            "{} of the conversations have it from the customer, {} from a simulator",
            percent(given, check.conversations),
            percent(simulated, check.conversations)
        ),
    )
}
