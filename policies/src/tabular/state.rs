//! A tabular learner in full, as it is saved and resumed.

use rand::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use tierwise_envs::finite::FiniteEnv;

use super::config::TabularConfig;
use super::error::LearnError;
use super::q_table::QTable;
use super::rule::{Rule, RuleState, with_rule};
use super::schedule::StepSizes;

/// Settings, table, random numbers and place in the episode of one learner.
///
/// Serialised in JSON (or any format that keeps f64 exactly) and read back, it continues bit for bit, provided the
/// environment is put back too (see [`Resumable`](tierwise_envs::finite::Resumable)).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved")]
pub struct TabularState {
    pub(super) config: TabularConfig,
    pub(super) table: QTable,
    pub(super) rule: RuleState,
    pub(super) random: Xoshiro256PlusPlus,
    pub(super) steps: u64,
    pub(super) episodes: u64,
    pub(super) episode_return: f64,
    pub(super) current: Option<Current>,
    #[serde(skip)]
    pub(super) sizes: StepSizes,
}

/// Where a learner stands between two steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Current {
    pub(super) state: usize,
    pub(super) mask: u32,
    /// The action already decided on, with whether it explores; on-policy rules decide one step ahead.
    pub(super) decided: Option<(usize, bool)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    config: TabularConfig,
    table: QTable,
    rule: RuleState,
    random: Xoshiro256PlusPlus,
    steps: u64,
    episodes: u64,
    episode_return: f64,
    current: Option<Current>,
}

impl TryFrom<Saved> for TabularState {
    type Error = LearnError;

    fn try_from(saved: Saved) -> Result<Self, LearnError> {
        saved.config.validate()?;
        let (states, actions) = (saved.table.states(), saved.table.actions());
        let inconsistent = |reason| Err(LearnError::Inconsistent { reason });
        if !saved.rule.is_for(saved.config.algorithm) {
            return inconsistent("`rule` belongs to another `algorithm`");
        }
        if !with_rule!(&saved.rule, rule => rule.fits(states, actions)) {
            return inconsistent("`rule` does not fit the table");
        }
        if let Some(current) = saved.current {
            let allowed = current.mask & tierwise_envs::finite::full_mask(actions);
            let decided = current.decided.map_or(allowed, |(action, _)| {
                allowed & 1_u32.checked_shl(action as u32).unwrap_or(0)
            });
            if current.state >= states || decided == 0 {
                return inconsistent("`current` does not fit the table");
            }
        }
        Ok(Self {
            sizes: StepSizes::new(saved.config.step_size),
            config: saved.config,
            table: saved.table,
            rule: saved.rule,
            random: saved.random,
            steps: saved.steps,
            episodes: saved.episodes,
            episode_return: saved.episode_return,
            current: saved.current,
        })
    }
}

impl TabularState {
    /// A learner that has seen nothing, for environments of the shape of `env`.
    ///
    /// The discount is resolved here: the configured one, else the environment's own, else 0.99.
    ///
    /// # Errors
    /// [`LearnError::Config`] for settings out of range, [`LearnError::Shape`] for an environment without states.
    pub fn new(config: TabularConfig, env: &impl FiniteEnv) -> Result<Self, LearnError> {
        Self::with_shape(config, env.states(), env.actions(), env.discount())
    }

    /// A learner for a table of the given shape, when there is no environment; `own_discount` as [`FiniteEnv::discount`].
    ///
    /// # Errors
    /// As [`TabularState::new`].
    pub fn with_shape(
        mut config: TabularConfig,
        states: usize,
        actions: usize,
        own_discount: Option<f64>,
    ) -> Result<Self, LearnError> {
        if config.discount.is_none() && config.discount_half_life_s.is_none() {
            config.discount = Some(own_discount.unwrap_or(0.99));
        }
        config.validate()?;
        let table = QTable::new(states, actions, config.initial_value)?;
        Ok(Self {
            rule: RuleState::new(config.algorithm, &table),
            random: Xoshiro256PlusPlus::seed_from_u64(config.seed),
            sizes: StepSizes::new(config.step_size),
            config,
            table,
            steps: 0,
            episodes: 0,
            episode_return: 0.0,
            current: None,
        })
    }

    /// The settings, discount resolved.
    #[must_use]
    pub fn config(&self) -> &TabularConfig {
        &self.config
    }

    /// The values learned so far.
    #[must_use]
    pub fn q_table(&self) -> &QTable {
        &self.table
    }

    /// Steps learned from so far.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Episodes begun so far.
    #[must_use]
    pub fn episodes(&self) -> u64 {
        self.episodes
    }

    /// Learned average reward per second; only centered and differential Q-learning have one.
    #[must_use]
    pub fn reward_per_s(&self) -> Option<f64> {
        match &self.rule {
            RuleState::CenteredQ(rule) => Some(rule.reward_per_s()),
            RuleState::DifferentialQ(rule) => Some(rule.reward_per_s()),
            _ => None,
        }
    }

    /// Leaves the current episode, so that the next training step resets its environment: for resuming in one that cannot
    /// be put back where it was.
    pub fn leave_episode(&mut self) {
        self.current = None;
        self.episode_return = 0.0;
        with_rule!(&mut self.rule, rule => rule.forget_episode());
    }
}
