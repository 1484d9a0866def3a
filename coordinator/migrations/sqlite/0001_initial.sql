-- What was analysed: a source, once, however many batches name it.
CREATE TABLE repository (
    id     INTEGER PRIMARY KEY,
    source TEXT NOT NULL UNIQUE
) STRICT;

-- Facts that may stand side by side: computed by the same version, under the same attributes and limits.
CREATE TABLE fact_set (
    id             INTEGER PRIMARY KEY,
    repository_id  INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    facts_version  INTEGER NOT NULL,
    attributes     BLOB NOT NULL,
    max_blob_bytes INTEGER NOT NULL,
    UNIQUE (repository_id, facts_version, attributes, max_blob_bytes)
) STRICT;

-- Immutable; who a signature is belongs to the report.
CREATE TABLE signature (
    id    INTEGER PRIMARY KEY,
    name  BLOB NOT NULL,
    email BLOB NOT NULL,
    UNIQUE (name, email)
) STRICT;

CREATE TABLE commit_fact (
    id                       INTEGER PRIMARY KEY,
    fact_set_id              INTEGER NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    oid                      BLOB NOT NULL CHECK (length(oid) IN (20, 32)),
    parents                  INTEGER NOT NULL,
    authored_seconds         INTEGER,
    authored_offset_minutes  INTEGER NOT NULL,
    committed_seconds        INTEGER,
    committed_offset_minutes INTEGER NOT NULL,
    message                  BLOB NOT NULL,
    -- 0 where an object was missing or damaged: such facts are shown, and computed again by the next batch.
    final                    INTEGER NOT NULL CHECK (final IN (0, 1)),
    UNIQUE (fact_set_id, oid)
) STRICT;
CREATE INDEX commit_fact_passing ON commit_fact (fact_set_id) WHERE final = 0;

-- Lines are NULL where they are not counted; `reason` then says why. A rename has the path it came from, and the
-- lines of both whole files, which are what it is when renames are not followed.
CREATE TABLE commit_file (
    commit_id          INTEGER NOT NULL REFERENCES commit_fact ON DELETE CASCADE,
    position           INTEGER NOT NULL,
    path               BLOB NOT NULL,
    kind               TEXT NOT NULL CHECK (kind IN ('added', 'deleted', 'modified', 'renamed')),
    added              INTEGER,
    deleted            INTEGER,
    reason             TEXT CHECK (reason IN ('binary', 'missing_object', 'too_large', 'corrupt_object')),
    net_text_lines     INTEGER NOT NULL DEFAULT 0,
    from_path          BLOB,
    old_lines          INTEGER,
    old_reason         TEXT CHECK (old_reason IN ('binary', 'missing_object', 'too_large', 'corrupt_object')),
    new_lines          INTEGER,
    new_reason         TEXT CHECK (new_reason IN ('binary', 'missing_object', 'too_large', 'corrupt_object')),
    PRIMARY KEY (commit_id, position),
    CHECK ((added IS NULL) = (reason IS NOT NULL)),
    CHECK ((from_path IS NOT NULL) = (kind = 'renamed'))
) STRICT, WITHOUT ROWID;

CREATE TABLE commit_person (
    commit_id    INTEGER NOT NULL REFERENCES commit_fact ON DELETE CASCADE,
    role         TEXT NOT NULL CHECK (role IN ('author', 'committer')),
    signature_id INTEGER NOT NULL REFERENCES signature,
    PRIMARY KEY (commit_id, role)
) STRICT, WITHOUT ROWID;

-- What a merge on some mainline did to its first parent's tree.
CREATE TABLE mainline_net (
    fact_set_id       INTEGER NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    oid               BLOB NOT NULL,
    net_lines         INTEGER NOT NULL,
    binary_flip_lines INTEGER NOT NULL,
    unknown_files     INTEGER NOT NULL,
    passing_files     INTEGER NOT NULL,
    PRIMARY KEY (fact_set_id, oid)
) STRICT, WITHOUT ROWID;

-- The refs of a repository, pinned, and the commits they reach. One for each choice of revisions.
CREATE TABLE snapshot (
    id            INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    revisions     TEXT NOT NULL,
    fact_set_id   INTEGER NOT NULL REFERENCES fact_set,
    refs          BLOB NOT NULL,
    head          BLOB,
    branch        TEXT,
    tips          BLOB NOT NULL,
    shallow       INTEGER NOT NULL CHECK (shallow IN (0, 1)),
    mailmap       BLOB,
    tip_lines     INTEGER,
    tip_unknown   INTEGER,
    UNIQUE (repository_id, revisions)
) STRICT;

CREATE TABLE snapshot_commit (
    snapshot_id INTEGER NOT NULL REFERENCES snapshot ON DELETE CASCADE,
    commit_id   INTEGER NOT NULL REFERENCES commit_fact,
    mainline    INTEGER NOT NULL CHECK (mainline IN (0, 1)),
    PRIMARY KEY (snapshot_id, commit_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch (
    id         BLOB PRIMARY KEY,
    state      TEXT NOT NULL CHECK (state IN ('running', 'finished', 'abandoned')),
    config     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE batch_repository (
    batch_id        BLOB NOT NULL REFERENCES batch ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    repository_id   INTEGER NOT NULL REFERENCES repository,
    name            TEXT NOT NULL,
    project_key     TEXT NOT NULL,
    -- JSON.
    source          TEXT NOT NULL,
    revisions       TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('surveying', 'analysing', 'planned', 'analysed', 'empty', 'failed')),
    failure_class   TEXT,
    failure_message TEXT,
    -- The snapshot to be published when its last job is done.
    pending         BLOB,
    pending_facts   INTEGER REFERENCES fact_set,
    tip_lines       INTEGER,
    tip_unknown     INTEGER,
    commits_seen    INTEGER,
    commits_new     INTEGER,
    cache_hits      INTEGER NOT NULL DEFAULT 0,
    elapsed_millis  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (batch_id, position),
    CHECK ((failure_class IS NOT NULL) = (state = 'failed'))
) STRICT;

CREATE TABLE job (
    id         BLOB PRIMARY KEY,
    batch_id   BLOB NOT NULL REFERENCES batch ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    work       TEXT NOT NULL CHECK (work IN ('survey', 'slice', 'tip')),
    units      INTEGER NOT NULL,
    message    BLOB NOT NULL,
    state      TEXT NOT NULL CHECK (state IN ('queued', 'done', 'cancelled')),
    -- When the job was last rung for or heard of; in UTC milliseconds.
    heard_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX job_of_repository ON job (batch_id, position, state);

-- Jobs that are decided and not yet on the queue. The row is written in the transaction that decides.
CREATE TABLE outbox (
    job_id BLOB PRIMARY KEY REFERENCES job ON DELETE CASCADE
) STRICT;

CREATE TABLE report (
    batch_id BLOB PRIMARY KEY REFERENCES batch ON DELETE CASCADE,
    content  TEXT NOT NULL,
    manifest TEXT NOT NULL
) STRICT;

-- What readers see: one pointer, flipped in one transaction.
CREATE TABLE published (
    name     TEXT PRIMARY KEY,
    batch_id BLOB NOT NULL REFERENCES report
) STRICT;
