//! What was recorded can be computed again.

use super::*;
use crate::router::snapshot::draw;

#[tokio::test]
async fn arm_share_and_tier_follow_from_the_record() {
    let mut bench = Bench::new().await;
    let other = json!({ "floor": 0.1, "coverage": 0.8, "rule": { "ramp": [0.2, 0.5] } });
    bench.start(other).await;
    for unit in 0..200 {
        bench.decide(&format!("u{unit}")).await;
        if unit == 100 {
            bench.clock.advance(1.0);
            bench.act("ramp", json!({ "share": 0.5 })).await;
        }
    }
    bench.judge().await;
    let (_, answer) = bench.get("/v1/experiments/tiers").await;
    let row = bench
        .service
        .store
        .experiment("tiers")
        .await
        .unwrap()
        .unwrap();
    let experiment = crate::router::judge::parse(&row).unwrap();
    let decisions = bench.service.store.decisions(None, 1000).await.unwrap();
    assert_eq!(decisions.len(), 200);
    let mut inside = 0;
    for decision in decisions.iter().map(|row| &row.exposure) {
        if decision.experiment.is_empty() {
            continue;
        }
        inside += 1;
        let revision = experiment.revision_numbered(decision.revision).unwrap();
        let arm = revision.allocation.arm(decision.bucket).unwrap();
        assert_eq!(u16::from(arm), decision.arm);
        assert_eq!(revision.allocation.share(arm), decision.share);
        let probabilities = decision.probabilities.map(f64::from);
        let u = draw(decision.decision_id);
        let tier = probabilities
            .iter()
            .scan(0.0, |sum, p| {
                *sum += p;
                Some(*sum)
            })
            .position(|sum| u < sum)
            .unwrap();
        // Single precision may move a boundary by a ten-millionth.
        let edge = probabilities
            .iter()
            .scan(0.0, |sum, p| {
                *sum += p;
                Some(*sum)
            })
            .any(|sum| (u - sum).abs() < 1e-6);
        assert!(edge || tier + 1 == usize::from(decision.tier));
        assert_eq!(
            decision.propensity,
            decision.probabilities[usize::from(decision.tier) - 1]
        );
    }
    let audit = crate::router::audit::audit(&*bench.service.store, "tiers", &baseline())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (audit.assignments_equal, audit.propensities_equal),
        (inside, inside),
        "{audit:?}"
    );
    assert_eq!(audit.differences, 0);
    // Four of five take part: 160 of 200, within five standard deviations.
    assert!((132..=188).contains(&inside), "{inside}: {answer}");
}

#[test]
fn draws_are_uniform() {
    // Kolmogorov-Smirnov at 10,000 ids of one millisecond: the 0.1 % point is 1.95 / sqrt(n) (Smirnov 1948).
    let mut draws: Vec<f64> = (0..10_000)
        .map(|_| draw(super::super::service::new_decision_id(START_US)))
        .collect();
    draws.sort_by(f64::total_cmp);
    let n = draws.len() as f64;
    let distance = draws
        .iter()
        .enumerate()
        .map(|(i, u)| (u - i as f64 / n).abs().max((u - (i + 1) as f64 / n).abs()))
        .fold(0.0, f64::max);
    assert!(distance < 1.95 / n.sqrt(), "{distance}");
}

#[tokio::test]
async fn an_altered_record_is_found() {
    let mut bench = Bench::new().await;
    bench.start(json!({})).await;
    bench.decide("c").await;
    bench.judge().await;
    let row = bench
        .service
        .store
        .decisions(None, 1)
        .await
        .unwrap()
        .remove(0)
        .exposure;
    for (number, change) in [
        |row: &mut crate::store::ExposureRow| row.share = 0.25,
        |row: &mut crate::store::ExposureRow| row.arm = 1 - row.arm,
        |row: &mut crate::store::ExposureRow| row.propensity = 0.5,
        |row: &mut crate::store::ExposureRow| row.revision = 9,
    ]
    .into_iter()
    .enumerate()
    {
        let mut altered = row.clone();
        altered.decision_id = uuid::Uuid::from_u128(row.decision_id.as_u128() + 1 + number as u128);
        change(&mut altered);
        bench
            .service
            .store
            .record_exposures(&[altered])
            .await
            .unwrap();
        let audit = crate::router::audit::audit(&*bench.service.store, "tiers", &baseline())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(audit.differences, number as u64 + 1, "{audit:?}");
    }
}
