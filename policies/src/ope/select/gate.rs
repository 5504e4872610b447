//! The gate: simultaneous lower bounds of differences, and what follows from them.
//!
//! Bonferroni treats twenty variants of one policy as twenty strangers. Here the critical value is a quantile of the largest
//! studentised difference over resamples that all candidates share, so that what they have in common counts once; candidates
//! that are clearly worse than the baseline do not raise it (moment selection). The family-wise error of promoting a
//! candidate that is no better is at most 1 − level, asymptotically.
//!
//! # Source
//! White 2000; Hansen 2005 (superior predictive ability); Romano & Wolf 2005; Andrews & Soares 2010 (moment selection).

use serde::{Deserialize, Serialize};

use crate::ope::bootstrap::{BootstrapPlan, GroupSums, MAX_GROUPS, spread};
use crate::ope::drift::Halves;

/// How to select.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SelectionPlan {
    /// Level of the lower bounds, in (0, 1): a baseline is left wrongly with probability at most 1 − level.
    pub level: f64,
    /// Candidates that were judged on these rows before, beyond those given: they share the error.
    pub judged_before: u32,
    /// Resamples and their seed.
    pub bootstrap: BootstrapPlan,
}

impl Default for SelectionPlan {
    fn default() -> Self {
        Self {
            level: 0.95,
            judged_before: 0,
            bootstrap: BootstrapPlan::default(),
        }
    }
}

/// Rows that are halved together.
const RUN: u64 = 64;

/// Per-row differences to the baseline, added up: one column a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct TermSums {
    groups: GroupSums,
    candidates: usize,
    rows: u64,
    sums: Vec<f64>,
    squares: Vec<f64>,
    /// Σ x and Σ x² of each candidate over each run of rows, less the first row.
    runs: Vec<Vec<[f64; 2]>>,
    /// First row, from which differences are measured: equal terms have no spread at all.
    first: Vec<f64>,
}

impl TermSums {
    /// No rows yet.
    #[must_use]
    pub fn new(candidates: usize) -> Self {
        Self {
            groups: GroupSums::new(MAX_GROUPS, candidates + 1),
            candidates,
            rows: 0,
            sums: vec![0.0; candidates],
            squares: vec![0.0; candidates],
            runs: Vec::new(),
            first: vec![0.0; candidates],
        }
    }

    /// Adds a row: the doubly robust term of each candidate less that of the baseline.
    pub fn add(&mut self, differences: &[f64]) {
        let group = spread(self.rows, MAX_GROUPS as u64);
        if self.rows == 0 {
            self.first.copy_from_slice(differences);
        }
        if self.rows.is_multiple_of(RUN) {
            self.runs.push(vec![[0.0; 2]; self.candidates]);
        }
        self.rows += 1;
        self.groups.add(group, self.candidates, 1.0);
        let run = self.runs.len() - 1;
        for (at, difference) in differences.iter().enumerate() {
            let centred = difference - self.first[at];
            self.groups.add(group, at, *difference);
            self.sums[at] += centred;
            self.squares[at] += centred * centred;
            self.runs[run][at][0] += centred;
            self.runs[run][at][1] += centred * centred;
        }
    }

    /// The lead of a candidate by halves of the rows, tested at a level; none on fewer than four runs of rows.
    #[must_use]
    pub fn halves(&self, candidate: usize, level: f64) -> Option<Halves> {
        let runs = self.runs.len();
        if runs < 4 {
            return None;
        }
        let half = |from: usize, to: usize| {
            let n = ((to as u64 * RUN).min(self.rows) - from as u64 * RUN) as f64;
            let (mut sum, mut squares) = (0.0, 0.0);
            for run in &self.runs[from..to] {
                sum += run[candidate][0];
                squares += run[candidate][1];
            }
            let mean = sum / n;
            (
                mean + self.first[candidate],
                (squares / n - mean * mean) / n,
            )
        };
        let (a, b) = (half(0, runs / 2), half(runs / 2, runs));
        Some(Halves::of(a.0, b.0, a.1 + b.1, level))
    }

