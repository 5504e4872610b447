//! When a log's conversations arrived, and when none did though some were to be expected.

use serde::Serialize;

use crate::time::UtcMicros;

const HOUR_US: i64 = 3_600_000_000;
const HOURS_A_WEEK: usize = 168;

/// A stretch without arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// The arrival before it.
    pub from: UtcMicros,
    /// Its length in seconds.
    pub seconds: f64,
    /// Arrivals to be expected in it: the sum, over its hours, of the mean arrivals in the same hour of the week. Under
    /// Poisson arrivals a gap has probability e to the minus that.
    pub expected_arrivals: f64,
}

/// First to last arrival.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Span {
    /// First arrival.
    pub from: UtcMicros,
    /// Last arrival.
    pub to: UtcMicros,
    /// Days between them.
    pub days: f64,
    /// Days of the calendar (UTC) touched, from the first to the last.
    pub calendar_days: u64,
    /// Of these, without any arrival.
    pub empty_days: u64,
    /// Hours of the week (UTC), of 168, with at least one arrival.
    pub hours_of_week: u32,
    /// The longest stretch without arrivals.
    pub longest_gap: Option<Gap>,
    /// The stretch in which most arrivals were to be expected: where data may be missing.
    pub strangest_gap: Option<Gap>,
}

/// Hour of the week, Monday 00:00 UTC first.
fn hour_of_week(hour: i64) -> usize {
    // Hour 0 of 1970 was a Thursday's.
    (hour + 72).rem_euclid(168) as usize
}

/// The span of arrivals, in any order; sorts them. `None` without any.
pub(super) fn span(arrivals: &mut [i64]) -> Option<Span> {
    arrivals.sort_unstable();
    let (first, last) = (*arrivals.first()?, *arrivals.last()?);
    let mut arrived = [0_u64; HOURS_A_WEEK];
    let mut empty_days = 0;
    let mut day_before = UtcMicros(first).day();
    for arrival in &*arrivals {
        arrived[hour_of_week(arrival.div_euclid(HOUR_US))] += 1;
        let day = UtcMicros(*arrival).day();
        empty_days += (day - day_before - 1).max(0) as u64;
        day_before = day;
    }
    let (first_hour, last_hour) = (first.div_euclid(HOUR_US), last.div_euclid(HOUR_US));
    let mut seen = [0_u64; HOURS_A_WEEK];
    let hours = (last_hour - first_hour + 1) as u64;
    for (slot, seen) in seen.iter_mut().enumerate() {
        let offset = (slot as i64 - hour_of_week(first_hour) as i64).rem_euclid(168) as u64;
        *seen = hours.saturating_sub(offset).div_ceil(168);
    }
    let rate: Vec<f64> = arrived
        .iter()
        .zip(&seen)
        .map(|(arrived, seen)| {
            if *seen == 0 {
                0.0
            } else {
                *arrived as f64 / *seen as f64
            }
        })
        .collect();
    let a_week: f64 = rate.iter().sum();
    let expected = |from: i64, to: i64| -> f64 {
        let weeks = (to - from).div_euclid(168 * HOUR_US);
        let mut sum = weeks as f64 * a_week;
        let mut at = from + weeks * 168 * HOUR_US;
        while at < to {
            let hour = at.div_euclid(HOUR_US);
            let end = ((hour + 1) * HOUR_US).min(to);
            sum += rate[hour_of_week(hour)] * (end - at) as f64 / HOUR_US as f64;
            at = end;
        }
        sum
    };
    let gap = |pair: &[i64]| Gap {
        from: UtcMicros(pair[0]),
        seconds: (pair[1] - pair[0]) as f64 / 1e6,
        expected_arrivals: expected(pair[0], pair[1]),
    };
    let gaps = || arrivals.windows(2);
    let longest_gap = gaps().max_by_key(|pair| pair[1] - pair[0]).map(gap);
    let strangest_gap = gaps()
        .map(gap)
        .max_by(|a, b| a.expected_arrivals.total_cmp(&b.expected_arrivals));
    Some(Span {
        from: UtcMicros(first),
        to: UtcMicros(last),
        days: (last - first) as f64 / 86_400e6,
        calendar_days: (UtcMicros(last).day() - UtcMicros(first).day() + 1) as u64,
        empty_days,
        hours_of_week: arrived.iter().filter(|count| **count > 0).count() as u32,
        longest_gap,
        strangest_gap,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::samples::START;

    #[test]
    fn hours_of_the_week_begin_on_monday() {
        // START is a Monday, 09:00.
        assert_eq!(hour_of_week(START.0.div_euclid(HOUR_US)), 9);
        assert_eq!(hour_of_week(0), 3 * 24);
    }

    #[test]
    fn a_hole_in_busy_hours_is_stranger_than_a_longer_night() {
        // Four weeks with an arrival every quarter hour from 09:00 to 17:00, and a hole of 4 h in the third week.
        let mut arrivals = Vec::new();
        for day in 0..28 {
            for quarter in 0..32 {
                let hole = day == 15 && (8..24).contains(&quarter);
                if !hole {
                    arrivals.push(START.0 + (day * 24 * 4 + quarter) * HOUR_US / 4);
                }
            }
        }
        arrivals.reverse();
        let span = span(&mut arrivals).unwrap();
        assert_eq!((span.calendar_days, span.empty_days), (28, 0));
        assert_eq!(span.hours_of_week, 7 * 8);
        let longest = span.longest_gap.unwrap();
        assert_eq!(longest.seconds, 16.25 * 3600.0);
        let strangest = span.strangest_gap.unwrap();
        assert_eq!(
            strangest.from,
            UtcMicros(START.0 + (15 * 96 + 7) * HOUR_US / 4)
        );
        assert_eq!(strangest.seconds, 4.25 * 3600.0);
        // 15 minutes at 4 an hour, then 4 hours in which 3 of 4 weeks had 4 an hour.
        assert!((strangest.expected_arrivals - (1.0 + 4.0 * 3.0)).abs() < 1e-9);
    }

    #[test]
    fn days_without_arrivals_are_counted() {
        let day = 24 * HOUR_US;
        let span_of = |days: &[i64]| {
            span(&mut days.iter().map(|d| START.0 + d * day).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(span_of(&[0, 3, 4, 9]).empty_days, 2 + 4);
        let single = span_of(&[0]);
        assert_eq!((single.days, single.longest_gap), (0.0, None));
        assert_eq!(span(&mut []), None);
    }
}
