-- What operators decided about people: two names or e-mails are one person, or are not. The last decision about two
-- stands; a is the smaller of both.
CREATE TABLE people_link (
    a           TEXT NOT NULL,
    b           TEXT NOT NULL,
    linked      INTEGER NOT NULL CHECK (linked IN (0, 1)),
    decided_by  TEXT NOT NULL,
    reason      TEXT NOT NULL,
    decided_at  INTEGER NOT NULL,
    PRIMARY KEY (a, b),
    CHECK (a < b)
) STRICT;
