ALTER TABLE pipeline_versions DROP COLUMN package_url;
-- The foreign key needs one, and gave up its own of that name for the other.
CREATE INDEX run_id ON tasks (run_id);
DROP INDEX tasks_of_run ON tasks;
DROP TABLE reported_tasks;
DROP TABLE run_metrics;
DROP INDEX runs_recurring ON runs;
ALTER TABLE runs DROP COLUMN backend;
DROP TABLE recurring_runs;
