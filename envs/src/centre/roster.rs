//! Who is on shift when: shifts and breaks on the pools' own clocks, as changes over the seconds of the period.
//!
//! Times of day become instants through the IANA zone, so a shift that crosses midnight or a change to daylight saving is
//! as long as the clock on the wall makes it. A time that a change skips moves to the first instant after the gap.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::config::{BusinessHours, CentreConfig, Day, clock};
use crate::time::UtcMicros;

/// A team gains or loses people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Change {
    /// Seconds from the start of the period.
    pub(super) at_s: f64,
    /// Position of the team, counted over all pools.
    pub(super) group: u8,
    /// People more, or fewer.
    pub(super) people: i32,
}

/// Every change of the period, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Roster {
    pub(super) changes: Vec<Change>,
}

const fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

fn runs_on(days: &[Day], date: Date) -> bool {
    days.is_empty() || days.iter().any(|day| weekday(*day) == date.weekday())
}

/// A clock on a wall, counting seconds from the start of the period.
struct Wall {
    zone: TimeZone,
    start: UtcMicros,
}

impl Wall {
    /// Validation has checked the zone.
    fn new(zone: &str, start: UtcMicros) -> Self {
        Self {
            zone: TimeZone::get(zone).expect("zones are checked with the configuration"),
            start,
        }
    }

    fn second(&self, date: Date, time: Time) -> Option<f64> {
        let zoned = date.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
        Some(UtcMicros(zoned.timestamp().as_microsecond()).seconds_since(self.start))
    }

    /// The date on the wall at the start of the period.
    fn first_date(&self) -> Option<Date> {
        let start = Timestamp::from_microsecond(self.start.0).ok()?;
        Some(start.to_zoned(self.zone.clone()).date())
    }

    /// Dates whose shifts may touch the period.
    fn dates(&self, length_s: f64) -> impl Iterator<Item = Date> {
        let first = self.first_date();
        let days = (length_s / 86_400.0).ceil() as i64 + 2;
        (-2..=days).filter_map(move |day| first?.checked_add(day.days()).ok())
    }

    /// Seconds of a span that begins on `date`; one that does not end after it began ends the next day.
    fn span(&self, date: Date, from: Time, to: Time) -> Option<(f64, f64)> {
        let end = if to > from {
            date
        } else {
            date.tomorrow().ok()?
        };
        Some((self.second(date, from)?, self.second(end, to)?))
    }
}

fn time(text: &str) -> Time {
    clock(text).expect("times are checked with the configuration")
}

impl Roster {
    /// Works out a checked configuration over `length_s` seconds from `start`.
    pub(super) fn new(config: &CentreConfig, start: UtcMicros, length_s: f64) -> Self {
        let mut changes = Vec::new();
        let mut group = 0_u8;
        for pool in &config.pool {
            let wall = Wall::new(&pool.zone, start);
            for team in &pool.team {
                let people = team.people as i32;
                let mut away = |span: Option<(f64, f64)>, people: i32| {
                    if let Some((from_s, to_s)) = span
                        && to_s > 0.0
                        && from_s < length_s
                    {
                        changes.push(Change {
                            at_s: from_s.max(0.0),
                            group,
                            people,
                        });
                        changes.push(Change {
                            at_s: to_s,
                            group,
                            people: -people,
                        });
                    }
                };
                let (from, to) = (time(&team.from), time(&team.to));
                for date in wall
                    .dates(length_s)
                    .filter(|date| runs_on(&team.days, *date))
                {
                    away(wall.span(date, from, to), people);
                    for pause in &team.breaks {
                        let at = time(&pause.at);
                        let day = if at < from {
                            date.tomorrow().ok()
                        } else {
                            Some(date)
                        };
                        let begins = day.and_then(|day| wall.second(day, at));
                        let span = begins.map(|s| (s, s + 60.0 * f64::from(pause.minutes)));
                        let gone = (pause.share * f64::from(team.people)).round() as i32;
                        away(span, -gone);
                    }
                }
                group += 1;
            }
        }
        // Ends before beginnings, so that nobody is counted twice at a change of shift.
        changes.sort_by(|a, b| {
            a.at_s
                .total_cmp(&b.at_s)
                .then(a.people.cmp(&b.people))
                .then(a.group.cmp(&b.group))
        });
        Self { changes }
    }
}

/// Opening hours as seconds of the period, for durations on the business clock.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenHours {
    /// Opening spans in order; `None`: always open.
    spans: Option<Vec<(f64, f64)>>,
}

