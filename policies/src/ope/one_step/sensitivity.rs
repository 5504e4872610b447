//! What a value could be if the log's choices had reasons that it does not show.
//!
//! Whoever chose may have known more than the table says. If that moved the odds of an action by at most a factor Γ, the
//! true weight of a row lies between π (1 + (1/p − 1)/Γ) and π (1 + (1/p − 1) Γ), and the value between the least and the
//! most that SNIPS can be with such weights.
//!
//! # Source
//! Tan 2006 (marginal sensitivity model); Zhao, Small & Bhattacharya, JRSS B 2019; Kallus & Zhou 2018.

use serde::{Deserialize, Serialize};

use super::piece::Need;
use crate::ope::table::{Table, TableError};

/// Bounds of the value under hidden reasons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// Largest factor by which hidden reasons moved the odds of an action.
    pub gamma: f64,
    /// Least value of SNIPS.
    pub lower: f64,
    /// Most.
    pub upper: f64,
}

/// Reward of a row with its smallest and its largest weight.
type Possible = (f64, f64, f64);

/// Both bounds, from one more pass that keeps three numbers a row.
pub(super) fn sensitivity(
    table: &Table,
    need: &Need<'_>,
    gamma: f64,
) -> Result<Sensitivity, TableError> {
    let actions = table.header().actions;
    let mut all: Vec<Possible> = Vec::new();
    table.scan(
        need.wanted(table.header()),
        |rows| {
            (0..rows.len())
                .map(|row| {
                    let p = match need.behaviour {
                        Some((behaviour, of_fold)) => behaviour.of(&rows, row, of_fold),
                        None => rows.propensity[row],
                    };
                    let target = rows.target[row * actions + usize::from(rows.action[row])];
                    let odds = 1.0 / p - 1.0;
                    (
                        rows.reward[row],
                        target * (1.0 + odds / gamma),
                        target * (1.0 + odds * gamma),
                    )
                })
                .collect::<Vec<Possible>>()
        },
        |mut part| {
            all.append(&mut part);
            Ok(())
        },
    )?;
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let upper = most(&all);
    for row in &mut all {
        row.0 = -row.0;
    }
    all.reverse();
    Ok(Sensitivity {
        gamma,
        lower: -most(&all),
        upper,
    })
}

/// The largest Σ w r / Σ w for rows sorted from the largest reward: the first get their largest weight, the others their
/// smallest, and the best place to change is found by trying all.
fn most(rows: &[Possible]) -> f64 {
    let (mut num, mut den) = rows.iter().fold((0.0, 0.0), |(num, den), (r, low, _)| {
        (num + low * r, den + low)
    });
    let mut best = num / den;
    for (r, low, high) in rows {
        num += (high - low) * r;
        den += high - low;
        best = best.max(num / den);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_is_that_of_all_choices_of_weights() {
        let mut rows: Vec<Possible> = [
            (0.3, 1.0, 2.0),
            (1.0, 0.5, 3.0),
            (-1.0, 0.2, 4.0),
            (0.9, 1.0, 1.5),
        ]
        .to_vec();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        // All corners: a ratio of linear functions has its extremes there.
        let mut best = f64::NEG_INFINITY;
        for corner in 0..16_u32 {
            let weight = |i: usize| {
                if corner >> i & 1 == 1 {
                    rows[i].2
                } else {
                    rows[i].1
                }
            };
            let num: f64 = (0..4).map(|i| weight(i) * rows[i].0).sum();
            best = best.max(num / (0..4).map(weight).sum::<f64>());
        }
        assert!((most(&rows) - best).abs() < 1e-12);
    }
}
