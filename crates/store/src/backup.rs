//! Copies of the SQLite file, beside a server that uses it.
use crate::Error;
use diesel::{
    Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection, connection::SimpleConnection as _, sql_query,
    sql_types::Text,
};
use diesel_async::pooled_connection::PoolError;
use std::path::Path;

#[derive(QueryableByName)]
struct Integrity {
    #[diesel(sql_type = Text)]
    integrity_check: String,
}

/// Writes all that is committed now to a new file. Whoever writes meanwhile is not held up, and the tables stay as they
/// are, whatever version made them. Blocks.
///
/// # Errors
/// There is no database, or no room for another; `to` must not be there.
pub fn snapshot(database: &Path, to: &Path) -> Result<(), Error> {
    let mut connection = connect(database)?;
    sql_query("VACUUM INTO ?").bind::<Text, _>(to.to_string_lossy().into_owned()).execute(&mut connection)?;
    Ok(())
}

/// What is wrong with a database file, as SQLite finds it. Blocks.
///
/// # Errors
/// It cannot be read at all.
pub fn damage(database: &Path) -> Result<Option<String>, Error> {
    let found: Vec<Integrity> = sql_query("PRAGMA integrity_check(1)").load(&mut connect(database)?)?;
    Ok(found.into_iter().map(|line| line.integrity_check).find(|line| line != "ok"))
}

fn connect(database: &Path) -> Result<SqliteConnection, Error> {
    // It must be there: SQLite would make one.
    let url = format!(
        "file:{}?mode=rw",
        database.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
    );
    let mut connection = SqliteConnection::establish(&url).map_err(PoolError::ConnectionError)?;
    connection.batch_execute("PRAGMA busy_timeout = 10000;")?;
    Ok(connection)
}
