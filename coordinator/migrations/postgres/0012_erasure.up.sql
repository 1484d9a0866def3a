-- People who were erased. Nothing here says who they were: a mark is a keyed digest, and the key is not in the database.

-- What tells the key of all marks from others.
CREATE TABLE erasure_key (
    one         bigint PRIMARY KEY CHECK (one = 1),
    check_value bytea NOT NULL CHECK (length(check_value) = 32)
);

CREATE TABLE erased_person (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Hexadecimal digits that name them from now on.
    digits      text COLLATE "C" NOT NULL UNIQUE,
    -- The request that asked for it first, as the audit log has it.
    request     text COLLATE "C" NOT NULL,
    -- UTC milliseconds.
    erased_at   bigint NOT NULL,
    -- When everything that was there before had been gone over; NULL where that goes on, or was cut short.
    swept_at    bigint
);

CREATE TABLE erased_mark (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person_id   bigint NOT NULL REFERENCES erased_person (id) ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('email', 'name', 'signature', 'alone')),
    -- Of a name, how many words it has.
    words       bigint NOT NULL,
    digest      bytea NOT NULL UNIQUE CHECK (length(digest) = 32)
);
