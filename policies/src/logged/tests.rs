//! Learners against closed forms, brute force and known worlds.

mod finite;
mod one_step;
mod world;

use std::path::Path;

use super::{Learned, Learner, LearnerSettings, LoggedError, LoggedPolicy, learn};
use crate::ope::table::{RowPolicy, Rows, Table};

/// Settings of a learner with discount 0.9.
fn settings(learner: Learner) -> LearnerSettings {
    LearnerSettings {
        learner,
        discount: 0.9,
        seed: 1,
    }
}

fn opened(text: &str) -> (tempfile::TempDir, Table) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.csv");
    std::fs::write(&path, text).unwrap();
    let table = Table::open_log(Path::new(&path)).unwrap();
    (folder, table)
}

fn learned(text: &str, learner: Learner) -> Result<Learned, LoggedError> {
    let (_folder, table) = opened(text);
    learn(&table, &settings(learner))
}

fn probabilities(policy: &LoggedPolicy, rows: &Rows) -> Vec<f64> {
    let mut into = Vec::new();
    policy.probabilities(rows, &mut into);
    into
}

/// Probabilities in a numbered state.
fn in_state(learned: &Learned, state: u64) -> Vec<f64> {
    let LoggedPolicy::Finite { policy } = &learned.policy else {
        panic!("a policy of states")
    };
    policy.of(state).to_vec()
}

/// Mean of a file's error texts, for tables of bad input.
fn refusal(text: &str, learner: Learner) -> String {
    match learned(text, learner) {
        Err(error) => format!("{error}; {}", error.fix().unwrap_or("")),
        Ok(_) => panic!("learned from {text}"),
    }
}
