-- How far a token reaches: JSON lists of verbs and namespaces, each empty for all.
ALTER TABLE tokens ADD COLUMN verbs TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE tokens ADD COLUMN namespaces TEXT COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE tokens ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The token that it was made with, whose revocation is its own; empty for none.
ALTER TABLE tokens ADD COLUMN made_with TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX tokens_user ON tokens (username, created_at, id);
CREATE INDEX tokens_made_with ON tokens (made_with);

-- Who created or last enabled it, as JSON, and thus whom its runs are made for. Empty in rows older than this column:
-- nobody is acted for until it is enabled again.
ALTER TABLE recurring_runs ADD COLUMN owner TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Decisions about access, where the configuration has them kept here.
CREATE TABLE audit_events (
  id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
  at BIGINT NOT NULL,
  request_id TEXT COLLATE "C" NOT NULL,
  what TEXT COLLATE "C" NOT NULL,
  username TEXT COLLATE "C" NOT NULL,
  proof TEXT COLLATE "C" NOT NULL,
  verb TEXT COLLATE "C" NOT NULL,
  resource TEXT COLLATE "C" NOT NULL,
  -- A namespace, `(shared)`, `(cluster)`, or empty where there is none.
  namespace TEXT COLLATE "C" NOT NULL,
  object TEXT COLLATE "C" NOT NULL,
  allowed BOOLEAN NOT NULL,
  reason TEXT COLLATE "C" NOT NULL
);
CREATE INDEX audit_events_at ON audit_events (at, id);
CREATE INDEX audit_events_namespace ON audit_events (namespace, at, id);
CREATE INDEX audit_events_user ON audit_events (username, at, id);
