ALTER TABLE pipeline_versions DROP COLUMN spec_hash;
ALTER TABLE recurring_runs DROP COLUMN spec_hash;
ALTER TABLE runs DROP COLUMN spec_hash;
-- With all definitions that were stored since, and those that 0007 had moved here.
DROP TABLE specs;
DROP INDEX pipelines_by_name;
DROP INDEX experiments_stored_by_name;
DROP INDEX experiments_by_name;
DROP INDEX recurring_runs_experiment_name;
DROP INDEX recurring_runs_name;
DROP INDEX experiments_last_run;
DROP INDEX experiments_stored;
DROP INDEX runs_experiment_stored;
DROP INDEX runs_experiment_name;
DROP INDEX runs_stored;
DROP INDEX runs_name;
DROP INDEX runs_finished;
DROP TABLE counts;
