//! Policies as they are served: loaded once by content hash, shared by every experiment that names them.

use std::sync::Arc;

use tierwise_envs::env::Situation;
use tierwise_envs::tier::TierProbs;
use tierwise_policies::artefact::{Artefact, ArtefactError, PolicyKind};
use tierwise_policies::policy::{Policy, WithFloor};

/// A policy that can answer.
#[derive(Debug, Clone)]
pub struct ServedPolicy {
    /// First 12 hex digits of the content hash.
    pub version: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    artefact: Arc<Artefact>,
}

impl ServedPolicy {
    /// Takes an artefact into service.
    #[must_use]
    pub fn new(artefact: Artefact) -> Self {
        Self::of_version(artefact.version(), artefact)
    }

    fn of_version(version: String, artefact: Artefact) -> Self {
        Self {
            version: version.into(),
            name: artefact.id.as_str().into(),
            artefact: Arc::new(artefact),
        }
    }

    /// From the text of a `policy.json`.
    ///
    /// # Errors
    /// [`ArtefactError`]: malformed, changed since it was saved, or made for another feature schema.
    pub fn from_text(text: &str, name: &str) -> Result<Self, ArtefactError> {
        let (version, artefact) = Artefact::parse(text, std::path::Path::new(name))?;
        Ok(Self::of_version(version, artefact))
    }

    /// Probabilities of the tiers with a floor of at least `floor` under every allowed one.
    #[must_use]
    pub fn probabilities(&self, at: &Situation<'_>, floor: f64) -> TierProbs {
        let floor = self.artefact.serve_floor.max(floor);
        WithFloor::new(&self.artefact.policy, floor)
            .expect("artefacts and definitions are checked: floors lie in [0, 1/3]")
            .probabilities(at)
    }

    /// The frozen policy with everything that is known of it.
    #[must_use]
    pub fn artefact(&self) -> &Artefact {
        &self.artefact
    }

    /// What kind of policy it is: `rule`, `fixed`, `uniform` or `table`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.artefact.policy {
            PolicyKind::Rule { .. } => "rule",
            PolicyKind::Fixed { .. } => "fixed",
            PolicyKind::Uniform => "uniform",
            PolicyKind::Table { .. } => "table",
        }
    }
}
