//! Time as the router sees it: taken as an argument, so that tests and demonstrations can compress days into seconds.

use std::sync::atomic::{AtomicI64, Ordering};

use super::judge::TRANSIT_S;

/// Under a clock that follows its traffic: most seconds between two moments at which everything that was answered is in
/// the store. Whoever drives the clock waits for such a moment more often than that.
pub const SLACK_S: f64 = 1_800.0;

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
    /// The clock itself where it stands still until requests tell it the time.
    fn following(&self) -> Option<&FollowedTime> {
        None
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

/// The largest time that anybody told.
#[derive(Debug, Default)]
pub struct FollowedTime(AtomicI64);

impl FollowedTime {
    /// Takes in a time; one before the largest so far changes nothing.
    pub fn tell(&self, at_us: i64) {
        self.0.fetch_max(at_us, Ordering::SeqCst);
    }
}

/// A clock that only moves when it is told a time, and then only forward: days pass as fast as their traffic, and the same
/// traffic finds the same times.
pub struct FollowingClock<C> {
    inner: C,
    time: FollowedTime,
}

impl<C: Clock> FollowingClock<C> {
    /// Stands at a time in microseconds since 1970; `inner` is only asked for its monotonic side.
    pub fn new(inner: C, begin_us: i64) -> Self {
        Self {
            inner,
            time: FollowedTime(AtomicI64::new(begin_us)),
        }
    }
}

impl<C: Clock> Clock for FollowingClock<C> {
    fn now_us(&self) -> i64 {
        self.time.0.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        self.inner.monotonic_ns()
    }

    /// A second of waiting may hide as much of this clock as its drivers are allowed to.
    fn speed(&self) -> f64 {
        SLACK_S / TRANSIT_S
    }

    fn following(&self) -> Option<&FollowedTime> {
        Some(&self.time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_following_clock_only_moves_forward() {
        let clock = FollowingClock::new(ManualClock::at(7), 100);
        assert_eq!(clock.now_us(), 100);
        for (told, want) in [(250, 250), (90, 250), (251, 251)] {
            clock.following().unwrap().tell(told);
            assert_eq!(clock.now_us(), want);
        }
        assert!(ManualClock::at(0).following().is_none());
        assert!(
            CompressedClock::new(ManualClock::at(0), 60.0)
                .following()
                .is_none()
        );
    }
}
