//! The `[queue]` section: what it may say, and its checked form.

use serde::{Deserialize, Serialize};

use super::Law;
use super::runs::{FEWEST_BATCHES, FEWEST_COUNTED};
use crate::erlang::Traffic;

/// Most customers of a run: beyond it, clock times would lose the digits of short waits.
const MOST_CUSTOMERS: u64 = 10_000_000_000;
/// Most samples of an empirical law.
const MOST_SAMPLES: usize = 100_000;
/// Most classes.
const MOST_CLASSES: usize = 64;

/// A `[queue]` section as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueConfig {
    /// People who serve, 1 to 1,000,000.
    pub servers: u32,
    /// Customers a second, above 0. They arrive at random (Poisson).
    pub arrival_rate_per_s: f64,
    /// Law of the service times.
    pub service: LawConfig,
    /// Law of patience; absent where nobody leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<LawConfig>,
    /// Customers of the run, warm-up included; with `horizon_s`, about how many come in all days together.
    #[serde(default = "default_customers")]
    pub customers: u64,
    /// Share of the run that fills the queue and is not measured, in [0, 0.9].
    #[serde(default = "default_warmup_share")]
    pub warmup_share: f64,
    /// Seed.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Length of a day that begins empty, for queues without a steady state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub horizon_s: Option<f64>,
    /// Classes of customers; absent where all are alike.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassConfig>,
}

fn default_customers() -> u64 {
    5_000_000
}

fn default_warmup_share() -> f64 {
    0.05
}

fn default_seed() -> u64 {
    1
}

/// Kinds of laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LawKind {
    /// Exponential with mean `mean_s`.
    Exponential,
    /// Always `mean_s`.
    Deterministic,
    /// Lognormal with mean `mean_s` and standard deviation `sd_s`.
    Lognormal,
    /// Each of `samples_s` equally likely.
    Empirical,
}

/// A law as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LawConfig {
    /// Its kind, which says which of the other keys it takes.
    pub kind: LawKind,
    /// Mean seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_s: Option<f64>,
    /// Standard deviation in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sd_s: Option<f64>,
    /// Samples in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub samples_s: Option<Vec<f64>>,
}

/// A class of customers as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassConfig {
    /// Share of the customers, above 0; the shares sum to 1.
    pub share: f64,
    /// Priority, at least 1; 1 goes first. Nobody's service is interrupted.
    pub priority: u32,
}

/// A key that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {value}; {expected}")]
pub struct QueueConfigError {
    /// The dotted key from the top of the file.
    pub key: String,
    /// The value given.
    pub value: String,
    /// What would be right.
    pub expected: String,
}

/// A queue whose numbers are all in range and which has a steady state or a horizon.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    pub(super) servers: u32,
    pub(super) arrival_rate_per_s: f64,
    pub(super) service: Law,
    pub(super) patience: Option<Law>,
    pub(super) customers: u64,
    pub(super) warmup_share: f64,
    pub(super) seed: u64,
    pub(super) horizon_s: Option<f64>,
    pub(super) classes: Vec<QueueClass>,
}

/// A checked class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct QueueClass {
    /// Share of the customers.
    pub share: f64,
    /// Priority; 1 goes first.
    pub priority: u32,
}

/// Which law is checked: patience may be 0, work may not.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Service,
    Patience,
}

fn refuse<T>(
    key: impl Into<String>,
    value: impl ToString,
    expected: impl Into<String>,
) -> Result<T, QueueConfigError> {
    Err(QueueConfigError {
        key: key.into(),
        value: value.to_string(),
        expected: expected.into(),
    })
}

impl QueueConfig {
    /// A queue without classes whose other keys have their defaults.
    #[must_use]
    pub fn new(
        servers: u32,
        arrival_rate_per_s: f64,
        service: LawConfig,
        patience: Option<LawConfig>,
    ) -> Self {
        Self {
            servers,
            arrival_rate_per_s,
            service,
            patience,
            customers: default_customers(),
            warmup_share: default_warmup_share(),
            seed: default_seed(),
            horizon_s: None,
            classes: Vec::new(),
        }
    }

