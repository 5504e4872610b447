//! Runs of the contact centre: simulating policies in it, and what is read from the replicas.

mod claims;
mod interval;
mod outages;
mod policies;
mod simulation;

use std::sync::Arc;

use tierwise_envs::centre::{CentreConfig, Stage};

use super::directory::RunError;
use super::train::shop_world;
use crate::config::TrainConfig;

pub use self::claims::ClaimResult;
pub use self::interval::Interval;
pub use self::outages::OutageResult;
pub use self::policies::{NamedPolicy, policy_named};
pub use self::simulation::{
    HourOfTier, LanguageResult, LoadOfClass, PolicyResult, PoolOfHour, SimulationResult,
    save_simulation, simulate_policies,
};

/// The centre of a configuration.
///
/// # Errors
/// [`RunError::Unusable`] without a `[centre]`, [`RunError::Centre`] for one that cannot be built.
pub fn centre_stage(config: &TrainConfig) -> Result<Arc<Stage>, RunError> {
    stage_of(config, centre_of(config)?.clone())
}

/// The `[centre]` section.
pub(crate) fn centre_of(config: &TrainConfig) -> Result<&CentreConfig, RunError> {
    config.centre.as_ref().ok_or_else(|| {
        RunError::unusable(
            format!("{}: the configuration has no `[centre]`", config.name),
            "a contact centre is people in pools; `[shop]` says who their customers are",
            "add `[centre]` with at least one `[[centre.pool]]`; configs/centre.toml is an example",
        )
    })
}

/// A centre other than the configured one, in the same shop.
pub(super) fn stage_of(config: &TrainConfig, centre: CentreConfig) -> Result<Arc<Stage>, RunError> {
    Ok(Stage::new(centre, shop_world(config)?)?)
}
