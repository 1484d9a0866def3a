-- Facts with the history of lines, and facts without, do not stand side by side.
ALTER TABLE fact_set ADD COLUMN line_history BIGINT NOT NULL DEFAULT 0 CHECK (line_history IN (0, 1));
-- Such facts are there only where this step was taken back, which forgot which they were: most are with it.
UPDATE fact_set SET line_history = 1 WHERE facts_version > 1;

-- The parents' ids, one behind the other, and what the history of lines is made of: a frame of hunks, content marks and
-- the composition of merges. NULL where there is nothing of it.
ALTER TABLE commit_fact ADD COLUMN parent_oids BYTEA NOT NULL DEFAULT '';
ALTER TABLE commit_fact ADD COLUMN lines BYTEA;

-- Packs hold whole facts from now on. Derived from the rows, and made again of them.
DROP TABLE brief_pack;
CREATE TABLE fact_pack (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fact_set_id     BIGINT NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    first_commit_id BIGINT NOT NULL,
    commits         BIGINT NOT NULL,
    content         BYTEA NOT NULL,
    UNIQUE (fact_set_id, first_commit_id)
);
ALTER TABLE fact_pack ALTER COLUMN content SET STORAGE EXTERNAL;

-- Frames; NULL is unknown.
ALTER TABLE snapshot ADD COLUMN tags BYTEA;
ALTER TABLE snapshot ADD COLUMN attributes_files BYTEA;

-- The files at the tip, in a frame: for a snapshot that is pending, and for one that is published. Large, and read by
-- few.
ALTER TABLE pending_snapshot ADD COLUMN tip_files BYTEA;
CREATE TABLE snapshot_tip (
    snapshot_id BIGINT PRIMARY KEY REFERENCES snapshot ON DELETE CASCADE,
    files       BYTEA NOT NULL
);
ALTER TABLE snapshot_tip ALTER COLUMN files SET STORAGE EXTERNAL;
