-- What is submitted at which times, what became of each time, and what is known of a forge's repositories.

CREATE TABLE schedule (
    -- Never used again: firings and requests are named by it.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    -- Whose it is; two owners may call theirs alike.
    owner       TEXT NOT NULL,
    cron        TEXT NOT NULL,
    zone        TEXT NOT NULL,
    hours       TEXT,
    catch_up    TEXT NOT NULL CHECK (catch_up IN ('one', 'none')),
    -- JSON: the batch as it is submitted.
    planned     TEXT NOT NULL,
    paused      INTEGER NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    next_due    INTEGER,
    created_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    UNIQUE (owner, name)
) STRICT;
CREATE INDEX schedule_by_due ON schedule (next_due) WHERE paused = 0;

-- A time that came, once.
CREATE TABLE schedule_run (
    schedule_id INTEGER NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
    due_at      INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('begun', 'submitted', 'skipped', 'missed', 'failed')),
    fired_at    INTEGER NOT NULL,
    manual      INTEGER NOT NULL CHECK (manual IN (0, 1)),
    batch_id    BLOB,
    note        TEXT,
    -- When to try again to submit it.
    retry_at    INTEGER NOT NULL,
    PRIMARY KEY (schedule_id, due_at),
    CHECK ((state = 'submitted') = (batch_id IS NOT NULL))
) STRICT;
CREATE INDEX schedule_run_open ON schedule_run (retry_at) WHERE state = 'begun';

-- A page of a listing as it was answered last, to be asked for again only if it changed. What one token sees is not
-- shown to another.
CREATE TABLE forge_page (
    token       TEXT NOT NULL,
    url         TEXT NOT NULL,
    etag        TEXT NOT NULL,
    next        TEXT,
    -- JSON: the repositories on it.
    repositories TEXT NOT NULL,
    fetched_at  INTEGER NOT NULL,
    PRIMARY KEY (token, url)
) STRICT;

-- What a forge lets a token ask; the token is a hash here.
CREATE TABLE forge_budget (
    token       TEXT NOT NULL,
    host        TEXT NOT NULL,
    allowed     INTEGER,
    remaining   INTEGER,
    resets_at   INTEGER,
    -- Nobody asks before.
    blocked_until INTEGER NOT NULL,
    -- How often in a row it said to slow down.
    strikes     INTEGER NOT NULL,
    PRIMARY KEY (token, host)
) STRICT;

-- A repository by the id that its forge gave it, which stays when it is renamed.
CREATE TABLE forge_repository (
    host        TEXT NOT NULL,
    id          INTEGER NOT NULL,
    -- The account that was listed, such as orgs/acme.
    account     TEXT NOT NULL,
    full_name   TEXT NOT NULL,
    url         TEXT NOT NULL,
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL,
    PRIMARY KEY (host, id)
) STRICT;
CREATE INDEX forge_repository_by_account ON forge_repository (host, account);
