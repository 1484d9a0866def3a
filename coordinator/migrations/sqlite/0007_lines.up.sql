-- Facts with the history of lines, and facts without, do not stand side by side.
ALTER TABLE fact_set ADD COLUMN line_history INTEGER NOT NULL DEFAULT 0 CHECK (line_history IN (0, 1));
-- Such facts are there only where this step was taken back, which forgot which they were: most are with it.
UPDATE fact_set SET line_history = 1 WHERE facts_version > 1;

-- The parents' ids, one behind the other, and what the history of lines is made of: a frame of hunks, content marks and
-- the composition of merges. NULL where there is nothing of it.
ALTER TABLE commit_fact ADD COLUMN parent_oids BLOB NOT NULL DEFAULT x'';
ALTER TABLE commit_fact ADD COLUMN lines BLOB;

-- Packs hold whole facts from now on. Derived from the rows, and made again of them.
DROP TABLE brief_pack;
CREATE TABLE fact_pack (
    id              INTEGER PRIMARY KEY,
    fact_set_id     INTEGER NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    first_commit_id INTEGER NOT NULL,
    commits         INTEGER NOT NULL,
    content         BLOB NOT NULL,
    UNIQUE (fact_set_id, first_commit_id)
) STRICT;

-- Frames; NULL is unknown.
ALTER TABLE snapshot ADD COLUMN tags BLOB;
ALTER TABLE snapshot ADD COLUMN attributes_files BLOB;

-- The files at the tip, in a frame: for a snapshot that is pending, and for one that is published. Large, and read by
-- few.
ALTER TABLE pending_snapshot ADD COLUMN tip_files BLOB;
CREATE TABLE snapshot_tip (
    snapshot_id INTEGER PRIMARY KEY REFERENCES snapshot ON DELETE CASCADE,
    files       BLOB NOT NULL
) STRICT;
