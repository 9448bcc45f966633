//! SQL of a test's own on whichever database it is.
use diesel::{
    QueryableByName, SqliteConnection, sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::{
    AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection,
    sync_connection_wrapper::SyncConnectionWrapper,
};
use mysql_async::prelude::Queryable as _;

/// Does the same with a new connection to the database at a URL.
macro_rules! connected {
    ($url:expr, $connection:ident => $body:expr) => {{
        let url: &str = $url;
        if url.starts_with("postgres") {
            let mut $connection = AsyncPgConnection::establish(url).await.unwrap();
            $body
        } else if url.starts_with("mysql") {
            let mut $connection = AsyncMysqlConnection::establish(url).await.unwrap();
            $body
        } else {
            let path = url.strip_prefix("sqlite:").unwrap_or(url);
            let mut $connection = SyncConnectionWrapper::<SqliteConnection>::establish(path).await.unwrap();
            $body
        }
    }};
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// What a query yields that gives one `number`.
pub(crate) async fn number(url: &str, sql: &str) -> i64 {
    let found: Number = connected!(url, connection => sql_query(sql).get_result(&mut connection).await.unwrap());
    found.number
}

/// Runs some statements.
pub(crate) async fn execute(url: &str, sql: &str) {
    connected!(url, connection => connection.batch_execute(sql).await.unwrap());
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

#[derive(QueryableByName)]
struct Detail {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The lines of a plan, or of whatever else a statement says.
pub(crate) async fn lines(url: &str, sql: &str) -> Vec<String> {
    if url.starts_with("postgres") {
        let mut connection = AsyncPgConnection::establish(url).await.unwrap();
        let lines: Vec<Line> = sql_query(sql).load(&mut connection).await.unwrap();
        lines.into_iter().map(|line| line.line).collect()
    } else if url.starts_with("mysql") {
        let mut connection = mysql_async::Conn::from_url(url).await.unwrap();
        let rows: Vec<mysql_async::Row> = connection.query(sql).await.unwrap();
        let text = |value: mysql_async::Value| match value {
            mysql_async::Value::Bytes(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            other => other.as_sql(true),
        };
        let line = |row: mysql_async::Row| row.unwrap().into_iter().map(text).collect::<Vec<_>>().join("|");
        rows.into_iter().map(line).collect()
    } else {
        let path = url.strip_prefix("sqlite:").unwrap_or(url);
        let mut connection = SyncConnectionWrapper::<SqliteConnection>::establish(path).await.unwrap();
        let lines: Vec<Detail> = sql_query(sql).load(&mut connection).await.unwrap();
        lines.into_iter().map(|line| line.detail).collect()
    }
}
