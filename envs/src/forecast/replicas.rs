//! How many AI replicas run, and how an autoscaler changes that: a rule and a small state machine over time.
//!
//! Time is a number of seconds that the caller moves forward; nothing here waits.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The rule of a horizontal autoscaler.
///
/// desired = ⌈current × metric / target⌉, unchanged while metric / target is within the tolerance of 1, and kept between
/// `min` and `max`.
/// # Source
/// Kubernetes documentation, Horizontal Pod Autoscaling, algorithm details; its default tolerance is 0.1 and its interval
/// 15 s.
/// # Differs from the source
/// No stabilisation window and no limit on the speed of change: both are policies on top of the rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Autoscaler {
    /// Wanted value of the metric per ready replica, such as conversations at once or busy share; above 0.
    pub target: f64,
    /// Relative distance from the target that changes nothing: [0, 1).
    pub tolerance: f64,
    /// Fewest replicas.
    pub min: u32,
    /// Most replicas.
    pub max: u32,
    /// Seconds from the order to a ready replica.
    pub startup_s: f64,
    /// Seconds between two looks at the metric; above 0.
    pub interval_s: f64,
}

impl Default for Autoscaler {
    /// 70 % busy, 1 to 10 replicas, ready after 60 s, looked at every 15 s.
    fn default() -> Self {
        Self {
            target: 0.7,
            tolerance: 0.1,
            min: 1,
            max: 10,
            startup_s: 60.0,
            interval_s: 15.0,
        }
    }
}

/// A setting of an autoscaler out of range.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("`{key}` is {value}; it {expected}")]
pub struct AutoscalerError {
    /// The setting.
    pub key: &'static str,
    /// The value found.
    pub value: f64,
    /// What would be right.
    pub expected: &'static str,
}

impl Autoscaler {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first one out of range.
    pub fn validate(&self) -> Result<(), AutoscalerError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let checks = [
            ("target", self.target, positive(self.target), "is above 0"),
            (
                "tolerance",
                self.tolerance,
                (0.0..1.0).contains(&self.tolerance),
                "lies in [0, 1)",
            ),
            (
                "max",
                f64::from(self.max),
                self.max >= self.min.max(1),
                "is at least 1 and at least `min`",
            ),
            (
                "startup_s",
                self.startup_s,
                self.startup_s.is_finite() && self.startup_s >= 0.0,
                "is 0 or more",
            ),
            (
                "interval_s",
                self.interval_s,
                positive(self.interval_s),
                "is above 0",
            ),
        ];
        match checks.into_iter().find(|(_, _, fine, _)| !fine) {
            None => Ok(()),
            Some((key, value, _, expected)) => Err(AutoscalerError {
                key,
                value,
                expected,
            }),
        }
    }

    /// Replicas wanted when `current` of them are ready and show `metric` on average.
    ///
    /// A metric that is not a number changes nothing. No replica shows no metric, so from 0 the rule does not rise above
    /// `min`.
    #[must_use]
    pub fn desired(&self, current: u32, metric: f64) -> u32 {
        self.within(self.change(current, metric).unwrap_or(current))
    }

    /// What the rule says before `min` and `max`; `None` within the tolerance.
    fn change(&self, current: u32, metric: f64) -> Option<u32> {
        let ratio = metric / self.target;
        if ratio.is_nan() || (ratio - 1.0).abs() <= self.tolerance + SLACK {
            return None;
        }
        // Whole results such as 3 × 1.4 / 0.7 may come out a hair above; `as` saturates.
        Some((f64::from(current) * ratio * (1.0 - SLACK)).ceil() as u32)
    }

    fn within(&self, replicas: u32) -> u32 {
        replicas.max(self.min).min(self.max)
    }
}

/// Relative room for rounding, so that 1.1 times the target is within a tolerance of 0.1.
const SLACK: f64 = 1e-12;

/// Replicas over time: some ready, some starting.
///
/// The caller moves time with [`ReplicaSet::advance`] and shows the metric every [`Autoscaler::interval_s`] with
/// [`ReplicaSet::observe`]. Replicas that are no longer wanted stop at once, those still starting first, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplicaSet {
    ready: u32,
    /// When replicas become ready, and how many; in ascending order of time.
    starting: VecDeque<(f64, u32)>,
    now_s: f64,
}

impl ReplicaSet {
    /// `ready` replicas at a time.
    #[must_use]
    pub fn new(ready: u32, now_s: f64) -> Self {
        Self {
            ready,
            starting: VecDeque::new(),
            now_s,
        }
    }

    /// Replicas that serve.
    #[must_use]
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// Replicas that were ordered and do not serve yet.
    #[must_use]
    pub fn starting(&self) -> u32 {
        self.starting.iter().map(|(_, count)| count).sum()
    }

    /// Ready and starting.
    #[must_use]
    pub fn ordered(&self) -> u32 {
        self.ready + self.starting()
    }

    /// When the next replica becomes ready.
    #[must_use]
    pub fn next_ready_s(&self) -> Option<f64> {
        self.starting.front().map(|(at, _)| *at)
    }

    /// Moves time forward: what is ready by then serves. Time never goes back.
    pub fn advance(&mut self, now_s: f64) {
        self.now_s = self.now_s.max(now_s);
        while let Some(&(at, count)) = self.starting.front()
            && at <= self.now_s
        {
            self.ready += count;
            self.starting.pop_front();
        }
    }

    /// Orders or stops replicas so that `wanted` are ready or starting.
    pub fn scale_to(&mut self, wanted: u32, startup_s: f64) {
        let ordered = self.ordered();
        if wanted > ordered {
            let at = self.now_s + startup_s.max(0.0);
            // A start-up time that changes between calls may bring later orders in earlier.
            let place = self.starting.partition_point(|(other, _)| *other <= at);
            self.starting.insert(place, (at, wanted - ordered));
            self.advance(self.now_s);
            return;
        }
        let mut surplus = ordered - wanted;
        while surplus > 0
            && let Some((_, count)) = self.starting.back_mut()
        {
            let stopped = surplus.min(*count);
            *count -= stopped;
            surplus -= stopped;
            if *count == 0 {
                self.starting.pop_back();
            }
        }
        self.ready -= surplus;
    }

    /// Shows the mean metric of the ready replicas; the replicas wanted then, which are ordered at once.
    ///
    /// While replicas are starting, a metric above the target is shared out over them as if they were idle, and nothing
    /// changes where that turns the direction round: otherwise every look during a start-up would order the same replicas
    /// again.
    pub fn observe(&mut self, rule: &Autoscaler, metric: f64) -> u32 {
        let ordered = self.ordered();
        let change = if self.ready == 0 {
            None
        } else if self.starting.is_empty() || metric <= rule.target {
            rule.change(self.ready, metric)
        } else {
            let shared = metric * f64::from(self.ready) / f64::from(ordered);
            rule.change(ordered, shared)
                .filter(|_| shared > rule.target)
        };
        let wanted = rule.within(change.unwrap_or(ordered));
        self.scale_to(wanted, rule.startup_s);
        wanted
    }
}

#[cfg(test)]
mod tests;
