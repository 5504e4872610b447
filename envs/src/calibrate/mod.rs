//! Calibration: a contact centre whose numbers come from a log.
//!
//! Reads a log once into small rows, fits the days before the last ones, and says of every number what it rests on: its own
//! events, those of several cells, or an assumption with its reason. The days held out then show how well the simulated
//! centre meets what it has not seen ([`GoodnessOfFit`]). The customers and answers are [`ShopConfig`]'s, the people
//! [`CentreConfig`]'s; nothing is fitted that they do not have.

mod aftermath;
mod arrivals;
mod customers;
mod error;
mod estimate;
mod file;
mod fit;
mod parameter;
mod patience;
mod people;
mod rows;
mod satisfaction;
mod scoring;
mod service;
mod solving;
mod staffing;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

pub use self::error::CalibrateError;
pub use self::fit::{Band, Distribution, Forecast, GoodnessOfFit, Total};
pub use self::parameter::{LEAST, Parameter, Source};
pub use self::patience::{Patience, PatienceFit};
pub use self::satisfaction::RatingCell;

use self::arrivals::Days;
use self::parameter::Table;
use self::rows::Rows;
use crate::centre::{CentreConfig, Stage};
use crate::log::error::LogError;
use crate::log::model::Conversation;
use crate::shop::{ShopConfig, ShopRules, World};

/// How to calibrate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrateOptions {
    /// Hours that local time is ahead of UTC, in [-12, 14].
    pub utc_offset_hours: f64,
    /// Days at the end that are held out; absent: 30 %, none of fewer than four days.
    pub test_days: Option<u32>,
    /// Seeds of the centre that are compared with the days held out.
    pub replicas: u32,
    /// The first of them.
    pub seed: u64,
}

impl Default for CalibrateOptions {
    fn default() -> Self {
        Self {
            utc_offset_hours: 0.0,
            test_days: None,
            replicas: 40,
            seed: 1,
        }
    }
}

/// A centre fitted to a log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Conversations in the log.
    pub conversations: u64,
    /// Local days that they span.
    pub days: u32,
    /// Days at the end that were held out.
    pub test_days: u32,
    /// Customers, answers and what they lead to.
    pub shop: ShopConfig,
    /// The people.
    pub centre: CentreConfig,
    /// What every number rests on.
    pub parameters: Vec<Parameter>,
    /// Curves of patience.
    pub patience: Patience,
    /// Marks by class and tier beside the ordinal model's.
    pub ratings: Vec<RatingCell>,
    /// How the centre meets the days held out; absent when there are none.
    pub fit: Option<GoodnessOfFit>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Fewest conversations from which even arrivals can be told.
const FEWEST: u64 = 30;

