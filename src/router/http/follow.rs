//! The time that a request says it is, for routers whose clock follows their traffic.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;
use crate::router::service::Service;

/// Request header with the time of the request in microseconds since 1970.
pub const AT_HEADER: &str = "tierwise-at";
/// The last microsecond of the year 9999.
const LATEST_US: i64 = 253_402_300_799_999_999;

/// Moves the clock before anything else sees the request.
pub(super) async fn follow(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    if let Some(value) = request.headers().get(AT_HEADER) {
        let Some(time) = service.clock.following() else {
            return Problem::bad_request(format!(
                "this router runs on its own clock and takes no `{AT_HEADER}`; `tierwise serve --follow-traffic` would"
            ))
            .into_response();
        };
        match read(value) {
            Some(at_us) => time.tell(at_us),
            None => {
                return Problem::bad_request(format!(
                    "`{AT_HEADER}` is no number of microseconds since 1970 before the year 10000"
                ))
                .into_response();
            }
        }
    }
    next.run(request).await
}

fn read(value: &HeaderValue) -> Option<i64> {
    let at_us = value.to_str().ok()?.parse().ok()?;
    (0..=LATEST_US).contains(&at_us).then_some(at_us)
}
