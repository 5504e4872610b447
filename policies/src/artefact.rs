//! Frozen, versioned policies on disk.
//!
//! A version directory holds `policy.json` (a header line with the content hash, then one line of content) and
//! `seen.bin` (the conversations it learned from). The content hash is the version: one changed byte and the policy is
//! refused. So is a policy made for another feature schema.

mod seen;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tierwise_envs::env::Situation;
use tierwise_envs::observation::{SCHEMA_VERSION, schema_hash};
use tierwise_envs::tier::TierProbs;
use tierwise_envs::time::UtcMicros;

pub use self::seen::Seen;
use crate::policy::{Fixed, FloorError, Policy, Uniform, WithFloor};
use crate::rule::RulePolicy;
use crate::table::TablePolicy;

/// Version of the artefact's file format.
pub const FORMAT: u32 = 1;
pub(crate) const POLICY_FILE: &str = "policy.json";
pub(crate) const SEEN_FILE: &str = "seen.bin";

/// What a policy's knowledge rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Written by hand; learned from nothing.
    Written,
    /// Learned from what a log recorded.
    Logged,
    /// Learned in a simulator, or on a model of tiers that were never logged.
    Simulated,
}

/// The features a policy reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SchemaStamp {
    /// Version of the feature list.
    pub version: u32,
    /// Fingerprint of names, kinds and ranges.
    pub hash: String,
}

impl SchemaStamp {
    /// The schema of this build.
    #[must_use]
    pub fn current() -> Self {
        Self {
            version: SCHEMA_VERSION,
            hash: schema_hash(),
        }
    }
}

/// The log a policy learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingStamp {
    /// Content hash of the whole log.
    pub log_hash: String,
    /// Conversations seen, training and tuning together.
    pub conversations: u64,
    /// Arrival of the first one.
    pub first: UtcMicros,
    /// Arrival of the last one.
    pub last: UtcMicros,
    /// Hash of `seen.bin`.
    pub seen_hash: String,
}

/// The kinds of policy that can be frozen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PolicyKind {
    /// Ordered hand-written rules.
    Rule {
        /// The rules.
        rules: RulePolicy,
    },
    /// Always one tier.
    Fixed {
        /// The tier.
        tier: Fixed,
    },
    /// Every allowed tier alike.
    Uniform,
    /// A learned table.
    Table {
        /// The table.
        table: TablePolicy,
    },
}

impl Policy for PolicyKind {
    fn probabilities(&self, at: &Situation<'_>) -> TierProbs {
        match self {
            Self::Rule { rules } => rules.probabilities(at),
            Self::Fixed { tier } => tier.probabilities(at),
            Self::Uniform => Uniform.probabilities(at),
            Self::Table { table } => table.probabilities(at),
        }
    }
}

/// A frozen policy with everything needed to judge it fairly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Artefact {
    /// The policy's name.
    pub id: String,
    /// The program that made it.
    pub created_by: String,
    /// How it was learned: `q`, `double_q`, `rule`, …
    pub learner: String,
    /// Seed of the run that made it.
    pub seed: u64,
    /// Hash of the resolved configuration.
    pub config_hash: String,
    /// The features it reads.
    pub feature_schema: SchemaStamp,
    /// Version of the reward it maximises.
    pub reward_version: String,
    /// What it rests on.
    pub evidence: Evidence,
    /// Probability that every allowed tier keeps when the policy is served; judged with it too.
    pub serve_floor: f64,
    /// The log it learned from.
    pub training: Option<TrainingStamp>,
    /// The policy.
    pub policy: PolicyKind,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    tierwise_policy: u32,
    content_hash: String,
}

