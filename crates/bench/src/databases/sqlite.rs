//! SQLite, by its own library.
use super::seed::Dialect;
use anyhow::Context;
use rusqlite::{Connection, types::Value};
use std::path::Path;

pub(super) const DIALECT: Dialect = Dialect {
    series: |count| {
        format!(
            "(WITH RECURSIVE s (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {count}) SELECT i FROM s) AS n"
        )
    },
    id: |moment| {
        format!(
            "printf('%08x-%04x-7%03x-8%03x-%s', {moment} / 1000 >> 16, {moment} / 1000 & 65535, \
             abs(random()) % 4096, abs(random()) % 4096, lower(hex(randomblob(6))))"
        )
    },
    name: "'run ' || n.i",
    settle: "PRAGMA wal_checkpoint(TRUNCATE)",
};

/// A connection to the database of a data folder that commits as the server does.
pub(crate) fn connect(data: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(data.join("bulkhead.db"))?;
    // What the rows refer to is not there.
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 10000; PRAGMA foreign_keys = OFF",
    )?;
    Ok(connection)
}

/// See [`super::Kind::execute`].
pub(super) fn execute(data: &Path, statements: &str) -> rusqlite::Result<()> {
    connect(data)?.execute_batch(statements)
}

/// See [`super::Kind::numbers`].
pub(super) fn numbers(data: &Path, query: &str) -> rusqlite::Result<Vec<i64>> {
    connect(data)?.prepare(query)?.query_map([], |row| row.get(0))?.collect()
}

/// The columns of a table, in their order.
pub(super) fn columns(data: &Path, table: &str) -> rusqlite::Result<Vec<String>> {
    let connection = connect(data)?;
    let mut of_table = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
    of_table.query_map([table], |row| row.get(0))?.collect()
}

/// See [`super::Kind::row`].
pub(super) fn row(data: &Path, id: &str) -> anyhow::Result<Vec<(String, Value)>> {
    let connection = connect(data)?;
    let mut statement = connection.prepare("SELECT * FROM runs WHERE id = ?")?;
    let columns: Vec<String> = statement.column_names().into_iter().map(ToOwned::to_owned).collect();
    let mut rows = statement.query([id])?;
    let row = rows.next()?.context("there is no such run")?;
    columns.into_iter().enumerate().map(|(at, name)| Ok((name, row.get(at)?))).collect()
}

/// Writes a row with this id and name instead of its own.
pub(crate) fn insert(connection: &Connection, row: &[(String, Value)], id: &str) -> rusqlite::Result<()> {
    let columns: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
    let marks = vec!["?"; row.len()].join(", ");
    let statement = format!("INSERT INTO runs ({}) VALUES ({marks})", columns.join(", "));
    let own = Value::Text(id.to_owned());
    let values = row.iter().map(|(name, value)| if name == "id" || name == "name" { &own } else { value });
    connection.prepare_cached(&statement)?.execute(rusqlite::params_from_iter(values))?;
    Ok(())
}
