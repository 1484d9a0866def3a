-- What an operator sees and says: how urgent a batch is, who worked on a job and how it ended, which workers there
-- are, what could not be read, and who leads.
ALTER TABLE batch
    ADD COLUMN name            TEXT NOT NULL DEFAULT 'analyze',
    ADD COLUMN priority        BIGINT NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100),
    -- JSON.
    ADD COLUMN labels          TEXT NOT NULL DEFAULT '{}',
    ADD COLUMN terms           TEXT NOT NULL DEFAULT '{}',
    ADD COLUMN paused          BIGINT NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    ADD COLUMN idempotency_key TEXT UNIQUE,
    ADD COLUMN request_digest  BYTEA,
    ADD COLUMN finished_at     BIGINT,
    DROP CONSTRAINT batch_state,
    ADD CONSTRAINT batch_state CHECK (state IN ('running', 'finished', 'abandoned', 'cancelled'));

ALTER TABLE batch_repository
    DROP CONSTRAINT batch_repository_state,
    ADD CONSTRAINT batch_repository_state
    CHECK (state IN ('surveying', 'analysing', 'planned', 'analysed', 'empty', 'failed', 'cancelled'));
CREATE INDEX batch_repository_of_repository ON batch_repository (repository_id);
CREATE INDEX batch_repository_pending ON batch_repository (pending_facts) WHERE pending_facts IS NOT NULL;

ALTER TABLE job
    -- Workers that were lost with it.
    ADD COLUMN losses          BIGINT NOT NULL DEFAULT 0,
    -- Not sent before; in UTC milliseconds, as all times here.
    ADD COLUMN hold_until      BIGINT NOT NULL DEFAULT 0,
    ADD COLUMN failure_class   TEXT,
    ADD COLUMN failure_message TEXT,
    ADD COLUMN sent_at         BIGINT,
    DROP CONSTRAINT job_state,
    ADD CONSTRAINT job_state CHECK (state IN ('queued', 'done', 'failed', 'dead', 'cancelled'));

CREATE TABLE attempt (
    job_id     BYTEA NOT NULL REFERENCES job ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    worker     TEXT,
    started_at BIGINT NOT NULL,
    heard_at   BIGINT NOT NULL,
    -- Units, as the job counts them.
    done       BIGINT NOT NULL DEFAULT 0,
    ended_at   BIGINT,
    ending     TEXT CHECK (ending IN ('ok', 'failed', 'worker_lost', 'interrupted', 'fenced', 'cancelled')),
    message    TEXT,
    PRIMARY KEY (job_id, number)
);
CREATE INDEX attempt_open ON attempt (worker) WHERE ended_at IS NULL;
CREATE INDEX attempt_ended ON attempt (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE worker (
    name       TEXT PRIMARY KEY,
    started_at BIGINT NOT NULL,
    heard_at   BIGINT NOT NULL,
    slots      BIGINT NOT NULL,
    running    BIGINT NOT NULL,
    version    TEXT NOT NULL,
    host       TEXT NOT NULL,
    draining   BIGINT NOT NULL DEFAULT 0 CHECK (draining IN (0, 1)),
    gone_at    BIGINT
);

-- Messages that could not be taken, as they came; the same message is here once.
CREATE TABLE dead_letter (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic      TEXT NOT NULL,
    cause      TEXT NOT NULL,
    body       BYTEA NOT NULL,
    arrived_at BIGINT NOT NULL,
    digest     BYTEA NOT NULL UNIQUE
);
CREATE INDEX dead_letter_arrived ON dead_letter (arrived_at);

-- Who may record. The term is part of a key, so that a renewal, which leaves it alone, waits for nobody who is just
-- recording, and a takeover waits for everybody.
CREATE TABLE leadership (
    id         BIGINT PRIMARY KEY CHECK (id = 1),
    term       BIGINT NOT NULL UNIQUE,
    holder     TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

ALTER TABLE published ADD COLUMN published_at BIGINT;
ALTER TABLE report ADD COLUMN created_at BIGINT;
ALTER TABLE report ADD COLUMN name TEXT;
