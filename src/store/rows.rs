//! What the store holds, as plain values: no SQL, no interned numbers, no clock.
//!
//! Times are microseconds since 1970 UTC. Small texts that repeat (sources, kinds, versions) are `Arc<str>`: the store
//! interns them, so that a row carries four bytes for each.

use std::sync::Arc;

use uuid::Uuid;

use super::StoreError;

/// A keyed hash of a customer or conversation: the store never sees the identity itself.
pub type KeyedHash = [u8; 16];

/// An experiment as it stands; the store does not read the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExperimentRow {
    /// The experiment's key.
    pub key: String,
    /// How often it was saved: 1 after the first time.
    pub revision: u64,
    /// Its state, as JSON.
    pub body: String,
}

/// Why an experiment changed, by whom, and on which numbers. Never altered once written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// When it happened.
    pub at_us: i64,
    /// Who did it: a person, an API key's id, or the judge.
    pub actor: String,
    /// What was done (`start`, `ramp`, `promote`, …).
    pub action: String,
    /// Why.
    pub reason: String,
    /// The numbers behind it, as JSON.
    pub evidence: String,
}

/// One line of an experiment's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    /// The revision that this entry made.
    pub revision: u64,
    /// What was written down.
    pub entry: AuditEntry,
}

/// What changed after a counter value: what a snapshot has to read again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// The counter that this answer is complete up to; ask from here next time.
    pub counter: u64,
    /// Keys of the experiments that changed, in order of key.
    pub experiments: Vec<String>,
    /// Content hashes of the policies that were registered, in order of hash.
    pub policies: Vec<String>,
    /// Whether an API key was added or revoked.
    pub keys: bool,
}

impl Changes {
    /// Gathers what one statement answers: (changed, 0, "") for the counter, 1 for the keys, 2 for an experiment, 3 for a
    /// policy.
    pub(super) fn gathered(since: i64, rows: Vec<(i64, i64, String)>) -> Self {
        let mut changes = Self::default();
        for (changed, what, text) in rows {
            match what {
                0 => changes.counter = changed as u64,
                1 => changes.keys = changed > since,
                2 => changes.experiments.push(text),
                _ => changes.policies.push(text),
            }
        }
        changes
    }
}

/// A registered policy version, without its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRow {
    /// Content hash: 64 hexadecimal digits.
    pub hash: String,
    /// The name it goes by.
    pub name: String,
    /// When it was registered.
    pub registered_at_us: i64,
}

/// One decision that was shown to a customer, with what is needed to compute its propensity again.
#[derive(Debug, Clone, PartialEq)]
pub struct ExposureRow {
    /// UUIDv7 of the decision; the row's identity.
    pub decision_id: Uuid,
    /// The experiment's key.
    pub experiment: Arc<str>,
    /// Keyed hash of the unit that was assigned.
    pub unit: KeyedHash,
    /// Keyed hash of the conversation.
    pub conversation: Option<KeyedHash>,
    /// When it was decided.
    pub at_us: i64,
    /// The arm that answered.
    pub arm: u16,
    /// Revision of the range table that assigned it.
    pub revision: u32,
    /// The unit's bucket, of 10,000.
    pub bucket: u16,
    /// Probability of the arm, in \[0, 1\].
    pub share: f64,
    /// The tier that was chosen: 1, 2 or 3.
    pub tier: u8,
    /// Allowed tiers, one bit each, tier 1 lowest.
    pub mask: u8,
    /// The arm's probability of every tier.
    pub probabilities: [f32; 3],
    /// The arm's probability of the chosen tier, in (0, 1\].
    pub propensity: f32,
    /// Content hash of the policy version that answered.
    pub policy_version: Arc<str>,
    /// Why another policy answered in its place.
    pub fallback: Option<Arc<str>>,
    /// Whether the arm was forced, which keeps the unit out of every test.
    pub forced: bool,
    /// The switchback block that it fell into.
    pub block: Option<i64>,
    /// The stratum that was declared for it.
    pub stratum: Option<Arc<str>>,
    /// The observation as JSON, when it is kept for export.
    pub context: Option<String>,
}

/// Identity of an event within its source, as 16 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub [u8; 16]);

