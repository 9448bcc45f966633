//! Opening the database: SQLite with a write-ahead log, one writer, many readers.
use crate::{Error, wakes::Wakes};
use diesel::SqliteConnection;
use diesel_async::{
    AsyncConnection, SimpleAsyncConnection,
    pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, PoolError, bb8},
    sync_connection_wrapper::SyncConnectionWrapper,
};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use domain::{Clock, SystemClock, Timestamp};
use futures::FutureExt;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Connections that only read.
const READERS: u32 = 8;

/// A write-ahead log is synced at every commit, so that what was acknowledged survives a loss of power; and there is
/// patience with the other process that may write, `bulkhead token`.
const PRAGMAS: &str = "PRAGMA busy_timeout = 10000; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// Makes the log a write-ahead log. The file remembers it.
const WRITE_AHEAD: &str = "PRAGMA journal_mode = WAL;";
/// How long to wait for others who open the file at the same time, and how often to look.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_millis(10));

pub(crate) type Connection = SyncConnectionWrapper<SqliteConnection>;
pub(crate) type Pool = bb8::Pool<Connection>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) writer: Pool,
    pub(crate) readers: Pool,
    pub(crate) clock: Arc<dyn Clock>,
    /// Authenticates page tokens. Kept in the database, so that any replica reads what another wrote.
    pub(crate) page_key: Arc<[u8]>,
    pub(crate) wakes: Wakes,
}

/// Runs a body in one transaction on the writer and waits for its durable commit.
///
/// The body runs in a task of its own: a client that goes away drops the request's future, and a transaction that
/// is dropped half-way would stay open on the pooled connection. So it captures by value.
macro_rules! write {
    ($store:expr, |$conn:ident| $body:expr) => {{
        let pool = $store.writer.clone();
        let work = tokio::spawn(async move {
            let mut guard = pool.get().await?;
            guard.immediate_transaction::<_, crate::Error, _>(async move |$conn| $body).await
        });
        work.await.map_err(crate::Error::from).flatten()
    }};
}

/// Runs a body on a reader, in one snapshot.
macro_rules! read {
    ($store:expr, |$conn:ident| $body:expr) => {{
        let pool = $store.readers.clone();
        let work = tokio::spawn(async move {
            let mut guard = pool.get().await?;
            diesel_async::AsyncConnection::transaction::<_, crate::Error, _>(&mut *guard, async move |$conn| $body)
                .await
        });
        work.await.map_err(crate::Error::from).flatten()
    }};
}

pub(crate) use {read, write};

impl Store {
    /// Opens the SQLite file at `path`, makes it if there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`Error::Open`] and [`Error::Migrate`], with the cause.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, Arc::new(SystemClock)).await
    }

    /// The same with a clock of the caller's.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let url = path.to_string_lossy().into_owned();
        let file = url.clone();
        tokio::task::spawn_blocking(move || migrate(&file)).await??;
        let writer = pool(&url, 1).await?;
        let readers = pool(&url, READERS).await?;
        let mut store = Self { writer, readers, clock, page_key: Arc::from([]), wakes: Wakes::default() };
        store.page_key = store.secret("page-tokens").await?.into();
        Ok(store)
    }

    /// The present, by the clock that rows are stamped with.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Passes if the database answers.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn ping(&self) -> domain::Result<()> {
        let alive = async || -> Result<(), Error> {
            let mut connection = self.readers.get().await?;
            Ok(connection.batch_execute("SELECT 1").await?)
        };
        Ok(alive().await?)
    }
}

/// Brings the tables up to date, in one transaction: who starts at the same time waits, and finds nothing to do.
fn migrate(url: &str) -> Result<(), Error> {
    use diesel::{Connection as _, connection::SimpleConnection as _};
    let mut connection = SqliteConnection::establish(url).map_err(PoolError::ConnectionError)?;
    connection.batch_execute(PRAGMAS)?;
    // SQLite does not wait here, whatever its timeout is: two that changed the log at once would wait for each other.
    let begin = Instant::now();
    while let Err(error) = connection.batch_execute(WRITE_AHEAD).map_err(Error::from) {
        if !error.is_busy() || begin.elapsed() > PATIENCE.0 {
            return Err(error);
        }
        std::thread::sleep(PATIENCE.1);
    }
    connection.immediate_transaction(|connection| {
        connection.run_pending_migrations(MIGRATIONS).map(drop).map_err(Error::Migrate)
    })
}

async fn pool(url: &str, size: u32) -> Result<Pool, Error> {
    let mut config = ManagerConfig::<Connection>::default();
    config.custom_setup = Box::new(|url| {
        let url = url.to_owned();
        async move {
            let mut connection = Connection::establish(&url).await?;
            let setup = connection.batch_execute(PRAGMAS).await;
            setup.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
            Ok(connection)
        }
        .boxed()
    });
    let manager = AsyncDieselConnectionManager::new_with_config(url, config);
    Ok(bb8::Pool::builder().max_size(size).build(manager).await?)
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::{QueryableByName, sql_types::Integer};
    use diesel_async::RunQueryDsl;

    #[derive(QueryableByName)]
    struct Synchronous {
        #[diesel(sql_type = Integer)]
        synchronous: i32,
    }

    /// 2 is FULL: a commit is on the disk when it returns (SQLite documentation, "PRAGMA synchronous").
    #[tokio::test]
    async fn every_connection_waits_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db")).await.unwrap();
        for pool in [&store.writer, &store.readers] {
            let mut connection = pool.get().await.unwrap();
            let pragma = diesel::sql_query("PRAGMA synchronous").get_result::<Synchronous>(&mut *connection).await;
            assert_eq!(pragma.unwrap().synchronous, 2);
        }
    }
}
