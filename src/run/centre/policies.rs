//! Policies by the names that configurations and commands give them.

use std::path::Path;

use tierwise_envs::tier::Tier;
use tierwise_policies::artefact::Artefact;
use tierwise_policies::policy::{Fixed, Policy, Uniform, WithFloor};
use tierwise_policies::rule::RulePolicy;

use crate::config::{TomlFile, TrainConfig};
use crate::run::directory::RunError;

/// A policy with what results call it.
pub struct NamedPolicy {
    /// Its name.
    pub name: String,
    /// Its version, where an artefact holds it.
    pub version: Option<String>,
    /// How it was made.
    pub learner: String,
    /// The policy, as it is served.
    pub policy: Box<dyn Policy>,
}

/// The policy that a name means: `rule` (the configuration's rules), `auto`, `review`, `human`, `uniform`, a directory that
/// `tierwise train` wrote, or a rules file ending in `.toml`.
///
/// # Errors
/// [`RunError::Unusable`] for a name that means nothing, [`RunError::Artefact`] for a version that cannot be trusted.
pub fn policy_named(config: &TrainConfig, name: &str) -> Result<NamedPolicy, RunError> {
    let named = |policy: Box<dyn Policy>, learner: &str| NamedPolicy {
        name: name.to_owned(),
        version: None,
        learner: learner.to_owned(),
        policy,
    };
    if name == "rule" {
        return Ok(named(Box::new(config.rules()), "rules"));
    }
    if name == "uniform" {
        return Ok(named(Box::new(Uniform), "uniform"));
    }
    if let Some(tier) = Tier::from_name(name) {
        return Ok(named(Box::new(Fixed(tier)), "fixed"));
    }
    let path = Path::new(name);
    if path.is_dir() {
        let version = Artefact::load(path)?;
        let artefact = version.artefact;
        let policy = WithFloor::new(artefact.policy, artefact.serve_floor)
            .expect("the floor is checked when the artefact is loaded");
        return Ok(NamedPolicy {
            name: artefact.id,
            version: Some(version.version),
            learner: artefact.learner,
            policy: Box::new(policy),
        });
    }
    if path.extension().is_some_and(|e| e == "toml") {
        let file = TomlFile::read(path)?;
        let rules = RulePolicy::from_toml(file.text()).map_err(|e| {
            RunError::unusable(
                format!("{name}: {e}"),
                "the rules cannot be used",
                "see configs/rules.toml",
            )
        })?;
        let stem = path
            .file_stem()
            .map_or(name.to_owned(), |s| s.to_string_lossy().into_owned());
        return Ok(NamedPolicy {
            name: stem,
            version: None,
            learner: "rules".to_owned(),
            policy: Box::new(rules),
        });
    }
    Err(RunError::unusable(
        format!("no policy is called `{name}`"),
        "a policy is `rule`, `auto`, `review`, `human`, `uniform`, a directory that `tierwise train` wrote, or a rules file",
        "check the name or the path",
    ))
}
