//! How a page's numbers were made: versions, seeds, hashes, and the command
//! that makes them again.

use serde::{Deserialize, Serialize};

use crate::text::{Phrase, Words};

/// Everything needed to repeat a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Programs, environments and policies with their versions.
    #[serde(default)]
    pub versions: Vec<NamedValue>,
    /// The seeds used.
    #[serde(default)]
    pub seeds: Vec<u64>,
    /// Hash of the resolved configuration.
    #[serde(default)]
    pub config_hash: Option<String>,
    /// Hash of the log.
    #[serde(default)]
    pub log_hash: Option<String>,
    /// Version of the reward's parameters; results compare only within one version.
    #[serde(default)]
    pub reward_version: Option<String>,
    /// Parameters worth reading beside the numbers, such as the toll found.
    #[serde(default)]
    pub settings: Vec<NamedValue>,
    /// When the run was made, as the caller writes times.
    #[serde(default)]
    pub made_at: Option<String>,
    /// The command that repeats the run.
    #[serde(default)]
    pub command: Option<String>,
}

/// A name and what it stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// The value, unit included.
    pub value: String,
}

impl NamedValue {
    /// A name with its value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// The section as the template draws it.
pub(crate) struct ProvenanceView {
    pub(crate) rows: Vec<(String, String)>,
    pub(crate) command: Option<String>,
}

impl Provenance {
    pub(crate) fn view(&self, words: Words) -> Option<ProvenanceView> {
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut fact = |phrase: Phrase, value: Option<String>| {
            rows.extend(value.map(|value| (words.say(phrase).to_owned(), value)));
        };
        fact(Phrase::MadeAt, self.made_at.clone());
        fact(Phrase::RewardVersion, self.reward_version.clone());
        fact(Phrase::ConfigHash, self.config_hash.clone());
        fact(Phrase::LogHash, self.log_hash.clone());
        fact(
            Phrase::Seeds,
            (!self.seeds.is_empty()).then(|| {
                let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
                seeds.join(", ")
            }),
        );
        for value in self.versions.iter().chain(&self.settings) {
            rows.push((value.name.clone(), value.value.clone()));
        }
        if rows.is_empty() && self.command.is_none() {
            return None;
        }
        Some(ProvenanceView {
            rows,
            command: self.command.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Language;

    #[test]
    fn nothing_known_is_no_section() {
        let words = Words::new(Language::En);
        assert!(Provenance::default().view(words).is_none());
        let seeded = Provenance {
            seeds: vec![7, 8],
            ..Provenance::default()
        };
        let view = seeded.view(words).unwrap();
        assert_eq!(view.rows, [("Seeds".to_owned(), "7, 8".to_owned())]);
    }
}
