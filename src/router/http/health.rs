//! Probes, metrics, and the description of the API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Problem;
use super::decide::json_response;
use crate::router::service::Service;

/// The process runs.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The router can do its whole work: decide, and reach its store.
pub(super) async fn readyz(State(service): State<Arc<Service>>) -> Result<Response, Problem> {
    if let Err(error) = service.store.changes_since(u64::MAX >> 1).await {
        tracing::warn!(%error, "not ready");
        return Err(Problem::unavailable(
            "the store does not answer; decisions go on from the last snapshot, events are refused",
            1,
        ));
    }
    let mut answer = serde_json::json!({
        "ready": true,
        "leading": service.standings.is_leading(),
        "spool_bytes": service.spool.waiting_bytes(),
    });
    if service.clock.following().is_some() {
        let (now_us, judged_us) = (service.clock.now_us(), service.standings.judged_us());
        if judged_us < now_us {
            service.standings.ask();
        }
        answer["now_us"] = now_us.into();
        answer["judged_us"] = judged_us.into();
    }
    Ok(json_response(&answer))
}

pub(super) async fn metrics(State(service): State<Arc<Service>>) -> Response {
    let text = service.metrics.render(&service).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// The OpenAPI document; a test holds it to the routes.
pub(super) async fn openapi() -> Response {
    let text = include_str!("openapi.json");
    ([(header::CONTENT_TYPE, "application/json")], text).into_response()
}
