//! Connections to the databases, and pools of them.
use super::{
    Access, Group, Pool,
    location::{Location, Server},
    tls,
};
use crate::{
    Error,
    any::{AnyConnection, Purpose, Sqlite},
    recent::Recent,
};
use diesel::{ConnectionError, ConnectionResult};
use diesel_async::{
    AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, bb8},
};
use futures::FutureExt;
use mysql_async::{Conn, Opts, OptsBuilder};
use std::time::Duration;
use tokio_postgres::{Config, config::SslMode};

/// Connections that only read.
const READERS: u32 = 8;
/// Connections that write, where there may be several.
const WRITERS: u32 = 8;

/// A write-ahead log is synced at every commit, so that what was acknowledged survives a loss of power; and there is
/// patience with the other process that may write, `bulkhead token`.
pub(super) const PRAGMAS: &str = "PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// A statement does not wait longer for others than SQLite does. And who stands still amid a transaction, as a process that
/// was stopped, loses it: others wait for what it has locked, and among that is which server fires the schedules.
/// Every statement has an index that it can go by, and goes by it also in a table that has grown faster than its
/// statistics; where there is none the table is read whole all the same.
const POSTGRES: &str = "SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '4s'; \
                        SET enable_seqscan = off";
/// The same; MySQL, other than MariaDB, has no such limit. A text that does not fit must not be cut. What is no column
/// compares byte by byte, as the columns do.
const MYSQL: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
                     SET SESSION innodb_lock_wait_timeout = 10 /*M!100300 , SESSION idle_transaction_timeout = 4 */; \
                     SET NAMES utf8mb4 COLLATE utf8mb4_bin;";

/// How long to wait for a connection to a server that may be away. A file is never away, and its one writer may be busy.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(30));

/// The pools of writers and of readers.
pub(super) async fn open(location: &Location) -> Result<Access, Error> {
    let readers = pool(location, Purpose::Read, READERS, None).await?;
    Ok(match location {
        Location::Sqlite(_) => {
            let recent = Recent::default();
            let writers = pool(location, Purpose::Write, 1, Some(recent.clone())).await?;
            Access::File { writer: Group::new(writers.clone(), recent.clone()), writers, readers, recent }
        }
        Location::Postgres(_) | Location::Mysql(_) => {
            Access::Server { writers: pool(location, Purpose::Write, WRITERS, None).await?, readers }
        }
    })
}

async fn pool(location: &Location, purpose: Purpose, size: u32, listener: Option<Recent>) -> Result<Pool, Error> {
    let mut config = ManagerConfig::<AnyConnection>::default();
    let patience = if let Location::Sqlite(_) = location { PATIENCE.1 } else { PATIENCE.0 };
    let location = location.clone();
    config.custom_setup = Box::new(move |_| {
        let (location, listener) = (location.clone(), listener.clone());
        let connect = async move {
            let mut connection = connect(&location, purpose).await?;
            if let Some(listener) = listener {
                listener.listen(&mut connection).await?;
            }
            Ok(connection)
        };
        connect.boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
    // A connection that has ended is found out by its first statement, and the work begins anew on another one (`Tries`): to
    // ask each time whether it is still there would be a round trip more for everything.
    let pool = bb8::Pool::builder().max_size(size).connection_timeout(patience).test_on_check_out(false);
    Ok(pool.build(manager).await?)
}

async fn connect(location: &Location, purpose: Purpose) -> ConnectionResult<AnyConnection> {
    let (mut connection, setup) = match location {
        Location::Sqlite(path) => {
            let connection = Sqlite::establish(path).await?;
            (AnyConnection::sqlite(connection, purpose), PRAGMAS.to_owned())
        }
        Location::Postgres(server) => (AnyConnection::postgres(postgres(server).await?, purpose), POSTGRES.to_owned()),
        Location::Mysql(server) => {
            let level = match purpose {
                Purpose::Read => "REPEATABLE READ",
                Purpose::Write => "SERIALIZABLE",
            };
            let connection = AnyConnection::mysql(mysql(server).await?, purpose);
            (connection, format!("{MYSQL} SET SESSION TRANSACTION ISOLATION LEVEL {level};"))
        }
    };
    connection.batch_execute(&setup).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// With `?require_ssl=true` it is encrypted, and the server's certificate is verified.
pub(super) async fn mysql(server: &Server) -> ConnectionResult<AsyncMysqlConnection> {
    let bad_url = |error: mysql_async::UrlError| ConnectionError::InvalidConnectionUrl(error.to_string());
    let options = Opts::from_url(&server.url).map_err(bad_url)?;
    let ssl = options.ssl_opts().cloned().map(|ssl| tls::mysql(ssl, server.roots.as_deref())).transpose()?;
    // A row that is written as it was counts as written, as it does elsewhere; and diesel keeps the statements.
    let options = OptsBuilder::from_opts(options).ssl_opts(ssl).client_found_rows(true).stmt_cache_size(0);
    let connected = Conn::new(options).await;
    let connection = connected.map_err(|error| ConnectionError::BadConnection(causes(&error)))?;
    AsyncMysqlConnection::try_from(connection).await
}

/// With `?sslmode=require` it is encrypted, and the server's certificate is verified.
pub(super) async fn postgres(server: &Server) -> ConnectionResult<AsyncPgConnection> {
    let bad_url = |error: tokio_postgres::Error| ConnectionError::InvalidConnectionUrl(causes(&error));
    let config: Config = server.url.parse().map_err(bad_url)?;
    if config.get_ssl_mode() != SslMode::Require {
        return AsyncPgConnection::establish(&server.url).await;
    }
    let connected = config.connect(tls::postgres(server.roots.as_deref())?).await;
    let (client, connection) = connected.map_err(|error| ConnectionError::BadConnection(causes(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// An error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", causes(source)),
        None => error.to_string(),
    }
}
