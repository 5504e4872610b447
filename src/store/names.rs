//! Interned texts: what the process knows of the `names` table, so that a row costs a look-up in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use async_trait::async_trait;

use super::StoreError;

/// Longest text that may be interned: these are names of sources, kinds and versions, not content.
const LONGEST: usize = 512;

/// Both directions of the table, as far as they have been met. Rows of the table never change.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: RwLock<Known>,
}

#[derive(Debug, Default)]
struct Known {
    ids: HashMap<Arc<str>, i32>,
    texts: HashMap<i32, Arc<str>>,
}

impl Names {
    pub(super) fn id(&self, text: &str) -> Option<i32> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.ids.get(text).copied()
    }

    /// The texts that have no id yet, in order and each once.
    pub(super) fn missing<'a>(&self, texts: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut missing: Vec<String> = Vec::new();
        // Rows of a batch share their texts, mostly as the same pointer.
        let mut last: &str = "";
        for text in texts {
            if std::ptr::eq(last, text) && !last.is_empty() {
                continue;
            }
            last = text;
            if self.id(text).is_none() {
                missing.push(text.to_owned());
            }
        }
        missing.sort_unstable();
        missing.dedup();
        missing
    }

    /// Whether every one of these ids has its text here.
    pub(super) fn knows(&self, mut ids: impl Iterator<Item = i32>) -> bool {
        ids.all(|id| self.text(id).is_some())
    }

    pub(super) fn text(&self, id: i32) -> Option<Arc<str>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.texts.get(&id).cloned()
    }

    /// Only what is committed may enter: an id that was rolled back would be given to another text.
    pub(super) fn learn(&self, rows: impl IntoIterator<Item = (i32, String)>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (id, text) in rows {
            let text: Arc<str> = text.into();
            known.ids.insert(text.clone(), id);
            known.texts.insert(id, text);
        }
    }
}

/// The table behind [`Names`].
#[async_trait]
pub(super) trait NameTable: Sync {
    fn names(&self) -> &Names;

    fn url(&self) -> &str;

    /// Adds texts that are new, commits, and learns the ids of all of them.
    async fn add_names(&self, texts: Vec<String>) -> Result<(), StoreError>;

    /// Learns the whole table.
    async fn load_names(&self) -> Result<(), StoreError>;

    /// Makes sure that every text has an id.
    async fn intern(&self, missing: Vec<String>) -> Result<(), StoreError> {
        if missing.is_empty() {
            return Ok(());
        }
        let bad = |text: &&String| text.len() > LONGEST || text.contains('\0');
        if let Some(text) = missing.iter().find(bad) {
            return Err(StoreError::Invalid {
                what: format!(
                    "a name of {} bytes: sources, kinds, versions and strata have at most {LONGEST}, none of them zero",
                    text.len()
                ),
            });
        }
        self.add_names(missing).await
    }

    /// Makes sure that the ids that were read have their texts.
    async fn learn_ids(&self, all_known: bool) -> Result<(), StoreError> {
        if all_known {
            return Ok(());
        }
        self.load_names().await
    }

    fn id_of(&self, text: &str) -> Result<i32, StoreError> {
        self.names().id(text).ok_or_else(|| StoreError::Corrupt {
            url: self.url().to_owned(),
            reason: format!("the name {text:?} was stored and is gone"),
        })
    }

    fn text_of(&self, id: i32) -> Result<Arc<str>, StoreError> {
        self.names().text(id).ok_or_else(|| StoreError::Corrupt {
            url: self.url().to_owned(),
            reason: format!("a row uses name {id}, which is not stored"),
        })
    }
}
