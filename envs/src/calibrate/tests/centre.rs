//! Calibration against the log of a centre, and that log replayed.

use std::sync::{Arc, LazyLock};

use super::*;

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
