//! Transactions in a SQLite file, whose statements block the thread that they run in.
use super::{Connection, Pool};
use crate::{Error, any::Transactions};
use diesel::result::Error as Query;
use diesel_async::TransactionManager;
use futures::FutureExt as _;

/// Runs a body in one transaction that only reads, in a thread that may block. One that was begun is ended, whether
/// somebody waits for it or not.
pub(crate) async fn read<T, F>(pool: &Pool, body: F) -> Result<T, Error>
where
    T: Send + 'static,
    F: AsyncFnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
{
    let mut connection = pool.get_owned().await?;
    tokio::task::spawn_blocking(move || transaction(&mut connection, body)).await?
}

/// Runs a body that finds a few rows by their keys, in this very thread: that takes less time than to hand it to another
/// and to hear of what it has found.
pub(crate) async fn find<T>(
    pool: &Pool,
    body: impl AsyncFnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut connection = pool.get().await?;
    transaction(&mut connection, body)
}

/// Runs a body in one transaction, or in a part of the one that is open. Blocks.
pub(super) fn transaction<T>(
    connection: &mut Connection,
    body: impl AsyncFnOnce(&mut Connection) -> Result<T, Error>,
) -> Result<T, Error> {
    let all = async {
        Transactions::begin_transaction(connection).await?;
        match body(connection).await {
            Ok(value) => {
                Transactions::commit_transaction(connection).await?;
                Ok(value)
            }
            // When the transaction is past saving, what came first tells more.
            Err(error) => match Transactions::rollback_transaction(connection).await {
                Ok(()) | Err(Query::BrokenTransactionManager) => Err(error),
                Err(broken) => Err(broken.into()),
            },
        }
    };
    // Statements are done when they have been asked for, and there is nothing else to wait for in a body.
    all.now_or_never().unwrap_or_else(|| Err(domain::Error::internal("a transaction waits for something else").into()))
}
