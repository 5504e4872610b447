//! What would have happened at another tier: a model by class and tier, honest about what it assumed.
//!
//! Satisfaction, escalation, click and conversion of a conversation are linear in the shares of the tiers that answered
//! it, with one coefficient per class and tier fitted by least squares; answer and human seconds are drawn from logged
//! answers of the same class and tier. Satisfaction enters as AIPW terms, because every abandonment is known and few
//! other answers are. A cell with fewer than [`Cell::MIN_LOGGED`] logged decisions is not fitted but taken from the
//! configuration, and everything that touches it is marked assumed.

use serde::{Deserialize, Serialize};

use super::episodes::Episodes;
use crate::class::Class;
use crate::kpi::Kpi;
use crate::reward::AnswerTime;
use crate::reward::efficiency::MAX_DURATION_S;
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
    /// Seconds to an answer, on both clocks, in [0, 7 days].
    pub answer_s: f64,
    /// Human seconds per answer, in [0, 7 days].
    pub human_s: f64,
    /// Where the numbers come from.
    pub source: String,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// Seconds from the customer's message; the elapsed ones are known.
    pub time: AnswerTime,
    /// Seconds of people's time; NaN where the log does not say.
    pub human_s: f64,
}

/// The model of one class at one tier.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Where its numbers come from.
    pub provenance: Provenance,
    /// Mean satisfaction, in [0, 1].
    pub satisfaction: f64,
    /// Rates of [`Cell::RATES`], in [0, 1]; NaN when never measured, and in assumed cells.
    pub rates: [f64; 3],
    /// Answers to draw from, in order of elapsed seconds; never empty.
    pub answers: Vec<Answer>,
}

impl Cell {
    /// Logged decisions, in conversations whose satisfaction is known, below which a cell is not fitted.
    pub const MIN_LOGGED: u64 = 30;
    /// Answers kept to draw from.
    const ANSWERS: usize = 2048;

    /// The key figures that [`Cell::rates`] hold.
    pub const RATES: [Kpi; 3] = [Kpi::Escalation, Kpi::Click, Kpi::Conversion];

