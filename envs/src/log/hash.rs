//! The hash of a log's content, equal for JSONL and Parquet.

use super::model::Conversation;

/// Hashes conversations in the order of the log.
///
/// The digest is blake3 over each conversation's canonical JSON line: fields in the order of [`Conversation`], unknown
/// ones left out, numbers in their shortest form, a line feed at the end.
#[derive(Debug, Clone, Default)]
pub struct ContentHasher {
    hasher: blake3::Hasher,
    line: Vec<u8>,
}

impl ContentHasher {
    /// Takes in the next conversation.
    pub fn update(&mut self, conversation: &Conversation) {
        self.line.clear();
        canonical_line(conversation, &mut self.line);
        self.hasher.update(&self.line);
    }

    /// Takes in a line that [`canonical_line`] wrote.
    pub(super) fn update_line(&mut self, line: &[u8]) {
        self.hasher.update(line);
    }

    /// The digest of everything taken in so far: 64 hexadecimal digits.
    #[must_use]
    pub fn digest(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }
}

/// Appends a conversation's canonical JSON line with its line feed.
pub fn canonical_line(conversation: &Conversation, into: &mut Vec<u8>) {
    serde_json::to_writer(&mut *into, conversation).expect(
        "a conversation has no map keys and no fallible fields, and a vector never refuses",
    );
    into.push(b'\n');
}
