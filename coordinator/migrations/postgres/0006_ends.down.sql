DROP INDEX snapshot_of_fact_set;
DROP INDEX batch_repository_open;
