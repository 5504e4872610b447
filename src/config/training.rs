//! What a training run is told.
//!
//! One struct a section, unknown keys refused, defaults in code; `configs/reference.toml` explains every key and a test
//! compares its stated defaults with these.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tierwise_envs::centre::CentreConfig;
use tierwise_envs::discretise::Discretizer;
use tierwise_envs::mask::MaskRules;
use tierwise_envs::reward::RewardSpec;
use tierwise_envs::shop::ShopConfig;
use tierwise_policies::ope::SupportGate;
use tierwise_policies::rule::RulePolicy;
use tierwise_policies::tabular::{LearnError, TabularConfig};
use tierwise_policies::view::View;

use super::assumed::Assumed;
use super::simulation::Simulation;
use super::toml_file::{ConfigError, TomlFile};

/// A training configuration with every default filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// The policy's name.
    pub name: String,
    /// Where experience comes from.
    #[serde(default)]
    pub environment: Environment,
    /// How the learner learns.
    #[serde(default)]
    pub learner: TabularConfig,
    /// How long, how often.
    #[serde(default)]
    pub training: Training,
    /// How a log is cut by time.
    #[serde(default)]
    pub split: Split,
    /// What is maximised.
    #[serde(default)]
    pub reward: RewardSpec,
    /// Which tiers are forbidden when.
    #[serde(default)]
    pub mask: MaskRules,
    /// How observations become table states.
    #[serde(default)]
    pub table: Discretizer,
    /// The rule every policy is compared with.
    #[serde(default)]
    pub baseline: Baseline,
    /// How the policy is served, and therefore judged.
    #[serde(default)]
    pub serve: Serve,
    /// What a value needs before it is printed.
    #[serde(default)]
    pub gate: SupportGate,
    /// What tiers that were never logged are assumed to do.
    #[serde(default)]
    pub assumed: Assumed,
    /// The generated shop, for `environment.kind = "shop"`.
    #[serde(default)]
    pub shop: ShopConfig,
    /// The contact centre in which the shop's customers meet shared people, for `environment.kind = "centre"` and
    /// `tierwise simulate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centre: Option<CentreConfig>,
    /// What `tierwise simulate` runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<Simulation>,
    /// What `tierwise sweep` varies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<Sweep>,
}

/// Where experience comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Environment {
    /// The logged transitions themselves, swept in random order; needs `--log` with every tier tried.
    Log,
    /// Logged conversations one by one; needs `--log`.
    Replay {
        /// What happens when the policy differs from the log.
        mode: ReplayMode,
    },
    /// The generated shop.
    Shop,
    /// The contact centre of `[centre]`, where people are shared.
    Centre,
    /// A finite MDP; needs `--env FILE.json`.
    Mdp,
}

impl Default for Environment {
    fn default() -> Self {
        Self::Replay {
            mode: ReplayMode::Model,
        }
    }
}

/// What replay does when the policy takes another tier than the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayMode {
    /// The episode is cut off there; only agreement teaches.
    Rejection,
    /// A model of outcomes by class and tier answers; results are marked simulated where it had to assume.
    Model,
}

/// How long and how often.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Decisions per seed, at least 1.
    pub steps: u64,
    /// Seeds trained side by side, 1 to 1000; the first is `learner.seed`.
    pub seeds: u32,
    /// Decisions between two evaluations, at least 1; also the distance of checkpoints.
    pub evaluate_every: u64,
    /// Conversations per evaluation where a simulator makes them, at least 1.
    pub evaluate_conversations: u32,
    /// Centres that one learner lives in side by side, 1 to 64; only with `environment.kind = "centre"`.
    pub replicas: u32,
    /// Tolls tried before training with `coupling = "toll"` in the centre, in reward units per human second: this many, evenly
    /// from 0 to `toll_high`, then as many between the neighbours of the best. 0: no search, `learner.toll_per_human_s`
    /// holds.
    pub toll_tries: u32,
    /// Highest toll tried, above 0.
    pub toll_high: f64,
    /// Pairs of copies that price people's time after each stretch with `coupling = "continuing"` in the centre, at least 1.
    pub price_samples: u32,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            steps: 400_000,
            seeds: 5,
            evaluate_every: 20_000,
            evaluate_conversations: 4_000,
            replicas: 4,
            toll_tries: 0,
            toll_high: 0.004,
            price_samples: 400,
        }
    }
}