    /// Checks every number for the formulas alone: an unstable queue passes.
    ///
    /// # Errors
    /// [`QueueConfigError`] with the first key that cannot be used.
    pub fn check_numbers(&self) -> Result<Queue, QueueConfigError> {
        if !(1..=Traffic::MOST_SERVERS).contains(&self.servers) {
            return refuse("queue.servers", self.servers, "it lies in 1 to 1,000,000");
        }
        if !(self.arrival_rate_per_s > 0.0 && self.arrival_rate_per_s <= 1e9) {
            return refuse(
                "queue.arrival_rate_per_s",
                self.arrival_rate_per_s,
                "customers a second: above 0 and at most 1e9",
            );
        }
        let service = self.service.check("queue.service", Role::Service)?;
        let patience = self.patience.as_ref();
        let patience = patience
            .map(|law| law.check("queue.patience", Role::Patience))
            .transpose()?;
        let offered = self.arrival_rate_per_s * service.mean_s();
        if offered > 1e6 {
            return refuse(
                "queue.arrival_rate_per_s",
                self.arrival_rate_per_s,
                format!(
                    "with a mean service of {} s that is work for {offered:.0} people at once; at most 1,000,000",
                    service.mean_s()
                ),
            );
        }
        if !(0.0..=0.9).contains(&self.warmup_share) {
            return refuse(
                "queue.warmup_share",
                self.warmup_share,
                "a share of the run in [0, 0.9]",
            );
        }
        Ok(Queue {
            servers: self.servers,
            arrival_rate_per_s: self.arrival_rate_per_s,
            service,
            patience,
            customers: self.customers,
            warmup_share: self.warmup_share,
            seed: self.seed,
            horizon_s: self.checked_horizon()?,
            classes: self.checked_classes()?,
        })
    }

    /// Checks everything that a run needs.
    ///
    /// # Errors
    /// [`QueueConfigError`] with the first key that cannot be used; at `queue.servers` when the queue would grow without
    /// end, nobody leaves and there is no horizon.
    pub fn check(&self) -> Result<Queue, QueueConfigError> {
        let queue = self.check_numbers()?;
        let counted = self.customers as f64 * (1.0 - self.warmup_share);
        if self.customers > MOST_CUSTOMERS || counted < FEWEST_COUNTED as f64 {
            return refuse(
                "queue.customers",
                self.customers,
                format!(
                    "at least {FEWEST_COUNTED} customers after the warm-up, so that batches can tell the standard errors, \
                     and at most {MOST_CUSTOMERS}"
                ),
            );
        }
        match queue.horizon_s {
            Some(horizon_s) => {
                let day = horizon_s * self.arrival_rate_per_s;
                if day * FEWEST_BATCHES as f64 > MOST_CUSTOMERS as f64 {
                    return refuse(
                        "queue.horizon_s",
                        horizon_s,
                        format!(
                            "{FEWEST_BATCHES} days of {day:.0} customers are more than {MOST_CUSTOMERS}"
                        ),
                    );
                }
            }
            None if queue.patience.is_none() && queue.offered() >= f64::from(self.servers) => {
                return refuse(
                    "queue.servers",
                    self.servers,
                    format!(
                        "the queue grows without end: {:.6} people would be busy all the time, and nobody leaves; \
                         give more servers, a patience, or `horizon_s` to simulate days that begin empty",
                        queue.offered()
                    ),
                );
            }
            None => {}
        }
        Ok(queue)
    }

    fn checked_horizon(&self) -> Result<Option<f64>, QueueConfigError> {
        match self.horizon_s {
            Some(horizon_s) if !(horizon_s > 0.0 && horizon_s <= 1e9) => refuse(
                "queue.horizon_s",
                horizon_s,
                "seconds: above 0 and at most 1e9",
            ),
            horizon_s => Ok(horizon_s),
        }
    }

    fn checked_classes(&self) -> Result<Vec<QueueClass>, QueueConfigError> {
        if self.classes.len() > MOST_CLASSES {
            let expected = format!("at most {MOST_CLASSES} classes");
            return refuse("queue.classes", self.classes.len(), expected);
        }
        for (index, class) in self.classes.iter().enumerate() {
            let key = |name: &str| format!("queue.classes.{index}.{name}");
            if !(class.share > 0.0 && class.share <= 1.0) {
                return refuse(key("share"), class.share, "above 0 and at most 1");
            }
            if class.priority == 0 {
                return refuse(
                    key("priority"),
                    class.priority,
                    "at least 1, which goes first",
                );
            }
        }
        let sum: f64 = self.classes.iter().map(|class| class.share).sum();
        if !self.classes.is_empty() && (sum - 1.0).abs() > 1e-9 {
            return refuse(
                "queue.classes",
                format!("of shares {sum}"),
                "the shares sum to 1",
            );
        }
        let checked = |class: &ClassConfig| QueueClass {
            share: class.share,
            priority: class.priority,
        };
        Ok(self.classes.iter().map(checked).collect())
    }
}

