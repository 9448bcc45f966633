DROP INDEX runs_recurring_finished;
DROP TABLE leases;
DROP TABLE ticks;
DROP TABLE schedules;
ALTER TABLE recurring_runs DROP COLUMN fault;
ALTER TABLE recurring_runs DROP COLUMN time_zone;
