//! Training: several seeds side by side, scored as they learn, frozen into one version.
//!
//! Each seed learns in stretches of `training.evaluate_every` decisions. After every stretch its table is scored, and
//! learner and curve are written to a checkpoint. A finite MDP is put back where it stood, every other environment starts
//! each stretch with a fresh episode, so a resumed run continues bit for bit. The version keeps the table, of all seeds and stretches, that scored best on the tuning part (early
//! stopping); the judging part is not touched here.

mod centre;
mod table;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};
use tierwise_envs::mdp::{FinitePolicy, Mdp};
use tierwise_envs::replay::{OutcomeModel, Replay, ReplayMode as EnvReplayMode, SurveyNotes};
use tierwise_envs::shop::{ShopRules, World};
use tierwise_envs::time::UtcMicros;
use tierwise_policies::artefact::{
    Artefact, Evidence, PolicyKind, SchemaStamp, Seen, TrainingStamp,
};
use tierwise_policies::tabular::Coupling;

pub use self::centre::TollTried;
pub(crate) use self::table::table_failure;
pub use self::table::{TableTrainResult, TableTraining, train_table};
use super::bench::{
    Bench, LogBench, MdpBench, RejectionBench, ReplayBench, Score, ShopBench, logged_transitions,
    table_policy,
};
use super::data::{LoadedLog, Part, outcome_model};
use super::directory::{RunDirectory, RunError, read_text, write_json, write_whole};
use super::seeds::{SeedResult, choose, curves, run_seeds};
use crate::config::{Environment, ReplayMode, TrainConfig};

/// What to learn from, beside the configuration.
#[derive(Debug, Clone, Default)]
pub struct TrainInput {
    /// A conversation log.
    pub log: Option<PathBuf>,
    /// The same log already in memory, so that several trainings read it once; used when it was read under their reward.
    pub loaded: Option<LoadedLog>,
    /// A finite MDP in JSON.
    pub mdp: Option<PathBuf>,
}

/// How to run.
pub struct TrainOptions<'a> {
    /// Continue from checkpoints.
    pub resume: bool,
    /// Set to stop at the next checkpoint.
    pub stop: &'a AtomicBool,
    /// Told of every finished stretch: how many decisions it had.
    pub progress: &'a (dyn Fn(u64) + Sync),
}

/// What training on a log used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogNotes {
    /// The log's path as given.
    pub path: PathBuf,
    /// Its content hash.
    pub hash: String,
    /// Conversations learned from.
    pub train: usize,
    /// Conversations tuned on.
    pub tune: usize,
    /// Conversations kept for judging.
    pub judge: usize,
    /// How much satisfaction the conversations learned from have of their own; the rest is modelled.
    pub survey: SurveyNotes,
    /// Cells of the outcome model that were assumed, as `class at tier: source`; empty without a model.
    pub assumed: Vec<String>,
}

/// Exact facts about a finite MDP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MdpNotes {
    /// The file's path as given.
    pub path: PathBuf,
    /// `average_reward` (per step or second) or `start_value` (undiscounted return from the start).
    pub criterion: String,
    /// Worth of the best policy.
    pub optimum: f64,
    /// Worth of the policy that maximises the next reward; absent where that policy never ends its episodes.
    pub myopic: Option<f64>,
    /// Worth of the learned table's greedy policy.
    pub learned: Option<f64>,
    /// The learned table's greedy action by state.
    pub greedy: Vec<usize>,
}

/// What training came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrainResult {
    /// The policy's name.
    pub name: String,
    /// The program that ran.
    pub created_by: String,
    /// Short name of the learner.
    pub learner: String,
    /// Hash of the resolved configuration.
    pub config_hash: String,
    /// Version of the reward.
    pub reward_version: String,
    /// What the policy rests on.
    pub evidence: Evidence,
    /// Version of the frozen policy; absent for finite MDPs, whose tables no tier router could serve.
    pub version: Option<String>,
    /// The seed whose table was kept.
    pub chosen_seed: u64,
    /// Decisions after which that table was kept.
    pub chosen_steps: u64,
    /// Its score when it was chosen.
    pub score: Score,
    /// Score of the rule baseline by the same yardstick.
    pub baseline: Option<Score>,
    /// Every seed's curve.
    pub seeds: Vec<SeedResult>,
    /// The log, if one was used.
    pub log: Option<LogNotes>,
    /// The finite MDP, if one was used.
    pub mdp: Option<MdpNotes>,
    /// Exact average reward of the learned greedy table, for finite MDPs without an end.
    pub average_reward: Option<f64>,
    /// Exact average reward of the best policy, for finite MDPs without an end.
    pub optimal_average_reward: Option<f64>,
    /// Tolls that were tried, in order of the toll; empty without a search.
    #[serde(default)]
    pub tolls: Vec<TollTried>,
    /// What a reader must know.
    pub warnings: Vec<String>,
}

