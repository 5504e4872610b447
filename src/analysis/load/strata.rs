//! Strata of rows: declared before the start, at most twelve.

use super::{AnalysisError, Cell, Columns, Names};
use crate::stats::eprocess::MOST_STRATA;

/// Where a table says to which stratum a row belongs, and which strata were declared.
pub(super) struct StrataColumn<'a> {
    column: Option<usize>,
    declared: &'a [String],
}

impl<'a> StrataColumn<'a> {
    pub(super) fn of(columns: &Columns<'_>, declared: &'a [String]) -> Self {
        Self {
            column: columns.optional("stratum"),
            declared,
        }
    }

    /// Strata before the first row: the declared ones in their order.
    pub(super) fn names(&self) -> Names {
        let mut names = Names::default();
        if self.column.is_some() {
            for name in self.declared {
                names.place(name);
            }
        }
        names
    }

    /// The stratum of a row; 0 without a column.
    pub(super) fn place(
        &self,
        columns: &Columns<'_>,
        line: u64,
        cells: &[Cell],
        names: &mut Names,
    ) -> Result<u16, AnalysisError> {
        let Some(column) = self.column else {
            return Ok(0);
        };
        let Some(name) = cells.get(column).and_then(Cell::text) else {
            return Err(columns.row_error(
                line,
                "`stratum` is empty",
                "write what was known of the unit before the decision; `other` is a stratum too",
            ));
        };
        let place = names.place(&name);
        if !self.declared.is_empty() && place >= self.declared.len() {
            return Err(columns.row_error(
                line,
                format!(
                    "`{name}` is no declared stratum; declared are {}",
                    self.declared.join(", ")
                ),
                "strata are declared before the start, in the rule's `strata`",
            ));
        }
        if place >= MOST_STRATA {
            return Err(columns.row_error(
                line,
                format!(
                    "`{name}` is stratum number {}; a test has at most {MOST_STRATA}",
                    place + 1
                ),
                "merge rare strata into one, such as `other`, by a rule fixed before the start",
            ));
        }
        Ok(place as u16)
    }
}
