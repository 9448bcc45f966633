-- Times are microseconds since the epoch. `namespace` is the compartment of a row, `*` the shared scope.
CREATE TABLE experiments (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_run_at BIGINT NOT NULL,
  storage_state TEXT NOT NULL,
  created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX experiments_name ON experiments (namespace, name);
CREATE INDEX experiments_created ON experiments (namespace, created_at, id);

CREATE TABLE pipelines (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  tags TEXT NOT NULL,
  created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX pipelines_name ON pipelines (namespace, name);
CREATE INDEX pipelines_created ON pipelines (namespace, created_at, id);

CREATE TABLE pipeline_versions (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  pipeline_id TEXT NOT NULL REFERENCES pipelines (id),
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  code_source_url TEXT NOT NULL,
  tags TEXT NOT NULL,
  spec TEXT NOT NULL,
  created_by TEXT NOT NULL
);
CREATE UNIQUE INDEX pipeline_versions_name ON pipeline_versions (pipeline_id, name);
CREATE INDEX pipeline_versions_created ON pipeline_versions (namespace, pipeline_id, created_at, id);

CREATE TABLE runs (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  experiment_id TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  storage_state TEXT NOT NULL,
  service_account TEXT NOT NULL,
  -- The three are empty for a run whose request carried its definition.
  pipeline_id TEXT NOT NULL,
  version_id TEXT NOT NULL,
  version_name TEXT NOT NULL,
  spec TEXT NOT NULL,
  parameters TEXT NOT NULL,
  pipeline_root TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  scheduled_at BIGINT NOT NULL,
  -- 0 while it has not finished.
  finished_at BIGINT NOT NULL,
  state TEXT NOT NULL,
  history TEXT NOT NULL,
  error TEXT NOT NULL,
  recurring_run_id TEXT NOT NULL,
  created_by TEXT NOT NULL,
  terminated_by TEXT NOT NULL,
  -- The engine's own state, so that it can go on after a restart; empty before it starts.
  engine TEXT NOT NULL
);
CREATE INDEX runs_created ON runs (namespace, created_at, id);
CREATE INDEX runs_experiment ON runs (namespace, experiment_id, created_at, id);
CREATE INDEX runs_unfinished ON runs (finished_at) WHERE finished_at = 0;

CREATE TABLE tasks (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES runs (id),
  name TEXT NOT NULL,
  display_name TEXT NOT NULL,
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  history TEXT NOT NULL,
  error TEXT NOT NULL
);
CREATE UNIQUE INDEX tasks_run ON tasks (namespace, run_id, name);

CREATE TABLE tokens (
  id TEXT NOT NULL PRIMARY KEY,
  -- SHA-256 of the secret part, in hexadecimal. The secret itself is never stored.
  hash TEXT NOT NULL UNIQUE,
  username TEXT NOT NULL,
  user_groups TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- 0 for never.
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);

CREATE TABLE secrets (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
);
