//! Policies whose probabilities are computed while a table is read, as if it had columns for them.

use std::fmt::Debug;
use std::sync::Arc;

use super::Table;
use super::error::TableError;
use super::rows::{Rows, Wanted};

/// A policy that can be asked what it would have done in each row of a table.
pub trait RowPolicy: Debug + Send + Sync {
    /// The columns it reads.
    fn wanted(&self) -> Wanted;

    /// Number of its actions.
    fn actions(&self) -> usize;

    /// Appends the probabilities of every row, row after row. They sum to one, and forbidden actions get none.
    fn probabilities(&self, rows: &Rows, into: &mut Vec<f64>);
}

/// A policy and the name under which it is judged.
#[derive(Debug, Clone)]
pub struct NamedPolicy {
    /// The name.
    pub name: String,
    /// The policy.
    pub policy: Arc<dyn RowPolicy>,
}

impl Table {
    /// Adds policies as candidates beside those of the columns. Where the table has no `pi…`, or belongs to episodes, of
    /// which only one policy is judged, the first takes that place.
    ///
    /// # Errors
    /// [`TableError::Columns`] for policies of another number of actions, and for a name that is taken.
    pub fn with_policies(mut self, policies: Vec<NamedPolicy>) -> Result<Self, TableError> {
        let Some(first) = policies.first() else {
            return Ok(self);
        };
        let actions = first.policy.actions();
        let known = self.header.actions;
        for named in &policies {
            let own = named.policy.actions();
            if own != actions || (known > 0 && own != known) {
                let other = if known > 0 { known } else { actions };
                return Err(TableError::Columns {
                    file: self.path,
                    reason: format!(
                        "policy `{}` chooses among {own} actions, and the table has {other}",
                        named.name
                    ),
                    fix: "judge it on a log of the actions it learned".to_owned(),
                });
            }
            if self.header.candidates.contains(&named.name) {
                return Err(TableError::Columns {
                    file: self.path,
                    reason: format!("there is a candidate `{}` already", named.name),
                    fix: "give each its own name: `train --table … --name NAME`, or rename the columns"
                        .to_owned(),
                });
            }
        }
        self.header.actions = actions;
        if self.replaces_target(true) {
            self.header.target.clone_from(&first.name);
        }
        let beside = policies
            .iter()
            .skip(usize::from(self.replaces_target(true)));
        let names: Vec<String> = beside.map(|named| named.name.clone()).collect();
        self.header.candidates.extend(names);
        self.policies = policies;
        Ok(self)
    }

    fn replaces_target(&self, policies: bool) -> bool {
        policies && (!self.header.has_target() || self.header.has_episodes())
    }

    /// What is read when policies must be asked too.
    pub(super) fn wanted_by_policies(&self, wanted: Wanted) -> Wanted {
        self.policies
            .iter()
            .fold(wanted, |all, named| all.and(named.policy.wanted()))
    }

    /// Rows with the probabilities of the policies in their places.
    pub(super) fn with_probabilities(&self, mut rows: Rows) -> Rows {
        let mut policies = self.policies.iter();
        if self.replaces_target(!self.policies.is_empty())
            && let Some(first) = policies.next()
        {
            let mut target = Vec::with_capacity(rows.len() * first.policy.actions());
            first.policy.probabilities(&rows, &mut target);
            rows.target = target;
        }
        let beside: Vec<Vec<f64>> = policies
            .map(|named| {
                let mut own = Vec::with_capacity(rows.len() * named.policy.actions());
                named.policy.probabilities(&rows, &mut own);
                own
            })
            .collect();
        if !beside.is_empty() {
            let columns = self.header.candidates.len() - beside.len();
            rows.candidates.resize(columns, Vec::new());
            rows.candidates.extend(beside);
        }
        rows
    }
}
