//! Why a log cannot be calibrated from.

use crate::centre::CentreError;
use crate::log::error::LogError;

/// Why no centre can be fitted to a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CalibrateError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The log is empty.
    #[error("the log holds no conversation: there is nothing to calibrate from")]
    NoConversations,
    /// Too few conversations for even one number.
    #[error("the log holds {have} conversations; even its arrivals need {needed}")]
    TooFew {
        /// Conversations in it.
        have: u64,
        /// Conversations needed.
        needed: u64,
    },
    /// Not one decision in the log.
    #[error(
        "none of the {conversations} conversations has a decision: who answered, and when, is not known"
    )]
    NoAnswers {
        /// Conversations in it.
        conversations: u64,
    },
    /// Not one answer time in the log.
    #[error(
        "none of the {answers} answers has a time (`answer_s`): waits and service cannot be told"
    )]
    NoTimes {
        /// Answers in it.
        answers: u64,
    },
    /// Too few days to hold some out.
    #[error(
        "{test_days} days are to be held out of {days}; at least one day must be left to fit on"
    )]
    TooFewDays {
        /// Days the log spans.
        days: u32,
        /// Days to be held out.
        test_days: u32,
    },
    /// The clock's offset is none.
    #[error("the UTC offset is {hours} hours; it lies in [-12, 14]")]
    Offset {
        /// The offset given.
        hours: f64,
    },
    /// The fitted numbers make no centre.
    #[error("the fitted numbers make no centre: {0}")]
    Centre(#[from] CentreError),
}
