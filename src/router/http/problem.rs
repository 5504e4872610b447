//! Errors as clients see them: problem details (RFC 9457).

use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::router::service::DecideError;
use crate::router::snapshot::Unanswerable;
use crate::router::spool::SpoolError;
use crate::store::StoreError;

/// What went wrong, in the words of RFC 9457.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// Kind of the problem, as a relative reference.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in words.
    pub title: &'static str,
    /// HTTP status.
    pub status: u16,
    /// This occurrence in words: what, and how to fix it.
    pub detail: String,
    /// Seconds after which to try again.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
}

impl Problem {
    fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            title,
            status: status.as_u16(),
            detail: detail.into(),
            retry_after_s: None,
        }
    }

    /// The request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The request is wrong",
            detail,
        )
    }

    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "There is no such thing",
            detail,
        )
    }

    /// The request does not fit the state of things.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "conflict",
            "The state does not allow it",
            detail,
        )
    }

    /// No key, or an unknown one.
    pub fn unauthorized() -> Self {
        let detail = "send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "unauthorized",
            "A key is needed",
            detail,
        )
    }

    /// A key of another role.
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "The key does not allow it",
            detail,
        )
    }

    /// Too many requests from one address.
    pub fn too_many(retry_after_s: u64) -> Self {
        let detail = "this address asks more often than `limits.requests_per_second`";
        let problem = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "Too many requests",
            detail,
        );
        problem.retry_after(retry_after_s)
    }

    /// Not now.
    pub fn unavailable(detail: impl Into<String>, retry_after_s: u64) -> Self {
        let title = "The router cannot do it now";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "unavailable",
            title,
            detail,
        )
        .retry_after(retry_after_s)
    }

    /// Our fault.
    pub fn internal() -> Self {
        let detail = "the router's log says why";
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "The router failed",
            detail,
        )
    }

    fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_string(&self).expect("a problem is plain data");
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, scheme);
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict {
                expected, found, ..
            } => Self::conflict(format!(
                "the experiment is at revision {found}, not at {expected}: read it again"
            )),
            StoreError::Invalid { what } => Self::bad_request(what),
            StoreError::Differs { what } => {
                Self::conflict(format!("{what} is stored already with other content"))
            }
            error => {
                tracing::error!(%error, "the store");
                Self::unavailable("the store does not answer; nothing was written", 1)
            }
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Question(question) => match question {
                Unanswerable::UnknownExperiment { .. } | Unanswerable::UnknownArm { .. } => {
                    Self::not_found(question.to_string())
                }
                question => Self::bad_request(question.to_string()),
            },
            DecideError::Spool(error) => {
                let seconds = if error == SpoolError::Full { 5 } else { 1 };
                Self::unavailable(format!("{error}; nothing was decided"), seconds)
            }
        }
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Self {
        let status = rejection.status();
        if status == StatusCode::PAYLOAD_TOO_LARGE {
            let detail = "the body is longer than `limits.body_kb`";
            return Self::new(status, "too-large", "The body is too large", detail);
        }
        Self::bad_request(rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        Self::bad_request(format!("the path: {}", rejection.body_text()))
    }
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    Problem::not_found(format!(
        "nothing is at `{}`; /openapi.json lists what is",
        uri.path()
    ))
}

pub(super) async fn method_not_allowed() -> Problem {
    let detail = "this path answers other methods; /openapi.json lists them";
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method-not-allowed",
        "The method is wrong",
        detail,
    )
}

/// Parses JSON, naming line and column where it is wrong.
pub(super) fn json<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(format!("the body: {error}")))
}
