//! The exploring policy: ε-greedy over the allowed actions.

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use super::q_table::QTable;

/// Chooses an action of `state`; also says whether its value is below the greedy one's.
///
/// One random number decides whether to explore, a second one, drawn only then, which allowed action to take.
#[inline]
pub(super) fn choose(
    table: &QTable,
    state: usize,
    mask: u32,
    epsilon: f64,
    random: &mut Xoshiro256PlusPlus,
) -> (usize, bool) {
    let (greedy, max) = table.best(state, mask);
    let share = (random.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64);
    if share >= epsilon {
        return (greedy, false);
    }
    let allowed = u64::from(mask.count_ones());
    let skipped = ((random.next_u64() >> 32) * allowed) >> 32;
    let mut rest = mask;
    for _ in 0..skipped {
        rest &= rest - 1;
    }
    let action = rest.trailing_zeros() as usize;
    (action, table.value(state, action) < max)
}

/// Acts for a learner whose environment is driven from outside, ε-greedily, with random numbers of its own.
#[derive(Debug, Clone)]
pub struct Explorer {
    random: Xoshiro256PlusPlus,
}

impl Explorer {
    /// An explorer of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
        }
    }

    /// An allowed action: the best one, or with probability `epsilon` any. `mask` allows at least one.
    pub fn choose(&mut self, table: &QTable, state: usize, mask: u32, epsilon: f64) -> usize {
        choose(table, state, mask, epsilon, &mut self.random).0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn only_allowed_actions_are_chosen(
            values in proptest::collection::vec(-9.0_f64..9.0, 5),
            mask in 1_u32..32,
            epsilon in 0.0_f64..=1.0,
            seed: u64,
        ) {
            let mut table = QTable::new(1, 5, 0.0).unwrap();
            table.values_mut().copy_from_slice(&values);
            let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
            for _ in 0..50 {
                let (action, exploratory) = choose(&table, 0, mask, epsilon, &mut random);
                prop_assert!(mask >> action & 1 == 1);
                prop_assert_eq!(exploratory, values[action] < table.max(0, mask));
            }
        }
    }

    #[test]
    fn exploration_is_uniform_over_allowed_actions() {
        let mut table = QTable::new(1, 4, 0.0).unwrap();
        table.values_mut()[3] = 1.0;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(5);
        let mut counts = [0; 4];
        for _ in 0..30_000 {
            counts[choose(&table, 0, 0b1101, 0.3, &mut random).0] += 1;
        }
        // 0.1 for each allowed action, and 0.7 more for the greedy one; four standard errors are below 0.011.
        for (count, want) in counts.iter().zip([0.1, 0.0, 0.1, 0.8]) {
            assert!(
                (f64::from(*count) / 30_000.0 - want).abs() < 0.011,
                "{counts:?}"
            );
        }
        assert_eq!(counts[1], 0);
    }
}
