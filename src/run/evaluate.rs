//! Judging: every candidate beside the rule baseline, on conversations none of them has seen.
//!
//! With propensities the log itself says what a policy would have earned (IPS, SNIPS over conversations). Without them
//! only a model can, and the verdict says so. A policy that has seen a judged conversation is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tierwise_envs::kpi::{Kpi, KpiRow};
use tierwise_envs::replay::{Episodes, Replay, ReplayMode, SurveyNotes};
use tierwise_envs::reward::{RewardShape, RewardSpec};
use tierwise_policies::artefact::{Artefact, Evidence, PolicyKind, Version};
use tierwise_policies::ope::{
    BootstrapPlan, Importance, Interval, Ratio, Refusal, WeightDiagnostics, resample,
};
use tierwise_policies::policy::Policy;

use super::data::{LoadedLog, Part, outcome_model};
use super::directory::{RunDirectory, RunError, write_json, write_whole};
use super::judged::{Propensities, StateChoice, choices, propensities, replay_kpis, weights};
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
}

impl Default for EvaluateOptions {
    fn default() -> Self {
        Self {
            part: Part::Judge,
            level: 0.95,
            bootstrap: BootstrapPlan::default(),
        }
    }
}

/// What the numbers rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Logged outcomes and exact propensities.
    Logged,
    /// Logged outcomes and estimated propensities; promotes nothing.
    EstimatedPropensity,
    /// An outcome model; promotes nothing.
    Simulated,
}

/// A value with its interval, or the reason why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Value {
    /// `ips`, `snips` or `model`.
    pub estimator: String,
    /// The value; `None` when refused.
    pub value: Option<f64>,
    /// Bootstrap standard error.
    pub standard_error: Option<f64>,
    /// Percentile bootstrap interval.
    pub interval: Option<Bounds>,
    /// Conversations with the figure.
    pub n: u64,
    /// Why there is no value.
    pub refused: Option<Refusal>,
}

/// Ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
}

/// Candidate minus baseline in mean reward.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Point estimate.
    pub value: f64,
    /// Lower end, corrected for the number of candidates.
    pub lower: f64,
    /// Upper end, corrected likewise.
    pub upper: f64,
    /// Bootstrap standard error.
    pub standard_error: f64,
}

/// One policy as judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// Its name.
    pub name: String,
    /// Its version; absent for what no artefact holds.
    pub version: Option<String>,
    /// How it was made.
    pub learner: String,
    /// What its knowledge rests on.
    pub evidence: Evidence,
    /// Exploration floor it was judged with.
    pub floor: f64,
    /// How its weights cover the log; absent on a model.
    pub weights: Option<WeightDiagnostics>,
    /// Mean reward by estimator.
    pub estimates: Vec<Value>,
    /// Key figures by name.
    pub kpis: BTreeMap<String, Value>,
    /// Mean probability of each tier over the judged decisions.
    pub tier_shares: [f64; 3],
    /// What it does in each of the 72 states.
    pub states: Vec<StateChoice>,
    /// Its difference to the baseline; absent for the baseline, and where either value is refused.
    pub difference: Option<Difference>,
    /// Differences of key figures to the baseline, by name, at the level of single values.
    pub kpi_differences: BTreeMap<String, Difference>,
}

/// The best policy under another definition of the reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alternative {
    /// Cost weight k.
    pub cost_weight: f64,
    /// The shape.
    pub shape: RewardShape,
    /// Whether it is the definition everything else uses.
    pub is_default: bool,
    /// The policy with the highest mean.
    pub winner: String,
    /// The candidate's difference to the baseline.
    pub difference: f64,
    /// Its interval.
    pub interval: Option<Bounds>,
}

/// What may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// The lower bound of the candidate's difference is above zero.
    Beats,
    /// The interval holds zero: keep the baseline.
    NotShown,
    /// The upper bound is below zero.
    Worse,
    /// The numbers come from a model, or the policy learned on one's assumptions: nothing may be promoted.
    Simulated,
    /// No comparison is possible.
    Refused,
}

/// The verdict on the best candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerdictResult {
    /// What may be said.
    pub kind: VerdictKind,
    /// The candidate.
    pub policy: Option<String>,
    /// The baseline.
    pub baseline: String,
    /// Its difference to the baseline.
    pub difference: Option<Difference>,
    /// How many more conversations would tell this difference from zero, if it is real.
    pub more_conversations: Option<u64>,
    /// Why there is no comparison.
    pub refused: Option<Refusal>,
}

