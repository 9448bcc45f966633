CREATE TABLE recurring_runs (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  experiment_id VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  description LONGTEXT NOT NULL,
  service_account LONGTEXT NOT NULL,
  -- As in `runs`. With a pipeline and neither version nor spec, each run takes the latest version.
  pipeline_id VARCHAR(255) NOT NULL,
  version_id VARCHAR(255) NOT NULL,
  version_name LONGTEXT NOT NULL,
  spec LONGTEXT NOT NULL,
  parameters LONGTEXT NOT NULL,
  pipeline_root LONGTEXT NOT NULL,
  -- Empty, and 0, for what the trigger is not.
  cron LONGTEXT NOT NULL,
  interval_seconds BIGINT NOT NULL,
  -- 0 where there is no bound.
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  max_concurrency BIGINT NOT NULL,
  catchup BOOLEAN NOT NULL,
  enabled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  created_by LONGTEXT NOT NULL
);
CREATE INDEX recurring_runs_created ON recurring_runs (namespace, created_at, id);
CREATE INDEX recurring_runs_experiment ON recurring_runs (namespace, experiment_id, created_at, id);

-- What executes a run: `local` for this server, `reported` for another engine whose agent tells of it. For the latter
-- `engine` holds the workflow that was last reported.
ALTER TABLE runs ADD COLUMN backend VARCHAR(32) NOT NULL DEFAULT 'local';
CREATE INDEX runs_recurring ON runs (namespace, recurring_run_id, name);

CREATE TABLE run_metrics (
  run_id VARCHAR(255) NOT NULL,
  namespace VARCHAR(64) NOT NULL,
  node_id VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  value DOUBLE NOT NULL,
  format VARCHAR(32) NOT NULL,
  PRIMARY KEY (run_id, node_id, name),
  FOREIGN KEY (run_id) REFERENCES runs (id)
);

-- Tasks that others have executed. Nothing here is ever taken for a result.
CREATE TABLE reported_tasks (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  run_id VARCHAR(255) NOT NULL,
  pipeline_name VARCHAR(255) NOT NULL,
  execution_id VARCHAR(255) NOT NULL,
  fingerprint VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  FOREIGN KEY (run_id) REFERENCES runs (id)
);
CREATE INDEX reported_tasks_created ON reported_tasks (namespace, created_at, id);
CREATE INDEX reported_tasks_run ON reported_tasks (namespace, run_id, created_at, id);
-- For the foreign keys, which look for the run alone when it is deleted.
CREATE INDEX reported_tasks_of_run ON reported_tasks (run_id);
CREATE INDEX tasks_of_run ON tasks (run_id);

-- Where the package was fetched from, if it was.
ALTER TABLE pipeline_versions ADD COLUMN package_url LONGTEXT NOT NULL DEFAULT ('');
