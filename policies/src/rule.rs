//! Ordered hand-written rules: what shops use today, the baseline of every comparison and the fallback of every
//! learned policy.
//!
//! A rule file is TOML: `[[rule]]` tables are tried from top to bottom, the first whose conditions all hold decides,
//! and `default` decides when none does. Files are checked when read: a rule that can never be reached, a feature that
//! does not exist or a pattern that does not compile is an error with the rule's number, name and line. Deciding
//! allocates nothing. Canned answers and hot reloading are not this module's business.
//!
//! ```toml
//! default = "auto"
//! utc_offset_hours = 8.0           # rules speak of shop time, observations of UTC
//!
//! [[rule]]
//! name = "complaints"
//! keywords = ["broken", "complain*", "投诉"]
//! features = { busy_human = { max = 0.9 } }
//! then = "human"
//! ```

mod compile;
mod condition;
mod spec;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tierwise_envs::env::Situation;
use tierwise_envs::tier::{Tier, TierProbs};

use self::condition::Rule;
pub use self::spec::{OneOrMany, RuleFile, RuleSpec, Threshold, TurnSpec};
use crate::policy::Policy;

/// Why rules cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The text is no rule file; the message names line, column and what was expected.
    #[error("not a rule file: {0}")]
    Toml(#[from] toml::de::Error),
    /// A key of a rule has a value that makes no sense.
    #[error("line {line}: rule {number} (`{name}`): `{key}` is {value}; {expected}")]
    Value {
        /// Line on which the rule begins, from 1.
        line: usize,
        /// Number of the rule, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// The key.
        key: String,
        /// The value given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// A key outside the rules has a value that makes no sense.
    #[error("`{key}` is {value}; {expected}")]
    Setting {
        /// The key.
        key: &'static str,
        /// The value given.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A regular expression or keyword list does not compile.
    #[error("line {line}: rule {number} (`{name}`): `{key}` does not compile: {source}")]
    Pattern {
        /// Line on which the rule begins, from 1.
        line: usize,
        /// Number of the rule, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// `regex` or `keywords`.
        key: &'static str,
        /// What is wrong with it.
        #[source]
        source: Box<regex::Error>,
    },
    /// A rule stands behind one that always decides.
    #[error(
        "line {line}: rule {number} (`{name}`) is never reached: rule {blocker} (`{blocker_name}`) has no condition and always decides; move it to the end or give it one"
    )]
    Unreachable {
        /// Line on which the rule begins, from 1.
        line: usize,
        /// Number of the rule, from 1.
        number: usize,
        /// Its name.
        name: String,
        /// Number of the rule that always decides.
        blocker: usize,
        /// Its name.
        blocker_name: String,
    },
}

/// Which rule decided, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explanation<'a> {
    /// Number (from 1) and name of the rule; `None` when the default decided.
    pub rule: Option<(usize, &'a str)>,
    /// The tier that the rule names.
    pub wanted: Tier,
    /// The tier taken: the allowed one nearest to it.
    pub tier: Tier,
}

/// Ordered rules, compiled.
///
/// Keeps its source: two policies are equal when their texts are, and an artefact stores the text.
#[derive(Debug, Clone)]
pub struct RulePolicy {
    source: Arc<str>,
    rules: Arc<[Rule]>,
    default: Tier,
    utc_offset_hours: f32,
}

impl PartialEq for RulePolicy {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl RulePolicy {
    /// Reads, checks and compiles a rule file.
    ///
    /// # Errors
    /// [`RuleError`] names the rule by number, name and line, the key, its value and what would be right.
    pub fn from_toml(text: &str) -> Result<Self, RuleError> {
        let file: RuleFile = toml::from_str(text)?;
        let offset = file.utc_offset_hours;
        if !(-12.0..=14.0).contains(&offset) {
            return Err(RuleError::Setting {
                key: "utc_offset_hours",
                value: offset.to_string(),
                expected: "it lies in [-12, 14]",
            });
        }
        Ok(Self {
            source: text.into(),
            rules: compile::rules(text, &file)?.into(),
            default: file.default,
            utc_offset_hours: offset,
        })
    }

    /// The text it was made from.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether any rule reads the message: then the same observation may be answered in different ways.
    #[must_use]
    pub fn reads_text(&self) -> bool {
        self.rules.iter().any(Rule::reads_text)
    }

    /// How many rules there are, the default not counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether only the default decides.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Name and comment of each rule, in order.
    pub fn names(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.rules
            .iter()
            .map(|rule| (rule.name.as_str(), rule.comment.as_deref()))
    }

    /// Which rule decides, and what comes of it under the mask.
    #[must_use]
    pub fn explain(&self, at: &Situation<'_>) -> Explanation<'_> {
        let decided = (1..)
            .zip(self.rules.iter())
            .find(|(_, rule)| rule.holds(at, self.utc_offset_hours));
        let wanted = decided.map_or(self.default, |(_, rule)| rule.then);
        Explanation {
            rule: decided.map(|(number, rule)| (number, rule.name.as_str())),
            wanted,
            tier: at.mask.nearest(wanted),
        }
    }

    /// The tier of a situation.
    #[must_use]
    pub fn tier(&self, at: &Situation<'_>) -> Tier {
        self.explain(at).tier
    }
}

impl Policy for RulePolicy {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        TierProbs::certain(self.tier(at))
    }
}

impl Serialize for RulePolicy {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl<'de> Deserialize<'de> for RulePolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_toml(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}
