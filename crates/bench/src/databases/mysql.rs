//! MariaDB or MySQL, by its own protocol.
use super::seed::Dialect;
use anyhow::Context;
use mysql_async::{Conn, Params, Row, Statement, Value, prelude::Queryable};

pub(super) const DIALECT: Dialect = Dialect {
    series: |count| format!("(SELECT CAST(seq AS SIGNED) AS i FROM seq_0_to_{}) AS n", count.saturating_sub(1)),
    id: |moment| {
        let digest = "MD5(CONCAT(n.i, t.namespace))";
        format!(
            "CONCAT(LOWER(LPAD(HEX({moment} DIV 65536000), 8, '0')), '-', \
             LOWER(LPAD(HEX({moment} DIV 1000 MOD 65536), 4, '0')), '-7', SUBSTR({digest}, 1, 3), '-8', \
             SUBSTR({digest}, 4, 3), '-', SUBSTR({digest}, 7, 12))"
        )
    },
    name: "CONCAT('run ', n.i)",
    settle: "ANALYZE TABLE runs, recurring_runs, tasks, artifacts, artifact_tasks, metadata_nodes",
};

/// A connection that writes a row again and again, and commits each.
pub(crate) struct Connection {
    conn: Conn,
    statement: Statement,
    row: Vec<(String, Value)>,
}

/// Makes a database.
pub(super) async fn create(server: &str, name: &str) -> anyhow::Result<()> {
    let mut conn = Conn::from_url(format!("{server}/mysql")).await?;
    Ok(conn.query_drop(format!("CREATE DATABASE {name}")).await?)
}

/// See [`super::Kind::execute`].
pub(super) async fn execute(url: &str, statements: &str) -> anyhow::Result<()> {
    let mut conn = Conn::from_url(url).await?;
    for statement in statements.split(';') {
        conn.query_drop(statement).await?;
    }
    Ok(())
}

/// See [`super::Kind::numbers`].
pub(super) async fn numbers(url: &str, query: &str) -> anyhow::Result<Vec<i64>> {
    Ok(Conn::from_url(url).await?.query(query).await?)
}

/// The columns of a table, in their order.
pub(super) async fn columns(url: &str, table: &str) -> anyhow::Result<Vec<String>> {
    let of_table = "SELECT column_name FROM information_schema.columns \
                    WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position";
    Ok(Conn::from_url(url).await?.exec(of_table, (table,)).await?)
}

/// See [`super::Kind::row`].
pub(super) async fn row(url: &str, id: &str) -> anyhow::Result<Vec<(String, Value)>> {
    let mut conn = Conn::from_url(url).await?;
    let row: Option<Row> = conn.exec_first("SELECT * FROM runs WHERE id = ?", (id,)).await?;
    let row = row.context("there is no such run")?;
    let columns: Vec<String> = row.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
    Ok(columns.into_iter().zip(row.unwrap()).collect())
}

impl Connection {
    /// To a database of its own, for this row.
    pub(crate) async fn open(url: &str, row: Vec<(String, Value)>) -> anyhow::Result<Self> {
        let mut conn = Conn::from_url(url).await?;
        // What the rows refer to is not there.
        conn.query_drop("SET SESSION foreign_key_checks = 0").await?;
        let columns: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
        let marks = vec!["?"; row.len()].join(", ");
        let statement = conn.prep(format!("INSERT INTO runs ({}) VALUES ({marks})", columns.join(", "))).await?;
        Ok(Self { conn, statement, row })
    }

    /// Writes the row with this id and name instead of its own.
    pub(crate) async fn insert(&mut self, id: &str) -> anyhow::Result<()> {
        let own = Value::from(id);
        let values = self.row.iter().map(|(name, value)| if name == "id" || name == "name" { &own } else { value });
        let values = Params::Positional(values.cloned().collect());
        Ok(self.conn.exec_drop(&self.statement, values).await?)
    }
}