    /// The same rows with some of the candidates.
    #[must_use]
    pub fn only(&self, candidates: &[usize]) -> Self {
        let mut kept = Self::new(candidates.len());
        kept.rows = self.rows;
        for group in 0..MAX_GROUPS.min(self.rows as usize) {
            for (to, from) in candidates.iter().enumerate() {
                kept.groups.add(group, to, self.groups.sum(group, *from));
            }
            let rows = self.groups.sum(group, self.candidates);
            kept.groups.add(group, candidates.len(), rows);
        }
        let of = |column: &[f64]| candidates.iter().map(|c| column[*c]).collect();
        kept.runs = self
            .runs
            .iter()
            .map(|run| candidates.iter().map(|c| run[*c]).collect())
            .collect();
        kept.sums = of(&self.sums);
        kept.squares = of(&self.squares);
        kept.first = of(&self.first);
        kept
    }

    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    fn mean_and_error(&self, candidate: usize) -> (f64, f64) {
        let n = self.rows as f64;
        let centred = self.sums[candidate] / n;
        let variance = (self.squares[candidate] / n - centred * centred).max(0.0) * n / (n - 1.0);
        (self.first[candidate] + centred, (variance / n).sqrt())
    }
}

/// What the gate says of one candidate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CandidateResult {
    /// Its place in the input.
    pub candidate: usize,
    /// Estimated difference to the baseline.
    pub difference: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// Lower bound, simultaneous over all candidates.
    pub lower: f64,
    /// Whether the bound is above zero.
    pub passes: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// This candidate is shown to be better than the baseline.
    Promote {
        /// Its place in the input.
        candidate: usize,
    },
    /// No candidate has an estimate above the baseline.
    Keep,
    /// The best candidate looks better and is not shown to be.
    CollectMore {
        /// Its place in the input.
        candidate: usize,
        /// Rows like these that would show it, should its estimate be the truth, beyond those at hand.
        rows: u64,
    },
}

/// A ranking and a decision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Selection {
    /// Candidates from the largest lower bound to the smallest.
    pub ranking: Vec<CandidateResult>,
    /// What to do.
    pub decision: Decision,
    /// How many standard errors a lower bound lies below its estimate.
    pub critical_value: f64,
    /// What Bonferroni's correction would take.
    pub bonferroni: f64,
}

/// Differences from which nothing can be selected.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// No candidate, or too few rows.
    #[error(
        "{candidates} candidates on {rows} rows; selection needs one of the first and two of the others"
    )]
    TooFew {
        /// Candidates.
        candidates: usize,
        /// Rows.
        rows: u64,
    },
    /// A term that is no number.
    #[error("candidate {candidate} has terms that are no numbers")]
    NotFinite {
        /// Its place in the input.
        candidate: usize,
    },
}

/// Ranks candidates and decides.
///
/// # Errors
/// [`SelectError`].
pub fn select(terms: &TermSums, plan: SelectionPlan) -> Result<Selection, SelectError> {
    let k = terms.candidates;
    if k == 0 || terms.rows < 2 {
        return Err(SelectError::TooFew {
            candidates: k,
            rows: terms.rows,
        });
    }
    let known: Vec<(f64, f64)> = (0..k).map(|c| terms.mean_and_error(c)).collect();
    if let Some(candidate) = known
        .iter()
        .position(|(d, e)| !(d.is_finite() && e.is_finite()))
    {
        return Err(SelectError::NotFinite { candidate });
    }
    // Those judged before take their share of the error, as if they were as many more tests.
    let error = (1.0 - plan.level) * k as f64 / (k as f64 + f64::from(plan.judged_before));
    let bonferroni = one_sided(error / k as f64);
    let critical = critical_value(terms, &known, error, plan.bootstrap).min(bonferroni);
    let mut ranking: Vec<CandidateResult> = known
        .iter()
        .enumerate()
        .map(|(candidate, (difference, standard_error))| {
            let lower = difference - critical * standard_error;
            CandidateResult {
                candidate,
                difference: *difference,
                standard_error: *standard_error,
                lower,
                passes: lower > 0.0,
            }
        })
        .collect();
    ranking.sort_by(|a, b| {
        b.lower
            .total_cmp(&a.lower)
            .then(a.candidate.cmp(&b.candidate))
    });
    Ok(Selection {
        decision: decision(&ranking, critical, terms.rows),
        ranking,
        critical_value: critical,
        bonferroni,
    })
}

