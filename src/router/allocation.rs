//! Which arm owns which buckets, and how few of them move when weights change.
//!
//! Revision 0 lays arms out as GrowthBook does: arm k starts where the weights before it end, and takes its weight times
//! the coverage. Every later revision starts from the one before it and moves as few buckets as the new weights demand, so
//! that nobody changes arm without need.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::bucketing::BUCKETS;

/// Mark of a bucket that no arm owns.
const NOBODY: u8 = u8::MAX;
/// Most arms of an experiment.
pub const MOST_ARMS: usize = 16;

/// Buckets `from..to` of an arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketRange {
    /// The first bucket.
    pub from: u16,
    /// The first bucket after it.
    pub to: u16,
    /// The arm's position.
    pub arm: u8,
}

/// Weights that cannot be allocated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocationError {
    /// No arm, or more than [`MOST_ARMS`].
    #[error("{have} arms; an experiment has 1 to {MOST_ARMS}")]
    Arms {
        /// Arms given.
        have: usize,
    },
    /// A weight below zero or not finite.
    #[error("the weight of arm {arm} is {weight}; a weight lies in [0, 1]")]
    Weight {
        /// Position of the arm.
        arm: usize,
        /// Its weight.
        weight: f64,
    },
    /// Weights whose sum is not one.
    #[error("the weights sum to {sum}; they sum to 1")]
    Sum {
        /// What they sum to.
        sum: f64,
    },
    /// Coverage outside [0, 1].
    #[error("the coverage is {coverage}; it lies in [0, 1]")]
    Coverage {
        /// The value given.
        coverage: f64,
    },
    /// Stored ranges that overlap or leave the buckets.
    #[error("buckets {from}..{to} overlap another range or leave 0..{BUCKETS}")]
    Range {
        /// First bucket.
        from: u16,
        /// First bucket after it.
        to: u16,
    },
}

/// The owner of every bucket.
#[derive(Clone, PartialEq, Eq)]
pub struct Allocation {
    owners: Box<[u8]>,
}

impl std::fmt::Debug for Allocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Allocation").field(&self.ranges()).finish()
    }
}

/// Checks weights: one per arm, each in [0, 1], summing to one.
fn check(weights: &[f64], coverage: f64) -> Result<(), AllocationError> {
    if !(1..=MOST_ARMS).contains(&weights.len()) {
        return Err(AllocationError::Arms {
            have: weights.len(),
        });
    }
    if let Some((arm, weight)) = weights
        .iter()
        .enumerate()
        .find(|(_, weight)| !(0.0..=1.0).contains(*weight))
    {
        return Err(AllocationError::Weight {
            arm,
            weight: *weight,
        });
    }
    let sum: f64 = weights.iter().sum();
    if (sum - 1.0).abs() > 1e-9 {
        return Err(AllocationError::Sum { sum });
    }
    if !(0.0..=1.0).contains(&coverage) {
        return Err(AllocationError::Coverage { coverage });
    }
    Ok(())
}

impl Allocation {
    /// The layout of revision 0, bucket for bucket that of GrowthBook's `getBucketRanges` and `inRange`.
    ///
    /// # Errors
    /// [`AllocationError`] for weights that are no distribution, or a coverage outside [0, 1].
    pub fn initial(weights: &[f64], coverage: f64) -> Result<Self, AllocationError> {
        check(weights, coverage)?;
        let mut ranges = Vec::with_capacity(weights.len());
        let mut start = 0.0;
        for weight in weights {
            ranges.push((start, start + coverage * weight));
            start += weight;
        }
        let owners = (0..BUCKETS)
            .map(|bucket| {
                let place = f64::from(bucket) / f64::from(BUCKETS);
                ranges
                    .iter()
                    .position(|(from, to)| place >= *from && place < *to)
                    .map_or(NOBODY, |arm| arm as u8)
            })
            .collect();
        Ok(Self { owners })
    }

