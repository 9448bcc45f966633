-- How many rows there are. Those with no parent are the whole namespace's, in parts to be added up.
CREATE TABLE counts (
  namespace TEXT NOT NULL,
  kind TEXT NOT NULL,
  parent TEXT NOT NULL,
  -- Empty for what has none.
  storage_state TEXT NOT NULL,
  part INTEGER NOT NULL,
  total BIGINT NOT NULL,
  PRIMARY KEY (namespace, kind, parent, storage_state, part)
);
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'runs', experiment_id, storage_state, 0, COUNT(*) FROM runs
GROUP BY namespace, experiment_id, storage_state;
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'runs', '', storage_state, 0, COUNT(*) FROM runs GROUP BY namespace, storage_state;
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'experiments', '', storage_state, 0, COUNT(*) FROM experiments GROUP BY namespace, storage_state;
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'pipelines', '', '', 0, COUNT(*) FROM pipelines GROUP BY namespace;
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'versions', pipeline_id, '', 0, COUNT(*) FROM pipeline_versions GROUP BY namespace, pipeline_id;
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'recurring_runs', experiment_id, '', 0, COUNT(*) FROM recurring_runs
GROUP BY namespace, experiment_id;
INSERT INTO counts (namespace, kind, parent, storage_state, part, total)
SELECT namespace, 'recurring_runs', '', '', 0, COUNT(*) FROM recurring_runs GROUP BY namespace;

-- For the orders and filters that clients use most. Runs that have not ended are found by 0.
CREATE INDEX runs_finished ON runs (namespace, finished_at, id);
CREATE INDEX runs_name ON runs (namespace, name, id);
CREATE INDEX runs_stored ON runs (namespace, storage_state, created_at, id);
CREATE INDEX runs_experiment_name ON runs (namespace, experiment_id, name, id);
CREATE INDEX runs_experiment_stored ON runs (namespace, experiment_id, storage_state, created_at, id);
CREATE INDEX experiments_stored ON experiments (namespace, storage_state, created_at, id);
CREATE INDEX experiments_last_run ON experiments (namespace, last_run_at, id);
-- Those that keep names unique are not in the order of a list, which goes on by the id.
CREATE INDEX experiments_by_name ON experiments (namespace, name, id);
CREATE INDEX experiments_stored_by_name ON experiments (namespace, storage_state, name, id);
CREATE INDEX pipelines_by_name ON pipelines (namespace, name, id);
CREATE INDEX recurring_runs_name ON recurring_runs (namespace, name, id);
CREATE INDEX recurring_runs_experiment_name ON recurring_runs (namespace, experiment_id, name, id);

-- Definitions, each once in a namespace: compressed, under the SHA-256 of the text in hexadecimal.
CREATE TABLE specs (
  namespace TEXT NOT NULL,
  hash TEXT NOT NULL,
  content BYTEA NOT NULL,
  -- Of the text, in bytes.
  size BIGINT NOT NULL,
  PRIMARY KEY (namespace, hash)
);
-- Empty for no definition. The server moves the texts that are in `spec`; then 0007 takes that away.
ALTER TABLE runs ADD COLUMN spec_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE recurring_runs ADD COLUMN spec_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE pipeline_versions ADD COLUMN spec_hash TEXT NOT NULL DEFAULT '';
