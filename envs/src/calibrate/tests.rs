//! Calibration against a log whose true numbers are known, and against logs that lack things.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

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

/// A shop with one language whose guesses are right, so that what is seen from outside is the truth.
fn plain() -> ShopConfig {
    let mut shop = ShopConfig {
        days: 13,
        daily_contacts: 500.0,
        utc_offset_hours: 0.0,
        ..ShopConfig::default()
    };
    shop.perception.confusion = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    shop.language.retain(|language| language.tag == "en");
    shop.aftermath.survey_base = 0.5;
    shop.aftermath.reopen_solved = [0.0; 3];
    shop.aftermath.reopen_unsolved = 0.0;
    shop
}

fn crew() -> CentreConfig {
    let mut centre = CentreConfig {
        warmup_h: 0.0,
        cooldown_h: 0.0,
        overdispersion: 0.15,
        ..CentreConfig::default()
    };
    let team = |people: u32, from: &str, to: &str| crate::centre::TeamConfig {
        people,
        languages: Vec::new(),
        days: Vec::new(),
        from: from.to_owned(),
        to: to.to_owned(),
        breaks: Vec::new(),
    };
    centre.pool[0].zone = "UTC".to_owned();
    centre.pool[0].team = vec![
        team(2, "08:00", "16:00"),
        team(2, "16:00", "00:00"),
        team(1, "00:00", "08:00"),
    ];
    centre
}

/// A log of a centre, as seen from outside.
fn centre_log(seed: u64) -> (Arc<Stage>, Vec<Conversation>) {
    use crate::centre::{Centre, Happening};
    let world = World::new(plain(), ShopRules::default()).unwrap();
    let stage = Stage::new(crew(), world).unwrap();
    let mut centre = Centre::new(Arc::clone(&stage), seed, 1);
    let mut open: Vec<Conversation> = Vec::new();
    let mut log = Vec::new();
    loop {
        let happening = centre.advance();
        let slot = match happening {
            Happening::Decision(slot) | Happening::Closed(slot, _) => slot as usize,
            Happening::Over => break,
        };
        if open.len() <= slot {
            open.resize(slot + 1, minimal(""));
        }
        let first = matches!(happening, Happening::Decision(s) if centre.is_first(s));
        if !first {
            let answer = *centre.answer(slot as u32);
            let c = &mut open[slot];
            let last = c.decisions.last_mut().unwrap();
            (last.answer_s, last.human_s, last.review) =
                (answer.answer_s, Some(answer.human_s), answer.review);
            c.queue_wait_s = Some(c.queue_wait_s.unwrap_or(0.0) + answer.queue_s);
        }
        match happening {
            Happening::Decision(s) => {
                if first {
                    let mut c = minimal(&format!("c{}", centre.number(s)));
                    c.created_at = centre.now();
                    c.language = Some("en".to_owned());
                    open[slot] = c;
                }
                let at = centre.situation(s);
                let tier = at.mask.uniform().pick(centre.choice(s));
                let c = &mut open[slot];
                c.class = at.observation.class();
                c.decisions.push(crate::log::model::Decision {
                    turn: c.decisions.len() as i32,
                    decided_at: centre.now(),
                    observation: at.observation,
                    mask: at.mask,
                    ..decision(tier)
                });
                centre.act(s, tier);
            }
            Happening::Closed(s, end) => {
                let c = &mut open[slot];
                c.closed_at = Some(centre.now());
                c.abandoned = Some(end.ending.abandoned);
                c.resolution_s = end.ending.solved.then_some(1.0);
                c.outcomes_tracked = Some(true);
                let after = centre.aftermath(s).unwrap();
                c.clicked_at = after.click_s.map(|s| centre.now().plus_seconds(s));
                if let Some((mark, _)) = after.rating {
                    c.rating_raw = Some(mark as i8);
                    c.rating_scale = Some(crate::class::RatingScale::FivePoint);
                }
                log.push(c.clone());
            }
            Happening::Over => {}
        }
    }
    log.sort_by_key(|c| c.created_at);
    (stage, log)
}

static CENTRE: LazyLock<(Arc<Stage>, Vec<Conversation>)> = LazyLock::new(|| centre_log(4));

