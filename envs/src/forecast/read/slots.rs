//! Rows a fixed step apart, summed to hours.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Fill, Reading, Row, SeriesFile};
use crate::forecast::error::{RowFault, SeriesError, number};
use crate::forecast::series::{Clock, HourlySeries, at};

const HOUR_S: i64 = 3600;
/// Longest span accepted.
const LIMIT_YEARS: i64 = 10;

/// Sums rows in ascending order to hours.
pub(super) fn hourly(
    path: &Path,
    clock: Clock,
    rows: &[Row],
    reading: &Reading,
) -> Result<SeriesFile, SeriesError> {
    let counted: Vec<(Row, f64)> = rows
        .iter()
        .filter_map(|row| row.count.map(|count| (*row, count)))
        .collect();
    let (Some((first, _)), Some((last, _))) = (counted.first(), counted.last()) else {
        return Err(empty(path, 0));
    };
    let step_s = match reading.step_s {
        Some(step) => i64::from(step),
        None => step(rows).ok_or_else(|| empty(path, counted.len()))?,
    };
    if step_s <= 0 || HOUR_S % step_s != 0 {
        return Err(SeriesError::Step {
            path: path.to_owned(),
            step_s,
            fix: if reading.step_s.is_some() {
                "name a step that divides an hour, such as `--every 5m`"
            } else if step_s > HOUR_S {
                "hours cannot be forecast from longer sums; give hourly or finer counts"
            } else {
                "sum the rows to minutes, half-hours or hours, or name the step with `--every`"
            },
        });
    }
    if last.second - first.second > LIMIT_YEARS * 8766 * HOUR_S {
        return Err(SeriesError::TooLong {
            path: path.to_owned(),
            from: at(clock, first.second),
            to: at(clock, last.second),
            limit_years: LIMIT_YEARS,
        });
    }
    let off: Vec<RowFault> = rows
        .iter()
        .filter(|row| (row.second - first.second) % step_s != 0)
        .map(|row| RowFault {
            line: row.line,
            what: format!(
                "{} is not a multiple of {step_s} s after {} of line {}",
                at(clock, row.second),
                at(clock, first.second),
                first.line
            ),
        })
        .collect();
    if !off.is_empty() {
        return Err(SeriesError::Rows {
            path: path.to_owned(),
            rows: rows.len() as u64,
            faults: off,
            fix: "correct the times, or name the rows' step with `--every`",
        });
    }
    let mut hours = Hours::new(step_s);
    let (mut gaps, mut missing) = (Vec::new(), 0);
    let mut before: Option<(Row, f64)> = None;
    for &(row, count) in &counted {
        if let Some((earlier, from)) = before {
            let steps = (row.second - earlier.second) / step_s;
            if steps > 1 {
                missing += steps as u64 - 1;
                gaps.push(RowFault {
                    line: earlier.line,
                    what: format!(
                        "{} missing after {}",
                        number(steps as u64 - 1, "count"),
                        at(clock, earlier.second)
                    ),
                });
            }
            for slot in 1..steps {
                let second = earlier.second + slot * step_s;
                match reading.fill {
                    None => {}
                    Some(Fill::Zero) => hours.add(second, 0.0, false),
                    Some(Fill::Interpolate) => {
                        let share = slot as f64 / steps as f64;
                        hours.add(second, from + share * (count - from), true);
                    }
                }
            }
        }
        hours.add(row.second, count, false);
        before = Some((row, count));
    }
    if reading.fill.is_none() && missing > 0 {
        return Err(SeriesError::Gaps {
            path: path.to_owned(),
            gaps,
            missing,
        });
    }
    let trimmed = hours.trim();
    if hours.counts.is_empty() {
        return Err(SeriesError::NoHour {
            path: path.to_owned(),
        });
    }
    Ok(SeriesFile {
        series: HourlySeries::with_drawn(clock, hours.first, hours.counts, hours.drawn),
        rows: rows.len() as u64,
        step_s: u32::try_from(step_s).unwrap_or(u32::MAX),
        gaps: gaps.len() as u64,
        filled: missing,
        trimmed,
    })
}

fn empty(path: &Path, counted: usize) -> SeriesError {
    SeriesError::Empty {
        path: path.to_owned(),
        counted,
    }
}

/// The most frequent distance of neighbours, the shorter one where two are; `None` with fewer than two rows.
fn step(rows: &[Row]) -> Option<i64> {
    let mut distances = BTreeMap::new();
    for pair in rows.windows(2) {
        *distances
            .entry(pair[1].second - pair[0].second)
            .or_insert(0) += 1;
    }
    let most = distances.values().copied().max()?;
    distances
        .into_iter()
        .find(|(_, times)| *times == most)
        .map(|(distance, _)| distance)
}

/// Hours that grow at their end.
struct Hours {
    per_hour: u32,
    first: i64,
    counts: Vec<f64>,
    drawn: Vec<bool>,
    first_has: u32,
    last_has: u32,
}

impl Hours {
    fn new(step_s: i64) -> Self {
        Self {
            per_hour: (HOUR_S / step_s) as u32,
            first: 0,
            counts: Vec::new(),
            drawn: Vec::new(),
            first_has: 0,
            last_has: 0,
        }
    }

    /// Adds the count of a slot, each a step after the one before.
    fn add(&mut self, second: i64, count: f64, drawn: bool) {
        let hour = second.div_euclid(HOUR_S);
        if self.counts.is_empty() {
            self.first = hour;
        }
        if hour - self.first == self.counts.len() as i64 {
            self.counts.push(0.0);
            self.drawn.push(false);
            self.last_has = 0;
        }
        if let (Some(sum), Some(mark)) = (self.counts.last_mut(), self.drawn.last_mut()) {
            *sum += count;
            *mark |= drawn;
        }
        self.last_has += 1;
        if self.counts.len() == 1 {
            self.first_has = self.last_has;
        }
    }

    /// Leaves out a first and a last hour that lack slots; the slots left out.
    fn trim(&mut self) -> u64 {
        let mut trimmed = 0;
        if self.last_has < self.per_hour && self.counts.len() > 1 {
            self.counts.pop();
            self.drawn.pop();
            trimmed += u64::from(self.last_has);
        }
        if self.first_has < self.per_hour && !self.counts.is_empty() {
            self.counts.remove(0);
            self.drawn.remove(0);
            self.first += 1;
            trimmed += u64::from(self.first_has);
        }
        trimmed
    }
}
