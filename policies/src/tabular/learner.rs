//! Learning from transitions that somebody else made: batches of logged steps.

use tierwise_envs::finite::full_mask;

use super::config::{Coupling, Discounting};
use super::error::LearnError;
use super::q::Q;
use super::q_table::QTable;
use super::rule::{Context, Experience, Rule, RuleState, with_rule};
use super::state::TabularState;

/// A step that was taken, with what a learner may need of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Transition {
    /// State acted in.
    pub state: usize,
    /// Allowed actions there, as bits.
    pub mask: u32,
    /// Action taken.
    pub action: usize,
    /// Reward, in reward units.
    pub reward: f64,
    /// State that followed.
    pub next_state: usize,
    /// Allowed actions there, as bits.
    pub next_mask: u32,
    /// Action taken there; SARSA and n-step SARSA need it wherever they bootstrap.
    pub next_action: Option<usize>,
    /// Seconds until the next decision.
    pub elapsed_s: f64,
    /// Human seconds taken up.
    pub human_seconds: f64,
    /// The process ended: nothing to bootstrap from.
    pub terminated: bool,
    /// The episode was cut: bootstraps, but the next transition begins elsewhere.
    pub truncated: bool,
    /// The decision was its conversation's last.
    pub closes_conversation: bool,
}

/// What a batch did to a learner.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct UpdateStats {
    /// Transitions learned from.
    pub updates: u64,
    /// Mean absolute temporal-difference error; 0 for an empty batch.
    pub mean_absolute_td_error: f64,
}

/// Something that learns action values from transitions.
pub trait Learner {
    /// Learns from the transitions in their order; those of one episode follow one another.
    ///
    /// # Errors
    /// [`LearnError::Transition`] naming row and column, before anything is learned; [`LearnError::Diverged`].
    fn update(&mut self, batch: &[Transition]) -> Result<UpdateStats, LearnError>;

    /// The values learned so far.
    fn q_table(&self) -> &QTable;
}

impl Learner for TabularState {
    fn update(&mut self, batch: &[Transition]) -> Result<UpdateStats, LearnError> {
        let mut rule = std::mem::replace(&mut self.rule, RuleState::Q(Q));
        let sum = with_rule!(&mut rule, rule => learn(self, rule, batch));
        self.rule = rule;
        let sum = sum?;
        self.check_finite()?;
        let updates = batch.len() as u64;
        Ok(UpdateStats {
            updates,
            mean_absolute_td_error: sum / updates.max(1) as f64,
        })
    }

    fn q_table(&self) -> &QTable {
        &self.table
    }
}

fn learn<R: Rule>(
    learner: &mut TabularState,
    rule: &mut R,
    batch: &[Transition],
) -> Result<f64, LearnError> {
    let discounting = Discounting::of(&learner.config);
    let (coupling, toll) = (learner.config.coupling, learner.config.toll_per_human_s);
    let (states, actions) = (learner.table.states(), learner.table.actions());
    let conversations = coupling != Coupling::Continuing;
    let follows =
        |t: &Transition| (!t.terminated || R::RENEWS) && !(conversations && t.closes_conversation);
    for (row, transition) in batch.iter().enumerate() {
        let needs_action = R::ON_POLICY && follows(transition);
        check(
            row,
            transition,
            states,
            actions,
            follows(transition),
            needs_action,
        )?;
    }
    let mut sum = 0.0;
    for t in batch {
        let greedy = learner.table.max(t.state, t.mask);
        let experience = Experience {
            state: t.state,
            action: t.action,
            reward: t.reward - toll * t.human_seconds,
            elapsed_s: t.elapsed_s,
            discount: if follows(t) {
                discounting.over(t.elapsed_s)
            } else {
                0.0
            },
            next_state: t.next_state,
            next_mask: t.next_mask,
            next_action: t.next_action.unwrap_or(0),
            exploratory: learner.table.value(t.state, t.action) < greedy,
            ended: t.terminated || t.truncated || !follows(t),
        };
        let mut context = Context {
            table: &mut learner.table,
            sizes: &mut learner.sizes,
            random: &mut learner.random,
            epsilon: learner.config.exploration.at(learner.steps),
            steps: learner.steps,
        };
        sum += rule.learn(&experience, &mut context).abs();
        learner.steps += 1;
    }
    Ok(sum)
}

fn check(
    row: usize,
    t: &Transition,
    states: usize,
    actions: usize,
    follows: bool,
    needs_action: bool,
) -> Result<(), LearnError> {
    let fail = |column, value: String, expected: String| {
        Err(LearnError::Transition {
            row,
            column,
            value,
            expected,
        })
    };
    for (column, state) in [("state", t.state), ("next_state", t.next_state)] {
        if state >= states {
            return fail(column, state.to_string(), format!("0..={}", states - 1));
        }
    }
    if t.action >= actions {
        return fail(
            "action",
            t.action.to_string(),
            format!("0..={}", actions - 1),
        );
    }
    for (column, x) in [
        ("reward", t.reward),
        ("elapsed_s", t.elapsed_s),
        ("human_seconds", t.human_seconds),
    ] {
        if !x.is_finite() || (column != "reward" && x < 0.0) {
            let expected = if column == "reward" {
                "a finite number"
            } else {
                "seconds, at least 0"
            };
            return fail(column, x.to_string(), expected.to_owned());
        }
    }
    if (t.mask & full_mask(actions)) >> t.action & 1 == 0 {
        return fail(
            "action",
            t.action.to_string(),
            format!("a set bit of `mask` {:#b}", t.mask),
        );
    }
    if follows && t.next_mask & full_mask(actions) == 0 {
        return fail(
            "next_mask",
            format!("{:#b}", t.next_mask),
            format!("a bit below {actions}"),
        );
    }
    match t.next_action {
        None if needs_action => fail(
            "next_action",
            "absent".to_owned(),
            "the action taken next, for an on-policy learner".to_owned(),
        ),
        Some(action) if follows && (action >= actions || t.next_mask >> action & 1 == 0) => fail(
            "next_action",
            action.to_string(),
            format!("a set bit of {:#b}", t.next_mask),
        ),
        _ => Ok(()),
    }
}
