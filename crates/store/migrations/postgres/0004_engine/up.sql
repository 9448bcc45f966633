-- How many steps of the run are stored.
ALTER TABLE runs ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;

-- What the pipeline has given, as JSON; empty before it has.
ALTER TABLE runs ADD COLUMN outputs TEXT COLLATE "C" NOT NULL DEFAULT '';

-- The task that it is inside of; empty in the root.
ALTER TABLE tasks ADD COLUMN parent_id TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The keys from the root to it.
ALTER TABLE tasks ADD COLUMN path TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'RUNTIME';
-- The task whose outputs it took; empty if it ran by itself.
ALTER TABLE tasks ADD COLUMN cached_from TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE tasks ADD COLUMN fingerprint TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The name that the pipeline gives itself: results are looked for among its runs.
ALTER TABLE tasks ADD COLUMN pipeline_name TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The step of the run that changed it last.
ALTER TABLE tasks ADD COLUMN revision BIGINT NOT NULL DEFAULT 0;
-- JSON objects.
ALTER TABLE tasks ADD COLUMN input_parameters TEXT COLLATE "C" NOT NULL DEFAULT '{}';
ALTER TABLE tasks ADD COLUMN output_parameters TEXT COLLATE "C" NOT NULL DEFAULT '{}';
-- What else the engine keeps of it.
ALTER TABLE tasks ADD COLUMN engine TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE tasks SET path = name;
DROP INDEX tasks_run;
-- A path may be longer than a key.
CREATE UNIQUE INDEX tasks_run ON tasks (namespace, run_id, md5(path));
CREATE INDEX tasks_changed ON tasks (namespace, run_id, revision);
-- For those that may serve as results of later ones.
CREATE INDEX tasks_cache ON tasks (namespace, fingerprint, pipeline_name, finished_at) WHERE fingerprint <> '';

CREATE TABLE artifacts (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  namespace TEXT COLLATE "C" NOT NULL,
  -- The run that made it. It may be gone, when another one has taken the artifact for its own.
  run_id TEXT COLLATE "C" NOT NULL,
  name TEXT COLLATE "C" NOT NULL,
  kind TEXT COLLATE "C" NOT NULL,
  schema_version TEXT COLLATE "C" NOT NULL,
  instance_schema TEXT COLLATE "C" NOT NULL,
  uri TEXT COLLATE "C" NOT NULL,
  -- A JSON object.
  metadata TEXT COLLATE "C" NOT NULL,
  -- False when it is known not to be there.
  materialized BOOLEAN NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX artifacts_run ON artifacts (namespace, run_id);
CREATE INDEX artifacts_list ON artifacts (namespace, created_at, id);
CREATE INDEX artifacts_uri ON artifacts USING HASH (uri);

-- Which artifacts went into which tasks, and came out.
CREATE TABLE artifact_tasks (
  namespace TEXT COLLATE "C" NOT NULL,
  run_id TEXT COLLATE "C" NOT NULL REFERENCES runs (id),
  task_id TEXT COLLATE "C" NOT NULL,
  direction TEXT COLLATE "C" NOT NULL,
  -- The name of the input or output.
  name TEXT COLLATE "C" NOT NULL,
  -- Its place in the list that the input or output is.
  position INTEGER NOT NULL,
  artifact_id TEXT COLLATE "C" NOT NULL REFERENCES artifacts (id),
  PRIMARY KEY (task_id, direction, name, position)
);
CREATE INDEX artifact_tasks_run ON artifact_tasks (namespace, run_id);
CREATE INDEX artifact_tasks_artifact ON artifact_tasks (namespace, artifact_id);
