//! What can go wrong in the database, and the one place where that becomes an error for a client.
use diesel::result::{DatabaseErrorKind, Error as Query};
use diesel_async::pooled_connection::{PoolError, bb8::RunError};

/// A failure below the domain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("a database statement failed: {0}")]
    Query(#[from] Query),
    /// No connection could be had.
    #[error("no database connection: {0}")]
    Pool(#[from] RunError),
    /// The database could not be opened.
    #[error("the database cannot be opened: {0}")]
    Open(#[from] PoolError),
    /// The tables could not be made or brought up to date.
    #[error("a migration failed: {0}")]
    Migrate(Box<dyn std::error::Error + Send + Sync>),
    /// A row holds what this program did not write.
    #[error("column {column} holds what cannot be read: {source}")]
    Row { column: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    /// The task that ran a transaction panicked or was cut off.
    #[error("a transaction did not end: {0}")]
    Aborted(#[from] tokio::task::JoinError),
    /// The statement was fine and the answer is no.
    #[error("{0}")]
    Domain(#[from] domain::Error),
}

impl Error {
    /// SQLite gave up waiting for another process's write.
    pub(crate) fn is_busy(&self) -> bool {
        matches!(self, Error::Query(Query::DatabaseError(_, info)) if info.message().contains("database is locked"))
    }

    /// The insert met a row with the same name or id.
    pub(crate) fn is_taken(&self) -> bool {
        matches!(self, Error::Query(Query::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }
}

impl From<Error> for domain::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Domain(error) => error,
            Error::Pool(_) | Error::Query(Query::DatabaseError(DatabaseErrorKind::ClosedConnection, _)) => {
                domain::Error::unavailable("the database is away; try again in a moment", error)
            }
            other if other.is_busy() => {
                domain::Error::unavailable("the database is busy; try again in a moment", other)
            }
            other => domain::Error::internal(other),
        }
    }
}
