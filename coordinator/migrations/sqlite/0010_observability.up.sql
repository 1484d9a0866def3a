-- Since when a job waits to be sent, in UTC milliseconds. What waited before is as old as this step. Made anew, because
-- SQLite adds no column whose default is computed.
CREATE TABLE outbox_new (
    sequence INTEGER PRIMARY KEY,
    job_id   BLOB NOT NULL UNIQUE REFERENCES job ON DELETE CASCADE,
    batch_id BLOB NOT NULL,
    -- Surveys before all else, then the commits of the whole repository.
    urgency  INTEGER NOT NULL,
    position INTEGER NOT NULL,
    since    INTEGER NOT NULL DEFAULT (CAST(unixepoch('subsec') * 1000 AS INTEGER))
) STRICT;
INSERT INTO outbox_new (sequence, job_id, batch_id, urgency, position)
    SELECT sequence, job_id, batch_id, urgency, position FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_new RENAME TO outbox;
CREATE INDEX outbox_order ON outbox (batch_id, urgency DESC, position, sequence);
-- What is asked at every scrape: how much waits, by kind of work. Read from the index alone.
CREATE INDEX job_waiting ON job (batch_id, work, units) WHERE state = 'queued';
-- The trace of the submission, as W3C's `traceparent` has it; NULL where nobody traces.
ALTER TABLE batch ADD COLUMN trace TEXT;
