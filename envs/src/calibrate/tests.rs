//! Calibration against a log whose true numbers are known, and against logs that lack things.

mod centre;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::*;
use crate::class::ActionSource;
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

fn calibrated(
    log: &[Conversation],
    options: &CalibrateOptions,
) -> Result<Calibration, CalibrateError> {
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
        put(
            "hourly_profile",
            Some(&cell),
            value / mean(&shop.hourly_profile),
        );
    }
    for (day, value) in ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        .iter()
        .zip(shop.weekday_profile)
    {
        put(
            "weekday_profile",
            Some(day),
            value / mean(&shop.weekday_profile),
        );
    }
    for language in &shop.language {
        put("language.share", Some(&language.tag), language.share);
    }
    let lists: [(&str, [&str; 3], [f64; 3]); 13] = [
        ("class_shares_day", CLASSES, shop.class_shares_day),
        ("class_shares_night", CLASSES, shop.class_shares_night),
        ("human.handle_s", CLASSES, shop.human.handle_s),
        ("human.solve", CLASSES, shop.human.solve),
        (
            "review.seconds",
            ["accepted", "edited", "rejected"],
            shop.review.seconds,
        ),
        ("review.repair", CLASSES, shop.review.repair),
        ("auto.right", CLASSES, shop.auto.right),
        ("customer.patience_s", CLASSES, shop.customer.patience_s),
        ("customer.leave", CLASSES, shop.customer.leave),
        ("customer.ask_human", TIERS, shop.customer.ask_human),
        ("satisfaction.unsolved", CLASSES, shop.satisfaction.unsolved),
        (
            "aftermath.reopen_solved",
            TIERS,
            shop.aftermath.reopen_solved,
        ),
        ("aftermath.click", CLASSES, shop.aftermath.click),
    ];
    for (key, cells, values) in lists {
        for (cell, value) in cells.iter().zip(values) {
            put(key, Some(cell), value);
        }
    }
    for (class, row) in CLASSES.iter().zip(shop.satisfaction.solved) {
        for (tier, value) in TIERS.iter().zip(row) {
            put(
                "satisfaction.solved",
                Some(&format!("{class} {tier}")),
                value,
            );
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
        (
            "satisfaction.per_extra_turn",
            shop.satisfaction.per_extra_turn,
        ),
        ("satisfaction.per_minute", shop.satisfaction.per_minute),
        (
            "satisfaction.per_sentiment",
            shop.satisfaction.per_sentiment,
        ),
        ("aftermath.reopen_unsolved", shop.aftermath.reopen_unsolved),
        ("aftermath.survey_base", shop.aftermath.survey_base),
        ("aftermath.survey_extreme", shop.aftermath.survey_extreme),
        ("aftermath.click_delay_s", shop.aftermath.click_delay_s),
        ("aftermath.convert_clicked", shop.aftermath.convert_clicked),
        (
            "aftermath.convert_unclicked",
            shop.aftermath.convert_unclicked,
        ),
        (
            "aftermath.conversion_delay_s",
            shop.aftermath.conversion_delay_s,
        ),
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
            // A cell that is rare in this log may be pooled, with its reason.
            if p.source != Source::Pooled || p.n >= LEAST || p.note.is_none() {
                wrong.push(format!("{key} {cell:?} is {:?}: {:?}", p.source, p.note));
            }
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
    assert!(fitted >= 110, "{fitted} of {}", truth.len());
    // Errors have the size they claim: standardised deviations have a mean square of about 1 (χ² of about 110 degrees of
    // freedom over them: 1 ± 0.14), a little less where an error is bounded from above.
    let squares: Vec<f64> = found
        .parameters
        .iter()
        .filter(|p| p.source == Source::Fitted)
        .filter_map(|p| {
            let value = truth.get(&(p.key.clone(), p.cell.clone()))?;
            let se = p.standard_error.filter(|se| *se > 1e-6 * value.abs())?;
            Some(((p.estimate - value) / se).powi(2))
        })
        .collect();
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    assert!((0.5..1.6).contains(&mean), "{mean} over {}", squares.len());
}

#[test]
fn the_file_says_what_the_numbers_rest_on_and_can_be_built_again() {
    let found = calibrated(&LOG[..3_000], &options()).unwrap();
    let text = found.to_toml("mine", &["a line about it".to_owned()]);
    let file: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(file["name"].as_str(), Some("mine"));
    assert_eq!(file.len(), 3);
    let shop: ShopConfig = file["shop"].clone().try_into().unwrap();
    let centre: CentreConfig = file["centre"].clone().try_into().unwrap();
    assert_eq!((&shop, &centre), (&found.shop, &found.centre));
    let world = World::new(shop, ShopRules::default()).unwrap();
    assert!(Stage::new(centre, world).is_ok());
    for line in [
        "# a line about it",
        "# simple auto: 0.",
        "# 24 numbers ± at most",
        "the log does not say who worked",
        "# assumed: ",
    ] {
        assert!(text.contains(line), "{line} not in\n{text}");
    }
}

#[test]
fn a_log_that_lacks_everything_is_refused_with_its_reason() {
    let answered = |id: usize, answer_s: Option<f64>| {
        let mut c = minimal(&format!("c{id}"));
        c.decisions = vec![crate::log::model::Decision {
            answer_s,
            ..decision(Tier::Review)
        }];
        c
    };
    let many = |answer_s| (0..40).map(|i| answered(i, answer_s)).collect::<Vec<_>>();
    let undecided: Vec<Conversation> = (0..40).map(|i| minimal(&format!("c{i}"))).collect();
    let cases = [
        (Vec::new(), options(), "holds no conversation"),
        (
            undecided,
            options(),
            "none of the 40 conversations has a decision",
        ),
        (
            many(Some(3.0))[..29].to_vec(),
            options(),
            "holds 29 conversations",
        ),
        (many(None), options(), "none of the 40 answers has a time"),
        (
            many(Some(3.0)),
            CalibrateOptions {
                test_days: Some(1),
                ..options()
            },
            "1 days are to be held out of 1",
        ),
        (
            many(Some(3.0)),
            CalibrateOptions {
                utc_offset_hours: 15.0,
                ..options()
            },
            "offset is 15 hours",
        ),
    ];
    for (log, options, expected) in cases {
        let error = calibrated(&log, &options).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn what_one_tier_without_times_of_queues_cannot_tell_is_assumed() {
    let log: Vec<Conversation> = LOG
        .iter()
        .filter(|c| c.decisions.iter().all(|d| d.action == Tier::Review))
        .map(|c| {
            let mut c = c.clone();
            c.queue_wait_s = None;
            c.outcomes_tracked = Some(false);
            (c.clicked_at, c.converted_at, c.order_value) = (None, None, None);
            (c.reopened_7d, c.reopens, c.rating_raw) = (None, None, None);
            for d in &mut c.decisions {
                (d.probs, d.propensity, d.propensity_kind) = (None, None, None);
                d.human_s = Some(60.0);
                d.observation = crate::observation::Observation::unknown();
            }
            c
        })
        .collect();
    let found = calibrated(&log, &options()).unwrap();
    for key in [
        "shop.customer.patience_s",
        "shop.human.handle_s",
        "shop.human.solve",
        "shop.human.followup",
        "shop.human.first_word",
        "shop.human.spread",
        "shop.auto.latency_s",
        "shop.auto.coverage_weight",
        "shop.review.needless_edit",
        "shop.customer.ask_human",
        "shop.satisfaction.solved",
        "shop.satisfaction.unsolved",
        "shop.perception.confusion",
        "shop.perception.sentiment",
        "shop.aftermath.click",
        "shop.aftermath.convert_clicked",
        "shop.aftermath.reopen_solved",
        "shop.aftermath.survey_base",
    ] {
        let of: Vec<&Parameter> = found.parameters.iter().filter(|p| p.key == key).collect();
        assert!(!of.is_empty(), "{key}");
        for p in of {
            assert_eq!(p.source, Source::Assumed, "{p:?}");
            assert!(p.standard_error.is_none() && p.note.is_some(), "{p:?}");
        }
    }
    // Every review took 60 s: a default, and no measure of spread.
    let spread = found
        .parameters
        .iter()
        .find(|p| p.key == "shop.human.spread")
        .unwrap();
    assert!(
        spread.note.as_deref().unwrap().contains("one value"),
        "{spread:?}"
    );
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.contains("tier human was never taken"))
    );
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.contains("no queue waits"))
    );
}
