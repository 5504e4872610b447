//! Times as files write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// Seconds since 1970 of a timestamp, a date with a time (taken as UTC) or a date.
pub(super) fn seconds(text: &str) -> Option<f64> {
    let text = text.trim();
    let timestamp = text.parse::<Timestamp>().ok().or_else(|| {
        let civil = text
            .parse::<DateTime>()
            .ok()
            .or_else(|| text.parse::<Date>().ok().map(|date| date.at(0, 0, 0, 0)))?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })?;
    Some(timestamp.as_millisecond() as f64 / 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_dates_and_civil_times_are_read() {
        for (text, expected) in [
            ("1970-01-02T00:00:00Z", Some(86_400.0)),
            ("1970-01-01T08:00:01.5+08:00", Some(1.5)),
            ("1970-01-01 00:01:00", Some(60.0)),
            ("1970-01-03", Some(172_800.0)),
            ("yesterday", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
