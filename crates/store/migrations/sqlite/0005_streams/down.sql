DROP INDEX tasks_changed;
CREATE INDEX tasks_changed ON tasks (namespace, run_id, revision);
-- A step more than there were harms nobody.
