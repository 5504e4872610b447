//! Percentile bootstrap of ratios of sums, the same resamples for every statistic.
//!
//! Every mean we print is a ratio Σ num / Σ den over conversations: den = 1 for IPS, den = w for SNIPS. Normalising
//! inside each resample is what makes the interval of a self-normalised estimator right. Sharing the resamples makes
//! the difference of two policies a paired comparison.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How to resample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BootstrapPlan {
    /// Number of resamples, at least 20.
    pub resamples: u32,
    /// Seed of the resamples; each has its own stream, so threads do not matter.
    pub seed: u64,
}

impl Default for BootstrapPlan {
    fn default() -> Self {
        Self {
            resamples: 1000,
            seed: 1,
        }
    }
}

impl BootstrapPlan {
    /// Resamples that should lie beyond each end of an interval.
    const BEYOND: f64 = 10.0;

    /// The same plan with enough resamples for percentile intervals at `level`, in (0, 1): at least ten beyond each end.
    ///
    /// Bonferroni's levels for many candidates lie so close to 1 that a thousand resamples have hardly one beyond them, and
    /// the interval would end at the largest value that happened to be drawn.
    #[must_use]
    pub fn for_level(self, level: f64) -> Self {
        // Half the error's probability is on each side.
        let needed = (2.0 * Self::BEYOND / (1.0 - level)).ceil();
        Self {
            resamples: self.resamples.max(needed as u32),
            ..self
        }
    }
}

/// A statistic Σ num / Σ den; both columns have one entry a conversation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ratio {
    /// Terms of the numerator.
    pub num: Vec<f64>,
    /// Terms of the denominator, ≥ 0.
    pub den: Vec<f64>,
}

impl Ratio {
    /// The statistic on the sample itself; NaN when the denominator is zero.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.num.iter().sum::<f64>() / self.den.iter().sum::<f64>()
    }
}

/// Groups of conversations that are resampled, at most.
pub const MAX_GROUPS: usize = 4096;

impl Ratio {
    /// The same statistic with neighbouring entries added up into equally large groups (within one).
    fn grouped(&self, groups: usize) -> Self {
        let rows = self.num.len();
        if groups == rows {
            return self.clone();
        }
        let sums = |column: &[f64]| {
            (0..groups)
                .map(|g| {
                    column[g * rows / groups..(g + 1) * rows / groups]
                        .iter()
                        .sum()
                })
                .collect()
        };
        Self {
            num: sums(&self.num),
            den: sums(&self.den),
        }
    }
}

/// A percentile interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// Standard deviation over the resamples.
    pub standard_error: f64,
}

impl Interval {
    /// Percentile interval of resampled values at a level in (0, 1), between neighbours by linear interpolation (Hyndman &
    /// Fan 1996, definition 7); `None` when more than one in twenty is NaN.
    #[must_use]
    pub fn percentile(values: &[f64], level: f64) -> Option<Self> {
        let mut finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
        if finite.len() < 2 || finite.len() * 20 < values.len() * 19 {
            return None;
        }
        finite.sort_unstable_by(f64::total_cmp);
        let quantile = |p: f64| {
            let position = p * (finite.len() - 1) as f64;
            let (below, share) = (position.floor() as usize, position.fract());
            let above = (below + 1).min(finite.len() - 1);
            finite[below] + share * (finite[above] - finite[below])
        };
        let n = finite.len() as f64;
        let mean = finite.iter().sum::<f64>() / n;
        let variance = finite.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Some(Self {
            lower: quantile((1.0 - level) / 2.0),
            upper: quantile((1.0 + level) / 2.0),
            standard_error: variance.sqrt(),
        })
    }
}

/// The group of a row when groups are a power of two: rows of a block of as many rows go to one each, in another order
/// every time, so that neither runs nor periods of a sorted table gather in a group. The first block is left as it is: a
/// small table resamples its rows.
pub(crate) const fn spread(row: u64, groups: u64) -> usize {
    let (block, at) = (row / groups, row % groups);
    if block == 0 {
        return at as usize;
    }
    let mut x = block.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^= x >> 31;
    (at.wrapping_mul(x | 1).wrapping_add(x >> 32) % groups) as usize
}

