//! The interval by inversion: every ratio ρ = p_b/p_a that neither side has rejected.

use super::bets::Mixture;
use super::rate_test::{Block, TestLevels, fold_one, outlooks};
use super::rates::{Outlook, RateWealth, Side};

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
    let outlooks = outlooks(blocks);
    let rejects = |side: Side, ratio: f64| {
        let alpha = match side {
            Side::Promote => levels.promote,
            Side::RollBack => levels.roll_back,
        };
        ever_reaches(blocks, &outlooks, side, ratio, alpha.log_threshold())
    };
    invert(rejects)
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

fn ever_reaches(
    blocks: &[Block],
    outlooks: &[Option<Outlook>],
    side: Side,
    ratio: f64,
    log_threshold: f64,
) -> bool {
    let mut wealth = RateWealth::new(side, ratio);
    blocks.iter().zip(outlooks).any(|(block, outlook)| {
        fold_one(&mut wealth, block, *outlook);
        wealth.reaches(Mixture::standard(), log_threshold)
    })
}
