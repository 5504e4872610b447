//! Faults from outside: slow policies, too many requests, a clock that goes back, receivers that are down.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::HeaderMap;
use futures_util::FutureExt;
use sha2::{Digest, Sha256};

use super::super::settings::{Limits, WebhookSettings};
use super::super::webhook;
use super::*;

/// A clock on which every look takes ten milliseconds.
struct Slow(AtomicU64);

impl Clock for Slow {
    fn now_us(&self) -> i64 {
        START_US
    }
    fn monotonic_ns(&self) -> u64 {
        self.0.fetch_add(10_000_000, Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_policy_that_is_too_slow_is_answered_for_by_the_rules() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let quick = bench.decide("c").await;
    assert!(quick["fallback"].is_null());
    let folder = tempfile::tempdir().unwrap();
    for (budget_ms, fallback) in [(5.0, json!("policy_too_slow")), (15.0, json!(null))] {
        let settings = Settings {
            data: folder.path().join(format!("{budget_ms}")),
            policy_budget_ms: budget_ms,
            ..Settings::default()
        };
        let clock = Arc::new(Slow(AtomicU64::new(0)));
        let store = bench.service.store.clone();
        let (service, _parts) = Service::open(settings, store, clock, baseline())
            .await
            .unwrap();
        let app = http::app(service.clone());
        let request =
            Request::post("/v1/decide").body(Body::from(json!({ "unit_id": "c" }).to_string()));
        let response = app.oneshot(request.unwrap()).await.unwrap();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 16)
            .await
            .unwrap();
        let decision: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(decision["fallback"], fallback, "{decision}");
        // Whoever answers, the customer stays in the arm.
        assert_eq!(decision["arm"], quick["arm"]);
        let tier = if fallback.is_null() {
            &quick["tier"]
        } else {
            &json!(3)
        };
        assert_eq!(&decision["tier"], tier);
    }
}

#[tokio::test]
async fn what_is_too_much_is_shed_and_the_rest_goes_on() {
    let limits = Limits {
        concurrent: 4,
        ..Limits::default()
    };
    let bench = Bench::with(Settings {
        limits,
        ..Settings::default()
    })
    .await;
    bench.start(json!({})).await;
    // Four requests whose bodies never end hold every slot.
    let mut held = Vec::new();
    for _ in 0..4 {
        let endless = futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>();
        let request = Request::post("/v1/decide")
            .body(Body::from_stream(endless))
            .unwrap();
        let mut answer = Box::pin(bench.app.clone().oneshot(request));
        assert!((&mut answer).now_or_never().is_none());
        held.push(answer);
    }
    for _ in 0..40 {
        let request = Request::post("/v1/decide")
            .body(Body::from(r#"{"unit_id": "c"}"#))
            .unwrap();
        let response = bench.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
    }
    for probe in ["/healthz", "/readyz"] {
        assert_eq!(bench.get(probe).await.0, StatusCode::OK, "{probe}");
    }
    held.pop();
    bench.decide("c").await;
    drop(held);
    // Ten times as many as fit, at once: what is accepted is answered in full, and recorded.
    let before = bench.decided();
    let requests =
        (0..40).map(|unit| bench.post("/v1/decide", json!({ "unit_id": format!("u{unit}") })));
    let answers = futures_util::future::join_all(requests).await;
    let accepted = answers
        .iter()
        .filter(|(status, _)| *status == StatusCode::OK)
        .count();
    assert!(
        answers
            .iter()
            .all(|(status, answer)| match status.as_u16() {
                200 => answer["arm"].is_string(),
                status => status == 503,
            })
    );
    assert!(accepted >= 4, "{accepted}");
    assert_eq!(bench.decided() - before, accepted as u64);
}

#[tokio::test]
async fn a_clock_that_goes_back_an_hour_harms_nothing() {
    let mut bench = Bench::new().await;
    bench
        .start(json!({ "rule": { "minimum_units": 5000 } }))
        .await;
    let mut seen = Vec::new();
    for unit in 0..60 {
        seen.push(bench.decide(&format!("u{unit}")).await);
    }
    bench.clock.advance(10.0);
    bench.judge().await;
    bench.clock.advance(-HOUR_S);
    for (unit, before) in seen.iter().enumerate() {
        let again = bench.decide(&format!("u{unit}")).await;
        assert_eq!(again["arm"], before["arm"]);
        // Its outcome, which names no time, belongs after the decision that it names.
        bench
            .event("tierwise.conversion.v1", before, &unit.to_string(), None)
            .await;
    }
    bench.judge().await;
    // Moves wait for the clock, all but the last resort.
    let (status, answer) = bench.post("/v1/experiments/tiers/pause", json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
    assert!(answer.to_string().contains("a clock was set back"));
    bench.act("kill", json!({})).await;
    assert_eq!(bench.service.store.orphan_events().await.unwrap(), 0);
    assert_eq!(
        bench
            .service
            .store
            .decisions(None, 1000)
            .await
            .unwrap()
            .len(),
        120
    );
}

/// HMAC-SHA256 as RFC 2104 writes it, for keys of at most a block.
fn hmac(key: &str, message: &str) -> String {
    let pad = |with: u8| {
        let mut block = [with; 64];
        block
            .iter_mut()
            .zip(key.bytes())
            .for_each(|(byte, key)| *byte ^= key);
        block
    };
    let inner = Sha256::new()
        .chain_update(pad(0x36))
        .chain_update(message)
        .finalize();
    let code = Sha256::new()
        .chain_update(pad(0x5c))
        .chain_update(inner)
        .finalize();
    code.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_receiver_that_is_down_does_not_keep_others_from_hearing() {
    // RFC 4231, case 2.
    assert_eq!(
        hmac("Jefe", "what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let receive = move |headers: HeaderMap, body: String| async move {
        let _ = tell.send((headers, body));
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let receiver = axum::Router::new().route("/hook", axum::routing::post(receive));
    tokio::spawn(async move { axum::serve(listener, receiver).await });

    let folder = tempfile::tempdir().unwrap();
    let secret_file = folder.path().join("secret");
    std::fs::write(&secret_file, "a shared secret\n").unwrap();
    let hook = |url: String| WebhookSettings {
        url,
        secret_file: secret_file.clone(),
    };
    // Nobody listens on port 1.
    let webhooks = vec![
        hook("http://127.0.0.1:1/hook".to_owned()),
        hook(format!("http://{address}/hook")),
    ];
    let bench = Bench::with(Settings {
        webhooks,
        ..Settings::default()
    })
    .await;
    bench.start(json!({})).await;
    bench.act("pause", json!({ "reason": "放假" })).await;
    let mut actions = Vec::new();
    for _ in 0..2 {
        let (headers, body) = told.recv().await.unwrap();
        let signature = headers["tierwise-signature"].to_str().unwrap();
        let (seconds, code) = signature
            .strip_prefix("t=")
            .unwrap()
            .split_once(",v1=")
            .unwrap();
        assert_eq!(seconds, (START_US / 1_000_000).to_string());
        assert_eq!(code, hmac("a shared secret", &format!("{seconds}.{body}")));
        assert_eq!(
            signature,
            webhook::signature("a shared secret", START_US / 1_000_000, &body)
        );
        let notice: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(notice["experiment"], "tiers");
        actions.push(notice["action"].as_str().unwrap().to_owned());
    }
    actions.sort();
    assert_eq!(actions, ["pause", "start"]);
    // The router never waited for either.
    assert_eq!(bench.phase().await, "paused");
}
