//! PostgreSQL, by its own protocol.
use super::seed::Dialect;
use anyhow::bail;
use std::sync::Arc;
use tokio_postgres::{
    Client, NoTls, Statement,
    types::{ToSql, Type},
};

/// What a column of `runs` can hold.
pub(crate) type Value = Arc<dyn ToSql + Send + Sync>;

pub(super) const DIALECT: Dialect = Dialect {
    series: |count| format!("generate_series(0::bigint, {count} - 1) AS n (i)"),
    id: |moment| {
        let digest = "md5(n.i::text || t.namespace)";
        format!(
            "substr(lpad(to_hex({moment} / 1000), 12, '0'), 1, 8) || '-' || \
             substr(lpad(to_hex({moment} / 1000), 12, '0'), 9, 4) || '-7' || substr({digest}, 1, 3) || '-8' || \
             substr({digest}, 4, 3) || '-' || substr({digest}, 7, 12)"
        )
    },
    name: "'run ' || n.i",
    settle: "ANALYZE; CHECKPOINT",
};

/// A connection that writes a row again and again, and commits each.
pub(crate) struct Connection {
    client: Client,
    statement: Statement,
    row: Vec<(String, Value)>,
}

async fn connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Makes a database.
pub(super) async fn create(server: &str, name: &str) -> anyhow::Result<()> {
    let client = connect(&format!("{server}/postgres")).await?;
    Ok(client.batch_execute(&format!("CREATE DATABASE {name}")).await?)
}

/// See [`super::Kind::execute`].
pub(super) async fn execute(url: &str, statements: &str) -> anyhow::Result<()> {
    Ok(connect(url).await?.batch_execute(statements).await?)
}

/// See [`super::Kind::numbers`].
pub(super) async fn numbers(url: &str, query: &str) -> anyhow::Result<Vec<i64>> {
    Ok(connect(url).await?.query(query, &[]).await?.iter().map(|row| row.get(0)).collect())
}

/// The columns of a table, in their order.
pub(super) async fn columns(url: &str, table: &str) -> anyhow::Result<Vec<String>> {
    let of_table =
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position";
    Ok(connect(url).await?.query(of_table, &[&table]).await?.iter().map(|row| row.get(0)).collect())
}

/// See [`super::Kind::row`].
pub(super) async fn row(url: &str, id: &str) -> anyhow::Result<Vec<(String, Value)>> {
    let client = connect(url).await?;
    let row = client.query_one("SELECT * FROM runs WHERE id = $1", &[&id]).await?;
    let mut values = Vec::new();
    for (at, column) in row.columns().iter().enumerate() {
        let value: Value = match *column.type_() {
            Type::TEXT | Type::VARCHAR => Arc::new(row.get::<_, String>(at)),
            Type::INT8 => Arc::new(row.get::<_, i64>(at)),
            Type::INT4 => Arc::new(row.get::<_, i32>(at)),
            Type::BOOL => Arc::new(row.get::<_, bool>(at)),
            ref other => bail!("runs.{} is of type {other}, which nobody expected", column.name()),
        };
        values.push((column.name().to_owned(), value));
    }
    Ok(values)
}

impl Connection {
    /// To a database of its own, for this row.
    pub(crate) async fn open(url: &str, row: Vec<(String, Value)>) -> anyhow::Result<Self> {
        let client = connect(url).await?;
        // What the rows refer to is not there.
        client.batch_execute("SET session_replication_role = replica").await?;
        let columns: Vec<&str> = row.iter().map(|(name, _)| name.as_str()).collect();
        let marks: Vec<String> = (1..=row.len()).map(|at| format!("${at}")).collect();
        let text = format!("INSERT INTO runs ({}) VALUES ({})", columns.join(", "), marks.join(", "));
        let statement = client.prepare(&text).await?;
        Ok(Self { client, statement, row })
    }

    /// Writes the row with this id and name instead of its own.
    pub(crate) async fn insert(&self, id: &str) -> anyhow::Result<()> {
        let own = id.to_owned();
        let values: Vec<&(dyn ToSql + Sync)> = self
            .row
            .iter()
            .map(|(name, value)| -> &(dyn ToSql + Sync) {
                if name == "id" || name == "name" { &own } else { value.as_ref() }
            })
            .collect();
        self.client.execute(&self.statement, &values).await?;
        Ok(())
    }
}
