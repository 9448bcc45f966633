DROP TABLE audit_events;
ALTER TABLE recurring_runs DROP COLUMN owner;
DROP INDEX tokens_made_with ON tokens;
DROP INDEX tokens_user ON tokens;
ALTER TABLE tokens DROP COLUMN made_with;
ALTER TABLE tokens DROP COLUMN description;
ALTER TABLE tokens DROP COLUMN namespaces;
ALTER TABLE tokens DROP COLUMN verbs;
