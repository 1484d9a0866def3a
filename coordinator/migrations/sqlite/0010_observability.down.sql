ALTER TABLE batch DROP COLUMN trace;
DROP INDEX job_waiting;
ALTER TABLE outbox DROP COLUMN since;
