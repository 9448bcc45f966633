DROP INDEX runs_recurring_created ON runs;
DROP INDEX runs_state ON runs;
