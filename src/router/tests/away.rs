//! A store that can be away, and a router that goes on without it.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;
use uuid::Uuid;

use super::*;
use crate::store::{
    ApiKeyRow, ArmCount, AuditEntry, Changes, CheckReport, DecisionRow, EventId, EventOutcome,
    EventRow, ExperimentRow, ExposureCursor, ExposureRow, FirstExposure, HistoryRow, KindCount,
    LeaderLease, MaturedQuery, MaturedUnit, StoreError,
};

/// A store between whose calls and the database a cable can be pulled.
struct Distant {
    inner: Arc<dyn Store>,
    away: AtomicBool,
}

impl Distant {
    fn reach(&self) -> Result<&dyn Store, StoreError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreError::Unreachable {
                url: "test:".to_owned(),
                reason: "the cable is pulled".to_owned(),
            });
        }
        Ok(&*self.inner)
    }
}

#[async_trait::async_trait]
impl Store for Distant {
    fn url(&self) -> &str {
        "test:"
    }
    async fn save_experiment(
        &self,
        key: &str,
        expected_revision: u64,
        body: &str,
        entry: &AuditEntry,
    ) -> Result<u64, StoreError> {
        let store = self.reach()?;
        store
            .save_experiment(key, expected_revision, body, entry)
            .await
    }
    async fn experiments(&self) -> Result<Vec<ExperimentRow>, StoreError> {
        self.reach()?.experiments().await
    }
    async fn experiment(&self, key: &str) -> Result<Option<ExperimentRow>, StoreError> {
        self.reach()?.experiment(key).await
    }
    async fn history(&self, key: &str) -> Result<Vec<HistoryRow>, StoreError> {
        self.reach()?.history(key).await
    }
    async fn changes_since(&self, counter: u64) -> Result<Changes, StoreError> {
        self.reach()?.changes_since(counter).await
    }
    fn watch(&self) -> watch::Receiver<u64> {
        self.inner.watch()
    }
    async fn register_policy(&self, policy: &PolicyRow, artefact: &[u8]) -> Result<(), StoreError> {
        self.reach()?.register_policy(policy, artefact).await
    }
    async fn policies(&self) -> Result<Vec<PolicyRow>, StoreError> {
        self.reach()?.policies().await
    }
    async fn policy(&self, hash: &str) -> Result<Option<(PolicyRow, Vec<u8>)>, StoreError> {
        self.reach()?.policy(hash).await
    }
    async fn record_exposures(&self, rows: &[ExposureRow]) -> Result<(), StoreError> {
        self.reach()?.record_exposures(rows).await
    }
    async fn record_events(&self, rows: &[EventRow]) -> Result<Vec<EventOutcome>, StoreError> {
        self.reach()?.record_events(rows).await
    }
    async fn first_exposures(
        &self,
        experiment: &str,
        after: ExposureCursor,
        until_us: i64,
        limit: usize,
    ) -> Result<Vec<FirstExposure>, StoreError> {
        let store = self.reach()?;
        store
            .first_exposures(experiment, after, until_us, limit)
            .await
    }
    async fn matured_units(
        &self,
        query: &MaturedQuery<'_>,
    ) -> Result<Vec<MaturedUnit>, StoreError> {
        self.reach()?.matured_units(query).await
    }
    async fn exposure_counts(&self, experiment: &str) -> Result<Vec<ArmCount>, StoreError> {
        self.reach()?.exposure_counts(experiment).await
    }
    async fn event_counts(&self) -> Result<Vec<KindCount>, StoreError> {
        self.reach()?.event_counts().await
    }
    async fn orphan_events(&self) -> Result<u64, StoreError> {
        self.reach()?.orphan_events().await
    }
    async fn append_blocks(
        &self,
        experiment: &str,
        blocks: &[(i64, String)],
    ) -> Result<(), StoreError> {
        self.reach()?.append_blocks(experiment, blocks).await
    }
    async fn blocks(&self, experiment: &str) -> Result<Vec<(i64, String)>, StoreError> {
        self.reach()?.blocks(experiment).await
    }
    async fn try_lead(&self) -> Result<Option<LeaderLease>, StoreError> {
        self.reach()?.try_lead().await
    }
    async fn add_key(&self, key: &ApiKeyRow) -> Result<(), StoreError> {
        self.reach()?.add_key(key).await
    }
    async fn keys(&self) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.reach()?.keys().await
    }
    async fn revoke_key(&self, id: &str, at_us: i64) -> Result<bool, StoreError> {
        self.reach()?.revoke_key(id, at_us).await
    }
    async fn decisions(
        &self,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<Vec<DecisionRow>, StoreError> {
        self.reach()?.decisions(after, limit).await
    }
    async fn events(
        &self,
        after: Option<(Arc<str>, EventId)>,
        limit: usize,
    ) -> Result<Vec<EventRow>, StoreError> {
        self.reach()?.events(after, limit).await
    }
    async fn check(&self) -> Result<CheckReport, StoreError> {
        self.reach()?.check().await
    }
    async fn close(&self) {
        self.inner.close().await;
    }
}

