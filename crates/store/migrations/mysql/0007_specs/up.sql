ALTER TABLE runs DROP COLUMN spec;
ALTER TABLE recurring_runs DROP COLUMN spec;
ALTER TABLE pipeline_versions DROP COLUMN spec;
-- To find whether a definition is still referred to.
CREATE INDEX runs_spec ON runs (namespace, spec_hash);
CREATE INDEX recurring_runs_spec ON recurring_runs (namespace, spec_hash);
CREATE INDEX pipeline_versions_spec ON pipeline_versions (namespace, spec_hash);
