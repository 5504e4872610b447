//! How anything that went wrong reaches a person: where, what, how to fix.
//!
//! Modules keep their own error types; the edge turns them into a [`Failure`] once and prints it once.

use std::fmt;
use std::path::Path;

/// Something a person can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where and what, in one line.
    pub what: String,
    /// Why it matters or what was expected; one line each.
    pub details: Vec<String>,
    /// How to fix it.
    pub fix: Option<String>,
    /// Exit code of the program.
    pub exit_code: u8,
}

impl Failure {
    /// Exit code when the program could not run.
    pub const COULD_NOT_RUN: u8 = 2;
    /// Exit code when the program was interrupted and can be resumed.
    pub const INTERRUPTED: u8 = 130;

    /// A failure that kept the program from running (exit code 2).
    pub fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            details: Vec::new(),
            fix: None,
            exit_code: Self::COULD_NOT_RUN,
        }
    }

    /// The same failure at a file.
    pub fn at(path: &Path, what: impl fmt::Display) -> Self {
        Self::new(format!("{}: {what}", path.display()))
    }

    /// Adds a line of explanation.
    #[must_use]
    pub fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Adds the way out.
    #[must_use]
    pub fn fix(mut self, line: impl Into<String>) -> Self {
        self.fix = Some(line.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.what)?;
        for line in &self.details {
            write!(f, "\n  {line}")?;
        }
        if let Some(fix) = &self.fix {
            write!(f, "\n  fix: {fix}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// Turns any error into a failure with its chain of causes as details.
pub fn failure_of(error: &dyn std::error::Error) -> Failure {
    let mut failure = Failure::new(error.to_string());
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !failure.what.contains(&text) {
            failure.details.push(text);
        }
        cause = error.source();
    }
    failure
}
