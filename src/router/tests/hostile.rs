//! Whatever bytes come: no reader panics, and no request is the router's fault.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tierwise_envs::observation::Observation;

use super::super::context::Context;
use super::super::experiment::{Action, Definition, Experiment};
use super::super::snapshot::Live;
use super::*;

const POSTS: [&str; 8] = [
    "/v1/decide",
    "/v1/decide/batch",
    "/v1/events",
    "/ofrep/v1/track",
    "/ofrep/v1/evaluate/flags",
    "/ofrep/v1/evaluate/flags/tiers",
    "/v1/experiments",
    "/v1/experiments/tiers/ramp",
];

/// A request that is right, for each path.
fn right(path: &str) -> Value {
    let decision_id = "019b76da-a800-74f8-b316-34210e038afb";
    let event = json!({ "specversion": "1.0", "id": "1", "source": "shop", "type": "tierwise.click.v1",
        "time": "2026-03-02T00:00:01Z", "data": { "decision_id": decision_id, "value": 1.5 } });
    let context = json!({ "class": "simple", "sentiment": 0.5, "elapsed_s": 60, "language": "th", "text": "hello", "shop": "north" });
    let decide = json!({ "unit_id": "c", "experiment": "tiers", "conversation_id": "k", "context": context, "force_arm": null });
    let mut evaluation = json!({ "context": context });
    evaluation["context"]["targetingKey"] = json!("c");
    match path {
        "/v1/decide" => decide,
        "/v1/decide/batch" => json!({ "requests": [decide, decide] }),
        "/v1/events" => json!([event, event]),
        "/ofrep/v1/track" => event,
        "/v1/experiments" => json!({ "definition": whole_definition(), "reason": "try" }),
        "/v1/experiments/tiers/ramp" => {
            json!({ "share": 0.7, "revision": 2, "reason": "more", "arm": null })
        }
        _ => evaluation,
    }
}

/// A definition with everything in it.
fn whole_definition() -> Value {
    definition(json!({
        "key": "whole", "title": "t", "salt": "s", "design": "user", "coverage": 0.9, "holdout": 0.1,
        "secondary": [{ "name": "click", "event": "tierwise.click.v1", "window_hours": 1.0,
            "outcome": { "kind": "value", "low": 0.0, "high": 5.0, "missing": 1.0 } }],
        "guardrail": [{ "name": "escalation", "event": "e", "window_hours": 2.0, "harm": "higher", "margin": 0.1 }],
        "strata": { "field": "language", "values": ["th", "zh"] },
        "target": [{ "field": "value_decile", "min": 1.0, "max": 9.0 }],
        "layer": { "name": "l", "from": 0.0, "to": 0.5 },
    }))
}

