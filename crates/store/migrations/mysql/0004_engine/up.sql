-- How many steps of the run are stored.
ALTER TABLE runs ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- What the pipeline has given, as JSON; empty before it has.
ALTER TABLE runs ADD COLUMN outputs LONGTEXT NOT NULL DEFAULT ('');

-- The task that it is inside of; empty in the root.
ALTER TABLE tasks ADD COLUMN parent_id VARCHAR(255) NOT NULL DEFAULT '';
-- The keys from the root to it.
ALTER TABLE tasks ADD COLUMN path LONGTEXT NOT NULL DEFAULT ('');
ALTER TABLE tasks ADD COLUMN kind VARCHAR(32) NOT NULL DEFAULT 'RUNTIME';
-- The task whose outputs it took; empty if it ran by itself.
ALTER TABLE tasks ADD COLUMN cached_from VARCHAR(255) NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN fingerprint VARCHAR(255) NOT NULL DEFAULT '';
-- The name that the pipeline gives itself: results are looked for among its runs.
ALTER TABLE tasks ADD COLUMN pipeline_name VARCHAR(255) NOT NULL DEFAULT '';
-- The step of the run that changed it last.
ALTER TABLE tasks ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
-- JSON objects.
ALTER TABLE tasks ADD COLUMN input_parameters LONGTEXT NOT NULL DEFAULT ('{}');
ALTER TABLE tasks ADD COLUMN output_parameters LONGTEXT NOT NULL DEFAULT ('{}');
-- What else the engine keeps of it.
ALTER TABLE tasks ADD COLUMN engine LONGTEXT NOT NULL DEFAULT ('');
UPDATE tasks SET path = name;
DROP INDEX tasks_run ON tasks;
-- A path may be longer than a key.
ALTER TABLE tasks ADD COLUMN path_hash CHAR(64) AS (SHA2(path, 256)) STORED;
CREATE UNIQUE INDEX tasks_run ON tasks (namespace, run_id, path_hash);
CREATE INDEX tasks_changed ON tasks (namespace, run_id, revision);
-- For those that may serve as results of later ones.
CREATE INDEX tasks_cache ON tasks (namespace, fingerprint, pipeline_name, finished_at);

CREATE TABLE artifacts (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  -- The run that made it. It may be gone, when another one has taken the artifact for its own.
  run_id VARCHAR(255) NOT NULL,
  name LONGTEXT NOT NULL,
  kind LONGTEXT NOT NULL,
  schema_version LONGTEXT NOT NULL,
  instance_schema LONGTEXT NOT NULL,
  uri LONGTEXT NOT NULL,
  -- A JSON object.
  metadata LONGTEXT NOT NULL,
  -- False when it is known not to be there.
  materialized BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX artifacts_run ON artifacts (namespace, run_id);
CREATE INDEX artifacts_list ON artifacts (namespace, created_at, id);
CREATE INDEX artifacts_uri ON artifacts (namespace, uri(255), kind(255));

-- Which artifacts went into which tasks, and came out.
CREATE TABLE artifact_tasks (
  namespace VARCHAR(64) NOT NULL,
  run_id VARCHAR(255) NOT NULL,
  task_id VARCHAR(255) NOT NULL,
  direction VARCHAR(16) NOT NULL,
  -- The name of the input or output.
  name VARCHAR(400) NOT NULL,
  -- Its place in the list that the input or output is.
  position INTEGER NOT NULL,
  artifact_id VARCHAR(255) NOT NULL,
  PRIMARY KEY (task_id, direction, name, position),
  FOREIGN KEY (run_id) REFERENCES runs (id),
  FOREIGN KEY (artifact_id) REFERENCES artifacts (id)
);
CREATE INDEX artifact_tasks_run ON artifact_tasks (namespace, run_id);
CREATE INDEX artifact_tasks_artifact ON artifact_tasks (namespace, artifact_id);
