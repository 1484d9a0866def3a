-- Flags are 0 or 1 in a BIGINT, as everywhere a number is bound: one decoder reads both dialects.

-- What was analysed: a source, once, however many batches name it.
CREATE TABLE repository (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source TEXT NOT NULL UNIQUE
);

-- Facts that may stand side by side: computed by the same version, under the same attributes and limits.
CREATE TABLE fact_set (
    id             BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id  BIGINT NOT NULL REFERENCES repository ON DELETE CASCADE,
    facts_version  BIGINT NOT NULL,
    attributes     BYTEA NOT NULL,
    max_blob_bytes BIGINT NOT NULL,
    UNIQUE (repository_id, facts_version, attributes, max_blob_bytes)
);

-- Immutable; who a signature is belongs to the report. Unique by hash, because an index entry has a largest size and
-- what people write as their name has none.
CREATE TABLE signature (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name   BYTEA NOT NULL,
    email  BYTEA NOT NULL,
    digest BYTEA GENERATED ALWAYS AS (sha256(int8send(length(name)) || name || email)) STORED UNIQUE
);

CREATE TABLE commit_fact (
    id                       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fact_set_id              BIGINT NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    oid                      BYTEA NOT NULL CHECK (length(oid) IN (20, 32)),
    parents                  BIGINT NOT NULL,
    authored_seconds         BIGINT,
    authored_offset_minutes  BIGINT NOT NULL,
    committed_seconds        BIGINT,
    committed_offset_minutes BIGINT NOT NULL,
    message                  BYTEA NOT NULL,
    -- 0 where an object was missing or damaged: such facts are shown, and computed again by the next batch.
    final                    BIGINT NOT NULL CHECK (final IN (0, 1)),
    UNIQUE (fact_set_id, oid)
);
CREATE INDEX commit_fact_passing ON commit_fact (fact_set_id) WHERE final = 0;

-- Lines are NULL where they are not counted; `reason` then says why. A rename has the path it came from, and the
-- lines of both whole files, which are what it is when renames are not followed.
CREATE TABLE commit_file (
    commit_id          BIGINT NOT NULL REFERENCES commit_fact ON DELETE CASCADE,
    position           BIGINT NOT NULL,
    path               BYTEA NOT NULL,
    kind               TEXT NOT NULL CHECK (kind IN ('added', 'deleted', 'modified', 'renamed')),
    added              BIGINT,
    deleted            BIGINT,
    reason             TEXT CHECK (reason IN ('binary', 'missing_object', 'too_large', 'corrupt_object')),
    net_text_lines     BIGINT NOT NULL DEFAULT 0,
    from_path          BYTEA,
    old_lines          BIGINT,
    old_reason         TEXT CHECK (old_reason IN ('binary', 'missing_object', 'too_large', 'corrupt_object')),
    new_lines          BIGINT,
    new_reason         TEXT CHECK (new_reason IN ('binary', 'missing_object', 'too_large', 'corrupt_object')),
    PRIMARY KEY (commit_id, position),
    CHECK ((added IS NULL) = (reason IS NOT NULL)),
    CHECK ((from_path IS NOT NULL) = (kind = 'renamed'))
);

CREATE TABLE commit_person (
    commit_id    BIGINT NOT NULL REFERENCES commit_fact ON DELETE CASCADE,
    role         TEXT NOT NULL CHECK (role IN ('author', 'committer')),
    signature_id BIGINT NOT NULL REFERENCES signature,
    PRIMARY KEY (commit_id, role)
);

-- What a merge on some mainline did to its first parent's tree.
CREATE TABLE mainline_net (
    fact_set_id       BIGINT NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    oid               BYTEA NOT NULL,
    net_lines         BIGINT NOT NULL,
    binary_flip_lines BIGINT NOT NULL,
    unknown_files     BIGINT NOT NULL,
    passing_files     BIGINT NOT NULL,
    PRIMARY KEY (fact_set_id, oid)
);

