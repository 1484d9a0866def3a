-- What an operator sees and says: how urgent a batch is, who worked on a job and how it ended, which workers there
-- are, what could not be read, and who leads.
--
-- SQLite changes no CHECK: such a table is made anew, under its old name, while foreign keys are not enforced.
CREATE TABLE new_batch (
    id              BLOB PRIMARY KEY,
    state           TEXT NOT NULL CHECK (state IN ('running', 'finished', 'abandoned', 'cancelled')),
    config          TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    name            TEXT NOT NULL DEFAULT 'analyze',
    priority        INTEGER NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    -- JSON.
    labels          TEXT NOT NULL DEFAULT '{}',
    terms           TEXT NOT NULL DEFAULT '{}',
    paused          INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    idempotency_key TEXT UNIQUE,
    request_digest  BLOB,
    finished_at     INTEGER
) STRICT;
INSERT INTO new_batch (id, state, config, created_at) SELECT id, state, config, created_at FROM batch ORDER BY rowid;
DROP TABLE batch;
ALTER TABLE new_batch RENAME TO batch;

CREATE TABLE new_batch_repository (
    batch_id        BLOB NOT NULL REFERENCES batch ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    repository_id   INTEGER NOT NULL REFERENCES repository,
    name            TEXT NOT NULL,
    project_key     TEXT NOT NULL,
    -- JSON.
    source          TEXT NOT NULL,
    revisions       TEXT NOT NULL,
    state           TEXT NOT NULL
                    CHECK (state IN ('surveying', 'analysing', 'planned', 'analysed', 'empty', 'failed', 'cancelled')),
    failure_class   TEXT,
    failure_message TEXT,
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
INSERT INTO new_batch_repository
    SELECT batch_id, position, repository_id, name, project_key, source, revisions, state, failure_class,
           failure_message, pending_facts, tip_lines, tip_unknown, commits_seen, commits_new, cache_hits,
           elapsed_millis
    FROM batch_repository ORDER BY rowid;
DROP TABLE batch_repository;
ALTER TABLE new_batch_repository RENAME TO batch_repository;
CREATE INDEX batch_repository_of_repository ON batch_repository (repository_id);
CREATE INDEX batch_repository_pending ON batch_repository (pending_facts) WHERE pending_facts IS NOT NULL;

CREATE TABLE new_job (
    id              BLOB PRIMARY KEY,
    batch_id        BLOB NOT NULL REFERENCES batch ON DELETE CASCADE,
    position        INTEGER NOT NULL,
    work            TEXT NOT NULL CHECK (work IN ('survey', 'slice', 'tip')),
    units           INTEGER NOT NULL,
    message         BLOB NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'done', 'failed', 'dead', 'cancelled')),
    -- When the job was last rung for or heard of; in UTC milliseconds.
    heard_at        INTEGER NOT NULL,
    -- Workers that were lost with it.
    losses          INTEGER NOT NULL DEFAULT 0,
    -- Not sent before; in UTC milliseconds, as all times here.
    hold_until      INTEGER NOT NULL DEFAULT 0,
    failure_class   TEXT,
    failure_message TEXT,
    sent_at         INTEGER
) STRICT;
INSERT INTO new_job (id, batch_id, position, work, units, message, state, heard_at)
    SELECT id, batch_id, position, work, units, message, state, heard_at FROM job ORDER BY rowid;
DROP TABLE job;
ALTER TABLE new_job RENAME TO job;
CREATE INDEX job_of_repository ON job (batch_id, position, state);

CREATE TABLE attempt (
    job_id     BLOB NOT NULL REFERENCES job ON DELETE CASCADE,
    number     INTEGER NOT NULL,
    worker     TEXT,
    started_at INTEGER NOT NULL,
    heard_at   INTEGER NOT NULL,
    -- Units, as the job counts them.
    done       INTEGER NOT NULL DEFAULT 0,
    ended_at   INTEGER,
    ending     TEXT CHECK (ending IN ('ok', 'failed', 'worker_lost', 'interrupted', 'fenced', 'cancelled')),
    message    TEXT,
    PRIMARY KEY (job_id, number)
) STRICT;
CREATE INDEX attempt_open ON attempt (worker) WHERE ended_at IS NULL;
CREATE INDEX attempt_ended ON attempt (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE worker (
    name       TEXT PRIMARY KEY,
    started_at INTEGER NOT NULL,
    heard_at   INTEGER NOT NULL,
    slots      INTEGER NOT NULL,
    running    INTEGER NOT NULL,
    version    TEXT NOT NULL,
    host       TEXT NOT NULL,
    draining   INTEGER NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
    gone_at    INTEGER
) STRICT;

-- Messages that could not be taken, as they came; the same message is here once.
CREATE TABLE dead_letter (
    id         INTEGER PRIMARY KEY,
    topic      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    body       BLOB NOT NULL,
    arrived_at INTEGER NOT NULL,
    digest     BLOB NOT NULL UNIQUE
) STRICT;
CREATE INDEX dead_letter_arrived ON dead_letter (arrived_at);

-- Who may record. One process owns the file, so nobody writes here; it stands for the other dialect's.
CREATE TABLE leadership (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    term       INTEGER NOT NULL UNIQUE,
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

ALTER TABLE published ADD COLUMN published_at INTEGER;
ALTER TABLE report ADD COLUMN created_at INTEGER;
ALTER TABLE report ADD COLUMN name TEXT;
