DROP TABLE secrets;
DROP TABLE tokens;
DROP TABLE tasks;
DROP TABLE runs;
DROP TABLE pipeline_versions;
DROP TABLE pipelines;
DROP TABLE experiments;
