-- How many steps of the run are stored.
ALTER TABLE runs ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- What the pipeline has given, as JSON; empty before it has.
ALTER TABLE runs ADD COLUMN outputs TEXT NOT NULL DEFAULT '';

-- The task that it is inside of; empty in the root.
ALTER TABLE tasks ADD COLUMN parent_id TEXT NOT NULL DEFAULT '';
-- The keys from the root to it.
ALTER TABLE tasks ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN kind TEXT NOT NULL DEFAULT 'RUNTIME';
-- The task whose outputs it took; empty if it ran by itself.
ALTER TABLE tasks ADD COLUMN cached_from TEXT NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
-- The name that the pipeline gives itself: results are looked for among its runs.
ALTER TABLE tasks ADD COLUMN pipeline_name TEXT NOT NULL DEFAULT '';
-- The step of the run that changed it last.
ALTER TABLE tasks ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
-- JSON objects.
ALTER TABLE tasks ADD COLUMN input_parameters TEXT NOT NULL DEFAULT '{}';
ALTER TABLE tasks ADD COLUMN output_parameters TEXT NOT NULL DEFAULT '{}';
-- What else the engine keeps of it.
ALTER TABLE tasks ADD COLUMN engine TEXT NOT NULL DEFAULT '';
UPDATE tasks SET path = name;
DROP INDEX tasks_run;
CREATE UNIQUE INDEX tasks_run ON tasks (namespace, run_id, path);
CREATE INDEX tasks_changed ON tasks (namespace, run_id, revision);
-- For those that may serve as results of later ones.
CREATE INDEX tasks_cache ON tasks (namespace, fingerprint, pipeline_name, finished_at) WHERE fingerprint <> '';

CREATE TABLE artifacts (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  -- The run that made it. It may be gone, when another one has taken the artifact for its own.
  run_id TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  schema_version TEXT NOT NULL,
  instance_schema TEXT NOT NULL,
  uri TEXT NOT NULL,
  -- A JSON object.
  metadata TEXT NOT NULL,
  -- False when it is known not to be there.
  materialized BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX artifacts_run ON artifacts (namespace, run_id);
CREATE INDEX artifacts_list ON artifacts (namespace, created_at, id);
CREATE INDEX artifacts_uri ON artifacts (namespace, uri, kind);

-- Which artifacts went into which tasks, and came out.
CREATE TABLE artifact_tasks (
  namespace TEXT NOT NULL,
  run_id TEXT NOT NULL REFERENCES runs (id),
  task_id TEXT NOT NULL,
  direction TEXT NOT NULL,
  -- The name of the input or output.
  name TEXT NOT NULL,
  -- Its place in the list that the input or output is.
  position INTEGER NOT NULL,
  artifact_id TEXT NOT NULL REFERENCES artifacts (id),
  PRIMARY KEY (task_id, direction, name, position)
);
CREATE INDEX artifact_tasks_run ON artifact_tasks (namespace, run_id);
CREATE INDEX artifact_tasks_artifact ON artifact_tasks (namespace, artifact_id);
