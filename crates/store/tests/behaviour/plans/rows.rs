//! The rows of the tables that plans are made for.
use crate::{backend::Db, raw::execute};

/// The rows of each table in the namespace that is looked at; the other one has three times as many.
const ROWS: usize = 1_500;
const PARENTS: usize = 15;

const TABLES: [&str; 14] = [
    "experiments",
    "pipelines",
    "pipeline_versions",
    "recurring_runs",
    "schedules",
    "ticks",
    "runs",
    "tasks",
    "artifacts",
    "artifact_tasks",
    "metadata_nodes",
    "metadata_runs",
    "tokens",
    "audit_events",
];

/// Fills a namespace, and another one with three times as many rows.
pub(super) async fn fill(db: &Db, home: &str) {
    for (home, rows) in [(home.to_owned(), ROWS), ("others".to_owned(), 3 * ROWS)] {
        let insert = async |table: &str, columns: &str, values: &dyn Fn(usize) -> String, rows: usize| {
            for chunk in (0..rows).collect::<Vec<_>>().chunks(500) {
                let values: Vec<String> = chunk.iter().map(|row| format!("({})", values(*row))).collect();
                execute(&db.url, &format!("INSERT INTO {table} ({columns}) VALUES {}", values.join(", "))).await;
            }
        };
        let stored = |row: usize| if row.is_multiple_of(20) { "ARCHIVED" } else { "AVAILABLE" };
        let columns = "id, namespace, name, description, created_at, last_run_at, storage_state, created_by";
        let values = |row| format!("'{home}-e{row}', '{home}', 'e{row}', '', {row}, {row}, '{}', 'jane'", stored(row));
        insert("experiments", columns, &values, rows).await;
        let columns = "id, namespace, name, display_name, description, created_at, tags, created_by";
        let values = |row| format!("'{home}-p{row}', '{home}', 'p{row}', 'p', '', {row}, '{{}}', 'jane'");
        insert("pipelines", columns, &values, rows).await;
        let columns = "id, namespace, pipeline_id, name, display_name, description, created_at, code_source_url, tags, \
                       created_by";
        let values = |row| {
            format!(
                "'{home}-v{row}', '{home}', '{home}-p{}', 'v{row}', 'v', '', {row}, '', '{{}}', 'jane'",
                row % PARENTS
            )
        };
        insert("pipeline_versions", columns, &values, rows).await;
        let columns = "id, namespace, experiment_id, name, description, service_account, pipeline_id, version_id, \
                       version_name, parameters, pipeline_root, cron, interval_seconds, starts_at, ends_at, \
                       max_concurrency, catchup, enabled, created_at, updated_at, created_by";
        let values = |row| {
            let experiment = row % PARENTS;
            format!(
                "'{home}-j{row}', '{home}', '{home}-e{experiment}', 'j{row}', '', '', '', '', '', '{{}}', '', '', 60, \
                 0, 0, 1, TRUE, TRUE, {row}, {row}, 'jane'"
            )
        };
        insert("recurring_runs", columns, &values, rows).await;
        let columns = "id, namespace, next_at, last_at, fired, waiting, revision";
        let values = |row| format!("'{home}-j{row}', '{home}', {}, 0, 0, FALSE, 0", row % 2 * row);
        insert("schedules", columns, &values, rows).await;
        let columns = "recurring_run_id, fire_at, namespace, outcome, until_at, moments, reason, run_id, decided_at, \
                       fencing_token";
        let values = |row| {
            let of_it = row % PARENTS;
            format!("'{home}-j{of_it}', {row}, '{home}', 'FIRED', {row}, 1, '', '{home}-r{row}', {row}, 1")
        };
        insert("ticks", columns, &values, rows).await;
        let columns = "id, namespace, experiment_id, name, description, storage_state, service_account, pipeline_id, \
                       version_id, version_name, parameters, pipeline_root, created_at, scheduled_at, finished_at, \
                       state, history, error, recurring_run_id, created_by, terminated_by, engine";
        let values = |row| {
            let (parent, stored) = (row % PARENTS, stored(row));
            let state = if row % 20 == 1 { "FAILED" } else { "SUCCEEDED" };
            format!(
                "'{home}-r{row}', '{home}', '{home}-e{parent}', 'r{row}', '', '{stored}', '', '', '', '', '{{}}', \
                 '', {row}, {row}, {row}, '{state}', '[]', '', '{home}-j{parent}', 'jane', '', ''"
            )
        };
        insert("runs", columns, &values, rows).await;
        let columns = "id, namespace, run_id, name, display_name, state, created_at, started_at, finished_at, attempt, \
                       history, error, path";
        let values = |row| {
            let (id, run) = (format!("{home}-t{row}"), format!("{home}-r{row}"));
            format!("'{id}', '{home}', '{run}', 't', 't', 'SUCCEEDED', {row}, {row}, {row}, 0, '[]', '', 't'")
        };
        insert("tasks", columns, &values, rows).await;
        // One run has as many as there are runs, each in one of it, which all have put out one artifact.
        let columns = "id, namespace, run_id, name, display_name, state, created_at, started_at, finished_at, attempt, \
                       history, error, path, parent_id";
        let values = |row| {
            format!(
                "'{home}-i{row}', '{home}', '{home}-r7', 'i', 'i', 'SUCCEEDED', {row}, {row}, {row}, 0, '[]', '', \
                 'i{row}', '{home}-t7'"
            )
        };
        insert("tasks", columns, &values, rows).await;
        let columns = "id, namespace, run_id, name, kind, schema_version, instance_schema, uri, metadata, materialized, \
                       created_at";
        let values = |row| {
            let (id, run, uri) = (format!("{home}-a{row}"), format!("{home}-r{row}"), format!("s3://bucket/{row}"));
            format!("'{id}', '{home}', '{run}', 'a', 'system.Model', '', '', '{uri}', '{{}}', TRUE, {row}")
        };
        insert("artifacts", columns, &values, rows).await;
        let columns = "namespace, run_id, task_id, direction, name, position, artifact_id, id, created_at";
        let values = |row| {
            format!(
                "'{home}', '{home}-r{row}', '{home}-t{row}', 'OUTPUT', 'a', 0, '{home}-a{row}', '{home}-l{row}', {row}"
            )
        };
        insert("artifact_tasks", columns, &values, rows).await;
        let values = |row| {
            format!("'{home}', '{home}-r7', '{home}-i{row}', 'OUTPUT', 'a', 0, '{home}-a7', '{home}-m{row}', {row}")
        };
        insert("artifact_tasks", columns, &values, rows).await;
        super::nodes::fill(db, &home, rows).await;
        let columns = "id, hash, username, user_groups, created_at, expires_at, revoked_at";
        let values = |row| format!("'{home}-k{row}', '{home}-{row}', '{home}-u{}', '[]', {row}, 0, 0", row % PARENTS);
        insert("tokens", columns, &values, rows).await;
        let columns = "id, at, request_id, what, username, proof, verb, resource, namespace, object, allowed, reason";
        let values = |row| {
            let (user, allowed) = (row % PARENTS, if row % 20 == 1 { "FALSE" } else { "TRUE" });
            format!("'{home}-d{row}', {row}, '', 'x', '{home}-u{user}', '', 'get', 'runs', '{home}', '', {allowed}, ''")
        };
        insert("audit_events", columns, &values, rows).await;
    }
    for table in TABLES {
        let analyze = if db.url.starts_with("mysql") { "ANALYZE TABLE" } else { "ANALYZE" };
        execute(&db.url, &format!("{analyze} {table}")).await;
    }
}