/// Columns a tile holds: what a loop keeps in registers.
const TILE: usize = 8;

/// Sums of several columns over groups of rows that enter a resample together.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupSums {
    groups: usize,
    /// Groups from this one on have no rows.
    used: usize,
    width: usize,
    /// Tiles of [`TILE`] columns, each with one entry a group.
    tiles: Vec<Vec<[f64; TILE]>>,
}

impl GroupSums {
    /// No rows yet, for a number of columns.
    #[must_use]
    pub fn new(groups: usize, width: usize) -> Self {
        Self {
            groups,
            used: 0,
            width,
            tiles: vec![vec![[0.0; TILE]; groups]; width.div_ceil(TILE)],
        }
    }

    /// Number of columns.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// Adds to a column of a group.
    pub fn add(&mut self, group: usize, column: usize, value: f64) {
        self.used = self.used.max(group + 1);
        self.tiles[column / TILE][group][column % TILE] += value;
    }

    /// Adds rows of up to [`TILE`] neighbouring columns each, all tiles in parallel: `rows(tile)` gives for each row its
    /// group and its entries.
    pub(crate) fn add_tiles<I>(&mut self, rows: impl Fn(usize) -> I + Sync)
    where
        I: Iterator<Item = (usize, [f64; TILE])>,
    {
        let last = rows(0).map(|(group, _)| group + 1).max().unwrap_or(0);
        self.used = self.used.max(last);
        self.tiles
            .par_iter_mut()
            .enumerate()
            .for_each(|(at, tile)| {
                for (group, values) in rows(at) {
                    for (sum, value) in tile[group].iter_mut().zip(values) {
                        *sum += value;
                    }
                }
            });
    }

    /// The sum of a column over one group.
    #[must_use]
    pub fn sum(&self, group: usize, column: usize) -> f64 {
        self.tiles[column / TILE][group][column % TILE]
    }

    /// Number of groups.
    #[must_use]
    pub const fn groups(&self) -> usize {
        self.groups
    }

    /// Sums of every column in every resample: `result[resample][column]`.
    ///
    /// Each group enters a resample Poisson(1) times, the same times for every column.
    ///
    /// # Source
    /// Hanley & MacGibbon 2006 (Poisson weights for the bootstrap); Efron 1979.
    #[must_use]
    pub fn resampled(&self, plan: BootstrapPlan) -> Vec<Vec<f64>> {
        let poisson = Poisson::new();
        (0..plan.resamples)
            .into_par_iter()
            .map_init(
                || vec![0.0; self.used],
                |counts, resample| {
                    poisson.fill(counts, plan.seed, resample);
                    let mut sums = Vec::with_capacity(self.tiles.len() * TILE);
                    for tile in &self.tiles {
                        let mut total = [0.0; TILE];
                        for (values, n) in tile.iter().zip(counts.iter()) {
                            for (sum, value) in total.iter_mut().zip(values) {
                                *sum += value * n;
                            }
                        }
                        sums.extend_from_slice(&total);
                    }
                    sums.truncate(self.width);
                    sums
                },
            )
            .collect()
    }
}

/// Values of every statistic in every resample: `result[statistic][resample]`.
///
/// Each conversation enters a resample Poisson(1) times, the same times for every statistic. Beyond
/// [`MAX_GROUPS`] conversations, equal groups of neighbours enter together: their sums are as independent as they are,
/// and thousands of them tell the spread as well as millions, at a cost that no longer grows with the log.
///
/// # Panics
/// When the columns differ in length.
#[must_use]
pub fn resample(ratios: &[Ratio], plan: BootstrapPlan) -> Vec<Vec<f64>> {
    let Some(rows) = ratios.first().map(|r| r.num.len()) else {
        return Vec::new();
    };
    assert!(
        ratios
            .iter()
            .all(|r| r.num.len() == rows && r.den.len() == rows),
        "every column has one entry a conversation"
    );
    let groups = rows.min(MAX_GROUPS);
    let grouped: Vec<Ratio> = ratios
        .par_iter()
        .map(|ratio| ratio.grouped(groups))
        .collect();
    let mut sums = GroupSums::new(groups, 2 * ratios.len());
    for (statistic, ratio) in grouped.iter().enumerate() {
        for group in 0..groups {
            sums.add(group, 2 * statistic, ratio.num[group]);
            sums.add(group, 2 * statistic + 1, ratio.den[group]);
        }
    }
    let by_resample = sums.resampled(plan);
    (0..ratios.len())
        .map(|statistic| {
            by_resample
                .iter()
                .map(|row| row[2 * statistic] / row[2 * statistic + 1])
                .collect()
        })
        .collect()
}