impl EventId {
    /// The identity of a text id.
    ///
    /// A UUID in its canonical form (lower case, with hyphens) is stored as it is; UUIDv7 then arrive in key order,
    /// which is what makes ingest fast. Any other text enters through the first 128 bits of its BLAKE3 hash.
    pub fn of(id: &str) -> Self {
        if let Some(uuid) = canonical_uuid(id) {
            return Self(*uuid.as_bytes());
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
        Self(bytes)
    }
}

/// A UUID only where the text is the one that the UUID would print: two texts must not share one identity.
fn canonical_uuid(id: &str) -> Option<Uuid> {
    if id.len() != 36 || id.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    Uuid::try_parse(id).ok()
}

/// One outcome: a click, a conversion, a rating, …
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    /// Who sent it; half of its identity.
    pub source: Arc<str>,
    /// Its id at that source; the other half.
    pub id: EventId,
    /// The decision that it belongs to.
    pub decision_id: Uuid,
    /// What happened (`tierwise.click.v1`, …).
    pub kind: Arc<str>,
    /// When it happened.
    pub occurred_at_us: i64,
    /// When it was learned of.
    pub observed_at_us: i64,
    /// Its value, where it has one.
    pub value: Option<f64>,
    /// Eight bytes of a hash of what the sender said; see [`EventRow::content_of`].
    pub content: [u8; 8],
}

impl EventRow {
    /// Hash of everything that the sender says about an event besides its identity, so that a repeat can be told from
    /// another event under the same identity. When it was observed is not part of it: a retry is observed later.
    pub fn content_of(
        decision_id: Uuid,
        kind: &str,
        occurred_at_us: i64,
        value: Option<f64>,
    ) -> [u8; 8] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(decision_id.as_bytes());
        hasher.update(&occurred_at_us.to_le_bytes());
        hasher.update(&[u8::from(value.is_some())]);
        hasher.update(&value.unwrap_or(0.0).to_bits().to_le_bytes());
        hasher.update(kind.as_bytes());
        let mut content = [0; 8];
        content.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        content
    }
}

/// What became of one event of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventOutcome {
    /// New, and now durable.
    Accepted,
    /// Known with the same content: counted once.
    Duplicate,
    /// Known with other content: the first one stands.
    Conflict,
}

/// Where an ordered reading of exposures stands: everything up to here has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExposureCursor {
    /// Time of the last exposure that was read.
    pub at_us: i64,
    /// Its decision.
    pub decision_id: Uuid,
}

impl ExposureCursor {
    /// Before every exposure.
    pub const START: Self = Self {
        at_us: i64::MIN,
        decision_id: Uuid::nil(),
    };
}

/// A unit's first exposure that was not forced: where it enters the test.
#[derive(Debug, Clone, PartialEq)]
pub struct FirstExposure {
    /// The decision.
    pub decision_id: Uuid,
    /// Keyed hash of the unit.
    pub unit: KeyedHash,
    /// When it was exposed.
    pub at_us: i64,
    /// The arm that it keeps.
    pub arm: u16,
    /// Revision of the range table.
    pub revision: u32,
    /// The unit's bucket.
    pub bucket: u16,
    /// Probability of the arm at that moment.
    pub share: f64,
    /// The tier that was chosen.
    pub tier: u8,
    /// The switchback block that it fell into.
    pub block: Option<i64>,
    /// The stratum that was declared for it.
    pub stratum: Option<Arc<str>>,
}

impl FirstExposure {
    /// Where the reading stands after this one.
    pub fn cursor(&self) -> ExposureCursor {
        ExposureCursor {
            at_us: self.at_us,
            decision_id: self.decision_id,
        }
    }
}

/// Which units to read with their outcomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaturedQuery<'a> {
    /// The experiment's key.
    pub experiment: &'a str,
    /// Only units that entered after this.
    pub after: ExposureCursor,
    /// Only units that entered at or before this moment: now − window − grace, so that none is read too early.
    pub until_us: i64,
    /// How long after its exposure an outcome counts.
    pub window_us: i64,
    /// How long after the window an outcome may still be learned of.
    pub grace_us: i64,
    /// At most so many units.
    pub limit: usize,
}

/// A unit whose window and grace have closed, with the outcomes that count.
#[derive(Debug, Clone, PartialEq)]
pub struct MaturedUnit {
    /// Where it entered.
    pub first: FirstExposure,
    /// Its outcomes in order of occurrence, from all of its decisions in this experiment.
    pub outcomes: Vec<Outcome>,
}

/// One outcome of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What happened.
    pub kind: Arc<str>,
    /// When.
    pub occurred_at_us: i64,
    /// Its value, where it has one.
    pub value: Option<f64>,
}