    /// The next revision: the new weights, reached by moving the fewest buckets. Arms that shrink give up their last
    /// buckets; arms that grow take given-up and free ones from the first on.
    ///
    /// # Errors
    /// As [`Allocation::initial`].
    pub fn moved_to(&self, weights: &[f64], coverage: f64) -> Result<Self, AllocationError> {
        check(weights, coverage)?;
        let wanted = whole_buckets(weights, coverage);
        let mut owners = self.owners.clone();
        let mut have = vec![0_usize; weights.len()];
        for owner in &mut owners {
            match have.get_mut(usize::from(*owner)) {
                Some(count) => *count += 1,
                None => *owner = NOBODY,
            }
        }
        for owner in owners.iter_mut().rev() {
            if let Some(count) = have.get_mut(usize::from(*owner))
                && *count > wanted[usize::from(*owner)]
            {
                *count -= 1;
                *owner = NOBODY;
            }
        }
        let mut free = owners.iter_mut().filter(|owner| **owner == NOBODY);
        for (arm, (have, wanted)) in have.iter().zip(&wanted).enumerate() {
            for owner in free.by_ref().take(wanted.saturating_sub(*have)) {
                *owner = arm as u8;
            }
        }
        Ok(Self { owners })
    }

    /// From stored ranges.
    ///
    /// # Errors
    /// [`AllocationError::Range`] when they overlap or leave the buckets.
    pub fn from_ranges(ranges: &[BucketRange]) -> Result<Self, AllocationError> {
        let mut owners = vec![NOBODY; usize::from(BUCKETS)].into_boxed_slice();
        for range in ranges {
            let refused = AllocationError::Range {
                from: range.from,
                to: range.to,
            };
            let owned = owners
                .get_mut(usize::from(range.from)..usize::from(range.to))
                .ok_or(refused.clone())?;
            if usize::from(range.arm) >= MOST_ARMS || owned.iter().any(|owner| *owner != NOBODY) {
                return Err(refused);
            }
            owned.fill(range.arm);
        }
        Ok(Self { owners })
    }

    /// Ranges of buckets, in order.
    #[must_use]
    pub fn ranges(&self) -> Vec<BucketRange> {
        let mut ranges: Vec<BucketRange> = Vec::new();
        for (bucket, owner) in self.owners.iter().enumerate() {
            let bucket = bucket as u16;
            match ranges.last_mut() {
                Some(last) if last.arm == *owner && last.to == bucket => last.to += 1,
                _ if *owner == NOBODY => {}
                _ => ranges.push(BucketRange {
                    from: bucket,
                    to: bucket + 1,
                    arm: *owner,
                }),
            }
        }
        ranges
    }

    /// The arm that owns a bucket, if one does.
    #[must_use]
    pub fn arm(&self, bucket: u16) -> Option<u8> {
        self.owners
            .get(usize::from(bucket))
            .copied()
            .filter(|owner| *owner != NOBODY)
    }

    /// Buckets of an arm.
    #[must_use]
    pub fn owned(&self, arm: u8) -> u16 {
        self.owners.iter().filter(|owner| **owner == arm).count() as u16
    }

    /// Probability of an arm: its buckets over all buckets.
    #[must_use]
    pub fn share(&self, arm: u8) -> f64 {
        f64::from(self.owned(arm)) / f64::from(BUCKETS)
    }
}

/// Whole buckets per arm that come nearest to the weights: largest remainders first, earlier arms on ties.
fn whole_buckets(weights: &[f64], coverage: f64) -> Vec<usize> {
    let exact: Vec<f64> = weights
        .iter()
        .map(|weight| weight * coverage * f64::from(BUCKETS))
        .collect();
    // A remainder below a millionth of a bucket is rounding of the weights.
    let mut whole: Vec<usize> = exact.iter().map(|e| (e + 1e-6).floor() as usize).collect();
    let total = (coverage * f64::from(BUCKETS)).round() as usize;
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|a, b| {
        let rest = |arm: usize| exact[arm] - whole[arm] as f64;
        rest(*b).total_cmp(&rest(*a)).then(a.cmp(b))
    });
    let missing = total.saturating_sub(whole.iter().sum());
    for arm in order.into_iter().cycle().take(missing) {
        whole[arm] += 1;
    }
    whole
}

