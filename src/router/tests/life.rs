//! The life of an experiment, watched: promotion, roll-back, ramps, crashes and clocks.

use super::*;

/// A number in [0, 1) that belongs to a customer.
fn luck_of(id: &str) -> f64 {
    let hash = blake3::hash(id.as_bytes());
    f64::from(u32::from_le_bytes(hash.as_bytes()[..4].try_into().unwrap())) / 2_f64.powi(32)
}

/// Sends `units` customers an hour for `hours`; a customer of arm k converts with probability `rates[k]`, 10 minutes later.
async fn live(bench: &mut Bench, name: &str, hours: u32, units: u32, rates: [f64; 2]) -> String {
    for hour in 0..hours {
        for unit in 0..units {
            let id = format!("{name}-{hour}-{unit}");
            let decision = bench.decide(&id).await;
            let arm = usize::from(decision["arm"] == "challenger");
            if luck_of(&id) < rates[arm] {
                bench
                    .event("tierwise.conversion.v1", &decision, &id, None)
                    .await;
            }
            bench.clock.advance(HOUR_S / f64::from(units));
        }
        bench.judge().await;
        let phase = bench.phase().await;
        if phase != "running" {
            return phase;
        }
    }
    bench.phase().await
}

#[tokio::test]
async fn a_better_challenger_is_promoted_and_its_holdback_ends() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "holdback_days": 1.0 } }))
        .await;
    assert_eq!(live(&mut bench, "x", 40, 100, [0.1, 0.3]).await, "promoted");
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    assert_eq!(answer["arms"][0]["share"], 0.05);
    assert_eq!(answer["arms"][1]["share"], 0.95);
    let (_, history) = bench.get("/v1/experiments/tiers/history").await;
    let last = history["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["action"], &last["actor"]),
        (&json!("promote"), &json!("judge"))
    );
    // The numbers behind it: the e-value beyond 1/0.025.
    let log_e = last["evidence"][0]["verdict"]["log_e"].as_f64().unwrap();
    assert!(log_e >= 40_f64.ln(), "{log_e}");
    // Units that meet the challenger get its policy.
    let decision = bench.decide("somebody").await;
    assert!(decision["policy"] == "b" || decision["arm"] == "champion");
    bench.clock.advance(DAY_S + 1.0);
    bench.judge().await;
    assert_eq!(bench.phase().await, "completed");
    for unit in 0..50 {
        assert_eq!(bench.decide(&format!("after {unit}")).await["policy"], "b");
    }
}

#[tokio::test]
async fn a_worse_challenger_is_rolled_back() {
    let mut bench = Bench::new().await;
    bench.start(json!({})).await;
    assert_eq!(
        live(&mut bench, "x", 40, 100, [0.3, 0.1]).await,
        "rolled_back"
    );
    assert_eq!(bench.decide("somebody").await["policy"], "a");
}

#[tokio::test]
async fn a_harmed_guardrail_rolls_back_what_converts_better() {
    let mut bench = Bench::new().await;
    let guardrail = json!([{
        "name": "escalation", "event": "tierwise.escalation.v1", "window_hours": 0.5, "grace_minutes": 1.0, "harm": "higher",
    }]);
    bench
        .start(json!({ "guardrail": guardrail, "rule": { "minimum_days": 7.0 } }))
        .await;
    for unit in 0..800 {
        let id = format!("u{unit}");
        let decision = bench.decide(&id).await;
        if decision["arm"] == "challenger" {
            bench
                .event(
                    "tierwise.conversion.v1",
                    &decision,
                    &format!("c{unit}"),
                    None,
                )
                .await;
            bench
                .event(
                    "tierwise.escalation.v1",
                    &decision,
                    &format!("e{unit}"),
                    None,
                )
                .await;
        }
        bench.clock.advance(30.0);
    }
    bench.clock.advance(2.0 * HOUR_S);
    bench.judge().await;
    assert_eq!(bench.phase().await, "rolled_back");
    let (_, history) = bench.get("/v1/experiments/tiers/history").await;
    let last = history["history"].as_array().unwrap().last().unwrap();
    assert!(
        last["reason"]
            .as_str()
            .unwrap()
            .contains("harms `escalation`"),
        "{last}"
    );
}

#[tokio::test]
async fn a_shared_pool_holds_a_user_split_back() {
    let mut bench = Bench::new().await;
    bench.start(json!({ "pool": { "shared": true } })).await;
    assert_eq!(live(&mut bench, "x", 15, 100, [0.1, 0.5]).await, "running");
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    let verdict = &answer["challengers"][0]["verdict"];
    assert_eq!(
        (&verdict["kind"], &verdict["reason"]),
        (&json!("broken"), &json!("interference")),
        "{verdict}"
    );
}

#[tokio::test]
async fn a_bound_on_the_bias_lets_a_large_difference_through() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "pool": { "shared": true, "interference_bias": 0.05 } }))
        .await;
    assert_eq!(live(&mut bench, "x", 30, 100, [0.1, 0.5]).await, "promoted");
}

#[tokio::test]
async fn the_ramp_goes_up_step_by_step() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "ramp": [0.1, 0.3, 0.5], "minimum_days": 7.0 } }))
        .await;
    assert_eq!(live(&mut bench, "x", 12, 100, [0.2, 0.2]).await, "running");
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    assert_eq!(answer["arms"][1]["share"], 0.5);
    let (_, history) = bench.get("/v1/experiments/tiers/history").await;
    let actions: Vec<_> = history["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["action"].clone())
        .collect();
    assert_eq!(actions, ["create", "start", "ramp", "ramp"]);
}

