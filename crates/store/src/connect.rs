//! Opening the database, and transactions in it. Of SQLite there is a write-ahead log, one writer and many readers;
//! PostgreSQL and MySQL have as many writers, whose transactions are as if there were only one at a time.
mod blocking;
mod group;
mod location;
mod migrate;
mod pools;
mod retry;
mod specs;
mod steps;
mod tls;

use crate::{
    Error, any::AnyConnection, decisions::Decisions, observe::Observe, quotas::Quotas, recent::Recent, specs::Specs,
    wakes::Wakes,
};
use diesel_async::{SimpleAsyncConnection, pooled_connection::bb8};
use domain::{Clock, SystemClock, Timestamp};
use location::Location;
use std::sync::{Arc, OnceLock, atomic::AtomicU64};
use tokio::sync::Notify;

pub use migrate::pending;
pub(crate) use {
    blocking::{find as find_here, read as read_blocking},
    group::Group,
    retry::Tries,
};

pub(crate) type Connection = AnyConnection;
pub(crate) type Pool = bb8::Pool<Connection>;

/// The database. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) access: Access,
    pub(crate) clock: Arc<dyn Clock>,
    /// Authenticates page tokens. Kept in the database, so that any replica reads what another wrote.
    pub(crate) page_key: Arc<[u8]>,
    pub(crate) wakes: Wakes,
    /// Told when this server has written something by which a schedule may be due sooner.
    pub(crate) schedules_changed: Arc<Notify>,
    /// Decisions about schedules that are to be written.
    pub(crate) decisions: Decisions,
    pub(crate) specs: Specs,
    /// How much namespaces may hold: as much as they like, if nobody says otherwise.
    pub(crate) quotas: Arc<Quotas>,
    /// How often tokens were revoked through this.
    pub(crate) revocations: Arc<AtomicU64>,
    /// Who hears of transactions.
    pub(crate) observer: Arc<OnceLock<Box<dyn Observe>>>,
}

/// How transactions come about.
#[derive(Clone)]
pub(crate) enum Access {
    /// In a file there is one writer, which groups what waits for it, and statements block the thread they run in.
    File {
        writer: Group,
        /// The pool of the one connection that the writer takes.
        writers: Pool,
        readers: Pool,
        recent: Recent,
    },
    Server {
        writers: Pool,
        readers: Pool,
    },
}

/// Runs a body on a connection to a server, which may have to begin anew when it meets another one.
///
/// The body runs in a task of its own: a client that goes away drops the request's future, and a transaction that
/// is dropped half-way would stay open on the pooled connection. So it captures by value.
macro_rules! on_server {
    ($store:expr, $pool:expr, $body:expr, |$guard:ident, $work:ident| $once:expr) => {{
        let (pool, body, observer) = ($pool.clone(), $body, $store.observer.clone());
        let work = async move {
            let mut tries = crate::connect::Tries::default();
            loop {
                let mut $guard = pool.get().await?;
                let $work = body.clone();
                let done = $once.await;
                if let Err(error) = &done
                    && error.is_lost()
                {
                    $guard.let_go();
                }
                match done {
                    Err(error) if !tries.are_over() && tries.may_go_on(&$guard, &error) => drop($guard),
                    done => break done,
                }
                if let Some(observer) = observer.get() {
                    observer.retried();
                }
                tries.pause().await;
            }
        };
        let work = tokio::spawn(tracing::Instrument::in_current_span(work));
        work.await.map_err(crate::Error::from).flatten()
    }};
}

/// Runs a body in one transaction of a server.
macro_rules! transact {
    ($store:expr, $pool:expr, $body:expr) => {
        crate::connect::on_server!($store, $pool, $body, |guard, work| {
            diesel_async::AsyncConnection::transaction(&mut *guard, work)
        })
    };
}

/// Does the work of a transaction in a span of its own, which says where it was asked for, and has it heard of.
macro_rules! traced {
    ($store:expr, $kind:expr, $work:expr) => {{
        let kind = $kind;
        let span = tracing::trace_span!(target: "spans", "transaction", db.operation = kind.as_str());
        tracing::Instrument::instrument(crate::observe::observed(&$store, kind, $work), span).await
    }};
}

/// Runs a body in one transaction that may write, and waits for its durable commit. It may be run again.
macro_rules! write {
    ($store:expr, |$conn:ident| $body:expr) => {{
        let body = crate::connect::body(async move |$conn: &mut crate::connect::Connection| $body);
        let work = async {
            match &$store.access {
                crate::connect::Access::File { writer, .. } => writer.write(body).await,
                crate::connect::Access::Server { writers, .. } => crate::connect::transact!($store, writers, body),
            }
        };
        crate::connect::traced!($store, crate::observe::Kind::Write, work)
    }};
}

