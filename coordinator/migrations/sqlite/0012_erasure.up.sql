-- People who were erased. Nothing here says who they were: a mark is a keyed digest, and the key is not in the database.

-- What tells the key of all marks from others.
CREATE TABLE erasure_key (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    check_value BLOB NOT NULL CHECK (length(check_value) = 32)
) STRICT;

CREATE TABLE erased_person (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Hexadecimal digits that name them from now on.
    digits      TEXT NOT NULL UNIQUE,
    -- The request that asked for it first, as the audit log has it.
    request     TEXT NOT NULL,
    -- UTC milliseconds.
    erased_at   INTEGER NOT NULL,
    -- When everything that was there before had been gone over; NULL where that goes on, or was cut short.
    swept_at    INTEGER
) STRICT;

CREATE TABLE erased_mark (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    person_id   INTEGER NOT NULL REFERENCES erased_person (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL CHECK (kind IN ('email', 'name', 'signature', 'alone')),
    -- Of a name, how many words it has.
    words       INTEGER NOT NULL,
    digest      BLOB NOT NULL UNIQUE CHECK (length(digest) = 32)
) STRICT;
