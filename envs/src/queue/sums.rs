//! What is added up over a batch of customers.

use std::ops::AddAssign;

use super::measures::WITHIN_S;

/// Sums over the customers of a batch; all measures are ratios of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Sums {
    /// Customers.
    pub(super) customers: u64,
    /// Who found every server busy.
    pub(super) waited: u64,
    /// Who left before service.
    pub(super) abandoned: u64,
    /// Who was served within each of [`WITHIN_S`].
    pub(super) within: [u64; WITHIN_S.len()],
    /// Waits of everybody.
    pub(super) wait_s: f64,
    /// Waits of the served.
    pub(super) wait_served_s: f64,
    /// Time that people stood in the queue while the batch lasted.
    pub(super) queue_s: f64,
    /// Time that servers worked while the batch lasted.
    pub(super) busy_s: f64,
    /// How long the batch lasted.
    pub(super) duration_s: f64,
}

impl Sums {
    /// Counts a customer, without time in queue and at work.
    #[inline]
    pub(super) fn count(&mut self, wait_s: f64, waited: bool, served: bool) {
        self.customers += 1;
        self.waited += u64::from(waited);
        self.wait_s += wait_s;
        if served {
            self.wait_served_s += wait_s;
            for (count, within_s) in self.within.iter_mut().zip(WITHIN_S) {
                *count += u64::from(wait_s <= within_s);
            }
        } else {
            self.abandoned += 1;
        }
    }
}

impl AddAssign<&Sums> for Sums {
    fn add_assign(&mut self, other: &Sums) {
        self.customers += other.customers;
        self.waited += other.waited;
        self.abandoned += other.abandoned;
        for (count, more) in self.within.iter_mut().zip(other.within) {
            *count += more;
        }
        self.wait_s += other.wait_s;
        self.wait_served_s += other.wait_served_s;
        self.queue_s += other.queue_s;
        self.busy_s += other.busy_s;
        self.duration_s += other.duration_s;
    }
}
