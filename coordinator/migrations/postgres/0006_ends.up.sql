-- Whether a batch has come to its end is asked all the time, and must not cost a look at every repository that has.
CREATE INDEX batch_repository_open ON batch_repository (batch_id) WHERE state IN ('surveying', 'analysing');
-- Removing a fact set asks whose it is.
CREATE INDEX snapshot_of_fact_set ON snapshot (fact_set_id);
