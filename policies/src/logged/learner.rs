//! Which learner, with which settings, and what it made of a table.

use serde::{Deserialize, Serialize};

use super::counts::Counts;
use super::error::LoggedError;
use super::features::FeatureKind;
use super::finite::FinitePolicy;
use super::least_squares::Sums;
use super::linear::LinearPolicy;
use super::policy::LoggedPolicy;
use super::survey::Survey;
use super::{bcq, clone, cql, direct, dr, ips, pessimistic, spibb};
use crate::artefact::Seen;
use crate::ope::table::Table;

/// A way to learn from logged decisions.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "learner", rename_all = "snake_case")]
pub enum Learner {
    /// A regression of the reward for each action.
    Direct {
        /// What regressors are made of.
        features: FeatureKind,
        /// Penalty of coefficients, in rows.
        ridge: f64,
    },
    /// Cost-sensitive regression of importance-weighted rewards.
    Ips {
        /// What regressors are made of.
        features: FeatureKind,
        /// Penalty of coefficients, in rows.
        ridge: f64,
    },
    /// Cost-sensitive regression of doubly robust rewards.
    Dr {
        /// What regressors are made of.
        features: FeatureKind,
        /// Penalty of coefficients, in rows.
        ridge: f64,
    },
    /// Conservative Q-learning.
    Cql {
        /// Strength, in units of the reward.
        alpha: f64,
    },
    /// Batch-constrained Q-learning.
    Bcq {
        /// Share of the most frequent action's share that another needs, in [0, 1].
        threshold: f64,
    },
    /// Fitted Q with a penalty for few rows.
    Pessimistic {
        /// Standard errors by which values are lowered.
        penalty: f64,
    },
    /// Safe policy improvement with baseline bootstrapping.
    Spibb {
        /// Rows that a pair needs before its probability may change.
        min_count: f64,
    },
    /// Behaviour cloning.
    Clone,
}

/// A learner and what all of them have.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LearnerSettings {
    /// Which one.
    #[serde(flatten)]
    pub learner: Learner,
    /// Discount a step; single decisions have none.
    pub discount: f64,
    /// Which rows fall into which fold of `dr`; nothing else is random.
    pub seed: u64,
}

/// A policy and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// The policy, without a floor.
    pub policy: LoggedPolicy,
    /// Rows that were read.
    pub rows: u64,
    /// Rows of each action.
    pub taken: Vec<u64>,
    /// Hashes of the runs of rows that were read.
    pub seen: Seen,
    /// What a reader must know.
    pub notes: Vec<String>,
}

/// Most regressors of an action: their products take 4 MB a sum.
const MAX_WIDTH: usize = 1000;

impl Learner {
    /// Name of the learner.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Direct { .. } => "direct",
            Self::Ips { .. } => "ips",
            Self::Dr { .. } => "dr",
            Self::Cql { .. } => "cql",
            Self::Bcq { .. } => "bcq",
            Self::Pessimistic { .. } => "pessimistic",
            Self::Spibb { .. } => "spibb",
            Self::Clone => "clone",
        }
    }

    fn check(self) -> Result<(), LoggedError> {
        let (key, value, expected, fine) = match self {
            Self::Direct { ridge, .. } | Self::Ips { ridge, .. } | Self::Dr { ridge, .. } => (
                "ridge",
                ridge,
                "a penalty is 0 or more rows",
                ridge >= 0.0 && ridge.is_finite(),
            ),
            Self::Cql { alpha } => (
                "alpha",
                alpha,
                "it is 0 or more, in units of the reward",
                alpha >= 0.0 && alpha.is_finite(),
            ),
            Self::Bcq { threshold } => (
                "threshold",
                threshold,
                "it lies in 0 to 1",
                (0.0..=1.0).contains(&threshold),
            ),
            Self::Pessimistic { penalty } => (
                "penalty",
                penalty,
                "it is 0 or more standard errors",
                penalty >= 0.0 && penalty.is_finite(),
            ),
            Self::Spibb { min_count } => (
                "min-count",
                min_count,
                "it is a number of rows, 0 or more",
                min_count >= 0.0 && min_count.is_finite(),
            ),
            Self::Clone => return Ok(()),
        };
        if fine {
            Ok(())
        } else {
            Err(LoggedError::Setting {
                key,
                value,
                expected,
            })
        }
    }
}

/// Learns a policy from a table.
///
/// # Errors
/// [`LoggedError`]: a setting out of range, a table that cannot be read or lacks what the learner needs.
pub fn learn(table: &Table, settings: &LearnerSettings) -> Result<Learned, LoggedError> {
    settings.learner.check()?;
    let discount = settings.discount;
    if !(0.0..=1.0).contains(&discount) {
        return Err(LoggedError::Setting {
            key: "discount",
            value: discount,
            expected: "a discount lies in 0 to 1",
        });
    }
    match settings.learner {
        Learner::Direct { features, ridge } => one_step(table, features, false, |survey| {
            let basis = survey.basis(features);
            let sums = Sums::of(table, &basis, survey.actions(), direct::NEED, settings.seed)?;
            Ok(direct::coefficients(&sums, ridge))
        }),
        Learner::Ips { features, ridge } => one_step(table, features, true, |survey| {
            let basis = survey.basis(features);
            let sums = Sums::of(table, &basis, survey.actions(), ips::NEED, settings.seed)?;
            Ok(ips::coefficients(&sums, ridge))
        }),
        Learner::Dr { features, ridge } => one_step(table, features, true, |survey| {
            let basis = survey.basis(features);
            let sums = Sums::of(table, &basis, survey.actions(), dr::NEED, settings.seed)?;
            Ok(dr::coefficients(&sums, ridge))
        }),
        Learner::Cql { alpha } => {
            finite(table, |counts| cql::probabilities(counts, alpha, discount))
        }
        Learner::Bcq { threshold } => finite(table, |counts| {
            bcq::probabilities(counts, threshold, discount)
        }),
        Learner::Pessimistic { penalty } => finite(table, |counts| {
            pessimistic::probabilities(counts, penalty, discount)
        }),
        Learner::Spibb { min_count } => finite(table, |counts| {
            spibb::probabilities(counts, min_count, discount)
        }),
        Learner::Clone => finite(table, |counts| Ok(clone::probabilities(counts))),
    }
}

