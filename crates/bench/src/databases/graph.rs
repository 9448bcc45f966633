//! Executions of a run in chains, each with an artifact that the next one of its chain has read.
use super::seed::Dialect;

/// Executions and artifacts to be put beside those of a run.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    pub(crate) namespace: &'static str,
    pub(crate) run: String,
    /// How many executions, and as many artifacts.
    pub(crate) count: u64,
}

/// How long a chain is.
const CHAIN: u64 = 10;
/// In the lower half of the first of their ids: above what the server has given.
const FIRST: u64 = 1 << 20;
/// Types that every namespace has, by their numbers in ML metadata here.
const CONTAINER: u64 = 11;
const DATASET: u64 = 22;

impl Graph {
    /// The statements that write them. `columns` are those of `tasks`.
    pub(super) fn statements(&self, dialect: &Dialect, columns: &[String]) -> String {
        let Self { namespace, run, count } = self;
        if *count == 0 {
            return "SELECT 1".to_owned();
        }
        let series = (dialect.series)(*count);
        let task = format!("CONCAT('task-{namespace}-', n.i)");
        let artifact = |number: &str| format!("CONCAT('artifact-{namespace}-', {number})");
        let value = |column: &String| match column.as_str() {
            "id" => task.clone(),
            "name" | "path" => "CONCAT('task-', n.i)".to_owned(),
            "created_at" | "started_at" | "finished_at" => format!("t.{column} + n.i"),
            other => format!("t.{other}"),
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let of_run = format!("(SELECT * FROM tasks WHERE namespace = '{namespace}' AND run_id = '{run}' LIMIT 1) AS t");
        let slot = format!(
            "(SELECT slot, created_at FROM metadata_slots, runs WHERE metadata_slots.namespace = \
                            '{namespace}' AND runs.id = '{run}') AS s"
        );
        let number = |place: u64| format!("s.slot * 4294967296 + {} + 2 * n.i", FIRST + place);
        let node = |kind: &str, object: &str, type_id: u64, place: u64| {
            format!(
                "INSERT INTO metadata_nodes (namespace, id, kind, source, object, run_id, type_id, name, created_at, \
                 updated_at) SELECT '{namespace}', {}, '{kind}', '{}', {object}, '{run}', {type_id}, '', \
                 s.created_at + n.i, s.created_at + n.i FROM {series} JOIN {slot} ON 1 = 1",
                number(place),
                if kind == "ARTIFACT" { "ARTIFACT" } else { "TASK" },
            )
        };
        let link = |direction: &str, of: &str, only: &str| {
            format!(
                "INSERT INTO artifact_tasks (namespace, run_id, task_id, direction, name, position, artifact_id, id, \
                 created_at) SELECT '{namespace}', '{run}', {task}, '{direction}', 'data', 0, {of}, \
                 CONCAT('{direction}-', {task}), s.created_at + n.i FROM {series} JOIN {slot} ON 1 = 1 {only}"
            )
        };
        [
            format!(
                "INSERT INTO tasks ({}) SELECT {} FROM {series} JOIN {of_run} ON 1 = 1",
                columns.join(", "),
                values.join(", ")
            ),
            format!(
                "INSERT INTO artifacts (id, namespace, run_id, name, kind, schema_version, instance_schema, uri, \
                 metadata, materialized, created_at, description, number_value, producer_task, producer_key) SELECT {}, \
                 '{namespace}', '{run}', 'data', 'system.Dataset', '0.0.1', '', CONCAT('s3://bench/{namespace}/', n.i), \
                 '{{}}', TRUE, s.created_at + n.i, '', '', '', '' FROM {series} JOIN {slot} ON 1 = 1",
                artifact("n.i"),
            ),
            link("OUTPUT", &artifact("n.i"), ""),
            link("INPUT", &artifact("n.i - 1"), &format!("WHERE n.i % {CHAIN} <> 0")),
            node("EXECUTION", &task, CONTAINER, 0),
            node("ARTIFACT", &artifact("n.i"), DATASET, 1),
        ]
        .join(";\n")
    }
}
