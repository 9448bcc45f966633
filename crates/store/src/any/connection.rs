//! A connection to any of the databases, with transactions as the store needs them.
use super::{
    AnyBackend,
    row::{AnyRow, MysqlRow, PostgresRow, SqliteRow},
    statement::Statement,
};
use diesel::{
    ConnectionError, ConnectionResult, QueryResult, SqliteConnection,
    connection::{self, CacheSize, Instrumentation, TransactionManagerStatus},
    query_builder::{AsQuery, QueryFragment, QueryId},
};
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, AsyncMysqlConnection, AsyncPgConnection,
    SimpleAsyncConnection, TransactionManager,
    pooled_connection::PoolableConnection,
    sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper},
};
use futures::{FutureExt, StreamExt, TryStreamExt, future, future::BoxFuture, stream::BoxStream};
use std::error::Error;

/// Its statements run in the thread that asks for them: a whole transaction is given to one that may block, since to
/// hand over each statement takes longer than most of them do.
pub(crate) type Sqlite = SyncConnectionWrapper<SqliteConnection, Here>;

/// Runs in this thread what may block it.
pub(crate) struct Here;

impl SpawnBlocking for Here {
    fn spawn_blocking<'a, R: Send + 'static>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync>>> {
        future::ready(Ok(task())).boxed()
    }

    fn get_runtime() -> Self {
        Self
    }
}

/// What the transactions of a connection are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// They see one state of the database, and change nothing.
    Read,
    /// They are as if there were only one at a time.
    Write,
}

pub(crate) struct AnyConnection {
    inner: Inner,
    purpose: Purpose,
    /// Whether the end of the last transaction was asked for: if it failed then, it may have come about nevertheless.
    committing: bool,
    /// Whether a statement has found out that it has ended.
    ended: bool,
}

#[expect(clippy::large_enum_variant, reason = "there are few of them, and they are rarely moved")]
enum Inner {
    Sqlite(Sqlite),
    Postgres(AsyncPgConnection),
    Mysql(AsyncMysqlConnection),
}

/// Does the same with whichever connection it is.
macro_rules! each {
    ($self:expr, $connection:ident => $body:expr) => {
        match &mut $self.inner {
            Inner::Sqlite($connection) => $body,
            Inner::Postgres($connection) => $body,
            Inner::Mysql($connection) => $body,
        }
    };
}

impl AnyConnection {
    pub(crate) fn sqlite(connection: Sqlite, purpose: Purpose) -> Self {
        Self { inner: Inner::Sqlite(connection), purpose, committing: false, ended: false }
    }

    pub(crate) fn postgres(connection: AsyncPgConnection, purpose: Purpose) -> Self {
        Self { inner: Inner::Postgres(connection), purpose, committing: false, ended: false }
    }

    pub(crate) fn mysql(connection: AsyncMysqlConnection, purpose: Purpose) -> Self {
        Self { inner: Inner::Mysql(connection), purpose, committing: false, ended: false }
    }

    /// Sets up the connection to a file; there is nothing to be done on others.
    pub(crate) async fn with_sqlite(
        &mut self,
        set_up: impl FnOnce(&mut SqliteConnection) -> QueryResult<()> + Send + 'static,
    ) -> QueryResult<()> {
        match &mut self.inner {
            Inner::Sqlite(sqlite) => sqlite.spawn_blocking(set_up).await,
            Inner::Postgres(_) | Inner::Mysql(_) => Ok(()),
        }
    }

    pub(crate) fn backend(&self) -> AnyBackend {
        match self.inner {
            Inner::Sqlite(_) => AnyBackend::Sqlite,
            Inner::Postgres(_) => AnyBackend::Postgres,
            Inner::Mysql(_) => AnyBackend::Mysql,
        }
    }

    /// Says that it has ended, so that the pool gives it to nobody any more.
    pub(crate) fn let_go(&mut self) {
        self.ended = true;
    }

    /// Whether the last transaction failed when it was to end, not before.
    pub(crate) fn failed_at_its_end(&self) -> bool {
        self.committing
    }
}

impl SimpleAsyncConnection for AnyConnection {
    async fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        each!(self, connection => connection.batch_execute(query).await)
    }
}

