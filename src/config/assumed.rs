//! What a configuration assumes of tiers that a log does not hold.

use serde::{Deserialize, Serialize};

use super::toml_file::{ConfigError, TomlFile};

/// Assumptions on tiers that the log does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct Assumed {
    /// Tier 1.
    pub auto: Option<AssumedTier>,
    /// Tier 2.
    pub review: Option<AssumedTier>,
    /// Tier 3.
    pub human: Option<AssumedTier>,
}

/// What one tier is assumed to do; class order simple, complex, complaint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssumedTier {
    /// Mean satisfaction by class, each in [0, 1].
    pub satisfaction: [f64; 3],
    /// Seconds to an answer by class, each in [0, 7 days].
    pub answer_s: [f64; 3],
    /// Human seconds per answer by class, each in [0, 7 days].
    pub human_s: [f64; 3],
    /// Where these numbers come from, for every page that shows them.
    pub source: String,
}

impl Assumed {
    /// The tiers with their names, in order.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<&AssumedTier>); 3] {
        [
            ("auto", self.auto.as_ref()),
            ("review", self.review.as_ref()),
            ("human", self.human.as_ref()),
        ]
    }

    pub(super) fn validate(&self, file: &TomlFile) -> Result<(), ConfigError> {
        let bad = |key: String, value: String, expected: &str| {
            Err(file.value_error(&key, value, expected))
        };
        for (name, tier) in self.named() {
            let Some(tier) = tier else { continue };
            if tier.source.trim().is_empty() {
                return bad(
                    format!("assumed.{name}.source"),
                    "\"\"".to_owned(),
                    "say where the numbers come from: every page that shows them will",
                );
            }
            let week = 7.0 * 86_400.0;
            for (key, values, high, unit) in [
                ("satisfaction", tier.satisfaction, 1.0, "[0, 1]"),
                ("answer_s", tier.answer_s, week, "[0, 7 days] in seconds"),
                ("human_s", tier.human_s, week, "[0, 7 days] in seconds"),
            ] {
                if let Some(value) = values.iter().find(|v| !(0.0..=high).contains(*v)) {
                    return bad(
                        format!("assumed.{name}.{key}"),
                        value.to_string(),
                        &format!("every entry lies in {unit}"),
                    );
                }
            }
        }
        Ok(())
    }
}
