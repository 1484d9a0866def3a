DROP TABLE snapshot_tip;
ALTER TABLE pending_snapshot DROP COLUMN tip_files;
ALTER TABLE snapshot DROP COLUMN attributes_files;
ALTER TABLE snapshot DROP COLUMN tags;
DROP TABLE fact_pack;
CREATE TABLE brief_pack (
    id              INTEGER PRIMARY KEY,
    fact_set_id     INTEGER NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    first_commit_id INTEGER NOT NULL,
    commits         INTEGER NOT NULL,
    content         BLOB NOT NULL,
    UNIQUE (fact_set_id, first_commit_id)
) STRICT;
-- Whoever comes back up computes what is lost here again.
UPDATE commit_fact SET final = 0 WHERE lines IS NOT NULL OR length(parent_oids) > 0;
ALTER TABLE commit_fact DROP COLUMN lines;
ALTER TABLE commit_fact DROP COLUMN parent_oids;
ALTER TABLE fact_set DROP COLUMN line_history;
