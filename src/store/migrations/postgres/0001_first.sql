-- Small texts that repeat, each stored once.
CREATE TABLE names (
    id INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
);

-- One row: raised in the same transaction as every change that a snapshot has to see.
CREATE TABLE changes (
    one SMALLINT PRIMARY KEY CHECK (one = 1),
    counter BIGINT NOT NULL,
    keys_changed BIGINT NOT NULL
);
INSERT INTO changes VALUES (1, 0, 0);

CREATE TABLE experiments (
    key TEXT COLLATE "C" PRIMARY KEY,
    revision BIGINT NOT NULL,
    body TEXT NOT NULL,
    changed BIGINT NOT NULL
);

CREATE TABLE audit (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    experiment TEXT COLLATE "C" NOT NULL REFERENCES experiments (key),
    revision BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    reason TEXT NOT NULL,
    evidence TEXT NOT NULL,
    UNIQUE (experiment, revision)
);
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit is append-only'; END $$;
CREATE TRIGGER audit_not_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

CREATE TABLE policies (
    hash TEXT COLLATE "C" PRIMARY KEY,
    name TEXT NOT NULL,
    registered_at_us BIGINT NOT NULL,
    artefact BYTEA NOT NULL,
    changed BIGINT NOT NULL
);

-- Sixteen-byte hashes are UUIDs here, the only type of exactly that size.
CREATE TABLE exposures (
    decision_id UUID PRIMARY KEY,
    experiment INTEGER NOT NULL,
    unit UUID NOT NULL,
    conversation UUID,
    at_us BIGINT NOT NULL,
    arm INTEGER NOT NULL,
    revision BIGINT NOT NULL,
    bucket INTEGER NOT NULL,
    share DOUBLE PRECISION NOT NULL,
    tier SMALLINT NOT NULL,
    mask SMALLINT NOT NULL,
    p1 REAL NOT NULL,
    p2 REAL NOT NULL,
    p3 REAL NOT NULL,
    propensity REAL NOT NULL,
    policy_version INTEGER NOT NULL,
    fallback INTEGER,
    forced BOOLEAN NOT NULL,
    block BIGINT,
    stratum INTEGER,
    context TEXT
);
-- The order of the judge, and all decisions of one unit.
CREATE INDEX exposures_in_order ON exposures (experiment, at_us, decision_id) WHERE NOT forced;
CREATE INDEX exposures_of_unit ON exposures (experiment, unit, at_us, decision_id);

CREATE TABLE events (
    source INTEGER NOT NULL,
    id UUID NOT NULL,
    decision_id UUID NOT NULL,
    kind INTEGER NOT NULL,
    occurred_at_us BIGINT NOT NULL,
    observed_at_us BIGINT NOT NULL,
    value DOUBLE PRECISION,
    content BIGINT NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX events_of_decision ON events (decision_id);

CREATE TABLE blocks (
    experiment TEXT COLLATE "C" NOT NULL,
    block BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (experiment, block)
);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('decide', 'ingest', 'admin')),
    hash BYTEA NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_at_us BIGINT NOT NULL,
    revoked_at_us BIGINT
);
