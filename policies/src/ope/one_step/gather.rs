//! One pass over a table: rows to blocks, blocks to sums of which every estimate is a function.

use std::collections::HashMap;

use rayon::prelude::*;

use super::layout::{Formula, Rounds, Term};
use super::piece::{Need, Overlap, Piece, piece};
use crate::ope::bootstrap::{GroupSums, MAX_GROUPS, spread};
use crate::ope::diagnostics::DiagnosticsTally;
use crate::ope::drift::DriftSums;
use crate::ope::interval::Sides;
use crate::ope::moments::Moments;
use crate::ope::prints::Prints;
use crate::ope::table::{Table, TableError, Wanted};
use crate::ope::weights::WeightTally;

/// Rows of a block. As many as there are groups, so that each row of a block goes to a group of its own.
const BLOCK: usize = MAX_GROUPS;

/// What must hold of every row of a bounded mean: its terms lie in an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bounded {
    /// What is averaged.
    pub(crate) term: Bound,
    /// Smallest and largest value; the weighted reward has none, see [`Bound::Weighted`].
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// What a bound is for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bound {
    /// w (r − low) and w (high − r) for rewards in [low, high]: at least 0, whatever the weights.
    Weighted,
    /// A term between `low` and `high`.
    Term(Term),
}

/// Sums over all rows.
pub(crate) struct Gathered {
    pub(crate) rows: u64,
    pub(crate) moments: Moments,
    pub(crate) groups: GroupSums,
    pub(crate) weights: WeightTally,
    /// One for each shrunk estimator asked for.
    pub(crate) shrunk: Vec<WeightTally>,
    pub(crate) bounded: Vec<Sides>,
    pub(crate) missing_model: u64,
    pub(crate) overlap: Overlap,
    pub(crate) diagnostics: DiagnosticsTally,
    pub(crate) prints: Prints,
    pub(crate) drift: DriftSums,
    /// Units that rows belong to; none when every row is one.
    pub(crate) units: Option<u64>,
}

/// Reads a table once.
pub(crate) fn gather(table: &Table, need: &Need<'_>) -> Result<Gathered, TableError> {
    let header = table.header();
    let width = need.layout.terms.len();
    let mut state = State {
        need,
        gathered: Gathered {
            rows: 0,
            moments: Moments::new(width),
            // One column more than there are terms: the number of rows.
            groups: GroupSums::new(MAX_GROUPS, width + 1),
            weights: WeightTally::default(),
            shrunk: vec![WeightTally::default(); need.shrinks.len()],
            bounded: vec![Sides::default(); need.bounded.len()],
            missing_model: 0,
            overlap: Overlap::new(header.actions),
            diagnostics: DiagnosticsTally::new(header),
            prints: Prints::new(1),
            drift: DriftSums::default(),
            units: None,
        },
        pending: Rounds::default(),
        pending_units: Vec::new(),
        blocks: 0,
        unit_groups: HashMap::new(),
    };
    let wanted: Wanted = need.wanted(header);
    let mut read = 0;
    let rows = table.scan(
        wanted,
        |rows| (rows.len() as u64, piece(rows, header, need)),
        |(n, piece)| {
            if let Some((row, reward)) = piece.outside {
                let (low, high) = need.range.unwrap_or_default();
                return Err(table.unusable(
                    read + row,
                    "reward",
                    format!("is {reward}, outside the declared range {low} to {high}"),
                    "declare the range that rewards can have, not the one they happened to have",
                ));
            }
            read += n;
            state.take(piece);
            Ok(())
        },
    )?;
    state.blocks(true);
    state.gathered.rows = rows;
    if header.has_units() {
        state.gathered.units = Some(state.unit_groups.len() as u64);
    }
    Ok(state.gathered)
}

struct State<'a> {
    need: &'a Need<'a>,
    gathered: Gathered,
    /// Rows that do not fill a block yet.
    pending: Rounds,
    pending_units: Vec<u64>,
    blocks: u64,
    unit_groups: HashMap<u64, u16>,
}

/// What one block adds.
struct BlockSums {
    columns: Vec<Vec<f64>>,
    moments: Moments,
    weights: WeightTally,
    shrunk: Vec<WeightTally>,
    bounded: Vec<Sides>,
}