/// Fits a centre to a log under the rules by which conversations will be rewarded and tiers masked.
///
/// # Errors
/// [`CalibrateError`] for a log that cannot be read, or that holds too little.
pub fn calibrate(
    log: impl Iterator<Item = Result<Conversation, LogError>>,
    rules: &ShopRules,
    options: &CalibrateOptions,
) -> Result<Calibration, CalibrateError> {
    if !(-12.0..=14.0).contains(&options.utc_offset_hours) {
        return Err(CalibrateError::Offset {
            hours: options.utc_offset_hours,
        });
    }
    let rows = Rows::of(log, options.utc_offset_hours)?;
    usable(&rows)?;
    let days = rows.day_count();
    let test_days = match options.test_days {
        Some(test_days) if test_days >= days => {
            return Err(CalibrateError::TooFewDays { days, test_days });
        }
        Some(test_days) => test_days,
        None if days < 4 => 0,
        None => ((f64::from(days) * 0.3).round() as u32).max(1),
    };
    let learn = days - test_days;
    let train = rows.days(0, learn);
    let first = first_day(&rows, options.utc_offset_hours);
    let weekday = first.weekday().to_monday_zero_offset() as usize;
    let mut shop = ShopConfig {
        start: first,
        days: learn.clamp(1, 3_660),
        utc_offset_hours: options.utc_offset_hours,
        ..ShopConfig::default()
    };
    let mut centre = CentreConfig {
        warmup_h: if learn > 1 { 24.0 } else { 0.0 },
        ..CentreConfig::default()
    };
    let mut table = Table::default();
    arrivals::fit(
        &Days::of(&rows, 0, learn, weekday),
        &mut shop,
        &mut centre,
        &mut table,
    );
    customers::fit(&train, &mut shop, &mut table);
    service::fit(&train, &mut shop, &mut table);
    let stays = service::stays(&train, &shop);
    let lacking =
        "it needs queue waits (`queue_wait_s`) of customers who left and of those who were served";
    let patience = patience::fit(&stays, lacking, &mut shop, &mut centre, &mut table);
    solving::fit(&train, &mut shop, &mut table);
    let (model, ratings) = satisfaction::fit(&train, &mut shop, &mut table);
    aftermath::fit(&train, &model, &mut shop, &mut table);
    people::fit(&train, weekday, &shop, &mut centre, &mut table);
    staffing::fit(&train, &shop, &mut centre, rules, options.seed, &mut table)?;
    table.assumed(
        "centre.reopen_after_s",
        None,
        centre.reopen_after_s,
        "the log does not say when conversations came back",
    );
    let world =
        World::new(shop.clone(), rules.clone()).map_err(crate::centre::CentreError::from)?;
    Stage::new(centre.clone(), world)?;
    let notes = notes(&rows, test_days);
    let mut calibration = Calibration {
        conversations: rows.contacts.len() as u64,
        days,
        test_days,
        shop,
        centre,
        parameters: table.parameters,
        patience,
        ratings,
        fit: None,
        notes,
    };
    if test_days > 0 {
        let test = rows.days(learn, days);
        calibration.fit = Some(fit::judge(
            &calibration,
            &train,
            &test,
            learn,
            &model,
            rules,
            options,
        )?);
    }
    Ok(calibration)
}

/// A log must hold conversations, answers, and times of answers.
fn usable(rows: &Rows) -> Result<(), CalibrateError> {
    let conversations = rows.contacts.len() as u64;
    let answers = rows.every_answer().count() as u64;
    if answers == 0 {
        return Err(CalibrateError::NoAnswers { conversations });
    }
    if conversations < FEWEST {
        return Err(CalibrateError::TooFew {
            have: conversations,
            needed: FEWEST,
        });
    }
    let timed = rows
        .every_answer()
        .any(|(_, _, a)| a.answer_s.is_some() || a.human_s.is_some());
    if !timed {
        return Err(CalibrateError::NoTimes { answers });
    }
    Ok(())
}

/// The log's first local day.
fn first_day(rows: &Rows, utc_offset_hours: f64) -> Date {
    let local_us = rows.midnight + (utc_offset_hours * 3.6e9) as i64;
    Timestamp::from_microsecond(local_us).map_or(Date::constant(1970, 1, 1), |at| {
        at.to_zoned(TimeZone::UTC).date()
    })
}

/// A day some days later.
fn later(day: Date, days: u32) -> Date {
    day.saturating_add(i64::from(days).days())
}

fn notes(rows: &Rows, test_days: u32) -> Vec<String> {
    let mut notes = Vec::new();
    let tiers = [0, 1, 2].map(|tier| {
        rows.every_answer()
            .filter(|(_, _, answer)| answer.tier.index() == tier)
            .count()
    });
    for (tier, n) in solving::TIERS.iter().zip(tiers) {
        if n == 0 {
            notes.push(format!(
                "tier {tier} was never taken: whatever is said of it is assumed"
            ));
        }
    }
    if !rows.resolution_known {
        notes.push(
            "no conversation says that it was resolved: the last answer counts as having solved"
                .to_owned(),
        );
    }
    if rows.contacts.iter().all(|c| c.queue_s.is_none()) {
        notes.push(
            "no queue waits: patience is assumed, and waits of the centre cannot be compared"
                .to_owned(),
        );
    }
    if test_days == 0 {
        notes.push("no days were held out: the fit has not been tried on anything".to_owned());
    }
    notes
}
