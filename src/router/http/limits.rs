//! Limits that hold for every request: how many at once, how many a second from one address, and how long.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::Problem;
use crate::router::service::Service;

/// Most addresses whose rate is remembered; beyond it the memory starts anew.
const MOST_ADDRESSES: usize = 65_536;

/// The shared state of the limits.
#[derive(Clone)]
pub(super) struct Gate {
    service: Arc<Service>,
    slots: Arc<Semaphore>,
    buckets: Arc<Mutex<HashMap<IpAddr, Bucket>>>,
}

/// Tokens of an address.
struct Bucket {
    tokens: f64,
    at_ns: u64,
}

impl Gate {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self {
            slots: Arc::new(Semaphore::new(service.settings.limits.concurrent)),
            service,
            buckets: Arc::default(),
        }
    }

    /// Takes a token of an address, or says in how many seconds there is one.
    fn admit(&self, address: IpAddr) -> Result<(), u64> {
        let rate = self.service.settings.limits.requests_per_second;
        if rate == 0.0 {
            return Ok(());
        }
        let now_ns = self.service.clock.monotonic_ns();
        let mut buckets = self.buckets.lock().unwrap_or_else(|e| e.into_inner());
        if buckets.len() >= MOST_ADDRESSES {
            buckets.clear();
        }
        // A second's worth at once, and never less than one.
        let most = rate.max(1.0);
        let bucket = buckets.entry(address).or_insert(Bucket {
            tokens: most,
            at_ns: now_ns,
        });
        let passed_s = now_ns.saturating_sub(bucket.at_ns) as f64 / 1e9;
        bucket.tokens = (bucket.tokens + passed_s * rate).min(most);
        bucket.at_ns = now_ns;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        Err(((1.0 - bucket.tokens) / rate).ceil().max(1.0) as u64)
    }
}

pub(super) async fn limit(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    // Probes must be answered when everything else is shed.
    if matches!(request.uri().path(), "/healthz" | "/readyz") {
        return next.run(request).await;
    }
    // Streams last as long as their readers; they hold no slot.
    let is_stream = matches!(request.uri().path(), "/ofrep/v1/stream" | "/v1/stream");
    let address = request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    if let Some(Err(seconds)) = address.map(|address| gate.admit(address)) {
        return Problem::too_many(seconds).into_response();
    }
    if is_stream {
        return next.run(request).await;
    }
    let Ok(_slot) = gate.slots.try_acquire() else {
        let detail = "more requests are under way than `limits.concurrent` allows";
        return Problem::unavailable(detail, 1).into_response();
    };
    let timeout = Duration::from_secs_f64(gate.service.settings.limits.timeout_s);
    match tokio::time::timeout(timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable("the request took longer than `limits.timeout_s`", 1)
            .into_response(),
    }
}