impl State<'_> {
    fn take(&mut self, mut piece: Piece) {
        self.gathered.overlap.merge(&piece.overlap);
        self.gathered.diagnostics.merge(&piece.diagnostics);
        self.gathered.missing_model += piece.missing_model;
        self.gathered.prints.merge(&piece.prints);
        for (row, reward) in piece.rounds.reward.iter().enumerate() {
            let weight = piece.rounds.weight.get(row).copied().unwrap_or(f64::NAN);
            self.gathered.drift.add(weight, *reward);
        }
        self.pending.append(&mut piece.rounds);
        self.pending_units.append(&mut piece.unit);
        // Enough for every thread to have a block.
        if self.pending.reward.len() >= BLOCK * 2 * rayon::current_num_threads() {
            self.blocks(false);
        }
    }

    /// Works off full blocks, and what is left at the end. A block is the same rows whatever was read together.
    fn blocks(&mut self, last: bool) {
        let rows = self.pending.reward.len();
        let full = rows / BLOCK;
        let ends: Vec<(usize, usize)> = (0..full)
            .map(|b| (b * BLOCK, (b + 1) * BLOCK))
            .chain((last && !rows.is_multiple_of(BLOCK)).then_some((full * BLOCK, rows)))
            .collect();
        let sums: Vec<BlockSums> = ends
            .par_iter()
            .map(|(from, to)| self.sums(&self.pending.part(*from, *to)))
            .collect();
        for (block, (sums, (from, to))) in sums.iter().zip(&ends).enumerate() {
            let groups = self.groups_of(self.blocks + block as u64, *from, *to);
            let width = sums.columns.len();
            self.gathered.groups.add_tiles(|tile| {
                let columns = &sums.columns;
                groups.iter().enumerate().map(move |(row, group)| {
                    let values = std::array::from_fn(|lane| {
                        let column = tile * 8 + lane;
                        match column.cmp(&width) {
                            std::cmp::Ordering::Less => columns[column][row],
                            std::cmp::Ordering::Equal => 1.0,
                            std::cmp::Ordering::Greater => 0.0,
                        }
                    });
                    (usize::from(*group), values)
                })
            });
            self.gathered.moments.merge(&sums.moments);
            self.gathered.weights.merge(&sums.weights);
            for (mine, theirs) in self.gathered.shrunk.iter_mut().zip(&sums.shrunk) {
                mine.merge(theirs);
            }
            for (mine, theirs) in self.gathered.bounded.iter_mut().zip(&sums.bounded) {
                mine.above.merge(&theirs.above);
                mine.below.merge(&theirs.below);
            }
        }
        self.blocks += ends.len() as u64;
        let done = ends.last().map_or(0, |(_, to)| *to);
        self.pending = self.pending.part(done, rows);
        self.pending_units
            .drain(..done.min(self.pending_units.len()));
    }

    fn sums(&self, rounds: &Rounds) -> BlockSums {
        let columns: Vec<Vec<f64>> = self
            .need
            .layout
            .terms
            .iter()
            .map(|term| term.column(rounds))
            .collect();
        let shrunk = |shrink: &super::Shrink| -> Vec<f64> {
            rounds.weight.iter().map(|w| shrink.of(*w)).collect()
        };
        BlockSums {
            moments: Moments::of(&columns),
            weights: WeightTally::of(&rounds.weight),
            shrunk: self
                .need
                .shrinks
                .iter()
                .map(|s| WeightTally::of(&shrunk(s)))
                .collect(),
            bounded: self.need.bounded.iter().map(|b| sides(b, rounds)).collect(),
            columns,
        }
    }

    /// The group of each row of a block: with units, one a unit as long as groups last; else each row of a block in one of
    /// its own, in another order every time, so that neither runs nor periods of a sorted table gather in a group.
    fn groups_of(&mut self, block: u64, from: usize, to: usize) -> Vec<u16> {
        if !self.pending_units.is_empty() {
            let known = &mut self.unit_groups;
            return self.pending_units[from..to]
                .iter()
                .map(|unit| {
                    let next = (known.len() % MAX_GROUPS) as u16;
                    *known.entry(*unit).or_insert(next)
                })
                .collect();
        }
        (0..(to - from) as u64)
            .map(|row| spread(block * BLOCK as u64 + row, BLOCK as u64) as u16)
            .collect()
    }
}

fn sides(bounded: &Bounded, rounds: &Rounds) -> Sides {
    let range = bounded.high - bounded.low;
    let mut sides = Sides::default();
    match bounded.term {
        Bound::Weighted => {
            for (w, r) in rounds.weight.iter().zip(&rounds.reward) {
                sides.above.add(w * (r - bounded.low) / range);
                sides.below.add(w * (bounded.high - r) / range);
            }
        }
        Bound::Term(term) => {
            for x in term.column(rounds) {
                sides.above.add((x - bounded.low) / range);
                sides.below.add((bounded.high - x) / range);
            }
        }
    }
    sides
}

/// The columns' means in every resample.
pub(crate) fn resampled(gathered: &Gathered, plan: crate::ope::BootstrapPlan) -> Vec<Vec<f64>> {
    let mut all = gathered.groups.resampled(plan);
    for sums in &mut all {
        let n = sums.pop().unwrap_or(f64::NAN);
        for sum in sums.iter_mut() {
            *sum /= n;
        }
    }
    all
}

/// Standard error of a formula when rows of a unit belong together: that of sums over groups, by the delta method.
///
/// Terms are those of a ratio Σ x / n with n the rows: a unit of many rows weighs more.
pub(crate) fn clustered_error(gathered: &Gathered, formula: &Formula) -> f64 {
    let width = gathered.groups.width() - 1;
    let means = gathered.moments.means();
    let gradient = formula.gradient(means);
    let n = gathered.moments.n();
    let (mut squares, mut groups) = (0.0, 0.0);
    for group in 0..gathered.groups.groups() {
        let rows = gathered.groups.sum(group, width);
        if rows > 0.0 {
            let deviation: f64 = gradient
                .iter()
                .map(|(c, g)| g * (gathered.groups.sum(group, *c) - rows * means[*c]))
                .sum();
            squares += deviation * deviation;
            groups += 1.0;
        }
    }
    (squares * groups / (groups - 1.0)).sqrt() / n
}
