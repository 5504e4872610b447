//! What would have happened at another tier: a model by class and tier, honest about what it assumed.
//!
//! Satisfaction, escalation, click and conversion of a conversation are linear in the shares of the tiers that answered
//! it, with one coefficient per class and tier fitted by least squares; answer and human seconds are drawn from logged
//! pairs of the same class and tier. A cell with fewer than [`Cell::MIN_LOGGED`] logged decisions is not fitted but
//! taken from the configuration, and everything that touches it is marked assumed.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use serde::{Deserialize, Serialize};

use super::episodes::Episodes;
use crate::class::Class;
use crate::kpi::Kpi;
use crate::tier::Tier;

/// Where a cell's numbers come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Provenance {
    /// Fitted to logged decisions.
    Logged {
        /// How many.
        decisions: u64,
    },
    /// Taken from the configuration.
    Assumed {
        /// Where the configuration says it comes from.
        source: String,
        /// Logged decisions that were too few to fit.
        decisions: u64,
    },
}

/// Configured numbers for a class at a tier.
#[derive(Debug, Clone, PartialEq)]
pub struct AssumedCell {
    /// Mean satisfaction, in [0, 1].
    pub satisfaction: f64,
    /// Seconds to an answer.
    pub answer_s: f64,
    /// Human seconds per answer.
    pub human_s: f64,
    /// Where the numbers come from.
    pub source: String,
}

/// The model of one class at one tier.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Where its numbers come from.
    pub provenance: Provenance,
    /// Mean satisfaction, in [0, 1]; NaN when no conversation of the class has any.
    pub satisfaction: f64,
    /// Rates of escalation, click and conversion, in [0, 1]; NaN when never measured.
    pub rates: [f64; 3],
    /// Pairs of (answer seconds, human seconds) to draw from; never empty.
    pub seconds: Vec<(f64, f64)>,
}

impl Cell {
    /// Logged decisions below which a cell is not fitted.
    pub const MIN_LOGGED: u64 = 30;
    /// Pairs kept to draw from.
    const PAIRS: usize = 2048;

    /// The key figures that [`Cell::rates`] hold.
    pub const RATES: [Kpi; 3] = [Kpi::Escalation, Kpi::Click, Kpi::Conversion];

    /// Whether the numbers are assumed.
    #[must_use]
    pub const fn is_assumed(&self) -> bool {
        matches!(self.provenance, Provenance::Assumed { .. })
    }
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A cell that is neither logged often enough nor assumed.
    #[error(
        "the log has {decisions} decisions of class {class} at tier {tier}; a model needs {}",
        Cell::MIN_LOGGED
    )]
    NoNumbers {
        /// The class.
        class: Class,
        /// The tier.
        tier: Tier,
        /// Decisions logged.
        decisions: u64,
    },
    /// No conversation says how satisfied its customer was.
    #[error(
        "no conversation of class {class} has a satisfaction value; nothing can be learned about it"
    )]
    NoSatisfaction {
        /// The class.
        class: Class,
    },
}

/// The model: a cell for each class and tier that can occur.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeModel {
    cells: Vec<Option<Cell>>,
}

impl OutcomeModel {
    /// Fits the model to logged conversations; `assumed` gives the numbers of cells the log lacks.
    ///
    /// A class that never occurs has no cells.
    ///
    /// # Errors
    /// [`ModelError`] when a cell that the masks allow has neither.
    pub fn fit(
        log: &Episodes,
        assumed: impl Fn(Class, Tier) -> Option<AssumedCell>,
    ) -> Result<Self, ModelError> {
        let mut cells = vec![None; Class::ALL.len() * Tier::COUNT];
        for class in Class::ALL.iter().copied() {
            let rows: Vec<usize> = (0..log.len())
                .filter(|r| log.class(*r) == Some(class))
                .collect();
            if rows.is_empty() {
                continue;
            }
            let mut pairs: [Vec<(f64, f64)>; 3] = Default::default();
            let mut taken = [0u64; 3];
            let mut allowed = [false; 3];
            for decision in rows.iter().flat_map(|row| log.range(*row)) {
                let tier = log.action(decision).index();
                taken[tier] += 1;
                let seconds = (log.answer(decision).elapsed_s, log.human_s(decision));
                if let (Some(answer_s), human_s) = seconds
                    && !human_s.is_nan()
                {
                    pairs[tier].push((answer_s, human_s));
                }
                for t in log.mask(decision).tiers() {
                    allowed[t.index()] = true;
                }
            }
            let fitted = Tier::ALL
                .map(|t| taken[t.index()] >= Cell::MIN_LOGGED && !pairs[t.index()].is_empty());
            let satisfaction = by_tier(log, &rows, fitted, |row| log.satisfaction(row));
            let rates = Cell::RATES.map(|kpi| {
                by_tier(log, &rows, fitted, |row| {
                    log.kpis(row).values()[kpi.index()]
                })
            });
            for tier in Tier::ALL {
                let i = tier.index();
                let decisions = taken[i];
                let cell = if fitted[i] {
                    if satisfaction[i].is_nan() {
                        return Err(ModelError::NoSatisfaction { class });
                    }
                    Cell {
                        provenance: Provenance::Logged { decisions },
                        satisfaction: satisfaction[i].clamp(0.0, 1.0),
                        rates: rates.map(|rate| rate[i].clamp(0.0, 1.0)),
                        seconds: thin(std::mem::take(&mut pairs[i])),
                    }
                } else if let Some(numbers) = assumed(class, tier) {
                    Cell {
                        provenance: Provenance::Assumed {
                            source: numbers.source,
                            decisions,
                        },
                        satisfaction: numbers.satisfaction,
                        rates: [f64::NAN; 3],
                        seconds: vec![(numbers.answer_s, numbers.human_s)],
                    }
                } else if allowed[i] {
                    return Err(ModelError::NoNumbers {
                        class,
                        tier,
                        decisions,
                    });
                } else {
                    continue;
                };
                cells[class.index() * Tier::COUNT + i] = Some(cell);
            }
        }
        Ok(Self { cells })
    }