/// The name of this program and its version, for everything it writes.
pub(super) fn created_by() -> String {
    format!("tierwise {}", env!("CARGO_PKG_VERSION"))
}

/// Trains and writes a run directory.
///
/// # Errors
/// [`RunError`]; on [`RunError::Interrupted`] the directory can be resumed.
pub fn train(
    config: &TrainConfig,
    input: &TrainInput,
    out: &Path,
    options: &TrainOptions<'_>,
) -> Result<TrainResult, RunError> {
    let mut warnings = Vec::new();
    if config.learner.coupling == Coupling::None {
        warnings.push(
            "coupling = \"none\": every decision answers for its own conversation only; where people are short, such \
             a policy is myopic"
                .to_owned(),
        );
    }
    match config.environment {
        Environment::Mdp => train_mdp(config, input, out, options, warnings),
        Environment::Shop => {
            refuse_continuing(config)?;
            let world = shop_world(config)?;
            let bench = ShopBench { config, world };
            let setting = Setting {
                evidence: Evidence::Simulated,
                log: None,
                input_hash: String::new(),
                tolls: Vec::new(),
            };
            train_tiers(config, &bench, setting, out, options, warnings)
        }
        Environment::Centre => centre::train(config, out, options, warnings),
        Environment::Log | Environment::Replay { .. } => {
            train_log(config, input, out, options, warnings)
        }
    }
}

/// The generated shop of a configuration.
pub(crate) fn shop_world(config: &TrainConfig) -> Result<Arc<World>, RunError> {
    let rules = ShopRules {
        reward: config.reward.clone(),
        mask: config.mask.clone(),
        discretizer: config.table.clone(),
    };
    Ok(World::new(config.shop.clone(), rules)?)
}

fn refuse_continuing(config: &TrainConfig) -> Result<(), RunError> {
    if config.learner.coupling == Coupling::Continuing {
        return Err(RunError::unusable(
            "`learner.coupling` is \"continuing\" in an environment of conversations with several decisions",
            "the system-wide chain is defined for one decision per conversation, and for finite MDPs",
            "use `coupling = \"toll\"` or `\"none\"`",
        ));
    }
    Ok(())
}

/// What a bench's results rest on.
struct Setting {
    evidence: Evidence,
    tolls: Vec<TollTried>,
    log: Option<(LoadedLog, LogNotes)>,
    input_hash: String,
}

