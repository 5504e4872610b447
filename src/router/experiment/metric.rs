//! What is measured: an event, and the time it has to come.

use serde::{Deserialize, Serialize};

use super::DefinitionFault;

/// What a unit's events within the window come to.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// 1 when any such event came, else 0: clicks, conversions, escalations.
    #[default]
    Any,
    /// The last event's value, scaled from `low..high` to 0..1; `missing` (in the same unit) for units without one.
    Value {
        /// The value that counts as 0.
        low: f64,
        /// The value that counts as 1.
        high: f64,
        /// The value of a unit without such an event.
        missing: f64,
    },
}

impl Outcome {
    /// The outcome of a unit whose events have these values, in order of occurrence: always in [0, 1].
    #[must_use]
    pub fn of(&self, values: impl IntoIterator<Item = Option<f64>>) -> f64 {
        let mut events = values.into_iter();
        match self {
            Self::Any => f64::from(u8::from(events.next().is_some())),
            Self::Value { low, high, missing } => {
                let value = events.flatten().last().unwrap_or(*missing);
                ((value - low) / (high - low)).clamp(0.0, 1.0)
            }
        }
    }
}

/// A metric: which event, how long after the exposure, and what it is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Its name on pages and in results.
    pub name: String,
    /// Type of the event: `tierwise.click.v1`, `tierwise.conversion.v1`, …
    pub event: String,
    /// Hours after the exposure within which the event counts; the same for every arm.
    pub window_hours: f64,
    /// Minutes after the window in which events of it may still arrive.
    #[serde(default = "default_grace_minutes")]
    pub grace_minutes: f64,
    /// What the events come to.
    #[serde(default)]
    pub outcome: Outcome,
}

fn default_grace_minutes() -> f64 {
    10.0
}

impl Metric {
    /// The window in microseconds.
    #[must_use]
    pub fn window_us(&self) -> i64 {
        (self.window_hours * 3_600e6).round() as i64
    }

    /// The grace in microseconds.
    #[must_use]
    pub fn grace_us(&self) -> i64 {
        (self.grace_minutes * 60e6).round() as i64
    }

    /// Checks names and ranges; `key` is where the metric stands.
    pub(super) fn check(&self, key: &str) -> Result<(), DefinitionFault> {
        let fault = |part: &str, value: String, expected| {
            Err(DefinitionFault::new(
                format!("{key}.{part}"),
                value,
                expected,
            ))
        };
        if self.name.is_empty() || self.name.len() > 64 {
            return fault(
                "name",
                format!("`{}`", self.name),
                "a name has 1 to 64 bytes",
            );
        }
        if self.event.is_empty() || self.event.len() > 128 {
            let expected = "the type of an event, such as `tierwise.conversion.v1`";
            return fault("event", format!("`{}`", self.event), expected);
        }
        if !(self.window_hours > 0.0 && self.window_hours <= 24.0 * 90.0) {
            let expected = "a window lasts more than 0 hours and at most 90 days";
            return fault("window_hours", self.window_hours.to_string(), expected);
        }
        if !(0.0..=7.0 * 1440.0).contains(&self.grace_minutes) {
            let expected = "a grace lasts 0 minutes to 7 days";
            return fault("grace_minutes", self.grace_minutes.to_string(), expected);
        }
        if let Outcome::Value { low, high, missing } = self.outcome
            && !(low < high && (low..=high).contains(&missing) && (high - low).is_finite())
        {
            let expected = "`low` is below `high`, and `missing` lies between them";
            return fault(
                "outcome",
                format!("{low}..{high}, missing {missing}"),
                expected,
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outcomes_stay_between_zero_and_one() {
        let rating = Outcome::Value {
            low: 1.0,
            high: 5.0,
            missing: 3.0,
        };
        for (outcome, values, want) in [
            (Outcome::Any, vec![], 0.0),
            (Outcome::Any, vec![None, Some(2.0)], 1.0),
            (rating, vec![], 0.5),
            (rating, vec![None], 0.5),
            (rating, vec![Some(1.0), Some(4.0)], 0.75),
            (rating, vec![Some(9.0)], 1.0),
        ] {
            assert_eq!(outcome.of(values.clone()), want, "{values:?}");
        }
    }
}
