//! What all update rules share: the experience they learn from, the table they change, and the choice among them.

use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};
use tierwise_envs::finite::full_mask;

use super::centered_q::CenteredQ;
use super::config::Algorithm;
use super::differential_q::DifferentialQ;
use super::double_q::DoubleQ;
use super::expected_sarsa::ExpectedSarsa;
use super::n_step_sarsa::NStepSarsa;
use super::q::Q;
use super::q_lambda::QLambda;
use super::q_table::QTable;
use super::sarsa::Sarsa;
use super::schedule::StepSizes;
use super::tree_backup::TreeBackup;

/// One step as a rule sees it: coupling, toll and discount already applied.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Experience {
    pub(super) state: usize,
    pub(super) action: usize,
    pub(super) reward: f64,
    pub(super) elapsed_s: f64,
    /// 0 when nothing follows; then the four fields below mean nothing.
    pub(super) discount: f64,
    pub(super) next_state: usize,
    pub(super) next_mask: u32,
    /// The action taken next; set for rules that are [`Rule::ON_POLICY`].
    pub(super) next_action: usize,
    /// The action was worth less than the greedy one when it was taken.
    pub(super) exploratory: bool,
    /// The next experience does not continue this one.
    pub(super) ended: bool,
}

impl Experience {
    /// Whether every number lies within a table of `states` × `actions`.
    pub(super) fn fits(&self, states: usize, actions: usize) -> bool {
        let mask = self.next_mask & full_mask(actions);
        self.state < states
            && self.action < actions
            && self.next_state < states
            && self.next_action < actions
            && (mask != 0 || self.discount == 0.0)
    }
}

/// What a rule may read and change besides its own state.
pub(super) struct Context<'a> {
    pub(super) table: &'a mut QTable,
    pub(super) sizes: &'a mut StepSizes,
    pub(super) random: &'a mut Xoshiro256PlusPlus,
    pub(super) epsilon: f64,
    pub(super) steps: u64,
}

impl Context<'_> {
    /// Counts the visit of a pair and returns the step size for it.
    #[inline]
    pub(super) fn step_size(&mut self, state: usize, action: usize) -> f64 {
        let visits = self.table.visit(state, action);
        self.sizes.at(visits, self.steps)
    }

    /// Q(s, a) += α (target − Q(s, a)); returns the temporal-difference error before the step.
    #[inline]
    pub(super) fn move_towards(&mut self, state: usize, action: usize, target: f64) -> f64 {
        let size = self.step_size(state, action);
        let entry = self.table.entry(state, action);
        let error = target - *entry;
        *entry += size * error;
        error
    }
}

/// An update rule; the training loop is compiled once for each.
pub(super) trait Rule {
    /// Whether the rule needs the next action before it learns.
    const ON_POLICY: bool = false;
    /// Whether an end is followed by the next episode's start instead of by nothing.
    const RENEWS: bool = false;

    /// Learns from one step and returns its temporal-difference error.
    fn learn(&mut self, step: &Experience, context: &mut Context) -> f64;

    /// Drops what only the running episode gives meaning to.
    fn forget_episode(&mut self) {}

    /// Whether saved contents fit a table of `states` × `actions`.
    fn fits(&self, _states: usize, _actions: usize) -> bool {
        true
    }
}

/// The rule of a learner with what it keeps between steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum RuleState {
    Q(Q),
    DoubleQ(DoubleQ),
    Sarsa(Sarsa),
    ExpectedSarsa(ExpectedSarsa),
    NStepSarsa(NStepSarsa),
    TreeBackup(TreeBackup),
    QLambda(QLambda),
    CenteredQ(CenteredQ),
    DifferentialQ(DifferentialQ),
}

/// Runs `$body` with the concrete rule, so that the loop inside is compiled for it.
macro_rules! with_rule {
    ($state:expr, $rule:ident => $body:expr) => {
        match $state {
            $crate::tabular::rule::RuleState::Q($rule) => $body,
            $crate::tabular::rule::RuleState::DoubleQ($rule) => $body,
            $crate::tabular::rule::RuleState::Sarsa($rule) => $body,
            $crate::tabular::rule::RuleState::ExpectedSarsa($rule) => $body,
            $crate::tabular::rule::RuleState::NStepSarsa($rule) => $body,
            $crate::tabular::rule::RuleState::TreeBackup($rule) => $body,
            $crate::tabular::rule::RuleState::QLambda($rule) => $body,
            $crate::tabular::rule::RuleState::CenteredQ($rule) => $body,
            $crate::tabular::rule::RuleState::DifferentialQ($rule) => $body,
        }
    };
}
pub(super) use with_rule;

impl RuleState {
    pub(super) fn new(algorithm: Algorithm, table: &QTable) -> Self {
        match algorithm {
            Algorithm::Q => Self::Q(Q),
            Algorithm::DoubleQ => Self::DoubleQ(DoubleQ::new(table.values())),
            Algorithm::Sarsa => Self::Sarsa(Sarsa),
            Algorithm::ExpectedSarsa => Self::ExpectedSarsa(ExpectedSarsa),
            Algorithm::NStepSarsa { n } => Self::NStepSarsa(NStepSarsa::new(n)),
            Algorithm::TreeBackup { n } => Self::TreeBackup(TreeBackup::new(n)),
            Algorithm::QLambda { lambda } => Self::QLambda(QLambda::new(lambda)),
            Algorithm::CenteredQ { rate_step } => Self::CenteredQ(CenteredQ::new(rate_step)),
            Algorithm::DifferentialQ { rate_step } => {
                Self::DifferentialQ(DifferentialQ::new(rate_step))
            }
        }
    }

    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        match (self, algorithm) {
            (Self::Q(_), Algorithm::Q)
            | (Self::DoubleQ(_), Algorithm::DoubleQ)
            | (Self::Sarsa(_), Algorithm::Sarsa)
            | (Self::ExpectedSarsa(_), Algorithm::ExpectedSarsa) => true,
            (Self::NStepSarsa(rule), Algorithm::NStepSarsa { n }) => rule.is_for(n),
            (Self::TreeBackup(rule), Algorithm::TreeBackup { n }) => rule.is_for(n),
            (Self::QLambda(rule), Algorithm::QLambda { lambda }) => rule.is_for(lambda),
            (Self::CenteredQ(rule), Algorithm::CenteredQ { rate_step }) => rule.is_for(rate_step),
            (Self::DifferentialQ(rule), Algorithm::DifferentialQ { rate_step }) => {
                rule.is_for(rate_step)
            }
            _ => false,
        }
    }
}
