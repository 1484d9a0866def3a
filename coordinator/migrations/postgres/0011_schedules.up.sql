-- What is submitted at which times, what became of each time, and what is known of a forge's repositories.

CREATE TABLE schedule (
    -- Never used again: firings and requests are named by it.
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text COLLATE "C" NOT NULL,
    -- Whose it is; two owners may call theirs alike.
    owner       text COLLATE "C" NOT NULL,
    cron        text NOT NULL,
    zone        text NOT NULL,
    hours       text,
    catch_up    text NOT NULL CHECK (catch_up IN ('one', 'none')),
    -- JSON: the batch as it is submitted.
    planned     text NOT NULL,
    paused      bigint NOT NULL DEFAULT 0 CHECK (paused IN (0, 1)),
    next_due    bigint,
    created_by  text NOT NULL,
    created_at  bigint NOT NULL,
    UNIQUE (owner, name)
);
CREATE INDEX schedule_by_due ON schedule (next_due) WHERE paused = 0;

-- A time that came, once.
CREATE TABLE schedule_run (
    schedule_id bigint NOT NULL REFERENCES schedule (id) ON DELETE CASCADE,
    due_at      bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('begun', 'submitted', 'skipped', 'missed', 'failed')),
    fired_at    bigint NOT NULL,
    manual      bigint NOT NULL CHECK (manual IN (0, 1)),
    batch_id    bytea,
    note        text,
    -- When to try again to submit it.
    retry_at    bigint NOT NULL,
    PRIMARY KEY (schedule_id, due_at),
    CHECK ((state = 'submitted') = (batch_id IS NOT NULL))
);
CREATE INDEX schedule_run_open ON schedule_run (retry_at) WHERE state = 'begun';

-- A page of a listing as it was answered last, to be asked for again only if it changed. What one token sees is not
-- shown to another.
CREATE TABLE forge_page (
    token       text COLLATE "C" NOT NULL,
    url         text COLLATE "C" NOT NULL,
    etag        text NOT NULL,
    next        text,
    -- JSON: the repositories on it.
    repositories text NOT NULL,
    fetched_at  bigint NOT NULL,
    PRIMARY KEY (token, url)
);

-- What a forge lets a token ask; the token is a hash here.
CREATE TABLE forge_budget (
    token       text COLLATE "C" NOT NULL,
    host        text COLLATE "C" NOT NULL,
    allowed     bigint,
    remaining   bigint,
    resets_at   bigint,
    -- Nobody asks before.
    blocked_until bigint NOT NULL,
    -- How often in a row it said to slow down.
    strikes     bigint NOT NULL,
    PRIMARY KEY (token, host)
);

-- A repository by the id that its forge gave it, which stays when it is renamed.
CREATE TABLE forge_repository (
    host        text COLLATE "C" NOT NULL,
    id          bigint NOT NULL,
    -- The account that was listed, such as orgs/acme.
    account     text COLLATE "C" NOT NULL,
    full_name   text NOT NULL,
    url         text NOT NULL,
    first_seen  bigint NOT NULL,
    last_seen   bigint NOT NULL,
    PRIMARY KEY (host, id)
);
CREATE INDEX forge_repository_by_account ON forge_repository (host, account);