#[test]
fn a_centre_is_met_by_the_one_fitted_to_its_log() {
    let (_, log) = &*CENTRE;
    let found = calibrated(
        log,
        &CalibrateOptions {
            test_days: Some(3),
            replicas: 12,
            ..CalibrateOptions::default()
        },
    )
    .unwrap();
    let truth = plain();
    let close = |key: &str, values: &[f64]| {
        let of: Vec<&Parameter> = found.parameters.iter().filter(|p| p.key == key).collect();
        assert_eq!(of.len(), values.len(), "{key}");
        for (p, value) in of.iter().zip(values) {
            if let Some(se) = p.standard_error.filter(|_| p.source == Source::Fitted) {
                assert!(
                    (p.estimate - value).abs() < 4.0 * se + 1e-5 * value,
                    "{key}: {value} not in {}",
                    p.comment()
                );
            }
        }
    };
    close("shop.customer.patience_s", &truth.customer.patience_s);
    close("shop.human.handle_s", &truth.human.handle_s);
    close("shop.auto.right", &truth.auto.right);
    close("shop.aftermath.click", &truth.aftermath.click);
    close("shop.daily_contacts", &[truth.daily_contacts]);
    let fit = found.fit.as_ref().unwrap();
    assert_eq!((fit.days, fit.replicas), (3, 12));
    // What does not hang on how people are spread over the day is met: the figure lies within a tenth, bands cover most.
    for name in [
        "conversations",
        "answers per conversation",
        "mean rating, 0 to 1",
    ] {
        let total = fit.totals.iter().find(|t| t.name == name).unwrap();
        assert!(
            (total.simulated / total.observed - 1.0).abs() < 0.25,
            "{total:?}"
        );
    }
    let arrivals = fit
        .bands
        .iter()
        .find(|b| b.name == "arrivals by hour")
        .unwrap();
    // 72 hours at 0.9, days moving together: three standard errors are about 0.12 for independent hours.
    assert!(
        arrivals.cells == 72 && arrivals.coverage() > 0.7,
        "{}",
        arrivals.coverage()
    );
    for d in &fit.distributions {
        let allowed = if d.name.contains("work") { 0.12 } else { 0.3 };
        assert!(d.distance < allowed, "{} {}", d.name, d.distance);
    }
    // People were set so that the mean queue of the days learned from is met; three other days vary about it.
    let queue = fit
        .totals
        .iter()
        .find(|t| t.name == "mean seconds in queues")
        .unwrap();
    assert!(
        (queue.simulated / queue.observed).ln().abs() < 1.0,
        "{queue:?}"
    );
    let people = found
        .parameters
        .iter()
        .find(|p| p.key == "centre.pool.team.people")
        .unwrap();
    assert!(
        people
            .note
            .as_deref()
            .unwrap()
            .contains("nearest to the log's"),
        "{people:?}"
    );
    for forecast in &fit.forecasts {
        assert!(
            forecast.brier <= forecast.brier_of_mean + 0.01,
            "{forecast:?}"
        );
        assert!(forecast.calibration_error < 0.12, "{forecast:?}");
    }
}

#[test]
fn calibration_does_not_hang_on_the_number_of_threads() {
    let (_, log) = &*CENTRE;
    let options = CalibrateOptions {
        test_days: Some(1),
        replicas: 2,
        ..CalibrateOptions::default()
    };
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        let found = pool
            .install(|| calibrated(&log[..1_500], &options))
            .unwrap();
        serde_json::to_string(&found).unwrap()
    };
    assert_eq!(on(1), on(8));
}

#[test]
fn a_traced_log_comes_at_its_times_with_its_own_messages() {
    use crate::centre::{Centre, Happening, Trace};
    use crate::observation::Feature;
    let (stage, log) = &*CENTRE;
    let mut trace = Trace::default();
    for conversation in log.iter().rev() {
        trace.push(conversation, stage.world(), 0.0);
    }
    assert_eq!(trace.contacts().len(), log.len());
    assert_eq!(trace.left_out().outside + trace.left_out().language, 0);
    let mut foreign = log[0].clone();
    foreign.language = Some("xx".to_owned());
    trace.push(&foreign, stage.world(), 0.0);
    let mut late = log[0].clone();
    late.created_at = late.created_at.plus_seconds(1e8);
    trace.push(&late, stage.world(), 0.0);
    assert_eq!(
        (trace.left_out().language, trace.left_out().outside),
        (1, 1)
    );
    let replay = Stage::replaying(crew(), Arc::clone(stage.world()), trace).unwrap();
    let mut centre = Centre::new(Arc::clone(&replay), 99, 1);
    let (mut met, mut ended) = (0, 0);
    loop {
        match centre.advance() {
            Happening::Decision(slot) => {
                let at = centre.situation(slot);
                let logged = &log[centre.number(slot) as usize];
                let first = &logged.decisions[0].observation;
                if centre.is_first(slot) {
                    met += 1;
                    assert_eq!(centre.now(), logged.created_at);
                    for feature in [
                        Feature::Class,
                        Feature::Sentiment,
                        Feature::LengthChars,
                        Feature::KnowledgeCoverage,
                    ] {
                        assert_eq!(at.observation.get(feature), first.get(feature));
                    }
                    assert_eq!(at.text, None);
                }
                assert_eq!(
                    at.observation.get(Feature::ValueDecile),
                    first.get(Feature::ValueDecile)
                );
                let tier = at.mask.nearest(Tier::Human);
                centre.act(slot, tier);
            }
            Happening::Closed(..) => ended += 1,
            Happening::Over => break,
        }
    }
    assert_eq!((met, ended), (log.len(), log.len()));
}
