//! Blocks of random customers.

use rand::{RngExt, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::{Law, Queue};

/// Customers drawn at once: three blocks of this many numbers stay in the first cache.
const BLOCK: usize = 512;

/// A stream of customers: gap before the arrival, work, patience, and where there are classes a number in [0, 1) for them.
#[derive(Debug, Clone)]
pub(super) struct Draws {
    gaps: Stream,
    services: Stream,
    patiences: Option<Stream>,
    classes: Xoshiro256PlusPlus,
    /// Gap, work and patience of the current block; patience stays endless where nobody leaves.
    blocks: [Box<[f64; BLOCK]>; 3],
    used: usize,
}

#[derive(Debug, Clone)]
struct Stream {
    law: Law,
    random: Xoshiro256PlusPlus,
}

/// A stretch of the current block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stretch<'a> {
    pub(super) gaps: &'a [f64],
    pub(super) services: &'a [f64],
    pub(super) patiences: &'a [f64],
}

/// Mixes words into a seed (SplitMix64's finalizer after each), so that streams differ in every bit.
fn mixed(words: [u64; 3]) -> u64 {
    words.iter().fold(0x7469_6572_7769_7365, |state, word| {
        let mut z = (state ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

impl Draws {
    /// The customers of one run of a queue; runs of one seed differ by their number.
    pub(super) fn new(queue: &Queue, run: u64) -> Self {
        let random = |purpose| Xoshiro256PlusPlus::seed_from_u64(mixed([queue.seed, run, purpose]));
        let stream = |law: &Law, purpose| Stream {
            law: law.clone(),
            random: random(purpose),
        };
        let gap = Law::Exponential {
            mean_s: 1.0 / queue.arrival_rate_per_s,
        };
        Self {
            gaps: stream(&gap, 1),
            services: stream(&queue.service, 2),
            patiences: queue.patience.as_ref().map(|law| stream(law, 3)),
            classes: random(4),
            blocks: std::array::from_fn(|_| Box::new([f64::INFINITY; BLOCK])),
            used: BLOCK,
        }
    }

    /// The next customers, at least 1 and at most `most` of them.
    #[inline]
    pub(super) fn next(&mut self, most: u64) -> Stretch<'_> {
        if self.used == BLOCK {
            let [gaps, services, patiences] = &mut self.blocks;
            self.gaps.fill(&mut gaps[..]);
            self.services.fill(&mut services[..]);
            if let Some(stream) = &mut self.patiences {
                stream.fill(&mut patiences[..]);
            }
            self.used = 0;
        }
        let from = self.used;
        let to = BLOCK.min(from.saturating_add(usize::try_from(most).unwrap_or(BLOCK)));
        self.used = to;
        Stretch {
            gaps: &self.blocks[0][from..to],
            services: &self.blocks[1][from..to],
            patiences: &self.blocks[2][from..to],
        }
    }

    /// A number in [0, 1) that decides a customer's class.
    pub(super) fn class(&mut self) -> f64 {
        self.classes.random()
    }
}

impl Stream {
    fn fill(&mut self, block: &mut [f64]) {
        self.law.fill(&mut self.random, block);
    }
}
