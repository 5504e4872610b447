//! Ranges of the shop's numbers, and errors that name the key.

use super::{MAX_TURNS, ShopConfig};
use crate::class::Class;

/// A key out of its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct ShopConfigError {
    /// The key, with its section.
    pub key: String,
    /// The value given.
    pub value: String,
    /// What would be right.
    pub expected: &'static str,
}

fn refuse<T: std::fmt::Debug>(
    key: &str,
    value: T,
    expected: &'static str,
) -> Result<(), ShopConfigError> {
    Err(ShopConfigError {
        key: key.to_owned(),
        value: format!("{value:?}"),
        expected,
    })
}

/// Each number in [0, 1].
fn shares(key: &str, values: &[f64]) -> Result<(), ShopConfigError> {
    match values.iter().find(|v| !(0.0..=1.0).contains(*v)) {
        Some(value) => refuse(key, value, "it lies in [0, 1]"),
        None => Ok(()),
    }
}

/// Non-negative finite weights, not all zero.
fn weights(key: &str, values: &[f64]) -> Result<(), ShopConfigError> {
    if values.iter().any(|v| !v.is_finite() || *v < 0.0) || values.iter().sum::<f64>() <= 0.0 {
        return refuse(
            key,
            values,
            "weights are at least 0 and one of them is above 0",
        );
    }
    Ok(())
}

/// Each number in (0, most].
fn positive(
    key: &str,
    values: &[f64],
    most: f64,
    expected: &'static str,
) -> Result<(), ShopConfigError> {
    match values.iter().find(|v| !(**v > 0.0 && **v <= most)) {
        Some(value) => refuse(key, value, expected),
        None => Ok(()),
    }
}

