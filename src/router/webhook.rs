//! Telling others about every transition: signed POST requests.
//!
//! The body is JSON; `tierwise-signature: t=SECONDS,v1=HEX` carries HMAC-SHA256 of `SECONDS.BODY` under the hook's secret,
//! so that a receiver can check sender and age. Delivery is tried five times; it never holds up the judge.

use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use hyper::Method;
use serde::Serialize;
use sha2::Sha256;

use super::client::Client;
use super::experiment::Experiment;
use crate::store::AuditEntry;

/// How often a delivery is tried.
const TRIES: u32 = 5;

/// Where to tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// The receiver.
    pub url: String,
    /// The secret shared with it.
    pub secret: String,
}

/// All receivers. Clones share them.
#[derive(Clone)]
pub struct Webhooks {
    hooks: Arc<[Webhook]>,
    client: Client,
}

#[derive(Serialize)]
struct Notice<'a> {
    experiment: &'a str,
    action: &'a str,
    phase: &'a str,
    actor: &'a str,
    reason: &'a str,
    at_us: i64,
    evidence: Option<&'a serde_json::value::RawValue>,
}

impl Webhooks {
    /// Receivers of every transition.
    #[must_use]
    pub fn new(hooks: Vec<Webhook>) -> Self {
        Self {
            hooks: hooks.into(),
            client: Client::new(Duration::from_secs(10)),
        }
    }

    /// Tells every receiver, in the background. Must be called within a tokio runtime.
    pub fn send(&self, key: &str, experiment: &Experiment, entry: &AuditEntry) {
        if self.hooks.is_empty() {
            return;
        }
        let notice = Notice {
            experiment: key,
            action: &entry.action,
            phase: experiment.phase.name(),
            actor: &entry.actor,
            reason: &entry.reason,
            at_us: entry.at_us,
            evidence: serde_json::from_str(&entry.evidence).ok(),
        };
        let body = serde_json::to_string(&notice).expect("a notice is plain data");
        let seconds = entry.at_us.div_euclid(1_000_000);
        for position in 0..self.hooks.len() {
            let (client, hooks, body) = (self.client.clone(), self.hooks.clone(), body.clone());
            tokio::spawn(async move { deliver(&client, &hooks[position], seconds, body).await });
        }
    }
}

/// The signature of a body at a time.
#[must_use]
pub fn signature(secret: &str, seconds: i64, body: &str) -> String {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{seconds}.{body}").as_bytes());
    let code = mac.finalize().into_bytes();
    let hex: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

async fn deliver(client: &Client, hook: &Webhook, seconds: i64, body: String) {
    let signature = signature(&hook.secret, seconds, &body);
    let headers = [
        ("content-type", "application/json"),
        ("tierwise-signature", signature.as_str()),
    ];
    for attempt in 0..TRIES {
        match client
            .send(Method::POST, &hook.url, &headers, body.clone())
            .await
        {
            Ok(answer) if answer.is_success() => return,
            Ok(answer) => tracing::warn!(url = hook.url, status = answer.status, "webhook refused"),
            Err(error) => tracing::warn!(%error, "webhook not delivered"),
        }
        tokio::time::sleep(Duration::from_millis(200 << (2 * attempt))).await;
    }
    tracing::error!(url = hook.url, "webhook given up after {TRIES} tries");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_hmac_sha256() {
        // python3 -c "import hmac; print(hmac.new(b'secret', b'1700000000.{}', 'sha256').hexdigest())"
        assert_eq!(
            signature("secret", 1_700_000_000, "{}"),
            "t=1700000000,v1=b8569b78799ff9e3cbff0fc2d63a33a2b57f3282abd07c37ae5e8e7d79a5f163"
        );
    }
}
