//! What policies are truly worth in the generated shop: simulation under common random numbers.

use serde::{Deserialize, Serialize};
use tierwise_policies::artefact::Version;
use tierwise_policies::policy::{Policy, WithFloor};

use super::directory::RunError;
use super::evaluation::BASELINE;
use super::train::shop_world;
use crate::config::TrainConfig;

/// Mean reward per conversation of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueValueOf {
    /// The policy's name.
    pub name: String,
    /// Mean R.
    pub mean: f64,
    /// Its standard error.
    pub standard_error: f64,
}

/// True values of the baseline and of versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueValues {
    /// Conversations simulated for each, the same ones.
    pub conversations: u64,
    /// Baseline first.
    pub policies: Vec<TrueValueOf>,
}

/// Simulates the baseline and every version as served.
///
/// # Errors
/// [`RunError::Shop`] for a shop that cannot be built.
pub fn true_values(
    config: &TrainConfig,
    versions: &[Version],
    conversations: u64,
    seed: u64,
) -> Result<TrueValues, RunError> {
    let world = shop_world(config)?;
    let value = |name: &str, policy: &dyn Policy| -> TrueValueOf {
        let value = world
            .true_value(&|at| policy.probabilities(at), conversations, seed)
            .expect("a policy gives masked tiers no probability");
        TrueValueOf {
            name: name.to_owned(),
            mean: value.mean,
            standard_error: value.standard_error,
        }
    };
    let mut policies = vec![value(BASELINE, &config.rules())];
    for version in versions {
        let served = WithFloor::new(&version.artefact.policy, version.artefact.serve_floor)
            .expect("the floor is checked when the artefact is loaded");
        policies.push(value(&version.artefact.id, &served));
    }
    Ok(TrueValues {
        conversations,
        policies,
    })
}
