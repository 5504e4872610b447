//! Bad requests: each says what is wrong, and changes nothing.

use super::*;
use crate::store::{ApiKeyRow, Role};

#[tokio::test]
async fn what_a_client_can_get_wrong_is_named() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let decision = bench.decide("c").await;
    let far = json!({ "specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "2030-01-01T00:00:00Z",
        "data": { "decision_id": decision["decision_id"] } });
    let early = json!({ "specversion": "1.0", "id": "1", "source": "s", "type": "t", "time": "2026-03-01T00:00:00Z",
        "data": { "decision_id": decision["decision_id"] } });
    let mut uneven = definition(json!({ "key": "other" }));
    uneven["rule"]["ramp"] = json!([0.5, 0.2]);
    let mut unknown_policy = definition(json!({ "key": "other" }));
    unknown_policy["arm"][1]["policy"] = json!("nobody");
    let cases: Vec<(&str, String, u16, &str)> = vec![
        ("/v1/decide", "{".into(), 400, "the body: EOF"),
        ("/v1/decide", json!({}).to_string(), 400, "missing field `unit_id`"),
        ("/v1/decide", json!({ "unit_id": "" }).to_string(), 400, "`unit_id` is empty"),
        ("/v1/decide", json!({ "unit_id": "x".repeat(513) }).to_string(), 400, "`unit_id` has 513 bytes"),
        ("/v1/decide", json!({ "unit_id": 7 }).to_string(), 400, "expected a string"),
        ("/v1/decide", json!({ "unit_id": "c", "context": { "sentiment": "bad" } }).to_string(), 400, "`sentiment` is \"bad\""),
        ("/v1/decide", json!({ "unit_id": "c", "context": { "sentiment": 2 } }).to_string(), 400, "it lies in [-1, 1]"),
        ("/v1/decide", json!({ "unit_id": "c", "experiment": "nope" }).to_string(), 404, "no experiment is called `nope`"),
        ("/v1/decide", json!({ "unit_id": "c", "experiment": "tiers", "force_arm": "z" }).to_string(), 404, "has no arm `z`"),
        ("/v1/decide", json!({ "unit_id": "c", "unknown": 1 }).to_string(), 400, "unknown field `unknown`"),
        ("/v1/nothing", String::new(), 404, "nothing is at `/v1/nothing`"),
        ("/v1/events", "[1]".into(), 202, ""),
        ("/v1/events", "{}".into(), 400, "`specversion` is not"),
        ("/v1/events", far.to_string(), 400, "in the future"),
        ("/v1/events", early.to_string(), 400, "before the decision"),
        ("/v1/events", json!({ "specversion": "1.0", "id": "1", "source": "s", "type": "t", "data": { "decision_id": "17" } }).to_string(), 400, "`17` is no decision's id"),
        ("/v1/experiments", json!({ "definition": definition(json!({})) }).to_string(), 409, "is called `tiers` already"),
        ("/v1/experiments", json!({ "definition": uneven }).to_string(), 400, "`rule.ramp`"),
        ("/v1/experiments", json!({ "definition": unknown_policy }).to_string(), 400, "policy `nobody`, which is not registered"),
        ("/v1/experiments/nope/start", "{}".into(), 404, "no experiment is called `nope`"),
        ("/v1/experiments/tiers/dance", "{}".into(), 404, "no action is called `dance`"),
        ("/v1/experiments/tiers/start", "{}".into(), 409, "only a draft can be started"),
        ("/v1/experiments/tiers/ramp", json!({ "share": 0.1 }).to_string(), 409, "a ramp rises"),
        ("/v1/experiments/tiers/promote", "{}".into(), 400, "`promote` needs `arm`"),
        ("/v1/experiments/tiers/pause", json!({ "revision": 1 }).to_string(), 409, "somebody was faster"),
        ("/ofrep/v1/evaluate/flags/nope", json!({ "context": { "targetingKey": "c" } }).to_string(), 404, "FLAG_NOT_FOUND"),
        ("/ofrep/v1/evaluate/flags/tiers", String::new(), 400, "TARGETING_KEY_MISSING"),
        ("/ofrep/v1/evaluate/flags/tiers", "{}".into(), 400, "TARGETING_KEY_MISSING"),
        ("/ofrep/v1/evaluate/flags/tiers", "{,".into(), 400, "PARSE_ERROR"),
        ("/ofrep/v1/evaluate/flags/tiers", json!({ "context": 4 }).to_string(), 400, "INVALID_CONTEXT"),
        ("/ofrep/v1/evaluate/flags", json!({ "context": {} }).to_string(), 400, "TARGETING_KEY_MISSING"),
    ];
    let (_, before) = bench.get("/v1/experiments/tiers").await;
    for (path, body, status, want) in cases {
        let (have, answer) = bench.send(Method::POST, path, &[], body.clone()).await;
        assert_eq!(have.as_u16(), status, "{path} {body}: {answer}");
        assert!(
            answer.to_string().replace("\\\"", "\"").contains(want),
            "{path} {body}: {answer}"
        );
    }
    assert_eq!(bench.get("/v1/experiments/tiers").await.1, before);
    let (status, _) = bench.send(Method::PUT, "/v1/decide", &[], "").await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    // Not UTF-8, and ten megabytes.
    let (status, _) = bench
        .send(Method::POST, "/v1/decide", &[], vec![0xff, 0xfe])
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let (status, answer) = bench
        .send(Method::POST, "/v1/decide", &[], vec![b' '; 10 << 20])
        .await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
}

