-- Small texts that repeat, each stored once.
CREATE TABLE names (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

-- One row: raised in the same transaction as every change that a snapshot has to see.
CREATE TABLE changes (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    counter INTEGER NOT NULL,
    keys_changed INTEGER NOT NULL
) STRICT;
INSERT INTO changes VALUES (1, 0, 0);

CREATE TABLE experiments (
    key TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment TEXT NOT NULL REFERENCES experiments (key),
    revision INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    UNIQUE (experiment, revision)
) STRICT;
CREATE TRIGGER audit_not_updated BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TABLE policies (
    hash TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    registered_at_us INTEGER NOT NULL,
    artefact BLOB NOT NULL,
    changed INTEGER NOT NULL
) STRICT;

CREATE TABLE exposures (
    decision_id BLOB NOT NULL PRIMARY KEY,
    experiment INTEGER NOT NULL,
    unit BLOB NOT NULL,
    conversation BLOB,
    at_us INTEGER NOT NULL,
    arm INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    bucket INTEGER NOT NULL,
    share REAL NOT NULL,
    tier INTEGER NOT NULL,
    mask INTEGER NOT NULL,
    p1 REAL NOT NULL,
    p2 REAL NOT NULL,
    p3 REAL NOT NULL,
    propensity REAL NOT NULL,
    policy_version INTEGER NOT NULL,
    fallback INTEGER,
    forced INTEGER NOT NULL,
    block INTEGER,
    stratum INTEGER,
    context TEXT
) STRICT;
-- The order of the judge, and all decisions of one unit.
CREATE INDEX exposures_in_order ON exposures (experiment, at_us, decision_id) WHERE forced = 0;
CREATE INDEX exposures_of_unit ON exposures (experiment, unit, at_us, decision_id);

-- Without row ids: the identity is the table, so that a batch in key order appends.
CREATE TABLE events (
    source INTEGER NOT NULL,
    id BLOB NOT NULL,
    decision_id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    occurred_at_us INTEGER NOT NULL,
    observed_at_us INTEGER NOT NULL,
    value REAL,
    content INTEGER NOT NULL,
    PRIMARY KEY (source, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_of_decision ON events (decision_id);

CREATE TABLE blocks (
    experiment TEXT NOT NULL,
    block INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (experiment, block)
) STRICT;

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('decide', 'ingest', 'admin')),
    hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at_us INTEGER NOT NULL,
    revoked_at_us INTEGER
) STRICT;
