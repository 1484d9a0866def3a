-- What the older schema has no word for becomes the nearest one it has: work that nobody goes on with.
ALTER TABLE report DROP COLUMN name;
ALTER TABLE report DROP COLUMN created_at;
ALTER TABLE published DROP COLUMN published_at;
DROP TABLE leadership;
DROP TABLE dead_letter;
DROP TABLE worker;
DROP TABLE attempt;

UPDATE job SET state = 'done' WHERE state IN ('failed', 'dead');
ALTER TABLE job
    DROP COLUMN losses,
    DROP COLUMN hold_until,
    DROP COLUMN failure_class,
    DROP COLUMN failure_message,
    DROP COLUMN sent_at,
    DROP CONSTRAINT job_state,
    ADD CONSTRAINT job_state CHECK (state IN ('queued', 'done', 'cancelled'));

DROP INDEX batch_repository_pending;
DROP INDEX batch_repository_of_repository;
UPDATE batch_repository SET state = 'failed', failure_class = 'cancelled', failure_message = 'cancelled'
    WHERE state = 'cancelled';
ALTER TABLE batch_repository
    DROP CONSTRAINT batch_repository_state,
    ADD CONSTRAINT batch_repository_state
    CHECK (state IN ('surveying', 'analysing', 'planned', 'analysed', 'empty', 'failed'));

UPDATE batch SET state = 'abandoned' WHERE state = 'cancelled';
ALTER TABLE batch
    DROP COLUMN name,
    DROP COLUMN priority,
    DROP COLUMN labels,
    DROP COLUMN terms,
    DROP COLUMN paused,
    DROP COLUMN idempotency_key,
    DROP COLUMN request_digest,
    DROP COLUMN finished_at,
    DROP CONSTRAINT batch_state,
    ADD CONSTRAINT batch_state CHECK (state IN ('running', 'finished', 'abandoned'));
