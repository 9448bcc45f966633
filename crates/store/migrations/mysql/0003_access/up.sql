-- How far a token reaches: JSON lists of verbs and namespaces, each empty for all.
ALTER TABLE tokens ADD COLUMN verbs LONGTEXT NOT NULL DEFAULT ('[]');
ALTER TABLE tokens ADD COLUMN namespaces LONGTEXT NOT NULL DEFAULT ('[]');
ALTER TABLE tokens ADD COLUMN description LONGTEXT NOT NULL DEFAULT ('');
-- The token that it was made with, whose revocation is its own; empty for none.
ALTER TABLE tokens ADD COLUMN made_with VARCHAR(255) NOT NULL DEFAULT '';
CREATE INDEX tokens_user ON tokens (username, created_at, id);
CREATE INDEX tokens_made_with ON tokens (made_with);

-- Who created or last enabled it, as JSON, and thus whom its runs are made for. Empty in rows older than this column:
-- nobody is acted for until it is enabled again.
ALTER TABLE recurring_runs ADD COLUMN owner LONGTEXT NOT NULL DEFAULT ('');

-- Decisions about access, where the configuration has them kept here.
CREATE TABLE audit_events (
  id VARCHAR(255) NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  request_id LONGTEXT NOT NULL,
  what LONGTEXT NOT NULL,
  username VARCHAR(500) NOT NULL,
  proof LONGTEXT NOT NULL,
  verb VARCHAR(255) NOT NULL,
  resource VARCHAR(255) NOT NULL,
  -- A namespace, `(shared)`, `(cluster)`, or empty where there is none.
  namespace VARCHAR(255) NOT NULL,
  object LONGTEXT NOT NULL,
  allowed BOOLEAN NOT NULL,
  reason LONGTEXT NOT NULL
);
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_namespace ON audit_events (namespace, at, id);
CREATE INDEX audit_events_user ON audit_events (username, at, id);