/// Poisson(1) by inversion of one uniform draw each.
pub(crate) struct Poisson {
    /// P(X ≤ k) for k = 0, 1, … until the tail is below 2⁻⁵³.
    cumulative: [f64; 18],
    /// The count by the first twelve bits of the draw, where these decide it.
    decided: Vec<u8>,
}

impl Poisson {
    const BITS: u32 = 12;
    const UNDECIDED: u8 = u8::MAX;

    pub(crate) fn new() -> Self {
        let mut cumulative = [1.0; 18];
        let (mut term, mut sum) = ((-1.0f64).exp(), 0.0);
        for (k, entry) in cumulative.iter_mut().enumerate() {
            sum += term;
            *entry = sum;
            term /= (k + 1) as f64;
        }
        let mut poisson = Self {
            cumulative,
            decided: Vec::new(),
        };
        let width = 1_u64 << (64 - Self::BITS);
        poisson.decided = (0..1_u64 << Self::BITS)
            .map(|bucket| {
                let (first, last) = (bucket * width, bucket * width + (width - 1));
                let count = poisson.inverted(first);
                if count == poisson.inverted(last) {
                    count
                } else {
                    Self::UNDECIDED
                }
            })
            .collect();
        poisson
    }

    /// The count of a draw: its first 53 bits are the uniform number.
    fn inverted(&self, draw: u64) -> u8 {
        let u = (draw >> 11) as f64 / (1_u64 << 53) as f64;
        self.cumulative.iter().take_while(|c| u >= **c).count() as u8
    }

