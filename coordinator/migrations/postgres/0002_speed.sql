-- What reports read of commits, packed: made of commit_fact, commit_file and commit_person, in the same transaction,
-- and made again of them where it is missing, damaged or of another version. Holds only facts that are final.
CREATE TABLE brief_pack (
    id              BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fact_set_id     BIGINT NOT NULL REFERENCES fact_set ON DELETE CASCADE,
    first_commit_id BIGINT NOT NULL,
    commits         BIGINT NOT NULL,
    content         BYTEA NOT NULL,
    UNIQUE (fact_set_id, first_commit_id)
);
ALTER TABLE brief_pack ALTER COLUMN content SET STORAGE EXTERNAL;

-- The snapshot of a repository of a batch until its last job is done. Some megabytes, and written once: a table of its
-- own, because whatever changes a row writes the whole row anew.
CREATE TABLE pending_snapshot (
    batch_id BYTEA NOT NULL,
    position BIGINT NOT NULL,
    content  BYTEA NOT NULL,
    PRIMARY KEY (batch_id, position),
    FOREIGN KEY (batch_id, position) REFERENCES batch_repository ON DELETE CASCADE
);
ALTER TABLE pending_snapshot ALTER COLUMN content SET STORAGE EXTERNAL;
-- What is pending belongs to a process that has ended; its batch is abandoned, and the next one finds the facts.
UPDATE batch_repository SET pending_facts = NULL;
ALTER TABLE batch_repository DROP COLUMN pending;

-- Which publication a snapshot's content is of: the batch, and the position in it. NULL is unknown.
ALTER TABLE snapshot ADD COLUMN published_by BYTEA;

-- Hash over everything that the report is a function of, but for the as-of time. NULL is unknown.
ALTER TABLE report ADD COLUMN inputs BYTEA;
ALTER TABLE report ADD COLUMN as_of_seconds BIGINT;

-- The next jobs to be sent are the first ones of an index.
DROP TABLE outbox;
CREATE TABLE outbox (
    sequence BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job_id   BYTEA NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE,
    batch_id BYTEA NOT NULL,
    -- Surveys before all else, then the commits of the whole repository.
    urgency  BIGINT NOT NULL,
    position BIGINT NOT NULL
);
CREATE INDEX outbox_order ON outbox (batch_id, urgency DESC, position, sequence);

-- Removing a commit asks who lists it.
CREATE INDEX snapshot_commit_of_commit ON snapshot_commit (commit_id);
