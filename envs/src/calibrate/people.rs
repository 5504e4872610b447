//! How many people there are, from how many were at work at once: an estimate, for the log does not name them.

use super::estimate::{Estimate, quantile};
use super::parameter::{LEAST, Source, Table};
use super::rows::Rows;
use super::service::queue_s;
use crate::centre::{CentreConfig, Day, PoolConfig, TeamConfig};
use crate::shop::ShopConfig;
use crate::tier::Tier;

/// Hours of one shift block.
const BLOCK: usize = 4;
const BLOCKS: usize = 24 / BLOCK;
/// Of the hours of a block, the share whose peak the people of the block can serve at once.
const COVER: f64 = 0.9;

/// One pool for both kinds of work, with a team for each block of four hours.
pub(super) fn fit(
    rows: &Rows,
    weekday: usize,
    shop: &ShopConfig,
    centre: &mut CentreConfig,
    table: &mut Table,
) {
    let peaks = hourly_peaks(rows, shop);
    let zone = zone(shop.utc_offset_hours);
    let mut team = Vec::new();
    if peaks.is_empty() {
        let people = by_load(shop);
        table.assumed(
            "centre.pool.team.people",
            Some("all day"),
            f64::from(people),
            "the log holds no times of people's work: enough for the busiest hour at 70 % occupancy, were all contacts theirs",
        );
        team.push(around_the_clock(people));
    } else {
        let is_weekend = |hour: usize| (weekday + hour / 24) % 7 >= 5;
        let days = peaks.len().div_ceil(24);
        let parts: &[(&str, Option<bool>)] = if days >= 14 {
            &[("mon-fri", Some(false)), ("sat-sun", Some(true))]
        } else {
            &[("every day", None)]
        };
        for (name, weekend) in parts {
            for block in 0..BLOCKS {
                let mut of: Vec<f64> = peaks
                    .iter()
                    .enumerate()
                    .filter(|(hour, _)| {
                        hour % 24 / BLOCK == block && weekend.is_none_or(|w| w == is_weekend(*hour))
                    })
                    .map(|(_, peak)| f64::from(*peak))
                    .collect();
                team.push(block_team(&mut of, block, name, *weekend, table));
            }
        }
    }
    centre.pool = vec![PoolConfig {
        name: "people".to_owned(),
        zone,
        tiers: vec![Tier::Review, Tier::Human],
        human_first: true,
        concurrency: 1,
        slowdown: 0.15,
        review_any_language: true,
        team,
    }];
    let unnamed = "the log does not say who worked";
    table.assumed("centre.pool.concurrency", None, 1.0, unnamed);
    table.assumed("centre.pool.slowdown", None, 0.15, unnamed);
    table.assumed(
        "centre.pool.review_any_language",
        None,
        1.0,
        "nor which languages they speak: every team takes all",
    );
}

fn block_team(
    peaks: &mut [f64],
    block: usize,
    days: &str,
    weekend: Option<bool>,
    table: &mut Table,
) -> TeamConfig {
    peaks.sort_by(f64::total_cmp);
    let people = if peaks.is_empty() {
        1.0
    } else {
        quantile(peaks, COVER).ceil().max(1.0)
    };
    let mean = peaks.iter().sum::<f64>() / peaks.len().max(1) as f64;
    let variance =
        peaks.iter().map(|p| (p - mean).powi(2)).sum::<f64>() / (peaks.len() as f64 - 1.0).max(1.0);
    let clock = |hour: usize| format!("{:02}:00", hour % 24);
    let (from, to) = (clock(block * BLOCK), clock((block + 1) * BLOCK));
    let n = peaks.len() as u64;
    let estimate = Estimate {
        value: people,
        // Of a normal quantile at 0.9: √(0.9 · 0.1)/φ(1.2816) = 1.71 standard deviations over √n.
        standard_error: 1.71 * (variance / n.max(1) as f64).sqrt(),
        n,
    };
    table.note(
        "centre.pool.team.people",
        Some(&format!("{days} {from}-{to}")),
        estimate,
        if n >= LEAST {
            Source::Fitted
        } else {
            Source::Pooled
        },
        Some(if n >= LEAST {
            "estimated from the peak of people at work at once, by hour".to_owned()
        } else {
            format!("{n} hours only; estimated from the peak of people at work at once")
        }),
    );
    TeamConfig {
        people: (people as u32).clamp(1, 100_000),
        languages: Vec::new(),
        days: match weekend {
            None => Vec::new(),
            Some(true) => vec![Day::Sat, Day::Sun],
            Some(false) => vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri],
        },
        from,
        to,
        breaks: Vec::new(),
    }
}

