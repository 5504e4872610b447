//! Calibration against a log whose true numbers are known, and against logs that lack things.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::*;
use crate::class::{ActionSource, Class};
use crate::env::Situation;
use crate::log::model::Conversation;
use crate::log::samples::{decision, minimal};
use crate::shop::{LogIdentity, MaskedChoice};
use crate::tier::{Tier, TierProbs};

/// A shop whose people are busy enough for customers to lose patience.
fn shop() -> ShopConfig {
    let mut shop = ShopConfig {
        days: 28,
        daily_contacts: 700.0,
        ..ShopConfig::default()
    };
    shop.load.humans = 6.0;
    shop.load.reviewers = 3.0;
    shop.load.human_pressure = 0.8;
    shop.load.review_pressure = 0.75;
    shop.aftermath.survey_base = 0.4;
    shop
}

fn uniform(at: &Situation<'_>) -> TierProbs {
    at.mask.uniform()
}

fn generated(shop: ShopConfig) -> Vec<Conversation> {
    let world = World::new(shop, ShopRules::default()).unwrap();
    let identity = LogIdentity {
        seed: 11,
        policy_id: "uniform".to_owned(),
        policy_version: "1".to_owned(),
        action_source: ActionSource::Policy,
    };
    let mut log = Vec::new();
    world
        .generate_log(&identity, &uniform, |conversation| {
            log.push(conversation);
            Ok::<(), MaskedChoice>(())
        })
        .unwrap();
    log
}

static LOG: LazyLock<Vec<Conversation>> = LazyLock::new(|| generated(shop()));

fn calibrated(log: &[Conversation], options: &CalibrateOptions) -> Result<Calibration, CalibrateError> {
    calibrate(log.iter().cloned().map(Ok), &ShopRules::default(), options)
}

fn options() -> CalibrateOptions {
    CalibrateOptions {
        utc_offset_hours: 8.0,
        test_days: Some(0),
        ..CalibrateOptions::default()
    }
}

/// Every number of a configuration by the key and cell of its parameter.
fn truth(shop: &ShopConfig) -> BTreeMap<(String, Option<String>), f64> {
    const CLASSES: [&str; 3] = ["simple", "complex", "complaint"];
    const TIERS: [&str; 3] = ["auto", "review", "human"];
    let mut all = BTreeMap::new();
    let mut put = |key: &str, cell: Option<&str>, value: f64| {
        all.insert((format!("shop.{key}"), cell.map(str::to_owned)), value);
    };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    put("daily_contacts", None, shop.daily_contacts);
    for (hour, value) in shop.hourly_profile.iter().enumerate() {
        let cell = format!("{hour:02}h");
        put("hourly_profile", Some(&cell), value / mean(&shop.hourly_profile));
    }
    for (day, value) in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .zip(shop.weekday_profile)
    {
        put("weekday_profile", Some(day), value / mean(&shop.weekday_profile));
    }
    for language in &shop.language {
        put("language.share", Some(&language.tag), language.share);
    }
    let lists: [(&str, [&str; 3], [f64; 3]); 13] = [
        ("class_shares_day", CLASSES, shop.class_shares_day),
        ("class_shares_night", CLASSES, shop.class_shares_night),
        ("human.handle_s", CLASSES, shop.human.handle_s),
        ("human.solve", CLASSES, shop.human.solve),
        ("review.seconds", ["accepted", "edited", "rejected"], shop.review.seconds),
        ("review.repair", CLASSES, shop.review.repair),
        ("auto.right", CLASSES, shop.auto.right),
        ("customer.patience_s", CLASSES, shop.customer.patience_s),
        ("customer.leave", CLASSES, shop.customer.leave),
        ("customer.ask_human", TIERS, shop.customer.ask_human),
        ("satisfaction.unsolved", CLASSES, shop.satisfaction.unsolved),
        ("aftermath.reopen_solved", TIERS, shop.aftermath.reopen_solved),
        ("aftermath.click", CLASSES, shop.aftermath.click),
    ];
    for (key, cells, values) in lists {
        for (cell, value) in cells.iter().zip(values) {
            put(key, Some(cell), value);
        }
    }
    for (class, row) in CLASSES.iter().zip(shop.satisfaction.solved) {
        for (tier, value) in TIERS.iter().zip(row) {
            put("satisfaction.solved", Some(&format!("{class} {tier}")), value);
        }
    }
    let singles = [
        ("human.followup", shop.human.followup),
        ("human.first_word", shop.human.first_word),
        ("human.spread", shop.human.spread),
        ("auto.latency_s", shop.auto.latency_s),
        ("auto.coverage_weight", shop.auto.coverage_weight),
        ("auto.retry", shop.auto.retry),
        ("review.needless_edit", shop.review.needless_edit),
        ("review.rewrite_share", shop.review.rewrite_share),
        ("customer.think_s", shop.customer.think_s),
        ("satisfaction.per_extra_turn", shop.satisfaction.per_extra_turn),
        ("satisfaction.per_minute", shop.satisfaction.per_minute),
        ("satisfaction.per_sentiment", shop.satisfaction.per_sentiment),
        ("aftermath.reopen_unsolved", shop.aftermath.reopen_unsolved),
        ("aftermath.survey_base", shop.aftermath.survey_base),
        ("aftermath.survey_extreme", shop.aftermath.survey_extreme),
        ("aftermath.click_delay_s", shop.aftermath.click_delay_s),
        ("aftermath.convert_clicked", shop.aftermath.convert_clicked),
        ("aftermath.convert_unclicked", shop.aftermath.convert_unclicked),
        ("aftermath.conversion_delay_s", shop.aftermath.conversion_delay_s),
        ("aftermath.order_value", shop.aftermath.order_value),
        ("max_turns", f64::from(shop.max_turns)),
    ];
    for (key, value) in singles {
        put(key, None, value);
    }
    all
}

#[test]
fn true_numbers_are_found_within_four_standard_errors() {
    let found = calibrated(&LOG, &options()).unwrap();
    let truth = truth(&shop());
    let mut wrong = Vec::new();
    let mut fitted = 0;
    for ((key, cell), value) in &truth {
        let p = found
            .parameters
            .iter()
            .find(|p| p.key == *key && p.cell == *cell)
            .unwrap_or_else(|| panic!("{key} {cell:?} is not in the table"));
        if p.source != Source::Fitted {
            wrong.push(format!("{key} {cell:?} is {:?}: {:?}", p.source, p.note));
            continue;
        }
        fitted += 1;
        // Six digits are written.
        let allowed = 4.0 * p.standard_error.unwrap() + 1e-5 * value.abs();
        if (p.estimate - value).abs() > allowed {
            wrong.push(format!("{key} {cell:?}: {value} not in {}", p.comment()));
        }
    }
    assert!(wrong.is_empty(), "of {fitted}:\n{}", wrong.join("\n"));
}
