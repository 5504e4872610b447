//! What can be wrong with a finite Markov decision process, or with a question about it.

/// Why a process could not be built or a question about it has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MdpError {
    /// The file is not readable.
    #[error("{path}: cannot read the decision process: {source}")]
    Read {
        /// The file.
        path: String,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// The file's content is no decision process.
    #[error("{path}: {source}")]
    InFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        #[source]
        source: Box<MdpError>,
    },
    /// The text is not JSON of this format; the source names line and column.
    #[error(
        "not a decision process in JSON: {source}; expected the keys gamma, n_states, n_actions, initial and transitions"
    )]
    Format {
        /// The parser's reason, with line and column.
        #[source]
        source: serde_json::Error,
    },
    /// A single value lies outside its range.
    #[error("`{place}` is {value}; expected {expected}")]
    Value {
        /// The key, with its index where it has one.
        place: String,
        /// The value found.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// Two rows describe the same thing.
    #[error("`{place}` repeats {what}, first given by `{first}`; keep one of them")]
    Duplicate {
        /// The later place.
        place: String,
        /// What is repeated.
        what: String,
        /// The earlier place.
        first: String,
    },
    /// Probabilities that ought to sum to one do not.
    #[error("`{place}`: the probabilities sum to {sum}; they must sum to 1 within 1e-9")]
    Sum {
        /// The distribution.
        place: String,
        /// Its sum.
        sum: f64,
    },
    /// A state in which nothing can be done, and which is not terminal.
    #[error(
        "state {state} has no transition and is not terminal; add a row [{state}, action, reward, [[next, probability]]] or list it under `terminal`"
    )]
    DeadEnd {
        /// The state.
        state: usize,
    },
    /// A policy does not fit the process.
    #[error("the policy does not fit: {reason}")]
    Policy {
        /// What does not fit, where.
        reason: String,
    },
    /// Under the policy an episode may run for ever while rewards pile up, so its undiscounted value does not exist.
    #[error(
        "undiscounted value does not exist: from state {state} the policy never reaches a terminal state and collects reward on the way; use a discount below 1"
    )]
    NeverEnds {
        /// A state from which no terminal state is reached.
        state: usize,
    },
    /// No policy at all leads from the state to a terminal one.
    #[error(
        "undiscounted value does not exist: no terminal state can be reached from state {state}; use a discount below 1 or add `terminal` states"
    )]
    NoWayOut {
        /// The state.
        state: usize,
    },
    /// More than one recurrent class can be entered, so there is no single average reward.
    #[error(
        "not unichain: {classes} recurrent classes can be entered from the start (one holds state {first}, another state {second}), so the average reward depends on chance; solve the classes one by one"
    )]
    NotUnichain {
        /// Number of recurrent classes.
        classes: usize,
        /// A state of one class.
        first: usize,
        /// A state of another.
        second: usize,
    },
    /// Average reward was asked of a process that ends.
    #[error(
        "average reward is defined for processes that go on for ever; this one has terminal states (state {state}), ask for its value from the start instead"
    )]
    Episodic {
        /// A terminal state.
        state: usize,
    },
    /// The linear system of a policy is singular to working precision.
    #[error(
        "the value equations are singular at state {state}; the discount {discount} is too close to 1 for this process"
    )]
    Singular {
        /// The state whose pivot vanished.
        state: usize,
        /// The discount in use.
        discount: f64,
    },
    /// The process is too large for dense linear algebra.
    #[error(
        "{states} states are too many for an exact solution, which takes memory for their square; at most {limit}"
    )]
    TooLarge {
        /// States to solve for.
        states: usize,
        /// The limit.
        limit: usize,
    },
}
