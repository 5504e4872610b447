//! Learning in a finite MDP, scored exactly.

use std::sync::Arc;

use tierwise_envs::finite::Resumable;
use tierwise_envs::mdp::{FinitePolicy, Mdp, MdpEnv, MdpPosition};
use tierwise_policies::tabular::{LearnError, QTable, TabularConfig, TabularState, train};

use super::{Bench, Score};
use crate::run::directory::RunError;

/// A finite MDP: scores are exact.
pub(in crate::run) struct MdpBench {
    pub(in crate::run) mdp: Arc<Mdp>,
}

impl MdpBench {
    /// The value that ranks policies: average reward, or the undiscounted start value of an episodic problem.
    pub(in crate::run) fn worth(&self, policy: &FinitePolicy) -> Result<f64, RunError> {
        Ok(if self.mdp.is_episodic() {
            self.mdp.start_value(policy, 1.0)?
        } else {
            self.mdp.average_reward(policy)?
        })
    }

    /// The greedy policy of a table.
    pub(in crate::run) fn greedy(&self, table: &QTable) -> Result<FinitePolicy, RunError> {
        let chosen = table.greedy(self.mdp.masks())?;
        Ok(FinitePolicy::deterministic(&self.mdp, &chosen)?)
    }
}

impl Bench for MdpBench {
    fn learner(&self, config: TabularConfig) -> Result<TabularState, RunError> {
        Ok(TabularState::new(config, &MdpEnv::new(self.mdp.clone()))?)
    }

    fn advance(
        &self,
        learner: &mut TabularState,
        place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError> {
        let mut env = MdpEnv::new(self.mdp.clone());
        match place.take() {
            Some(position) => env.restore(position).map_err(LearnError::from)?,
            None => learner.leave_episode(),
        }
        train(&mut env, learner, steps)?;
        *place = Some(env.position());
        Ok(())
    }

    fn score(&self, table: &QTable) -> Result<Score, RunError> {
        // A half-learned greedy policy may never end its episodes; it has no value then.
        let value = self
            .greedy(table)
            .and_then(|policy| self.worth(&policy))
            .ok();
        Ok(Score {
            value,
            standard_error: None,
            n: 0,
        })
    }
}