fn train_log(
    config: &TrainConfig,
    input: &TrainInput,
    out: &Path,
    options: &TrainOptions<'_>,
    mut warnings: Vec<String>,
) -> Result<TrainResult, RunError> {
    let path = input.log.as_ref().ok_or_else(|| {
        RunError::unusable(
            "this configuration learns from a log, and none was given",
            "`environment.kind` is \"log\" or \"replay\"",
            "add `--log LOG`",
        )
    })?;
    let log = match &input.loaded {
        Some(log) if log.reward == config.reward && log.path == *path => log.clone(),
        _ => LoadedLog::read(path, &config.reward)?,
    };
    let (learn, survey) = log.part(Part::Train, config.split)?;
    let (tune, _) = log.part(Part::Tune, config.split)?;
    let judge = log.rows(Part::Judge, config.split).len();
    let mut notes = LogNotes {
        path: path.clone(),
        hash: log.hash.clone(),
        train: learn.len(),
        tune: tune.len(),
        judge,
        survey,
        assumed: Vec::new(),
    };
    let input_hash = log.hash.clone();
    match config.environment {
        Environment::Log => {
            let bench = LogBench {
                config,
                runs: logged_transitions(config, &learn)?,
                tune,
            };
            let setting = Setting {
                evidence: Evidence::Logged,
                log: Some((log, notes)),
                input_hash,
                tolls: Vec::new(),
            };
            train_tiers(config, &bench, setting, out, options, warnings)
        }
        Environment::Replay {
            mode: ReplayMode::Rejection,
        } => {
            refuse_continuing(config)?;
            let learn = Replay::new(learn, EnvReplayMode::Rejection, config.reward.clone())?;
            let bench = RejectionBench {
                config,
                learn,
                tune,
            };
            let setting = Setting {
                evidence: Evidence::Logged,
                log: Some((log, notes)),
                input_hash,
                tolls: Vec::new(),
            };
            train_tiers(config, &bench, setting, out, options, warnings)
        }
        _ => {
            refuse_continuing(config)?;
            let model = Arc::new(outcome_model(&learn, &config.assumed)?);
            notes.assumed = assumptions(&model);
            warnings.push(if notes.assumed.is_empty() {
                "learned on a model fitted to the log: simulated, not logged, outcomes of other choices".to_owned()
            } else {
                format!(
                    "learned on a counterfactual model: {} of its cells were never logged and are assumed; results are \
                     simulated and promote nothing",
                    notes.assumed.len()
                )
            });
            let mode = EnvReplayMode::Model(model);
            let learn = Replay::new(learn, mode.clone(), config.reward.clone())?;
            let tune = Replay::new(tune, mode, config.reward.clone())?;
            let bench = ReplayBench {
                config,
                learn,
                tune,
            };
            let setting = Setting {
                evidence: Evidence::Simulated,
                log: Some((log, notes)),
                input_hash,
                tolls: Vec::new(),
            };
            train_tiers(config, &bench, setting, out, options, warnings)
        }
    }
}

/// The assumed cells of a model, as text for people.
pub(super) fn assumptions(model: &OutcomeModel) -> Vec<String> {
    use tierwise_envs::class::Class;
    use tierwise_envs::replay::Provenance;
    use tierwise_envs::tier::Tier;
    let mut list = Vec::new();
    for class in Class::ALL {
        for tier in Tier::ALL {
            if let Some(cell) = model.cell(*class, tier)
                && let Provenance::Assumed { source, .. } = &cell.provenance
            {
                list.push(format!("{class} at {tier}: {source}"));
            }
        }
    }
    list
}

fn train_tiers(
    config: &TrainConfig,
    bench: &dyn Bench,
    setting: Setting,
    out: &Path,
    options: &TrainOptions<'_>,
    warnings: Vec<String>,
) -> Result<TrainResult, RunError> {
    let directory = prepare(config, out, options)?;
    let seeds = run_seeds(config, bench, &setting.input_hash, &directory, options)?;
    let chosen = choose(&seeds);
    let (point, table) = (&chosen.curve[chosen.best.0], &chosen.best.1);
    let mut artefact = Artefact {
        id: config.name.clone(),
        created_by: created_by(),
        learner: learner_name(config),
        seed: chosen.learner.config().seed,
        config_hash: config.hash(),
        feature_schema: SchemaStamp::current(),
        reward_version: config.reward.version(),
        evidence: setting.evidence,
        serve_floor: config.serve.floor,
        training: None,
        policy: PolicyKind::Table {
            table: table_policy(config, table),
        },
    };
    let mut seen = Seen::default();
    if let Some((log, _)) = &setting.log {
        let mut rows = log.rows(Part::Train, config.split);
        rows.extend(log.rows(Part::Tune, config.split));
        let arrived =
            |row: Option<&usize>| row.map_or(UtcMicros(0), |row| log.episodes.created_at(*row));
        artefact.training = Some(TrainingStamp {
            log_hash: log.hash.clone(),
            conversations: rows.len() as u64,
            first: arrived(rows.first()),
            last: arrived(rows.last()),
            seen_hash: String::new(),
        });
        seen = Seen::new(rows.iter().map(|row| log.episodes.keys()[*row]).collect());
    }
    let version = artefact.save(directory.path(), &seen)?;
    let result = TrainResult {
        name: config.name.clone(),
        created_by: created_by(),
        learner: learner_name(config),
        config_hash: config.hash(),
        reward_version: config.reward.version(),
        evidence: setting.evidence,
        version: Some(version),
        chosen_seed: chosen.learner.config().seed,
        chosen_steps: point.steps,
        score: point.score,
        baseline: bench.baseline()?,
        seeds: curves(&seeds),
        log: setting.log.map(|(_, notes)| notes),
        mdp: None,
        average_reward: None,
        optimal_average_reward: None,
        tolls: setting.tolls,
        warnings,
    };
    finish(&directory, &result)?;
    Ok(result)
}

