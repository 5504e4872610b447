//! Policies that take turns: blocks of time in pairs, and the pair as the unit.

use super::super::tally::Moments;
use super::contest::{Contest, Truth};
use super::error::DesignError;
use super::estimate::Estimate;
use super::result::{Design, DesignResult, Measured, Row};
use crate::luck::{Domain, Luck, Purpose};

/// Fewest washouts in a block: with fewer, most of the conversations would be left out.
pub(super) const WASHOUTS_PER_BLOCK: f64 = 4.0;

/// A replica's blocks: which policy decides when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    pub(super) block_s: f64,
    /// Seconds by which the blocks begin before the period does, so that they do not begin at the same hours in every replica.
    pub(super) phase_s: f64,
    pub(super) salt: u64,
}

impl Blocks {
    fn block(&self, at_s: f64) -> u64 {
        ((at_s + self.phase_s) / self.block_s) as u64
    }

    /// The arm of a second: a salted coin orders each pair.
    pub(super) fn arm(&self, at_s: f64) -> u8 {
        let block = self.block(at_s);
        let coin = Luck::new(self.salt, Domain::Arm, block / 2).unit() < 0.5;
        u8::from(coin) ^ (block & 1) as u8
    }

    /// Pair of a second, seconds since its block began, and the span of the pair.
    fn pair(&self, at_s: f64) -> (u64, f64, (f64, f64)) {
        let block = self.block(at_s);
        let since_s = at_s + self.phase_s - block as f64 * self.block_s;
        let pair = block / 2;
        let from_s = (2 * pair) as f64 * self.block_s - self.phase_s;
        (pair, since_s, (from_s, from_s + 2.0 * self.block_s))
    }
}

/// Rewards of a replica's pairs, by arm.
struct Turns {
    pairs: Vec<[Moments; 2]>,
    counted: u64,
}

