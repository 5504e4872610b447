//! The router as its clients see it: requests in, answers out, a clock that the test moves.

mod api;
mod away;
mod faults;
mod hostile;
mod life;
mod openapi;
mod truth;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tierwise_policies::artefact::{Artefact, Evidence, PolicyKind, SchemaStamp};
use tierwise_policies::policy::Fixed;
use tierwise_policies::rule::RulePolicy;
use tower::ServiceExt;

use super::clock::{Clock, ManualClock};
use super::http;
use super::registry::ServedPolicy;
use super::service::{Parts, Service};
use super::settings::Settings;
use crate::store::{self, PolicyRow, Store};

/// Monday, 2026-03-02, 00:00 UTC.
const START_US: i64 = 1_772_409_600_000_000;
const HOUR_S: f64 = 3_600.0;
const DAY_S: f64 = 86_400.0;

/// A router without tasks of its own.
struct Bench {
    service: Arc<Service>,
    parts: Parts,
    clock: Arc<ManualClock>,
    app: axum::Router,
    _folder: tempfile::TempDir,
}

fn artefact(id: &str, policy: PolicyKind) -> Artefact {
    Artefact {
        id: id.to_owned(),
        created_by: "test".to_owned(),
        learner: "rule".to_owned(),
        seed: 0,
        config_hash: String::new(),
        feature_schema: SchemaStamp::current(),
        reward_version: String::new(),
        evidence: Evidence::Written,
        serve_floor: 0.0,
        training: None,
        policy,
    }
}

fn fixed(id: &str, tier: tierwise_envs::tier::Tier) -> Artefact {
    artefact(id, PolicyKind::Fixed { tier: Fixed(tier) })
}

fn baseline() -> ServedPolicy {
    let rules = RulePolicy::from_toml("default = \"human\"").unwrap();
    ServedPolicy::new(artefact("rule", PolicyKind::Rule { rules }))
}

async fn register(store: &dyn Store, artefact: &Artefact) {
    let (hash, text) = artefact.to_text();
    let row = PolicyRow {
        hash,
        name: artefact.id.clone(),
        registered_at_us: START_US,
    };
    store.register_policy(&row, text.as_bytes()).await.unwrap();
}

impl Bench {
    /// A router on an empty database in memory, with the policies `a` (always tier 1) and `b` (always tier 2).
    async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        Self::on(settings, store::open("sqlite::memory:").await.unwrap()).await
    }

    async fn on(settings: Settings, store: Arc<dyn Store>) -> Self {
        use tierwise_envs::tier::Tier;
        register(&*store, &fixed("a", Tier::Auto)).await;
        register(&*store, &fixed("b", Tier::Review)).await;
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            data: folder.path().to_owned(),
            durability: super::spool::Durability::Async,
            ..settings
        };
        let clock = Arc::new(ManualClock::at(START_US));
        let shared: Arc<dyn Clock> = clock.clone();
        let (service, parts) = Service::open(settings, store, shared, baseline())
            .await
            .unwrap();
        Self {
            app: http::app(service.clone()),
            service,
            parts,
            clock,
            _folder: folder,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).unwrap();
        let response = self.app.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 24)
            .await
            .unwrap();
        let value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        (status, value)
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.send(Method::POST, path, &[], body.to_string()).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, &[], Body::empty()).await
    }

    /// Creates and starts the experiment `tiers` of `a` against `b`, with these changes of its definition.
    async fn start(&self, changes: Value) {
        let (status, answer) = self
            .post(
                "/v1/experiments",
                json!({ "definition": definition(changes) }),
            )
            .await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        self.act("start", json!({})).await;
    }

    async fn act(&self, action: &str, body: Value) -> Value {
        let (status, answer) = self
            .post(&format!("/v1/experiments/tiers/{action}"), body)
            .await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    async fn decide(&self, unit: &str) -> Value {
        let (status, answer) = self.post("/v1/decide", json!({ "unit_id": unit })).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// Sends an event of a decision now; panics unless it is taken in.
    async fn event(&self, kind: &str, decision: &Value, id: &str, value: Option<f64>) {
        let event = event(kind, decision, id, value);
        let (status, answer) = self.post("/v1/events", event).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    }

    /// Carries the spool to the store, and judges.
    async fn judge(&mut self) {
        while self.service.spool.rows().0 < self.decided() {
            tokio::task::yield_now().await;
        }
        self.parts
            .carrier
            .drain(&*self.service.store)
            .await
            .unwrap();
        self.parts.judge.tick().await.unwrap();
        self.service.refresh().await.unwrap();
    }

    fn decided(&self) -> u64 {
        self.service.metrics.decisions_so_far()
    }

    async fn phase(&self) -> String {
        let (_, answer) = self.get("/v1/experiments/tiers").await;
        answer["phase"].as_str().unwrap().to_owned()
    }
}

fn event(kind: &str, decision: &Value, id: &str, value: Option<f64>) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "shop", "type": kind,
        "data": { "decision_id": decision["decision_id"], "value": value },
    })
}

/// The experiment of the tests: a ramp that a test can walk in a day or two.
fn definition(changes: Value) -> Value {
    let mut definition = json!({
        "key": "tiers",
        "floor": 0.0,
        "arm": [{ "name": "champion", "policy": "a" }, { "name": "challenger", "policy": "b" }],
        "primary": { "name": "conversion", "event": "tierwise.conversion.v1", "window_hours": 1.0, "grace_minutes": 1.0 },
        "pool": { "shared": false },
        "rule": {
            "ramp": [0.5], "minimum_days": 0.0, "minimum_units": 50, "advance_hours": 1.0, "advance_units": 50,
        },
    });
    merge(&mut definition, changes);
    definition
}

fn merge(into: &mut Value, changes: Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (key, value) in changes {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, changes) => *into = changes,
    }
}