    /// Whether the numbers are assumed.
    #[must_use]
    pub const fn is_assumed(&self) -> bool {
        matches!(self.provenance, Provenance::Assumed { .. })
    }
}

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A cell that is neither logged often enough nor assumed.
    #[error(
        "the log has {decisions} decisions of class {class} at tier {tier} that a model can learn from; it needs {}",
        Cell::MIN_LOGGED
    )]
    NoNumbers {
        /// The class.
        class: Class,
        /// The tier.
        tier: Tier,
        /// Decisions logged, with answer seconds, in conversations whose satisfaction is known.
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
    /// An assumption out of range.
    #[error("assumed `{key}` of class {class} at tier {tier} is {value}; {expected}")]
    Assumption {
        /// The class.
        class: Class,
        /// The tier.
        tier: Tier,
        /// Which number.
        key: &'static str,
        /// The value given.
        value: f64,
        /// What would be right.
        expected: &'static str,
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
        let satisfaction = log.satisfaction_terms();
        for class in Class::ALL.iter().copied() {
            let of_class = OfClass::gather(log, class);
            if of_class.rows.is_empty() {
                continue;
            }
            let satisfaction = of_class.by_tier(log, |row| satisfaction[row]);
            let rates = Cell::RATES
                .map(|kpi| of_class.by_tier(log, |row| log.kpis(row).values()[kpi.index()]));
            let OfClass {
                mut answers,
                usable,
                fitted,
                allowed,
                ..
            } = of_class;
            for tier in Tier::ALL {
                let i = tier.index();
                let decisions = usable[i];
                let cell = if fitted[i] {
                    Cell {
                        provenance: Provenance::Logged { decisions },
                        satisfaction: satisfaction[i].clamp(0.0, 1.0),
                        rates: rates.map(|rate| rate[i].clamp(0.0, 1.0)),
                        answers: thin(std::mem::take(&mut answers[i])),
                    }
                } else if let Some(numbers) = assumed(class, tier) {
                    assumed_cell(class, tier, numbers, decisions)?
                } else if !allowed[i] {
                    continue;
                } else if usable == [0; 3] {
                    return Err(ModelError::NoSatisfaction { class });
                } else {
                    return Err(ModelError::NoNumbers {
                        class,
                        tier,
                        decisions,
                    });
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

    /// An answer of a class at a tier, by counter-based luck: the same luck draws the same rank in every cell, so that
    /// two policies compared on the same conversations share it. `None` for a cell that cannot occur.
    #[must_use]
    pub fn draw(&self, class: Class, tier: Tier, luck: u64) -> Option<Answer> {
        let answers = &self.cell(class, tier)?.answers;
        // ⌊u n⌋ for u in [0, 1) of 64 bits.
        let rank = (u128::from(luck) * answers.len() as u128) >> 64;
        Some(answers[rank as usize])
    }
}

fn assumed_cell(
    class: Class,
    tier: Tier,
    numbers: AssumedCell,
    decisions: u64,
) -> Result<Cell, ModelError> {
    let seconds = "it lies in [0, 604800] seconds (7 days)";
    for (key, value, high, expected) in [
        (
            "satisfaction",
            numbers.satisfaction,
            1.0,
            "it lies in [0, 1]",
        ),
        ("answer_s", numbers.answer_s, MAX_DURATION_S, seconds),
        ("human_s", numbers.human_s, MAX_DURATION_S, seconds),
    ] {
        if !(0.0..=high).contains(&value) {
            return Err(ModelError::Assumption {
                class,
                tier,
                key,
                value,
                expected,
            });
        }
    }
    Ok(Cell {
        provenance: Provenance::Assumed {
            source: numbers.source,
            decisions,
        },
        satisfaction: numbers.satisfaction,
        rates: [f64::NAN; 3],
        answers: vec![Answer {
            time: AnswerTime {
                elapsed_s: Some(numbers.answer_s),
                business_s: Some(numbers.answer_s),
            },
            human_s: numbers.human_s,
        }],
    })
}

/// What a log holds of a class.
struct OfClass {
    rows: Vec<usize>,
    answers: [Vec<Answer>; 3],
    /// Decisions by tier that a fit can use.
    usable: [u64; 3],
    allowed: [bool; 3],
    fitted: [bool; 3],
}

impl OfClass {
    fn gather(log: &Episodes, class: Class) -> Self {
        let mut all = Self {
            rows: (0..log.len())
                .filter(|row| log.class(*row) == Some(class))
                .collect(),
            answers: Default::default(),
            usable: [0; 3],
            allowed: [false; 3],
            fitted: [true; 3],
        };
        for decision in all.rows.iter().flat_map(|row| log.range(*row)) {
            let time = log.answer(decision);
            if time.elapsed_s.is_some() {
                all.answers[log.action(decision).index()].push(Answer {
                    time,
                    human_s: log.human_s(decision),
                });
            }
            for tier in log.mask(decision).tiers() {
                all.allowed[tier.index()] = true;
            }
        }
        // A conversation that used a tier without a coefficient says nothing about the others, so one tier too few may
        // leave another with too few.
        loop {
            all.usable = all.count(log);
            let enough = |tier: usize| {
                all.fitted[tier]
                    && all.usable[tier] >= Cell::MIN_LOGGED
                    && !all.answers[tier].is_empty()
            };
            let fitted = [0, 1, 2].map(enough);
            if fitted == all.fitted {
                return all;
            }
            all.fitted = fitted;
        }
    }

    /// Decisions by tier in conversations with satisfaction of their own whose other tiers are fitted.
    fn count(&self, log: &Episodes) -> [u64; 3] {
        let mut count = [0; 3];
        for row in &self.rows {
            if log.satisfaction(*row).is_nan() {
                continue;
            }
            let taken = shares(log, *row).map(|share| share > 0.0);
            for (tier, n) in count.iter_mut().enumerate() {
                if taken[tier] && (0..3).all(|t| t == tier || !taken[t] || self.fitted[t]) {
                    *n += log
                        .range(*row)
                        .filter(|d| log.action(*d).index() == tier)
                        .count() as u64;
                }
            }
        }
        count
    }

    fn by_tier(&self, log: &Episodes, value: impl Fn(usize) -> f64) -> [f64; 3] {
        by_tier(log, &self.rows, self.fitted, value)
    }
}

/// Shares of the tiers that answered a conversation; they sum to 1.
fn shares(log: &Episodes, row: usize) -> [f64; 3] {
    let mut shares = [0.0; 3];
    let range = log.range(row);
    let step = 1.0 / range.len() as f64;
    for decision in range {
        shares[log.action(decision).index()] += step;
    }
    shares
}

/// Keeps evenly spaced answers in order of elapsed seconds, so that equal luck means equal rank.
fn thin(mut answers: Vec<Answer>) -> Vec<Answer> {
    let elapsed = |answer: &Answer| answer.time.elapsed_s.unwrap_or(f64::NAN);
    answers.sort_unstable_by(|a, b| {
        elapsed(a)
            .total_cmp(&elapsed(b))
            .then(a.human_s.total_cmp(&b.human_s))
    });
    if answers.len() <= Cell::ANSWERS {
        return answers;
    }
    let step = answers.len() as f64 / Cell::ANSWERS as f64;
    (0..Cell::ANSWERS)
        .map(|i| answers[((i as f64 + 0.5) * step) as usize])
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
        let (y, shares) = (value(*row), shares(log, *row));
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

#[cfg(test)]
mod tests;
