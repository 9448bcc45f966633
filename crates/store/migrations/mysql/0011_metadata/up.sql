-- By which number ML metadata knows a namespace: the upper part of all ids in it. It is drawn by chance, so that it tells
-- nothing of other namespaces.
CREATE TABLE metadata_slots (
  namespace VARCHAR(64) NOT NULL PRIMARY KEY,
  slot BIGINT NOT NULL,
  -- The lower part of the first id that is not given yet.
  next_id BIGINT NOT NULL
);
CREATE UNIQUE INDEX metadata_slots_slot ON metadata_slots (slot);

-- What ML metadata has of each run, from its first step on.
CREATE TABLE metadata_runs (
  run_id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL,
  -- The run as a context, and what its pipeline is; 0 for a run without the name of one.
  context_id BIGINT NOT NULL,
  pipeline_id BIGINT NOT NULL,
  -- The ids that are left of those that the run has taken for its own: from one to before the other.
  next_id BIGINT NOT NULL,
  end_id BIGINT NOT NULL
);
CREATE INDEX metadata_runs_pipeline ON metadata_runs (namespace, pipeline_id);

-- What ML metadata has an id for, with what its lists are ordered and found by. The rest is in the row that it is.
CREATE TABLE metadata_nodes (
  namespace VARCHAR(64) NOT NULL,
  id BIGINT NOT NULL,
  -- ARTIFACT, EXECUTION or CONTEXT.
  kind VARCHAR(16) NOT NULL,
  -- What it is here, and the id of that; of a pipeline its name.
  source VARCHAR(16) NOT NULL,
  object VARCHAR(255) NOT NULL,
  -- The run that it goes with; empty for none.
  run_id VARCHAR(255) NOT NULL,
  type_id BIGINT NOT NULL,
  -- Empty for none.
  name VARCHAR(255) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (namespace, id)
);
CREATE INDEX metadata_nodes_id ON metadata_nodes (namespace, kind, id);
CREATE INDEX metadata_nodes_type ON metadata_nodes (namespace, type_id, id);
CREATE INDEX metadata_nodes_created ON metadata_nodes (namespace, kind, created_at, id);
CREATE INDEX metadata_nodes_updated ON metadata_nodes (namespace, kind, updated_at, id);
CREATE INDEX metadata_nodes_object ON metadata_nodes (namespace, object);
CREATE INDEX metadata_nodes_run ON metadata_nodes (namespace, run_id, kind, id);
CREATE INDEX metadata_nodes_name ON metadata_nodes (namespace, name, type_id);

-- Kinds of artifacts that are a namespace's own.
CREATE TABLE metadata_types (
  namespace VARCHAR(64) NOT NULL,
  id BIGINT NOT NULL,
  name VARCHAR(255) NOT NULL,
  PRIMARY KEY (namespace, id)
);
CREATE UNIQUE INDEX metadata_types_name ON metadata_types (namespace, name);

-- The runs that there were before: what ML metadata has of them is written when the server starts.
CREATE TABLE metadata_backlog (
  run_id VARCHAR(255) NOT NULL PRIMARY KEY,
  namespace VARCHAR(64) NOT NULL
);
INSERT INTO metadata_backlog (run_id, namespace)
SELECT id, namespace FROM runs WHERE EXISTS (SELECT 1 FROM tasks WHERE tasks.namespace = runs.namespace AND tasks.run_id = runs.id);
