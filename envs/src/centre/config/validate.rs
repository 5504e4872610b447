//! Ranges of the centre's numbers, and errors that name the key.

use jiff::civil::Time;
use jiff::tz::TimeZone;

use super::{BreakConfig, CentreConfig, MAX_TEAMS, OutageConfig, PoolConfig, Spread};
use crate::shop::ShopConfig;
use crate::tier::Tier;

/// A key out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct CentreConfigError {
    /// The key, with its section.
    pub key: String,
    /// The value given.
    pub value: String,
    /// What would be right.
    pub expected: String,
}

type Checked = Result<(), CentreConfigError>;

fn refuse(key: impl Into<String>, value: impl ToString, expected: impl Into<String>) -> Checked {
    Err(CentreConfigError {
        key: key.into(),
        value: value.to_string(),
        expected: expected.into(),
    })
}

fn within(key: &str, value: f64, low: f64, high: f64, unit: &str) -> Checked {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        refuse(key, value, format!("it lies in [{low}, {high}]{unit}"))
    }
}

fn above_zero(key: &str, value: f64, high: f64, unit: &str) -> Checked {
    if value > 0.0 && value <= high {
        Ok(())
    } else {
        refuse(key, value, format!("it lies in (0, {high}]{unit}"))
    }
}

/// `HH:MM` on a 24-hour clock.
pub(in crate::centre) fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| {
        (digits.len() == 2)
            .then(|| digits.parse::<i8>().ok())
            .flatten()
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

fn time_of_day(key: &str, text: &str) -> Checked {
    match clock(text) {
        Some(_) => Ok(()),
        None => refuse(
            key,
            format!("{text:?}"),
            "a time of day is HH:MM, such as \"09:30\"",
        ),
    }
}

fn zone(key: &str, name: &str) -> Checked {
    match TimeZone::get(name) {
        Ok(_) => Ok(()),
        Err(_) => refuse(
            key,
            format!("{name:?}"),
            "an IANA time zone, such as \"Asia/Shanghai\"",
        ),
    }
}

impl CentreConfig {
    /// Checks every number, and that every language of the shop has somebody who answers or reviews it.
    ///
    /// # Errors
    /// [`CentreConfigError`] names the first key out of range, its value and the range.
    pub fn validate(&self, shop: &ShopConfig) -> Checked {
        within("overdispersion", self.overdispersion, 0.0, 2.0, "")?;
        self.validate_patience()?;
        above_zero("reopen_after_s", self.reopen_after_s, 604_800.0, " seconds")?;
        within("warmup_h", self.warmup_h, 0.0, 8_760.0, " hours")?;
        within("cooldown_h", self.cooldown_h, 0.0, 168.0, " hours")?;
        if let Some(hours) = &self.hours {
            zone("hours.zone", &hours.zone)?;
            time_of_day("hours.from", &hours.from)?;
            time_of_day("hours.to", &hours.to)?;
        }
        self.validate_ai()?;
        let teams: usize = self.pool.iter().map(|pool| pool.team.len()).sum();
        if self.pool.is_empty() {
            return refuse(
                "pool",
                "empty",
                "at least one pool; tiers 2 and 3 are people",
            );
        }
        if teams > MAX_TEAMS {
            return refuse(
                "pool.team",
                teams,
                format!("at most {MAX_TEAMS} teams in all"),
            );
        }
        for (position, pool) in self.pool.iter().enumerate() {
            if self.pool[..position].iter().any(|p| p.name == pool.name) {
                return refuse("pool.name", &pool.name, "every pool has a name of its own");
            }
            validate_pool(pool, shop)?;
        }
        for outage in &self.outage {
            self.validate_outage(outage, shop)?;
        }
        self.validate_cover(shop)
    }

    fn validate_patience(&self) -> Checked {
        match &self.patience {
            Spread::Exponential => Ok(()),
            Spread::Lognormal { cv } => above_zero("patience.cv", *cv, 10.0, ""),
            Spread::Empirical { samples_s } => {
                if samples_s.iter().any(|s| !(s.is_finite() && *s > 0.0)) {
                    return refuse(
                        "patience.samples_s",
                        "a value that is not above 0",
                        "every sample is above 0 seconds",
                    );
                }
                if samples_s.windows(2).all(|w| w[0] == w[1]) {
                    return refuse(
                        "patience.samples_s",
                        format!("{} samples of one value", samples_s.len()),
                        "at least two different values; one value is no distribution",
                    );
                }
                Ok(())
            }
        }
    }

    fn validate_ai(&self) -> Checked {
        if self.ai.replicas == Some(0) {
            return refuse(
                "ai.replicas",
                0,
                "at least 1; leave it out for as many as are asked for",
            );
        }
        let Some(scale) = &self.ai.autoscale else {
            return Ok(());
        };
        if self.ai.replicas.is_none() {
            return refuse(
                "ai.autoscale",
                "given",
                "it needs `ai.replicas`, the number at the start",
            );
        }
        match scale.validate() {
            Ok(()) => Ok(()),
            Err(error) => refuse(
                format!("ai.autoscale.{}", error.key),
                error.value,
                format!("it {}", error.expected),
            ),
        }
    }

    fn validate_outage(&self, outage: &OutageConfig, shop: &ShopConfig) -> Checked {
        let period_h = f64::from(shop.days) * 24.0;
        if !(0.0..period_h).contains(&outage.start_h) {
            return refuse(
                "outage.start_h",
                outage.start_h,
                format!(
                    "it lies in [0, {period_h}) hours, within the {} days simulated",
                    shop.days
                ),
            );
        }
        above_zero("outage.duration_h", outage.duration_h, 8_760.0, " hours")?;
        if outage.start_h + outage.duration_h > period_h {
            return refuse(
                "outage.duration_h",
                outage.duration_h,
                format!(
                    "the outage would end {} h after the run does; end it within the {} days simulated, or simulate more",
                    outage.start_h + outage.duration_h - period_h,
                    shop.days
                ),
            );
        }
        within("outage.people_lost", outage.people_lost, 0.0, 1.0, "")?;
        within("outage.ai_lost", outage.ai_lost, 0.0, 1.0, "")?;
        within("outage.dropped", outage.dropped, 0.0, 1.0, "")?;
        within(
            "outage.reroute_delay_s",
            outage.reroute_delay_s,
            0.0,
            86_400.0,
            " seconds",
        )?;
        if outage.people_lost == 0.0 && outage.ai_lost == 0.0 {
            return refuse(
                "outage.people_lost",
                0,
                "an outage takes away people or AI replicas",
            );
        }
        if outage.ai_lost > 0.0 && self.ai.replicas.is_none() {
            return refuse(
                "outage.ai_lost",
                outage.ai_lost,
                "it needs `ai.replicas`, for a share of unlimited workers is none",
            );
        }
        for name in &outage.pools {
            if !self.pool.iter().any(|pool| pool.name == *name) {
                return refuse("outage.pools", name, "it names pools of this centre");
            }
        }
        known_languages("outage.languages", &outage.languages, shop)
    }

    /// Somebody must be able to answer every customer at tier 2, which is never forbidden.
    fn validate_cover(&self, shop: &ShopConfig) -> Checked {
        for language in &shop.language {
            let covered = self.pool.iter().any(|pool| {
                pool.tiers.contains(&Tier::Review)
                    && pool.team.iter().any(|team| {
                        pool.review_any_language
                            || team.languages.is_empty()
                            || team.languages.contains(&language.tag)
                    })
            });
            if !covered {
                return refuse(
                    "pool.team.languages",
                    format!("without {}", language.tag),
                    format!(
                        "`{}` is a language of the shop that nobody can review; name it in a team, or set \
                         `review_any_language = true`",
                        language.tag
                    ),
                );
            }
        }
        Ok(())
    }
}

fn validate_pool(pool: &PoolConfig, shop: &ShopConfig) -> Checked {
    let key = |name: &str| format!("pool.{name}");
    if pool.name.is_empty() {
        return refuse("pool.name", "empty", "a pool has a name");
    }
    zone(&key("zone"), &pool.zone)?;
    if pool.tiers.is_empty() || pool.tiers.contains(&Tier::Auto) {
        return refuse(
            key("tiers"),
            format!(
                "{:?}",
                pool.tiers.iter().map(|t| t.name()).collect::<Vec<_>>()
            ),
            "people do \"review\", \"human\" or both",
        );
    }
    if !(1..=16).contains(&pool.concurrency) {
        return refuse(key("concurrency"), pool.concurrency, "it lies in 1 to 16");
    }
    within(&key("slowdown"), pool.slowdown, 0.0, 2.0, "")?;
    if pool.team.is_empty() {
        return refuse(
            key("team"),
            format!("missing in {:?}", pool.name),
            "a pool has at least one team; nobody would be on shift",
        );
    }
    for team in &pool.team {
        if !(1..=100_000).contains(&team.people) {
            return refuse(
                key("team.people"),
                team.people,
                "it lies in 1 to 100000; a team of nobody is never on shift",
            );
        }
        time_of_day(&key("team.from"), &team.from)?;
        time_of_day(&key("team.to"), &team.to)?;
        known_languages(&key("team.languages"), &team.languages, shop)?;
        for pause in &team.breaks {
            validate_break(pause)?;
        }
    }
    Ok(())
}

fn validate_break(pause: &BreakConfig) -> Checked {
    time_of_day("pool.team.breaks.at", &pause.at)?;
    if !(1..=480).contains(&pause.minutes) {
        return refuse(
            "pool.team.breaks.minutes",
            pause.minutes,
            "it lies in 1 to 480 minutes",
        );
    }
    above_zero("pool.team.breaks.share", pause.share, 1.0, "")
}

fn known_languages(key: &str, tags: &[String], shop: &ShopConfig) -> Checked {
    match tags
        .iter()
        .find(|tag| !shop.language.iter().any(|l| l.tag == **tag))
    {
        None => Ok(()),
        Some(tag) => refuse(
            key,
            tag,
            "it names languages of `shop.language`; no customer writes in this one",
        ),
    }
}
