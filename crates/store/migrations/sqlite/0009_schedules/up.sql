-- The time zone of a cron expression, by its IANA name; empty for UTC.
ALTER TABLE recurring_runs ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
-- What keeps it from making runs, as JSON; empty for nothing.
ALTER TABLE recurring_runs ADD COLUMN fault TEXT NOT NULL DEFAULT '';

-- How far each recurring run has come. Apart from it, since this is written at each tick.
CREATE TABLE schedules (
  id TEXT NOT NULL PRIMARY KEY,
  namespace TEXT NOT NULL,
  -- When the scheduler is to look at it; 0 for never.
  next_at BIGINT NOT NULL,
  -- The last moment that was decided on; 0 for none.
  last_at BIGINT NOT NULL,
  -- How many runs it has made.
  fired BIGINT NOT NULL,
  -- Whether it waits for one of its runs to end.
  waiting BOOLEAN NOT NULL,
  -- Goes up with each change, so that whoever has decided on what was before is told.
  revision BIGINT NOT NULL
);
CREATE INDEX schedules_next ON schedules (next_at, id);
-- Those that are there make up for nothing that was due before there was a scheduler.
INSERT INTO schedules (id, namespace, next_at, last_at, fired, waiting, revision)
SELECT id, namespace, CASE WHEN enabled THEN 1 ELSE 0 END, CAST(strftime('%s', 'now') AS BIGINT) * 1000000, 0, FALSE, 0 FROM recurring_runs;

-- What has come of each moment at which a recurring run was due.
CREATE TABLE ticks (
  recurring_run_id TEXT NOT NULL,
  -- The moment. Its being part of the key is what keeps it from being decided on twice.
  fire_at BIGINT NOT NULL,
  namespace TEXT NOT NULL,
  outcome TEXT NOT NULL,
  -- The last of the moments that the row stands for, and how many they are: more than one of those without a run.
  until_at BIGINT NOT NULL,
  moments BIGINT NOT NULL,
  reason TEXT NOT NULL,
  -- Empty for none.
  run_id TEXT NOT NULL,
  decided_at BIGINT NOT NULL,
  -- That of whoever has decided; 0 where there is only one who can.
  fencing_token BIGINT NOT NULL,
  PRIMARY KEY (recurring_run_id, fire_at)
);
CREATE INDEX ticks_decided ON ticks (decided_at);

-- Who may do what only one server does, and since how many others. The beat says that it still does.
CREATE TABLE leases (
  name TEXT NOT NULL PRIMARY KEY,
  holder TEXT NOT NULL,
  fencing_token BIGINT NOT NULL,
  beat BIGINT NOT NULL
);

-- For those of a recurring run that have not ended.
CREATE INDEX runs_recurring_finished ON runs (namespace, recurring_run_id, finished_at);
