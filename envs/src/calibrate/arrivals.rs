//! When customers come: volume, profiles of the week and the day, and how much more days vary than Poisson counts.

use super::estimate::Estimate;
use super::parameter::{LEAST, Source, Table};
use super::rows::Rows;
use crate::centre::CentreConfig;
use crate::shop::ShopConfig;

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Arrivals by local day and hour.
#[derive(Debug)]
pub(super) struct Days {
    /// Weekday of the first day, Monday = 0.
    weekday: usize,
    /// Arrivals in each hour of each day.
    hours: Vec<[u32; 24]>,
    /// Whether the log covers the whole day.
    whole: Vec<bool>,
}

impl Days {
    /// Counts the days `from` to before `to` of a log whose first day is a given weekday.
    ///
    /// The first and the last day count as cut when more than 7 arrivals were to be expected between the day's edge and the
    /// log's: by chance that happens once in e⁷ ≈ 1,100 logs.
    pub(super) fn of(rows: &Rows, from: u32, to: u32, weekday: usize) -> Self {
        let mut hours = vec![[0; 24]; (to - from) as usize];
        let (mut first_s, mut last_s) = (f64::INFINITY, 0.0_f64);
        for contact in &rows.contacts {
            let day = contact.day();
            if (from as usize..to as usize).contains(&day) {
                hours[day - from as usize][contact.hour()] += 1;
                first_s = first_s.min(contact.at_s);
                last_s = last_s.max(contact.at_s);
            }
        }
        let mut whole = vec![true; hours.len()];
        if hours.len() >= 3 {
            let inner = &hours[1..hours.len() - 1];
            let mut mean = [0.0; 24];
            for day in inner {
                for (sum, count) in mean.iter_mut().zip(day) {
                    *sum += f64::from(*count) / inner.len() as f64;
                }
            }
            let begin = (first_s - f64::from(from) * 86_400.0).max(0.0) / 3_600.0;
            let end = (f64::from(to) * 86_400.0 - last_s).max(0.0) / 3_600.0;
            let expected = |hour: usize, missing: f64| mean[hour] * missing.clamp(0.0, 1.0);
            let before: f64 = (0..24).map(|h| expected(h, begin - h as f64)).sum();
            let after: f64 = (0..24).map(|h| expected(23 - h, end - h as f64)).sum();
            let last = whole.len() - 1;
            whole[0] = before <= 7.0;
            whole[last] = after <= 7.0;
        }
        Self {
            weekday: (weekday + from as usize) % 7,
            hours,
            whole,
        }
    }

    /// Whether the log ends in the middle of the last day.
    pub(super) fn ends_cut(&self) -> bool {
        self.whole.last() == Some(&false)
    }

    /// Arrivals of whole days, with their weekday.
    fn counts(&self) -> impl Iterator<Item = (usize, f64)> {
        self.hours
            .iter()
            .zip(&self.whole)
            .enumerate()
            .filter(|(_, (_, whole))| **whole)
            .map(|(day, (hours, _))| {
                let count: u32 = hours.iter().sum();
                ((self.weekday + day) % 7, f64::from(count))
            })
    }
}

/// What the week looks like.
struct Week {
    days: [f64; 7],
    mean: [f64; 7],
    /// Some weekdays were seen less than twice: all days share one mean.
    flat: bool,
    daily: f64,
    counts: Vec<(usize, f64)>,
}

impl Week {
    fn of(days: &Days) -> Self {
        let counts: Vec<(usize, f64)> = days.counts().collect();
        let (mut seen, mut sum) = ([0.0; 7], [0.0; 7]);
        for (weekday, count) in &counts {
            seen[*weekday] += 1.0;
            sum[*weekday] += count;
        }
        let all = counts.iter().map(|(_, count)| count).sum::<f64>() / counts.len().max(1) as f64;
        let flat = seen.iter().any(|n| *n < 2.0);
        let mean = [0, 1, 2, 3, 4, 5, 6].map(|w| if flat { all } else { sum[w] / seen[w] });
        Self {
            days: seen,
            daily: mean.iter().sum::<f64>() / 7.0,
            mean,
            flat,
            counts,
        }
    }

    /// Days behind the mean of a weekday.
    fn behind(&self, weekday: usize) -> f64 {
        if self.flat {
            self.counts.len() as f64
        } else {
            self.days[weekday]
        }
    }

