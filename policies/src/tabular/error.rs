//! What can go wrong while learning a table.

use tierwise_envs::finite::FiniteEnvError;

/// Why a tabular learner could not be made or could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LearnError {
    /// A configured value lies outside its range.
    #[error("`{key}` is {value}; expected {expected}")]
    Config {
        /// The key within the learner's section.
        key: &'static str,
        /// The value found.
        value: String,
        /// The allowed range.
        expected: &'static str,
    },
    /// No table has such a shape.
    #[error(
        "a table of {states} states x {actions} actions is not possible; there must be a state, 1..=32 actions and at most 4294967295 pairs"
    )]
    Shape {
        /// Number of states.
        states: usize,
        /// Number of actions.
        actions: usize,
    },
    /// A saved table does not have as many entries as its shape says.
    #[error("`{part}` has {have} entries; {states} states x {actions} actions need {}", states * actions)]
    TableSize {
        /// The list in question.
        part: &'static str,
        /// Its length.
        have: usize,
        /// Number of states.
        states: usize,
        /// Number of actions.
        actions: usize,
    },
    /// The environment is not the one the state was made for.
    #[error(
        "the environment has {states} states x {actions} actions, the learner {own_states} x {own_actions}; train it where it began"
    )]
    ForeignEnvironment {
        /// States of the environment.
        states: usize,
        /// Actions of the environment.
        actions: usize,
        /// States of the learner.
        own_states: usize,
        /// Actions of the learner.
        own_actions: usize,
    },
    /// There is not one mask per state.
    #[error("{have} masks for {states} states; give one per state")]
    Masks {
        /// Masks given.
        have: usize,
        /// States of the table.
        states: usize,
    },
    /// A mask allows no action.
    #[error(
        "no action is allowed in state {state}; a mask needs at least one bit below the number of actions"
    )]
    NothingAllowed {
        /// The state.
        state: usize,
    },
    /// A transition mentions something the table does not have, or a number that is none.
    #[error("row {row}: `{column}` is {value}; expected {expected}")]
    Transition {
        /// Index of the transition, from 0.
        row: usize,
        /// Its column.
        column: &'static str,
        /// The value found.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// Columns of a logged table differ in length.
    #[error(
        "column `{column}` has {have} rows, `state` has {want}; all columns must be equally long"
    )]
    Columns {
        /// The shorter or longer column.
        column: &'static str,
        /// Its length.
        have: usize,
        /// Length of `state`.
        want: usize,
    },
    /// Values have left the range of numbers.
    #[error(
        "learning diverged: Q({state}, {action}) is {value} after {steps} steps; lower the step size or the discount"
    )]
    Diverged {
        /// State of the value.
        state: usize,
        /// Action of the value.
        action: usize,
        /// The value.
        value: f64,
        /// Steps learned from so far.
        steps: u64,
    },
    /// The environment reported something no learner can use.
    #[error(
        "the environment's step after {steps} reported `{field}` = {value}; expected {expected}"
    )]
    BadStep {
        /// Steps learned from before.
        steps: u64,
        /// Field of the step.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// A saved learner contradicts itself.
    #[error("the saved learner is inconsistent: {reason}; train again or restore an intact copy")]
    Inconsistent {
        /// What contradicts what.
        reason: &'static str,
    },
    /// The environment failed or was misused.
    #[error(transparent)]
    Environment(#[from] FiniteEnvError),
}
