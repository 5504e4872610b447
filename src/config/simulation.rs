//! What a simulation of the contact centre is told.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::toml_file::{ConfigError, TomlFile};

/// Which policies are simulated, how often, and what the result is held against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Simulation {
    /// Periods simulated for each policy, with the same customers for all; 2 to 10,000.
    pub replicas: u32,
    /// Seed of the first replica; the others follow.
    pub seed: u64,
    /// Policies: `rule`, `auto`, `review`, `human`, `uniform`, a version's directory, or a rules file.
    pub policies: Vec<String>,
    /// Level of the intervals, in (0, 1).
    pub level: f64,
    /// The state of things before, for claims that compare.
    pub before: Option<Before>,
    /// Claims made elsewhere, to be shown beside what this simulation says.
    pub claim: Vec<Claim>,
}

impl Default for Simulation {
    fn default() -> Self {
        Self {
            replicas: 20,
            seed: 1,
            policies: vec!["rule".to_owned()],
            level: 0.95,
            before: None,
            claim: Vec::new(),
        }
    }
}

/// Another configuration: the centre as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Before {
    /// A configuration with a `[centre]`, relative to this file.
    pub config: PathBuf,
    /// The policy that decided then.
    pub policy: String,
}

/// Somebody's claim about an operation of this kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// What it is about.
    pub measure: ClaimMeasure,
    /// What was said, in its own words: `8 min → 3 s`, `−65 %`.
    pub said: String,
    /// What had to be assumed to simulate it.
    pub assumed: String,
}

/// What a claim is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimMeasure {
    /// Seconds to the first answer, mean.
    FirstResponse,
    /// Seconds of people's time per conversation.
    HumanWork,
    /// Share of conversations with a click.
    ClickThrough,
    /// Share of conversations in which the customer asked for a person or left a queue.
    Escalation,
    /// Share of conversations in other languages than English that end in a purchase.
    NonEnglishConversion,
    /// Languages served.
    Languages,
}

impl Simulation {
    pub(super) fn validate(&self, file: &TomlFile) -> Result<(), ConfigError> {
        let bad = |key: &str, value: String, expected: &str| {
            Err(file.value_error(&format!("simulation.{key}"), value, expected))
        };
        if !(2..=10_000).contains(&self.replicas) {
            return bad(
                "replicas",
                self.replicas.to_string(),
                "it lies in 2 to 10000: an interval needs two",
            );
        }
        if self.policies.is_empty() {
            return bad("policies", "[]".to_owned(), "at least one policy");
        }
        if !(self.level > 0.0 && self.level < 1.0) {
            return bad(
                "level",
                self.level.to_string(),
                "it lies strictly between 0 and 1",
            );
        }
        for claim in &self.claim {
            if claim.assumed.trim().is_empty() {
                return bad(
                    "claim.assumed",
                    "\"\"".to_owned(),
                    "say what had to be assumed: the page will",
                );
            }
        }
        if !self.claim.is_empty() && self.before.is_none() {
            return bad(
                "claim",
                format!("{} claims", self.claim.len()),
                "claims compare with `simulation.before`; name it",
            );
        }
        Ok(())
    }
}
