//! First come, first served, without a list of events.
//!
//! Who comes first is served first, so a customer's wait is known on arrival: until the earliest server is free. Who would
//! wait longer than their patience leaves and takes no server, and nobody behind them notices. This is Kiefer and
//! Wolfowitz's recursion with impatience.

use super::Queue;
use super::draws::Draws;
use super::free_times::FreeTimes;
use super::measures::WITHIN_S;
use super::sums::Sums;

/// A queue being lived through.
#[derive(Debug, Clone)]
pub(super) struct FirstCome {
    draws: Draws,
    free: FreeTimes,
    now: f64,
}

impl FirstCome {
    /// An empty queue at time 0.
    pub(super) fn new(queue: &Queue, run: u64) -> Self {
        Self {
            draws: Draws::new(queue, run),
            free: FreeTimes::new(queue.servers),
            now: 0.0,
        }
    }

    /// Serves the next customers. Their time in queue and at work counts for this batch even where it ends in the next.
    pub(super) fn batch(&mut self, customers: u64) -> Sums {
        let began = self.now;
        let mut now = self.now;
        let mut left = customers;
        let (mut waited, mut abandoned, mut at_once) = (0_u64, 0_u64, 0_u64);
        let (mut wait_s, mut wait_served_s, mut busy_s) = (0.0, 0.0, 0.0);
        let mut within = [0_u64; WITHIN_S.len()];
        while left > 0 {
            let stretch = self.draws.next(left);
            left -= stretch.gaps.len() as u64;
            let customers = stretch.gaps.iter().zip(stretch.services);
            for ((gap, service), patience) in customers.zip(stretch.patiences) {
                now += gap;
                let free = self.free.earliest();
                if free <= now {
                    at_once += 1;
                    busy_s += service;
                    self.free.replace_earliest(now + service);
                    continue;
                }
                let wait = free - now;
                waited += 1;
                if wait > *patience {
                    abandoned += 1;
                    wait_s += patience;
                    continue;
                }
                wait_s += wait;
                wait_served_s += wait;
                busy_s += service;
                for (count, within_s) in within.iter_mut().zip(WITHIN_S) {
                    *count += u64::from(wait <= within_s);
                }
                self.free.replace_earliest(free + service);
            }
        }
        self.now = now;
        Sums {
            customers,
            waited,
            abandoned,
            within: within.map(|count| count + at_once),
            wait_s,
            wait_served_s,
            queue_s: wait_s,
            busy_s,
            duration_s: now - began,
        }
    }
}