/// Why an artefact cannot be written or trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtefactError {
    /// The file system said no.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        #[source]
        source: io::Error,
    },
    /// Not an artefact, or of another format.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The content is not what was saved.
    #[error("{}: content hash is {have}, the header says {want}: the file was changed after it was saved", path.display())]
    Changed {
        /// The file.
        path: PathBuf,
        /// Hash of what is there.
        have: String,
        /// Hash that was saved.
        want: String,
    },
    /// Made for other features.
    #[error(
        "{}: reads feature schema {} ({}), this build writes {} ({}); train it again, or use the tierwise that made it",
        path.display(), have.version, have.hash, want.version, want.hash
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// The artefact's schema.
        have: SchemaStamp,
        /// This build's schema.
        want: SchemaStamp,
    },
}

/// An artefact as loaded, with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// First 12 hex digits of the content hash.
    pub version: String,
    /// The artefact.
    pub artefact: Artefact,
    /// Keys of the conversations it has seen; empty for policies that learned from none.
    pub seen: Seen,
}

impl Artefact {
    /// The policy as it is served and judged: with its exploration floor.
    ///
    /// # Errors
    /// [`FloorError`] when the floor is out of range.
    pub fn served(&self) -> Result<WithFloor<&PolicyKind>, FloorError> {
        WithFloor::new(&self.policy, self.serve_floor)
    }

    /// Writes the artefact into a directory (created if missing) and returns the version. Both files are written under
    /// temporary names before either is renamed, so that a disk that fills up leaves the old version whole.
    ///
    /// `seen` is kept only with [`Artefact::training`]: without a log nothing was seen.
    ///
    /// # Errors
    /// [`ArtefactError::Io`]; [`ArtefactError::Malformed`] for a policy that could not be loaded again, such as a table
    /// with a value that is not finite.
    pub fn save(&mut self, dir: &Path, seen: &Seen) -> Result<String, ArtefactError> {
        let policy = dir.join(POLICY_FILE);
        self.servable()
            .map_err(|reason| malformed(&policy, reason))?;
        fs::create_dir_all(dir).map_err(|source| io_error(dir, source))?;
        let mut files = Vec::with_capacity(2);
        if let Some(training) = &mut self.training {
            let bytes = seen.to_bytes();
            training.seen_hash = blake3::hash(&bytes).to_hex().to_string();
            files.push((dir.join(SEEN_FILE), bytes));
        }
        let (header, content) = self.encode();
        let version = header.content_hash[..12].to_owned();
        let header = serde_json::to_string(&header).expect("a header is two plain fields");
        files.push((policy, format!("{header}\n{content}\n").into_bytes()));
        write_together(&files)?;
        Ok(version)
    }

    /// Whether the policy can be served; the reason if not.
    fn servable(&self) -> Result<(), String> {
        self.served().map_err(|e| e.to_string())?;
        match &self.policy {
            PolicyKind::Table { table } => table.validate().map_err(|e| e.to_string()),
            _ => Ok(()),
        }
    }

    /// The version that [`Artefact::save`] would give.
    #[must_use]
    pub fn version(&self) -> String {
        self.encode().0.content_hash[..12].to_owned()
    }

    /// Content hash (64 hexadecimal digits) and the text that [`Artefact::parse`] reads, for registries.
    #[must_use]
    pub fn to_text(&self) -> (String, String) {
        let (header, content) = self.encode();
        let line = serde_json::to_string(&header).expect("a header is two plain fields");
        (header.content_hash, format!("{line}\n{content}\n"))
    }

    fn encode(&self) -> (Header, String) {
        let content =
            serde_json::to_string(self).expect("an artefact has string keys and finite numbers");
        let content_hash = blake3::hash(content.as_bytes()).to_hex().to_string();
        (
            Header {
                tierwise_policy: FORMAT,
                content_hash,
            },
            content,
        )
    }

