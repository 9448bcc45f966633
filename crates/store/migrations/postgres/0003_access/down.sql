DROP TABLE audit_events;
ALTER TABLE recurring_runs DROP COLUMN owner;
DROP INDEX tokens_made_with;
DROP INDEX tokens_user;
ALTER TABLE tokens DROP COLUMN made_with;
ALTER TABLE tokens DROP COLUMN description;
ALTER TABLE tokens DROP COLUMN namespaces;
ALTER TABLE tokens DROP COLUMN verbs;