impl ShopConfig {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// [`ShopError::Toml`](crate::shop::ShopError::Toml) with line and column, or the first key out of range.
    pub fn from_toml(text: &str) -> Result<Self, crate::shop::ShopError> {
        let config: Self = toml::from_str(text)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks every number.
    ///
    /// # Errors
    /// [`ShopConfigError`] names the first key out of range, its value and the range.
    pub fn validate(&self) -> Result<(), ShopConfigError> {
        if !(1..=3_660).contains(&self.days) {
            return refuse("days", self.days, "it lies in 1 to 3660");
        }
        if !(1970..=2200).contains(&self.start.year()) {
            return refuse("start", self.start, "its year lies in 1970 to 2200");
        }
        if !(-12.0..=14.0).contains(&self.utc_offset_hours) {
            return refuse(
                "utc_offset_hours",
                self.utc_offset_hours,
                "it lies in [-12, 14]",
            );
        }
        positive(
            "daily_contacts",
            &[self.daily_contacts],
            1e7,
            "it lies in (0, 10000000]",
        )?;
        weights("hourly_profile", &self.hourly_profile)?;
        weights("weekday_profile", &self.weekday_profile)?;
        weights("channel_shares", &self.channel_shares)?;
        weights("class_shares_day", &self.class_shares_day)?;
        weights("class_shares_night", &self.class_shares_night)?;
        if self.night_hours.iter().any(|h| *h > 23) {
            return refuse("night_hours", self.night_hours, "hours lie in 0 to 23");
        }
        if !(1..=MAX_TURNS).contains(&self.max_turns) {
            return refuse("max_turns", self.max_turns, "it lies in 1 to 16");
        }
        self.validate_languages()?;
        self.validate_perception()?;
        self.validate_load()?;
        self.validate_tiers()?;
        self.validate_customers()
    }

    fn validate_languages(&self) -> Result<(), ShopConfigError> {
        if self.language.is_empty() || self.language.len() > 64 {
            return refuse(
                "language",
                self.language.len(),
                "there are 1 to 64 languages",
            );
        }
        let letters = |text: &str, most: usize| {
            (2..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphabetic())
        };
        for (position, language) in self.language.iter().enumerate() {
            if !letters(&language.tag, 3) {
                return refuse(
                    "language.tag",
                    &language.tag,
                    "a tag is two or three letters",
                );
            }
            if self.language[..position]
                .iter()
                .any(|l| l.tag == language.tag)
            {
                return refuse(
                    "language.tag",
                    &language.tag,
                    "every language stands there once",
                );
            }
            let key = |name: &str| format!("language.{}.{name}", language.tag);
            shares(&key("ai_support"), &[language.ai_support])?;
            shares(&key("human_share"), &[language.human_share])?;
            if language.regions.is_empty() || !language.regions.iter().all(|r| letters(r, 2)) {
                return refuse(
                    &key("regions"),
                    &language.regions,
                    "it lists at least one region of two letters",
                );
            }
        }
        let all: Vec<f64> = self.language.iter().map(|l| l.share).collect();
        weights("language.share", &all)
    }

    fn validate_perception(&self) -> Result<(), ShopConfigError> {
        let seen = &self.perception;
        for (class, row) in Class::ALL.iter().zip(&seen.confusion) {
            let key = format!("perception.confusion.{class}");
            shares(&key, row)?;
            if (row.iter().sum::<f64>() - 1.0).abs() > 1e-9 {
                return refuse(&key, row, "a row of the confusion matrix sums to 1");
            }
        }
        if seen.sentiment.iter().any(|s| !(-1.0..=1.0).contains(s)) {
            return refuse(
                "perception.sentiment",
                seen.sentiment,
                "sentiment lies in [-1, 1]",
            );
        }
        shares("perception.ambiguous_share", &[seen.ambiguous_share])?;
        shares("perception.sentiment_noise", &[seen.sentiment_noise])?;
        shares("perception.sentiment_fall", &[seen.sentiment_fall])?;
        shares("perception.coverage_noise", &[seen.coverage_noise])
    }

    fn validate_load(&self) -> Result<(), ShopConfigError> {
        let load = &self.load;
        for (key, people) in [
            ("load.humans", load.humans),
            ("load.reviewers", load.reviewers),
        ] {
            if !(1.0..=100_000.0).contains(&people) {
                return refuse(key, people, "it lies in [1, 100000]");
            }
        }
        weights("load.staff_profile", &load.staff_profile)?;
        positive(
            "load.weekend_staff",
            &[load.weekend_staff],
            10.0,
            "it lies in (0, 10]",
        )?;
        for (key, pressure) in [
            ("load.human_pressure", load.human_pressure),
            ("load.review_pressure", load.review_pressure),
        ] {
            if !(0.0..=2.0).contains(&pressure) {
                return refuse(key, pressure, "it lies in [0, 2]");
            }
        }
        if !(0.0..1.0).contains(&load.noise) {
            return refuse("load.noise", load.noise, "it lies in [0, 1)");
        }
        positive(
            "load.busy_max",
            &[load.busy_max],
            0.99,
            "it lies in (0, 0.99]",
        )
    }

    fn validate_tiers(&self) -> Result<(), ShopConfigError> {
        let hour = "it lies in (0, 3600] seconds";
        positive(
            "auto.latency_s",
            &[self.auto.latency_s],
            600.0,
            "it lies in (0, 600] seconds",
        )?;
        shares("auto.right", &self.auto.right)?;
        shares("auto.coverage_weight", &[self.auto.coverage_weight])?;
        shares("auto.retry", &[self.auto.retry])?;
        shares("review.repair", &self.review.repair)?;
        shares("review.needless_edit", &[self.review.needless_edit])?;
        shares("review.rewrite_share", &[self.review.rewrite_share])?;
        positive("review.seconds", &self.review.seconds, 3_600.0, hour)?;
        shares("human.solve", &self.human.solve)?;
        positive("human.handle_s", &self.human.handle_s, 3_600.0, hour)?;
        positive(
            "human.followup",
            &[self.human.followup],
            1.0,
            "it lies in (0, 1]",
        )?;
        positive(
            "human.first_word",
            &[self.human.first_word],
            1.0,
            "it lies in (0, 1]",
        )?;
        if !(0.0..=0.45).contains(&self.human.spread) {
            return refuse("human.spread", self.human.spread, "it lies in [0, 0.45]");
        }
        Ok(())
    }

    fn validate_customers(&self) -> Result<(), ShopConfigError> {
        let six_hours = "it lies in (0, 21600] seconds";
        let customer = &self.customer;
        positive(
            "customer.patience_s",
            &customer.patience_s,
            21_600.0,
            six_hours,
        )?;
        positive("customer.think_s", &[customer.think_s], 21_600.0, six_hours)?;
        shares("customer.leave", &customer.leave)?;
        shares("customer.ask_human", &customer.ask_human)?;
        let s = &self.satisfaction;
        for row in &s.solved {
            shares("satisfaction.solved", row)?;
        }
        shares("satisfaction.unsolved", &s.unsolved)?;
        shares("satisfaction.per_extra_turn", &[s.per_extra_turn])?;
        shares("satisfaction.per_minute", &[s.per_minute])?;
        shares("satisfaction.waiting_max", &[s.waiting_max])?;
        shares("satisfaction.per_sentiment", &[s.per_sentiment])?;
        shares("satisfaction.leniency", &[s.leniency])?;
        let after = &self.aftermath;
        shares("aftermath.reopen_solved", &after.reopen_solved)?;
        shares("aftermath.reopen_unsolved", &[after.reopen_unsolved])?;
        shares("aftermath.survey_base", &[after.survey_base])?;
        shares("aftermath.survey_extreme", &[after.survey_extreme])?;
        if after.survey_base + after.survey_extreme > 1.0 {
            return refuse(
                "aftermath.survey_extreme",
                after.survey_extreme,
                "survey_base + survey_extreme is at most 1",
            );
        }
        shares("aftermath.click", &after.click)?;
        shares("aftermath.convert_clicked", &[after.convert_clicked])?;
        shares("aftermath.convert_unclicked", &[after.convert_unclicked])?;
        let week = "it lies in (0, 604800] seconds";
        positive(
            "aftermath.click_delay_s",
            &[after.click_delay_s],
            604_800.0,
            week,
        )?;
        positive(
            "aftermath.conversion_delay_s",
            &[after.conversion_delay_s],
            604_800.0,
            week,
        )?;
        positive(
            "aftermath.order_value",
            &[after.order_value],
            1e9,
            "it lies in (0, 1000000000]",
        )?;
        if after.currency.len() != 3 || !after.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            return refuse(
                "aftermath.currency",
                &after.currency,
                "a currency is three capital letters",
            );
        }
        Ok(())
    }
}
