//! Opening the database, and transactions in it. Of SQLite there is a write-ahead log, one writer and many readers;
//! PostgreSQL and MySQL have as many writers, whose transactions are as if there were only one at a time.
mod location;
mod migrate;
mod pools;
mod retry;
mod tls;

use crate::{Error, any::AnyConnection, wakes::Wakes};
use diesel_async::{SimpleAsyncConnection, pooled_connection::bb8};
use domain::{Clock, SystemClock, Timestamp};
use location::Location;
use std::sync::Arc;

pub use migrate::pending;
pub(crate) use retry::Tries;

pub(crate) type Connection = AnyConnection;
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

/// Runs a body in one transaction, which may have to begin anew when it meets another one.
///
/// The body runs in a task of its own: a client that goes away drops the request's future, and a transaction that
/// is dropped half-way would stay open on the pooled connection. So it captures by value.
macro_rules! transact {
    ($pool:expr, |$conn:ident| $body:expr) => {{
        let pool = $pool.clone();
        let work = tokio::spawn(async move {
            use diesel_async::AsyncConnection;
            let body = crate::connect::body(async move |$conn: &mut crate::connect::Connection| $body);
            let mut tries = crate::connect::Tries::default();
            loop {
                let mut guard = pool.get().await?;
                if tries.is_last(&guard) {
                    break AsyncConnection::transaction(&mut *guard, body).await;
                }
                match AsyncConnection::transaction(&mut *guard, body.clone()).await {
                    Err(error) if tries.may_go_on(&guard, &error) => drop(guard),
                    done => break done,
                }
                tries.pause().await;
            }
        });
        work.await.map_err(crate::Error::from).flatten()
    }};
}

/// Runs a body in one transaction that may write, and waits for its durable commit.
macro_rules! write {
    ($store:expr, |$conn:ident| $body:expr) => {
        crate::connect::transact!($store.writer, |$conn| $body)
    };
}

/// Runs a body on a reader, in one snapshot.
macro_rules! read {
    ($store:expr, |$conn:ident| $body:expr) => {
        crate::connect::transact!($store.readers, |$conn| $body)
    };
}

pub(crate) use {read, transact, write};

/// Says what the body of a transaction is, and gives it back.
pub(crate) fn body<R, F: AsyncFnOnce(&mut Connection) -> Result<R, Error>>(body: F) -> F {
    body
}

impl Store {
    /// Opens the database at `url` and brings its tables up to date: `sqlite:PATH`, or the path alone, which is made if
    /// there is none; `postgres://…`; or `mysql://…`, for MariaDB too. With `?sslmode=require`, for MySQL
    /// `?require_ssl=true`, the connection is encrypted and the server's certificate verified, against those that this
    /// host believes or those in the file of `sslrootcert=`.
    ///
    /// # Errors
    /// [`Error::Open`] and [`Error::Migrate`], with the cause.
    pub async fn open(url: &str) -> Result<Self, Error> {
        Self::open_with(url, Arc::new(SystemClock)).await
    }

    /// The same with a clock of the caller's.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let location = Location::parse(url)?;
        migrate::migrate(&location).await?;
        let (writer, readers) = pools::open(&location).await?;
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
        let store = Store::open(&folder.path().join("db").to_string_lossy()).await.unwrap();
        for pool in [&store.writer, &store.readers] {
            let mut connection = pool.get().await.unwrap();
            let pragma = diesel::sql_query("PRAGMA synchronous").get_result::<Synchronous>(&mut *connection).await;
            assert_eq!(pragma.unwrap().synchronous, 2);
        }
    }
}
