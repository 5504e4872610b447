//! The real clock: only the command line reads it.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::router::clock::Clock;

/// Wall time and a stopwatch.
pub(super) struct WallClock {
    start: Instant,
}

impl WallClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge that hands time to everybody else"
    )]
    pub(super) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Clock for WallClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the edge that hands time to everybody else"
    )]
    fn now_us(&self) -> i64 {
        // A clock before 1970 is a broken clock; decisions then carry the year 1970.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| since.as_micros() as i64)
    }

    fn monotonic_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}
