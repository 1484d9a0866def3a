DROP TABLE snapshot_tip;
ALTER TABLE pending_snapshot DROP COLUMN tip_files;
ALTER TABLE snapshot DROP COLUMN attributes_files;
ALTER TABLE snapshot DROP COLUMN tags;
DROP TABLE fact_pack;
CREATE TABLE brief_pack (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fact_set_id     BIGINT NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    first_commit_id BIGINT NOT NULL,
    commits         BIGINT NOT NULL,
    content         BYTEA NOT NULL,
    UNIQUE (fact_set_id, first_commit_id)
);
ALTER TABLE brief_pack ALTER COLUMN content SET STORAGE EXTERNAL;
-- Whoever comes back up computes what is lost here again.
UPDATE commit_fact SET final = 0 WHERE lines IS NOT NULL OR length(parent_oids) > 0;
ALTER TABLE commit_fact DROP COLUMN lines;
ALTER TABLE commit_fact DROP COLUMN parent_oids;
ALTER TABLE fact_set DROP COLUMN line_history;
