//! Customers, people and work: the three numbers that every formula starts from.

/// Why a formula has no answer.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErlangError {
    /// A number out of its range.
    #[error("`{what}` is {value}; it is {expected}")]
    Range {
        /// The number.
        what: &'static str,
        /// The value given.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// More work arrives than the servers can do, and nobody leaves.
    #[error(
        "the queue grows without end: {servers} servers are offered {offered:.6} erlangs of work"
    )]
    Unstable {
        /// Servers.
        servers: u32,
        /// Mean number of servers that the work would keep busy.
        offered: f64,
    },
    /// The exact series would take too long so near to full load.
    #[error("at load {load:.6} the series for fixed service times is too long to sum")]
    TooNearFullLoad {
        /// Offered work over servers.
        load: f64,
    },
}

/// Customers who arrive at random, the mean work of one, and the people who do it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Traffic {
    servers: u32,
    arrival_rate_per_s: f64,
    mean_service_s: f64,
}

impl Traffic {
    /// Most servers that the formulas accept.
    pub const MOST_SERVERS: u32 = 1_000_000;

    /// Takes 1 to [`Traffic::MOST_SERVERS`] servers, a rate and a mean above 0 of at most 1e9, and at most 1e6 erlangs.
    ///
    /// # Errors
    /// [`ErlangError::Range`] with the first number out of range.
    pub fn new(
        servers: u32,
        arrival_rate_per_s: f64,
        mean_service_s: f64,
    ) -> Result<Self, ErlangError> {
        if !(1..=Self::MOST_SERVERS).contains(&servers) {
            return Err(ErlangError::Range {
                what: "servers",
                value: f64::from(servers),
                expected: "1 to 1,000,000",
            });
        }
        for (what, value) in [
            ("arrival_rate_per_s", arrival_rate_per_s),
            ("mean_service_s", mean_service_s),
        ] {
            if !(value > 0.0 && value <= 1e9) {
                return Err(ErlangError::Range {
                    what,
                    value,
                    expected: "above 0 and at most 1e9",
                });
            }
        }
        let offered = arrival_rate_per_s * mean_service_s;
        if offered > 1e6 {
            return Err(ErlangError::Range {
                what: "arrival_rate_per_s × mean_service_s",
                value: offered,
                expected: "at most 1,000,000 erlangs",
            });
        }
        Ok(Self {
            servers,
            arrival_rate_per_s,
            mean_service_s,
        })
    }

    /// The same customers with another number of servers, which must be in range.
    pub(super) fn with_servers(self, servers: u32) -> Self {
        Self { servers, ..self }
    }

    /// People, n.
    #[must_use]
    pub fn servers(&self) -> u32 {
        self.servers
    }

    /// People as a number for formulas.
    pub(super) fn n(&self) -> f64 {
        f64::from(self.servers)
    }

    /// Customers a second, λ.
    #[must_use]
    pub fn arrival_rate_per_s(&self) -> f64 {
        self.arrival_rate_per_s
    }

    /// Mean seconds of work for a customer, 1/μ.
    #[must_use]
    pub fn mean_service_s(&self) -> f64 {
        self.mean_service_s
    }

    /// Mean number of people that the work would keep busy (erlangs), a = λ/μ.
    #[must_use]
    pub fn offered(&self) -> f64 {
        self.arrival_rate_per_s * self.mean_service_s
    }

    /// Offered work over people, ρ = a/n.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.offered() / self.n()
    }

    /// Refuses load 1 and above, where a queue without impatience has no steady state.
    pub(super) fn stable(self) -> Result<Self, ErlangError> {
        if self.offered() < self.n() {
            Ok(self)
        } else {
            Err(ErlangError::Unstable {
                servers: self.servers,
                offered: self.offered(),
            })
        }
    }
}