    /// The squared coefficient of variation of a day's factor, by moments: days vary as m + cv² m² about means of k days, so
    /// cv² = Σ[(N − m̂)² − (1 − 1/k) m̂] / Σ(1 − 1/k) m̂². Its error takes the factor as gamma, whose excess kurtosis is 6 cv².
    fn dispersion(&self) -> Option<Estimate> {
        let (mut above, mut below) = (0.0, 0.0);
        for (weekday, count) in &self.counts {
            let (m, free) = (self.mean[*weekday], 1.0 - 1.0 / self.behind(*weekday));
            above += (count - m).powi(2) - free * m;
            below += free * m * m;
        }
        let days = self.counts.len();
        if below <= 0.0 || days < 7 {
            return None;
        }
        let square = (above / below).max(0.0);
        let spread: f64 = self
            .counts
            .iter()
            .map(|(weekday, _)| {
                let (m, free) = (self.mean[*weekday], 1.0 - 1.0 / self.behind(*weekday));
                let variance = m + square * m * m;
                (free * variance).powi(2) * (2.0 + 6.0 * square)
            })
            .sum();
        let error = spread.sqrt() / below;
        let cv = square.sqrt();
        Some(Estimate {
            value: cv,
            // Near 0 the square root has no slope: the error of the square itself bounds cv.
            standard_error: if square > error {
                error / (2.0 * cv)
            } else {
                error.sqrt() / 2.0
            },
            n: days as u64,
        })
    }
}

/// Volume, profiles and overdispersion.
pub(super) fn fit(
    days: &Days,
    shop: &mut ShopConfig,
    centre: &mut CentreConfig,
    table: &mut Table,
) {
    let week = Week::of(days);
    let dispersion = week.dispersion();
    let square = dispersion.map_or(0.0, |cv| cv.value * cv.value);
    let variance = |weekday: usize| {
        let m = week.mean[weekday];
        (m + square * m * m) / week.behind(weekday).max(1.0)
    };
    let whole = week.counts.len() as f64;
    let daily_error = if week.flat {
        variance(0).sqrt()
    } else {
        (0..7).map(variance).sum::<f64>().sqrt() / 7.0
    };
    shop.daily_contacts = super::parameter::digits(week.daily, 6).clamp(1e-6, 1e7);
    table.note(
        "shop.daily_contacts",
        None,
        Estimate {
            value: shop.daily_contacts,
            standard_error: daily_error,
            n: (week.daily * whole).round() as u64,
        },
        Source::Fitted,
        Some(format!("{whole} whole days")),
    );
    weekdays(&week, variance, shop, table);
    hours(days, shop, table);
    match dispersion {
        Some(cv) => {
            let value = super::parameter::digits(cv.value, 6).min(2.0);
            let note = (cv.value > 2.0).then(|| {
                format!(
                    "the log says {:.2}; 2 is the most the simulator takes",
                    cv.value
                )
            });
            let estimate = Estimate { value, ..cv };
            centre.overdispersion = value;
            let source = if cv.n >= LEAST {
                Source::Fitted
            } else {
                Source::Pooled
            };
            let note = note.or_else(|| {
                (cv.n < LEAST).then(|| format!("{} days only; one factor for all weekdays", cv.n))
            });
            table.note("centre.overdispersion", None, estimate, source, note);
        }
        None => table.assumed(
            "centre.overdispersion",
            None,
            centre.overdispersion,
            "fewer than 7 whole days: how days vary cannot be told",
        ),
    }
}

fn weekdays(
    week: &Week,
    variance: impl Fn(usize) -> f64,
    shop: &mut ShopConfig,
    table: &mut Table,
) {
    for (weekday, name) in WEEKDAYS.iter().enumerate() {
        let events = week.mean[weekday] * week.behind(weekday);
        let key = "shop.weekday_profile";
        if week.flat || week.daily <= 0.0 {
            shop.weekday_profile[weekday] = 1.0;
            table.assumed(
                key,
                Some(name),
                1.0,
                "not every weekday was seen twice: all days alike",
            );
            continue;
        }
        let value = super::parameter::digits(week.mean[weekday] / week.daily, 6);
        shop.weekday_profile[weekday] = value;
        // m_w over the mean of all seven: the day itself is one of them.
        let others: f64 = (0..7).filter(|w| *w != weekday).map(&variance).sum();
        let own = variance(weekday) * (1.0 - value / 7.0).powi(2);
        let estimate = Estimate {
            value,
            standard_error: (own + others * (value / 7.0).powi(2)).sqrt() / week.daily,
            n: events.round() as u64,
        };
        table.note(key, Some(name), estimate, Source::Fitted, None);
    }
}

