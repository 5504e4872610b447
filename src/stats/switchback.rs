//! The pair e-value of a switchback: adjacent blocks of time, a coin for the order of each pair.
//!
//! The unit of analysis is the pair. Given everything but its coin, the difference D = Ȳ_B − Ȳ_A of a pair is as likely to
//! be −D when the arms do nothing different (the sharp null), so E[tanh(λD)] = 0 and Π(1 + tanh λD) is an e-process for
//! any λ chosen before the pair.

use super::comparison::Comparison;
use super::error::{Alpha, StatsError};
use super::special::log_add;
use super::tally::Moments;
use super::welch::student;

/// Number of λ in the mixture, in units of the inverse scale of earlier differences.
const SCALES: [f64; 7] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2];

/// The e-process of a switchback, pair by pair; one side bets that B is better, the other that it is worse.
#[derive(Debug, Clone, PartialEq)]
pub struct PairTest {
    levels: (Alpha, Alpha),
    log_better: [f64; SCALES.len()],
    log_worse: [f64; SCALES.len()],
    pairs: u64,
    sum: f64,
    sum_squares: f64,
    promoted_at: Option<u64>,
    rolled_back_at: Option<u64>,
}

impl PairTest {
    /// A test with wealth one on both sides.
    #[must_use]
    pub fn new(promote: Alpha, roll_back: Alpha) -> Self {
        Self {
            levels: (promote, roll_back),
            log_better: [0.0; SCALES.len()],
            log_worse: [0.0; SCALES.len()],
            pairs: 0,
            sum: 0.0,
            sum_squares: 0.0,
            promoted_at: None,
            rolled_back_at: None,
        }
    }

    /// Takes in the difference of the next pair: mean of the block under B less mean of the block under A, after washout.
    ///
    /// # Errors
    /// [`StatsError::BadParameter`] when it is not finite.
    pub fn observe(&mut self, difference: f64) -> Result<(), StatsError> {
        if !difference.is_finite() {
            return Err(StatsError::BadParameter {
                what: "the difference of a pair",
                value: difference,
                expected: "each block of a pair needs a unit after washout",
            });
        }
        // Magnitudes of earlier differences set the scale: symmetric under the null, and known before this pair.
        let scale = (self.sum_squares / self.pairs as f64).sqrt();
        if self.pairs > 0 && scale > 0.0 {
            for ((better, worse), unit) in self
                .log_better
                .iter_mut()
                .zip(&mut self.log_worse)
                .zip(SCALES)
            {
                let bet = (unit * difference / scale).tanh();
                *better += bet.max(-1.0 + 1e-12).ln_1p();
                *worse += (-bet).max(-1.0 + 1e-12).ln_1p();
            }
        }
        self.pairs += 1;
        self.sum += difference;
        self.sum_squares += difference * difference;
        let (better, worse) = self.log_values();
        if self.promoted_at.is_none() && better >= self.levels.0.log_threshold() {
            self.promoted_at = Some(self.pairs);
        }
        if self.rolled_back_at.is_none() && worse >= self.levels.1.log_threshold() {
            self.rolled_back_at = Some(self.pairs);
        }
        Ok(())
    }

    /// Logarithms of the wealth of "B is better" and of "B is worse".
    #[must_use]
    pub fn log_values(&self) -> (f64, f64) {
        let mix = |logs: &[f64; SCALES.len()]| {
            logs.iter()
                .fold(f64::NEG_INFINITY, |sum, log| log_add(sum, *log))
                - (SCALES.len() as f64).ln()
        };
        (mix(&self.log_better), mix(&self.log_worse))
    }

    /// Pairs seen.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Mean difference of the pairs; zero without pairs.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum / (self.pairs as f64).max(1.0)
    }

    /// The pair at which "better" decided.
    #[must_use]
    pub fn promoted_at(&self) -> Option<u64> {
        self.promoted_at
    }

    /// The pair at which "worse" decided.
    #[must_use]
    pub fn rolled_back_at(&self) -> Option<u64> {
        self.rolled_back_at
    }
}

/// Paired t test of pair differences, at a fixed number of pairs.
///
/// # Errors
/// [`StatsError::TooFewUnits`] below two pairs; [`StatsError::NoVariance`].
pub fn paired_t(differences: &[f64], alpha: Alpha) -> Result<Comparison, StatsError> {
    let mut moments = Moments::default();
    for difference in differences {
        moments.count(*difference);
    }
    let sample = moments.sample();
    if moments.units < 2 {
        return Err(StatsError::TooFewUnits {
            needed: 2,
            have: moments.units,
        });
    }
    if sample.variance <= 0.0 {
        return Err(StatsError::NoVariance);
    }
    let error = sample.error_squared().sqrt();
    Ok(student(sample.mean, error, sample.units - 1.0, alpha))
}

/// Effects of every pair that the two sides leave standing, by inversion: D − δ is symmetric for the true effect δ.
///
/// `None` with fewer than two pairs. Ends are infinite where nothing is excluded.
#[must_use]
pub fn pair_interval(differences: &[f64], promote: Alpha, roll_back: Alpha) -> Option<(f64, f64)> {
    if differences.len() < 2 {
        return None;
    }
    let decided = |shift: f64| {
        let mut test = PairTest::new(promote, roll_back);
        for difference in differences {
            test.observe(difference - shift).ok()?;
        }
        Some((
            test.promoted_at().is_some(),
            test.rolled_back_at().is_some(),
        ))
    };
    let largest = differences.iter().fold(0.0_f64, |m, d| m.max(d.abs()));
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let bound = |direction: f64| {
        let rejected = |distance: f64| {
            let (better, worse) = decided(mean + direction * distance).unwrap_or((false, false));
            if direction < 0.0 { better } else { worse }
        };
        let far = 4.0 * largest + f64::MIN_POSITIVE;
        if !rejected(far) {
            return direction * f64::INFINITY;
        }
        let (mut standing, mut out) = (0.0, far);
        for _ in 0..40 {
            let middle = 0.5 * (standing + out);
            if rejected(middle) {
                out = middle;
            } else {
                standing = middle;
            }
        }
        mean + direction * out
    };
    Some((bound(-1.0), bound(1.0)))
}

