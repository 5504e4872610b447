//! The router over HTTP.
//!
//! [`app`] is everything a client can ask; errors are RFC 9457 problem details. Each handler reads its request, asks the
//! [`Service`] and writes the answer; nothing is decided here.

mod auth;
mod dashboard;
mod decide;
mod events;
mod experiments;
mod follow;
mod health;
mod limits;
mod ofrep;
mod problem;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::trace::TraceLayer;

pub use self::follow::AT_HEADER;
pub use self::problem::Problem;
use super::service::Service;

/// All routes over a running service.
pub fn app(service: Arc<Service>) -> Router {
    let body_limit = service.settings.limits.body_kb << 10;
    let gate = limits::Gate::new(service.clone());
    Router::new()
        .route("/v1/decide", post(decide::one))
        .route("/v1/decide/batch", post(decide::batch))
        .route("/v1/events", post(events::ingest))
        .route(
            "/v1/experiments",
            get(experiments::list).post(experiments::create),
        )
        .route("/v1/experiments/{key}", get(experiments::show))
        .route("/v1/experiments/{key}/history", get(experiments::history))
        .route("/v1/experiments/{key}/report", get(dashboard::report))
        .route("/v1/stream", get(dashboard::stream))
        .route("/", get(dashboard::list))
        .route("/dashboard/{key}", get(dashboard::experiment))
        .route("/login", get(dashboard::login_form).post(dashboard::login))
        .route("/logout", get(dashboard::logout))
        .route("/assets/style.css", get(dashboard::style))
        .route("/assets/live.js", get(dashboard::script))
        .route("/assets/icon.svg", get(dashboard::icon))
        .route("/v1/experiments/{key}/{action}", post(experiments::act))
        .route("/ofrep/v1/evaluate/flags", post(ofrep::bulk))
        .route("/ofrep/v1/evaluate/flags/{key}", post(ofrep::single))
        .route("/ofrep/v1/stream", get(ofrep::stream))
        .route("/ofrep/v1/track", post(events::ingest))
        .route("/openapi.json", get(health::openapi))
        .route("/metrics", get(health::metrics))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(middleware::from_fn_with_state(
            service.clone(),
            follow::follow,
        ))
        .layer(middleware::from_fn_with_state(gate, limits::limit))
        .layer(DefaultBodyLimit::max(body_limit))
        .layer(TraceLayer::new_for_http())
        .with_state(service)
}