/// A decision with everything that followed: one step of an exported log.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionRow {
    /// The decision.
    pub exposure: ExposureRow,
    /// Its events, in order of occurrence.
    pub events: Vec<EventRow>,
}

/// What an API key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Ask for decisions.
    Decide,
    /// Send events.
    Ingest,
    /// Everything, experiments included.
    Admin,
}

impl Role {
    /// The word that the store and the command line use.
    pub fn word(self) -> &'static str {
        match self {
            Self::Decide => "decide",
            Self::Ingest => "ingest",
            Self::Admin => "admin",
        }
    }

    /// The role of a word.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] when there is no such role.
    pub fn of(word: &str) -> Result<Self, StoreError> {
        match word {
            "decide" => Ok(Self::Decide),
            "ingest" => Ok(Self::Ingest),
            "admin" => Ok(Self::Admin),
            other => Err(StoreError::Invalid {
                what: format!("no role is called {other:?}; there are decide, ingest and admin"),
            }),
        }
    }
}

/// An API key, of which the store knows only the hash.
///
/// Keys are 256 random bits, so one fast hash is enough: there is nothing to guess, and a slow one would only cost
/// every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// The public name of the key, shown in lists and in the audit.
    pub id: String,
    /// What it may do.
    pub role: Role,
    /// BLAKE3 of the key.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at_us: i64,
    /// When it was revoked; it stays listed.
    pub revoked_at_us: Option<i64>,
}

/// How many exposures one arm has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArmCount {
    /// The arm.
    pub arm: u16,
    /// Decisions, forced ones included.
    pub exposures: u64,
    /// Of these, forced.
    pub forced: u64,
}

/// How many events of one kind there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindCount {
    /// The kind.
    pub kind: String,
    /// Events.
    pub events: u64,
}

/// What [`Store::check`](super::Store::check) found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// Version of the schema.
    pub schema: i64,
    /// Experiments.
    pub experiments: u64,
    /// Policies.
    pub policies: u64,
    /// Exposures.
    pub exposures: u64,
    /// Events.
    pub events: u64,
    /// Events whose decision is not stored: sent for another router's decision that has not arrived, or wrongly.
    pub orphans: u64,
    /// What is broken, one line each; empty when all is well. Orphans are not broken.
    pub problems: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_of_a_uuid_is_taken_as_it_is() {
        let text = "01890a5d-ac96-774b-bcce-b302099a8057";
        let uuid = Uuid::parse_str(text).unwrap();
        assert_eq!(EventId::of(text).0, *uuid.as_bytes());
        let forms = [
            text.to_uppercase(),
            uuid.simple().to_string(),
            uuid.braced().to_string(),
            uuid.urn().to_string(),
            "order-17".into(),
            String::new(),
        ];
        for form in &forms {
            assert_ne!(EventId::of(form).0, *uuid.as_bytes(), "{form}");
        }
        let distinct: std::collections::HashSet<_> = forms.iter().map(|f| EventId::of(f)).collect();
        assert_eq!(distinct.len(), forms.len());
    }

    #[test]
    fn other_ids_are_the_first_half_of_their_blake3_hash() {
        // The first 16 bytes of the empty input's hash, from the test vectors of the BLAKE3 team.
        assert_eq!(
            EventId::of("").0,
            [
                0xaf, 0x13, 0x49, 0xb9, 0xf5, 0xf9, 0xa1, 0xa6, 0xa0, 0x40, 0x4d, 0xea, 0x36, 0xdc,
                0xc9, 0x49
            ]
        );
    }

    #[test]
    fn every_part_of_an_event_is_in_its_content() {
        let id = Uuid::from_u128(1);
        let base = EventRow::content_of(id, "click", 5, None);
        assert_eq!(base, EventRow::content_of(id, "click", 5, None));
        for other in [
            EventRow::content_of(Uuid::from_u128(2), "click", 5, None),
            EventRow::content_of(id, "clicks", 5, None),
            EventRow::content_of(id, "click", 6, None),
            EventRow::content_of(id, "click", 5, Some(0.0)),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn roles_have_words() {
        for role in [Role::Decide, Role::Ingest, Role::Admin] {
            assert_eq!(Role::of(role.word()).unwrap(), role);
        }
        assert!(
            Role::of("owner")
                .unwrap_err()
                .to_string()
                .contains("decide, ingest")
        );
    }
}
