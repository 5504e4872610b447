//! Counts per hour without a gap, and the clock they stand on.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::{History, WEEK};

/// What the times of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// Times without a zone, taken as the wall clock they were written from.
    Wall,
    /// Times with an offset, converted to UTC.
    Utc,
    /// Hours counted from some start; hour 0 is taken as Monday 00:00, which only names the week's phase.
    Count,
}

/// Counts per hour, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct HourlySeries {
    clock: Clock,
    /// Hours since 1970-01-01 00:00 on the clock, or the number of the first hour.
    first_hour: i64,
    counts: Vec<f64>,
    /// Hours that nobody counted: drawn between their neighbours, used as history, never judged on.
    drawn: Vec<bool>,
}

impl HourlySeries {
    /// A series in which every hour was counted.
    ///
    /// `first_hour` counts hours since 1970-01-01 00:00 on the clock; with [`Clock::Count`] since Monday 00:00.
    #[must_use]
    pub fn new(clock: Clock, first_hour: i64, counts: Vec<f64>) -> Self {
        let drawn = vec![false; counts.len()];
        Self::with_drawn(clock, first_hour, counts, drawn)
    }

    /// A series some hours of which were drawn between their neighbours.
    pub(super) fn with_drawn(
        clock: Clock,
        first_hour: i64,
        counts: Vec<f64>,
        drawn: Vec<bool>,
    ) -> Self {
        debug_assert_eq!(counts.len(), drawn.len());
        Self {
            clock,
            first_hour,
            counts,
            drawn,
        }
    }

    /// The clock its times stand on.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Contacts per hour.
    #[must_use]
    pub fn counts(&self) -> &[f64] {
        &self.counts
    }

    /// Whether an hour was counted and not drawn between its neighbours.
    #[must_use]
    pub fn is_counted(&self, index: usize) -> bool {
        !self.drawn[index]
    }

    /// Hours drawn between their neighbours.
    #[must_use]
    pub fn drawn_hours(&self) -> usize {
        self.drawn.iter().filter(|drawn| **drawn).count()
    }

    /// Everything known, for a forecast of what follows.
    #[must_use]
    pub fn history(&self) -> History<'_> {
        // 1970-01-01 was a Thursday: 72 hours after a Monday 00:00.
        let monday = match self.clock {
            Clock::Wall | Clock::Utc => self.first_hour + 72,
            Clock::Count => self.first_hour,
        };
        History {
            counts: &self.counts,
            first_hour_of_week: monday.rem_euclid(WEEK as i64) as usize,
        }
    }

    /// When an hour starts, which may lie beyond the series: `2026-03-01T09:00:00`, with `Z` in UTC, or its number.
    #[must_use]
    pub fn start_of(&self, index: usize) -> String {
        at(self.clock, (self.first_hour + index as i64) * 3600)
    }
}

/// Text of a second on a clock.
pub(super) fn at(clock: Clock, second: i64) -> String {
    if clock == Clock::Count {
        return if second % 3600 == 0 {
            (second / 3600).to_string()
        } else {
            format!("{}", second as f64 / 3600.0)
        };
    }
    match (Timestamp::from_second(second), clock) {
        (Ok(instant), Clock::Utc) => instant.to_string(),
        (Ok(instant), _) => instant.to_zoned(TimeZone::UTC).datetime().to_string(),
        (Err(_), _) => format!("{second} s since 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_named_on_their_clock() {
        // 2014-07-01 was a Tuesday; 16252 days after 1970-01-01 (Python's datetime.date.toordinal).
        let first = 16_252 * 24;
        let wall = HourlySeries::new(Clock::Wall, first, vec![0.0; 3]);
        assert_eq!(wall.start_of(5), "2014-07-01T05:00:00");
        assert_eq!(wall.history().first_hour_of_week, 24);
        let utc = HourlySeries::new(Clock::Utc, first, vec![0.0; 3]);
        assert_eq!(utc.start_of(25), "2014-07-02T01:00:00Z");
        let counted = HourlySeries::new(Clock::Count, 170, vec![0.0; 3]);
        assert_eq!(counted.start_of(1), "171");
        assert_eq!(counted.history().first_hour_of_week, 2);
    }
}
