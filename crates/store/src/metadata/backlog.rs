//! Runs of before there was ML metadata: a migration lists them, and whoever opens the database first writes what is to be
//! had of them, before anything is read.
use crate::{
    Error, Store,
    connect::{Connection, read, write},
    runs::find_if_any,
    schema::{metadata_backlog, tasks},
    tasks::{Of, OfRun},
};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::Timestamp;

/// How many runs are written in one transaction.
const BATCH: i64 = 20;

impl Store {
    /// Writes what is missing.
    pub(crate) async fn catch_up(&self) -> Result<(), Error> {
        loop {
            let next = metadata_backlog::table.order(metadata_backlog::run_id).limit(BATCH);
            let left: Vec<(String, String)> = read!(self, |conn| Ok(next.load(conn).await?))?;
            if left.is_empty() {
                return Ok(());
            }
            write!(self, |conn| {
                for (run_id, home) in &left {
                    // Another server may have been faster.
                    if diesel::delete(metadata_backlog::table.find(run_id)).execute(conn).await? > 0 {
                        record(conn, home, run_id).await?;
                    }
                }
                Ok(())
            })?;
        }
    }
}

async fn record(conn: &mut Connection, home: &str, run_id: &str) -> Result<(), Error> {
    let Some(row) = find_if_any(conn, home, run_id).await? else { return Ok(()) };
    let of_it = tasks::table.filter(tasks::namespace.eq(home)).filter(tasks::run_id.eq(run_id));
    let named = of_it.filter(tasks::pipeline_name.ne("")).select(tasks::pipeline_name);
    let pipeline_name: Option<String> = named.first(conn).await.optional()?;
    let tasks = Of { home, run_id }.whole(conn, None).await?;
    let now = Timestamp(if row.finished_at == 0 { row.created_at } else { row.finished_at });
    let pipeline_name = pipeline_name.unwrap_or_default();
    let run = OfRun { home, run_id, pipeline_name: &pipeline_name, revision: row.revision.unsigned_abs(), now };
    super::record(conn, &run, &tasks).await
}