/// Runs a body on a reader, in one snapshot. It may be run again.
macro_rules! read {
    ($store:expr, |$conn:ident| $body:expr) => {{
        let body = crate::connect::body(async move |$conn: &mut crate::connect::Connection| $body);
        let work = async {
            match &$store.access {
                crate::connect::Access::File { readers, .. } => crate::connect::read_blocking(readers, body).await,
                crate::connect::Access::Server { readers, .. } => crate::connect::transact!($store, readers, body),
            }
        };
        crate::connect::traced!($store, crate::observe::Kind::Read, work)
    }};
}

/// The same for a body that finds a few rows by their keys, however many others there are.
macro_rules! find {
    ($store:expr, |$conn:ident| $body:expr) => {{
        let body = crate::connect::body(async move |$conn: &mut crate::connect::Connection| $body);
        let work = async {
            match &$store.access {
                crate::connect::Access::File { readers, .. } => crate::connect::find_here(readers, body).await,
                crate::connect::Access::Server { readers, .. } => crate::connect::transact!($store, readers, body),
            }
        };
        crate::connect::traced!($store, crate::observe::Kind::Read, work)
    }};
}

/// The same for a body of one statement, which is a snapshot by itself: a server hears of no transaction.
macro_rules! look_up {
    ($store:expr, |$conn:ident| $body:expr) => {{
        let body = crate::connect::body(async move |$conn: &mut crate::connect::Connection| $body);
        let work = async {
            match &$store.access {
                crate::connect::Access::File { readers, .. } => crate::connect::find_here(readers, body).await,
                crate::connect::Access::Server { readers, .. } => {
                    crate::connect::on_server!($store, readers, body, |guard, work| work(&mut *guard))
                }
            }
        };
        crate::connect::traced!($store, crate::observe::Kind::Read, work)
    }};
}

pub(crate) use {find, look_up, on_server, read, traced, transact, write};

/// Says what the body of a transaction is, and gives it back.
pub(crate) fn body<R, F: AsyncFnOnce(&mut Connection) -> Result<R, Error>>(body: F) -> F {
    body
}

impl Access {
    pub(crate) fn readers(&self) -> &Pool {
        match self {
            Self::File { readers, .. } | Self::Server { readers, .. } => readers,
        }
    }

    /// What was read lately, where nobody else writes.
    pub(crate) fn recent(&self) -> Option<&Recent> {
        match self {
            Self::File { recent, .. } => Some(recent),
            Self::Server { .. } => None,
        }
    }

    pub(crate) fn writers(&self) -> &Pool {
        match self {
            Self::File { writers, .. } | Self::Server { writers, .. } => writers,
        }
    }
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
        let access = pools::open(&location).await?;
        let mut store = Self {
            access,
            clock,
            page_key: Arc::from([]),
            wakes: Wakes::default(),
            schedules_changed: Arc::default(),
            decisions: Decisions::default(),
            specs: Specs::default(),
            quotas: Arc::default(),
            revocations: Arc::default(),
            observer: Arc::default(),
        };
        store.page_key = store.secret("page-tokens").await?.into();
        store.catch_up().await?;
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
        Ok(look_up!(self, |conn| Ok(conn.batch_execute("SELECT 1").await?))?)
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
        let synchronous = async |connection: &mut Connection| {
            let pragma = diesel::sql_query("PRAGMA synchronous").get_result::<Synchronous>(connection).await?;
            Ok(pragma.synchronous)
        };
        assert_eq!(read!(store, |conn| synchronous(conn).await).unwrap(), 2);
        assert_eq!(write!(store, |conn| synchronous(conn).await).unwrap(), 2);
    }

    #[derive(QueryableByName)]
    struct Options {
        #[diesel(sql_type = diesel::sql_types::Text)]
        compile_options: String,
    }

    /// Statements stay prepared whatever they are bound to (SQLite documentation, "Query Planner Stability Guarantee").
    #[tokio::test]
    async fn sqlite_is_compiled_as_it_has_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db").to_string_lossy()).await.unwrap();
        let options: Vec<Options> =
            read!(store, |conn| Ok(diesel::sql_query("PRAGMA compile_options").load(conn).await?)).unwrap();
        let options: Vec<&str> = options.iter().map(|option| option.compile_options.as_str()).collect();
        assert!(options.contains(&"ENABLE_QPSG") && options.contains(&"DEFAULT_MEMSTATUS=0"), "{options:?}");
        assert!(!options.contains(&"ENABLE_MEMORY_MANAGEMENT"), "{options:?}");
    }
}
