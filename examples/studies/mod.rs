//! What the studies share: random streams, looks, and the rules that are compared.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use tierwise::stats::Alpha;
use tierwise::stats::eprocess::{Block, RateTest, TestLevels};
use tierwise::stats::growthbook::{DEFAULT_TUNING, growthbook_sequential};
use tierwise::stats::lift::delta;
use tierwise::stats::msprt::msprt;
use tierwise::stats::tally::Count;

/// Arrivals between two looks.
pub(crate) const LOOK: u32 = 20;

/// A call at some number of arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Call {
    /// Arrivals by then.
    pub(crate) arrivals: u32,
    /// Whether B was called better.
    pub(crate) better: bool,
}

/// The random stream of a run: seeds of different runs and studies do not meet.
#[must_use]
pub(crate) fn stream(study: u64, run: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(study.wrapping_mul(1_000_003).wrapping_add(run))
}

/// Share and rates at an arrival.
pub(crate) struct World<'a> {
    /// The challenger's share.
    pub(crate) share: &'a (dyn Fn(u32) -> f64 + Sync),
    /// Rate of the control.
    pub(crate) control: &'a (dyn Fn(u32) -> f64 + Sync),
    /// Rate of the treatment.
    pub(crate) treatment: &'a (dyn Fn(u32) -> f64 + Sync),
}

/// The next look's block.
pub(crate) fn block(rng: &mut Xoshiro256PlusPlus, world: &World<'_>, start: u32) -> Block {
    let share = (world.share)(start);
    let mut counts = [Count::default(); 2];
    for arrival in start..start + LOOK {
        let treatment = rng.random::<f64>() < share;
        let rate = if treatment {
            (world.treatment)(arrival)
        } else {
            (world.control)(arrival)
        };
        counts[usize::from(treatment)].count(rng.random::<f64>() < rate);
    }
    Block {
        at: f64::from(start + LOOK),
        share,
        control: counts[0],
        treatment: counts[1],
        rows: Vec::new(),
    }
}

/// Rules that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The e-process.
    EProcess,
    /// GrowthBook's sequential rule on the relative lift, its default.
    GrowthBook,
    /// mSPRT of the difference, τ a tenth of the control's rate.
    Msprt,
    /// A two-sided z test at 5 % at every look.
    PeekedZ,
}

impl Rule {
    /// All of them.
    pub(crate) const ALL: [Self; 4] =
        [Self::EProcess, Self::GrowthBook, Self::Msprt, Self::PeekedZ];
}

/// When a rule calls, looking after every block, up to `most` arrivals.
pub(crate) fn run(
    rule: Rule,
    world: &World<'_>,
    rng: &mut Xoshiro256PlusPlus,
    most: u32,
) -> Option<Call> {
    let alpha = Alpha::FIVE_PERCENT;
    let mut test = RateTest::new(TestLevels::halves(alpha));
    let mut totals = [Count::default(); 2];
    let mut start = 0;
    while start < most {
        let block = block(rng, world, start);
        start += LOOK;
        let better = if rule == Rule::EProcess {
            test.fold(&block).expect("blocks of a simulation are sound");
            match (test.promoted(), test.rolled_back()) {
                (Some(_), _) => Some(true),
                (None, Some(_)) => Some(false),
                (None, None) => None,
            }
        } else {
            totals[0] += block.control;
            totals[1] += block.treatment;
            interval(rule, totals, alpha).and_then(|(lower, upper)| {
                if lower > 0.0 {
                    Some(true)
                } else {
                    (upper < 0.0).then_some(false)
                }
            })
        };
        if let Some(better) = better {
            return Some(Call {
                arrivals: start,
                better,
            });
        }
    }
    None
}

fn interval(rule: Rule, totals: [Count; 2], alpha: Alpha) -> Option<(f64, f64)> {
    let [a, b] = totals.map(|count| count.sample());
    if a.units == 0.0 || b.units == 0.0 || a.variance <= 0.0 || b.variance <= 0.0 {
        return None;
    }
    let found = match rule {
        Rule::GrowthBook => {
            let (effect, variance) = delta(a, b).ok()?;
            growthbook_sequential(effect, variance, a.units + b.units, alpha, DEFAULT_TUNING)
        }
        Rule::Msprt => msprt(
            b.mean - a.mean,
            a.error_squared() + b.error_squared(),
            0.1 * a.mean,
            alpha,
        ),
        _ => {
            let width = 1.959_963_984_540_054 * (a.error_squared() + b.error_squared()).sqrt();
            let difference = b.mean - a.mean;
            return Some((difference - width, difference + width));
        }
    };
    found.ok().map(|found| (found.lower, found.upper))
}

/// Per cent of `part` in `all`, for a table.
#[must_use]
pub(crate) fn percent(part: usize, all: usize) -> String {
    format!("{:.1} %", part as f64 * 100.0 / all as f64)
}
