//! Making the tables of a database, and that they are the same in all of them.
use crate::servers;
use diesel::{QueryableByName, sql_query, sql_types::Text};
use diesel_async::{
    AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, RunQueryDsl,
    sync_connection_wrapper::SyncConnectionWrapper,
};
use domain::SystemClock;
use std::{fs, path::Path, sync::Arc};
use store::Store;

/// The URLs of fresh databases on servers, as far as there are such servers here.
pub(crate) async fn urls() -> Vec<String> {
    let mut urls = Vec::new();
    for url in [servers::postgres().await, servers::mysql().await] {
        match url {
            Ok(url) => urls.push(url),
            Err(why) => println!("skipped: {why}"),
        }
    }
    urls
}

#[tokio::test]
async fn is_done_once_by_servers_that_start_together() {
    for url in urls().await {
        let open = || Store::open_with(&url, Arc::new(SystemClock));
        let (one, two, three) = tokio::join!(open(), open(), open());
        for store in [one, two, three] {
            store.expect("whoever comes second waits").ping().await.unwrap();
        }
    }
}

#[tokio::test]
async fn says_what_is_wrong_and_no_password() {
    for url in ["postgres://jane:secret@127.0.0.1:1/db", "mysql://jane:secret@127.0.0.1:1/db", "oracle://jane:secret@h"]
    {
        let error = format!("{:?}", Store::open(url).await.unwrap_err());
        assert!(!error.contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn is_encrypted_if_the_url_says_so_and_believes_no_strange_server() {
    let folder = tempfile::tempdir().unwrap();
    let strange = folder.path().join("strange.pem");
    fs::write(&strange, rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap().cert.pem()).unwrap();
    for url in urls().await {
        let encrypt = if url.starts_with("postgres") { "sslmode=verify-full" } else { "require_ssl=true" };
        let with = |roots: &Path| format!("{url}?{encrypt}&sslrootcert={}", roots.display());
        Store::open(&with(&servers::certificate(&url))).await.unwrap();
        let by_name = with(&servers::certificate(&url)).replace("127.0.0.1", "localhost");
        for (refused, expect) in [
            (with(&strange), "certificate"),
            (format!("{url}?{encrypt}"), "certificate"),
            (by_name, "certificate"),
            (with(&folder.path().join("none.pem")), "none.pem"),
        ] {
            let error = Store::open(&refused).await.unwrap_err().to_string();
            assert!(error.contains(expect), "{refused}: {error}");
        }
    }
}

#[derive(QueryableByName, Debug, PartialEq)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// The columns and the indexes of tables that are ours.
pub(crate) async fn shape(url: &str) -> (Vec<String>, Vec<String>) {
    macro_rules! names {
        ($connection:expr, $sql:expr) => {{
            let names: Vec<Name> = sql_query($sql).load(&mut $connection).await.unwrap();
            let mut names: Vec<String> = names.into_iter().map(|name| name.name).collect();
            names.retain(|name| !name.contains("__diesel") && !name.ends_with(".path_hash"));
            names.sort();
            names
        }};
    }
    if url.starts_with("postgres") {
        let mut postgres = AsyncPgConnection::establish(url).await.unwrap();
        let columns = names!(
            postgres,
            "SELECT table_name || '.' || column_name AS name FROM information_schema.columns \
             WHERE table_schema = 'public'"
        );
        let indexes = names!(
            postgres,
            "SELECT indexname::text AS name FROM pg_indexes WHERE schemaname = 'public' \
             AND indexname NOT LIKE '%\\_pkey' AND indexname NOT LIKE '%\\_key'"
        );
        return (columns, indexes);
    }
    if url.starts_with("mysql") {
        let mut mysql = AsyncMysqlConnection::establish(url).await.unwrap();
        let keys = "'PRIMARY', 'hash', 'run_id', 'artifact_id', 'pipeline_id'";
        let columns = names!(
            mysql,
            "SELECT CONCAT(table_name, '.', column_name) AS name FROM information_schema.columns \
             WHERE table_schema = DATABASE()"
        );
        let indexes = names!(
            mysql,
            format!(
                "SELECT DISTINCT index_name AS name FROM information_schema.statistics \
                 WHERE table_schema = DATABASE() AND index_name NOT IN ({keys})"
            )
        );
        return (columns, indexes);
    }
    let path = url.strip_prefix("sqlite:").unwrap_or(url);
    let mut sqlite = SyncConnectionWrapper::<diesel::SqliteConnection>::establish(path).await.unwrap();
    let columns = names!(
        sqlite,
        "SELECT m.name || '.' || c.name AS name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'"
    );
    (columns, names!(sqlite, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
}

#[tokio::test]
async fn makes_the_same_tables_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bulkhead.db").display().to_string();
    // It stays open: the last one that closes a file locks it for a moment.
    let _open = Store::open(&path).await.unwrap();
    let (columns, indexes) = shape(&path).await;
    assert!(columns.contains(&"runs.id".to_owned()) && indexes.contains(&"runs_created".to_owned()));
    for url in urls().await {
        Store::open(&url).await.unwrap();
        let (its_columns, its_indexes) = shape(&url).await;
        assert_eq!(its_columns, columns, "{url}");
        assert_eq!(its_indexes, indexes, "{url}");
    }
}
