-- What operators decided about people: two names or e-mails are one person, or are not. The last decision about two
-- stands; a is the smaller of both by its bytes.
CREATE TABLE people_link (
    a           text COLLATE "C" NOT NULL,
    b           text COLLATE "C" NOT NULL,
    linked      boolean NOT NULL,
    decided_by  text NOT NULL,
    reason      text NOT NULL,
    decided_at  bigint NOT NULL,
    PRIMARY KEY (a, b),
    CHECK (a < b)
);
