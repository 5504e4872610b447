//! How many candidates were judged on the same rows: a file of one line each, beside what was judged.
//!
//! The best of many is the luckiest, whenever the others were tried. A candidate counts once, by what it would do on the rows,
//! whatever its name; rows count by their content, whatever their order.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::directory::{RunError, write_whole};

/// One candidate, judged on some rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Hash of the rows.
    rows: String,
    /// Hash of what it does on them.
    candidate: String,
    /// Its name at the time.
    name: String,
}

/// The candidates judged so far. Entries are only added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Ledger {
    /// The ledger of a file when nobody names another: `FILE.judged.jsonl`.
    #[must_use]
    pub fn beside(judged: &Path) -> PathBuf {
        let mut name = judged.file_name().unwrap_or_default().to_owned();
        name.push(".judged.jsonl");
        judged.with_file_name(name)
    }

    /// Reads a ledger; one that does not exist is empty.
    ///
    /// # Errors
    /// [`RunError::Ledger`] for a line that is none of ours, [`RunError::Io`].
    pub fn read(path: &Path) -> Result<Self, RunError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(source) => {
                return Err(RunError::Io {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let mut entries = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let entry: Entry = serde_json::from_str(text).map_err(|error| RunError::Ledger {
                path: path.to_owned(),
                line: line as u64 + 1,
                reason: error.to_string(),
            })?;
            entries.push(entry);
        }
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }

    /// Candidates judged on these rows, other than those given by their hashes.
    #[must_use]
    pub fn others(&self, rows: &str, candidates: &[&str]) -> u32 {
        let others: BTreeSet<&str> = self
            .entries
            .iter()
            .filter(|entry| entry.rows == rows)
            .map(|entry| entry.candidate.as_str())
            .filter(|candidate| !candidates.contains(candidate))
            .collect();
        others.len() as u32
    }

    /// Candidates judged on other rows of the same file, which nobody can compare with these.
    #[must_use]
    pub fn elsewhere(&self, rows: &str) -> u32 {
        let others: BTreeSet<&str> = self
            .entries
            .iter()
            .filter(|entry| entry.rows != rows)
            .map(|entry| entry.candidate.as_str())
            .collect();
        others.len() as u32
    }

    /// Adds candidates, each with name and hash, that are not there yet; writes the file when there are any.
    ///
    /// # Errors
    /// [`RunError::Io`].
    pub fn add(&mut self, rows: &str, candidates: &[(&str, &str)]) -> Result<(), RunError> {
        let before = self.entries.len();
        for (name, candidate) in candidates {
            let known = self
                .entries
                .iter()
                .any(|entry| entry.rows == rows && entry.candidate == *candidate);
            if !known {
                self.entries.push(Entry {
                    rows: rows.to_owned(),
                    candidate: (*candidate).to_owned(),
                    name: (*name).to_owned(),
                });
            }
        }
        if self.entries.len() == before {
            return Ok(());
        }
        let mut text = String::new();
        for entry in &self.entries {
            text.push_str(&serde_json::to_string(entry).expect("three strings are JSON"));
            text.push('\n');
        }
        write_whole(&self.path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_count_once_for_their_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = Ledger::beside(&folder.path().join("log.parquet"));
        assert!(path.ends_with("log.parquet.judged.jsonl"));
        let mut ledger = Ledger::read(&path).unwrap();
        ledger
            .add("r1", &[("a", "1"), ("b", "2"), ("b again", "2")])
            .unwrap();
        ledger.add("r2", &[("a", "9")]).unwrap();
        let ledger = Ledger::read(&path).unwrap();
        assert_eq!(ledger.entries.len(), 3);
        assert_eq!(ledger.others("r1", &["1"]), 1);
        assert_eq!(ledger.others("r1", &["1", "2"]), 0);
        assert_eq!(ledger.others("r1", &["3"]), 2);
        assert_eq!((ledger.others("r3", &[]), ledger.elsewhere("r1")), (0, 1));
    }

    #[test]
    fn a_broken_line_is_named_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("l");
        let good = r#"{"rows":"r","candidate":"c","name":"n"}"#;
        let broken = format!("{good}\n{{\"rows\":\"r\"\n");
        std::fs::write(&path, &broken).unwrap();
        let error = Ledger::read(&path).unwrap_err();
        assert!(
            matches!(error, RunError::Ledger { line: 2, .. }),
            "{error:?}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), broken);
    }
}