/// Shares of a log, in order of time: learn, tune, judge.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Share to learn from, in (0, 1).
    pub train: f64,
    /// Share to choose seeds and settings on, in (0, 1).
    pub tune: f64,
}

impl Default for Split {
    fn default() -> Self {
        Self {
            train: 0.5,
            tune: 0.2,
        }
    }
}

impl Split {
    /// Share kept for judging.
    #[must_use]
    pub fn judge(&self) -> f64 {
        1.0 - self.train - self.tune
    }
}

/// The rule baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Baseline {
    /// A rules file, relative to this one; absent: the rules that tierwise ships.
    pub rules: Option<PathBuf>,
    /// The rules themselves, filled in when the configuration is resolved.
    pub text: Option<String>,
}

/// How a learned policy is served.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    /// Probability that every allowed tier keeps, in [0, 1/3].
    pub floor: f64,
    /// How values become probabilities.
    pub view: View,
    /// Updates below which a table entry is not trusted; the baseline answers there. At least 1.
    pub min_visits: u64,
}

impl Default for Serve {
    fn default() -> Self {
        Self {
            floor: 0.02,
            view: View::Greedy,
            min_visits: 10,
        }
    }
}

/// What a sweep varies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// `grid` tries every combination, `random` draws `trials` of them.
    pub method: SweepMethod,
    /// Combinations drawn by `random`.
    #[serde(default)]
    pub trials: Option<u32>,
    /// Dotted key → the values it takes.
    pub parameters: std::collections::BTreeMap<String, Vec<toml::Value>>,
}

/// How combinations are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SweepMethod {
    /// Every combination.
    Grid,
    /// Some of them, drawn without replacement.
    Random,
}

/// The rules that tierwise ships, used when a configuration names none.
const SHIPPED_RULES: &str = include_str!("../../configs/rules.toml");

