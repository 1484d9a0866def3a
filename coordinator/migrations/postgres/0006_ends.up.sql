-- Whether a batch has come to its end is asked all the time, and must not cost a look at every repository that has.
CREATE INDEX batch_repository_open ON batch_repository (batch_id) WHERE state IN ('surveying', 'analysing');
-- Whether a job is out that workers were lost with is asked twice a second.
CREATE INDEX job_lost ON job (losses) WHERE state = 'queued' AND losses > 0;
-- Removing a fact set asks whose it is.
CREATE INDEX snapshot_of_fact_set ON snapshot (fact_set_id);
