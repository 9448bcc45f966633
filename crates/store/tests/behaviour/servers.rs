//! PostgreSQL and MariaDB or MySQL, each started once for all cases.
use diesel::{QueryableByName, sql_query, sql_types::BigInt};
use diesel_async::{AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};
use testkit::databases::{Durability, Server};
use tokio::{sync::OnceCell, task::spawn_blocking};

type Started = Result<Server, String>;

static POSTGRES: OnceCell<Started> = OnceCell::const_new();
static MYSQL: OnceCell<Started> = OnceCell::const_new();

/// The URL of a fresh database, or why there is none.
pub(crate) async fn postgres() -> Result<String, String> {
    let server = POSTGRES.get_or_init(|| start(Server::postgres)).await.as_ref().map_err(Clone::clone)?;
    let name = fresh();
    let mut connection = AsyncPgConnection::establish(&format!("{}/postgres", server.url)).await.unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    Ok(format!("{}/{name}", server.url))
}

/// The URL of a fresh database, or why there is none.
pub(crate) async fn mysql() -> Result<String, String> {
    let server = MYSQL.get_or_init(|| start(Server::mysql)).await.as_ref().map_err(Clone::clone)?;
    let name = fresh();
    let mut connection = AsyncMysqlConnection::establish(&format!("{}/mysql", server.url)).await.unwrap();
    connection.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
    Ok(format!("{}/{name}", server.url))
}

/// The certificate that the server of a URL shows, in a file.
pub(crate) fn certificate(url: &str) -> PathBuf {
    let started = if url.starts_with("postgres") { POSTGRES.get() } else { MYSQL.get() };
    started.unwrap().as_ref().unwrap().certificate()
}

/// Ends all connections to that database but this one.
pub(crate) async fn break_connections(url: &str) {
    if url.starts_with("postgres") {
        let mut connection = AsyncPgConnection::establish(url).await.unwrap();
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        connection.batch_execute(others).await.unwrap();
    } else if url.starts_with("mysql") {
        let mut connection = AsyncMysqlConnection::establish(url).await.unwrap();
        let others = "SELECT CAST(id AS SIGNED) AS id FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID()";
        for Connected { id } in sql_query(others).load::<Connected>(&mut connection).await.unwrap() {
            // It may have ended by itself.
            let _ = connection.batch_execute(&format!("KILL {id}")).await;
        }
    }
}

#[derive(QueryableByName)]
struct Connected {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn fresh() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("case_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

async fn start(server: fn(Durability) -> Started) -> Started {
    spawn_blocking(move || server(Durability::None)).await.unwrap()
}
