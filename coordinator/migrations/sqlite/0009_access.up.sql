-- Who may ask: tokens by the hash of what is shown, sessions of browsers, how often somebody asked or failed to say who
-- they are, and the log of what was asked.

CREATE TABLE api_token (
    id          TEXT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    digest      BLOB NOT NULL CHECK (length(digest) = 32),
    role        TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- {"teams": [...], "projects": [...]}; NULL is everything.
    scope       TEXT,
    created_by  TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER
) STRICT;

CREATE TABLE api_session (
    digest      BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32),
    -- The id of a token, or the digest of one of the configuration in words.
    token       TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE api_rate (
    name        TEXT NOT NULL PRIMARY KEY,
    -- When all that was drawn will have been earned again.
    earned_at   INTEGER NOT NULL
) STRICT;

CREATE TABLE api_failure (
    name        TEXT NOT NULL PRIMARY KEY,
    failures    INTEGER NOT NULL,
    failed_at   INTEGER NOT NULL,
    locked_until INTEGER NOT NULL
) STRICT;

-- The entry is JSON; its hash is SHA-256 of the hash before it in hex, a line feed, and the entry.
CREATE TABLE audit (
    seq         INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    entry       TEXT NOT NULL,
    hash        TEXT NOT NULL
) STRICT;

-- One row: the last entry there is, and the last one that retention took away.
CREATE TABLE audit_head (
    one           INTEGER PRIMARY KEY CHECK (one = 1),
    seq           INTEGER NOT NULL,
    hash          TEXT NOT NULL,
    removed_seq   INTEGER NOT NULL,
    removed_hash  TEXT NOT NULL
) STRICT;
INSERT INTO audit_head VALUES (1, 0, printf('%064d', 0), 0, printf('%064d', 0));

CREATE TRIGGER audit_keeps_what_it_says BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit
    WHEN OLD.seq > (SELECT removed_seq FROM audit_head) BEGIN
    SELECT RAISE(ABORT, 'the audit log is only added to');
END;