impl Contest<'_> {
    /// The centre switches between A and B in pairs of blocks whose order a salted coin gives.
    ///
    /// A conversation keeps the policy of the block in which it arrives. Those that arrive within the washout of a block are
    /// left out, and so are pairs that do not lie within the counted period. The unit is the pair: D = mean of B − mean of
    /// A, each pair weighing as many conversations as it has, so that the mean is one per conversation, like the truth.
    ///
    /// `washout_s` is at least the larger of three mean handle times and the queue's relaxation time
    /// ([`Contest::relaxation`]; its default is that), `block_s` at least four washouts (its default is that).
    ///
    /// # Errors
    /// [`DesignError`] for a washout or a block that is too short, and for fewer than two pairs.
    pub fn switchback(
        &self,
        truth: &Truth,
        relaxation_s: Option<f64>,
        washout_s: Option<f64>,
        block_s: Option<f64>,
    ) -> Result<DesignResult, DesignError> {
        self.check()?;
        for (key, given) in [("washout_s", washout_s), ("block_s", block_s)] {
            if let Some(value) = given.filter(|value| !(*value > 0.0 && value.is_finite())) {
                return Err(DesignError::Seconds { key, value });
            }
        }
        let relaxation_s = relaxation_s.unwrap_or(0.0);
        let least_s = (3.0 * truth.handle_s).max(relaxation_s).max(1.0);
        let washout_s = washout_s.unwrap_or(least_s);
        if washout_s < least_s {
            return Err(DesignError::ShortWashout {
                washout_s,
                least_s,
                handle_s: truth.handle_s,
                relaxation_s,
            });
        }
        let block_s = block_s.unwrap_or(WASHOUTS_PER_BLOCK * washout_s);
        if block_s < WASHOUTS_PER_BLOCK * washout_s {
            return Err(DesignError::ShortBlocks { block_s, washout_s });
        }
        let replicas = self.map(|seed| self.take_turns(seed, washout_s, block_s));
        self.of_pairs(truth, Design::Switchback { block_s, washout_s }, &replicas)
    }

    fn take_turns(&self, seed: u64, washout_s: f64, block_s: f64) -> Turns {
        let phase = Luck::new(self.salt(seed, Purpose::Hour), Domain::Arm, 0).unit();
        let blocks = Blocks {
            block_s,
            phase_s: 2.0 * block_s * phase,
            salt: self.salt(seed, Purpose::Order),
        };
        let (from_s, to_s) = self.stage.counted_s();
        let mut turns = Turns {
            pairs: Vec::new(),
            counted: 0,
        };
        let arm_of = |_, at_s| blocks.arm(at_s);
        self.play(self.stage, seed, None, arm_of, |end| {
            turns.counted += 1;
            let (pair, since_s, span) = blocks.pair(end.arrival_s);
            if since_s < washout_s || span.0 < from_s || span.1 > to_s {
                return;
            }
            let pair = pair as usize;
            if turns.pairs.len() <= pair {
                turns.pairs.resize(pair + 1, Default::default());
            }
            turns.pairs[pair][usize::from(end.arm)].add(end.ending.reward.total);
        });
        turns.pairs.retain(|[a, b]| a.n > 0 && b.n > 0);
        turns
    }

    fn of_pairs(
        &self,
        truth: &Truth,
        design: Design,
        replicas: &[Turns],
    ) -> Result<DesignResult, DesignError> {
        let mut units = Vec::new();
        let mut rows = Vec::new();
        let mut conversations = [0; 2];
        for (position, turns) in replicas.iter().enumerate() {
            let mut sums = [0.0; 2];
            let mut total = 0.0;
            for pair in &turns.pairs {
                let weight = (pair[0].n + pair[1].n) as f64;
                let means = [0, 1].map(|arm: usize| pair[arm].sum / pair[arm].n as f64);
                units.push((means[1] - means[0], weight));
                total += weight;
                for arm in [0, 1] {
                    sums[arm] += weight * means[arm];
                    conversations[arm] += pair[arm].n;
                }
            }
            if total > 0.0 {
                rows.push(Row {
                    replica: position,
                    means: sums.map(|sum| sum / total),
                });
            }
        }
        if units.len() < 2 || rows.len() < 2 {
            let Design::Switchback { block_s, .. } = design else {
                unreachable!("only a switchback has pairs")
            };
            let (from_s, to_s) = self.stage.counted_s();
            return Err(DesignError::Pairs {
                pairs: units.len(),
                block_s,
                counted_s: to_s - from_s,
                replicas: self.replicas,
            });
        }
        let counted: u64 = replicas.iter().map(|turns| turns.counted).sum();
        let judged: u64 = conversations.iter().sum();
        let measured = Measured {
            design,
            difference: Estimate::weighted(&units, self.level),
            replicas: rows,
            conversations,
            left_out: 1.0 - judged as f64 / counted as f64,
            cautions: Vec::new(),
        };
        Ok(measured.against(truth, self.level))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_holds_both_arms_and_coins_fall_both_ways() {
        let blocks = Blocks {
            block_s: 100.0,
            phase_s: 30.0,
            salt: 4,
        };
        let mut first = [0; 2];
        for pair in 0..1_000_u64 {
            let start_s = pair as f64 * 200.0 - 30.0;
            let (one, other) = (start_s + 50.0, start_s + 150.0);
            if one < 0.0 {
                continue;
            }
            assert_ne!(blocks.arm(one), blocks.arm(other));
            assert_eq!(blocks.arm(one), blocks.arm(one + 49.0));
            assert_eq!(blocks.pair(one), (pair, 50.0, (start_s, start_s + 200.0)));
            assert_eq!(blocks.pair(other).1, 50.0);
            first[usize::from(blocks.arm(one))] += 1;
        }
        // Binomial(999, 1/2): standard deviation 15.8.
        assert!(first[0] > 430 && first[1] > 430, "{first:?}");
    }
}
