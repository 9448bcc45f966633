//! Bringing the tables up to date. Who starts at the same time waits, and finds nothing to do.
use super::{
    location::Location,
    pools,
    specs::{self, MoveSpecs},
    steps,
};
use crate::Error;
use diesel::{
    Connection, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    sql_query,
    sql_types::{BigInt, Nullable, Text},
};
use diesel_async::{AsyncMysqlConnection, AsyncPgConnection};
use diesel_async::{async_connection_wrapper::AsyncConnectionWrapper, pooled_connection::PoolError};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::time::{Duration, Instant};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
pub(super) const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");

/// Makes the log a write-ahead log. The file remembers it.
const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL;";
/// How long to wait for others who open the file at the same time, and how often to look.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(10));

/// What others who bring the same database up to date wait for. The number is any.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_lock(2038517461)";
/// The lock of MySQL is the whole server's, so its name is that of the database.
const MYSQL_LOCK: &str = "SELECT GET_LOCK(CONCAT('bulkhead ', SHA1(DATABASE())), 60) AS had";

pub(super) async fn migrate(location: &Location) -> Result<(), Error> {
    match location.clone() {
        Location::Sqlite(path) => tokio::task::spawn_blocking(move || sqlite(&path)).await?,
        Location::Postgres(server) => {
            let connection = pools::postgres(&server).await.map_err(PoolError::ConnectionError)?;
            tokio::task::spawn_blocking(move || postgres(connection)).await?
        }
        Location::Mysql(server) => {
            let connection = pools::mysql(&server).await.map_err(PoolError::ConnectionError)?;
            tokio::task::spawn_blocking(move || mysql(connection)).await?
        }
    }
}

/// The names of the migrations that the database at a URL, as [`crate::Store::open`] takes it, has not had.
///
/// # Errors
/// [`Error::Open`] and [`Error::Migrate`], with the cause.
pub async fn pending(url: &str) -> Result<Vec<String>, Error> {
    match Location::parse(url)? {
        Location::Sqlite(path) => {
            let look =
                move || names(&mut SqliteConnection::establish(&path).map_err(PoolError::ConnectionError)?, SQLITE);
            tokio::task::spawn_blocking(look).await?
        }
        Location::Postgres(server) => {
            let connection = pools::postgres(&server).await.map_err(PoolError::ConnectionError)?;
            let look = move || names(&mut AsyncConnectionWrapper::<AsyncPgConnection>::from(connection), POSTGRES);
            tokio::task::spawn_blocking(look).await?
        }
        Location::Mysql(server) => {
            let connection = pools::mysql(&server).await.map_err(PoolError::ConnectionError)?;
            let look = move || names(&mut AsyncConnectionWrapper::<AsyncMysqlConnection>::from(connection), MYSQL);
            tokio::task::spawn_blocking(look).await?
        }
    }
}

fn names<C: MigrationHarness<C::Backend> + Connection>(
    connection: &mut C,
    all: EmbeddedMigrations,
) -> Result<Vec<String>, Error> {
    let pending = connection.pending_migrations(all).map_err(Error::Migrate)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

/// Runs the migrations that the database has not had, with the step that is no SQL, in the transaction that is open.
fn bring_up<C>(connection: &mut C, all: EmbeddedMigrations) -> Result<(), Error>
where
    C: MigrationHarness<C::Backend> + Connection + MoveSpecs,
{
    for migration in connection.pending_migrations(all).map_err(Error::Migrate)? {
        if migration.name().version().to_string() == specs::BEFORE {
            connection.move_specs()?;
        }
        connection.run_migration(&migration).map_err(Error::Migrate)?;
    }
    Ok(())
}

/// In one transaction.
fn sqlite(path: &str) -> Result<(), Error> {
    let mut connection = SqliteConnection::establish(path).map_err(PoolError::ConnectionError)?;
    connection.batch_execute(pools::PRAGMAS)?;
    // SQLite does not wait here, whatever its timeout is: two that changed the log at once would wait for each other.
    let begin = Instant::now();
    while let Err(error) = connection.batch_execute(WRITE_AHEAD).map_err(Error::from) {
        if !error.is_busy() || begin.elapsed() > PATIENCE.0 {
            return Err(error);
        }
        std::thread::sleep(PATIENCE.1);
    }
    connection.immediate_transaction(|connection| bring_up(connection, SQLITE))
}

/// The lock is given back when the connection ends.
fn postgres(connection: AsyncPgConnection) -> Result<(), Error> {
    let mut connection = AsyncConnectionWrapper::<AsyncPgConnection>::from(connection);
    connection.batch_execute(POSTGRES_LOCK)?;
    connection.transaction(|connection| bring_up(connection, POSTGRES))
}

#[derive(QueryableByName)]
struct Lock {
    #[diesel(sql_type = Nullable<BigInt>)]
    had: Option<i64>,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

/// Every statement that changes a table is a transaction of its own here.
fn mysql(connection: AsyncMysqlConnection) -> Result<(), Error> {
    let mut connection = steps::Mysql::from(connection);
    if sql_query(MYSQL_LOCK).get_result::<Lock>(&mut connection)?.had != Some(1) {
        return Err(Error::Migrate("another server has been bringing the tables up to date for a minute".into()));
    }
    // Texts are the same if their bytes are, spaces at the end included. The servers have different names for that.
    let version = sql_query("SELECT VERSION() AS version").get_result::<Version>(&mut connection)?.version;
    let collation = if version.contains("MariaDB") { "utf8mb4_nopad_bin" } else { "utf8mb4_0900_bin" };
    connection.batch_execute(&format!("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE {collation}"))?;
    let pending = connection.pending_migrations(MYSQL).map_err(Error::Migrate)?;
    if pending.is_empty() {
        return Ok(());
    }
    steps::prepare(&mut connection)?;
    for migration in pending {
        let (name, version) = (migration.name().to_string(), migration.name().version().to_string());
        if version == specs::BEFORE && !steps::is_begun(&mut connection, &version)? {
            connection.move_specs()?;
        }
        steps::run(&mut connection, &name, &version)?;
    }
    steps::finish(&mut connection)
}