fn around_the_clock(people: u32) -> TeamConfig {
    TeamConfig {
        people,
        languages: Vec::new(),
        days: Vec::new(),
        from: "00:00".to_owned(),
        to: "00:00".to_owned(),
        breaks: Vec::new(),
    }
}

/// Enough for the busiest hour at 70 % occupancy, were every contact handled by a person.
fn by_load(shop: &ShopConfig) -> u32 {
    let mean = shop.hourly_profile.iter().sum::<f64>() / 24.0;
    let peak = shop.hourly_profile.iter().copied().fold(0.0, f64::max) / mean.max(1e-12);
    let handle_s = shop.human.handle_s.iter().sum::<f64>() / 3.0;
    let load = shop.daily_contacts / 86_400.0 * peak * handle_s;
    ((load / 0.7).ceil() as u32).clamp(1, 100_000)
}

/// Most pieces of work under way at once, in each hour from the first midnight; nothing where no work is timed.
fn hourly_peaks(rows: &Rows, shop: &ShopConfig) -> Vec<u32> {
    let mut changes: Vec<(f64, i32)> = Vec::new();
    for (_, _, answer) in rows.every_answer() {
        let (Some(answer_s), Some(human_s)) = (answer.answer_s, answer.human_s) else {
            continue;
        };
        if answer.tier == Tier::Auto || human_s <= 0.0 {
            continue;
        }
        let begin = match answer.tier {
            Tier::Human => answer.at_s + queue_s(answer, shop).unwrap_or(0.0),
            _ => answer.at_s + (answer_s - human_s).max(0.0),
        };
        changes.push((begin, 1));
        changes.push((begin + human_s, -1));
    }
    if changes.len() < 2 * LEAST as usize {
        return Vec::new();
    }
    // Ends before beginnings: a piece of work that follows another at once needs no second person.
    changes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let first = rows.contacts.first().map_or(0, |c| c.day()) * 24;
    let last = (rows.contacts.last().map_or(0, |c| c.day()) + 1) * 24;
    let mut peaks = vec![0; last - first];
    let (mut busy, mut at) = (0_i32, first);
    let mut raise = |from: usize, to: usize, busy: i32| {
        for hour in from..=to {
            if let Some(peak) = hour.checked_sub(first).and_then(|h| peaks.get_mut(h)) {
                *peak = busy.max(*peak as i32) as u32;
            }
        }
    };
    for (second, change) in changes {
        let hour = (second / 3_600.0).max(0.0) as usize;
        // The work under way reaches into every hour up to now.
        raise(at, hour, busy);
        busy += change;
        at = hour;
        raise(at, at, busy);
    }
    peaks
}

/// A zone with a fixed offset; POSIX names count west of Greenwich.
fn zone(utc_offset_hours: f64) -> String {
    match utc_offset_hours.round() as i32 {
        0 => "UTC".to_owned(),
        east if east > 0 => format!("Etc/GMT-{east}"),
        west => format!("Etc/GMT+{}", -west),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    #[test]
    fn zones_exist_and_have_their_offset() {
        for hours in [-12.0, -3.0, 0.0, 8.0, 14.0] {
            let found = TimeZone::get(&zone(hours)).unwrap();
            let offset = found.to_offset(jiff::Timestamp::UNIX_EPOCH);
            assert_eq!(f64::from(offset.seconds()), hours * 3_600.0, "{hours}");
        }
    }
}
