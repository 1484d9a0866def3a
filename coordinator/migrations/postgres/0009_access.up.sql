-- Who may ask: tokens by the hash of what is shown, sessions of browsers, how often somebody asked or failed to say who
-- they are, and the log of what was asked.

CREATE TABLE api_token (
    id          text COLLATE "C" PRIMARY KEY,
    name        text NOT NULL,
    digest      bytea NOT NULL CHECK (length(digest) = 32),
    role        text NOT NULL CHECK (role IN ('viewer', 'operator', 'admin')),
    -- {"teams": [...], "projects": [...]}; NULL is everything.
    scope       text,
    created_by  text NOT NULL,
    created_at  bigint NOT NULL,
    expires_at  bigint,
    revoked_at  bigint
);

CREATE TABLE api_session (
    digest      bytea PRIMARY KEY CHECK (length(digest) = 32),
    -- The id of a token, or the digest of one of the configuration in words.
    token       text NOT NULL,
    created_at  bigint NOT NULL,
    expires_at  bigint NOT NULL
);

-- These two are of no worth after a crash, so nobody waits for a disk because of them.
CREATE UNLOGGED TABLE api_rate (
    name        text COLLATE "C" PRIMARY KEY,
    -- When all that was drawn will have been earned again.
    earned_at   bigint NOT NULL
);

CREATE UNLOGGED TABLE api_failure (
    name        text COLLATE "C" PRIMARY KEY,
    failures    bigint NOT NULL,
    failed_at   bigint NOT NULL,
    locked_until bigint NOT NULL
);

-- The entry is JSON; its hash is SHA-256 of the hash before it in hex, a line feed, and the entry.
CREATE TABLE audit (
    seq         bigint PRIMARY KEY,
    at          bigint NOT NULL,
    entry       text NOT NULL,
    hash        text NOT NULL
);

-- One row: the last entry there is, and the last one that retention took away.
CREATE TABLE audit_head (
    one           bigint PRIMARY KEY CHECK (one = 1),
    seq           bigint NOT NULL,
    hash          text NOT NULL,
    removed_seq   bigint NOT NULL,
    removed_hash  text NOT NULL
);
INSERT INTO audit_head VALUES (1, 0, repeat('0', 64), 0, repeat('0', 64));

CREATE FUNCTION audit_is_only_added_to() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF OLD.seq <= (SELECT removed_seq FROM audit_head) THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to';
END
$$;
CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_is_only_added_to();
CREATE TRIGGER audit_keeps_all BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_only_added_to();
