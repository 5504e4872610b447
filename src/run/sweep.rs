//! Sweeps: one training a combination of settings, ranked on the tuning part.

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::data::LoadedLog;
use super::directory::{RunDirectory, RunError, read_json, write_json};
use super::train::{TrainInput, TrainOptions, TrainResult, train};
use crate::config::{ConfigError, Sweep, SweepMethod, TomlFile, TrainConfig};

/// Combinations above which a grid is refused.
const MAX_TRIALS: usize = 10_000;

/// One combination with what it came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepTrial {
    /// Its run directory.
    pub directory: PathBuf,
    /// Dotted key and value, as TOML.
    pub settings: Vec<(String, String)>,
    /// Score of the kept table on the tuning part.
    pub score: Option<f64>,
    /// Its standard error.
    pub standard_error: Option<f64>,
    /// Version of the frozen policy.
    pub version: Option<String>,
}

/// A sweep's trials, best first; trials without a score last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SweepResult {
    /// Name of the configuration.
    pub name: String,
    /// Trials, best first.
    pub trials: Vec<SweepTrial>,
}

/// Trains every combination; seeds of a trial run in parallel, trials one after the other.
///
/// A trial that a former sweep into the same directory finished is not run again when `options.resume` is set.
///
/// # Errors
/// [`RunError`]: a combination that is no valid configuration is found before anything runs.
pub fn sweep(
    file: &TomlFile,
    input: &TrainInput,
    out: &Path,
    options: &TrainOptions<'_>,
    started: &dyn Fn(usize, usize),
) -> Result<SweepResult, RunError> {
    let base = TrainConfig::from_file(file)?;
    let plan = base.sweep.clone().ok_or_else(|| {
        RunError::unusable(
            format!("{}: no `[sweep]` section", file.path().display()),
            "a sweep needs to know what to vary",
            "add `[sweep]` with `method` and `[sweep.parameters]`; see configs/reference.toml",
        )
    })?;
    let combinations = combinations(&plan, base.learner.seed)?;
    let mut configs = Vec::with_capacity(combinations.len());
    for settings in &combinations {
        configs.push(combined(file, &base, settings)?);
    }
    let mut trials = Vec::with_capacity(configs.len());
    let mut inputs = Inputs::default();
    for (i, (config, settings)) in configs.iter().zip(&combinations).enumerate() {
        started(i, configs.len());
        let directory = out.join(format!("trial-{i:03}"));
        let done = RunDirectory::at(&directory);
        let finished: Option<TrainResult> = (options.resume && done.training().exists())
            .then(|| read_json(&done.training()))
            .transpose()?;
        let finished = match finished {
            Some(result) if result.config_hash == config.hash() => {
                inputs.made(&result, input, &base)?.then_some(result)
            }
            _ => None,
        };
        let result = match finished {
            Some(result) => result,
            None => train(config, input, &directory, options)?,
        };
        trials.push(SweepTrial {
            directory,
            settings: settings
                .iter()
                .map(|(key, value)| (key.clone(), value.to_string()))
                .collect(),
            score: result.score.value,
            standard_error: result.score.standard_error,
            version: result.version,
        });
    }
    trials.sort_by(|a, b| {
        let worth = |trial: &SweepTrial| trial.score.unwrap_or(f64::NEG_INFINITY);
        worth(b).total_cmp(&worth(a))
    });
    let result = SweepResult {
        name: base.name,
        trials,
    };
    write_json(&out.join("sweep.json"), &result)?;
    Ok(result)
}

/// The hash of the sweep's log, read at most once.
#[derive(Default)]
struct Inputs {
    log_hash: Option<String>,
}

impl Inputs {
    /// Whether a finished trial learned from the input of this sweep.
    fn made(
        &mut self,
        result: &TrainResult,
        input: &TrainInput,
        config: &TrainConfig,
    ) -> Result<bool, RunError> {
        let Some((notes, path)) = result.log.as_ref().zip(input.log.as_ref()) else {
            return Ok(result.mdp.as_ref().map(|mdp| &mdp.path) == input.mdp.as_ref());
        };
        if self.log_hash.is_none() {
            self.log_hash = Some(LoadedLog::read(path, &config.reward)?.hash);
        }
        Ok(self.log_hash.as_ref() == Some(&notes.hash))
    }
}

type Settings = Vec<(String, toml::Value)>;

fn combinations(plan: &Sweep, seed: u64) -> Result<Vec<Settings>, RunError> {
    let size = plan
        .parameters
        .values()
        .try_fold(1_usize, |size, values| size.checked_mul(values.len()))
        .filter(|size| *size <= MAX_TRIALS);
    let Some(size) = size else {
        return Err(RunError::unusable(
            format!("`sweep.parameters` span more than {MAX_TRIALS} combinations"),
            "each one is a whole training",
            "give fewer values",
        ));
    };
    let mut numbers: Vec<usize> = (0..size).collect();
    if plan.method == SweepMethod::Random {
        numbers.shuffle(&mut Xoshiro256PlusPlus::seed_from_u64(seed));
        numbers.truncate(plan.trials.map_or(0, |trials| trials as usize));
    }
    Ok(numbers
        .into_iter()
        .map(|number| {
            // The number's digits, in the mixed base of the value lists, pick the values.
            let mut rest = number;
            plan.parameters
                .iter()
                .map(|(key, values)| {
                    let value = values[rest % values.len()].clone();
                    rest /= values.len();
                    (key.clone(), value)
                })
                .collect()
        })
        .collect())
}

/// The base configuration with some keys set, checked like a file.
fn combined(
    file: &TomlFile,
    base: &TrainConfig,
    settings: &Settings,
) -> Result<TrainConfig, RunError> {
    let mut document: toml::Table =
        toml::from_str(&base.to_toml()).map_err(|e| RunError::Malformed {
            path: file.path().to_owned(),
            reason: e.to_string(),
        })?;
    document.remove("sweep");
    for (key, value) in settings {
        let mut table = &mut document;
        let mut parts = key.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), value.clone());
            } else {
                table = table
                    .entry(part)
                    .or_insert_with(|| toml::Value::Table(toml::Table::new()))
                    .as_table_mut()
                    .ok_or_else(|| {
                        file.value_error(
                            &format!("sweep.parameters.{key}"),
                            value.to_string(),
                            format!("`{part}` is a value, not a section"),
                        )
                    })?;
            }
        }
    }
    let names: Vec<String> = settings.iter().map(|(k, v)| format!("{k} = {v}")).collect();
    let path = format!("{} with {}", file.path().display(), names.join(", "));
    let combined = TrainConfig::from_file(&TomlFile::new(path, document.to_string()));
    Ok(combined.map_err(ConfigError::without_line)?)
}