/// One unit of a switchback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TimedUnit {
    /// When it was exposed, in seconds.
    pub at: f64,
    /// Whether the treatment's policy answered it.
    pub is_treatment: bool,
    /// Its outcome.
    pub outcome: f64,
}

/// How time was cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blocks {
    /// Start of the first block, in seconds.
    pub start: f64,
    /// Length of a block, in seconds.
    pub length: f64,
    /// Units exposed in the first seconds of a block are left out: queues still remember the other policy.
    pub washout: f64,
}

/// Pair differences of a switchback, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct PairDifferences {
    /// One difference per complete pair.
    pub differences: Vec<f64>,
    /// Pairs left out because one of their blocks had no unit after washout.
    pub incomplete: u64,
    /// Units left out as washout.
    pub washed_out: u64,
}

/// Cuts units into blocks and pairs, and takes the difference of means of each pair.
///
/// # Errors
/// [`StatsError::BadParameter`] when blocks are shorter than four washouts; [`StatsError::WrongDesign`] when a block holds
/// both arms after washout, or both blocks of a pair the same arm: that is no switchback in these blocks.
pub fn pair_differences(
    units: &[TimedUnit],
    blocks: Blocks,
) -> Result<PairDifferences, StatsError> {
    blocks.check()?;
    let (tallies, washed_out) = blocks.tally(units);
    if let Some((block, _)) = tallies
        .iter()
        .find(|(_, arms)| arms[0].0 > 0 && arms[1].0 > 0)
    {
        return Err(StatsError::WrongDesign {
            what: format!("block {block} holds units of both arms after its washout"),
        });
    }
    let mut differences = Vec::new();
    let mut incomplete = 0;
    let first = tallies.keys().next().map_or(0, |block| block.div_euclid(2));
    let last = tallies
        .keys()
        .last()
        .map_or(-1, |block| block.div_euclid(2));
    for pair in first..=last {
        let mut arms = [(0, 0.0); 2];
        let mut filled = 0;
        for block in [2 * pair, 2 * pair + 1] {
            if let Some(tally) = tallies.get(&block) {
                filled += 1;
                for (arm, more) in arms.iter_mut().zip(tally) {
                    arm.0 += more.0;
                    arm.1 += more.1;
                }
            }
        }
        match (filled, arms[0].0, arms[1].0) {
            (2, a, b) if a > 0 && b > 0 => {
                differences.push(arms[1].1 / b as f64 - arms[0].1 / a as f64);
            }
            (2, _, _) => {
                return Err(StatsError::WrongDesign {
                    what: format!(
                        "blocks {} and {} make a pair and both hold the same arm",
                        2 * pair,
                        2 * pair + 1
                    ),
                });
            }
            _ => incomplete += 1,
        }
    }
    Ok(PairDifferences {
        differences,
        incomplete,
        washed_out,
    })
}

/// Differences of a split pool, block by block: both arms are answered in every block, each by its own people.
///
/// Matched pools are exchangeable within a block when blocks are long against the memory of a queue, so the difference is
/// symmetric under the null as that of a pair is.
///
/// # Errors
/// [`StatsError::BadParameter`] when blocks are shorter than four washouts.
pub fn pool_differences(
    units: &[TimedUnit],
    blocks: Blocks,
) -> Result<PairDifferences, StatsError> {
    blocks.check()?;
    let (tallies, washed_out) = blocks.tally(units);
    let mut differences = Vec::new();
    let mut incomplete = 0;
    for [a, b] in tallies.into_values() {
        if a.0 > 0 && b.0 > 0 {
            differences.push(b.1 / b.0 as f64 - a.1 / a.0 as f64);
        } else {
            incomplete += 1;
        }
    }
    Ok(PairDifferences {
        differences,
        incomplete,
        washed_out,
    })
}

/// Units and summed outcomes per arm, by block.
type Tallies = std::collections::BTreeMap<i64, [(u64, f64); 2]>;

impl Blocks {
    fn check(&self) -> Result<(), StatsError> {
        if self.length > 0.0 && self.length >= 4.0 * self.washout && self.washout >= 0.0 {
            return Ok(());
        }
        Err(StatsError::BadParameter {
            what: "the length of a block",
            value: self.length,
            expected: "blocks are at least four washouts long",
        })
    }

    fn tally(&self, units: &[TimedUnit]) -> (Tallies, u64) {
        let mut tallies = Tallies::new();
        let mut washed_out = 0;
        for unit in units {
            let place = (unit.at - self.start) / self.length;
            let block = place.floor();
            if (place - block) * self.length < self.washout {
                washed_out += 1;
                continue;
            }
            let arm = &mut tallies.entry(block as i64).or_default()[usize::from(unit.is_treatment)];
            arm.0 += 1;
            arm.1 += unit.outcome;
        }
        (tallies, washed_out)
    }
}
