-- The columns come back empty. The texts are compressed in `specs`, where SQL cannot read them, and go with that table
-- when 0006 is taken back. To have an older version's data again, restore the backup that was made before the upgrade.
DROP INDEX pipeline_versions_spec ON pipeline_versions;
DROP INDEX recurring_runs_spec ON recurring_runs;
DROP INDEX runs_spec ON runs;
ALTER TABLE pipeline_versions ADD COLUMN spec LONGTEXT NOT NULL DEFAULT ('');
ALTER TABLE recurring_runs ADD COLUMN spec LONGTEXT NOT NULL DEFAULT ('');
ALTER TABLE runs ADD COLUMN spec LONGTEXT NOT NULL DEFAULT ('');
