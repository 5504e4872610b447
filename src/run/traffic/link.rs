//! One router over HTTP: questions that are asked again, under the same ids, until they are answered.

use std::time::Duration;

use hyper::Method;
use serde::Deserialize;
use serde_json::Value;

use crate::router::client::{Answer, Client, ClientError};
use crate::router::http::AT_HEADER;

/// Seconds that a router may be away before the traffic gives up.
const PATIENCE_S: f64 = 60.0;
/// Longest pause between two attempts.
const LONGEST_PAUSE_S: f64 = 0.25;

/// Why traffic came to an end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrafficError {
    /// The router stayed away.
    #[error("the router was away for more than {PATIENCE_S} s")]
    Away(#[source] ClientError),
    /// The router stayed unwilling.
    #[error("{url} answered {status} for more than {PATIENCE_S} s: {detail}")]
    Unavailable {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// The problem's detail.
        detail: String,
    },
    /// The router refused.
    #[error("{url} answered {status}: {detail}")]
    Refused {
        /// What was asked.
        url: String,
        /// The status.
        status: u16,
        /// The problem's detail.
        detail: String,
    },
    /// The router answered what it never should.
    #[error("{url} answered something else than expected: {reason}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// The experiment cannot be driven.
    #[error("experiment `{key}`: {reason}")]
    Experiment {
        /// Its key.
        key: String,
        /// Why not.
        reason: String,
    },
    /// The centre cannot be built.
    #[error(transparent)]
    Run(#[from] crate::run::RunError),
}

/// A router.
pub(super) struct Link {
    client: Client,
    base: String,
    authorization: Option<String>,
    /// Attempts that failed and were made again.
    pub(super) retried: u64,
}

/// Whether a router's clock follows, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(super) struct Ready {
    pub(super) spool_bytes: u64,
    /// Where a following clock stands.
    pub(super) now_us: Option<i64>,
    pub(super) judged_us: Option<i64>,
}

impl Link {
    pub(super) fn new(url: &str, api_key: Option<&str>) -> Self {
        Self {
            client: Client::new(Duration::from_secs(30)),
            base: url.trim_end_matches('/').to_owned(),
            authorization: api_key.map(|key| format!("Bearer {key}")),
            retried: 0,
        }
    }

    /// Asks until there is an answer other than "not now"; `at_us` is the time told to a clock that follows.
    pub(super) async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
        at_us: Option<i64>,
    ) -> Result<Answer, TrafficError> {
        let url = format!("{}{path}", self.base);
        let at = at_us.map(|at_us| at_us.to_string());
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(at.as_deref().map(|at| (AT_HEADER, at)));
        headers.extend(
            self.authorization
                .as_deref()
                .map(|key| ("authorization", key)),
        );
        let (mut waited_s, mut pause_s) = (0.0, 0.01);
        loop {
            let answer = self
                .client
                .send(method.clone(), &url, &headers, body.to_owned())
                .await;
            let wanted_s = match answer {
                Ok(answer) if !matches!(answer.status, 429 | 503) => {
                    if answer.is_success() {
                        return Ok(answer);
                    }
                    let (status, detail) = (answer.status, detail(&answer));
                    return Err(TrafficError::Refused {
                        url,
                        status,
                        detail,
                    });
                }
                Ok(answer) if waited_s >= PATIENCE_S => {
                    let (status, detail) = (answer.status, detail(&answer));
                    return Err(TrafficError::Unavailable {
                        url,
                        status,
                        detail,
                    });
                }
                Err(error @ ClientError::Url { .. }) => return Err(TrafficError::Away(error)),
                Err(error) if waited_s >= PATIENCE_S => return Err(TrafficError::Away(error)),
                Ok(answer) => answer.retry_after_s.map_or(0.0, |s| s as f64),
                Err(_) => 0.0,
            };
            self.retried += 1;
            let pause = wanted_s.max(pause_s);
            tokio::time::sleep(Duration::from_secs_f64(pause)).await;
            waited_s += pause;
            pause_s = (2.0 * pause_s).min(LONGEST_PAUSE_S);
        }
    }

    /// The same, read as JSON.
    pub(super) async fn read<T: serde::de::DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &str,
        at_us: Option<i64>,
    ) -> Result<T, TrafficError> {
        let answer = self.ask(method, path, body, at_us).await?;
        serde_json::from_slice(&answer.body).map_err(|e| TrafficError::Answer {
            url: format!("{}{path}", self.base),
            reason: e.to_string(),
        })
    }

    /// Waits until everything that was answered is in the store, and judged up to `at_us`.
    pub(super) async fn settle(&mut self, at_us: i64) -> Result<(), TrafficError> {
        let mut waited_ms = 0;
        loop {
            let ready: Ready = self.read(Method::GET, "/readyz", "", Some(at_us)).await?;
            if ready.spool_bytes == 0 && ready.judged_us.is_some_and(|judged| judged >= at_us) {
                return Ok(());
            }
            if f64::from(waited_ms) > 1e3 * PATIENCE_S {
                return Err(TrafficError::Answer {
                    url: format!("{}/readyz", self.base),
                    reason: format!("nothing is settled after {PATIENCE_S} s: {ready:?}"),
                });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            waited_ms += 1;
        }
    }
}

/// The detail of a problem.
fn detail(answer: &Answer) -> String {
    let value: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    value["detail"]
        .as_str()
        .unwrap_or("without a word")
        .to_owned()
}
