//! The inner loops: one update per row, nothing else.
//!
//! Each is generic over the number of actions, the row length of the table and an index mask, all fixed at compile time.
//! A narrow table has a length known to the compiler, and an index masked to lie below it needs no bounds check.

use super::logged::Row;

/// A number of a row or an entry.
pub(super) trait Place: Copy {
    fn get(self) -> usize;
}

impl Place for u16 {
    #[inline(always)]
    fn get(self) -> usize {
        usize::from(self)
    }
}

impl Place for u32 {
    #[inline(always)]
    fn get(self) -> usize {
        self as usize
    }
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// Q(s, a) += α (r + γ max Q(s′, ·) − Q(s, a)).
#[inline(always)]
pub(super) fn q<I: Place, const ACTIONS: usize, const STRIDE: usize, const MASK: usize>(
    rows: &[Row<I>],
    table: &mut [[f64; STRIDE]],
    step_size: f64,
    discount: f64,
) {
    for row in rows {
        let next = &table[row.next.get() & MASK];
        let mut max = next[0];
        for &value in &next[1..ACTIONS] {
            max = larger(max, value);
        }
        let pair = row.pair.get();
        let entry = &mut table[(pair / STRIDE) & MASK][pair % STRIDE];
        *entry += step_size * (f64::from(row.reward) + discount * max - *entry);
    }
}

/// Q(s, a) += α (r + γ ((1 − ε) max Q(s′, ·) + ε/n Σ Q(s′, ·)) − Q(s, a)) where every action is allowed.
#[inline(always)]
pub(super) fn expected_sarsa<
    I: Place,
    const ACTIONS: usize,
    const STRIDE: usize,
    const MASK: usize,
>(
    rows: &[Row<I>],
    table: &mut [[f64; STRIDE]],
    step_size: f64,
    discount: f64,
    epsilon: f64,
) {
    let (greedy, each) = (1.0 - epsilon, epsilon / ACTIONS as f64);
    for row in rows {
        let next = &table[row.next.get() & MASK];
        let (mut max, mut sum) = (next[0], next[0]);
        for &value in &next[1..ACTIONS] {
            max = larger(max, value);
            sum += value;
        }
        let expected = greedy * max + each * sum;
        let pair = row.pair.get();
        let entry = &mut table[(pair / STRIDE) & MASK][pair % STRIDE];
        *entry += step_size * (f64::from(row.reward) + discount * expected - *entry);
    }
}

/// As [`expected_sarsa`], over the allowed actions only: those that are not −∞.
#[inline(always)]
pub(super) fn expected_sarsa_masked<I: Place, const STRIDE: usize, const MASK: usize>(
    rows: &[Row<I>],
    table: &mut [[f64; STRIDE]],
    step_size: f64,
    discount: f64,
    epsilon: f64,
) {
    for row in rows {
        let next = &table[row.next.get() & MASK];
        let (mut max, mut sum, mut allowed) = (f64::NEG_INFINITY, 0.0, 0.0);
        for &value in next {
            if value > f64::NEG_INFINITY {
                max = larger(max, value);
                sum += value;
                allowed += 1.0;
            }
        }
        let expected = (1.0 - epsilon) * max + epsilon / allowed * sum;
        let pair = row.pair.get();
        let entry = &mut table[(pair / STRIDE) & MASK][pair % STRIDE];
        *entry += step_size * (f64::from(row.reward) + discount * expected - *entry);
    }
}

/// A(s, a) += α (r + γ B(s′, argmax A(s′, ·)) − A(s, a)); which table is A says one bit of `coins` per row, lowest first.
///
/// Both tables of a state lie side by side. `coins` is asked for 64 bits at a time.
#[inline(always)]
pub(super) fn double_q<I: Place, const ACTIONS: usize, const STRIDE: usize, const MASK: usize>(
    rows: &[Row<I>],
    tables: &mut [[[f64; STRIDE]; 2]],
    step_size: f64,
    discount: f64,
    mut coins: impl FnMut() -> u64,
) {
    for block in rows.chunks(64) {
        let mut bits = coins();
        for row in block {
            let which = (bits & 1) as usize;
            bits >>= 1;
            let next = &tables[row.next.get() & MASK];
            let (learning, valuing) = (&next[which], &next[which ^ 1]);
            let (mut max, mut best) = (learning[0], 0);
            for (action, &value) in learning[..ACTIONS].iter().enumerate().skip(1) {
                let better = value > max;
                max = if better { value } else { max };
                best = if better { action } else { best };
            }
            let value = valuing[best];
            let pair = row.pair.get();
            let entry = &mut tables[(pair / STRIDE) & MASK][which][pair % STRIDE];
            *entry += step_size * (f64::from(row.reward) + discount * value - *entry);
        }
    }
}
