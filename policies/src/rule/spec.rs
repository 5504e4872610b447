//! What a rule file says, before it is checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use tierwise_envs::class::{Channel, Class};
use tierwise_envs::tier::Tier;
use toml::Spanned;

/// A rule file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFile {
    /// Tier when no rule decides.
    #[serde(default = "auto")]
    pub default: Tier,
    /// Hours that the shop's clock is ahead of UTC, in [-12, 14]; `hour` conditions are shop-local.
    #[serde(default)]
    pub utc_offset_hours: f32,
    /// The rules, first match first.
    #[serde(default)]
    pub rule: Vec<Spanned<RuleSpec>>,
}

const fn auto() -> Tier {
    Tier::Auto
}

/// One rule: it holds when all its conditions do.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    /// Its name, unique in the file; it appears in explanations.
    pub name: String,
    /// Why it is there.
    #[serde(default)]
    pub comment: Option<String>,
    /// The message contains one of these, in any case. Latin words match as whole words; `complain*` lets the word go
    /// on. A message whose text is not at hand contains nothing.
    #[serde(default)]
    pub keywords: Option<Vec<String>>,
    /// The message matches this regular expression (the `regex` crate's syntax).
    #[serde(default)]
    pub regex: Option<String>,
    /// The live class guess is one of these.
    #[serde(default)]
    pub class: Option<OneOrMany<Class>>,
    /// The live intent is one of these names.
    #[serde(default)]
    pub intent: Option<OneOrMany<String>>,
    /// The customer's language is one of these BCP 47 tags (the primary subtag counts).
    #[serde(default)]
    pub language: Option<OneOrMany<String>>,
    /// The channel is one of these.
    #[serde(default)]
    pub channel: Option<OneOrMany<Channel>>,
    /// The shop-local hour lies in [from, to), wrapping midnight; each in [0, 24].
    #[serde(default)]
    pub hour: Option<[f32; 2]>,
    /// How many customer messages came before this one: a number, or `{ min = …, max = … }`, both included.
    #[serde(default)]
    pub turn: Option<TurnSpec>,
    /// Features of the observation within thresholds, both included. An unknown value is within none.
    #[serde(default)]
    pub features: BTreeMap<String, Threshold>,
    /// The tier it names.
    pub then: Tier,
}

/// A value or a list of values.
#[derive(Debug, Clone, Deserialize)]
#[serde(
    untagged,
    expecting = "expected one of the known names, or a list of them"
)]
pub enum OneOrMany<T> {
    /// One value.
    One(T),
    /// Any of several.
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    /// The values as a slice.
    #[must_use]
    pub const fn as_slice(&self) -> &[T] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values.as_slice(),
        }
    }
}

/// Turns at which a rule holds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a turn number such as 0, or a table such as { min = 1 }"
)]
pub enum TurnSpec {
    /// Exactly this turn; 0 is the first message.
    Exactly(u32),
    /// A range of turns.
    Between(Threshold),
}

/// Bounds of a number, both included.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// At least this.
    #[serde(default)]
    pub min: Option<f32>,
    /// At most this.
    #[serde(default)]
    pub max: Option<f32>,
}
