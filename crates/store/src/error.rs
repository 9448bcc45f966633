//! What can go wrong in the database, and the one place where that becomes an error for a client.
use diesel::result::{DatabaseErrorKind, Error as Query};
use diesel_async::pooled_connection::{PoolError, bb8::RunError};

/// A failure below the domain.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("a database statement failed: {0}")]
    Query(#[from] Query),
    /// A row that was not there could not be inserted since it was: another transaction came between.
    #[error("another transaction has inserted the row: {0}")]
    Overtaken(Query),
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
        self.message().is_some_and(|(_, message)| message.contains("database is locked"))
    }

    /// The message of the database, if it is its error.
    fn message(&self) -> Option<(&DatabaseErrorKind, &str)> {
        match self {
            Error::Query(Query::DatabaseError(kind, info)) => Some((kind, info.message())),
            _ => None,
        }
    }

    /// The error of an insert that is made because nothing was found. PostgreSQL does not always see that as the conflict
    /// that it is, and says that the row is taken.
    pub(crate) fn after_looking(self) -> Self {
        match self {
            Error::Query(error @ Query::DatabaseError(DatabaseErrorKind::UniqueViolation, _)) => {
                Error::Overtaken(error)
            }
            other => other,
        }
    }

    /// The transaction met another one, and would pass if it began anew. MySQL's words are known by no kind.
    pub(crate) fn is_conflict(&self) -> bool {
        if let Error::Overtaken(_) = self {
            return true;
        }
        let words =
            ["deadlock detected", "lock timeout", "Deadlock found", "Lock wait timeout", "Record has changed since"];
        self.message().is_some_and(|(kind, message)| {
            matches!(kind, DatabaseErrorKind::SerializationFailure) || words.iter().any(|words| message.contains(words))
        })
    }

    /// The connection has ended.
    pub(crate) fn is_lost(&self) -> bool {
        let words =
            ["terminating connection", "Input/output error", "Connection to the server is closed", "Server shutdown"];
        self.message().is_some_and(|(kind, message)| {
            matches!(kind, DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand)
                || words.iter().any(|words| message.contains(words))
        })
    }

    /// The database has done what it was asked to, and this is what came of it.
    pub(crate) fn is_answer(&self) -> bool {
        self.is_taken() || matches!(self, Error::Domain(_) | Error::Row { .. })
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
            Error::Pool(_) => domain::Error::unavailable("the database is away; try again in a moment", error),
            other if other.is_lost() => {
                domain::Error::unavailable("the database is away; try again in a moment", other)
            }
            other if other.is_busy() || other.is_conflict() => {
                domain::Error::unavailable("the database is busy; try again in a moment", other)
            }
            other => domain::Error::internal(other),
        }
    }
}