#[tokio::test]
async fn a_stopped_experiment_is_not_promoted() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    bench
        .act("stop", json!({ "reason": "changed our minds" }))
        .await;
    let (status, answer) = bench
        .post(
            "/v1/experiments/tiers/promote",
            json!({ "arm": "challenger" }),
        )
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{answer}");
}

#[tokio::test]
async fn two_admins_at_once_do_not_overwrite_each_other() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let both = futures_util::future::join(
        bench.post("/v1/experiments/tiers/pause", json!({ "revision": 2 })),
        bench.post(
            "/v1/experiments/tiers/ramp",
            json!({ "revision": 2, "share": 0.6 }),
        ),
    )
    .await;
    let mut statuses = [both.0.0.as_u16(), both.1.0.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
}

#[tokio::test]
async fn an_event_counts_once_and_its_first_content_stands() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let decision = bench.decide("c").await;
    let first = event("tierwise.click.v1", &decision, "e", Some(1.0));
    let other = event("tierwise.click.v1", &decision, "e", Some(2.0));
    let batch = json!([first, first, other]);
    let (_, answer) = bench.post("/v1/events", batch.clone()).await;
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (
            &answer["rejected"][0]["index"],
            &answer["rejected"][0]["status"]
        ),
        (&json!(2), &json!(409))
    );
    let (_, again) = bench.post("/v1/events", batch).await;
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(2))
    );
    // An event of a decision that nobody made is kept apart.
    let nobody =
        json!({ "decision_id": super::super::service::new_decision_id(START_US).to_string() });
    bench
        .event("tierwise.click.v1", &nobody, "orphan", None)
        .await;
    let (_, metrics) = bench.get("/metrics").await;
    assert!(
        metrics
            .as_str()
            .unwrap()
            .contains("tierwise_orphan_events 2"),
        "{metrics}"
    );
}

