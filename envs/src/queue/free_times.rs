//! When each server is free again: a heap with the earliest on top.

/// Times at which servers become free, as a binary heap of fixed size whose top is replaced.
#[derive(Debug, Clone)]
pub(super) struct FreeTimes {
    /// Smallest first; padded with an infinite time so that every parent has two children.
    heap: Vec<f64>,
}

impl FreeTimes {
    /// Servers that are all free at time 0.
    pub(super) fn new(servers: u32) -> Self {
        let servers = servers as usize;
        let mut heap = vec![0.0; servers];
        if servers.is_multiple_of(2) {
            heap.push(f64::INFINITY);
        }
        Self { heap }
    }

    /// When the next server is free.
    #[inline(always)]
    pub(super) fn earliest(&self) -> f64 {
        self.heap[0]
    }

    /// Gives that server work until `time`.
    #[inline(always)]
    pub(super) fn replace_earliest(&mut self, time: f64) {
        let heap = &mut self.heap[..];
        let mut hole = 0;
        loop {
            let left = 2 * hole + 1;
            let Some(&[a, b]) = heap.get(left..left + 2).and_then(|c| c.first_chunk::<2>()) else {
                break;
            };
            // Which child is smaller is a coin toss: chosen without a branch.
            let child = left + usize::from(b < a);
            let smaller = if b < a { b } else { a };
            if time <= smaller {
                break;
            }
            heap[hole] = smaller;
            hole = child;
        }
        heap[hole] = time;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_earliest_is_always_on_top(
            servers in 1_u32..40,
            work in proptest::collection::vec(0.0_f64..10.0, 1..200),
        ) {
            let mut heap = FreeTimes::new(servers);
            let mut sorted = vec![0.0; servers as usize];
            for work in work {
                prop_assert_eq!(heap.earliest(), sorted[0]);
                let time = sorted[0] + work;
                heap.replace_earliest(time);
                sorted[0] = time;
                sorted.sort_by(f64::total_cmp);
            }
        }
    }
}
