//! Versions of policies learned from tables.
//!
//! A version directory holds `policy.json` (a header line with the content hash, then one line of content) and `seen.bin`
//! (the runs of rows it learned from), as [`crate::artefact`] writes them for tier policies. The content hash is the version:
//! one changed byte and the policy is refused.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::learner::LearnerSettings;
use super::policy::{LoggedPolicy, ServedPolicy};
use crate::artefact::{
    ArtefactError, POLICY_FILE, SEEN_FILE, Seen, check_hash, io_error, malformed, write_together,
};
use crate::ope::table::NamedPolicy;

/// Version of the file format.
const FORMAT: u32 = 1;

/// The rows a policy learned from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableStamp {
    /// Rows learned from.
    pub rows: u64,
    /// Number of the first one in its file, from 0, and of the one after the last; absent when all were.
    pub part: Option<(u64, u64)>,
    /// Hash of `seen.bin`.
    pub seen_hash: String,
}

/// A frozen policy with everything needed to judge it fairly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TableArtefact {
    /// The policy's name.
    pub id: String,
    /// The program that made it.
    pub created_by: String,
    /// What it is, in one sentence.
    pub description: String,
    /// How it was learned.
    pub settings: LearnerSettings,
    /// Probability that every allowed action keeps when the policy is served; judged with it too.
    pub serve_floor: f64,
    /// Number of actions.
    pub actions: usize,
    /// What it learned from.
    pub training: TableStamp,
    /// The policy.
    pub policy: LoggedPolicy,
}

/// An artefact as loaded, with its version.
#[derive(Debug, Clone, PartialEq)]
pub struct TableVersion {
    /// First 12 hex digits of the content hash.
    pub version: String,
    /// The artefact.
    pub artefact: TableArtefact,
    /// Hashes of the runs of rows it has seen.
    pub seen: Seen,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    tierwise_table_policy: u32,
    content_hash: String,
}

impl TableArtefact {
    /// Writes the artefact into a directory (created if missing) and returns the version; both files or none.
    ///
    /// # Errors
    /// [`ArtefactError::Io`]; [`ArtefactError::Malformed`] for a policy that could not be loaded again.
    pub fn save(&mut self, dir: &Path, seen: &Seen) -> Result<String, ArtefactError> {
        let policy = dir.join(POLICY_FILE);
        self.check().map_err(|reason| malformed(&policy, reason))?;
        fs::create_dir_all(dir).map_err(|source| io_error(dir, source))?;
        let bytes = seen.to_bytes();
        self.training.seen_hash = blake3::hash(&bytes).to_hex().to_string();
        let content = serde_json::to_string(self).map_err(|e| malformed(&policy, e.to_string()))?;
        let header = Header {
            tierwise_table_policy: FORMAT,
            content_hash: blake3::hash(content.as_bytes()).to_hex().to_string(),
        };
        let version = header.content_hash[..12].to_owned();
        let header =
            serde_json::to_string(&header).map_err(|e| malformed(&policy, e.to_string()))?;
        write_together(&[
            (dir.join(SEEN_FILE), bytes),
            (policy, format!("{header}\n{content}\n").into_bytes()),
        ])?;
        Ok(version)
    }

    fn check(&self) -> Result<(), String> {
        let most = 1.0 / self.actions.max(1) as f64;
        if !(0.0..=most).contains(&self.serve_floor) {
            return Err(format!(
                "the floor is {}; {} actions leave room for at most {most:.4}",
                self.serve_floor, self.actions
            ));
        }
        if self.policy.actions() != self.actions || !self.policy.is_sound() {
            return Err("the parts of the policy do not fit together".to_owned());
        }
        Ok(())
    }

    /// Loads and checks an artefact: `path` is the version directory or its `policy.json`.
    ///
    /// # Errors
    /// [`ArtefactError`]: unreadable, malformed, or changed since it was saved.
    pub fn load(path: &Path) -> Result<TableVersion, ArtefactError> {
        let file = if path.is_dir() {
            path.join(POLICY_FILE)
        } else {
            path.to_owned()
        };
        let text = fs::read_to_string(&file).map_err(|source| io_error(&file, source))?;
        let malformed = |reason: String| malformed(&file, reason);
        let (header, content) = text.split_once('\n').ok_or_else(|| {
            malformed("a policy file has a header line and a content line".into())
        })?;
        let header: Header = serde_json::from_str(header).map_err(|e| {
            malformed(if header.contains("\"tierwise_policy\"") {
                "a tier policy, which a table of other actions cannot judge: use `evaluate --log`"
                    .into()
            } else {
                format!("not the header of a policy learned from a table: {e}")
            })
        })?;
        if header.tierwise_table_policy != FORMAT {
            return Err(malformed(format!(
                "policy format {}, this build reads {FORMAT}",
                header.tierwise_table_policy
            )));
        }
        let content = content
            .strip_suffix('\n')
            .ok_or_else(|| malformed("the content line is cut off".into()))?;
        check_hash(&file, content.as_bytes(), &header.content_hash)?;
        let artefact: Self = serde_json::from_str(content).map_err(|e| malformed(e.to_string()))?;
        artefact.check().map_err(malformed)?;
        let path = file.with_file_name(SEEN_FILE);
        let bytes = fs::read(&path).map_err(|source| io_error(&path, source))?;
        check_hash(&path, &bytes, &artefact.training.seen_hash)?;
        let seen = Seen::from_bytes(&bytes)
            .ok_or_else(|| self::malformed(&path, "not a list of hashes".into()))?;
        Ok(TableVersion {
            version: header.content_hash[..12].to_owned(),
            artefact,
            seen,
        })
    }
}

impl TableVersion {
    /// The policy as it is served and judged, under its name.
    #[must_use]
    pub fn candidate(&self) -> NamedPolicy {
        NamedPolicy {
            name: self.artefact.id.clone(),
            policy: Arc::new(ServedPolicy {
                policy: self.artefact.policy.clone(),
                floor: self.artefact.serve_floor,
            }),
        }
    }
}
