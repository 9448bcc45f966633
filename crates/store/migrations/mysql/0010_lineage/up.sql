ALTER TABLE artifacts ADD COLUMN description LONGTEXT NOT NULL DEFAULT ('');
-- A number that the artifact is; empty if it is none.
ALTER TABLE artifacts ADD COLUMN number_value LONGTEXT NOT NULL DEFAULT ('');
-- The name of the task that has made it, and of the output that it was there. Empty if that is not known.
ALTER TABLE artifacts ADD COLUMN producer_task LONGTEXT NOT NULL DEFAULT ('');
ALTER TABLE artifacts ADD COLUMN producer_key LONGTEXT NOT NULL DEFAULT ('');
UPDATE artifacts SET
  producer_task = COALESCE((SELECT tasks.name FROM artifact_tasks JOIN tasks ON tasks.id = artifact_tasks.task_id
    WHERE artifact_tasks.artifact_id = artifacts.id AND artifact_tasks.run_id = artifacts.run_id
      AND artifact_tasks.direction = 'OUTPUT' AND tasks.kind IN ('RUNTIME', 'IMPORTER') AND tasks.cached_from = ''
    ORDER BY tasks.created_at, tasks.id, artifact_tasks.name LIMIT 1), ''),
  producer_key = COALESCE((SELECT artifact_tasks.name FROM artifact_tasks JOIN tasks ON tasks.id = artifact_tasks.task_id
    WHERE artifact_tasks.artifact_id = artifacts.id AND artifact_tasks.run_id = artifacts.run_id
      AND artifact_tasks.direction = 'OUTPUT' AND tasks.kind IN ('RUNTIME', 'IMPORTER') AND tasks.cached_from = ''
    ORDER BY tasks.created_at, tasks.id, artifact_tasks.name LIMIT 1), '');

-- By which clients know the link. One that is written anew gets it again.
ALTER TABLE artifact_tasks ADD COLUMN id VARCHAR(64) NOT NULL DEFAULT '';
-- That of its task.
ALTER TABLE artifact_tasks ADD COLUMN created_at BIGINT NOT NULL DEFAULT 0;
UPDATE artifact_tasks SET id = INSERT(INSERT(INSERT(INSERT(MD5(CONCAT(task_id, direction, position, name)), 21, 0, '-'), 17, 0, '-'), 13, 0, '-'), 9, 0, '-');
UPDATE artifact_tasks SET created_at = COALESCE((SELECT tasks.created_at FROM tasks WHERE tasks.id = artifact_tasks.task_id), 0);
CREATE INDEX artifact_tasks_of_run ON artifact_tasks (namespace, run_id, created_at, id);
CREATE INDEX artifact_tasks_of_artifact ON artifact_tasks (namespace, artifact_id, created_at, id);
DROP INDEX artifact_tasks_run ON artifact_tasks;
DROP INDEX artifact_tasks_artifact ON artifact_tasks;

-- The tasks of a run, and those inside of a task, in the order of a list.
CREATE INDEX tasks_listed ON tasks (namespace, run_id, created_at, id);
CREATE INDEX tasks_inside ON tasks (namespace, parent_id, created_at, id);
