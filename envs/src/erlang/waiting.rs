//! Patience without end.

use super::loss::blocking;
use super::{ErlangError, Traffic};

/// The queue with exponential service where everybody waits (M/M/n, Erlang C).
///
/// C = B / (1 − ρ (1 − B)) with Erlang B's B; who waits, waits an exponential time of mean 1/(nμ − λ).
///
/// # Source
/// Erlang 1917; Cooper, Introduction to Queueing Theory, 1981.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ErlangC {
    traffic: Traffic,
    p_wait: f64,
}

impl ErlangC {
    /// Solves the queue.
    ///
    /// # Errors
    /// [`ErlangError::Unstable`] at load 1 and above.
    pub fn new(traffic: Traffic) -> Result<Self, ErlangError> {
        let traffic = traffic.stable()?;
        let blocked = blocking(traffic.servers(), traffic.offered());
        Ok(Self::from_blocking(traffic, blocked))
    }

    /// The stable queue whose loss probability is known.
    pub(super) fn from_blocking(traffic: Traffic, blocked: f64) -> Self {
        let (n, offered) = (traffic.n(), traffic.offered());
        // n − a is exact or nearly so; 1 − ρ would lose digits near full load.
        let p_wait = n * blocked / ((n - offered) + offered * blocked);
        Self { traffic, p_wait }
    }

    /// Share of customers who wait.
    #[must_use]
    pub fn p_wait(&self) -> f64 {
        self.p_wait
    }

    /// Mean wait of those who wait, seconds.
    #[must_use]
    pub fn mean_wait_given_wait_s(&self) -> f64 {
        self.traffic.mean_service_s() / (self.traffic.n() - self.traffic.offered())
    }

    /// Mean wait of everybody, seconds.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.p_wait * self.mean_wait_given_wait_s()
    }

    /// Mean number of people in the queue.
    #[must_use]
    pub fn mean_queue(&self) -> f64 {
        self.traffic.arrival_rate_per_s() * self.mean_wait_s()
    }

    /// Busy share of the servers.
    #[must_use]
    pub fn occupancy(&self) -> f64 {
        self.traffic.load()
    }

    /// Share of customers whose service starts within `t_s` seconds.
    #[must_use]
    pub fn p_served_within(&self, t_s: f64) -> f64 {
        if t_s < 0.0 {
            return 0.0;
        }
        let decay = t_s / self.mean_wait_given_wait_s();
        // The same as 1 − C exp(−decay), without losing digits where C is near 1 and t is small.
        (1.0 - self.p_wait) + self.p_wait * -(-decay).exp_m1()
    }
}