    pub(crate) fn fill(&self, counts: &mut [f64], seed: u64, resample: u32) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (u64::from(resample) << 1 | 1),
        );
        for count in counts {
            let draw = rng.next_u64();
            let known = self.decided[(draw >> (64 - Self::BITS)) as usize];
            *count = f64::from(if known == Self::UNDECIDED {
                self.inverted(draw)
            } else {
                known
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_poisson_of_mean_one() {
        let mut counts = vec![0.0; 200_000];
        Poisson::new().fill(&mut counts, 3, 5);
        let n = counts.len() as f64;
        let mean = counts.iter().sum::<f64>() / n;
        let zeros = counts.iter().filter(|c| **c == 0.0).count() as f64 / n;
        // Standard errors: 1/√n = 0.0022 and √(e⁻¹(1 − e⁻¹)/n) = 0.0011; four of each.
        assert!((mean - 1.0).abs() < 0.009, "{mean}");
        assert!((zeros - (-1.0f64).exp()).abs() < 0.0044, "{zeros}");
    }

    #[test]
    fn the_interval_of_a_mean_covers_as_the_normal_theory_says() {
        // 400 standard normal draws by symmetry: ±Φ⁻¹ points. se = sd/√n.
        let n = 400;
        let num: Vec<f64> = (0..n).map(|i| f64::from(i % 20) - 9.5).collect();
        // Uniform on 20 points: variance (20² − 1)/12 = 33.25.
        let se = (33.25f64 / f64::from(n)).sqrt();
        let ratio = Ratio {
            num,
            den: vec![1.0; n as usize],
        };
        let plan = BootstrapPlan {
            resamples: 4000,
            seed: 1,
        };
        let values = resample(&[ratio], plan);
        let interval = Interval::percentile(&values[0], 0.95).unwrap();
        assert!(
            (interval.standard_error / se - 1.0).abs() < 0.05,
            "{interval:?}"
        );
        assert!(
            (interval.upper / (1.96 * se) - 1.0).abs() < 0.1,
            "{interval:?}"
        );
        assert!(
            (interval.lower / (-1.96 * se) - 1.0).abs() < 0.1,
            "{interval:?}"
        );
    }

    #[test]
    fn groups_tell_the_same_spread() {
        // 16,384 rows of the pattern above in an order without runs: se = sqrt(33.25/n) whatever the grouping.
        let n = 4 * MAX_GROUPS;
        let num: Vec<f64> = (0..n).map(|i| ((i * 7_919) % 20) as f64 - 9.5).collect();
        let mut random = Xoshiro256PlusPlus::seed_from_u64(2);
        let mut shuffled = num;
        rand::seq::SliceRandom::shuffle(&mut shuffled[..], &mut random);
        let ratio = Ratio {
            num: shuffled,
            den: vec![1.0; n],
        };
        let values = resample(
            &[ratio],
            BootstrapPlan {
                resamples: 2000,
                seed: 1,
            },
        );
        let interval = Interval::percentile(&values[0], 0.95).unwrap();
        let se = (33.25 / n as f64).sqrt();
        assert!(
            (interval.standard_error / se - 1.0).abs() < 0.07,
            "{interval:?} against {se}"
        );
    }

    #[test]
    fn a_block_gives_every_group_one_row() {
        for block in 0..5 {
            let mut seen = [false; 256];
            for at in 0..256 {
                seen[spread(block * 256 + at, 256)] = true;
            }
            assert!(seen.iter().all(|s| *s), "{block}");
        }
    }

    #[test]
    fn threads_do_not_matter() {
        let ratio = Ratio {
            num: (0..500).map(f64::from).collect(),
            den: vec![1.0; 500],
        };
        let run = |threads| {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .build()
                .unwrap()
                .install(|| {
                    resample(
                        std::slice::from_ref(&ratio),
                        BootstrapPlan {
                            resamples: 64,
                            seed: 9,
                        },
                    )
                })
        };
        assert_eq!(run(1), run(8));
    }

    #[test]
    fn ends_lie_at_their_quantiles() {
        // Of 0, 1, …, 100 the p-quantile is 100 p.
        let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        let interval = Interval::percentile(&values, 0.9).unwrap();
        assert!((interval.lower - 5.0).abs() < 1e-9, "{interval:?}");
        assert!((interval.upper - 95.0).abs() < 1e-9, "{interval:?}");
        // Sample variance of 101 consecutive integers: 101 · 102 / 12.
        let variance = interval.standard_error.powi(2);
        assert!((variance - 858.5).abs() < 1e-9, "{variance}");
        // Between two neighbours: 0.25 of the way from 0 to 1.
        let interval = Interval::percentile(&[1.0, 0.0], 0.5).unwrap();
        assert_eq!((interval.lower, interval.upper), (0.25, 0.75));
    }

    #[test]
    fn strict_levels_get_the_resamples_they_need() {
        let plan = BootstrapPlan::default();
        // 2.5 % of 1000 are 25 beyond each end; for twenty candidates 0.125 % of 8000 are ten.
        for (level, resamples) in [(0.95, 1000), (1.0 - 0.05 / 20.0, 8000)] {
            let have = plan.for_level(level);
            assert!(have.resamples.abs_diff(resamples) <= 1, "{have:?}");
            assert_eq!(have.seed, plan.seed);
        }
    }

    #[test]
    fn a_paired_difference_knows_only_what_differs() {
        // The same shift for everybody: the difference has no spread, although each mean has.
        let num: Vec<f64> = (0..200).map(|i| f64::from(i % 7)).collect();
        let shifted = num.iter().map(|x| x + 0.5).collect();
        let den = vec![1.0; 200];
        let ratios = [
            Ratio {
                num,
                den: den.clone(),
            },
            Ratio { num: shifted, den },
        ];
        let values = resample(&ratios, BootstrapPlan::default());
        for (a, b) in values[0].iter().zip(&values[1]) {
            assert!((b - a - 0.5).abs() < 1e-9);
        }
    }

    #[test]
    fn mostly_empty_resamples_give_no_interval() {
        assert_eq!(Interval::percentile(&[f64::NAN, 1.0, 2.0], 0.95), None);
        assert_eq!(Interval::percentile(&[], 0.95), None);
    }
}