impl Queue {
    /// Mean number of people that the work would keep busy.
    #[must_use]
    pub fn offered(&self) -> f64 {
        self.arrival_rate_per_s * self.service.mean_s()
    }

    /// Law of the service times.
    #[must_use]
    pub fn service(&self) -> &Law {
        &self.service
    }

    /// Law of patience; `None` where nobody leaves.
    #[must_use]
    pub fn patience(&self) -> Option<&Law> {
        self.patience.as_ref()
    }

    /// The queue's classes; none where all customers are alike.
    #[must_use]
    pub fn classes(&self) -> &[QueueClass] {
        &self.classes
    }

    /// What the formulas start from.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        Traffic::new(self.servers, self.arrival_rate_per_s, self.service.mean_s())
            .expect("the numbers were checked")
    }
}

impl LawConfig {
    fn check(&self, section: &str, role: Role) -> Result<Law, QueueConfigError> {
        let key = |name: &str| format!("{section}.{name}");
        let takes: &[&str] = match self.kind {
            LawKind::Exponential | LawKind::Deterministic => &["mean_s"],
            LawKind::Lognormal => &["mean_s", "sd_s"],
            LawKind::Empirical => &["samples_s"],
        };
        for (name, given) in [
            ("mean_s", self.mean_s.is_some()),
            ("sd_s", self.sd_s.is_some()),
            ("samples_s", self.samples_s.is_some()),
        ] {
            if given != takes.contains(&name) {
                let state = if given { "given" } else { "missing" };
                let expected = format!("this kind takes {}", takes.join(" and "));
                return refuse(key(name), state, expected);
            }
        }
        let mean_s = self.mean_s.unwrap_or(1.0);
        let sd_s = self.sd_s.unwrap_or(1.0);
        let zero = self.kind == LawKind::Deterministic && role == Role::Patience;
        if !(mean_s > 0.0 && mean_s <= 1e9 || zero && mean_s == 0.0) {
            let expected = if zero {
                "seconds: at least 0, which makes a loss system, and at most 1e9"
            } else {
                "seconds: above 0 and at most 1e9"
            };
            return refuse(key("mean_s"), mean_s, expected);
        }
        if !(sd_s > 0.0 && sd_s <= 1e9) {
            let expected =
                "seconds: above 0 and at most 1e9; without spread, the kind is \"deterministic\"";
            return refuse(key("sd_s"), sd_s, expected);
        }
        Ok(match self.kind {
            LawKind::Exponential => Law::Exponential { mean_s },
            LawKind::Deterministic => Law::Deterministic { s: mean_s },
            LawKind::Lognormal => Law::Lognormal { mean_s, sd_s },
            LawKind::Empirical => {
                let samples_s = self.samples_s.clone().unwrap_or_default();
                check_samples(&samples_s, &key("samples_s"), role)?;
                Law::Empirical {
                    samples_s: samples_s.into(),
                }
            }
        })
    }
}

fn check_samples(samples_s: &[f64], key: &str, role: Role) -> Result<(), QueueConfigError> {
    let least = if role == Role::Service {
        f64::MIN_POSITIVE
    } else {
        0.0
    };
    if let Some(bad) = samples_s.iter().find(|s| !(least..=1e9).contains(*s)) {
        let expected = match role {
            Role::Service => "each sample is above 0 and at most 1e9 seconds",
            Role::Patience => "each sample is at least 0 and at most 1e9 seconds",
        };
        return refuse(key, bad, expected);
    }
    if samples_s.len() > MOST_SAMPLES {
        return refuse(
            key,
            format!("{} samples", samples_s.len()),
            format!("at most {MOST_SAMPLES}"),
        );
    }
    if samples_s.iter().all(|s| Some(s) == samples_s.first()) {
        let value = match samples_s {
            [] => "empty".to_owned(),
            [one] => format!("the one sample {one}"),
            [one, ..] => format!("{} samples of {one}", samples_s.len()),
        };
        return refuse(
            key,
            value,
            "two or more different samples; for a time that is always the same, the kind is \"deterministic\" with `mean_s`",
        );
    }
    Ok(())
}