#[tokio::test]
async fn a_switchback_compares_blocks() {
    let mut bench = Bench::new().await;
    let blocks = json!({ "block_minutes": 60.0, "washout_minutes": 10.0 });
    let changes = json!({ "design": "switchback", "switchback": blocks });
    bench.start(changes).await;
    let phase = live(&mut bench, "x", 72, 40, [0.1, 0.6]).await;
    assert_eq!(phase, "promoted");
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_promotes_nothing_by_itself() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "minimum_days": 3.0 } }))
        .await;
    assert_eq!(live(&mut bench, "x", 20, 100, [0.1, 0.5]).await, "running");
    bench.clock.advance(30.0 * DAY_S);
    bench.judge().await;
    assert_eq!(bench.phase().await, "running");
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    assert!(
        answer["challengers"][0]["evidence"]["superior"]
            .as_bool()
            .unwrap()
    );
    // And one that was set back neither, nor does it stop the kill switch.
    bench.clock.set(START_US - 1);
    bench.judge().await;
    let (status, _) = bench.post("/v1/experiments/tiers/pause", json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    bench.act("kill", json!({ "reason": "enough" })).await;
    assert_eq!(bench.phase().await, "killed");
    assert_eq!(bench.decide("somebody").await["policy"], "a");
}

#[tokio::test]
async fn a_restart_comes_to_the_same_evidence() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "minimum_days": 7.0 } }))
        .await;
    live(&mut bench, "x", 6, 60, [0.2, 0.4]).await;
    let (_, before) = bench.get("/v1/experiments/tiers").await;
    let row = bench
        .service
        .store
        .experiment("tiers")
        .await
        .unwrap()
        .unwrap();
    let experiment = crate::router::judge::parse(&row).unwrap();
    let ledger = crate::router::judge::load(&*bench.service.store, &experiment)
        .await
        .unwrap();
    let (evidence, _) = ledger.verdicts(&experiment, bench.clock.now_us()).remove(0);
    assert_eq!(
        before["challengers"][0]["evidence"]["log_promote"],
        json!(evidence.log_promote)
    );
    assert!(evidence.units[0] + evidence.units[1] > 200);
}

#[tokio::test]
async fn events_after_the_window_or_before_it_was_read_count_as_written() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "minimum_days": 7.0 } }))
        .await;
    let mut decisions = Vec::new();
    for unit in 0..60 {
        decisions.push(bench.decide(&format!("u{unit}")).await);
    }
    // Half convert within the hour, half after it: the second half never counts.
    bench.clock.advance(0.9 * HOUR_S);
    for (unit, decision) in decisions
        .iter()
        .enumerate()
        .filter(|(unit, _)| unit % 2 == 0)
    {
        bench
            .event(
                "tierwise.conversion.v1",
                decision,
                &format!("early {unit}"),
                None,
            )
            .await;
    }
    bench.clock.advance(0.2 * HOUR_S);
    for (unit, decision) in decisions
        .iter()
        .enumerate()
        .filter(|(unit, _)| unit % 2 == 1)
    {
        bench
            .event(
                "tierwise.conversion.v1",
                decision,
                &format!("late {unit}"),
                None,
            )
            .await;
    }
    bench.clock.advance(HOUR_S);
    bench.judge().await;
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    let arms = answer["metrics"][0]["arms"].as_array().unwrap();
    let units: u64 = arms.iter().map(|arm| arm["units"].as_u64().unwrap()).sum();
    let sum: f64 = arms.iter().map(|arm| arm["sum"].as_f64().unwrap()).sum();
    assert_eq!((units, sum), (60, 30.0));
}

#[tokio::test]
async fn a_customer_counts_once_in_the_first_arm() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "ramp": [0.1, 0.5], "minimum_days": 7.0 } }))
        .await;
    let first = bench.decide("one").await;
    bench.clock.advance(60.0);
    bench.act("ramp", json!({ "share": 0.5 })).await;
    let second = bench.decide("one").await;
    bench
        .event("tierwise.conversion.v1", &second, "e", None)
        .await;
    bench.clock.advance(2.0 * HOUR_S);
    bench.judge().await;
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    let arm = usize::from(first["arm"] == "challenger");
    let totals = &answer["metrics"][0]["arms"];
    assert_eq!(totals[arm], json!({ "units": 1, "sum": 1.0 }));
    assert_eq!(totals[1 - arm], json!({ "units": 0, "sum": 0.0 }));
}

#[tokio::test]
async fn forced_arms_are_answered_and_never_counted() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "minimum_days": 7.0 } }))
        .await;
    let (_, forced) = bench
        .post(
            "/v1/decide",
            json!({ "experiment": "tiers", "unit_id": "tester", "force_arm": "challenger" }),
        )
        .await;
    assert_eq!(
        (&forced["arm"], &forced["forced"], &forced["tier"]),
        (&json!("challenger"), &json!(true), &json!(2))
    );
    bench.clock.advance(3.0 * HOUR_S);
    bench.judge().await;
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    assert_eq!(answer["arms"][1]["entered"], 0);
}
