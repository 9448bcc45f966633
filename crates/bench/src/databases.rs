//! The databases under measure: rows put there straight, and read as they are.
mod graph;
mod mysql;
mod postgres;
mod schedules;
mod seed;
mod sqlite;

use crate::served::Setup;
use anyhow::Context;
use seed::{COUNT_AGAIN, Dialect};
use serde::{Deserialize, Serialize};
use std::fmt;
use testkit::databases::{Durability, Server};
use tokio::task::spawn_blocking;

pub(crate) use graph::Graph;
pub(crate) use mysql::Connection as Mysql;
pub(crate) use postgres::Connection as Postgres;
pub(crate) use schedules::Schedules;
pub(crate) use seed::Rows;
pub(crate) use sqlite::{connect as connect_sqlite, insert as insert_sqlite};

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

/// A row of `runs` as it is in the database, with its columns, to be written again.
#[derive(Clone)]
pub(crate) enum Row {
    Sqlite(Vec<(String, rusqlite::types::Value)>),
    Postgres(Vec<(String, postgres::Value)>),
    Mysql(Vec<(String, mysql_async::Value)>),
}

/// What databases are made in.
pub(crate) enum Databases {
    /// Each is in the data folder.
    Files,
    Server(Server),
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MariaDB",
        })
    }
}

impl Kind {
    /// Starts what databases are made in. What is committed is on the disk there.
    ///
    /// # Errors
    /// The server is not installed, or does not start.
    pub(crate) async fn start(self) -> anyhow::Result<Databases> {
        let start = match self {
            Self::Sqlite => return Ok(Databases::Files),
            Self::Postgres => Server::postgres,
            Self::Mysql => Server::mysql,
        };
        Ok(Databases::Server(spawn_blocking(move || start(Durability::Full)).await?.map_err(anyhow::Error::msg)?))
    }

    /// The URL of a new and empty database, where it is not a file.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn fresh(self, databases: &Databases, name: &str) -> anyhow::Result<Option<String>> {
        let Databases::Server(server) = databases else { return Ok(None) };
        match self {
            Self::Sqlite => return Ok(None),
            Self::Postgres => postgres::create(&server.url, name).await?,
            Self::Mysql => mysql::create(&server.url, name).await?,
        }
        Ok(Some(format!("{}/{name}", server.url)))
    }

    /// Writes runs that are copies of those of a namespace. The server of that database must not run.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn seed(self, setup: &Setup, rows: &Rows) -> anyhow::Result<()> {
        let columns = self.columns(setup, "runs").await?;
        self.execute(setup, &rows.statement(self.dialect(), &columns)).await?;
        if !self.columns(setup, "counts").await?.is_empty() {
            self.execute(setup, COUNT_AGAIN).await?;
        }
        self.execute(setup, self.dialect().settle).await
    }

    /// Writes recurring runs with their schedules, as copies of those that are there. The server of that database must not
    /// run.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn schedule(self, setup: &Setup, schedules: &Schedules) -> anyhow::Result<()> {
        let columns = self.columns(setup, "recurring_runs").await?;
        self.execute(setup, &schedules.statements(self.dialect(), &columns)).await?;
        self.execute(setup, self.dialect().settle).await
    }

    /// Writes executions and artifacts beside those of a run. The server of that database must not run.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn graph(self, setup: &Setup, graph: &Graph) -> anyhow::Result<()> {
        let columns = self.columns(setup, "tasks").await?;
        self.execute(setup, &graph.statements(self.dialect(), &columns)).await?;
        self.execute(setup, self.dialect().settle).await
    }

    fn dialect(self) -> &'static Dialect {
        match self {
            Self::Sqlite => &sqlite::DIALECT,
            Self::Postgres => &postgres::DIALECT,
            Self::Mysql => &mysql::DIALECT,
        }
    }

    /// Executes statements, with a `;` between them.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn execute(self, setup: &Setup, statements: &str) -> anyhow::Result<()> {
        match self {
            Self::Sqlite => Ok(sqlite::execute(&setup.data(), statements)?),
            Self::Postgres => postgres::execute(url(setup)?, statements).await,
            Self::Mysql => mysql::execute(url(setup)?, statements).await,
        }
    }

    /// The only column that a query has, of numbers.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn numbers(self, setup: &Setup, query: &str) -> anyhow::Result<Vec<i64>> {
        match self {
            Self::Sqlite => Ok(sqlite::numbers(&setup.data(), query)?),
            Self::Postgres => postgres::numbers(url(setup)?, query).await,
            Self::Mysql => mysql::numbers(url(setup)?, query).await,
        }
    }

    async fn columns(self, setup: &Setup, table: &str) -> anyhow::Result<Vec<String>> {
        match self {
            Self::Sqlite => Ok(sqlite::columns(&setup.data(), table)?),
            Self::Postgres => postgres::columns(url(setup)?, table).await,
            Self::Mysql => mysql::columns(url(setup)?, table).await,
        }
    }

    /// The row of a run.
    ///
    /// # Errors
    /// Of the database.
    pub(crate) async fn row(self, setup: &Setup, id: &str) -> anyhow::Result<Row> {
        Ok(match self {
            Self::Sqlite => Row::Sqlite(sqlite::row(&setup.data(), id)?),
            Self::Postgres => Row::Postgres(postgres::row(url(setup)?, id).await?),
            Self::Mysql => Row::Mysql(mysql::row(url(setup)?, id).await?),
        })
    }
}

pub(crate) fn url(setup: &Setup) -> anyhow::Result<&str> {
    setup.database.as_deref().context("the database has no URL")
}