    /// The cell of a class at a tier, if it can occur.
    #[must_use]
    pub fn cell(&self, class: Class, tier: Tier) -> Option<&Cell> {
        self.cells[class.index() * Tier::COUNT + tier.index()].as_ref()
    }

    /// Whether any cell is assumed.
    #[must_use]
    pub fn is_assumed(&self) -> bool {
        self.cells.iter().flatten().any(Cell::is_assumed)
    }

    /// (answer seconds, human seconds) of an answer, by counter-based luck: the same luck draws the same rank in every
    /// cell, so that two policies compared on the same conversations share it.
    #[must_use]
    pub fn draw_seconds(&self, class: Class, tier: Tier, luck: u64) -> Option<(f64, f64)> {
        let seconds = &self.cell(class, tier)?.seconds;
        let u: f64 = Xoshiro256PlusPlus::seed_from_u64(luck).random();
        Some(seconds[((u * seconds.len() as f64) as usize).min(seconds.len() - 1)])
    }
}

/// Keeps evenly spaced pairs in order of answer seconds, so that equal luck means equal rank.
fn thin(mut pairs: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    if pairs.len() <= Cell::PAIRS {
        return pairs;
    }
    let step = pairs.len() as f64 / Cell::PAIRS as f64;
    (0..Cell::PAIRS)
        .map(|i| pairs[((i as f64 + 0.5) * step) as usize])
        .collect()
}

/// Least-squares coefficients b of value ≈ Σₜ shareₜ bₜ over conversations with a value, for the tiers in `fitted`; NaN
/// for the others and where nothing was measured. Conversations that used an unfitted tier are left out.
fn by_tier(
    log: &Episodes,
    rows: &[usize],
    fitted: [bool; 3],
    value: impl Fn(usize) -> f64,
) -> [f64; 3] {
    let tiers: Vec<usize> = (0..3).filter(|t| fitted[*t]).collect();
    let k = tiers.len();
    // Normal equations A b = c of at most three unknowns.
    let (mut a, mut c, mut n) = ([[0.0; 3]; 3], [0.0; 3], 0u32);
    for row in rows {
        let y = value(*row);
        let mut shares = [0.0; 3];
        let range = log.range(*row);
        let step = 1.0 / range.len() as f64;
        for decision in range {
            shares[log.action(decision).index()] += step;
        }
        if y.is_nan() || (0..3).any(|t| !fitted[t] && shares[t] > 0.0) {
            continue;
        }
        n += 1;
        for (i, t) in tiers.iter().enumerate() {
            c[i] += shares[*t] * y;
            for (j, u) in tiers.iter().enumerate() {
                a[i][j] += shares[*t] * shares[*u];
            }
        }
    }
    let mut result = [f64::NAN; 3];
    if n == 0 {
        return result;
    }
    // A trace of ridge towards the overall mean keeps tiers that never vary apart from each other solvable.
    let mean = c[..k].iter().sum::<f64>() / f64::from(n);
    let ridge = 1e-6 * f64::from(n);
    for i in 0..k {
        a[i][i] += ridge;
        c[i] += ridge * mean;
    }
    for i in 0..k {
        for j in i + 1..k {
            let (pivot, factor) = (a[i], a[j][i] / a[i][i]);
            for (entry, above) in a[j][i..k].iter_mut().zip(&pivot[i..k]) {
                *entry -= factor * above;
            }
            c[j] -= factor * c[i];
        }
    }
    for i in (0..k).rev() {
        let known: f64 = (i + 1..k).map(|j| a[i][j] * c[j]).sum();
        c[i] = (c[i] - known) / a[i][i];
        result[tiers[i]] = c[i];
    }
    result
}