/// Values that readers get wrong.
fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![0.0, -0.0, 1.0, 5e-324, 1e-12, 1e18, 1.7e308, f64::MIN])
            .prop_map(Value::from),
        prop::sample::select(vec![u64::MAX, u64::MAX >> 1, 1 << 53, 1, 0]).prop_map(Value::from),
    ];
    let text = prop_oneof![
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "",
            "\0",
            "1e999",
            "th",
            "tiers",
            "champion",
            "a",
            "switchback",
            "split_pool",
            "9999-12-31T23:59:59Z",
            "-292277-01-01T00:00:00Z",
            "2026-03-02T00:00:01+99:99",
            "\u{202e}",
            "ffffffff-ffff-7fff-bfff-ffffffffffff",
        ])
        .prop_map(Value::from),
        (0_usize..3000).prop_map(|length| Value::from("x".repeat(length))),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        number,
        text
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        let name = prop::sample::select(vec![
            "name",
            "field",
            "kind",
            "low",
            "high",
            "values",
            "block_minutes",
            "washout_minutes",
            "class",
            "turn",
            "ramp",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..4).prop_map(|fields| fields
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

/// Puts a value where another one stands; `which` chooses the place.
fn replace(into: &mut Value, which: usize, value: Value) {
    fn places(value: &Value, path: &str, found: &mut Vec<String>) {
        found.push(path.to_owned());
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    places(value, &format!("{path}/{name}"), found);
                }
            }
            Value::Array(items) => {
                for (position, value) in items.iter().enumerate() {
                    places(value, &format!("{path}/{position}"), found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    places(into, "", &mut found);
    *into.pointer_mut(&found[which % found.len()]).unwrap() = value;
}

/// Text with a piece of it replaced by bytes.
fn damaged(text: String, from: usize, length: usize, bytes: &[u8]) -> Vec<u8> {
    let mut text = text.into_bytes();
    let from = from % (text.len() + 1);
    let to = (from + length).min(text.len());
    text.splice(from..to, bytes.iter().copied());
    text
}

/// A body for a path: one value of it replaced, a piece of it damaged, or nothing but bytes.
fn body(path: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        4 => (any::<usize>(), value()).prop_map(move |(which, value)| {
            let mut body = right(path);
            replace(&mut body, which, value);
            body.to_string().into_bytes()
        }),
        2 => (any::<usize>(), 0_usize..8, bytes())
            .prop_map(move |(from, length, bytes)| damaged(right(path).to_string(), from, length, &bytes)),
        1 => bytes(),
    ]
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn no_body_fails_the_router() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(async {
        let bench = Bench::new().await;
        bench.start(json!({})).await;
        bench
    });
    for path in POSTS {
        let (status, answer) = runtime.block_on(bench.post(path, right(path)));
        assert!(status.is_success(), "{path}: {status} {answer}");
        runner(60)
            .run(&body(path), |body| {
                let (status, answer) = runtime.block_on(bench.send(Method::POST, path, &[], body));
                prop_assert!(status.as_u16() < 500, "{path}: {status} {answer}");
                prop_assert!(
                    status.is_success()
                        || answer["detail"].is_string()
                        || answer["errorDetails"].is_string(),
                    "{answer}"
                );
                Ok(())
            })
            .unwrap();
    }
}

#[test]
fn no_path_or_header_fails_the_router() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(Bench::new());
    let piece = prop_oneof![
        "[a-z0-9._~%!$&'()*+,;=:@-]{0,8}",
        "(%[0-9a-f]{2}){1,4}",
        Just("tiers".to_owned())
    ];
    let path = (
        prop::sample::select(vec![
            "/v1/experiments/",
            "/ofrep/v1/evaluate/flags/",
            "/v1/",
            "/",
        ]),
        piece.clone(),
        piece,
    );
    let header = prop::collection::vec(any::<u8>(), 0..20);
    runner(150)
        .run(
            &(path, header, any::<bool>()),
            |((front, key, action), header, posted)| {
                let uri = format!("{front}{key}/{action}");
                let Ok(value) = axum::http::HeaderValue::from_bytes(&header) else {
                    return Ok(());
                };
                let request = Request::builder()
                    .method(if posted { Method::POST } else { Method::GET })
                    .uri(&uri)
                    .header("if-none-match", value.clone())
                    .header("authorization", value.clone())
                    .header("content-type", value);
                let Ok(request) = request.body(Body::from(r#"{"context":{"targetingKey":"c"}}"#))
                else {
                    return Ok(());
                };
                let status = runtime
                    .block_on(bench.app.clone().oneshot(request))
                    .unwrap()
                    .status();
                prop_assert!(status.as_u16() < 500, "{uri}: {status}");
                Ok(())
            },
        )
        .unwrap();
}

/// A definition that is accepted can be started, decided by, moved and saved.
fn live_through(definition: Definition) {
    if definition.check().is_err() {
        return;
    }
    let mut experiment = Experiment::draft(definition, START_US);
    let challenger = experiment.definition.arms[1].name.clone();
    for action in [
        Action::Start,
        Action::Ramp { share: 0.6 },
        Action::Pause,
        Action::Resume,
        Action::Promote { arm: challenger },
        Action::Kill,
    ] {
        let _refused_or_done = experiment.apply(&action, START_US + 1);
        let live = Live::new(experiment.clone(), |_| None);
        for began_us in [START_US, 0, i64::MIN] {
            let _ = live.assign("customer", began_us);
        }
        let text = serde_json::to_string(&experiment).unwrap();
        serde_json::from_str::<Experiment>(&text).unwrap();
    }
}

#[test]
fn a_definition_is_refused_or_can_be_lived_with() {
    runner(1500)
        .run(&(any::<usize>(), value(), any::<bool>()), |(which, value, blocks)| {
            let mut definition = whole_definition();
            if blocks {
                let switchback = json!({ "design": "switchback", "secondary": [], "strata": null,
                    "switchback": { "block_minutes": 60.0, "washout_minutes": 5.0 } });
                merge(&mut definition, switchback);
                definition["guardrail"][0]["margin"] = json!(0.0);
            }
            replace(&mut definition, which, value);
            if let Ok(definition) = serde_json::from_value::<Definition>(definition) {
                live_through(definition);
            }
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_block_of_no_length_is_refused() {
    let mut definition = definition(json!({ "design": "switchback",
        "switchback": { "block_minutes": 1e-9, "washout_minutes": 0.0 } }));
    let read =
        |definition: &Value| serde_json::from_value::<Definition>(definition.clone()).unwrap();
    let fault = read(&definition).check().unwrap_err();
    assert_eq!(fault.key, "switchback.block_minutes");
    definition["switchback"]["block_minutes"] = json!(1.0);
    read(&definition).check().unwrap();
}

#[test]
fn readers_take_any_bytes() {
    let policy = fixed("a", tierwise_envs::tier::Tier::Auto).to_text().1;
    let rules = include_str!("../../../configs/rules.toml");
    let written = include_str!("../../../configs/experiment.toml");
    let damage = (
        any::<usize>(),
        0_usize..12,
        prop::collection::vec(any::<u8>(), 0..24),
    );
    runner(300)
        .run(&damage, |(from, length, bytes)| {
            let text = |source: &str| {
                String::from_utf8_lossy(&damaged(source.to_owned(), from, length, &bytes))
                    .into_owned()
            };
            if let Ok(definition) = toml::from_str::<Definition>(&text(written)) {
                live_through(definition);
            }
            let _ = RulePolicy::from_toml(&text(rules));
            if let Ok(read) = ServedPolicy::from_text(&text(&policy), "a") {
                // The text holds its own hash: what can be read is what was written.
                prop_assert_eq!(&*read.name, "a");
            }
            let source = right("/v1/decide")["context"].to_string();
            if let Ok(context) =
                serde_json::from_slice::<Context>(&damaged(source, from, length, &bytes))
            {
                let text = serde_json::to_string(&context.observation).unwrap();
                prop_assert_eq!(
                    serde_json::from_str::<Observation>(&text).unwrap(),
                    context.observation
                );
            }
            let _ = serde_json::from_slice::<Context>(&bytes);
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn tricks_are_seen_through() {
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let within = |inside: String| format!(r#"{{"unit_id": "c", "context": {{"a": {inside}}}}}"#);
    let cases: Vec<(&str, String, u16, &str)> = vec![
        // Given twice: nobody shall read another one than we do.
        (
            "/v1/decide",
            r#"{"unit_id": "a", "unit_id": "b"}"#.into(),
            400,
            "duplicate field `unit_id`",
        ),
        (
            "/v1/decide",
            r#"{"unit_id": "a", "context": {"class": "simple", "class": "complaint"}}"#.into(),
            400,
            "`class` is given twice",
        ),
        (
            "/v1/events",
            r#"{"specversion": "1.0", "id": "1", "id": "2"}"#.into(),
            400,
            "duplicate field `id`",
        ),
        (
            "/ofrep/v1/evaluate/flags/tiers",
            r#"{"context": {"targetingKey": "a", "targetingKey": "b"}}"#.into(),
            400,
            "duplicate field",
        ),
        (
            "/v1/experiments/tiers/ramp",
            r#"{"share": 0.6, "share": 0.9}"#.into(),
            400,
            "duplicate field",
        ),
        // Deep: an attribute that is neither text nor number is passed over without recursion.
        ("/v1/decide", deep("[", "]"), 400, ""),
        ("/v1/decide", within(deep("[", "]")), 200, ""),
        (
            "/v1/decide",
            within(deep(r#"{"a":"#, "}").replace(":}", ":1}")),
            200,
            "",
        ),
        ("/v1/events", deep("[", "]"), 202, "rejected"),
        ("/ofrep/v1/evaluate/flags", deep("[", "]"), 400, "errorCode"),
        ("/v1/experiments", deep("[", "]"), 400, ""),
        // Huge.
        (
            "/v1/decide",
            within("1e999".into()),
            400,
            "number out of range",
        ),
        (
            "/v1/decide",
            within("9".repeat(500)),
            400,
            "number out of range",
        ),
        ("/v1/decide", within("1e308".into()), 200, ""),
        (
            "/v1/decide",
            r#"{"unit_id": "c", "context": {"elapsed_s": 1e308}}"#.into(),
            400,
            "`elapsed_s` is inf; it lies in",
        ),
        // NUL, which no database takes in a text.
        (
            "/v1/decide",
            json!({ "unit_id": "\0", "conversation_id": "\0", "context": { "text": "\0" } })
                .to_string(),
            200,
            "",
        ),
        (
            "/v1/decide",
            json!({ "unit_id": "c", "experiment": "\0" }).to_string(),
            404,
            "",
        ),
        (
            "/v1/experiments/tiers/pause",
            json!({ "reason": "\0" }).to_string(),
            400,
            "`reason` holds a NUL",
        ),
        ("/v1/experiments/%00/pause", "{}".into(), 404, ""),
        ("/v1/experiments/%ff/pause", "{}".into(), 400, "the path"),
        (
            "/ofrep/v1/evaluate/flags/%ff",
            json!({ "context": { "targetingKey": "c" } }).to_string(),
            400,
            "errorDetails",
        ),
    ];
    for (path, body, status, want) in cases {
        let shown: String = body.chars().take(80).collect();
        let (have, answer) = bench.send(Method::POST, path, &[], body).await;
        let answer: String = answer
            .to_string()
            .replace("\\\"", "\"")
            .chars()
            .take(400)
            .collect();
        assert_eq!(have.as_u16(), status, "{path} {shown}: {answer}");
        assert!(answer.contains(want), "{path} {shown}: {answer}");
    }
    // A NUL spoils its own event, not the batch.
    let decision = bench.decide("c").await;
    let good = event("tierwise.click.v1", &decision, "1", None);
    let mut bad = good.clone();
    bad["source"] = json!("\0");
    let (status, answer) = bench.post("/v1/events", json!([bad, good])).await;
    assert_eq!(
        (status, &answer["accepted"]),
        (StatusCode::ACCEPTED, &json!(1))
    );
    assert_eq!(
        answer["rejected"][0]["reason"],
        "`source` holds a NUL character"
    );
}

#[tokio::test]
async fn headers_are_read_as_they_are_meant() {
    use crate::store::{ApiKeyRow, Role};
    let bench = Bench::new().await;
    bench.start(json!({})).await;
    let body = json!({ "context": { "targetingKey": "c" } }).to_string();
    let bulk = |headers: Vec<(&'static str, String)>| {
        let mut request = Request::post("/ofrep/v1/evaluate/flags");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        bench
            .app
            .clone()
            .oneshot(request.body(Body::from(body.clone())).unwrap())
    };
    let first = bulk(Vec::new()).await.unwrap();
    let tag = first.headers()["etag"].to_str().unwrap().to_owned();
    for (value, status) in [
        (tag.clone(), 304),
        // A proxy that compresses weakens the tag.
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 200),
        (tag.replace('"', ""), 200),
        ("\"".to_owned(), 200),
        (",,,".to_owned(), 200),
    ] {
        let answer = bulk(vec![("if-none-match", value.clone())]).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{value}");
    }
    let key = ApiKeyRow {
        id: "shop".to_owned(),
        role: Role::Decide,
        hash: *blake3::hash(b"secret").as_bytes(),
        created_at_us: START_US,
        revoked_at_us: None,
    };
    bench.service.store.add_key(&key).await.unwrap();
    bench.service.refresh().await.unwrap();
    let bearer = |value: &str| ("authorization", value.to_owned());
    let plain = |value: &str| ("x-api-key", value.to_owned());
    for (headers, status) in [
        (vec![bearer("Bearer secret")], 200),
        (vec![bearer("bearer  secret")], 200),
        (vec![bearer("Basic secret")], 401),
        (vec![bearer("Bearer")], 401),
        (vec![bearer("")], 401),
        (vec![plain("secret")], 200),
        (vec![plain("schlüssel")], 401),
        (vec![bearer("Bearer secret"), plain("wrong")], 200),
        // Which one did the proxy check?
        (vec![bearer("Bearer secret"), bearer("Bearer wrong")], 400),
        (vec![bearer("Bearer wrong"), bearer("Bearer secret")], 400),
        (vec![plain("secret"), plain("secret")], 400),
    ] {
        let shown = format!("{headers:?}");
        let answer = bulk(headers).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{shown}");
        assert_eq!(
            answer.headers().contains_key("www-authenticate"),
            status == 401,
            "{shown}"
        );
    }
}