#[tokio::test]
async fn while_the_store_is_away_decisions_go_on_and_everything_arrives_afterwards() {
    let distant = Arc::new(Distant {
        inner: store::open("sqlite::memory:").await.unwrap(),
        away: AtomicBool::new(false),
    });
    let mut bench = Bench::on(Settings::default(), distant.clone()).await;
    bench.start(json!({})).await;
    let before = bench.decide("early").await;
    distant.away.store(true, Ordering::SeqCst);

    let mut decisions = vec![bench.decide("early").await];
    assert_eq!(decisions[0]["arm"], before["arm"]);
    for unit in 0..50 {
        decisions.push(bench.decide(&format!("u{unit}")).await);
    }
    assert!(
        decisions
            .iter()
            .all(|one| one["experiment"] == "tiers" && one["fallback"].is_null())
    );
    // Events are not taken, and say when to come again.
    let events: Vec<Value> = decisions
        .iter()
        .enumerate()
        .map(|(number, decision)| {
            event(
                "tierwise.conversion.v1",
                decision,
                &number.to_string(),
                None,
            )
        })
        .collect();
    for path in ["/v1/events", "/ofrep/v1/track"] {
        let request = Request::post(path)
            .body(Body::from(json!(events).to_string()))
            .unwrap();
        let response = bench.app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(
            response.headers()["content-type"],
            "application/problem+json"
        );
    }
    for (method, path) in [
        (Method::GET, "/readyz"),
        (Method::GET, "/v1/experiments/tiers"),
        (Method::POST, "/v1/experiments/tiers/kill"),
    ] {
        let (status, answer) = bench.send(method, path, &[], "").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}: {answer}");
    }
    for path in ["/healthz", "/metrics"] {
        assert_eq!(bench.get(path).await.0, StatusCode::OK);
    }
    bench.service.refresh().await.unwrap_err();
    while bench.service.spool.rows().0 < bench.decided() {
        tokio::task::yield_now().await;
    }
    let carrier = &mut bench.parts.carrier;
    carrier.drain(&*bench.service.store).await.unwrap_err();

    distant.away.store(false, Ordering::SeqCst);
    bench.judge().await;
    let stored = bench.service.store.decisions(None, 100).await.unwrap();
    assert_eq!(stored.len(), 52);
    assert_eq!(bench.service.spool.waiting_bytes(), 0);
    let (status, answer) = bench.post("/v1/events", json!(events)).await;
    assert_eq!(
        (status, &answer["accepted"]),
        (StatusCode::ACCEPTED, &json!(51))
    );
    let (_, again) = bench.post("/v1/events", json!(events)).await;
    assert_eq!(
        (&again["accepted"], &again["duplicates"]),
        (&json!(0), &json!(51))
    );
    assert_eq!(bench.service.store.orphan_events().await.unwrap(), 0);
}
