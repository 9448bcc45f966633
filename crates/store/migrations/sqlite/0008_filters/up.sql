-- What clients filter runs by besides where they are: those that have failed, and those of a recurring run.
CREATE INDEX runs_state ON runs (namespace, state, created_at, id);
CREATE INDEX runs_recurring_created ON runs (namespace, recurring_run_id, created_at, id);
