//! Judging: every candidate beside the rule baseline, on conversations none of them has seen.
//!
//! With propensities the log itself says what a policy would have earned (IPS, SNIPS over conversations). Without them
//! only a model can, and the verdict says so. A policy that has seen a judged conversation is refused.

use std::sync::Arc;

use tierwise_envs::replay::{Episodes, Replay, ReplayMode};
use tierwise_policies::artefact::{Artefact, Evidence, PolicyKind, Version};
use tierwise_policies::ope::{BootstrapPlan, Refusal};
use tierwise_policies::policy::Policy;

use super::data::{LoadedLog, Part, outcome_model};
use super::directory::{RunDirectory, RunError, write_json, write_whole};
use super::evaluation::{AS_LOGGED, BASELINE, Basis, Evaluation, Judged, VerdictResult};
use super::judge::{Columns, Judge};
use super::judged::{Propensities, propensities};
use super::ledger::Ledger;
use super::off_policy::{Asked, JudgedRows, OffPolicyQuestion};
use super::train::{assumptions, created_by};
use crate::config::TrainConfig;

/// How to judge.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluateOptions {
    /// Which part of the log.
    pub part: Part,
    /// Confidence level of each interval, in (0, 1).
    pub level: f64,
    /// Bootstrap over conversations.
    pub bootstrap: BootstrapPlan,
    /// Candidates that were judged on this part before, as far as the caller knows.
    pub judged_before: u32,
    /// Those that were judged before, where somebody keeps count; the larger of both numbers holds.
    pub ledger: Option<Ledger>,
    /// Estimators and selection beside the usual judging.
    pub off_policy: Option<OffPolicyQuestion>,
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            part: Part::Judge,
            level: 0.95,
            bootstrap: BootstrapPlan::default(),
            judged_before: 0,
            ledger: None,
            off_policy: None,
        }
    }
}

/// A policy to judge.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) learner: String,
    pub(super) evidence: Evidence,
    pub(super) floor: f64,
    pub(super) policy: Box<dyn Policy>,
    pub(super) refused: Option<Refusal>,
}

/// Judges versions on a part of a log, read under the reward of `config`.
///
/// # Errors
/// [`RunError`] when the log, the versions and the configuration do not fit together. A value without support is no
/// error: it is refused in the result.
pub fn evaluate(
    config: &TrainConfig,
    log: &LoadedLog,
    versions: &[Version],
    options: &EvaluateOptions,
) -> Result<Evaluation, RunError> {
    if !(options.level > 0.0 && options.level < 1.0) {
        return Err(tierwise_policies::ope::OpeError::Level {
            level: options.level,
        }
        .into());
    }
    let (part, survey) = log.part(options.part, config.split)?;
    let mut warnings = Vec::new();
    let kind = propensities(&part);
    let candidates = candidates(config, versions, &part, &mut warnings)?;
    let judged = options
        .ledger
        .as_ref()
        .map(|_| JudgedRows::of(&part, &config.table, &candidates));
    let counted = options.ledger.as_ref().zip(judged.as_ref());
    let judged_before = counted
        .map_or(0, |(ledger, judged)| judged.others(ledger))
        .max(options.judged_before);

    let model = model_replay(config, log, &part, options.part);
    let (basis, rows) = match kind {
        Propensities::Exact => (Basis::Logged, None),
        Propensities::Estimated => (Basis::EstimatedPropensity, None),
        Propensities::Absent => {
            let replay = model.as_ref().map_err(|error| {
                RunError::unusable(
                    format!(
                        "{}: no propensities, and no outcome model either",
                        log.path.display()
                    ),
                    error.to_string(),
                    "state assumptions for tiers that were never logged under `[assumed.…]`",
                )
            })?;
            (Basis::Simulated, Some(replay))
        }
    };
    let columns: Vec<Columns> = candidates
        .iter()
        .map(|candidate| Columns::of(candidate, &part, rows.map(|(replay, _)| replay), options))
        .collect::<Result<_, _>>()?;
    let assumed = model
        .as_ref()
        .map_or_else(|_| Vec::new(), |(_, assumed)| assumed.clone());

    let mut judge = Judge {
        config,
        options,
        judged_before,
        basis,
        columns,
        policies: Vec::new(),
    };
    judge.judge_all(
        &candidates,
        &part,
        model.as_ref().ok().map(|(replay, _)| replay),
    );
    let corrected = judge.differences(&candidates);
    judge.kpi_differences();
    let verdict = judge.verdict(&candidates, &corrected);
    let sensitivity = judge.sensitivity(&verdict, &part);
    if basis == Basis::Simulated {
        warnings.push(if assumed.is_empty() {
            "no propensities in this log: values come from a model fitted to it and are marked simulated".to_owned()
        } else {
            format!(
                "no propensities in this log: values come from a model of which {} cells are assumed; they are marked \
                 simulated and promote nothing",
                assumed.len()
            )
        });
    }
    if survey.answered < survey.conversations {
        warnings.push(format!(
            "{} of {} conversations have satisfaction of their own; the others enter by AIPW, which assumes that answers \
             are missing at random",
            survey.answered, survey.conversations
        ));
    }
    let policies = judge.policies;
    if judged_before > 0 {
        warnings.push(format!(
            "{judged_before} other candidates were judged on these conversations before; intervals of differences allow for them"
        ));
    }
    let off_policy = options.off_policy.as_ref().map(|question| {
        let asked = Asked {
            log: &part,
            discretizer: &config.table,
            candidates: &candidates,
            kind,
            options,
            judged_before,
            gate: config.gate,
        };
        asked.answer(question)
    });
    if let Some(warning) = better_as_logged(&policies, &verdict) {
        warnings.push(warning);
    }
    Ok(Evaluation {
        created_by: created_by(),
        log: log.path.clone(),
        log_hash: log.hash.clone(),
        config_hash: config.hash(),
        reward_version: config.reward.version(),
        part: options.part,
        rows: part.len() as u64,
        decisions: part.decisions() as u64,
        propensities: kind,
        basis,
        level: options.level,
        candidates: versions.len() as u64,
        judged_before,
        judged,
        off_policy,
        resamples: options.bootstrap.resamples,
        seed: options.bootstrap.seed,
        policies,
        verdict,
        sensitivity,
        assumed,
        survey,
        warnings,
    })
}

