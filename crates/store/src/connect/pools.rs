//! Connections to the databases, and pools of them.
use super::{Location, Pool};
use crate::{
    Error,
    any::{AnyConnection, Purpose},
};
use diesel::{ConnectionError, ConnectionResult, SqliteConnection};
use diesel_async::{
    AsyncConnection, AsyncMysqlConnection, AsyncPgConnection, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, bb8},
    sync_connection_wrapper::SyncConnectionWrapper,
};
use futures::FutureExt;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::sync::Arc;
use tokio_postgres::{Config, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

/// Connections that only read.
const READERS: u32 = 8;
/// Connections that write, where there may be several.
const WRITERS: u32 = 8;

/// A write-ahead log is synced at every commit, so that what was acknowledged survives a loss of power; and there is
/// patience with the other process that may write, `bulkhead token`.
pub(super) const PRAGMAS: &str = "PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";

/// A statement does not wait longer for others than SQLite does.
const POSTGRES: &str = "SET lock_timeout = '10s'";
/// A text that does not fit must not be cut. What is no column compares byte by byte, as the columns do.
const MYSQL: &str = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'; \
                     SET SESSION innodb_lock_wait_timeout = 10; SET NAMES utf8mb4 COLLATE utf8mb4_bin;";

/// The pools of writers and of readers.
pub(super) async fn open(location: &Location) -> Result<(Pool, Pool), Error> {
    let writers = match location {
        Location::Sqlite(_) => 1,
        Location::Postgres(_) | Location::Mysql(_) => WRITERS,
    };
    Ok((pool(location, Purpose::Write, writers).await?, pool(location, Purpose::Read, READERS).await?))
}

async fn pool(location: &Location, purpose: Purpose, size: u32) -> Result<Pool, Error> {
    let mut config = ManagerConfig::<AnyConnection>::default();
    let location = location.clone();
    config.custom_setup = Box::new(move |_| {
        let location = location.clone();
        async move { connect(&location, purpose).await }.boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(String::new(), config);
    Ok(bb8::Pool::builder().max_size(size).build(manager).await?)
}

async fn connect(location: &Location, purpose: Purpose) -> ConnectionResult<AnyConnection> {
    let (mut connection, setup) = match location {
        Location::Sqlite(path) => {
            let connection = SyncConnectionWrapper::<SqliteConnection>::establish(path).await?;
            (AnyConnection::sqlite(connection, purpose), PRAGMAS.to_owned())
        }
        Location::Postgres(url) => (AnyConnection::postgres(postgres(url).await?, purpose), POSTGRES.to_owned()),
        Location::Mysql(url) => {
            let level = match purpose {
                Purpose::Read => "REPEATABLE READ",
                Purpose::Write => "SERIALIZABLE",
            };
            let connection = AnyConnection::mysql(mysql(url).await?, purpose);
            (connection, format!("{MYSQL} SET SESSION TRANSACTION ISOLATION LEVEL {level};"))
        }
    };
    connection.batch_execute(&setup).await.map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// With `?require_ssl=true` it is encrypted, and the server's certificate is verified.
pub(super) async fn mysql(url: &str) -> ConnectionResult<AsyncMysqlConnection> {
    AsyncMysqlConnection::establish(url).await
}

/// With `?sslmode=require` it is encrypted, and the server's certificate is verified against the roots of this host.
pub(super) async fn postgres(url: &str) -> ConnectionResult<AsyncPgConnection> {
    let config: Config =
        url.parse().map_err(|error: tokio_postgres::Error| ConnectionError::InvalidConnectionUrl(error.to_string()))?;
    if config.get_ssl_mode() != SslMode::Require {
        return AsyncPgConnection::establish(url).await;
    }
    let bad = |error: &dyn std::fmt::Display| ConnectionError::BadConnection(error.to_string());
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| bad(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connected = config.connect(MakeRustlsConnect::new(tls)).await;
    let (client, connection) = connected.map_err(|error| bad(&causes(&error)))?;
    AsyncPgConnection::try_from_client_and_connection(client, connection).await
}

/// An error with what is behind it.
fn causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", causes(source)),
        None => error.to_string(),
    }
}
