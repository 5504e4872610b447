//! How a router is run: the file that `tierwise serve` reads.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tierwise_envs::mask::MaskRules;

use super::spool::Durability;

/// A router's configuration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Address to listen on. Without API keys only loopback is allowed.
    pub listen: SocketAddr,
    /// The store: `sqlite:PATH` or `postgres://…`.
    pub store: String,
    /// Folder of the spool and of the key that hashes customers' ids.
    pub data: PathBuf,
    /// Rules that answer outside experiments and in place of a policy that cannot; built-in rules by default.
    pub rules: Option<PathBuf>,
    /// Whether an answer waits until its exposure is on disk.
    pub durability: Durability,
    /// Milliseconds that a policy has to answer.
    pub policy_budget_ms: f64,
    /// Megabytes of exposures kept while the store is away.
    pub spool_limit_mb: u64,
    /// Whether observations are kept with exposures, so that `store export --log` can write them.
    pub keep_observations: bool,
    /// Tiers that are forbidden by class.
    pub masks: MaskRules,
    /// Limits of requests.
    pub limits: Limits,
    /// Receivers of every transition.
    #[serde(rename = "webhook")]
    pub webhooks: Vec<WebhookSettings>,
}

/// Limits of requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Kilobytes of a request's body.
    pub body_kb: usize,
    /// Requests under way at once; more are answered 503 at once.
    pub concurrent: usize,
    /// Requests a second and client address; 0 for no limit.
    pub requests_per_second: f64,
    /// Seconds after which a request is given up.
    pub timeout_s: f64,
    /// Decisions or events in one batch.
    pub batch: usize,
}

/// A receiver of transitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookSettings {
    /// Its URL.
    pub url: String,
    /// File that holds the secret shared with it.
    pub secret_file: PathBuf,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8787)),
            store: "sqlite:tierwise.db".to_owned(),
            data: PathBuf::from("tierwise-data"),
            rules: None,
            durability: Durability::Sync,
            policy_budget_ms: 5.0,
            spool_limit_mb: 1024,
            keep_observations: true,
            masks: MaskRules::default(),
            limits: Limits::default(),
            webhooks: Vec::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_kb: 1024,
            concurrent: 4096,
            requests_per_second: 0.0,
            timeout_s: 10.0,
            batch: 1000,
        }
    }
}

/// A key with a value out of its range: key, value, what would be right.
pub type SettingFault = (&'static str, String, &'static str);

impl Settings {
    /// Checks every value.
    ///
    /// # Errors
    /// The first key out of range.
    pub fn check(&self) -> Result<(), SettingFault> {
        let limits = &self.limits;
        let within = |key, value: f64, low: f64, high: f64, expected| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err((key, value.to_string(), expected))
            }
        };
        within(
            "policy_budget_ms",
            self.policy_budget_ms,
            0.001,
            10_000.0,
            "0.001 to 10,000 milliseconds",
        )?;
        within(
            "spool_limit_mb",
            self.spool_limit_mb as f64,
            1.0,
            1e6,
            "1 to 1,000,000 megabytes",
        )?;
        within(
            "limits.body_kb",
            limits.body_kb as f64,
            1.0,
            65_536.0,
            "1 to 65,536 kilobytes",
        )?;
        within(
            "limits.concurrent",
            limits.concurrent as f64,
            1.0,
            1e6,
            "1 to 1,000,000 requests",
        )?;
        within(
            "limits.requests_per_second",
            limits.requests_per_second,
            0.0,
            1e9,
            "0 for no limit, or a rate",
        )?;
        within(
            "limits.timeout_s",
            limits.timeout_s,
            0.01,
            600.0,
            "0.01 to 600 seconds",
        )?;
        within(
            "limits.batch",
            limits.batch as f64,
            1.0,
            100_000.0,
            "1 to 100,000 items",
        )
    }
}
