//! Points in time as the log stores them: microseconds since 1970, UTC.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A UTC instant in microseconds since 1970-01-01: RFC 3339 text in JSONL, `timestamp(us, UTC)` in Parquet.
///
/// Finer fractions in text are cut off; the log keeps microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UtcMicros(pub i64);

impl UtcMicros {
    /// From Unix seconds, rounded to the microsecond; `None` when not finite or beyond the years jiff can write.
    #[must_use]
    pub fn from_unix_seconds(seconds: f64) -> Option<Self> {
        let micros = (seconds * 1e6).round();
        (micros.abs() < 2.5e17).then_some(Self(micros as i64))
    }

    /// From RFC 3339 text such as `2026-03-01T09:30:00Z`; any offset is converted to UTC.
    ///
    /// # Errors
    /// jiff's message when the text is no instant.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        Ok(Self(text.parse::<Timestamp>()?.as_microsecond()))
    }

    /// Seconds from `earlier` to this instant; negative when `earlier` is later.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / 1e6
    }

    /// This instant moved by seconds, rounded to the microsecond.
    #[must_use]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self(self.0.saturating_add((seconds * 1e6).round() as i64))
    }

    /// Days since 1970-01-01 (UTC), for grouping by day.
    #[must_use]
    pub const fn day(self) -> i64 {
        self.0.div_euclid(86_400_000_000)
    }

    /// Seconds since midnight UTC: [0, 86400).
    #[must_use]
    pub fn second_of_day(self) -> f64 {
        self.0.rem_euclid(86_400_000_000) as f64 / 1e6
    }

    /// Day of the week in UTC, Monday = 0.
    #[must_use]
    pub const fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        (self.day() + 3).rem_euclid(7) as u8
    }
}

impl fmt::Display for UtcMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{} us since 1970", self.0),
        }
    }
}

impl Serialize for UtcMicros {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UtcMicros {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_agree() {
        let t = UtcMicros::parse("2020-05-13T13:19:18Z").unwrap();
        assert_eq!(t, UtcMicros(1_589_375_958_000_000));
        assert_eq!(t.to_string(), "2020-05-13T13:19:18Z");
        assert_eq!(UtcMicros::parse("2020-05-13T15:19:18+02:00").unwrap(), t);
        // 13 May 2020 was a Wednesday.
        assert_eq!(t.weekday(), 2);
        assert_eq!(t.second_of_day(), 47_958.0);
        assert!(UtcMicros::parse("yesterday").is_err());
        assert_eq!(UtcMicros::from_unix_seconds(f64::NAN), None);
    }
}