fn decision(ranking: &[CandidateResult], critical: f64, rows: u64) -> Decision {
    if ranking[0].passes {
        return Decision::Promote {
            candidate: ranking[0].candidate,
        };
    }
    // The candidate that would need the fewest rows: (c se √n / d)² of them in all.
    let needed = |r: &CandidateResult| (critical * r.standard_error / r.difference).powi(2);
    ranking
        .iter()
        .filter(|r| r.difference > 0.0)
        .min_by(|a, b| needed(a).total_cmp(&needed(b)))
        .map_or(Decision::Keep, |r| Decision::CollectMore {
            candidate: r.candidate,
            rows: (rows as f64 * (needed(r) - 1.0)).ceil().max(1.0) as u64,
        })
}

/// The quantile of the largest studentised deviation of candidates that may be as good as the baseline.
fn critical_value(terms: &TermSums, known: &[(f64, f64)], error: f64, plan: BootstrapPlan) -> f64 {
    // A tenth of the error pays for leaving out those that are clearly worse.
    let (select, test) = (error / 10.0, error * 0.9);
    let clear = -one_sided(select / known.len() as f64) * 2.0_f64.sqrt();
    let may: Vec<usize> = (0..known.len())
        .filter(|c| known[*c].1 > 0.0 && known[*c].0 / known[*c].1 > clear)
        .collect();
    if may.is_empty() {
        return one_sided(test);
    }
    let mut largest: Vec<f64> = terms
        .groups
        .resampled(plan.for_level(1.0 - 2.0 * test))
        .iter()
        .map(|sums| {
            let n = sums[terms.candidates];
            may.iter()
                .map(|c| (sums[*c] / n - known[*c].0) / known[*c].1)
                .fold(f64::NEG_INFINITY, f64::max)
        })
        .collect();
    largest.sort_unstable_by(f64::total_cmp);
    let at = ((1.0 - test) * largest.len() as f64).ceil() as usize;
    // Never less than one candidate alone would take.
    largest[at.clamp(1, largest.len()) - 1].max(one_sided(test))
}