    /// Loads and checks an artefact: `path` is the version directory or its `policy.json`.
    ///
    /// # Errors
    /// [`ArtefactError`]: unreadable, malformed, changed since it was saved, or for another feature schema.
    pub fn load(path: &Path) -> Result<Version, ArtefactError> {
        let file = if path.is_dir() {
            path.join(POLICY_FILE)
        } else {
            path.to_owned()
        };
        let text = fs::read_to_string(&file).map_err(|source| io_error(&file, source))?;
        let (version, artefact) = Self::parse(&text, &file)?;
        let seen = match &artefact.training {
            None => Seen::default(),
            Some(training) => {
                let path = file.with_file_name(SEEN_FILE);
                let bytes = fs::read(&path).map_err(|source| io_error(&path, source))?;
                check_hash(&path, &bytes, &training.seen_hash)?;
                Seen::from_bytes(&bytes)
                    .ok_or_else(|| malformed(&path, "not a list of conversation keys".into()))?
            }
        };
        Ok(Version {
            version,
            artefact,
            seen,
        })
    }

    /// Version and artefact of the text of a `policy.json`; errors name `file`. The conversations it has seen stand in
    /// another file.
    ///
    /// # Errors
    /// As [`Artefact::load`].
    pub fn parse(text: &str, file: &Path) -> Result<(String, Self), ArtefactError> {
        let malformed = |reason: String| malformed(file, reason);
        let (header, content) = text.split_once('\n').ok_or_else(|| {
            malformed("a policy file has a header line and a content line".into())
        })?;
        let header: Header = serde_json::from_str(header).map_err(|e| {
            malformed(if header.contains("\"tierwise_table_policy\"") {
                "a policy learned from a table: judge it with `evaluate --table`".into()
            } else {
                format!("not a policy header: {e}")
            })
        })?;
        if header.tierwise_policy != FORMAT {
            return Err(malformed(format!(
                "policy format {}, this build reads {FORMAT}",
                header.tierwise_policy
            )));
        }
        let content = content
            .strip_suffix('\n')
            .ok_or_else(|| malformed("the content line is cut off".into()))?;
        check_hash(file, content.as_bytes(), &header.content_hash)?;
        // The schema first: content of another schema need not parse as this one's.
        #[derive(Deserialize)]
        struct Schema {
            feature_schema: SchemaStamp,
        }
        let schema: Schema = serde_json::from_str(content).map_err(|e| malformed(e.to_string()))?;
        let current = SchemaStamp::current();
        if schema.feature_schema != current {
            return Err(ArtefactError::Schema {
                path: file.to_owned(),
                have: schema.feature_schema,
                want: current,
            });
        }
        let artefact: Self = serde_json::from_str(content).map_err(|e| malformed(e.to_string()))?;
        artefact.servable().map_err(malformed)?;
        Ok((header.content_hash[..12].to_owned(), artefact))
    }
}

pub(crate) fn io_error(path: &Path, source: io::Error) -> ArtefactError {
    ArtefactError::Io {
        path: path.to_owned(),
        source,
    }
}

pub(crate) fn check_hash(path: &Path, bytes: &[u8], want: &str) -> Result<(), ArtefactError> {
    let have = blake3::hash(bytes).to_hex().to_string();
    if have == want {
        Ok(())
    } else {
        Err(ArtefactError::Changed {
            path: path.to_owned(),
            have,
            want: want.to_owned(),
        })
    }
}

pub(crate) fn malformed(path: &Path, reason: String) -> ArtefactError {
    ArtefactError::Malformed {
        path: path.to_owned(),
        reason,
    }
}

/// Writes every file under a temporary name, then renames them all: before that, a reader sees the old ones.
pub(crate) fn write_together(files: &[(PathBuf, Vec<u8>)]) -> Result<(), ArtefactError> {
    let temporary = |path: &Path| path.with_extension("tmp");
    let written = files.iter().try_for_each(|(path, bytes)| {
        fs::File::create(temporary(path))
            .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
            .map_err(|source| io_error(path, source))
    });
    let renamed = written.and_then(|()| {
        files.iter().try_for_each(|(path, _)| {
            fs::rename(temporary(path), path).map_err(|source| io_error(path, source))
        })
    });
    if renamed.is_err() {
        for (path, _) in files {
            // The error that matters is the first one.
            let _ = fs::remove_file(temporary(path));
        }
    }
    renamed
}

#[cfg(test)]
mod tests;
