DROP INDEX runs_recurring_created;
DROP INDEX runs_state;
