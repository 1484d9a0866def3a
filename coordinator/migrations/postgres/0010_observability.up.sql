-- Since when a job waits to be sent, in UTC milliseconds by the clock of the database. What waited before is as old as
-- this step.
ALTER TABLE outbox
    ADD COLUMN since BIGINT NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
-- What is asked at every scrape: how much waits, by kind of work. Read from the index alone.
CREATE INDEX job_waiting ON job (batch_id, work, units) WHERE state = 'queued';
-- The trace of the submission, as W3C's `traceparent` has it; NULL where nobody traces.
ALTER TABLE batch ADD COLUMN trace TEXT;