impl AsyncConnectionCore for AnyConnection {
    type ExecuteFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<usize>>;
    type LoadFuture<'conn, 'query> = BoxFuture<'conn, QueryResult<Self::Stream<'conn, 'query>>>;
    type Stream<'conn, 'query> = BoxStream<'conn, QueryResult<AnyRow>>;
    type Row<'conn, 'query> = AnyRow;
    type Backend = AnyBackend;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> Self::LoadFuture<'conn, 'query>
    where
        T: AsQuery + 'query,
        T::Query: QueryFragment<AnyBackend> + QueryId + 'query,
    {
        let statement = Statement::new(&source.as_query(), self.backend());
        async move {
            let statement = statement?;
            Ok(match &mut self.inner {
                Inner::Sqlite(connection) => {
                    connection.load(statement).await?.map_ok(|row: SqliteRow| AnyRow::Sqlite(row)).boxed()
                }
                Inner::Postgres(connection) => {
                    connection.load(statement).await?.map_ok(|row: PostgresRow| AnyRow::Postgres(row)).boxed()
                }
                Inner::Mysql(connection) => {
                    connection.load(statement).await?.map_ok(|row: MysqlRow| AnyRow::Mysql(row)).boxed()
                }
            })
        }
        .boxed()
    }

    fn execute_returning_count<'conn, 'query, T>(&'conn mut self, source: T) -> Self::ExecuteFuture<'conn, 'query>
    where
        T: QueryFragment<AnyBackend> + QueryId + 'query,
    {
        let statement = Statement::new(&source, self.backend());
        async move {
            let statement = statement?;
            each!(self, connection => connection.execute_returning_count(statement).await)
        }
        .boxed()
    }
}

impl AsyncConnection for AnyConnection {
    type TransactionManager = Transactions;

    /// Connections are made by the pools, which know more than a URL says.
    async fn establish(_: &str) -> ConnectionResult<Self> {
        Err(ConnectionError::BadConnection("a connection comes from a pool".to_owned()))
    }

    fn transaction_state(&mut self) -> &mut Self {
        self
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        each!(self, connection => connection.instrumentation())
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        each!(self, connection => connection.set_instrumentation(instrumentation));
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        each!(self, connection => connection.set_prepared_statement_cache_size(size));
    }
}

impl PoolableConnection for AnyConnection {
    fn is_broken(&mut self) -> bool {
        self.ended || each!(self, connection => connection.is_broken())
    }
}

/// Transactions by the managers of the connections, which know when one is broken.
pub(crate) struct Transactions;

impl TransactionManager<AnyConnection> for Transactions {
    type TransactionStateData = AnyConnection;

    async fn begin_transaction(conn: &mut AnyConnection) -> QueryResult<()> {
        conn.committing = false;
        let purpose = conn.purpose;
        match &mut conn.inner {
            // What reads in order to write must hold the lock from the beginning: it cannot be had in the middle.
            Inner::Sqlite(sqlite) => {
                let sql = match purpose {
                    Purpose::Read => "BEGIN",
                    Purpose::Write => "BEGIN IMMEDIATE",
                };
                if status(sqlite).transaction_depth()?.is_some() {
                    return begin(sqlite).await;
                }
                let begin =
                    move |sqlite: &mut _| connection::AnsiTransactionManager::begin_transaction_sql(sqlite, sql);
                sqlite.spawn_blocking(begin).await
            }
            Inner::Postgres(postgres) => {
                let sql = match purpose {
                    Purpose::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                    Purpose::Write => "BEGIN ISOLATION LEVEL SERIALIZABLE",
                };
                AnsiTransactionManager::begin_transaction_sql(postgres, sql).await
            }
            // The level is the session's: here it cannot be said in the same statement.
            Inner::Mysql(mysql) => {
                let sql = match purpose {
                    Purpose::Read => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
                    Purpose::Write => "START TRANSACTION",
                };
                AnsiTransactionManager::begin_transaction_sql(mysql, sql).await
            }
        }
    }

    async fn rollback_transaction(conn: &mut AnyConnection) -> QueryResult<()> {
        each!(conn, connection => rollback(connection).await)
    }

    async fn commit_transaction(conn: &mut AnyConnection) -> QueryResult<()> {
        conn.committing = true;
        each!(conn, connection => commit(connection).await)
    }

    fn transaction_manager_status_mut(conn: &mut AnyConnection) -> &mut TransactionManagerStatus {
        each!(conn, connection => status(connection))
    }
}

/// Inside of another one it is a savepoint.
async fn begin<C: AsyncConnection>(connection: &mut C) -> QueryResult<()> {
    C::TransactionManager::begin_transaction(connection).await
}

async fn rollback<C: AsyncConnection>(connection: &mut C) -> QueryResult<()> {
    C::TransactionManager::rollback_transaction(connection).await
}

async fn commit<C: AsyncConnection>(connection: &mut C) -> QueryResult<()> {
    C::TransactionManager::commit_transaction(connection).await
}

fn status<C: AsyncConnection>(connection: &mut C) -> &mut TransactionManagerStatus {
    C::TransactionManager::transaction_manager_status_mut(connection)
}
