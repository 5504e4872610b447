//! Fingerprints of what was judged: the rows, and what each candidate would do on them.
//!
//! A candidate is known by what it does, not by its name: two that act alike on the same rows are one. The order of rows does
//! not matter, so sorting a table anew makes no new one.

use serde::{Deserialize, Serialize};

use crate::ope::table::Rows;

/// Hashes of judged rows and of each candidate's probabilities on them, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of actions, propensities and rewards.
    pub rows: String,
    /// Of each candidate, the target policy first.
    pub candidates: Vec<String>,
}

/// Sums of hashes of rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prints {
    rows: [u64; 2],
    candidates: Vec<[u64; 2]>,
}

impl Prints {
    pub(crate) fn new(candidates: usize) -> Self {
        Self {
            rows: [0; 2],
            candidates: vec![[0; 2]; candidates],
        }
    }

    pub(crate) fn of(rows: &Rows, actions: usize) -> Self {
        let mut prints = Self::new(1 + rows.candidates.len());
        for row in 0..rows.len() {
            prints.add(
                u64::from(rows.action[row]),
                rows.propensity.get(row).copied().unwrap_or(0.0),
                rows.reward[row],
                std::iter::once(&rows.target)
                    .chain(&rows.candidates)
                    .map(|target| &target[row * actions..(row + 1) * actions]),
            );
        }
        prints
    }

    /// Adds a row.
    pub(crate) fn add<'a>(
        &mut self,
        action: u64,
        propensity: f64,
        reward: f64,
        candidates: impl Iterator<Item = &'a [f64]>,
    ) {
        let row = mixed(mixed(mixed(action) ^ bits(propensity)) ^ bits(reward));
        add(&mut self.rows, row);
        for (sum, target) in self.candidates.iter_mut().zip(candidates) {
            // With the row, so that a policy is what it does where.
            let hash = target.iter().fold(row, |hash, p| mixed(hash ^ bits(*p)));
            add(sum, hash);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        let both = |mine: &mut [u64; 2], theirs: &[u64; 2]| {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine = mine.wrapping_add(*theirs);
            }
        };
        both(&mut self.rows, &other.rows);
        for (mine, theirs) in self.candidates.iter_mut().zip(&other.candidates) {
            both(mine, theirs);
        }
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        let digits = |hash: &[u64; 2]| format!("{:016x}{:016x}", hash[0], hash[1]);
        Fingerprint {
            rows: digits(&self.rows),
            candidates: self.candidates.iter().map(digits).collect(),
        }
    }
}

/// Two sums, each of another hash: what would collide in one does not in both.
fn add(sums: &mut [u64; 2], hash: u64) {
    sums[0] = sums[0].wrapping_add(hash);
    sums[1] = sums[1].wrapping_add(mixed(hash ^ 0x5851_f42d_4c95_7f2d));
}

/// Bits of a number; both zeros are one.
fn bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

/// The finaliser of `splitmix64` (Steele, Lea & Flood 2014).
const fn mixed(bits: u64) -> u64 {
    let mut x = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &[(u64, f64, f64, [f64; 2])]) -> Fingerprint {
        let mut prints = Prints::new(1);
        for (action, p, r, target) in rows {
            prints.add(*action, *p, *r, std::iter::once(&target[..]));
        }
        prints.fingerprint()
    }

    #[test]
    fn order_does_not_matter_and_everything_else_does() {
        let (a, b) = ((0, 0.5, 1.0, [0.2, 0.8]), (1, 0.5, 0.0, [0.4, 0.6]));
        assert_eq!(of(&[a, b]), of(&[b, a]));
        let other_policy = of(&[a, (1, 0.5, 0.0, [0.6, 0.4])]);
        assert_eq!(other_policy.rows, of(&[a, b]).rows);
        assert_ne!(other_policy.candidates, of(&[a, b]).candidates);
        for changed in [(0, 0.5, 0.0, a.3), (0, 0.25, 1.0, a.3), (1, 0.5, 1.0, a.3)] {
            assert_ne!(of(&[changed, b]).rows, of(&[a, b]).rows);
        }
        // Each policy on its own row: swapped policies are another candidate.
        let swapped = of(&[(0, 0.5, 1.0, b.3), (1, 0.5, 0.0, a.3)]);
        assert_ne!(swapped.candidates, of(&[a, b]).candidates);
        assert_ne!(of(&[a]).rows, of(&[a, a]).rows);
    }
}