impl Serialize for Allocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.ranges().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Allocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ranges: Vec<BucketRange> = Vec::deserialize(deserializer)?;
        Self::from_ranges(&ranges).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn weights() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec(0_u32..1000, 2..6)
            .prop_filter("something", |parts| parts.iter().sum::<u32>() > 0)
            .prop_map(|parts| {
                let sum = f64::from(parts.iter().sum::<u32>());
                parts.iter().map(|part| f64::from(*part) / sum).collect()
            })
    }

    proptest! {
        #[test]
        fn as_few_buckets_move_as_can(old in weights(), mut new in weights(), coverage in 0.0..=1.0f64) {
            new.resize(old.len(), 0.0);
            let sum: f64 = new.iter().sum();
            prop_assume!(sum > 0.0);
            new.iter_mut().for_each(|weight| *weight /= sum);
            let before = Allocation::initial(&old, 1.0).unwrap();
            let after = before.moved_to(&new, coverage).unwrap();
            let moved = (0..BUCKETS).filter(|b| before.arm(*b) != after.arm(*b)).count();
            // Whatever an arm has too much must leave it, and nothing else: the least possible from a full allocation.
            let least: usize = (0..old.len() as u8)
                .map(|arm| usize::from(before.owned(arm).saturating_sub(after.owned(arm))))
                .sum();
            prop_assert_eq!(moved, least);
            for (arm, weight) in new.iter().enumerate() {
                prop_assert!((after.share(arm as u8) - weight * coverage).abs() <= 1.0 / 10_000.0 + 1e-9);
            }
        }

        #[test]
        fn stored_ranges_read_back(old in weights(), coverage in 0.0..=1.0f64) {
            let allocation = Allocation::initial(&old, coverage).unwrap();
            let json = serde_json::to_string(&allocation).unwrap();
            prop_assert_eq!(serde_json::from_str::<Allocation>(&json).unwrap(), allocation);
        }
    }

    #[test]
    fn revision_zero_is_growthbooks() {
        // `getBucketRanges(3, 0.4, [0.334, 0.333, 0.333])` of `@growthbook/growthbook` 1.8.0:
        // [[0, 0.13360000000000002], [0.334, 0.46720000000000006], [0.667, 0.8002]].
        let allocation = Allocation::initial(&[0.334, 0.333, 0.333], 0.4).unwrap();
        let want = [(0, 1337, 0), (3340, 4673, 1), (6670, 8002, 2)];
        let have: Vec<_> = allocation
            .ranges()
            .iter()
            .map(|range| (range.from, range.to, range.arm))
            .collect();
        assert_eq!(have, want);
        assert_eq!(allocation.arm(1337), None);
    }

    #[test]
    fn a_ramp_only_moves_buckets_to_the_challenger() {
        let mut allocation = Allocation::initial(&[0.99, 0.01], 1.0).unwrap();
        for share in [0.05, 0.25, 0.5] {
            let next = allocation.moved_to(&[1.0 - share, share], 1.0).unwrap();
            assert!((0..BUCKETS).all(|b| allocation.arm(b) != Some(1) || next.arm(b) == Some(1)));
            assert_eq!(next.share(1), share);
            allocation = next;
        }
    }

    #[test]
    fn bad_weights_are_refused() {
        for weights in [
            &[][..],
            &[0.5, 0.6][..],
            &[1.5, -0.5][..],
            &[f64::NAN, 1.0][..],
        ] {
            assert!(Allocation::initial(weights, 1.0).is_err(), "{weights:?}");
        }
        assert!(Allocation::initial(&[1.0], 1.5).is_err());
        let overlap = [(0, 10, 0), (5, 15, 1)].map(|(from, to, arm)| BucketRange { from, to, arm });
        assert!(Allocation::from_ranges(&overlap).is_err());
        let outside = [BucketRange {
            from: 9_000,
            to: 10_001,
            arm: 0,
        }];
        assert!(Allocation::from_ranges(&outside).is_err());
    }
}