impl TrainConfig {
    /// Reads, resolves and checks a configuration.
    ///
    /// # Errors
    /// [`ConfigError`] names file, line, key, value and range.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        Self::from_file(&TomlFile::read(path)?)
    }

    /// Resolves and checks a configuration already read. Resolving reads the rules file it names.
    ///
    /// # Errors
    /// [`ConfigError`] names file, line, key, value and range.
    pub fn from_file(file: &TomlFile) -> Result<Self, ConfigError> {
        let mut config: Self = file.parse()?;
        if config.baseline.text.is_none() {
            config.baseline.text = Some(match &config.baseline.rules {
                None => SHIPPED_RULES.to_owned(),
                Some(rules) => {
                    let rules = file.path().parent().unwrap_or(Path::new("")).join(rules);
                    TomlFile::read(&rules)?.text().to_owned()
                }
            });
        }
        config.validate(file)?;
        Ok(config)
    }

    /// The rule baseline.
    ///
    /// # Panics
    /// Never on a configuration that [`TrainConfig::from_file`] returned.
    #[must_use]
    pub fn rules(&self) -> RulePolicy {
        RulePolicy::from_toml(self.baseline.text.as_deref().unwrap_or(SHIPPED_RULES))
            .expect("rules are checked when the configuration is loaded")
    }

    /// The resolved configuration as TOML: what a run saves, and can be run again.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("every configuration struct has a TOML form")
    }

    /// Fingerprint of the resolved configuration.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(self.to_toml().as_bytes()).to_hex()[..16].to_owned()
    }

    fn validate(&self, file: &TomlFile) -> Result<(), ConfigError> {
        let bad = |key: &str, value: &dyn ToString, expected: &str| {
            Err(file.value_error(key, value.to_string(), expected))
        };
        if self.name.is_empty() || self.name.len() > 64 {
            return bad(
                "name",
                &format!("{:?}", self.name),
                "a name has 1 to 64 bytes",
            );
        }
        if let Err(error) = self.learner.validate() {
            return Err(match error {
                LearnError::Config {
                    key,
                    value,
                    expected,
                } => file.value_error(
                    &format!("learner.{key}"),
                    value,
                    format!("expected {expected}"),
                ),
                other => file.value_error("learner", other, "see configs/reference.toml"),
            });
        }
        let t = &self.training;
        if t.steps == 0 {
            return bad("training.steps", &t.steps, "at least 1 decision");
        }
        if !(1..=1000).contains(&t.seeds) {
            return bad("training.seeds", &t.seeds, "1 to 1000 seeds");
        }
        if t.evaluate_every == 0 {
            return bad(
                "training.evaluate_every",
                &t.evaluate_every,
                "at least 1 decision",
            );
        }
        if t.evaluate_conversations == 0 {
            return bad(
                "training.evaluate_conversations",
                &0,
                "at least 1 conversation",
            );
        }
        if !(1..=64).contains(&t.replicas) {
            return bad("training.replicas", &t.replicas, "1 to 64 centres");
        }
        if t.toll_tries == 1 || t.toll_tries > 100 {
            return bad(
                "training.toll_tries",
                &t.toll_tries,
                "0 for no search, else 2 to 100",
            );
        }
        if !(t.toll_high > 0.0 && t.toll_high <= 1.0) {
            return bad("training.toll_high", &t.toll_high, "it lies in (0, 1]");
        }
        if t.price_samples == 0 {
            return bad("training.price_samples", &0, "at least 1 pair of copies");
        }
        for (key, share) in [
            ("split.train", self.split.train),
            ("split.tune", self.split.tune),
        ] {
            if !(share > 0.0 && share < 1.0) {
                return bad(key, &share, "a share lies strictly between 0 and 1");
            }
        }
        if self.split.judge() <= 0.0 {
            let sum = self.split.train + self.split.tune;
            return bad(
                "split",
                &sum,
                "train + tune must leave a part of the log to judge on",
            );
        }
        if let Err(e) = self.shop.validate() {
            return bad(&format!("shop.{}", e.key), &e.value, e.expected);
        }
        if let Some(centre) = &self.centre
            && let Err(e) = centre.validate(&self.shop)
        {
            return bad(&format!("centre.{}", e.key), &e.value, &e.expected);
        }
        if let Some(simulation) = &self.simulation {
            simulation.validate(file)?;
        }
        if let Err(e) = self.reward.validate() {
            return bad(&format!("reward.{}", e.key), &e.value, e.expected);
        }
        if let Err(e) = self.table.validate() {
            return bad(&format!("table.{}", e.key), &e.value, e.expected);
        }
        if let Err(e) = self.serve.view.validate() {
            return bad(&format!("serve.{}", e.key), &e.value, e.expected);
        }
        if !(0.0..=1.0 / 3.0).contains(&self.serve.floor) {
            return bad(
                "serve.floor",
                &self.serve.floor,
                "it lies in [0, 1/3]: three tiers share a probability of 1",
            );
        }
        if self.serve.min_visits == 0 {
            return bad("serve.min_visits", &0, "at least 1 update");
        }
        let least = self.gate.min_effective_sample_size;
        if least.is_nan() || least < 1.0 {
            let value = self.gate.min_effective_sample_size;
            return bad(
                "gate.min_effective_sample_size",
                &value,
                "at least 1 conversation",
            );
        }
        if !(self.gate.max_weight_share > 0.0 && self.gate.max_weight_share <= 1.0) {
            return bad(
                "gate.max_weight_share",
                &self.gate.max_weight_share,
                "it lies in (0, 1]",
            );
        }
        self.assumed.validate(file)?;
        if let Some(sweep) = &self.sweep {
            if let Some((key, _)) = sweep
                .parameters
                .iter()
                .find(|(_, values)| values.is_empty())
            {
                return bad(
                    &format!("sweep.parameters.{key}"),
                    &"[]",
                    "at least one value to try",
                );
            }
            if sweep.method == SweepMethod::Random && sweep.trials.is_none_or(|n| n == 0) {
                return bad(
                    "sweep.trials",
                    &sweep.trials.unwrap_or(0),
                    "a random sweep needs at least 1 trial",
                );
            }
        }
        if let Err(e) = RulePolicy::from_toml(self.baseline.text.as_deref().unwrap_or_default()) {
            return bad(
                "baseline.rules",
                &self
                    .baseline
                    .rules
                    .as_ref()
                    .map_or("text".into(), |p| p.display().to_string()),
                &e.to_string(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