/// Share of each hour, 24 times: the mean hour is 1. Hours with fewer than 30 arrivals share their mean.
fn hours(days: &Days, shop: &mut ShopConfig, table: &mut Table) {
    let mut counts = [0_u64; 24];
    for (hours, whole) in days.hours.iter().zip(&days.whole) {
        if *whole || days.hours.len() < 3 {
            for (sum, count) in counts.iter_mut().zip(hours) {
                *sum += u64::from(*count);
            }
        }
    }
    let total: u64 = counts.iter().sum();
    let few: Vec<usize> = (0..24).filter(|h| counts[*h] < LEAST).collect();
    let together: u64 = few.iter().map(|h| counts[*h]).sum();
    for (hour, own) in counts.into_iter().enumerate() {
        let cell = format!("{hour:02}h");
        let key = "shop.hourly_profile";
        let pooled = own < LEAST;
        let (count, over) = if pooled {
            (together, few.len() as f64)
        } else {
            (own, 1.0)
        };
        let share = Estimate::share(count, total).map(|share| share.times(24.0 / over));
        let Some(share) = share else {
            continue;
        };
        let value = super::parameter::digits(share.value, 6);
        shop.hourly_profile[hour] = value;
        let note = pooled.then(|| {
            format!(
                "{own} arrivals, so the mean of the {} quiet hours",
                few.len()
            )
        });
        let estimate = Estimate {
            value,
            n: count,
            ..share
        };
        let source = if pooled {
            Source::Pooled
        } else {
            Source::Fitted
        };
        table.note(key, Some(&cell), estimate, source, note);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_distr::{Distribution, Gamma, Poisson};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// Days of gamma-Poisson counts with a weekday and an hourly profile.
    fn days(n: usize, daily: f64, cv: f64, seed: u64) -> (Days, [f64; 7], [f64; 24]) {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
        let weekday = [1.1, 0.9, 1.0, 0.8, 1.2, 1.3, 0.7];
        let hour: [f64; 24] = std::array::from_fn(|h| if h < 12 { 0.5 } else { 1.5 });
        let gamma = Gamma::new(1.0 / (cv * cv), cv * cv).unwrap();
        let hours = (0..n)
            .map(|day| {
                let factor: f64 = gamma.sample(&mut random);
                std::array::from_fn(|h| {
                    let mean = daily / 24.0 * weekday[day % 7] * hour[h] * factor;
                    Poisson::new(mean).unwrap().sample(&mut random) as u32
                })
            })
            .collect();
        let days = Days {
            weekday: 0,
            hours,
            whole: vec![true; n],
        };
        (days, weekday, hour)
    }

    #[test]
    fn what_was_drawn_is_found_within_four_standard_errors() {
        for (seed, cv) in [(1, 0.15), (2, 0.3)] {
            let (days, weekday, hour) = days(140, 900.0, cv, seed);
            let (mut shop, mut centre) = (ShopConfig::default(), CentreConfig::default());
            let mut table = Table::default();
            fit(&days, &mut shop, &mut centre, &mut table);
            let truth = |key: &str, cell: Option<&str>| match (key, cell) {
                ("shop.daily_contacts", _) => 900.0,
                ("shop.weekday_profile", Some(day)) => {
                    weekday[WEEKDAYS.iter().position(|w| *w == day).unwrap()]
                }
                ("shop.hourly_profile", Some(cell)) => hour[cell[..2].parse::<usize>().unwrap()],
                _ => cv,
            };
            assert_eq!(table.parameters.len(), 1 + 7 + 24 + 1);
            for p in &table.parameters {
                assert_eq!(p.source, Source::Fitted, "{p:?}");
                let off = p.estimate - truth(&p.key, p.cell.as_deref());
                // A day's factor moves all its hours alike, so their shares keep the multinomial error.
                assert!(off.abs() < 4.0 * p.standard_error.unwrap(), "{p:?}");
            }
        }
    }

    #[test]
    fn poisson_days_show_no_overdispersion_beyond_its_error() {
        let (days, ..) = days(140, 900.0, 1e-4, 5);
        let cv = Week::of(&days).dispersion().unwrap();
        assert!(cv.value <= 4.0 * cv.standard_error, "{cv:?}");
    }

    #[test]
    fn few_days_and_quiet_hours_are_said_to_be_so() {
        let (mut days, ..) = days(5, 50.0, 0.1, 3);
        for day in &mut days.hours {
            day[3] = 0;
        }
        let (mut shop, mut centre) = (ShopConfig::default(), CentreConfig::default());
        let mut table = Table::default();
        fit(&days, &mut shop, &mut centre, &mut table);
        let of = |key: &str| {
            table
                .parameters
                .iter()
                .filter(|p| p.key == key)
                .map(|p| p.source)
                .collect::<Vec<_>>()
        };
        assert_eq!(of("centre.overdispersion"), [Source::Assumed]);
        assert_eq!(of("shop.weekday_profile"), [Source::Assumed; 7]);
        assert!(of("shop.hourly_profile").contains(&Source::Pooled));
        assert!(shop.hourly_profile[3] > 0.0);
    }
}