/// Everything judging found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The program that ran.
    pub created_by: String,
    /// The log's path as given.
    pub log: PathBuf,
    /// Its content hash.
    pub log_hash: String,
    /// Hash of the configuration used.
    pub config_hash: String,
    /// Version of the reward.
    pub reward_version: String,
    /// The part judged.
    pub part: Part,
    /// Conversations judged.
    pub rows: u64,
    /// Decisions judged.
    pub decisions: u64,
    /// Which propensities they have.
    pub propensities: Propensities,
    /// What the numbers rest on.
    pub basis: Basis,
    /// Level of the intervals of single values.
    pub level: f64,
    /// Candidates, for whose number the intervals of differences are corrected (Bonferroni).
    pub candidates: u64,
    /// Bootstrap resamples.
    pub resamples: u32,
    /// Their seed.
    pub seed: u64,
    /// The baseline first, then the logging policy as it acted, then the candidates.
    pub policies: Vec<Judged>,
    /// The verdict.
    pub verdict: VerdictResult,
    /// The verdict under other rewards.
    pub sensitivity: Vec<Alternative>,
    /// Assumed cells of the outcome model behind `model` values.
    pub assumed: Vec<String>,
    /// How much satisfaction the judged conversations have of their own; the rest enters by AIPW.
    pub survey: SurveyNotes,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// A policy to judge.
struct Candidate {
    name: String,
    version: Option<String>,
    learner: String,
    evidence: Evidence,
    floor: f64,
    policy: Box<dyn Policy>,
    refused: Option<Refusal>,
}

/// Names of the two rows that are no candidates.
pub const BASELINE: &str = "rule";
/// The logging policy as it acted.
pub const AS_LOGGED: &str = "as logged";

