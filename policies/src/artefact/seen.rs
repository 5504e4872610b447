//! Which conversations a policy has seen, so that it is never judged on them.

/// A set of conversation keys: the first 8 bytes of BLAKE3 of each id ([`id_hash`]). Two of a million conversations
/// share a key with probability 3e-8.
///
/// [`id_hash`]: tierwise_envs::log::validate::id_hash
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    sorted: Vec<u64>,
}

impl Seen {
    /// From keys in any order.
    #[must_use]
    pub fn new(mut keys: Vec<u64>) -> Self {
        keys.sort_unstable();
        keys.dedup();
        Self { sorted: keys }
    }

    /// How many conversations.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.sorted.len()
    }

    /// Whether none was seen.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// Whether a key is in the set.
    #[must_use]
    pub fn contains(&self, key: u64) -> bool {
        self.sorted.binary_search(&key).is_ok()
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.sorted
            .iter()
            .flat_map(|key| key.to_le_bytes())
            .collect()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (keys, rest) = bytes.as_chunks::<8>();
        let sorted: Vec<u64> = keys.iter().map(|key| u64::from_le_bytes(*key)).collect();
        (rest.is_empty() && sorted.is_sorted()).then_some(Self { sorted })
    }
}
