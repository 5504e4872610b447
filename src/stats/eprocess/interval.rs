//! The interval by inversion: every ratio ρ = p_b/p_a that neither side has rejected.

use super::bets::Mixture;
use super::rate_test::{Block, TestLevels, fold_one, outlooks};
use super::rates::{Outlook, RateWealth, Side};
use crate::stats::error::Alpha;

/// Bounds of a ratio of rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioInterval {
    /// Lower bound; 0 where the data exclude nothing.
    pub lower: f64,
    /// Upper bound; infinite where the data exclude nothing.
    pub upper: f64,
}

/// Candidates on each side of ρ = 1, evenly spaced in ln ρ up to ln 32.
const CANDIDATES: i32 = 28;
/// Halvings of the cell in which a bound lies.
const HALVINGS: u32 = 12;

/// Hull of the ρ that neither side rejects at its level, over all blocks and so at any look before.
///
/// ρ = 1 is among the candidates, so the interval excludes it exactly when a test of [`TestLevels`] with ratio one
/// decides. Should the two disagree for want of monotonicity, the verdict's side is kept.
#[must_use]
pub fn rate_interval(blocks: &[Block], levels: &TestLevels) -> RatioInterval {
    interval_of(&blocks.chunks(1).collect::<Vec<_>>(), levels)
}

/// [`rate_interval`] over groups of blocks that were folded together ([`super::RateTest::fold_together`]).
#[must_use]
pub fn rate_interval_together(groups: &[Vec<Block>], levels: &TestLevels) -> RatioInterval {
    interval_of(
        &groups.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        levels,
    )
}

/// The interval after every block: each look's candidates are those not rejected until then.
///
/// Coarser than [`rate_interval`], to the wide side, and as cheap for all looks as that is for a few.
#[must_use]
pub fn rate_sequence(blocks: &[Block], levels: &TestLevels) -> Vec<RatioInterval> {
    sequence_of(&blocks.chunks(1).collect::<Vec<_>>(), levels)
}

/// [`rate_sequence`] after every group of blocks that were folded together.
#[must_use]
pub fn rate_sequence_together(groups: &[Vec<Block>], levels: &TestLevels) -> Vec<RatioInterval> {
    sequence_of(
        &groups.iter().map(Vec::as_slice).collect::<Vec<_>>(),
        levels,
    )
}

fn interval_of(groups: &[&[Block]], levels: &TestLevels) -> RatioInterval {
    let outlooks = outlooks(groups.iter().copied());
    invert(|side, ratio| first_rejected(groups, &outlooks, levels, side, ratio).is_some())
}

fn sequence_of(groups: &[&[Block]], levels: &TestLevels) -> Vec<RatioInterval> {
    let outlooks = outlooks(groups.iter().copied());
    invert_over_time(groups.len(), |side, ratio| {
        first_rejected(groups, &outlooks, levels, side, ratio)
    })
}

/// After which group a side first rejects a ratio.
fn first_rejected(
    groups: &[&[Block]],
    outlooks: &[Option<Outlook>],
    levels: &TestLevels,
    side: Side,
    ratio: f64,
) -> Option<usize> {
    let log_threshold = level(levels, side).log_threshold();
    let mut wealth = RateWealth::new(side, ratio);
    groups.iter().zip(outlooks).position(|(group, outlook)| {
        for block in *group {
            fold_one(&mut wealth, block, *outlook);
        }
        wealth.reaches(Mixture::standard(), log_threshold)
    })
}

/// The level of a side.
pub(super) fn level(levels: &TestLevels, side: Side) -> Alpha {
    match side {
        Side::Promote => levels.promote,
        Side::RollBack => levels.roll_back,
    }
}

/// Candidates for a whole sequence, dense around one: ln ρ = ± sinh steps from 0.003 to ln 32.
fn dense() -> Vec<f64> {
    const SIDE: i32 = 48;
    let scale = 32.0_f64.ln() / (5.0_f64).sinh();
    (-SIDE..=SIDE)
        .map(|i| (scale * (5.0 * f64::from(i) / f64::from(SIDE)).sinh()).exp())
        .collect()
}

/// Inverts two one-sided tests at every one of `looks` looks; `first_rejected` says at which look a ratio falls.
pub(super) fn invert_over_time(
    looks: usize,
    first_rejected: impl Fn(Side, f64) -> Option<usize>,
) -> Vec<RatioInterval> {
    let grid = dense();
    let times = |side: Side| -> Vec<usize> {
        grid.iter()
            .map(|ratio| first_rejected(side, *ratio).unwrap_or(usize::MAX))
            .collect()
    };
    let (from_below, from_above) = (times(Side::Promote), times(Side::RollBack));
    (0..looks)
        .map(|look| {
            let lower = match from_below.iter().position(|time| *time > look) {
                Some(0) => 0.0,
                Some(at) => grid[at - 1],
                None => grid[grid.len() - 1],
            };
            let upper = match from_above.iter().rposition(|time| *time > look) {
                Some(at) if at + 1 == grid.len() => f64::INFINITY,
                Some(at) => grid[at + 1],
                None => grid[0],
            };
            RatioInterval { lower, upper }
        })
        .collect()
}

/// Inverts two one-sided tests of a positive ratio.
pub(super) fn invert(rejects: impl Fn(Side, f64) -> bool) -> RatioInterval {
    let step = 32.0_f64.ln() / f64::from(CANDIDATES);
    let ratio = |i: i32| {
        if i == 0 {
            1.0
        } else {
            (step * f64::from(i)).exp()
        }
    };
    let grid: Vec<f64> = (-CANDIDATES..=CANDIDATES).map(ratio).collect();
    // The lowest candidate that the promote side leaves standing, and the highest that the roll-back side does.
    let lowest = grid.iter().position(|r| !rejects(Side::Promote, *r));
    let highest = grid.iter().rposition(|r| !rejects(Side::RollBack, *r));
    let mut lower = match lowest {
        Some(0) => 0.0,
        Some(at) => bisect(grid[at - 1], grid[at], |r| rejects(Side::Promote, r)),
        None => grid[grid.len() - 1],
    };
    let mut upper = match highest {
        Some(at) if at + 1 == grid.len() => f64::INFINITY,
        Some(at) => bisect(grid[at + 1], grid[at], |r| rejects(Side::RollBack, r)),
        None => grid[0],
    };
    if lower < 1.0 && rejects(Side::Promote, 1.0) {
        lower = 1.0;
    }
    if upper > 1.0 && rejects(Side::RollBack, 1.0) {
        upper = 1.0;
    }
    RatioInterval { lower, upper }
}

/// The last rejected point between a rejected and a standing one: the interval errs to the wide side.
fn bisect(mut rejected: f64, mut standing: f64, rejects: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = (rejected * standing).sqrt();
        if rejects(middle) {
            rejected = middle;
        } else {
            standing = middle;
        }
    }
    rejected
}
