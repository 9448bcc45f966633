//! Migrations on MySQL and MariaDB, where every statement that changes a table is a transaction of its own: they are done
//! statement by statement, and the database keeps how far one has come. When a server is cut off amid one, the next goes
//! on from there.
use crate::Error;
use diesel::{
    Connection, OptionalExtension, QueryableByName, RunQueryDsl,
    connection::SimpleConnection,
    result::Error as Query,
    sql_query,
    sql_types::{BigInt, Text},
};
use diesel_async::{AsyncMysqlConnection, async_connection_wrapper::AsyncConnectionWrapper};

pub(super) type Mysql = AsyncConnectionWrapper<AsyncMysqlConnection>;

macro_rules! texts {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("../../migrations/mysql/", $name, "/up.sql")))),+]
    };
}

/// What the embedded migrations do not give away: their texts, by their names.
const TEXTS: &[(&str, &str)] = texts![
    "0001_init",
    "0002_whole_api",
    "0003_access",
    "0004_engine",
    "0005_streams",
    "0006_lists",
    "0007_specs",
    "0008_filters",
    "0009_schedules",
    "0010_lineage",
    "0011_metadata",
];

/// Its one row is the migration that is under way: how many statements are done, and how many were begun. Between
/// migrations there is no such table.
const UNDER_WAY: &str = "CREATE TABLE IF NOT EXISTS __bulkhead_migration \
                         (version VARCHAR(50) NOT NULL PRIMARY KEY, done BIGINT NOT NULL, begun BIGINT NOT NULL)";

/// By these words a statement is known that was done, and whose connection ended before that could be kept. Each
/// statement is done whole or not at all.
const DONE_ALREADY: [&str; 4] = ["already exists", "Duplicate column name", "Duplicate key name", "Can't DROP"];

#[derive(QueryableByName)]
struct UnderWay {
    #[diesel(sql_type = BigInt)]
    done: i64,
    #[diesel(sql_type = BigInt)]
    begun: i64,
}

/// Prepares a connection for migrations.
pub(super) fn prepare(connection: &mut Mysql) -> Result<(), Error> {
    // What a statement says is looked for in English.
    connection.batch_execute("SET SESSION lc_messages = 'en_US'")?;
    Ok(connection.batch_execute(UNDER_WAY)?)
}

/// Leaves nothing of it behind.
pub(super) fn finish(connection: &mut Mysql) -> Result<(), Error> {
    Ok(connection.batch_execute("DROP TABLE __bulkhead_migration")?)
}

/// Whether a migration was begun, so that nothing may be done before it any more.
pub(super) fn is_begun(connection: &mut Mysql, version: &str) -> Result<bool, Error> {
    Ok(under_way(connection, version)?.is_some())
}

/// Does what is left of a migration, and has the database remember it as one that it has had.
pub(super) fn run(connection: &mut Mysql, name: &str, version: &str) -> Result<(), Error> {
    let text = TEXTS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text);
    let text = text.ok_or_else(|| Error::Migrate(format!("there is no text of {name}").into()))?;
    let came = match under_way(connection, version)? {
        Some(came) => came,
        None => {
            let begin = "INSERT INTO __bulkhead_migration (version, done, begun) VALUES (?, 0, 0)";
            sql_query(begin).bind::<Text, _>(version).execute(connection)?;
            UnderWay { done: 0, begun: 0 }
        }
    };
    for (number, statement) in (0..).zip(statements(text)).skip_while(|(number, _)| *number < came.done) {
        step(connection, version, number, came.begun > number, &statement)
            .map_err(|error| in_migration(name, error))?;
    }
    connection.transaction(|connection| {
        let had = "INSERT INTO __diesel_schema_migrations (version) VALUES (?)";
        sql_query(had).bind::<Text, _>(version).execute(connection)?;
        let over = "DELETE FROM __bulkhead_migration WHERE version = ?";
        sql_query(over).bind::<Text, _>(version).execute(connection)?;
        Ok(())
    })
}

/// Does a statement, which may have been done already if somebody `tried` it who was cut off.
fn step(connection: &mut Mysql, version: &str, number: i64, tried: bool, statement: &str) -> Result<(), Query> {
    if changes_rows(statement) {
        return connection.transaction(|connection| {
            connection.batch_execute(statement)?;
            keep(connection, version, number + 1, number + 1)
        });
    }
    keep(connection, version, number, number + 1)?;
    match connection.batch_execute(statement) {
        Err(error) if tried && is_done_already(&error) => {}
        Err(error) => {
            // It was not cut off, but refused; whoever comes next must not take that for done. Where this cannot be kept
            // the connection has ended, and nothing is known.
            let _ = keep(connection, version, number, number);
            return Err(error);
        }
        Ok(()) => {}
    }
    keep(connection, version, number + 1, number + 1)
}

fn keep(connection: &mut Mysql, version: &str, done: i64, begun: i64) -> Result<(), Query> {
    let update = sql_query("UPDATE __bulkhead_migration SET done = ?, begun = ? WHERE version = ?");
    update.bind::<BigInt, _>(done).bind::<BigInt, _>(begun).bind::<Text, _>(version).execute(connection)?;
    Ok(())
}

fn under_way(connection: &mut Mysql, version: &str) -> Result<Option<UnderWay>, Query> {
    let query = sql_query("SELECT done, begun FROM __bulkhead_migration WHERE version = ?");
    query.bind::<Text, _>(version).get_result(connection).optional()
}

/// The statements of a text, whose comments have lines of their own.
fn statements(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let statements = lines.join("\n");
    statements.split(';').map(str::trim).filter(|statement| !statement.is_empty()).map(str::to_owned).collect()
}

/// Such a statement can be a part of a transaction, and then is done together with what is kept of it.
fn changes_rows(statement: &str) -> bool {
    ["INSERT ", "UPDATE ", "DELETE "].iter().any(|word| statement.starts_with(word))
}

fn is_done_already(error: &Query) -> bool {
    matches!(error, Query::DatabaseError(_, info) if DONE_ALREADY.iter().any(|words| info.message().contains(words)))
}

fn in_migration(name: &str, error: Query) -> Error {
    Error::Migrate(format!("{name}: {error}").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::migrate::MYSQL;
    use diesel::migration::{Migration, MigrationSource};

    #[test]
    fn the_texts_are_those_of_all_migrations() {
        let embedded: Vec<Box<dyn Migration<diesel::mysql::Mysql>>> = MYSQL.migrations().unwrap();
        let mut names: Vec<String> = embedded.iter().map(|migration| migration.name().to_string()).collect();
        names.sort();
        let known: Vec<&str> = TEXTS.iter().map(|(name, _)| *name).collect();
        assert_eq!(known, names);
    }

    #[test]
    fn statements_are_told_apart() {
        let text =
            "-- One; and more.\nCREATE TABLE a (\n  -- Why; so.\n  id INTEGER\n);\n\nDROP TABLE a;\n-- The end.\n";
        assert_eq!(statements(text), ["CREATE TABLE a (\n  id INTEGER\n)", "DROP TABLE a"]);
        for (name, text) in TEXTS {
            let words = ["ALTER TABLE", "CREATE ", "DELETE ", "DROP INDEX", "INSERT ", "UPDATE "];
            for statement in statements(text) {
                assert!(words.iter().any(|word| statement.starts_with(word)), "{name}: {statement}");
                assert!(statement.matches('\'').count() % 2 == 0, "{name}: {statement} was cut within a text");
            }
        }
    }
}
