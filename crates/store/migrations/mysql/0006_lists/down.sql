ALTER TABLE pipeline_versions DROP COLUMN spec_hash;
ALTER TABLE recurring_runs DROP COLUMN spec_hash;
ALTER TABLE runs DROP COLUMN spec_hash;
-- With all definitions that were stored since, and those that 0007 had moved here.
DROP TABLE specs;
DROP INDEX pipelines_by_name ON pipelines;
DROP INDEX experiments_stored_by_name ON experiments;
DROP INDEX experiments_by_name ON experiments;
DROP INDEX recurring_runs_experiment_name ON recurring_runs;
DROP INDEX recurring_runs_name ON recurring_runs;
DROP INDEX experiments_last_run ON experiments;
DROP INDEX experiments_stored ON experiments;
DROP INDEX runs_experiment_stored ON runs;
DROP INDEX runs_experiment_name ON runs;
DROP INDEX runs_stored ON runs;
DROP INDEX runs_name ON runs;
DROP INDEX runs_finished ON runs;
DROP TABLE counts;
