-- Making a run is its first step, and 0 is what somebody has seen who has seen nothing.
UPDATE runs SET revision = 1 WHERE revision = 0;
UPDATE tasks SET revision = 1 WHERE revision = 0;

-- Artifacts of deleted runs, after the runs that had taken them were deleted too.
DELETE FROM artifacts
WHERE NOT EXISTS (SELECT 1 FROM artifact_tasks WHERE artifact_tasks.artifact_id = artifacts.id)
  AND NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = artifacts.run_id);

-- Which tasks have changed after a step is told by the index alone, in the order in which they are told.
DROP INDEX tasks_changed ON tasks;
CREATE INDEX tasks_changed ON tasks (namespace, run_id, revision, id);