impl OpenHours {
    /// Works out checked hours over `length_s` seconds from `start`.
    pub(super) fn new(hours: Option<&BusinessHours>, start: UtcMicros, length_s: f64) -> Self {
        Self {
            spans: hours.map(|hours| {
                let wall = Wall::new(&hours.zone, start);
                let (from, to) = (time(&hours.from), time(&hours.to));
                wall.dates(length_s)
                    .filter(|date| runs_on(&hours.days, *date))
                    .filter_map(|date| wall.span(date, from, to))
                    .collect()
            }),
        }
    }

    /// Open seconds between two seconds of the period.
    pub(super) fn between(&self, from_s: f64, to_s: f64) -> f64 {
        let Some(spans) = &self.spans else {
            return to_s - from_s;
        };
        let first = spans.partition_point(|(_, end)| *end <= from_s);
        spans[first..]
            .iter()
            .take_while(|(begin, _)| *begin < to_s)
            .map(|(begin, end)| end.min(to_s) - begin.max(from_s))
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::centre::config::{PoolConfig, TeamConfig};
    use crate::tier::Tier;

    fn pool(zone: &str, from: &str, to: &str) -> CentreConfig {
        CentreConfig {
            pool: vec![PoolConfig {
                name: "p".to_owned(),
                zone: zone.to_owned(),
                tiers: vec![Tier::Review, Tier::Human],
                human_first: true,
                concurrency: 1,
                slowdown: 0.0,
                review_any_language: true,
                team: vec![TeamConfig {
                    people: 10,
                    languages: Vec::new(),
                    days: Vec::new(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                    breaks: Vec::new(),
                }],
            }],
            ..CentreConfig::default()
        }
    }

    /// Seconds of work of one person between two instants.
    fn worked(config: &CentreConfig, from: &str, to: &str) -> f64 {
        let start = UtcMicros::parse(from).unwrap();
        let length_s = UtcMicros::parse(to).unwrap().seconds_since(start);
        let roster = Roster::new(config, start, length_s);
        let (mut last, mut people, mut total) = (0.0, 0, 0.0);
        for change in roster.changes {
            let at = change.at_s.clamp(0.0, length_s);
            total += f64::from(people) / 10.0 * (at - last);
            last = at;
            people += change.people;
        }
        total + f64::from(people) / 10.0 * (length_s - last)
    }

    #[test]
    fn shifts_cross_midnight() {
        let config = pool("UTC", "22:00", "06:00");
        let hours = worked(&config, "2026-03-02T00:00:00Z", "2026-03-04T00:00:00Z") / 3_600.0;
        // 0-6, 22-24, 0-6, 22-24.
        assert_eq!(hours, 16.0);
    }

    #[test]
    fn a_night_of_daylight_saving_is_shorter_or_longer() {
        // Central Europe: 2026-03-29 02:00 → 03:00 and 2026-10-25 03:00 → 02:00.
        let config = pool("Europe/Berlin", "22:00", "06:00");
        for (from, to, hours) in [
            ("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z", 7.0),
            ("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z", 9.0),
            ("2026-11-10T12:00:00Z", "2026-11-11T12:00:00Z", 8.0),
        ] {
            assert_eq!(worked(&config, from, to) / 3_600.0, hours, "{from}");
        }
    }

    #[test]
    fn equal_times_are_round_the_clock_and_breaks_count() {
        let mut config = pool("Asia/Shanghai", "00:00", "00:00");
        let day = |config: &CentreConfig| {
            worked(config, "2026-03-02T16:00:00Z", "2026-03-03T16:00:00Z") / 3_600.0
        };
        assert_eq!(day(&config), 24.0);
        config.pool[0].team[0].breaks = vec![crate::centre::config::BreakConfig {
            at: "12:00".to_owned(),
            minutes: 60,
            share: 0.5,
        }];
        assert_eq!(day(&config), 23.5);
        // 2 March 2026 is a Monday in Shanghai until 16:00 UTC; the Tuesday that follows has no shift.
        config.pool[0].team[0].days = vec![Day::Mon];
        assert_eq!(day(&config), 0.0);
    }

    #[test]
    fn open_hours_leave_out_the_night() {
        let hours = BusinessHours {
            zone: "UTC".to_owned(),
            days: vec![Day::Mon, Day::Tue],
            from: "09:00".to_owned(),
            to: "17:00".to_owned(),
        };
        let start = UtcMicros::parse("2026-03-02T00:00:00Z").unwrap();
        let open = OpenHours::new(Some(&hours), start, 7.0 * 86_400.0);
        let h = 3_600.0;
        assert_eq!(open.between(8.0 * h, 10.0 * h), h);
        assert_eq!(open.between(16.0 * h, 34.0 * h), 2.0 * h);
        assert_eq!(open.between(41.0 * h, 100.0 * h), 0.0);
        assert_eq!(OpenHours::default().between(8.0, 10.0), 2.0);
    }
}
