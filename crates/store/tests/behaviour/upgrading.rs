//! A database that an older version has made opens, and what it holds is read as it was.
use crate::{
    backend::of,
    opening::urls,
    raw::{execute, number},
};
use access::Reach;
use domain::{Executes, Namespace, Source, list::Query, metadata::NodeKind};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use store::{LinksOf, ListScope, Listing, Nodes, Store, Usage};

/// The last migration that the older version had.
pub(crate) const LAST: &str = "0005_streams";

/// The runs of each namespace: more than are moved at once.
const RUNS: usize = 250;

/// The folders of the migrations for the database at a URL, in their order.
pub(crate) fn migrations(url: &str) -> Vec<PathBuf> {
    let database = match url {
        url if url.starts_with("postgres") => "postgres",
        url if url.starts_with("mysql") => "mysql",
        _ => "sqlite",
    };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
    let mut folders: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

/// The name of a migration, and its number, which is what the database remembers.
pub(crate) fn name(folder: &Path) -> (&str, &str) {
    let name = folder.file_name().unwrap().to_str().unwrap();
    (name, name.split('_').next().unwrap())
}

/// Makes the tables as a version did that had the migrations up to this one.
pub(crate) async fn make(url: &str, last: &str) {
    execute(
        url,
        "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, \
         run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)",
    )
    .await;
    for folder in migrations(url).iter().filter(|folder| name(folder).0 <= last) {
        execute(url, &fs::read_to_string(folder.join("up.sql")).unwrap()).await;
        let (_, version) = name(folder);
        execute(url, &format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}')")).await;
    }
}

/// Fills them, with few texts that many rows have.
pub(crate) async fn fill(url: &str) {
    let mut sql = String::new();
    for home in ["a", "b"] {
        let storage = |number: usize| if number.is_multiple_of(5) { "ARCHIVED" } else { "AVAILABLE" };
        for experiment in 0..3 {
            sql += &format!(
                "INSERT INTO experiments (id, namespace, name, description, created_at, last_run_at, storage_state, \
                 created_by) VALUES ('{home}-e{experiment}', '{home}', 'e{experiment}', '', 1, 0, '{}', 'jane');",
                storage(experiment)
            );
        }
        sql += &format!(
            "INSERT INTO pipelines (id, namespace, name, display_name, description, created_at, tags, created_by) \
             VALUES ('{home}-p', '{home}', 'p', 'p', '', 1, '{{}}', 'jane');"
        );
        for version in 0..2 {
            sql += &format!(
                "INSERT INTO pipeline_versions (id, namespace, pipeline_id, name, display_name, description, \
                 created_at, code_source_url, tags, spec, created_by) VALUES ('{home}-v{version}', '{home}', \
                 '{home}-p', 'v{version}', 'v', '', {version}, '', '{{}}', 'text {version}', 'jane');"
            );
        }
        for (id, pipeline, spec) in [("inline", "", "text 0"), ("latest", "p", "")] {
            sql += &format!(
                "INSERT INTO recurring_runs (id, namespace, experiment_id, name, description, service_account, \
                 pipeline_id, version_id, version_name, spec, parameters, pipeline_root, cron, interval_seconds, \
                 starts_at, ends_at, max_concurrency, catchup, enabled, created_at, updated_at, created_by) VALUES \
                 ('{home}-{id}', '{home}', '{home}-e0', '{id}', '', '', '{pipeline}', '', '', '{spec}', '{{}}', '', \
                 '', 60, 0, 0, 1, TRUE, TRUE, 1, 1, 'jane');"
            );
        }
        for run in 0..RUNS {
            let finished = if run < 10 { 0 } else { 5 };
            sql += &format!(
                "INSERT INTO runs (id, namespace, experiment_id, name, description, storage_state, service_account, \
                 pipeline_id, version_id, version_name, spec, parameters, pipeline_root, created_at, scheduled_at, \
                 finished_at, state, history, error, recurring_run_id, created_by, terminated_by, engine) VALUES \
                 ('{home}-{run:04}', '{home}', '{home}-e{}', 'run', '', '{}', '', '', '', '', 'text ä {}', '{{}}', \
                 '', {run}, {run}, {finished}, 'SUCCEEDED', '[]', '', '', 'jane', '', '');",
                run % 3,
                storage(run),
                run % 7,
            );
        }
    }
    for home in ["a", "b"] {
        for (id, parent, kind) in [("load", "", "RUNTIME"), ("loop", "", "LOOP"), ("fit", "loop", "RUNTIME")] {
            let parent = if parent.is_empty() { String::new() } else { format!("{home}-{parent}") };
            sql += &format!(
                "INSERT INTO tasks (id, namespace, run_id, name, display_name, state, created_at, started_at, \
                 finished_at, attempt, history, error, parent_id, path, kind, pipeline_name) VALUES ('{home}-{id}', \
                 '{home}', '{home}-0000', '{id}', '', 'SUCCEEDED', 2, 3, 4, 0, '[]', '', '{parent}', '{id}', '{kind}', \
                 'training');"
            );
        }
    }
    execute(url, &sql).await;
}

#[tokio::test]
async fn keeps_what_an_older_version_has_stored() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bulkhead.db").display().to_string();
    for database in [path].into_iter().chain(urls().await) {
        let url = database.as_str();
        make(url, LAST).await;
        fill(url).await;
        let (one, two) = tokio::join!(Store::open(url), Store::open(url));
        let store = one.unwrap();
        two.unwrap();
        holds(&store, url).await;
    }
}