fn train_mdp(
    config: &TrainConfig,
    input: &TrainInput,
    out: &Path,
    options: &TrainOptions<'_>,
    warnings: Vec<String>,
) -> Result<TrainResult, RunError> {
    let path = input.mdp.as_ref().ok_or_else(|| {
        RunError::unusable(
            "this configuration learns in a finite MDP, and none was given",
            "`environment.kind` is \"mdp\"",
            "add `--env FILE.json`",
        )
    })?;
    let mdp = Arc::new(Mdp::from_path(path)?);
    let input_hash = blake3::hash(mdp.to_json().as_bytes()).to_hex().to_string();
    let bench = MdpBench { mdp: mdp.clone() };
    let directory = prepare(config, out, options)?;
    let seeds = run_seeds(config, &bench, &input_hash, &directory, options)?;
    // No selection by exact knowledge: the first seed's last table is the result.
    let first = &seeds[0];
    let last = first.curve[first.curve.len() - 1];
    let table = first.learner.q_table();
    let optimum = if mdp.is_episodic() {
        mdp.optimum(1.0)?.start_value
    } else {
        mdp.average_optimum()?.average_reward
    };
    let myopic = FinitePolicy::deterministic(&mdp, &mdp.myopic_policy())?;
    let endless = !mdp.is_episodic();
    let notes = MdpNotes {
        path: path.clone(),
        criterion: if endless {
            "average_reward"
        } else {
            "start_value"
        }
        .to_owned(),
        optimum,
        myopic: bench.worth(&myopic).ok(),
        learned: last.score.value,
        greedy: table.greedy(mdp.masks())?,
    };
    write_json(&directory.path().join("q-table.json"), table)?;
    let result = TrainResult {
        name: config.name.clone(),
        created_by: created_by(),
        learner: learner_name(config),
        config_hash: config.hash(),
        reward_version: config.reward.version(),
        evidence: Evidence::Simulated,
        version: None,
        chosen_seed: first.learner.config().seed,
        chosen_steps: last.steps,
        score: last.score,
        baseline: None,
        seeds: curves(&seeds),
        log: None,
        average_reward: notes.learned.filter(|_| endless),
        optimal_average_reward: endless.then_some(optimum),
        mdp: Some(notes),
        tolls: Vec::new(),
        warnings,
    };
    finish(&directory, &result)?;
    Ok(result)
}

/// Short name of the configured algorithm: `q`, `double_q`, …
pub(super) fn learner_name(config: &TrainConfig) -> String {
    match serde_json::to_value(config.learner.algorithm) {
        Ok(serde_json::Value::String(name)) => name,
        Ok(serde_json::Value::Object(map)) => map.keys().next().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

fn prepare(
    config: &TrainConfig,
    out: &Path,
    options: &TrainOptions<'_>,
) -> Result<RunDirectory, RunError> {
    let directory = RunDirectory::create(out)?;
    if !options.resume {
        directory.clear_checkpoints()?;
        directory.clear_judgement()?;
    } else if directory.checkpoints().exists() && directory.config().exists() {
        // Refused before anything is written, so that the interrupted run can still be resumed.
        let interrupted = read_text(&directory.config())?;
        if interrupted != config.to_toml() {
            return Err(another_run(directory.path()));
        }
    }
    write_whole(&directory.config(), config.to_toml().as_bytes())?;
    Ok(directory)
}

/// A run that is not the one in the directory.
pub(super) fn another_run(path: &Path) -> RunError {
    RunError::unusable(
        format!(
            "{}: made by another configuration or from another input",
            path.display()
        ),
        "a resumed run continues the same run, bit for bit",
        "resume with the same configuration and input, or start again without `--resume`",
    )
}

fn finish(directory: &RunDirectory, result: &TrainResult) -> Result<(), RunError> {
    write_json(&directory.training(), result)?;
    directory.clear_checkpoints()
}
