//! Who takes part: conditions on what is known before the decision.

use serde::{Deserialize, Serialize};
use tierwise_envs::observation::Feature;

use super::DefinitionFault;
use crate::router::context::Context;

/// A condition; a unit takes part when all of an experiment's conditions hold. A field that is missing fails it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// A feature of the observation, or an attribute of the context.
    pub field: String,
    /// The field's text is one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any_of: Vec<String>,
    /// The field's text is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none_of: Vec<String>,
    /// The field's number is at least this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// The field's number is at most this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
}

impl Condition {
    /// Whether it holds.
    #[must_use]
    pub fn holds(&self, context: &Context) -> bool {
        if self.min.is_some() || self.max.is_some() {
            let number = context.number(&self.field);
            let within = |number: f64| {
                self.min.is_none_or(|min| number >= min) && self.max.is_none_or(|max| number <= max)
            };
            if !number.is_some_and(within) {
                return false;
            }
        }
        if self.any_of.is_empty() && self.none_of.is_empty() {
            return true;
        }
        context.text_of(&self.field).is_some_and(|text| {
            (self.any_of.is_empty() || self.any_of.iter().any(|one| *one == text))
                && self.none_of.iter().all(|one| *one != text)
        })
    }

    /// Checks that it says something that can hold; `key` is where it stands.
    pub(super) fn check(&self, key: &str) -> Result<(), DefinitionFault> {
        let numbers = self.min.is_some() || self.max.is_some();
        if self.field.is_empty()
            || !(numbers || !self.any_of.is_empty() || !self.none_of.is_empty())
        {
            return Err(DefinitionFault::new(
                key,
                format!("`{}`", self.field),
                "a condition names a field and one of `any_of`, `none_of`, `min` and `max`",
            ));
        }
        if let (Some(min), Some(max)) = (self.min, self.max)
            && (min > max || min.is_nan() || max.is_nan())
        {
            let expected = "`min` is at most `max`";
            return Err(DefinitionFault::new(key, format!("{min}..{max}"), expected));
        }
        if let Some(feature) = Feature::from_name(&self.field)
            && self
                .min
                .is_some_and(|min| min > f64::from(feature.spec().high))
        {
            return Err(DefinitionFault::new(
                key,
                format!("min {:?}", self.min),
                "the feature never reaches it",
            ));
        }
        Ok(())
    }
}