/// That what [`fill`] has stored is there, in the tables as they are now.
pub(crate) async fn holds(store: &Store, url: &str) {
    for home in ["a", "b"] {
        let specs = format!("SELECT COUNT(*) AS number FROM specs WHERE namespace = '{home}'");
        assert_eq!(number(url, &specs).await, 9, "{url}");
        for run in 0..RUNS {
            let run_id = format!("{home}-{run:04}");
            let found = store.run(&of(home), &run_id).await.unwrap();
            assert_eq!(*found.spec, format!("text ä {}", run % 7), "{run_id} in {url}");
        }
        let usage = store.usage(&of(home)).await.unwrap();
        let stored_runs = RUNS as i64;
        assert_eq!(usage, Usage { active_runs: 10, stored_runs, pipelines: 1, recurring_runs: 2 }, "{url}");
        let of_one = ListScope::Experiment(format!("{home}-e1"));
        assert_eq!(store.runs(&of(home), of_one, Query::default()).await.unwrap().total, 83, "{url}");
        assert_eq!(store.experiments(&of(home), Query::default()).await.unwrap().total, 3);
        let versions = store.versions(&of(home), &format!("{home}-p"), Query::default()).await.unwrap();
        let texts: Vec<&str> = versions.items.iter().map(|version| &*version.spec).collect();
        assert_eq!((versions.total, texts), (2, vec!["text 0", "text 1"]), "{url}");
        let inline = store.recurring_run(&of(home), &format!("{home}-inline")).await.unwrap();
        assert_eq!(inline.executes, Executes::Pinned { source: Source::Inline, spec: "text 0".into() });
        let ours = Reach::forge("jane", &[Namespace::parse(home).unwrap()]);
        for (kind, expect) in [(NodeKind::Execution, 4), (NodeKind::Context, 2), (NodeKind::Artifact, 0)] {
            let nodes = store.nodes(&ours, Nodes::all(kind), Listing::of_ids(100)).await.unwrap();
            assert_eq!(nodes.len(), expect, "what was there before has numbers too: {nodes:#?}");
        }
        let latest = store.recurring_run(&of(home), &format!("{home}-latest")).await.unwrap();
        assert!(matches!(latest.executes, Executes::Latest(id) if id.as_str() == "p"));
    }
}

#[tokio::test]
async fn finds_what_has_made_the_artifacts_of_an_older_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bulkhead.db").display().to_string();
    for database in [path].into_iter().chain(urls().await) {
        let url = database.as_str();
        make(url, "0009_schedules").await;
        let mut sql = "INSERT INTO runs (id, namespace, experiment_id, name, description, storage_state, \
                       service_account, pipeline_id, version_id, version_name, parameters, pipeline_root, created_at, \
                       scheduled_at, finished_at, state, history, error, recurring_run_id, created_by, terminated_by, \
                       engine) VALUES ('r', 'a', 'e', 'run', '', 'AVAILABLE', '', '', '', '', '{}', '', 1, 1, 5, \
                       'SUCCEEDED', '[]', '', '', 'jane', '', '');"
            .to_owned();
        for (id, kind, cached_from) in [("group", "DAG", ""), ("again", "RUNTIME", "first"), ("first", "RUNTIME", "")] {
            sql += &format!(
                "INSERT INTO tasks (id, namespace, run_id, name, display_name, state, created_at, started_at, \
                 finished_at, attempt, history, error, path, kind, cached_from) VALUES ('{id}', 'a', 'r', '{id}', '', \
                 'SUCCEEDED', 3, 3, 3, 0, '[]', '', '{id}', '{kind}', '{cached_from}');"
            );
        }
        sql += "INSERT INTO artifacts (id, namespace, run_id, name, kind, schema_version, instance_schema, uri, metadata, \
                materialized, created_at) VALUES ('m', 'a', 'r', 'm', 'system.Model', '', '', 's3://m', '{}', TRUE, 1);";
        for (task, name) in [("group", "best"), ("again", "model"), ("first", "model")] {
            sql += &format!(
                "INSERT INTO artifact_tasks (namespace, run_id, task_id, direction, name, position, artifact_id) \
                 VALUES ('a', 'r', '{task}', 'OUTPUT', '{name}', 0, 'm');"
            );
        }
        execute(url, &sql).await;
        let store = Store::open(url).await.unwrap();
        let producer = store.artifact(&of("a"), "m").await.unwrap().producer.unwrap();
        assert_eq!((producer.task.as_str(), producer.key.as_str()), ("first", "model"), "{url}");
        let of_run = LinksOf { runs: vec!["r".into()], ..LinksOf::default() };
        let links = store.artifact_links(&of("a"), of_run, Query::default()).await.unwrap().items;
        let ids: BTreeSet<String> = links.iter().map(|link| link.id.clone()).collect();
        assert!(ids.len() == 3 && ids.iter().all(|id| id.len() == 36), "{ids:?} in {url}");
    }
}
