//! Which rows a policy has learned from, so that it is never judged on them.
//!
//! A row has no name, and in a log of few states many rows are equal. So runs of rows are known by their content: each run of
//! 64 rows, counted from the start of the file, has a hash of what the learner read of it. The same rows are found again after
//! more were added below, in another format, or in another part of the file that begins at a multiple of 64; a shuffled copy
//! is not, nor an overlap of less than a run where a part was cut elsewhere than at a multiple of 64.

use super::policy::LoggedPolicy;
use crate::artefact::Seen;
use crate::ope::table::{RowPolicy, Rows, Table, TableError};

/// Rows of a run.
pub(super) const RUN: u64 = 64;

/// What of a row is hashed: action, reward and what the policy reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowHasher {
    pub(super) features: usize,
    pub(super) states: bool,
}

impl RowHasher {
    /// One hash a row.
    pub(super) fn of(self, rows: &Rows) -> Vec<u64> {
        (0..rows.len())
            .map(|row| {
                let mut hash = mixed(u64::from(rows.action[row]), rows.reward[row].to_bits());
                if self.states {
                    hash = mixed(hash, rows.state[row]);
                }
                for x in &rows.features[row * self.features..(row + 1) * self.features] {
                    hash = mixed(hash, x.to_bits());
                }
                hash
            })
            .collect()
    }
}

/// Mixes a word into a hash: a multiplication whose upper half is folded on the lower.
fn mixed(hash: u64, word: u64) -> u64 {
    let product =
        u128::from(hash ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word ^ 0xd1b5_4a32_d192_ed03);
    (product as u64) ^ ((product >> 64) as u64) ^ hash.rotate_left(23)
}

/// Hashes of runs, from hashes of rows in the order of the file.
#[derive(Debug)]
pub(super) struct SeenRows {
    row: u64,
    current: u64,
    runs: Vec<u64>,
}

impl SeenRows {
    /// `first` is the number of the first row in its file.
    pub(super) const fn new(first: u64) -> Self {
        Self {
            row: first,
            current: 0,
            runs: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, hashes: &[u64]) {
        for hash in hashes {
            self.current = mixed(self.current, *hash);
            self.row += 1;
            if self.row.is_multiple_of(RUN) {
                self.runs.push(std::mem::take(&mut self.current));
            }
        }
    }

    pub(super) fn finish(mut self) -> Vec<u64> {
        if self.current != 0 {
            self.runs.push(self.current);
        }
        self.runs
    }
}

/// How many runs of rows of a table a policy has learned from, and of how many.
///
/// # Errors
/// [`TableError`] for a table that cannot be read.
pub fn overlap(
    table: &Table,
    policy: &LoggedPolicy,
    seen: &Seen,
) -> Result<(u64, u64), TableError> {
    let hasher = match policy {
        LoggedPolicy::Linear { policy } => RowHasher {
            features: policy.basis.features(),
            states: false,
        },
        LoggedPolicy::Finite { .. } => RowHasher {
            features: 0,
            states: true,
        },
    };
    let mut runs = SeenRows::new(table.first_row());
    table.scan(
        policy.wanted(),
        |rows| hasher.of(&rows),
        |hashes| {
            runs.take(&hashes);
            Ok(())
        },
    )?;
    let runs = runs.finish();
    let known = runs.iter().filter(|run| seen.contains(**run)).count();
    Ok((known as u64, runs.len() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(first: u64, hashes: &[u64]) -> Vec<u64> {
        let mut seen = SeenRows::new(first);
        // In pieces, as a table arrives.
        for piece in hashes.chunks(37) {
            seen.take(piece);
        }
        seen.finish()
    }

    #[test]
    fn rows_are_known_again_at_the_same_place_of_a_longer_file() {
        let rows: Vec<u64> = (1..=1000).map(|i| mixed(i, i * i)).collect();
        let short = runs(0, &rows[..500]);
        let all = runs(0, &rows);
        assert_eq!(short.len(), 8);
        assert_eq!(short[..7], all[..7]);
        assert!(!all.contains(&short[7]));
        // The part that begins at row 500 shares no run with the part that ends there.
        let rest = runs(500, &rows[500..]);
        assert!(rest.iter().all(|run| !short.contains(run)));
        assert_eq!(rest[1..], all[8..]);
    }

    #[test]
    fn equal_rows_make_no_equal_runs_in_another_order() {
        let rows: Vec<u64> = (0..128).map(|i| mixed(i % 2, 7)).collect();
        let mut swapped = rows.clone();
        swapped.swap(3, 4);
        assert_ne!(runs(0, &rows)[0], runs(0, &swapped)[0]);
        assert_eq!(runs(0, &rows)[1], runs(0, &swapped)[1]);
    }
}
