DROP TABLE metadata_backlog;
DROP TABLE metadata_types;
DROP TABLE metadata_nodes;
DROP TABLE metadata_runs;
DROP TABLE metadata_slots;
