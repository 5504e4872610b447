//! How many people a service target takes.

use super::loss::next_blocking;
use super::{ErlangC, ErlangError, Impatient, PatienceLaw, Traffic};

/// What service must reach. All given conditions hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Target {
    /// At least this share of all customers is served within so many seconds.
    pub served_within: Option<(f64, f64)>,
    /// At most this share of customers leaves. Without impatience nobody does.
    pub max_abandon: Option<f64>,
    /// Mean wait of everybody of at most so many seconds.
    pub max_mean_wait_s: Option<f64>,
}

/// Why a target has no answer.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// A number out of its range.
    #[error("the target `{what}` is {value}; it is {expected}")]
    Range {
        /// The condition.
        what: &'static str,
        /// The value given.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// Not reached with the largest number of servers that the formulas accept.
    #[error("no number of people up to {most} reaches the target")]
    Unreachable {
        /// Most servers tried.
        most: u32,
    },
    /// A formula has no answer.
    #[error(transparent)]
    Formula(#[from] ErlangError),
}

impl Target {
    fn check(&self) -> Result<(), TargetError> {
        let refuse = |what, value, expected| {
            Err(TargetError::Range {
                what,
                value,
                expected,
            })
        };
        if let Some((share, within_s)) = self.served_within {
            if !(share > 0.0 && share < 1.0) {
                return refuse("share served", share, "above 0 and below 1");
            }
            if !(within_s >= 0.0 && within_s.is_finite()) {
                return refuse("within seconds", within_s, "at least 0");
            }
        }
        match (self.max_abandon, self.max_mean_wait_s) {
            (Some(share), _) if !(share > 0.0 && share < 1.0) => {
                refuse("most who leave", share, "above 0 and below 1")
            }
            (_, Some(wait_s)) if !(wait_s > 0.0 && wait_s.is_finite()) => {
                refuse("mean wait", wait_s, "above 0 seconds")
            }
            _ => Ok(()),
        }
    }

    fn met_by_c(&self, queue: &ErlangC) -> bool {
        self.served_within
            .is_none_or(|(share, t)| queue.p_served_within(t) >= share)
            && self
                .max_mean_wait_s
                .is_none_or(|w| queue.mean_wait_s() <= w)
    }

    fn met_by_a(&self, queue: &Impatient) -> bool {
        self.served_within
            .is_none_or(|(share, t)| queue.p_served_within(t) >= share)
            && self.max_abandon.is_none_or(|x| queue.p_abandon() <= x)
            && self
                .max_mean_wait_s
                .is_none_or(|w| queue.mean_wait_s() <= w)
    }
}

/// Fewest servers that reach the target for these customers, whatever the number of servers in `traffic`.
///
/// Without patience everybody waits (Erlang C); with it, customers leave ([`Impatient`]). Service only gets better with each
/// server, so C walks up its recursion and A halves an interval.
///
/// # Errors
/// [`TargetError`] when a condition is out of range or no number of servers is enough.
pub fn fewest(
    traffic: &Traffic,
    patience: Option<&PatienceLaw>,
    target: &Target,
) -> Result<u32, TargetError> {
    target.check()?;
    match patience {
        None => fewest_c(traffic, target),
        Some(law) => fewest_a(traffic, law, target),
    }
}

const UNREACHABLE: TargetError = TargetError::Unreachable {
    most: Traffic::MOST_SERVERS,
};

fn fewest_c(traffic: &Traffic, target: &Target) -> Result<u32, TargetError> {
    let offered = traffic.offered();
    let mut blocked = 1.0;
    for servers in 1..=Traffic::MOST_SERVERS {
        blocked = next_blocking(blocked, servers, offered);
        if offered >= f64::from(servers) {
            continue;
        }
        let queue = ErlangC::from_blocking(traffic.with_servers(servers), blocked);
        if target.met_by_c(&queue) {
            return Ok(servers);
        }
    }
    Err(UNREACHABLE)
}

fn fewest_a(traffic: &Traffic, law: &PatienceLaw, target: &Target) -> Result<u32, TargetError> {
    let met = |servers: u32| -> Result<bool, TargetError> {
        let queue = Impatient::new(traffic.with_servers(servers), law.clone())?;
        Ok(target.met_by_a(&queue))
    };
    // Gallop from the offered load, then halve: `low` fails, `high` is enough.
    let (mut low, mut high) = (0, (traffic.offered().ceil() as u32).max(1));
    while !met(high)? {
        if high == Traffic::MOST_SERVERS {
            return Err(UNREACHABLE);
        }
        low = high;
        high = high.saturating_mul(2).min(Traffic::MOST_SERVERS);
    }
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if met(middle)? {
            high = middle;
        } else {
            low = middle;
        }
    }
    Ok(high)
}