/// Judges versions on a part of a log.
///
/// # Errors
/// [`RunError`] when the log, the versions and the configuration do not fit together. A value without support is no
/// error: it is refused in the result.
pub fn evaluate(
    config: &TrainConfig,
    log_path: &Path,
    versions: &[Version],
    options: &EvaluateOptions,
) -> Result<Evaluation, RunError> {
    if !(options.level > 0.0 && options.level < 1.0) {
        return Err(tierwise_policies::ope::OpeError::Level {
            level: options.level,
        }
        .into());
    }
    let log = LoadedLog::read(log_path, &config.reward)?;
    let (part, survey) = log.part(options.part, config.split)?;
    let mut warnings = Vec::new();
    let kind = propensities(&part);
    let candidates = candidates(config, versions, &part, &mut warnings)?;

    let model = model_replay(config, &log, &part, options.part);
    let (basis, rows) = match kind {
        Propensities::Exact => (Basis::Logged, None),
        Propensities::Estimated => (Basis::EstimatedPropensity, None),
        Propensities::Absent => {
            let replay = model.as_ref().map_err(|error| {
                RunError::unusable(
                    format!(
                        "{}: no propensities, and no outcome model either",
                        log_path.display()
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
    if let Some(warning) = better_as_logged(&policies, &verdict) {
        warnings.push(warning);
    }
    Ok(Evaluation {
        created_by: created_by(),
        log: log_path.to_owned(),
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

/// A policy's weights and key figures, one entry a conversation.
struct Columns {
    weights: Vec<f64>,
    kpis: Vec<KpiRow>,
    estimator: &'static str,
}

impl Columns {
    fn of(
        candidate: &Candidate,
        part: &Episodes,
        replay: Option<&Replay>,
        options: &EvaluateOptions,
    ) -> Result<Self, RunError> {
        Ok(match replay {
            None => Self {
                weights: weights(part, candidate.policy.as_ref())?,
                kpis: (0..part.len()).map(|row| *part.kpis(row)).collect(),
                estimator: "snips",
            },
            Some(replay) => {
                let kpis = replay_kpis(replay, candidate.policy.as_ref(), options.bootstrap.seed);
                Self {
                    weights: vec![1.0; kpis.len()],
                    kpis,
                    estimator: "model",
                }
            }
        })
    }

    fn values(&self, of: impl Fn(&KpiRow) -> f64) -> Vec<f64> {
        self.kpis.iter().map(of).collect()
    }

    /// Conversations that have each key figure.
    fn measured(&self) -> Vec<u64> {
        Kpi::ALL
            .iter()
            .map(|kpi| {
                self.kpis
                    .iter()
                    .filter(|row| row.get(*kpi).is_some())
                    .count() as u64
            })
            .collect()
    }

    fn ratio(&self, importance: Importance, of: impl Fn(&KpiRow) -> f64) -> Ratio {
        importance.ratio(&self.weights, &self.values(of))
    }
}

fn figure(kpi: Kpi) -> impl Fn(&KpiRow) -> f64 {
    move |row| row.values()[kpi.index()]
}

struct Judge<'a> {
    config: &'a TrainConfig,
    options: &'a EvaluateOptions,
    basis: Basis,
    columns: Vec<Columns>,
    policies: Vec<Judged>,
}

impl Judge<'_> {
    /// Values and key figures of every policy, and of the logging policy as it acted.
    fn judge_all(
        &mut self,
        candidates: &[Candidate],
        part: &Arc<Episodes>,
        model: Option<&Replay>,
    ) {
        for (candidate, columns) in candidates.iter().zip(&self.columns) {
            let diagnostics = WeightDiagnostics::of(&columns.weights);
            let refused = candidate.refused.clone().or_else(|| {
                (self.basis != Basis::Simulated)
                    .then(|| self.config.gate.refusal(&diagnostics))
                    .flatten()
            });
            let mut ratios: Vec<Ratio> = Kpi::ALL
                .iter()
                .map(|kpi| columns.ratio(Importance::Snips, figure(*kpi)))
                .collect();
            let mut extra = Vec::new();
            if self.basis != Basis::Simulated {
                extra.push("ips");
                ratios.push(columns.ratio(Importance::Ips, figure(Kpi::Reward)));
            }
            let measured = columns.measured();
            let values = self.values(
                columns.estimator,
                &ratios[..Kpi::COUNT],
                &measured,
                &refused,
            );
            let mut estimates = vec![values[Kpi::Reward.index()].clone()];
            for (name, ratio) in extra.iter().zip(&ratios[Kpi::COUNT..]) {
                let n = &measured[Kpi::Reward.index()..=Kpi::Reward.index()];
                estimates.extend(self.values(name, std::slice::from_ref(ratio), n, &refused));
            }
            if let Some(replay) = model.filter(|_| self.basis != Basis::Simulated) {
                let rows = replay_kpis(
                    replay,
                    candidate.policy.as_ref(),
                    self.options.bootstrap.seed,
                );
                let rewards: Vec<f64> = rows.iter().map(figure(Kpi::Reward)).collect();
                let ratio = Importance::Ips.ratio(&vec![1.0; rewards.len()], &rewards);
                estimates.extend(self.values(
                    "model",
                    &[ratio],
                    &[rewards.len() as u64],
                    &candidate.refused,
                ));
            }
            let (states, tier_shares) =
                choices(part, &self.config.table, candidate.policy.as_ref());
            self.policies.push(Judged {
                name: candidate.name.clone(),
                version: candidate.version.clone(),
                learner: candidate.learner.clone(),
                evidence: candidate.evidence,
                floor: candidate.floor,
                weights: (self.basis != Basis::Simulated).then_some(diagnostics),
                estimates,
                kpis: named(values),
                tier_shares,
                states,
                difference: None,
                kpi_differences: BTreeMap::new(),
            });
        }
        let logged = self.as_logged(part);
        self.policies.insert(1, logged);
    }

    /// The logging policy on its own conversations: plain means.
    fn as_logged(&self, part: &Arc<Episodes>) -> Judged {
        let rows: Vec<KpiRow> = (0..part.len()).map(|row| *part.kpis(row)).collect();
        let columns = Columns {
            weights: vec![1.0; rows.len()],
            kpis: rows,
            estimator: "mean",
        };
        let ratios: Vec<Ratio> = Kpi::ALL
            .iter()
            .map(|kpi| columns.ratio(Importance::Ips, figure(*kpi)))
            .collect();
        let values = self.values("mean", &ratios, &columns.measured(), &None);
        let mut shares = [0.0; 3];
        for decision in 0..part.decisions() {
            shares[part.action(decision).index()] += 1.0 / part.decisions() as f64;
        }
        Judged {
            name: AS_LOGGED.to_owned(),
            version: None,
            learner: "logging policy".to_owned(),
            evidence: Evidence::Logged,
            floor: 0.0,
            weights: None,
            estimates: vec![values[Kpi::Reward.index()].clone()],
            kpis: named(values),
            tier_shares: shares,
            states: Vec::new(),
            difference: None,
            kpi_differences: BTreeMap::new(),
        }
    }

    /// Values of ratios; `measured[i]` conversations have the figure of ratio i.
    fn values(
        &self,
        estimator: &str,
        ratios: &[Ratio],
        measured: &[u64],
        refused: &Option<Refusal>,
    ) -> Vec<Value> {
        let resampled = resample(ratios, self.options.bootstrap);
        ratios
            .iter()
            .zip(resampled)
            .zip(measured)
            .map(|((ratio, resampled), n)| {
                let n = *n;
                let refused = refused
                    .clone()
                    .or_else(|| (n == 0).then_some(Refusal::NotMeasured));
                let interval = Interval::percentile(&resampled, self.options.level);
                let printed = refused.is_none();
                Value {
                    estimator: estimator.to_owned(),
                    value: printed.then(|| ratio.value()),
                    standard_error: interval.filter(|_| printed).map(|i| i.standard_error),
                    interval: interval.filter(|_| printed).map(|i| Bounds {
                        lower: i.lower,
                        upper: i.upper,
                    }),
                    n,
                    refused,
                }
            })
            .collect()
    }

    /// Differences to the baseline with Bonferroni-corrected intervals, by candidate.
    fn differences(&mut self, candidates: &[Candidate]) -> Vec<Option<Difference>> {
        let ratios: Vec<Ratio> = self
            .columns
            .iter()
            .map(|columns| columns.ratio(Importance::Snips, figure(Kpi::Reward)))
            .collect();
        let found = self.compare(&ratios, self.corrected_level());
        let mut result = vec![None];
        for (i, difference) in found.into_iter().enumerate() {
            // Row 0 is the baseline, row 1 the logging policy.
            let judged = &mut self.policies[i + 2];
            let valued = judged.estimates[0].value.is_some() && candidates[i + 1].refused.is_none();
            judged.difference = difference.filter(|_| valued);
            result.push(judged.difference);
        }
        if self.policies[0].estimates[0].value.is_none() {
            for judged in &mut self.policies {
                judged.difference = None;
            }
            result.fill(None);
        }
        result
    }

    /// Differences of every key figure, where both policies have a value.
    fn kpi_differences(&mut self) {
        for kpi in Kpi::ALL {
            let ratios: Vec<Ratio> = self
                .columns
                .iter()
                .map(|columns| columns.ratio(Importance::Snips, figure(*kpi)))
                .collect();
            let found = self.compare(&ratios, self.options.level);
            let valued = |judged: &Judged| {
                judged
                    .kpis
                    .get(kpi.name())
                    .is_some_and(|v| v.value.is_some())
            };
            if !valued(&self.policies[0]) {
                continue;
            }
            for (judged, difference) in self.policies[2..].iter_mut().zip(found) {
                if let Some(difference) = difference.filter(|_| valued(judged)) {
                    judged
                        .kpi_differences
                        .insert(kpi.name().to_owned(), difference);
                }
            }
        }
    }

    /// The level that, by Bonferroni, leaves all candidates together the error of one.
    fn corrected_level(&self) -> f64 {
        let tests = (self.columns.len() - 1).max(1) as f64;
        1.0 - (1.0 - self.options.level) / tests
    }

    /// Paired differences of each statistic to the first.
    fn compare(&self, ratios: &[Ratio], level: f64) -> Vec<Option<Difference>> {
        let resampled = resample(ratios, self.options.bootstrap);
        (1..ratios.len())
            .map(|i| {
                let paired: Vec<f64> = resampled[i]
                    .iter()
                    .zip(&resampled[0])
                    .map(|(a, b)| a - b)
                    .collect();
                let value = ratios[i].value() - ratios[0].value();
                let interval = Interval::percentile(&paired, level)?;
                Some(Difference {
                    value,
                    // A percentile interval can miss its own estimate when resamples are few; it never excludes it here.
                    lower: interval.lower.min(value),
                    upper: interval.upper.max(value),
                    standard_error: interval.standard_error,
                })
            })
            .collect()
    }

    fn verdict(
        &self,
        candidates: &[Candidate],
        differences: &[Option<Difference>],
    ) -> VerdictResult {
        let best = (1..candidates.len())
            .filter_map(|i| differences[i].map(|difference| (i, difference)))
            .max_by(|a, b| a.1.lower.total_cmp(&b.1.lower));
        let Some((i, difference)) = best else {
            let refused = self
                .policies
                .iter()
                .filter(|judged| judged.name != AS_LOGGED)
                .find_map(|judged| judged.estimates[0].refused.clone());
            return VerdictResult {
                kind: VerdictKind::Refused,
                policy: candidates.get(1).map(|c| c.name.clone()),
                baseline: BASELINE.to_owned(),
                difference: None,
                more_conversations: None,
                refused,
            };
        };
        let simulated = self.basis == Basis::Simulated;
        let kind = if simulated {
            VerdictKind::Simulated
        } else if difference.lower > 0.0 {
            VerdictKind::Beats
        } else if difference.upper < 0.0 {
            VerdictKind::Worse
        } else {
            VerdictKind::NotShown
        };
        let n = self.columns[i].weights.len() as f64;
        let half = (difference.upper - difference.lower) / 2.0;
        let more = n * ((half / difference.value).powi(2) - 1.0);
        VerdictResult {
            kind,
            policy: Some(candidates[i].name.clone()),
            baseline: BASELINE.to_owned(),
            difference: Some(difference),
            more_conversations: (kind == VerdictKind::NotShown
                && difference.value > 0.0
                && more.is_finite())
            .then(|| more.max(1.0).ceil() as u64),
            refused: None,
        }
    }

    /// The same comparison under other rewards, from the logged parts S, E_time and E_cost.
    fn sensitivity(&self, verdict: &VerdictResult, part: &Episodes) -> Vec<Alternative> {
        let Some(chosen) = verdict
            .policy
            .as_ref()
            .filter(|_| verdict.difference.is_some())
        else {
            return Vec::new();
        };
        let names: Vec<&str> = self
            .policies
            .iter()
            .map(|judged| judged.name.as_str())
            .filter(|name| *name != AS_LOGGED)
            .collect();
        let spec = &self.config.reward;
        let mut list = Vec::new();
        let mut variants = vec![(spec.cost_weight, spec.shape, true)];
        for variant in [
            (0.0, RewardShape::Product),
            (0.25, RewardShape::Product),
            (0.75, RewardShape::Product),
            (spec.cost_weight, RewardShape::Powers { a: 2.0, b: 1.0 }),
            (spec.cost_weight, RewardShape::Powers { a: 1.0, b: 2.0 }),
            (spec.cost_weight, RewardShape::Weighted { w: 0.5 }),
        ] {
            if variant != (spec.cost_weight, spec.shape) {
                variants.push((variant.0, variant.1, false));
            }
        }
        for (cost_weight, shape, is_default) in variants {
            let other = RewardSpec {
                cost_weight,
                shape,
                ..spec.clone()
            };
            let ratios: Vec<Ratio> = self
                .columns
                .iter()
                .map(|columns| {
                    let values: Vec<f64> = if self.basis == Basis::Simulated {
                        columns.values(|row| redone(row, spec, &other))
                    } else {
                        (0..part.len())
                            .map(|row| part.reported_reward(row, &other))
                            .collect()
                    };
                    Importance::Snips.ratio(&columns.weights, &values)
                })
                .collect();
            let winner = (0..ratios.len())
                .max_by(|a, b| {
                    ratios[*a]
                        .value()
                        .total_cmp(&ratios[*b].value())
                        .then(b.cmp(a))
                })
                .unwrap_or(0);
            let Some(i) = names.iter().position(|name| name == chosen) else {
                continue;
            };
            let Some(difference) = self.compare(&ratios, self.corrected_level())[i - 1] else {
                continue;
            };
            list.push(Alternative {
                cost_weight,
                shape,
                is_default,
                winner: names[winner].to_owned(),
                difference: difference.value,
                interval: Some(Bounds {
                    lower: difference.lower,
                    upper: difference.upper,
                }),
            });
        }
        list
    }
}

/// R of a row under another spec: E_cost = 1 − k c is turned back into c and given the other k.
fn redone(row: &KpiRow, spec: &RewardSpec, other: &RewardSpec) -> f64 {
    let value = |kpi: Kpi| row.values()[kpi.index()];
    let spent = if spec.cost_weight > 0.0 {
        (1.0 - value(Kpi::CostEfficiency)) / spec.cost_weight
    } else {
        // Without a cost weight the log's rows no longer show what was spent; human seconds do.
        (value(Kpi::HumanS) * spec.wage_per_hour / 3_600.0 / spec.reference_cost).min(1.0)
    };
    let cost = 1.0 - other.cost_weight * spent;
    other.combine(value(Kpi::Satisfaction), value(Kpi::TimeEfficiency), cost)
}

fn named(values: Vec<Value>) -> BTreeMap<String, Value> {
    Kpi::ALL
        .iter()
        .map(|kpi| kpi.name().to_owned())
        .zip(values)
        .collect()
}