#[tokio::test]
async fn keys_open_what_their_role_allows() {
    let bench = Bench::new().await;
    for (id, role) in [
        ("d", Role::Decide),
        ("i", Role::Ingest),
        ("x", Role::Admin),
        ("old", Role::Admin),
    ] {
        let key = ApiKeyRow {
            id: id.to_owned(),
            role,
            hash: *blake3::hash(format!("secret-{id}").as_bytes()).as_bytes(),
            created_at_us: START_US,
            revoked_at_us: None,
        };
        bench.service.store.add_key(&key).await.unwrap();
    }
    bench
        .service
        .store
        .revoke_key("old", START_US + 1)
        .await
        .unwrap();
    bench.service.refresh().await.unwrap();
    let decide = json!({ "unit_id": "c" }).to_string();
    let cases = [
        (
            "/v1/decide",
            Method::POST,
            &decide[..],
            [200, 403, 200, 401, 401],
        ),
        ("/v1/events", Method::POST, "[]", [403, 202, 202, 401, 401]),
        (
            "/v1/experiments",
            Method::GET,
            "",
            [403, 403, 200, 401, 401],
        ),
        ("/healthz", Method::GET, "", [200; 5]),
    ];
    for (path, method, body, statuses) in cases {
        for (key, status) in ["secret-d", "secret-i", "secret-x", "secret-old", "wrong"]
            .into_iter()
            .zip(statuses)
        {
            let bearer = format!("Bearer {key}");
            for header in [("authorization", bearer.as_str()), ("x-api-key", key)] {
                let (have, answer) = bench
                    .send(method.clone(), path, &[header], body.to_owned())
                    .await;
                assert_eq!(have.as_u16(), status, "{path} with {key}: {answer}");
            }
        }
    }
    let (status, _) = bench.send(Method::POST, "/v1/decide", &[], decide).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_missing_policy_is_answered_for_by_the_rules() {
    let bench = Bench::new().await;
    // An experiment whose policy is not registered can only come from a store that lost it.
    let definition: super::super::experiment::Definition = serde_json::from_value({
        let mut definition = definition(json!({}));
        definition["arm"][0]["policy"] = json!("lost");
        definition["arm"][1]["policy"] = json!("lost");
        definition
    })
    .unwrap();
    let mut experiment = super::super::experiment::Experiment::draft(definition, START_US);
    experiment
        .apply(&super::super::experiment::Action::Start, START_US)
        .unwrap();
    let entry = crate::store::AuditEntry {
        at_us: START_US,
        actor: "test".into(),
        action: "start".into(),
        reason: String::new(),
        evidence: "null".into(),
    };
    let body = serde_json::to_string(&experiment).unwrap();
    bench
        .service
        .store
        .save_experiment("tiers", 0, &body, &entry)
        .await
        .unwrap();
    bench.service.refresh().await.unwrap();
    let decision = bench.decide("c").await;
    assert_eq!(
        (
            &decision["policy"],
            &decision["fallback"],
            &decision["tier"]
        ),
        (&json!("rule"), &json!("policy_missing"), &json!(3))
    );
    // It keeps its arm: intention to treat.
    assert!(decision["arm"].is_string());
}

#[tokio::test]
async fn a_flag_is_read_as_the_protocol_says() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let context = json!({ "context": { "targetingKey": "c", "class": "simple", "anything": { "nested": true } } });
    let (status, one) = bench
        .post("/ofrep/v1/evaluate/flags/tiers", context.clone())
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(one["reason"], "SPLIT");
    assert_eq!(one["variant"], one["value"]);
    let request = |etag: Option<&str>| {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/ofrep/v1/evaluate/flags");
        if let Some(etag) = etag {
            request = request.header("if-none-match", etag);
        }
        bench
            .app
            .clone()
            .oneshot(request.body(Body::from(context.to_string())).unwrap())
    };
    let first = request(None).await.unwrap();
    let etag = first.headers()["etag"].to_str().unwrap().to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'));
    let second = request(Some(&etag)).await.unwrap();
    assert_eq!(second.status(), StatusCode::NOT_MODIFIED);
    bench.clock.advance(1.0);
    bench.act("stop", json!({})).await;
    assert_eq!(request(Some(&etag)).await.unwrap().status(), StatusCode::OK);
    let (_, stopped) = bench
        .post("/ofrep/v1/evaluate/flags/tiers", context.clone())
        .await;
    assert_eq!(
        (&stopped["reason"], &stopped["value"]),
        (&json!("DISABLED"), &json!("champion"))
    );
}

#[tokio::test]
async fn targeting_layers_and_holdouts_keep_units_out() {
    let bench = Bench::new().await;
    let target =
        json!([{ "field": "language", "any_of": ["th"] }, { "field": "value_decile", "min": 5.0 }]);
    let layer = json!({ "name": "service", "from": 0.0, "to": 0.5 });
    bench
        .start(json!({ "target": target, "layer": layer, "holdout": 0.2 }))
        .await;
    let mut inside = 0;
    for unit in 0..400 {
        let unit = format!("u{unit}");
        let ask = |context: Value| {
            bench.post("/v1/decide", json!({ "unit_id": unit, "context": context }))
        };
        let (_, fits) = ask(json!({ "language": "th", "value_decile": 7 })).await;
        inside += u32::from(!fits["experiment"].is_null());
        for context in [
            json!({}),
            json!({ "language": "en", "value_decile": 7 }),
            json!({ "language": "th", "value_decile": 4 }),
        ] {
            assert!(ask(context).await.1["experiment"].is_null());
        }
    }
    // Half of the layer, four fifths of the customers: 160 of 400, within five standard deviations.
    assert!((111..=209).contains(&inside), "{inside}");
}
