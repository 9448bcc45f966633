-- Times are microseconds since the epoch. `namespace` is the compartment of a row, `*` the shared scope.
CREATE TABLE experiments (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  name VARCHAR(255) NOT NULL,
  description LONGTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  last_run_at BIGINT NOT NULL,
  storage_state VARCHAR(32) NOT NULL,
  created_by LONGTEXT NOT NULL
);
CREATE UNIQUE INDEX experiments_name ON experiments (namespace, name);
CREATE INDEX experiments_created ON experiments (namespace, created_at, id);

CREATE TABLE pipelines (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  name VARCHAR(255) NOT NULL,
  display_name LONGTEXT NOT NULL,
  description LONGTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  tags LONGTEXT NOT NULL,
  created_by LONGTEXT NOT NULL
);
CREATE UNIQUE INDEX pipelines_name ON pipelines (namespace, name);
CREATE INDEX pipelines_created ON pipelines (namespace, created_at, id);

CREATE TABLE pipeline_versions (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  pipeline_id VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  display_name LONGTEXT NOT NULL,
  description LONGTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  code_source_url LONGTEXT NOT NULL,
  tags LONGTEXT NOT NULL,
  spec LONGTEXT NOT NULL,
  created_by LONGTEXT NOT NULL,
  FOREIGN KEY (pipeline_id) REFERENCES pipelines (id)
);
CREATE UNIQUE INDEX pipeline_versions_name ON pipeline_versions (pipeline_id, name);
CREATE INDEX pipeline_versions_created ON pipeline_versions (namespace, pipeline_id, created_at, id);

CREATE TABLE runs (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  experiment_id VARCHAR(255) NOT NULL,
  name VARCHAR(255) NOT NULL,
  description LONGTEXT NOT NULL,
  storage_state VARCHAR(32) NOT NULL,
  service_account LONGTEXT NOT NULL,
  -- The three are empty for a run whose request carried its definition.
  pipeline_id VARCHAR(255) NOT NULL,
  version_id VARCHAR(255) NOT NULL,
  version_name LONGTEXT NOT NULL,
  spec LONGTEXT NOT NULL,
  parameters LONGTEXT NOT NULL,
  pipeline_root LONGTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  scheduled_at BIGINT NOT NULL,
  -- 0 while it has not finished.
  finished_at BIGINT NOT NULL,
  state VARCHAR(32) NOT NULL,
  history LONGTEXT NOT NULL,
  error LONGTEXT NOT NULL,
  recurring_run_id VARCHAR(255) NOT NULL,
  created_by LONGTEXT NOT NULL,
  terminated_by LONGTEXT NOT NULL,
  -- The engine's own state, so that it can go on after a restart; empty before it starts.
  engine LONGTEXT NOT NULL
);
CREATE INDEX runs_created ON runs (namespace, created_at, id);
CREATE INDEX runs_experiment ON runs (namespace, experiment_id, created_at, id);
CREATE INDEX runs_unfinished ON runs (finished_at);

CREATE TABLE tasks (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  run_id VARCHAR(255) NOT NULL,
  name LONGTEXT NOT NULL,
  display_name LONGTEXT NOT NULL,
  state VARCHAR(32) NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  history LONGTEXT NOT NULL,
  error LONGTEXT NOT NULL,
  FOREIGN KEY (run_id) REFERENCES runs (id)
);
CREATE INDEX tasks_run ON tasks (namespace, run_id);

CREATE TABLE tokens (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  -- SHA-256 of the secret part, in hexadecimal. The secret itself is never stored.
  hash VARCHAR(255) NOT NULL UNIQUE,
  username VARCHAR(500) NOT NULL,
  user_groups LONGTEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- 0 for never.
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);

CREATE TABLE secrets (
  name VARCHAR(255) NOT NULL PRIMARY KEY,
  value LONGTEXT NOT NULL
);
