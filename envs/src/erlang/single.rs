//! One server, any service law.

use super::{ErlangError, Traffic};

/// The queue of one server whose service times follow any law with a variance (M/G/1).
///
/// Mean wait = λ E\[S²\] / (2 (1 − ρ)).
///
/// # Source
/// Pollaczek 1930, Khinchine 1932.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SingleServer {
    traffic: Traffic,
    second_moment_s2: f64,
}

impl SingleServer {
    /// Takes the rate, the mean and the standard deviation of the service time.
    ///
    /// # Errors
    /// [`ErlangError::Range`] or, at load 1 and above, [`ErlangError::Unstable`].
    pub fn new(
        arrival_rate_per_s: f64,
        mean_service_s: f64,
        sd_service_s: f64,
    ) -> Result<Self, ErlangError> {
        let traffic = Traffic::new(1, arrival_rate_per_s, mean_service_s)?.stable()?;
        if !(sd_service_s >= 0.0 && sd_service_s.is_finite()) {
            return Err(ErlangError::Range {
                what: "sd_service_s",
                value: sd_service_s,
                expected: "at least 0",
            });
        }
        Ok(Self {
            traffic,
            second_moment_s2: mean_service_s * mean_service_s + sd_service_s * sd_service_s,
        })
    }

    /// Share of customers who wait: the busy share of the server.
    #[must_use]
    pub fn p_wait(&self) -> f64 {
        self.traffic.load()
    }

    /// Mean time left of the service that an arrival meets, 0 where it meets none: λ E\[S²\] / 2.
    #[must_use]
    pub fn residual_work_s(&self) -> f64 {
        self.traffic.arrival_rate_per_s() * self.second_moment_s2 / 2.0
    }

    /// Mean wait of everybody, seconds.
    #[must_use]
    pub fn mean_wait_s(&self) -> f64 {
        self.residual_work_s() / (1.0 - self.traffic.load())
    }
}
