CREATE TABLE recurring_runs (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  experiment_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  service_account TEXT COLLATE "C" NOT NULL,
  -- As in `runs`. With a pipeline and neither version nor spec, each run takes the latest version.
  pipeline_id TEXT COLLATE "C" NOT NULL,
  version_id TEXT COLLATE "C" NOT NULL,
  version_name TEXT COLLATE "C" NOT NULL,
  spec TEXT COLLATE "C" NOT NULL,
  parameters TEXT COLLATE "C" NOT NULL,
  pipeline_root TEXT COLLATE "C" NOT NULL,
  -- Empty, and 0, for what the trigger is not.
  cron TEXT COLLATE "C" NOT NULL,
  interval_seconds BIGINT NOT NULL,
  -- 0 where there is no bound.
  starts_at BIGINT NOT NULL,
  ends_at BIGINT NOT NULL,
  max_concurrency BIGINT NOT NULL,
  catchup BOOLEAN NOT NULL,
  enabled BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL
);
CREATE INDEX recurring_runs_created ON recurring_runs (namespace, created_at, id);
CREATE INDEX recurring_runs_experiment ON recurring_runs (namespace, experiment_id, created_at, id);

-- What executes a run: `local` for this server, `reported` for another engine whose agent tells of it. For the latter
-- `engine` holds the workflow that was last reported.
ALTER TABLE runs ADD COLUMN backend TEXT COLLATE "C" NOT NULL DEFAULT 'local';
CREATE INDEX runs_recurring ON runs (namespace, recurring_run_id, name);

CREATE TABLE run_metrics (
  run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  namespace TEXT COLLATE "C" NOT NULL,
  node_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  value DOUBLE PRECISION NOT NULL,
  format TEXT COLLATE "C" NOT NULL,
  PRIMARY KEY (run_id, node_id, name)
);

-- Tasks that others have executed. Nothing here is ever taken for a result.
CREATE TABLE reported_tasks (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  pipeline_name TEXT COLLATE "C" NOT NULL,
  execution_id TEXT COLLATE "C" NOT NULL,
  fingerprint TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL
);
CREATE INDEX reported_tasks_created ON reported_tasks (namespace, created_at, id);
CREATE INDEX reported_tasks_run ON reported_tasks (namespace, run_id, created_at, id);
-- For the foreign keys, which look for the run alone when it is deleted.
CREATE INDEX reported_tasks_of_run ON reported_tasks (run_id);
CREATE INDEX tasks_of_run ON tasks (run_id);

-- Where the package was fetched from, if it was.
ALTER TABLE pipeline_versions ADD COLUMN package_url TEXT COLLATE "C" NOT NULL DEFAULT '';
