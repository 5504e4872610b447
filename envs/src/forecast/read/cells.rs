//! Times and counts in cells.

use csv::ByteRecord;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::Row;
use crate::forecast::error::number;
use crate::forecast::series::{Clock, at};

/// What is wrong with a row, and what to do about it.
type Fault = (String, &'static str);

/// A row's time and count. The first row decides which clock the times stand on.
pub(super) fn row(
    record: &ByteRecord,
    time: usize,
    value: usize,
    clock: &mut Option<Clock>,
    line: u64,
) -> Result<Row, Fault> {
    let cell = |column: usize| match record.get(column) {
        None => Err((
            format!("only {}", number(record.len() as u64, "cell")),
            "give every row a time and a count",
        )),
        Some(bytes) => std::str::from_utf8(bytes)
            .map(str::trim)
            .map_err(|_| ("not UTF-8".to_owned(), "save the table as UTF-8")),
    };
    let text = cell(time)?;
    let Some((its_clock, second)) = parse_time(text) else {
        return Err((
            format!("`{text}` is no time"),
            "write times as 2026-03-01T09:00:00Z, 2026-03-01 09:00, Unix seconds, or count hours; `--time` names the column",
        ));
    };
    let first = *clock.get_or_insert(its_clock);
    if first != its_clock {
        return Err((
            format!(
                "`{text}` is {}, and {} before it",
                say(its_clock),
                say(first)
            ),
            "write all times in one way",
        ));
    }
    let text = cell(value)?;
    let count = match text {
        "" => None,
        text => match text.parse::<f64>() {
            Ok(count) if count.is_finite() && count >= 0.0 => Some(count),
            Ok(count) if count < 0.0 => {
                return Err((
                    format!("{text} is below 0"),
                    "a count is 0 or more; correct it, or leave the cell empty where the count was lost",
                ));
            }
            _ => {
                return Err((
                    format!("`{text}` is no count"),
                    "write counts as plain numbers such as 12 or 12.5; `--value` names the column",
                ));
            }
        },
    };
    Ok(Row {
        line,
        second,
        count,
    })
}

/// A row that comes after the last good one.
pub(super) fn follows(row: Row, last: Option<Row>, clock: Option<Clock>) -> Result<Row, Fault> {
    let Some(last) = last else {
        return Ok(row);
    };
    let at = |row: Row| at(clock.unwrap_or(Clock::Wall), row.second);
    if row.second == last.second {
        return Err((
            format!("{} stands on line {} already", at(row), last.line),
            "keep one row for each time; where clocks were set back, write times with their offset",
        ));
    }
    if row.second < last.second {
        return Err((
            format!("{} comes after {} of line {}", at(row), at(last), last.line),
            "sort the table by time, oldest first",
        ));
    }
    Ok(row)
}

/// Whether a cell can be read as a time.
pub(super) fn is_time(text: &str) -> bool {
    parse_time(text).is_some()
}

/// A time and the clock it stands on, in seconds; fractions of a second are cut off.
fn parse_time(text: &str) -> Option<(Clock, i64)> {
    if let Ok(number) = text.parse::<i64>() {
        // Hour numbers reach 11,000 years, Unix seconds start in 1973, milliseconds likewise.
        return match number {
            0..100_000_000 => Some((Clock::Count, number * 3600)),
            100_000_000..100_000_000_000 => Some((Clock::Utc, number)),
            100_000_000_000..100_000_000_000_000 => Some((Clock::Utc, number / 1000)),
            _ => None,
        };
    }
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some((Clock::Utc, instant.as_second()));
    }
    let civil = text.parse::<DateTime>().ok()?;
    let instant = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some((Clock::Wall, instant.as_second()))
}

fn say(clock: Clock) -> &'static str {
    match clock {
        Clock::Wall => "a time without a zone",
        Clock::Utc => "a time with a zone",
        Clock::Count => "a number of hours",
    }
}