-- The refs of a repository, pinned, and the commits they reach. One for each choice of revisions.
CREATE TABLE snapshot (
    id            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    repository_id BIGINT NOT NULL REFERENCES repository ON DELETE CASCADE,
    revisions     TEXT NOT NULL,
    fact_set_id   BIGINT NOT NULL REFERENCES fact_set,
    refs          BYTEA NOT NULL,
    head          BYTEA,
    branch        TEXT,
    tips          BYTEA NOT NULL,
    shallow       BIGINT NOT NULL CHECK (shallow IN (0, 1)),
    mailmap       BYTEA,
    tip_lines     BIGINT,
    tip_unknown   BIGINT,
    UNIQUE (repository_id, revisions)
);

CREATE TABLE snapshot_commit (
    snapshot_id BIGINT NOT NULL REFERENCES snapshot ON DELETE CASCADE,
    commit_id   BIGINT NOT NULL REFERENCES commit_fact,
    mainline    BIGINT NOT NULL CHECK (mainline IN (0, 1)),
    PRIMARY KEY (snapshot_id, commit_id)
);

CREATE TABLE batch (
    id         BYTEA PRIMARY KEY,
    state      TEXT NOT NULL CONSTRAINT batch_state CHECK (state IN ('running', 'finished', 'abandoned')),
    config     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE batch_repository (
    batch_id        BYTEA NOT NULL REFERENCES batch ON DELETE CASCADE,
    position        BIGINT NOT NULL,
    repository_id   BIGINT NOT NULL REFERENCES repository,
    name            TEXT NOT NULL,
    project_key     TEXT NOT NULL,
    -- JSON.
    source          TEXT NOT NULL,
    revisions       TEXT NOT NULL,
    state           TEXT NOT NULL CONSTRAINT batch_repository_state
                    CHECK (state IN ('surveying', 'analysing', 'planned', 'analysed', 'empty', 'failed')),
    failure_class   TEXT,
    failure_message TEXT,
    -- The snapshot to be published when its last job is done.
    pending         BYTEA,
    pending_facts   BIGINT REFERENCES fact_set,
    tip_lines       BIGINT,
    tip_unknown     BIGINT,
    commits_seen    BIGINT,
    commits_new     BIGINT,
    cache_hits      BIGINT NOT NULL DEFAULT 0,
    elapsed_millis  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (batch_id, position),
    CHECK ((failure_class IS NOT NULL) = (state = 'failed'))
);

CREATE TABLE job (
    id         BYTEA PRIMARY KEY,
    batch_id   BYTEA NOT NULL REFERENCES batch ON DELETE CASCADE,
    position   BIGINT NOT NULL,
    work       TEXT NOT NULL CHECK (work IN ('survey', 'slice', 'tip')),
    units      BIGINT NOT NULL,
    message    BYTEA NOT NULL,
    state      TEXT NOT NULL CONSTRAINT job_state CHECK (state IN ('queued', 'done', 'cancelled')),
    -- When the job was last rung for or heard of; in UTC milliseconds.
    heard_at   BIGINT NOT NULL,
    -- The order in which jobs were planned; what `rowid` is to SQLite.
    sequence   BIGINT GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX job_of_repository ON job (batch_id, position, state);
-- Compressed by the codec: to try again costs time and saves nothing.
ALTER TABLE job ALTER COLUMN message SET STORAGE EXTERNAL;

-- Jobs that are decided and not yet on the queue. The row is written in the transaction that decides.
CREATE TABLE outbox (
    job_id BYTEA PRIMARY KEY REFERENCES job ON DELETE CASCADE
);

CREATE TABLE report (
    batch_id BYTEA PRIMARY KEY REFERENCES batch ON DELETE CASCADE,
    content  TEXT NOT NULL,
    manifest TEXT NOT NULL
);

-- What readers see: one pointer, flipped in one transaction.
CREATE TABLE published (
    name     TEXT PRIMARY KEY,
    batch_id BYTEA NOT NULL REFERENCES report
);
