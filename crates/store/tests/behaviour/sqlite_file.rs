//! What is about the SQLite file alone.
use crate::backend::{START, new_run, new_task, of, sqlite, step};
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Text},
};
use domain::{Artifact, ArtifactId, NewExperiment, RuntimeState, SystemClock, list::Query};
use std::{fs, path::Path, sync::Arc};
use store::{ListScope, NewToken, Progress, Store};

/// The bytes of the database and of the files that SQLite keeps beside it.
fn bytes(path: &Path) -> Vec<u8> {
    let files = fs::read_dir(path.parent().unwrap()).unwrap();
    files.flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn holds_no_secret_of_a_token() {
    let db = sqlite().await.unwrap();
    let new = NewToken { user: "jane@example.com".into(), ..NewToken::default() };
    let (_, secret) = db.store.create_token(new).await.unwrap();
    db.store.token_by_secret(&secret).await.unwrap().unwrap();
    let kept = bytes(&db.path());
    assert!(contains(&kept, "jane@example.com"), "the row is there");
    assert!(!contains(&kept, &secret));
    assert!(!contains(&kept, secret.strip_prefix("bhk_").unwrap()));
}

#[tokio::test]
async fn is_made_once_by_servers_that_start_together() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("bulkhead.db").display());
        let open = || Store::open_with(&url, Arc::new(SystemClock));
        let (one, two, three) = tokio::join!(open(), open(), open());
        for store in [one, two, three] {
            store.expect("whoever comes second waits").ping().await.unwrap();
        }
    }
}

#[tokio::test]
async fn keeps_what_was_there() {
    let db = sqlite().await.unwrap();
    let experiment = db.experiment("a", "train").await;
    let (path, again) = (db.path(), db.again().await);
    assert_eq!(again.experiment(&of("a"), experiment.id.as_str()).await.unwrap(), experiment);
    assert_eq!(experiment.created_at, START);
    assert!(path.exists());
}

#[tokio::test]
async fn errors_of_opening_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "this is not a database, and it is longer than a header".repeat(100)).unwrap();
    let error = Store::open(&text.to_string_lossy()).await.unwrap_err();
    assert!(error.to_string().contains("not a database"), "{error}");
    assert_eq!(fs::read(&text).unwrap().len(), 5400, "and nothing was overwritten");
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// No function reads an artifact without a task that has it, so the rows are counted.
#[tokio::test]
async fn keeps_no_artifact_that_no_run_has() {
    let artifact = |name: &str| Artifact {
        id: ArtifactId::fresh(),
        name: name.into(),
        kind: "system.Model".into(),
        schema_version: String::new(),
        instance_schema: String::new(),
        uri: format!("/runs/{name}"),
        metadata: Default::default(),
        materialized: true,
    };
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let db = sqlite().await.unwrap();
        let count = |table: &str| {
            let mut connection = SqliteConnection::establish(&db.path().to_string_lossy()).unwrap();
            let query = sql_query(format!("SELECT COUNT(*) AS count FROM {table}"));
            query.get_result::<Count>(&mut connection).unwrap().count
        };
        let experiment = db.experiment("a", "train").await;
        let (shared, mut runs) = (artifact("model"), Vec::new());
        // The first makes it, the others take it for theirs.
        for name in ["made", "taken", "taken again"] {
            let run = db.run("a", &experiment, name).await;
            let mut task = new_task(&run, "train");
            task.outputs.artifacts.insert("model".into(), vec![shared.clone(), artifact(name)]);
            let progress = Progress { tasks: vec![task], ..step(&run, RuntimeState::Succeeded) };
            db.store.save_progress(&of("a"), progress).await.unwrap();
            runs.push(run);
        }
        assert_eq!((count("artifacts"), count("artifact_tasks")), (4, 6));
        for (gone, at) in order.into_iter().enumerate() {
            db.store.delete_run(&of("a"), runs[at].id.as_str()).await.unwrap();
            let left = 2 - i64::try_from(gone).unwrap();
            let expect = if left == 0 { (0, 0) } else { (left + 1, left * 2) };
            assert_eq!((count("artifacts"), count("artifact_tasks")), expect, "{order:?}, {at}");
            // A context, the run and its task are executions, and each artifact.
            assert_eq!(count("metadata_nodes"), left * 3 + expect.0, "{order:?}, {at}");
        }
    }
}

#[derive(QueryableByName)]
struct Pragma {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

/// The mode is the file's, so a connection that sets nothing has it too.
#[tokio::test]
async fn has_a_write_ahead_log() {
    let db = sqlite().await.unwrap();
    let mut fresh = SqliteConnection::establish(&db.path().to_string_lossy()).unwrap();
    let pragma: Pragma = sql_query("PRAGMA journal_mode").get_result(&mut fresh).unwrap();
    assert_eq!(pragma.journal_mode, "wal");
}

#[tokio::test]
async fn is_read_while_somebody_writes() {
    let db = sqlite().await.unwrap();
    let experiment = db.experiment("a", "train").await;
    let mut writer = SqliteConnection::establish(&db.path().to_string_lossy()).unwrap();
    writer.batch_execute("BEGIN EXCLUSIVE; UPDATE experiments SET name = 'other'").unwrap();
    assert_eq!(db.store.experiment(&of("a"), experiment.id.as_str()).await.unwrap(), experiment);
    writer.batch_execute("COMMIT").unwrap();
    assert_eq!(db.store.experiment(&of("a"), experiment.id.as_str()).await.unwrap().name, "other");
}

#[test]
fn a_server_that_dies_in_a_write_leaves_all_of_it_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bulkhead.db");
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for round in 0..10_usize {
        let dying = runtime();
        dying.block_on(async {
            let store = Store::open(&path.to_string_lossy()).await.unwrap();
            let new = NewExperiment { name: format!("round {round}"), description: String::new() };
            let experiment = store.create_experiment(&of("a"), new).await.unwrap();
            for number in 0..10 {
                let (store, new) = (store.clone(), new_run(&experiment.id, &format!("run {number}")));
                tokio::spawn(async move { store.create_run(&of("a"), new).await });
            }
            for _ in 0..round {
                tokio::task::yield_now().await;
            }
        });
        dying.shutdown_background();
    }
    runtime().block_on(async {
        let store = Store::open(&path.to_string_lossy()).await.unwrap();
        for experiment in store.experiments(&of("a"), Query::default()).await.unwrap().items {
            // A run and the mark that it leaves on its experiment come together.
            let scope = ListScope::Experiment(experiment.id.to_string());
            let runs = store.runs(&of("a"), scope, Query::default()).await.unwrap().items;
            let last = runs.iter().map(|run| run.created_at).max().unwrap_or_default();
            assert!(experiment.last_run_at == last || runs.iter().any(|run| run.created_at == experiment.last_run_at));
            store.create_run(&of("a"), new_run(&experiment.id, "after")).await.unwrap();
        }
    });
}
