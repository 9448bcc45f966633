-- Making a run is its first step, and 0 is what somebody has seen who has seen nothing.
UPDATE runs SET revision = 1 WHERE revision = 0;
UPDATE tasks SET revision = 1 WHERE revision = 0;
