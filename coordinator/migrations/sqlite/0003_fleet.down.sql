-- What the older schema has no word for becomes the nearest one it has: work that nobody goes on with.
ALTER TABLE report DROP COLUMN name;
ALTER TABLE report DROP COLUMN created_at;
ALTER TABLE published DROP COLUMN published_at;
DROP TABLE leadership;
DROP TABLE dead_letter;
DROP TABLE worker;
DROP TABLE attempt;

CREATE TABLE new_job (
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
INSERT INTO new_job
    SELECT id, batch_id, position, work, units, message,
           CASE WHEN state IN ('failed', 'dead') THEN 'done' ELSE state END, heard_at
    FROM job ORDER BY rowid;
DROP TABLE job;
ALTER TABLE new_job RENAME TO job;
CREATE INDEX job_of_repository ON job (batch_id, position, state);

CREATE TABLE new_batch_repository (
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
    SELECT batch_id, position, repository_id, name, project_key, source, revisions,
           CASE state WHEN 'cancelled' THEN 'failed' ELSE state END,
           CASE state WHEN 'cancelled' THEN 'cancelled' ELSE failure_class END,
           CASE state WHEN 'cancelled' THEN 'cancelled' ELSE failure_message END,
           pending_facts, tip_lines, tip_unknown, commits_seen, commits_new, cache_hits, elapsed_millis
    FROM batch_repository ORDER BY rowid;
DROP TABLE batch_repository;
ALTER TABLE new_batch_repository RENAME TO batch_repository;

CREATE TABLE new_batch (
    id         BLOB PRIMARY KEY,
    state      TEXT NOT NULL CHECK (state IN ('running', 'finished', 'abandoned')),
    config     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO new_batch
    SELECT id, CASE state WHEN 'cancelled' THEN 'abandoned' ELSE state END, config, created_at
    FROM batch ORDER BY rowid;
DROP TABLE batch;
ALTER TABLE new_batch RENAME TO batch;
