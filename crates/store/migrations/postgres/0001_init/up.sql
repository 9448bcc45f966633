-- Times are microseconds since the epoch. `namespace` is the compartment of a row, `*` the shared scope.
CREATE TABLE experiments (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  last_run_at BIGINT NOT NULL,
  storage_state TEXT COLLATE "C" NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX experiments_name ON experiments (namespace, name);
CREATE INDEX experiments_created ON experiments (namespace, created_at, id);

CREATE TABLE pipelines (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  tags TEXT COLLATE "C" NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX pipelines_name ON pipelines (namespace, name);
CREATE INDEX pipelines_created ON pipelines (namespace, created_at, id);

CREATE TABLE pipeline_versions (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  pipeline_id TEXT COLLATE "C" NOT NULL REFERENCES pipelines (id),
  name TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  code_source_url TEXT COLLATE "C" NOT NULL,
  tags TEXT COLLATE "C" NOT NULL,
  spec TEXT COLLATE "C" NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX pipeline_versions_name ON pipeline_versions (pipeline_id, name);
CREATE INDEX pipeline_versions_created ON pipeline_versions (namespace, pipeline_id, created_at, id);

CREATE TABLE runs (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  experiment_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  description TEXT COLLATE "C" NOT NULL,
  storage_state TEXT COLLATE "C" NOT NULL,
  service_account TEXT COLLATE "C" NOT NULL,
  -- The three are empty for a run whose request carried its definition.
  pipeline_id TEXT COLLATE "C" NOT NULL,
  version_id TEXT COLLATE "C" NOT NULL,
  version_name TEXT COLLATE "C" NOT NULL,
  spec TEXT COLLATE "C" NOT NULL,
  parameters TEXT COLLATE "C" NOT NULL,
  pipeline_root TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  scheduled_at BIGINT NOT NULL,
  -- 0 while it has not finished.
  finished_at BIGINT NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  history TEXT COLLATE "C" NOT NULL,
  error TEXT COLLATE "C" NOT NULL,
  recurring_run_id TEXT COLLATE "C" NOT NULL,
  created_by TEXT COLLATE "C" NOT NULL,
  terminated_by TEXT COLLATE "C" NOT NULL,
  -- The engine's own state, so that it can go on after a restart; empty before it starts.
  engine TEXT COLLATE "C" NOT NULL
);
CREATE INDEX runs_created ON runs (namespace, created_at, id);
CREATE INDEX runs_experiment ON runs (namespace, experiment_id, created_at, id);
CREATE INDEX runs_unfinished ON runs (finished_at) WHERE finished_at = 0;

CREATE TABLE tasks (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  name TEXT COLLATE "C" NOT NULL,
  display_name TEXT COLLATE "C" NOT NULL,
  state TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL,
  finished_at BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  history TEXT COLLATE "C" NOT NULL,
  error TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX tasks_run ON tasks (namespace, run_id, name);

CREATE TABLE tokens (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  -- SHA-256 of the secret part, in hexadecimal. The secret itself is never stored.
  hash TEXT COLLATE "C" NOT NULL UNIQUE,
  username TEXT COLLATE "C" NOT NULL,
  user_groups TEXT COLLATE "C" NOT NULL,
  created_at BIGINT NOT NULL,
  -- 0 for never.
  expires_at BIGINT NOT NULL,
  revoked_at BIGINT NOT NULL
);

CREATE TABLE secrets (
  name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  value TEXT COLLATE "C" NOT NULL
);
