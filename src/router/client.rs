//! A small HTTP client: webhooks, the `experiment` commands and simulated traffic speak through it.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, Uri};
use hyper_util::client::legacy::Client as Legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Longest answer that is read.
const LONGEST: usize = 64 << 20;

/// Why a request came to nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The address is no URL.
    #[error("`{url}` is no URL: {reason}")]
    Url {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answered.
    #[error("{url} does not answer: {reason}")]
    NoAnswer {
        /// The address.
        url: String,
        /// Why.
        reason: String,
    },
    /// The answer took too long.
    #[error("{url} did not answer within {seconds} s")]
    TimedOut {
        /// The address.
        url: String,
        /// The limit.
        seconds: f64,
    },
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// `Retry-After`, in seconds, where it was given.
    pub retry_after_s: Option<u64>,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A client with kept connections. Clones share them.
#[derive(Clone)]
pub struct Client {
    inner: Legacy<hyper_rustls::HttpsConnector<HttpConnector>, Full<Bytes>>,
    timeout: Duration,
}

impl Client {
    /// A client whose requests end after `timeout`.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Self {
            inner: Legacy::builder(TokioExecutor::new()).build(connector),
            timeout,
        }
    }

    /// Sends a request and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`] when no answer came.
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, ClientError> {
        let bad = |reason: String| ClientError::Url {
            url: url.to_owned(),
            reason,
        };
        let uri: Uri = url
            .parse()
            .map_err(|e: hyper::http::uri::InvalidUri| bad(e.to_string()))?;
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Full::new(body.into()))
            .map_err(|e| bad(e.to_string()))?;
        let failed = |reason: String| ClientError::NoAnswer {
            url: url.to_owned(),
            reason,
        };
        let exchange = async {
            let answer = self.inner.request(request).await.map_err(|e| {
                let cause = std::error::Error::source(&e).map(|cause| cause.to_string());
                failed(cause.unwrap_or_else(|| e.to_string()))
            })?;
            let status = answer.status().as_u16();
            let retry_after_s = answer
                .headers()
                .get("retry-after")
                .and_then(|value| value.to_str().ok()?.parse().ok());
            let body = Limited::new(answer.into_body(), LONGEST)
                .collect()
                .await
                .map_err(|e| failed(e.to_string()))?
                .to_bytes();
            Ok(Answer {
                status,
                retry_after_s,
                body,
            })
        };
        match tokio::time::timeout(self.timeout, exchange).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::TimedOut {
                url: url.to_owned(),
                seconds: self.timeout.as_secs_f64(),
            }),
        }
    }
}
