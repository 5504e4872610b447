//! Where a learner learns and what its table is worth there: one bench per environment.

mod centre;
mod finite;
mod logged;
mod simulated;

use serde::{Deserialize, Serialize};
use tierwise_envs::discretise::Discretizer;
use tierwise_envs::mdp::MdpPosition;
use tierwise_envs::tier::Tier;
use tierwise_policies::policy::WithFloor;
use tierwise_policies::table::TablePolicy;
use tierwise_policies::tabular::{QTable, TabularConfig, TabularState};

pub(super) use self::centre::CentreBench;
pub(super) use self::finite::MdpBench;
pub(super) use self::logged::{LogBench, RejectionBench, logged_transitions};
pub(super) use self::simulated::{ReplayBench, ShopBench};
use super::directory::RunError;
use crate::config::TrainConfig;

/// What a table is worth, as its learner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Mean reward; `None` where the tuning part cannot support a value.
    pub value: Option<f64>,
    /// Its standard error; `None` for exact values.
    pub standard_error: Option<f64>,
    /// Conversations behind it; 0 for exact values.
    pub n: u64,
}

/// A place to learn in.
pub(super) trait Bench: Sync {
    /// A learner that has seen nothing; of the tabular view, with γ = 1 within a conversation, unless overridden.
    fn learner(&self, config: TabularConfig) -> Result<TabularState, RunError> {
        let (states, tiers) = (Discretizer::STATES, Tier::COUNT);
        Ok(TabularState::with_shape(config, states, tiers, Some(1.0))?)
    }

    /// Lets a learner learn for some decisions. `place` is where the environment stood after the last stretch; benches
    /// without one start every stretch with a fresh episode.
    fn advance(
        &self,
        learner: &mut TabularState,
        place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError>;

    /// What the learner's table is worth.
    fn score(&self, table: &QTable) -> Result<Score, RunError>;

    /// What the rule baseline is worth by the same yardstick, as it stands: without a floor.
    fn baseline(&self) -> Result<Option<Score>, RunError> {
        Ok(None)
    }
}

/// The table as it would be served.
pub(super) fn table_policy(config: &TrainConfig, table: &QTable) -> TablePolicy {
    let rows = |state: usize| state * Tier::COUNT..(state + 1) * Tier::COUNT;
    let row = |state: usize| -> [f64; 3] {
        let slice = &table.values()[rows(state)];
        [slice[0], slice[1], slice[2]]
    };
    let visits = |state: usize| -> [u64; 3] {
        let slice = &table.visits()[rows(state)];
        [slice[0], slice[1], slice[2]]
    };
    TablePolicy {
        discretizer: config.table.clone(),
        values: (0..Discretizer::STATES).map(row).collect(),
        visits: (0..Discretizer::STATES).map(visits).collect(),
        min_visits: config.serve.min_visits,
        view: config.serve.view,
        fallback: config.rules(),
    }
}

fn served(config: &TrainConfig, table: &QTable) -> WithFloor<TablePolicy> {
    WithFloor::new(table_policy(config, table), config.serve.floor)
        .expect("the floor is checked when the configuration is loaded")
}