/// Beating the rule is little when whoever wrote the log did better still.
fn better_as_logged(policies: &[Judged], verdict: &VerdictResult) -> Option<String> {
    let reward = |name: &str| {
        let judged = policies.iter().find(|judged| judged.name == name)?;
        judged.estimates[0].value.zip(judged.estimates[0].interval)
    };
    let (logged, above) = reward(AS_LOGGED)?;
    let candidate = verdict.policy.as_deref()?;
    let (value, below) = reward(candidate)?;
    (above.lower > below.upper).then(|| {
        format!(
            "the policy that wrote the log earned more ({logged:.4}) than {candidate} would ({value:.4}); look at what it \
             does before replacing it"
        )
    })
}

/// Writes an evaluation, and the configuration it used where the directory has none.
///
/// # Errors
/// [`RunError::Io`].
pub fn save_evaluation(
    directory: &RunDirectory,
    config: &TrainConfig,
    evaluation: &Evaluation,
) -> Result<(), RunError> {
    if !directory.config().exists() {
        write_whole(&directory.config(), config.to_toml().as_bytes())?;
    }
    write_json(&directory.evaluation(), evaluation)
}

/// Writes what a log check found beside an evaluation.
///
/// # Errors
/// [`RunError::Io`].
pub fn save_log_check(
    directory: &RunDirectory,
    check: &tierwise_envs::log::check::LogCheck,
) -> Result<(), RunError> {
    write_json(&directory.log_check(), check)
}

/// A replay of the judged part on a model fitted to what came before it.
fn model_replay(
    config: &TrainConfig,
    log: &LoadedLog,
    part: &Arc<Episodes>,
    which: Part,
) -> Result<(Replay, Vec<String>), RunError> {
    if which != Part::Judge {
        return Err(RunError::unusable(
            "an outcome model needs conversations that are not judged",
            format!("the part judged is {which:?}"),
            "judge the last part of the log: `--part judge`",
        ));
    }
    let mut rows = log.rows(Part::Train, config.split);
    rows.extend(log.rows(Part::Tune, config.split));
    let model = outcome_model(&log.episodes.select(&rows), &config.assumed)?;
    let assumed = assumptions(&model);
    let mode = ReplayMode::Model(Arc::new(model));
    Ok((
        Replay::new(part.clone(), mode, config.reward.clone())?,
        assumed,
    ))
}

fn candidates(
    config: &TrainConfig,
    versions: &[Version],
    part: &Episodes,
    warnings: &mut Vec<String>,
) -> Result<Vec<Candidate>, RunError> {
    let mut all = vec![Candidate {
        name: BASELINE.to_owned(),
        version: None,
        learner: "rule".to_owned(),
        evidence: Evidence::Written,
        // The rule as it stands today explores nothing.
        floor: 0.0,
        policy: Box::new(config.rules()),
        refused: None,
    }];
    let mut names = std::collections::BTreeSet::from([BASELINE.to_owned(), AS_LOGGED.to_owned()]);
    for version in versions {
        let artefact = &version.artefact;
        if matches!(artefact.policy, PolicyKind::Table { .. })
            && artefact.reward_version != config.reward.version()
        {
            warnings.push(format!(
                "{} was trained for reward {}, and is judged by reward {}",
                artefact.id,
                artefact.reward_version,
                config.reward.version()
            ));
        }
        let seen = part
            .keys()
            .iter()
            .filter(|key| version.seen.contains(**key))
            .count() as u64;
        let mut name = artefact.id.clone();
        if !names.insert(name.clone()) {
            name = format!("{name} ({})", version.version);
            names.insert(name.clone());
        }
        all.push(Candidate {
            name,
            version: Some(version.version.clone()),
            learner: artefact.learner.clone(),
            evidence: artefact.evidence,
            floor: artefact.serve_floor,
            policy: Box::new(serve(artefact)),
            refused: (seen > 0).then_some(Refusal::Seen {
                conversations: seen,
            }),
        });
    }
    Ok(all)
}

fn serve(artefact: &Artefact) -> impl Policy + use<> {
    tierwise_policies::policy::WithFloor::new(artefact.policy.clone(), artefact.serve_floor)
        .expect("the floor is checked when the artefact is loaded")
}