/// z with P(Z > z) = `error`.
fn one_sided(error: f64) -> f64 {
    crate::ope::interval::normal_quantile(1.0 - 2.0 * error.min(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// A standard normal number. Box & Muller 1958.
    fn normal(rng: &mut Xoshiro256PlusPlus) -> f64 {
        let (u, v): (f64, f64) = (rng.random(), rng.random());
        (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    fn plan(resamples: u32) -> SelectionPlan {
        SelectionPlan {
            bootstrap: BootstrapPlan { resamples, seed: 1 },
            ..SelectionPlan::default()
        }
    }

    /// Candidates with a common part of their noise.
    fn sums(rng: &mut Xoshiro256PlusPlus, rows: usize, means: &[f64], common: f64) -> TermSums {
        let mut sums = TermSums::new(means.len());
        let own = (1.0 - common * common).sqrt();
        for _ in 0..rows {
            let shared = normal(rng);
            let row: Vec<f64> = means
                .iter()
                .map(|m| m + common * shared + own * normal(rng))
                .collect();
            sums.add(&row);
        }
        sums
    }

    #[test]
    fn one_candidate_is_tested_at_its_level() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let selection = select(&sums(&mut rng, 500, &[0.2], 0.0), plan(2000)).unwrap();
        // z(0.95) = 1.645, of which a tenth of the error is spent on selection: z(0.955) = 1.695.
        assert!(
            (selection.critical_value - 1.645).abs() < 0.12,
            "{selection:?}"
        );
        assert_eq!(selection.decision, Decision::Promote { candidate: 0 });
    }

    #[test]
    fn copies_count_once_and_strangers_each() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let copies = select(&sums(&mut rng, 800, &[0.0; 20], 1.0), plan(4000)).unwrap();
        let strangers = select(&sums(&mut rng, 800, &[0.0; 20], 0.0), plan(4000)).unwrap();
        // Bonferroni for 20: z(1 − 0.05/20) = 2.807.
        assert!((copies.bonferroni - 2.807).abs() < 1e-3);
        assert!(copies.critical_value < 1.85, "{}", copies.critical_value);
        assert!(
            strangers.critical_value > 2.55,
            "{}",
            strangers.critical_value
        );
        assert!(strangers.critical_value <= strangers.bonferroni);
    }

    #[test]
    fn those_clearly_worse_do_not_raise_the_bar() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(3);
        let mut means = vec![-1.0; 20];
        means[7] = 0.15;
        let selection = select(&sums(&mut rng, 800, &means, 0.0), plan(4000)).unwrap();
        assert!(
            selection.critical_value < 1.9,
            "{}",
            selection.critical_value
        );
        assert_eq!(selection.decision, Decision::Promote { candidate: 7 });
    }

    #[test]
    fn the_luckiest_of_many_is_not_promoted() {
        // A peer's habit, the highest estimate, would leave the baseline in every trial. Here in at most one of twenty.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(4);
        let mut promoted = 0;
        for _ in 0..150 {
            let selection = select(&sums(&mut rng, 150, &[0.0; 20], 0.5), plan(300)).unwrap();
            promoted += u32::from(matches!(selection.decision, Decision::Promote { .. }));
        }
        // 7.5 expected at most, with a binomial standard error of 2.7.
        assert!(promoted <= 16, "{promoted}");
    }

    #[test]
    fn what_is_not_shown_says_how_many_rows_would_show_it() {
        // Terms 0.1 ± 1 in turn: mean 0.1, variance n/(n − 1): with c = critical, n must grow to (c/0.1)².
        let mut sums = TermSums::new(1);
        for i in 0..100 {
            sums.add(&[if i % 2 == 0 { 1.1 } else { -0.9 }]);
        }
        let selection = select(&sums, plan(1000)).unwrap();
        let Decision::CollectMore { candidate: 0, rows } = selection.decision else {
            panic!("{selection:?}")
        };
        let needed = selection.critical_value.powi(2) * 100.0 * (100.0 / 99.0);
        assert!(
            (rows as f64 - (needed - 100.0)).abs() <= 1.0,
            "{rows} {needed}"
        );
        let mut worse = TermSums::new(1);
        for i in 0..100 {
            worse.add(&[if i % 2 == 0 { 0.5 } else { -0.7 }]);
        }
        assert_eq!(select(&worse, plan(100)).unwrap().decision, Decision::Keep);
    }

    #[test]
    fn candidates_judged_before_raise_the_bar() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(5);
        let sums = sums(&mut rng, 500, &[0.1, 0.0], 0.3);
        let alone = select(&sums, plan(4000)).unwrap();
        let after = select(
            &sums,
            SelectionPlan {
                judged_before: 18,
                ..plan(4000)
            },
        )
        .unwrap();
        assert!(after.critical_value > alone.critical_value + 0.3);
        // Twenty in all: Bonferroni's value is that for twenty.
        assert!(
            (after.bonferroni - 2.807).abs() < 1e-3,
            "{}",
            after.bonferroni
        );
    }

    #[test]
    fn no_rows_and_no_numbers_are_errors() {
        assert!(select(&TermSums::new(0), plan(100)).is_err());
        let mut one = TermSums::new(1);
        one.add(&[1.0]);
        assert!(matches!(
            select(&one, plan(100)),
            Err(SelectError::TooFew { .. })
        ));
        one.add(&[f64::NAN]);
        assert_eq!(
            select(&one, plan(100)),
            Err(SelectError::NotFinite { candidate: 0 })
        );
        // A candidate that never differs has no spread and no lead.
        let mut same = TermSums::new(2);
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(6);
        for _ in 0..50 {
            same.add(&[0.0, rng.random::<f64>() - 0.9]);
        }
        assert_eq!(select(&same, plan(100)).unwrap().decision, Decision::Keep);
    }
}
