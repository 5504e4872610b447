//! Learning where a simulator or a model answers: the generated shop, and replay on an outcome model.

use std::sync::Arc;

use tierwise_envs::kpi::Kpi;
use tierwise_envs::mdp::MdpPosition;
use tierwise_envs::replay::Replay;
use tierwise_envs::shop::{Shop, World};
use tierwise_envs::tabular_view::TabularView;
use tierwise_policies::policy::Policy;
use tierwise_policies::tabular::{QTable, TabularState, train};

use super::{Bench, Score, served};
use crate::config::TrainConfig;
use crate::run::directory::RunError;
use crate::run::judged;

/// The generated shop: scores are means over simulated conversations, the same ones for every table.
pub(in crate::run) struct ShopBench<'a> {
    pub(in crate::run) config: &'a TrainConfig,
    pub(in crate::run) world: Arc<World>,
}

impl ShopBench<'_> {
    /// Seed of the conversations that score; learners meet others.
    const SCORE_SEED: u64 = 0x7_1e27;
}

impl Bench for ShopBench<'_> {
    fn advance(
        &self,
        learner: &mut TabularState,
        _place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError> {
        learner.leave_episode();
        let mut env = TabularView::new(Shop::new(self.world.clone()), self.config.table.clone());
        train(&mut env, learner, steps)?;
        Ok(())
    }

    fn score(&self, table: &QTable) -> Result<Score, RunError> {
        Ok(self.worth(&served(self.config, table)))
    }

    fn baseline(&self) -> Result<Option<Score>, RunError> {
        Ok(Some(self.worth(&self.config.rules())))
    }
}

impl ShopBench<'_> {
    fn worth(&self, policy: &dyn Policy) -> Score {
        let value = self
            .world
            .true_value(
                &|at| policy.probabilities(at),
                u64::from(self.config.training.evaluate_conversations),
                Self::SCORE_SEED,
            )
            .expect("a policy gives masked tiers no probability");
        Score {
            value: Some(value.mean),
            standard_error: Some(value.standard_error),
            n: value.conversations,
        }
    }
}
/// Replay on an outcome model: scores are means over the tuning part, replayed on the same model.
pub(in crate::run) struct ReplayBench<'a> {
    pub(in crate::run) config: &'a TrainConfig,
    pub(in crate::run) learn: Replay,
    pub(in crate::run) tune: Replay,
}

impl Bench for ReplayBench<'_> {
    fn advance(
        &self,
        learner: &mut TabularState,
        _place: &mut Option<MdpPosition>,
        steps: u64,
    ) -> Result<(), RunError> {
        learner.leave_episode();
        let mut env = TabularView::new(self.learn.clone(), self.config.table.clone());
        train(&mut env, learner, steps)?;
        Ok(())
    }

    fn score(&self, table: &QTable) -> Result<Score, RunError> {
        Ok(self.worth(&served(self.config, table)))
    }

    fn baseline(&self) -> Result<Option<Score>, RunError> {
        Ok(Some(self.worth(&self.config.rules())))
    }
}

impl ReplayBench<'_> {
    fn worth(&self, policy: &dyn Policy) -> Score {
        let rows = judged::replay_kpis(&self.tune, policy, 1);
        let rewards: Vec<f64> = rows.iter().filter_map(|row| row.get(Kpi::Reward)).collect();
        mean_score(&rewards)
    }
}

fn mean_score(values: &[f64]) -> Score {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    Score {
        value: mean.is_finite().then_some(mean),
        standard_error: variance.is_finite().then(|| (variance / n).sqrt()),
        n: values.len() as u64,
    }
}
