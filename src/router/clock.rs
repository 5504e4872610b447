//! Time as the router sees it: taken as an argument, so that tests and demonstrations can compress days into seconds.

use std::sync::atomic::{AtomicI64, Ordering};

/// A source of time.
pub trait Clock: Send + Sync {
    /// Microseconds since 1970, UTC.
    fn now_us(&self) -> i64;
    /// Nanoseconds from an arbitrary start that never run backwards: budgets are measured in them, whatever the clock says.
    fn monotonic_ns(&self) -> u64;
    /// How many seconds of this clock pass in a second of waiting; 1 for real time.
    fn speed(&self) -> f64 {
        1.0
    }
}

/// A clock that stands still until it is moved, for tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock at a time in microseconds since 1970.
    #[must_use]
    pub fn at(now_us: i64) -> Self {
        Self(AtomicI64::new(now_us))
    }

    /// Sets the time; also back.
    pub fn set(&self, now_us: i64) {
        self.0.store(now_us, Ordering::SeqCst);
    }

    /// Moves the time by seconds.
    pub fn advance(&self, seconds: f64) {
        self.0.fetch_add((seconds * 1e6) as i64, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_us(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        0
    }
}

/// Another clock, run faster: from the moment it was made, a second counts as `speed` seconds.
pub struct CompressedClock<C> {
    inner: C,
    begin_us: i64,
    speed: f64,
}

impl<C: Clock> CompressedClock<C> {
    /// Starts now, at `begin_us` of its own time.
    pub fn new(inner: C, speed: f64) -> Self {
        let begin_us = inner.now_us();
        Self {
            inner,
            begin_us,
            speed,
        }
    }
}

impl<C: Clock> Clock for CompressedClock<C> {
    fn now_us(&self) -> i64 {
        let passed_us = self.inner.now_us() - self.begin_us;
        self.begin_us + (passed_us as f64 * self.speed) as i64
    }

    fn monotonic_ns(&self) -> u64 {
        self.inner.monotonic_ns()
    }

    fn speed(&self) -> f64 {
        self.speed
    }
}