fn one_step(
    table: &Table,
    kind: FeatureKind,
    weighs: bool,
    coefficients: impl Fn(&Survey) -> Result<Vec<Vec<f64>>, LoggedError>,
) -> Result<Learned, LoggedError> {
    let header = table.header();
    let unsuitable = |reason: String, fix: &str| LoggedError::Unsuitable {
        file: table.path().to_owned(),
        reason,
        fix: fix.to_owned(),
    };
    if header.features == 0 {
        return Err(unsuitable(
            "the table has no columns `x0`, `x1`, …, on which this learner regresses".to_owned(),
            "add features; a table with `state` can be learned from with `--learner pessimistic`",
        ));
    }
    if weighs && !header.has_propensity() {
        return Err(unsuitable(
            "the table has no column `propensity`, by which this learner weighs".to_owned(),
            "log the probability of each action taken, or use `--learner direct`, which needs none",
        ));
    }
    let width = kind.width(header.features);
    if width > MAX_WIDTH {
        return Err(unsuitable(
            format!(
                "{} features make {width} regressors; at most {MAX_WIDTH} are fitted",
                header.features
            ),
            "use `--features linear`, or fewer columns",
        ));
    }
    let survey = Survey::of(table)?;
    one_action(&survey.taken, table)?;
    let constant = survey.constant();
    if constant.len() == header.features {
        return Err(unsuitable(
            format!(
                "every feature ({}) has the same value in all rows",
                constant.join(", ")
            ),
            "features must differ between rows, or every row gets the same action",
        ));
    }
    let coefficients = coefficients(&survey)?;
    let mut notes = Vec::new();
    if !constant.is_empty() {
        notes.push(format!(
            "{} never varied and {} passed over",
            constant.join(", "),
            if constant.len() == 1 { "is" } else { "are" }
        ));
    }
    if header.has_episodes() {
        notes.push(
            "the table has episodes, and this learner looks one step ahead: `--learner cql` and its kin see what follows"
                .to_owned(),
        );
    }
    notes.extend(never_taken(&survey.taken));
    Ok(Learned {
        policy: LoggedPolicy::Linear {
            policy: LinearPolicy {
                basis: survey.basis(kind),
                coefficients,
                known: survey.taken.iter().map(|n| *n > 0).collect(),
            },
        },
        rows: survey.rows,
        taken: survey.taken,
        seen: Seen::new(survey.seen),
        notes,
    })
}

fn finite(
    table: &Table,
    probabilities: impl Fn(&Counts) -> Result<Vec<f64>, LoggedError>,
) -> Result<Learned, LoggedError> {
    let counts = Counts::read(table)?;
    if counts.rows == 0 {
        return Err(LoggedError::Unsuitable {
            file: table.path().to_owned(),
            reason: "no row says what followed it".to_owned(),
            fix: "add `next_state`, or set `done` where episodes end".to_owned(),
        });
    }
    let actions = counts.actions;
    let taken: Vec<u64> = (0..actions)
        .map(|a| counts.n.iter().skip(a).step_by(actions).sum::<f64>() as u64)
        .collect();
    one_action(&taken, table)?;
    let probabilities = probabilities(&counts)?;
    let mut notes = Vec::new();
    if counts.cut > 0 {
        notes.push(format!(
            "rows that were cut off before the log shows what followed, and are left out: {}",
            counts.cut
        ));
    }
    let acted: Vec<usize> = (0..counts.states()).filter(|s| counts.acts(*s)).collect();
    if acted.len() < counts.states() {
        notes.push(format!(
            "states that were reached and never acted in, and count as much as the worst one: {}",
            counts.states() - acted.len()
        ));
    }
    notes.extend(never_taken(&taken));
    let keys: Vec<u64> = acted.iter().map(|s| counts.keys[*s]).collect();
    let known: Vec<f64> = acted
        .iter()
        .flat_map(|s| &probabilities[counts.pairs(*s)])
        .copied()
        .collect();
    Ok(Learned {
        policy: LoggedPolicy::Finite {
            policy: FinitePolicy::new(&keys, &known, counts.shares()),
        },
        rows: counts.rows + counts.cut,
        taken,
        seen: Seen::new(counts.seen),
        notes,
    })
}

fn one_action(taken: &[u64], table: &Table) -> Result<(), LoggedError> {
    let mut ever = taken.iter().enumerate().filter(|(_, n)| **n > 0);
    match (ever.next(), ever.next()) {
        (Some((action, _)), None) => Err(LoggedError::Unsuitable {
            file: table.path().to_owned(),
            reason: format!("every row took action {action}: there is nothing to choose between"),
            fix: "log some decisions of another action".to_owned(),
        }),
        _ => Ok(()),
    }
}

fn never_taken(taken: &[u64]) -> Option<String> {
    let never: Vec<String> = taken
        .iter()
        .enumerate()
        .filter(|(_, n)| **n == 0)
        .map(|(a, _)| a.to_string())
        .collect();
    (!never.is_empty()).then(|| {
        format!(
            "the log never took action {}; nothing is known of it, and it is never chosen",
            never.join(", ")
        )
    })
}
